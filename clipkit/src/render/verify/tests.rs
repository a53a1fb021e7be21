//! Altered files, each derived from a good clip, must fail verification.

use std::path::Path;

use super::*;
use crate::model::Media;
use crate::model::{ContentId, Crop, FrameRate, Layout, MediaRef, Output, PlanSource, Rect, Scene, Score};
use crate::render::bumper::Bumpers;
use crate::render::pass::{self, Quality};
use crate::testing::make_media;

/// A plan for six seconds of a small picture.
pub(super) fn plan() -> ClipPlan {
    let span = Span::secs(0.5, 6.5).unwrap();
    ClipPlan {
        hook: None,
        overlays: Vec::new(),
        zooms: Vec::new(),
        fonts: Vec::new(),
        intro: None,
        outro: None,
        post: crate::model::PostTexts::default(),
        version: ClipPlan::VERSION,
        source: PlanSource::new(MediaRef::new("", ContentId::new("test", "")), 320, 180, span.end()),
        span,
        pieces: Vec::new(),
        sound: Vec::new(),
        censored: Vec::new(),
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

/// A rendered clip and its record, for verifying other files against them.
struct Rendered {
    cx: Context,
    folder: tempfile::TempDir,
    plan: ClipPlan,
    media: Media,
    record: RenderRecord,
}

impl Rendered {
    fn of(picture: &str, sound: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source.mkv");
        let codecs = "-c:v libx264 -preset ultrafast -crf 12 -c:a pcm_s16le";
        make_media(&source, &format!("-f lavfi -i {picture} -f lavfi -i {sound} -t 7 {codecs}"));
        let cx = Context::new();
        let plan = plan();
        let media = av::probe(&cx, &source, plan.source.media.id.clone()).unwrap();
        let input = Input { plan: &plan, media: &media, bumpers: &Bumpers::default(), quality: Quality::Final };
        let (_, record) = pass::run(&cx, &input, &files(&folder.path().join("good.mp4")), 1).unwrap();
        Rendered { cx, folder, plan, media, record }
    }

    fn good(&self) -> std::path::PathBuf {
        self.folder.path().join("good.mp4")
    }

    fn verify(&self, video: &Path) -> Option<String> {
        let input = Input { plan: &self.plan, media: &self.media, bumpers: &Bumpers::default(), quality: Quality::Final };
        match run(&self.cx, &input, &files(video), &self.record, 1).unwrap() {
            Verdict::Passed(clip) => {
                assert_eq!((clip.frames, clip.video.as_path()), (self.plan.frames(), video));
                None
            }
            Verdict::Failed(why) => Some(why),
        }
    }

    /// Verifies the good clip after a pass of `ffmpeg` with these arguments.
    fn changed(&self, arguments: &str) -> Option<String> {
        let bad = self.folder.path().join("bad.mp4");
        let codecs = "-c:v libx264 -preset ultrafast -crf 18 -bf 2 -c:a aac -b:a 160k";
        make_media(&bad, &format!("-i {} {codecs} {arguments}", self.good().display()));
        self.verify(&bad)
    }

    fn with_bytes(&self, change: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
        let bad = self.folder.path().join("bad.mp4");
        let mut bytes = std::fs::read(self.good()).unwrap();
        change(&mut bytes);
        std::fs::write(&bad, bytes).unwrap();
        self.verify(&bad)
    }
}

fn files(video: &Path) -> Files {
    Files { video: video.to_owned(), cover: video.with_extension("jpg"), captions: video.with_extension("ass") }
}

/// An approximation of speech: a voice of changing pitch, in syllables of uneven level.
const VOICE: &str = "aevalsrc='0.3*sin(2*PI*220*t+3*sin(9*t))*abs(sin(2*PI*1.3*t)*sin(2*PI*0.37*t+1))':s=48000";

#[test]
fn only_the_encoded_content_passes() {
    let rendered = Rendered::of("testsrc2=s=320x180:r=30", VOICE);
    assert_eq!(rendered.verify(&rendered.good()), None);
    assert_eq!(rendered.changed("-c copy"), None);
    // A plain re-encode is refused for its packets only, so the faults below are found by other
    // checks.
    let fault = rendered.changed("").unwrap();
    assert!(fault.contains("packets differ from the encoder's"), "{fault}");
    for (arguments, message) in [
        ("-vf drawbox=t=fill:c=black:enable='between(t,2,2.4)'", "is black at 0:0"),
        ("-vf negate", "differs from the encoded frame"),
        ("-vf select='not(between(n,40,60))',fps=30", "video"),
        ("-vf trim=start_frame=2,setpts=PTS-STARTPTS,tpad=stop=2:stop_mode=clone", "video"),
        ("-vf scale=182:320", "182x320 pixels"),
        ("-r 15", "frames, not 180"),
        ("-t 5", "frames, not 180"),
        ("-an", "no audio"),
        ("-vn", "no video"),
        ("-af volume=0:enable='between(t,2,2.3)'", "audio is missing at 0:0"),
        ("-af volume=0", "audio is missing at 0:0"),
        ("-af volume=-3dB", "LUFS"),
        ("-af volume=9dB", "LUFS"),
        ("-af adelay=60:all=1,atrim=end=6", "audio is +0.06"),
        ("-af atrim=start=0.06,asetpts=PTS-STARTPTS,apad=whole_dur=6", "audio is -0.06"),
        ("-af atempo=1.02,apad=whole_dur=6", "audio is -0."),
        ("-ar 44100", "audio"),
        ("-ac 1", "in 1 planes"),
    ] {
        let fault = rendered.changed(arguments).unwrap_or_else(|| panic!("{arguments} passes"));
        assert!(fault.contains(message), "{arguments}: {fault}");
    }
    let good = rendered.good();
    let late = rendered.folder.path().join("late.mp4");
    make_media(&late, &format!("-i {0} -itsoffset 0.1 -i {0} -map 0:v -map 1:a -c copy", good.display()));
    let fault = rendered.verify(&late).unwrap();
    assert!(fault.contains("its audio starts +0."), "{fault}");
}

#[test]
fn a_clip_that_is_silent_where_its_source_speaks_fails() {
    let picture = "testsrc2=s=320x180:r=30";
    let spoken = Rendered::of(picture, VOICE);
    // What was encoded is in the file, but it is not what the source has.
    let silent = Rendered { media: spoken.media.clone(), ..Rendered::of(picture, "anullsrc=r=48000:cl=stereo") };
    let fault = silent.verify(&silent.good()).unwrap();
    assert!(fault.starts_with("it is silent at 0:00") && fault.contains("its source is not"), "{fault}");
    let partly = format!("{VOICE},volume=0:enable='between(t,3.5,4.5)'");
    let silent = Rendered { media: spoken.media.clone(), ..Rendered::of(picture, &partly) };
    let fault = silent.verify(&silent.good()).unwrap();
    assert!(fault.starts_with("it is silent at 0:03"), "{fault}");
    // Pauses of the source are pauses of the clip.
    let paused = Rendered::of(picture, &partly);
    assert_eq!(paused.verify(&paused.good()), None);
    let error = super::error(&fault);
    assert_eq!((error.kind(), error.recovery()), (crate::ErrorKind::Encode, &Recovery::Reencode));
}

#[test]
fn broken_files_fail() {
    let rendered = Rendered::of("testsrc2=s=320x180:r=30", VOICE);
    let garbage = |from: usize, to: usize| {
        rendered.with_bytes(|bytes| {
            let whole = bytes.len();
            bytes[whole * from / 100..whole * to / 100].iter_mut().enumerate().for_each(|(n, byte)| *byte ^= (n * 31 + 7) as u8);
        })
    };
    assert_eq!(rendered.with_bytes(|_| {}), None);
    for part in [10, 30, 50, 70, 90] {
        garbage(part, part + 5).unwrap_or_else(|| panic!("garbage at {part} % passes"));
        rendered.with_bytes(|bytes| bytes.truncate(bytes.len() * part / 100)).unwrap_or_else(|| panic!("{part} % of a file pass"));
    }
    assert!(garbage(0, 100).unwrap().contains("cannot be read"));
    assert!(rendered.with_bytes(Vec::clear).unwrap().contains("cannot be read"));
    assert!(rendered.verify(&rendered.folder.path().join("source.mkv")).is_some());
    assert!(rendered.verify(&rendered.folder.path().join("none.mp4")).is_some());
}

#[test]
fn a_single_changed_bit_is_detected_anywhere() {
    let rendered = Rendered::of("testsrc2=s=320x180:r=30", VOICE);
    let data = std::fs::read(rendered.good()).unwrap();
    let start = data.windows(4).position(|name| name == b"mdat").unwrap() + 4;
    for part in 0..12 {
        let at = start + (data.len() - start) * part / 12 + 37;
        rendered.with_bytes(|bytes| bytes[at] ^= 0x10).unwrap_or_else(|| panic!("a bit at {at} passes"));
    }
}

#[test]
fn a_faint_frozen_video_is_detected() {
    // Dark, with slow changes of a few levels.
    let rendered =
        Rendered::of("color=0x303030:s=320x180:r=30,format=yuv420p,geq=lum='60+5*sin(2*T)':cb=128:cr=128", "anullsrc=r=48000:cl=stereo");
    assert_eq!(rendered.verify(&rendered.good()), None);
    assert!(rendered.changed("").unwrap().contains("packets differ"));
    let fault = rendered.changed("-vf select='not(between(n,31,89))',fps=30").unwrap();
    assert!(fault.contains("is frozen") || fault.contains("differs from the encoded frame"), "{fault}");
}

#[test]
fn wrongly_black_frames_are_detected() {
    let mut rendered = Rendered::of("color=black:s=320x180:r=30", "anullsrc=r=48000:cl=stereo");
    assert_eq!((rendered.verify(&rendered.good()), rendered.record.black_frames), (None, 0));
    rendered.record.black_frames = 12;
    assert!(rendered.verify(&rendered.good()).unwrap().contains("black for 0.4 s although the source is not"));
}
