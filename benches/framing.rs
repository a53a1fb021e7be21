//! `make bench`: the framing quality of each tracker. Measures how often the speaking face is in
//! the window of a vertical clip, and its distance from the center of the window. The ground truth
//! is `talk.truth.json` next to `talk.mp4`, or `truth.json` in its folder.
//!
//! The video is `CLIPKIT_BENCH_VIDEO`; without ground truth, nothing is measured.

#![allow(clippy::unwrap_used)] // A failing bench panics.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use clipkit::prelude::*;
use clipkit_benches::source;
use serde_json::Value;

/// Samples per second.
const RATE: f64 = 5.0;
/// The length of the clips in seconds. They cover the video without gaps.
const CLIP: f64 = 48.0;

/// Returns an empty transcript, and chooses consecutive spans of the whole video.
struct All;

#[async_trait]
impl Transcriber for All {
    async fn transcribe(&self, _cx: &Context, _media: &Media) -> Result<Transcript> {
        Ok(Transcript::default())
    }
}

#[async_trait]
impl Scorer for All {
    async fn score(&self, _cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        let length = scoring.media.as_ref().unwrap().duration.secs();
        let spans = (0..(length / CLIP) as u32).map(|n| Span::secs(f64::from(n) * CLIP, f64::from(n + 1) * CLIP).unwrap());
        Ok(spans.map(|span| Candidate::new(span, Score::of(50.0), "a stretch", "all are taken")).collect())
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let video = source();
    let Some(truth) = truth(&video) else {
        println!("framing      nothing is known of {}: it has no talk.truth.json beside it, nor truth.json", video.display());
        return;
    };
    let trackers = runtime.block_on(trackers());
    println!("framing of {}", video.display());
    for (name, tracker) in trackers {
        let Held { middle, whole, of, off } = runtime.block_on(held(&video, &truth, tracker));
        let percent = |count: usize| 100.0 * count as f64 / of.max(1) as f64;
        let off = 100.0 * off / of.max(1) as f64;
        println!(
            "framing      {name:6}: of the speaking face, the middle is in the window in {:.1} %, all of it in {:.1} % of {of} moments, {off:.0} % of \
             the window's width beside its middle",
            percent(middle),
            percent(whole)
        );
    }
}

/// Measures how well the speaking face is framed.
#[derive(Default)]
struct Held {
    /// Samples with the face's center in the window, with the whole face in it, and all samples.
    middle: usize,
    whole: usize,
    of: usize,
    /// The sum of the horizontal distances between the face's center and the window's, in window
    /// widths.
    off: f64,
}

/// Reads the ground truth of the video.
fn truth(video: &Path) -> Option<Value> {
    let beside = [video.with_extension("truth.json"), video.with_file_name("truth.json")];
    let truth = beside.iter().find_map(|path| std::fs::read(path).ok())?;
    Some(serde_json::from_slice(&truth).unwrap())
}

async fn trackers() -> Vec<(&'static str, Arc<dyn FaceTracker>)> {
    let mut trackers: Vec<(&'static str, Arc<dyn FaceTracker>)> =
        vec![("centre", Arc::new(CenterTracker)), ("motion", Arc::new(MotionTracker::default()))];
    let model = WeightsStore::new().resolve(&Context::new(), Weights::DEFAULT_FACE_DETECTOR).await;
    match model.and_then(OnnxTracker::load) {
        Ok(tracker) => trackers.push(("faces", Arc::new(tracker))),
        Err(error) => println!("framing      face detection is off: {error}"),
    }
    trackers
}

async fn held(video: &Path, truth: &Value, tracker: Arc<dyn FaceTracker>) -> Held {
    let mut options = ClipOptions::default();
    options.clips = 100;
    options.snap = false;
    options.captions = None;
    let pipeline = Pipeline::builder()
        .source(FileSource::new())
        .transcriber(All)
        .scorer(All)
        .tracker(tracker)
        .renderer(FfmpegRenderer::vertical(1080, 1920))
        .publisher(Folder::new("unused"))
        .options(options)
        .build()
        .unwrap();
    let plans = pipeline.plan_all(&video.to_string_lossy()).await.unwrap().plans;
    let mut held = Held::default();
    for plan in plans.into_iter().map(|ranked| ranked.plan) {
        let (start, length) = (plan.span.start().secs(), plan.span.duration().as_secs_f64());
        for n in 0..(length * RATE) as u32 {
            let into = f64::from(n) / RATE;
            let Some(face) = face(truth, start + into) else { continue };
            let (x, y) = face.center();
            let windows = windows(&plan, Timestamp::from_secs(into));
            let off = |window: &Rect| (x - window.x - window.width / 2.0).abs() / window.width;
            let Some(window) = windows.into_iter().min_by(|a, b| off(a).total_cmp(&off(b))) else { continue };
            let within = |from: f64, to: f64, low: f64, high: f64| low <= from && to <= high;
            let down = within(y, y, window.y, window.y + window.height);
            held.of += 1;
            held.middle += usize::from(down && within(x, x, window.x, window.x + window.width));
            held.whole += usize::from(down && within(face.x, face.x + face.width, window.x, window.x + window.width));
            held.off += off(&window);
        }
    }
    held
}

/// The parts of the picture that the clip shows at a time.
fn windows(plan: &ClipPlan, at: Timestamp) -> Vec<Rect> {
    let scene = plan.scenes.iter().find(|scene| scene.span.contains(at)).or(plan.scenes.last()).unwrap();
    scene.layout.panes().iter().map(|(crop, _)| crop.at(at)).collect()
}

/// The box of the face that speaks at `t` seconds.
fn face(truth: &Value, t: f64) -> Option<Rect> {
    let within = |pair: &Value| pair[0].as_f64().unwrap() <= t && t < pair[1].as_f64().unwrap();
    let shots = truth["shots"].as_array()?;
    let shot = shots.iter().find(|shot| shot["start"].as_f64().unwrap() <= t && t < shot["end"].as_f64().unwrap())?;
    let face = shot["faces"].as_array()?.iter().find(|face| face["speaking"].as_array().unwrap().iter().any(within))?;
    let path: Vec<[f64; 5]> = serde_json::from_value(face["path"].clone()).unwrap();
    let next = path.partition_point(|point| point[0] <= t).clamp(1, path.len().max(2) - 1);
    let (from, to) = (path[next - 1], *path.get(next).unwrap_or(&path[next - 1]));
    let part = ((t - from[0]) / (to[0] - from[0]).max(1e-9)).clamp(0.0, 1.0);
    let [x, y, width, height] = [1, 2, 3, 4].map(|n| from[n] + (to[n] - from[n]) * part);
    Some(Rect::new(x, y, width, height))
}
