//! Seeing shots and faces in real footage. The ONNX Runtime must be found: `ORT_DYLIB_PATH`, or a `.venv` beside the workspace.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clipkit::{
    CenterTracker, Context, ErrorKind, Event, FaceTracker, FileSource, OnnxTracker, OnnxTrackerOptions, Source, Span, Stage, StageExt,
    Timestamp, Tracking, Tracks,
};

use crate::support::testdata;

fn tracker() -> OnnxTracker {
    OnnxTracker::load(testdata().join("models/ultraface/version-RFB-320.onnx")).unwrap()
}

async fn whole_file(path: &str) -> Tracking {
    let file = testdata().join("media").join(path);
    let media = FileSource::new().fetch(&Context::new(), file.to_str().unwrap()).await.unwrap();
    let span = Span::between(Timestamp::ZERO, media.duration);
    Tracking { media, span }
}

async fn look(path: &str) -> Tracks {
    tracker().track(&Context::new(), &whole_file(path).await).await.unwrap()
}

/// When shots after the first start, in seconds.
fn cuts(tracks: &Tracks) -> Vec<f64> {
    tracks.shots.iter().skip(1).map(|shot| shot.span.start().secs()).collect()
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn cuts_are_found_to_the_frame() {
    // From annotations/derived/ground_truth.json; the second file's are of its own clock, as is the source's timeline.
    for (file, expected, frame) in
        [("derived/hard_cuts.mp4", &[3.0, 5.4, 7.4, 10.6][..], 0.04), ("faces/short_hamilton_clip.mp4", &[1.511, 3.580, 7.884][..], 0.0334)]
    {
        let found = cuts(&look(file).await);
        assert_eq!(found.len(), expected.len(), "{file}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= frame + 0.001, "{file}: {found} is not {expected}");
        }
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn what_is_no_cut_is_none() {
    for file in ["pyscenedetect/fades.mp4", "derived/two_person_turns.mp4", "moviepy/chaplin.mp4", "faces/musetalk_sun.mp4"] {
        let found = cuts(&look(file).await);
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn of_two_people_the_one_who_speaks_moves_the_mouth() {
    let tracks = look("derived/two_person_turns.mp4").await;
    assert_eq!(tracks.faces.len(), 2);
    for face in &tracks.faces {
        let left = face.samples[0].rect.center().0 < 0.5;
        let mean = |from: f64, to: f64| {
            let inside: Vec<f64> =
                face.samples.iter().filter(|sample| (from..to).contains(&sample.at.secs())).map(|sample| sample.mouth).collect();
            inside.iter().sum::<f64>() / inside.len() as f64
        };
        let (first, second) = (mean(0.3, 7.9), mean(8.3, 15.9));
        let (speaks, listens) = if left { (first, second) } else { (second, first) };
        assert!(speaks > 0.05 && listens < 0.02, "left {left}: speaking {speaks:.3}, listening {listens:.3}");
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn a_turned_picture_is_seen_as_displayed() {
    // Stored as displayed, upside down, and mirrored on its side.
    for file in [
        "faces/latentsync_demo1.mp4",
        "androidx/mp4_sample_rotate_and_reflect.mp4",
        "androidx/mp4_internal_emulator_transformer_output_180_rotated.mp4",
    ] {
        let tracking = whole_file(file).await;
        let tracks = tracker().track(&Context::new(), &tracking).await.unwrap();
        let (width, height) = tracking.media.require_video().unwrap().display_size();
        assert_eq!(tracks.faces.len(), 1, "{file}");
        for sample in tracks.faces.iter().flat_map(|face| &face.samples) {
            let shape = sample.rect.width * f64::from(width) / (sample.rect.height * f64::from(height));
            assert!((0.5..1.5).contains(&shape), "{file}: {sample:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn people_from_behind_have_no_faces() {
    let mut tracking = whole_file("intel/one-by-one-person-detection.mp4").await;
    tracking.span = Span::secs(20.0, 50.0).unwrap();
    let tracks = tracker().track(&Context::new(), &tracking).await.unwrap();
    assert_eq!(tracks.faces, []);
    assert_eq!(tracks.shots.first().map(|shot| shot.span.start()), Some(tracking.span.start()));
    assert_eq!(tracks.shots.last().map(|shot| shot.span.end()), Some(tracking.span.end()));
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn a_span_in_the_middle_sees_what_the_whole_file_does() {
    let mut tracking = whole_file("derived/hard_cuts.mp4").await;
    tracking.span = Span::secs(5.02, 8.0).unwrap();
    let tracks = tracker().track(&Context::new(), &tracking).await.unwrap();
    let found = cuts(&tracks);
    assert!(found.len() == 2 && (found[0] - 5.4).abs() < 0.041 && (found[1] - 7.4).abs() < 0.041, "{found:?}");
    for face in &tracks.faces {
        assert!(tracks.shots.iter().any(|shot| face.samples.iter().all(|sample| shot.span.contains(sample.at))));
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn tracking_tells_how_far_it_is_and_stops_when_asked() {
    let tracking = whole_file("intel/one-by-one-person-detection.mp4").await;
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = heard.clone();
    let cx = Context::builder()
        .on_event(move |event| {
            if matches!(event, Event::Progress { stage: Stage::Track, .. }) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        })
        .build()
        .for_stage(Stage::Track);
    let canceller = cx.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        canceller.cancel();
    });
    let started = Instant::now();
    let error = tracker().track(&cx, &tracking).await.unwrap_err();
    assert!(error.is_cancelled() && error.stage() == Some(Stage::Track), "{error:?}");
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
    assert!(heard.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_missing_model_and_odd_options_are_told_apart() {
    let refuse = |options: serde_json::Value| {
        let options: OnnxTrackerOptions = serde_json::from_value(options).unwrap();
        OnnxTracker::with_options("/nowhere/model.onnx", options).unwrap_err().kind()
    };
    assert_eq!(refuse(serde_json::json!({ "samples_per_second": 0.0 })), ErrorKind::Config);
    assert_eq!(refuse(serde_json::json!({ "confidence": 1.5 })), ErrorKind::Config);
    assert_eq!(refuse(serde_json::json!({ "library": "/nowhere/libonnxruntime.so" })), ErrorKind::Unavailable);
    assert!(serde_json::from_value::<OnnxTrackerOptions>(serde_json::json!({ "sample": 3 })).is_err());
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn where_tracking_fails_the_crop_stays_in_the_middle() {
    let mut tracking = whole_file("derived/hard_cuts.mp4").await;
    tracking.media.path = Path::new("/nowhere/gone.mp4").to_owned();
    let cx = Context::new();
    assert_eq!(tracker().or(CenterTracker).track(&cx, &tracking).await.unwrap(), Tracks::default());
    let [warning] = &cx.warnings()[..] else { panic!("{:?}", cx.warnings()) };
    assert!(warning.message.contains("gone.mp4") && warning.message.contains("CenterTracker"), "{}", warning.message);
}
