//! Who is shown while two people talk who do not fit in one window.

use super::*;
use crate::{av, voice};

const MODELS: [&str; 2] = ["ultraface/version-RFB-320.onnx", "yunet/yunet_s_640_640.onnx"];

/// What is seen and heard in a file.
async fn footage(model: &str, file: &Path) -> (Media, Tracks, Vec<Span>) {
    let cx = Context::new();
    let tracker = OnnxTracker::load(testdata().join("models").join(model)).unwrap();
    let media = FileSource::new().fetch(&cx, file.to_str().unwrap()).await.unwrap();
    let span = Span::between(Timestamp::ZERO, media.duration);
    let tracks = tracker.track(&cx, &Tracking { media: media.clone(), span }).await.unwrap();
    let samples = av::speech_samples(&cx, &media, span).unwrap();
    let voice = voice::hear(&cx, Timestamp::ZERO, &samples).unwrap().spans();
    (media, tracks, voice)
}

fn framed(media: &Media, tracks: &Tracks, voice: &[Span]) -> Vec<Scene> {
    let span = Span::between(Timestamp::ZERO, media.duration);
    let picture = media.require_video().unwrap().display_size();
    reframe::scenes(&reframe::Framing { voice, ..reframe::Framing::silent(tracks, span, picture, OUTPUT) })
}

/// Two recordings side by side; the one who does not speak is a still frame. No camera cut.
#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn of_two_real_people_the_one_who_speaks_is_shown() {
    for model in MODELS {
        let (media, tracks, voice) = footage(model, &testdata().join("media/derived/two_person_turns.mp4")).await;
        for voice in [&voice[..], &[]] {
            let scenes = framed(&media, &tracks, voice);
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

/// Only moments at which a voice is heard count: some of the talk's recordings have music or no sound, so nobody speaks in them.
#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn in_a_made_talk_the_one_who_is_heard_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    make_talk(folder.path(), "1.6", "1");
    let truth: Truth = serde_json::from_str(&std::fs::read_to_string(folder.path().join("truth.json")).unwrap()).unwrap();
    for model in MODELS {
        let (media, tracks, voice) = footage(model, &folder.path().join("talk.mp4")).await;
        let start = media.require_video().unwrap().start.secs();
        let (with, without) = (framed(&media, &tracks, &voice), framed(&media, &tracks, &[]));
        let (mut heard, mut seen, mut all) = (Part::default(), Part::default(), Part::default());
        for shot in truth.shots.iter().filter(|shot| shot.kind == "duo") {
            for n in 0..((shot.end - shot.start) * RATE) as usize {
                let t = shot.start + n as f64 / RATE;
                let at = Timestamp::from_secs(t + start + 0.001);
                let Some(speaks) = shot.faces.iter().find(|face| face.speaks(t)) else { continue };
                let is_right = |scenes: &[Scene]| {
                    let off = |face: &TrueFace| (face.at(t).center().0 - window(scenes, at).center().0).abs();
                    shot.faces.iter().all(|other| off(speaks) <= off(other))
                };
                all.count(is_right(&without));
                if voice.iter().any(|span| span.contains(at)) {
                    heard.count(is_right(&with));
                    seen.count(is_right(&without));
                }
            }
        }
        println!(
            "{model}: right speaker {:.2} % of all {} moments without sound; of the {} with a voice {:.2} %, and {:.2} % by voice",
            all.percent(),
            all.of,
            seen.of,
            seen.percent(),
            heard.percent()
        );
        assert!(all.percent() >= 97.0 && heard.percent() >= 97.0 && heard.of > 100, "{model}");
    }
}
