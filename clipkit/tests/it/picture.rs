//! Seeing shots and faces in real footage. The ONNX Runtime must be found: `ORT_DYLIB_PATH`, or a `.venv` beside the workspace.

use std::path::Path;

use clipkit::{Context, FaceTracker, FileSource, OnnxTracker, Source, Span, Timestamp, Tracking, Tracks};

use crate::support::testdata;

fn tracker() -> OnnxTracker {
    OnnxTracker::load(testdata().join("models/ultraface/version-RFB-320.onnx")).unwrap()
}

/// The whole file, or its first `seconds`.
async fn look(tracker: &OnnxTracker, file: &Path, seconds: Option<f64>) -> Tracks {
    let cx = Context::new();
    let media = FileSource::new().fetch(&cx, file.to_str().unwrap()).await.unwrap();
    let end = seconds.map_or(media.duration, Timestamp::from_secs);
    let span = Span::between(Timestamp::ZERO, end);
    tracker.track(&cx, &Tracking { media, span }).await.unwrap()
}

#[tokio::test]
async fn dump() {
    let Some(file) = std::env::var_os("DUMP") else { return };
    let seconds = std::env::var("SECONDS").ok().and_then(|s| s.parse().ok());
    let t = std::time::Instant::now();
    let tracks = look(&tracker(), Path::new(&file), seconds).await;
    println!("took {:?}", t.elapsed());
    println!("shots {:?}", tracks.shots.iter().map(|s| s.span.start().secs()).collect::<Vec<_>>());
    for f in &tracks.faces {
        let s = f.span();
        println!(
            "face {} {}..{} n={} at {:.2},{:.2} w {:.3} mouth {}",
            f.id,
            s.start().secs(),
            s.end().secs(),
            f.samples.len(),
            f.samples[0].rect.center().0,
            f.samples[0].rect.center().1,
            f.samples[0].rect.width,
            f.samples.iter().map(|s| format!("{:.0}", s.mouth * 100.0)).collect::<Vec<_>>().join(" ")
        );
    }
}
