//! Files that are not what was encoded: each is made of a good clip, and none gets through.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::model::{ContentId, Crop, FrameRate, Layout, MediaRef, Output, PlanSource, Rect, Scene, Score};
use crate::render::pass;

/// Six seconds of a small picture.
pub(super) fn plan() -> ClipPlan {
    let span = Span::secs(0.5, 6.5).unwrap();
    ClipPlan {
        hook: None,
        version: ClipPlan::VERSION,
        source: PlanSource { media: MediaRef::new("", ContentId::new("test", "")), width: 320, height: 180, duration: span.end() },
        span,
        title: String::new(),
        reason: String::new(),
        hook_line: None,
        score: Score::default(),
        shots: Vec::new(),
        faces: Vec::new(),
        subjects: Vec::new(),
        scenes: vec![Scene { span: span.since(span.start()), layout: Layout::Fill { crop: Crop::still(Rect::new(0.2, 0.0, 0.6, 1.0)) } }],
        captions: None,
        output: Output::h264(180, 320, FrameRate::new(30, 1)),
    }
}

fn ffmpeg(arguments: &str) {
    let mut command = Command::new("ffmpeg");
    let output = command.args(["-v", "error", "-nostdin", "-y"]).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A clip, what was seen of its making, and what the gate says of other files in its place.
struct Made {
    cx: Context,
    folder: tempfile::TempDir,
    plan: ClipPlan,
    witness: RenderRecord,
}

impl Made {
    fn of(picture: &str, sound: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source.mkv");
        let codecs = "-c:v libx264 -preset ultrafast -crf 12 -c:a pcm_s16le";
        ffmpeg(&format!("-f lavfi -i {picture} -f lavfi -i {sound} -t 7 {codecs} {}", source.display()));
        let cx = Context::new();
        let plan = plan();
        let media = av::probe(&cx, &source, plan.source.media.id.clone()).unwrap();
        let (_, witness) = pass::run(&cx, &plan, &media, &files(&folder.path().join("good.mp4")), 1).unwrap();
        Made { cx, folder, plan, witness }
    }

    fn good(&self) -> std::path::PathBuf {
        self.folder.path().join("good.mp4")
    }

    fn judge(&self, video: &Path) -> Option<String> {
        match judge(&self.cx, &self.plan, &files(video), &self.witness, 1).unwrap() {
            Verdict::Passed(clip) => {
                assert_eq!((clip.frames, clip.video.as_path()), (self.plan.frames(), video));
                None
            }
            Verdict::Refused(why) => Some(why),
        }
    }

    /// What the gate says of the good clip after `ffmpeg` changed it.
    fn changed(&self, arguments: &str) -> Option<String> {
        let bad = self.folder.path().join("bad.mp4");
        let codecs = "-c:v libx264 -preset ultrafast -crf 18 -bf 2 -c:a aac -b:a 160k";
        ffmpeg(&format!("-i {} {codecs} {arguments} {}", self.good().display(), bad.display()));
        self.judge(&bad)
    }

    fn with_bytes(&self, change: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
        let bad = self.folder.path().join("bad.mp4");
        let mut bytes = std::fs::read(self.good()).unwrap();
        change(&mut bytes);
        std::fs::write(&bad, bytes).unwrap();
        self.judge(&bad)
    }
}

fn files(video: &Path) -> Files {
    Files { video: video.to_owned(), cover: video.with_extension("jpg"), captions: video.with_extension("ass") }
}

/// Words, more or less: a voice that rises and falls, in syllables of uneven strength.
const VOICE: &str = "aevalsrc='0.3*sin(2*PI*220*t+3*sin(9*t))*abs(sin(2*PI*1.3*t)*sin(2*PI*0.37*t+1))':s=48000";

#[test]
fn nothing_but_what_was_encoded_gets_through() {
    let made = Made::of("testsrc2=s=320x180:r=30", VOICE);
    assert_eq!(made.judge(&made.good()), None);
    assert_eq!(made.changed("-c copy"), None);
    // Encoded again and otherwise the same: what is refused below is not refused for this.
    let said = made.changed("").unwrap();
    assert!(said.contains("packets of it are not what was encoded"), "{said}");
    for (arguments, told) in [
        ("-vf drawbox=t=fill:c=black:enable='between(t,2,2.4)'", "is black at 0:0"),
        ("-vf negate", "not what was encoded"),
        ("-vf select='not(between(n,40,60))',fps=30", "picture"),
        ("-vf trim=start_frame=2,setpts=PTS-STARTPTS,tpad=stop=2:stop_mode=clone", "picture"),
        ("-vf scale=182:320", "182x320 pixels"),
        ("-r 15", "frames, not 180"),
        ("-t 5", "frames, not 180"),
        ("-an", "no sound"),
        ("-vn", "no picture"),
        ("-af volume=0:enable='between(t,2,2.3)'", "sound is missing at 0:0"),
        ("-af volume=0", "sound is missing at 0:0"),
        ("-af volume=-3dB", "LUFS"),
        ("-af volume=9dB", "LUFS"),
        ("-af adelay=60:all=1,atrim=end=6", "sound is +0.06"),
        ("-af atrim=start=0.06,asetpts=PTS-STARTPTS,apad=whole_dur=6", "sound is -0.06"),
        ("-af atempo=1.02,apad=whole_dur=6", "sound is -0."),
        ("-ar 44100", "sound"),
        ("-ac 1", "in 1 planes"),
    ] {
        let said = made.changed(arguments).unwrap_or_else(|| panic!("{arguments} gets through"));
        assert!(said.contains(told), "{arguments}: {said}");
    }
    let good = made.good();
    let late = made.folder.path().join("late.mp4");
    ffmpeg(&format!("-i {0} -itsoffset 0.1 -i {0} -map 0:v -map 1:a -c copy {1}", good.display(), late.display()));
    let said = made.judge(&late).unwrap();
    assert!(said.contains("its sound starts +0."), "{said}");
}

#[test]
fn broken_files_do_not_get_through() {
    let made = Made::of("testsrc2=s=320x180:r=30", VOICE);
    let garbage = |from: usize, to: usize| {
        made.with_bytes(|bytes| {
            let whole = bytes.len();
            bytes[whole * from / 100..whole * to / 100].iter_mut().enumerate().for_each(|(n, byte)| *byte ^= (n * 31 + 7) as u8);
        })
    };
    assert_eq!(made.with_bytes(|_| {}), None);
    for part in [10, 30, 50, 70, 90] {
        garbage(part, part + 5).unwrap_or_else(|| panic!("garbage at {part} % gets through"));
        made.with_bytes(|bytes| bytes.truncate(bytes.len() * part / 100)).unwrap_or_else(|| panic!("{part} % of a file get through"));
    }
    assert!(garbage(0, 100).unwrap().contains("cannot be read"));
    assert!(made.with_bytes(Vec::clear).unwrap().contains("cannot be read"));
    assert!(made.judge(&made.folder.path().join("source.mkv")).is_some());
    assert!(made.judge(&made.folder.path().join("none.mp4")).is_some());
}

#[test]
fn one_bit_that_changed_is_noticed_wherever_it_is() {
    let made = Made::of("testsrc2=s=320x180:r=30", VOICE);
    let data = std::fs::read(made.good()).unwrap();
    let start = data.windows(4).position(|name| name == b"mdat").unwrap() + 4;
    for part in 0..12 {
        let at = start + (data.len() - start) * part / 12 + 37;
        made.with_bytes(|bytes| bytes[at] ^= 0x10).unwrap_or_else(|| panic!("a bit at {at} gets through"));
    }
}

#[test]
fn a_faint_picture_that_freezes_is_noticed() {
    // Dark, and breathing by a few levels only.
    let made = Made::of("color=0x303030:s=320x180:r=30,format=yuv420p,geq=lum='60+5*sin(2*T)':cb=128:cr=128", "anullsrc=r=48000:cl=stereo");
    assert_eq!(made.judge(&made.good()), None);
    assert!(made.changed("").unwrap().contains("packets of it"));
    let said = made.changed("-vf select='not(between(n,31,89))',fps=30").unwrap();
    assert!(said.contains("stands still") || said.contains("not what was encoded"), "{said}");
}

#[test]
fn a_framing_that_goes_black_is_noticed() {
    let mut made = Made::of("color=black:s=320x180:r=30", "anullsrc=r=48000:cl=stereo");
    assert_eq!((made.judge(&made.good()), made.witness.blacked_out), (None, 0));
    made.witness.blacked_out = 12;
    assert!(made.judge(&made.good()).unwrap().contains("black for 0.4 s where the source is not"));
}
