//! Tests who is shown while two people talk who do not fit into one window.

use std::path::PathBuf;

use super::*;
use crate::av;

const MODELS: [&str; 2] = ["ultraface/version-RFB-320.onnx", "yunet/yunet_s_640_640.onnx"];

/// Seconds around a turn that are not judged: the previous voice may still be audible, and faces
/// are sampled only five times a second.
const TURNING: f64 = 0.3;

/// Tracks a file.
async fn seen(model: &str, file: &Path) -> (Media, Tracks) {
    let cx = Context::new();
    let tracker = OnnxTracker::load(testdata().join("models").join(model)).unwrap();
    let media = FileSource::new().fetch(&cx, file.to_str().unwrap()).await.unwrap();
    let span = Span::between(Timestamp::ZERO, media.duration);
    let tracks = tracker.track(&cx, &Tracking { media: media.clone(), span }).await.unwrap();
    (media, tracks)
}

/// Detects the speech in a file.
pub(super) fn voice(media: &Media) -> Vec<Span> {
    let cx = Context::new();
    let samples = av::speech_samples(&cx, media, Span::between(Timestamp::ZERO, media.duration)).unwrap();
    crate::voice::detect_voice(&cx, Timestamp::ZERO, &samples).unwrap().spans()
}

pub(super) fn frame(media: &Media, tracks: &Tracks, voice: &[Span]) -> Vec<Scene> {
    let span = Span::between(Timestamp::ZERO, media.duration);
    let picture = media.require_video().unwrap().display_size();
    reframe::scenes(&reframe::FramingInput { voice, ..reframe::FramingInput::without_audio(tracks, span, picture, OUTPUT) })
}

/// Two recordings next to each other; the one who does not speak is a still frame. There is no
/// camera cut.
#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn of_two_real_people_the_one_who_speaks_is_shown() {
    for model in MODELS {
        let (media, tracks) = seen(model, &testdata().join("media/derived/two_person_turns.mp4")).await;
        for voice in [&voice(&media)[..], &[]] {
            let scenes = frame(&media, &tracks, voice);
            let mut right = Part::default();
            for n in 0..80 {
                let t = f64::from(n) / RATE;
                let on_the_right = window(&scenes, Timestamp::from_secs(t + 0.001)).center().0 > 0.5;
                right.count(on_the_right == (t >= 8.0));
            }
            let scenes = scenes.len();
            println!("{model}, voice heard in {} stretches: right speaker {:.2} %, {scenes} scenes", voice.len(), right.percent());
            assert!(right.percent() >= 97.0 && scenes == 2, "{model}: {:.2} %, {scenes} scenes", right.percent());
        }
    }
}

/// Draws 12 s of somebody who speaks to music, on the left, and of another face on the right:
/// `other` is the filter that makes it of the second recording, and its place.
fn beside(folder: &Path, [speaks, other]: [&str; 2], (filter, place): (&str, &str)) -> PathBuf {
    let faces = testdata().join("media/faces");
    let (music, file) = ("0.12*sin(1382*t)*(0.6+0.4*sin(12*t))+0.1*sin(1740*t)+0.1*sin(2073*t)", folder.join("talk.mp4"));
    let graph = format!(
        "color=0x203040:s=1280x720:r=25:d=12[wall];[1:v]{filter}[other];[wall][other]overlay={place}[shown];\
         [0:v]scale=440:440,fps=25,setpts=PTS-STARTPTS[speaker];[shown][speaker]overlay=60:280[v];\
         aevalsrc='{music}':s=48000:d=12[music];[0:a]aresample=48000[voice];[voice][music]amix=inputs=2:normalize=0[a]"
    );
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin"]);
    for name in [speaks, other] {
        command.args(["-stream_loop", "-1", "-i"]).arg(faces.join(name));
    }
    command.args(["-filter_complex", &graph, "-map", "[v]", "-map", "[a]", "-t", "12", "-r", "25"]);
    command.args(["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"]).arg(&file);
    assert!(command.status().expect("the ffmpeg command is needed for tests").success());
    file
}

/// A photograph on the wall is larger than the speaker. On a screen somebody speaks without a
/// sound; where it is not certain who is heard, both are shown.
#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn beside_a_poster_or_a_screen_the_real_person_is_shown() {
    let poster = ("trim=start=1:end=1.04,scale=520:520,loop=-1:1,fps=25,setpts=N/25/TB", "720:40");
    let screen = ("scale=240:240,fps=25,setpts=PTS-STARTPTS,drawbox=t=8:c=black", "960:80");
    for (name, other, least, most_split) in [("poster", poster, 100.0, 0.0), ("screen", screen, 85.0, 65.0)] {
        let folder = tempfile::tempdir().unwrap();
        let file = beside(folder.path(), ["videoretalking_1.mp4", "WDA_KatieHill_000.mp4"], other);
        let (media, tracks) = look(&file).await;
        let scenes = frame(&media, &tracks, &voice(&media));
        let (mut shown, mut both) = (Part::default(), Part::default());
        for n in 0..58 {
            let at = Timestamp::from_secs(f64::from(n) / RATE + 0.001);
            let scene = scenes.iter().find(|scene| scene.span.contains(at)).unwrap();
            let is_split = matches!(scene.layout, Layout::Split { .. });
            both.count(is_split);
            shown.count(is_split || crop(scene).at(at).center().0 < 0.5);
        }
        println!("{name}: the real person {:.1} %, both {:.1} %", shown.percent(), both.percent());
        assert!(tracks.faces.len() >= 2, "{name}: the other face was not found");
        assert!(shown.percent() >= least && both.percent() <= most_split, "{name}");
    }
}

/// What is shown of two-shots in a made talk, in which one listens and moves, or talks to the
/// other's voice.
struct Shown {
    /// The rendered frames in which the window is nearer to the speaker, with the layout `fill`.
    speaker: Part,
    /// The turns that are shown in time there.
    turns: Part,
    /// For how many of 60 seconds the automatic layout shows both.
    both: f64,
    /// Of the moments at which it shows one, those at which it is the speaker.
    alone: Part,
}

async fn shown(seed: &str, listener: &str) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    // Of two mouths that talk, what the model hears depends on how many pixels they have.
    let size = if listener == "talking" { "1280x720" } else { "960x540" };
    make_talk(folder.path(), "1", seed, &["--kinds", "duo", "--listener", listener, "--size", size]);
    let truth = truth_of(folder.path());
    let (media, tracks) = look(&folder.path().join("talk.mp4")).await;
    let voice = voice(&media);
    let (speaker, turns) = pixels::of_speakers(&truth, &media, &tracks, &voice).await;
    let automatic = frame(&media, &tracks, &voice);
    let both = automatic.iter().filter(|scene| matches!(scene.layout, Layout::Split { .. }));
    let both: f64 = both.map(|scene| scene.span.duration().as_secs_f64()).sum();
    let alone = shown_alone(&truth, &media, &automatic);
    println!(
        "seed {seed}, {listener} listener: the speaker in {:.2} % of {} frames, {} of {} turns in time; both for {both:.1} s, else the speaker {:.2} %",
        speaker.percent(),
        speaker.of,
        turns.held,
        turns.of,
        alone.percent()
    );
    assert!(speaker.of > 250);
    Shown { speaker, turns, both, alone }
}

/// How often the speaker is the one of two who is shown.
fn shown_alone(truth: &Truth, media: &Media, scenes: &[Scene]) -> Part {
    let start = media.require_video().unwrap().start.secs();
    let mut alone = Part::default();
    for shot in &truth.shots {
        for t in (0..((shot.end - shot.start) * RATE) as usize).map(|n| shot.start + n as f64 / RATE) {
            let at = Timestamp::from_secs(t + start + 0.001);
            let is_split = scenes.iter().any(|scene| scene.span.contains(at) && matches!(scene.layout, Layout::Split { .. }));
            let Some(speaks) = shot.faces.iter().find(|face| face.speaks(t)).filter(|_| !is_split) else { continue };
            let off = |face: &TrueFace| (face.at(t).center().0 - window(scenes, at).center().0).abs();
            alone.count(shot.faces.iter().all(|other| off(speaks) <= off(other)));
        }
    }
    alone
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn beside_a_moving_listener_the_speaker_is_shown() {
    let Shown { speaker, both, alone, .. } = shown("1", "moving").await;
    assert!(speaker.percent() >= 98.0 && both <= 5.0 && alone.percent() >= 98.0);
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn beside_a_talking_mouth_the_one_who_is_heard_is_shown() {
    let Shown { speaker, turns, both, alone } = shown("6", "talking").await;
    assert!(speaker.percent() >= 95.0 && turns.held == turns.of, "the speaker and turns");
    assert!(both <= 24.0 && alone.percent() >= 95.0, "both, or one");
}

/// How often the speaker of two people in a generated talk is shown: with speech detection, and
/// without it. Only samples with a detected voice count, since some recordings of the talk have
/// music or no sound.
pub(super) fn measure_by_voice(truth: &Truth, media: &Media, tracks: &Tracks) -> (Part, Part) {
    let voice = voice(media);
    let start = media.require_video().unwrap().start.secs();
    let (with, without) = (frame(media, tracks, &voice), frame(media, tracks, &[]));
    let (mut by_ear, mut by_eye) = (Part::default(), Part::default());
    for shot in truth.shots.iter().filter(|shot| shot.kind == "duo") {
        for n in 0..((shot.end - shot.start) * RATE) as usize {
            let t = shot.start + n as f64 / RATE;
            let at = Timestamp::from_secs(t + start + 0.001);
            let Some(speaks) = shot.faces.iter().find(|face| face.speaks(t)) else { continue };
            if shot.faces.iter().flat_map(|face| &face.speaking).flatten().any(|turn| (turn - t).abs() < TURNING) {
                continue;
            }
            let is_right = |scenes: &[Scene]| {
                let off = |face: &TrueFace| (face.at(t).center().0 - window(scenes, at).center().0).abs();
                shot.faces.iter().all(|other| off(speaks) <= off(other))
            };
            if voice.iter().any(|span| span.contains(at)) {
                by_ear.count(is_right(&with));
                by_eye.count(is_right(&without));
                if !is_right(&with) {
                    println!("{t:.1} other speaker by ear");
                }
            }
        }
    }
    (by_ear, by_eye)
}
