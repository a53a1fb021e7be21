//! The cost of planning a clip of one minute, without decoding: the crop path through a shot of
//! four moving people, the layout, the cues and the captions as ASS. Also the cost of linking
//! single detections to face tracks.

#![allow(missing_docs, clippy::unwrap_used)] // criterion writes the main function.

use std::sync::Arc;

use async_trait::async_trait;
use clipkit::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};

const LENGTH: f64 = 60.0;

/// Fixed stages: a video without a file, with known words and faces.
struct Known;

#[async_trait]
impl Source for Known {
    async fn fetch(&self, _cx: &Context, _uri: &str) -> Result<Media> {
        let mut video = VideoStream::new(0, "h264", 1920, 1080, FrameRate::new(25, 1));
        video.color.primaries = "bt709".into();
        video.color.transfer = "bt709".into();
        video.color.matrix = "bt709".into();
        video.color.range = "tv".into();
        let mut media = Media::new("talk.mp4", ContentId::new("none", "0"));
        media.container = "mp4".into();
        media.duration = Timestamp::from_secs(LENGTH);
        media.video = Some(video);
        Ok(media)
    }
}

#[async_trait]
impl Transcriber for Known {
    async fn transcribe(&self, _cx: &Context, _media: &Media) -> Result<Transcript> {
        let words = (0..150).map(|n| {
            let at = f64::from(n) * LENGTH / 150.0;
            Word::new(if n % 11 == 10 { format!("word{n}.") } else { format!("word{n}") }, at, at + 0.3)
        });
        Ok(Transcript::new(words.collect()))
    }
}

#[async_trait]
impl Scorer for Known {
    async fn score(&self, _cx: &Context, _scoring: &Scoring) -> Result<Vec<Candidate>> {
        Ok(vec![Candidate::new(Span::secs(0.0, LENGTH)?, Score::of(50.0), "A minute", "it is all there is")])
    }
}

#[async_trait]
impl FaceTracker for Known {
    async fn track(&self, _cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let sample = |person: u32, n: u32| {
            let t = f64::from(n) / 5.0;
            let x = 0.1 + 0.22 * f64::from(person) + 0.06 * (t * 0.7 + f64::from(person)).sin();
            let speaks = (t / 7.0) as u32 % 4 == person;
            let rect = Rect::new(x, 0.3 + 0.01 * t.cos(), 0.08, 0.15);
            let mut sample = FaceSample::new(Timestamp::from_secs(t), rect, 0.95);
            sample.mouth = if speaks { 0.2 } else { 0.01 };
            sample
        };
        let face = |id| FaceTrack::new(id, (0..(LENGTH * 5.0) as u32).map(|n| sample(id, n)).collect());
        Ok(Tracks::new(vec![Shot::new(tracking.span)], (0..4).map(face).collect()))
    }
}

#[async_trait]
impl Renderer for Known {
    async fn render(&self, _cx: &Context, _plan: &ClipPlan) -> Result<RenderedClip> {
        Err(Error::new(ErrorKind::Unavailable, "nothing is rendered here"))
    }
}

fn planning(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let known = Arc::new(Known);
    let pipeline = Pipeline::builder()
        .source(known.clone())
        .transcriber(known.clone())
        .scorer(known.clone())
        .tracker(known.clone())
        .renderer(known)
        .publisher(Folder::new("unused"))
        .build()
        .unwrap();
    let plan = runtime.block_on(pipeline.plan_all("talk.mp4")).unwrap().plans.remove(0).plan;
    let (scenes, cues) = (plan.scenes.len(), plan.captions.as_ref().map_or(0, |track| track.cues.len()));
    criterion.bench_function(&format!("plan of a minute, four people, {scenes} scenes, {cues} cues"), |bencher| {
        bencher.iter(|| runtime.block_on(pipeline.plan_all("talk.mp4")).unwrap());
    });
    let captions = plan.captions.unwrap();
    criterion.bench_function("its captions measured and set as ASS", |bencher| bencher.iter(|| captions.to_ass(1080, 1920)));
}

/// Four people who move and cross each other, detected five times per second with some gaps.
fn association(criterion: &mut Criterion) {
    let moments = (0..(LENGTH * 5.0) as u32).map(|n| {
        let t = f64::from(n) / 5.0;
        let rect = |person: u32| {
            let phase = f64::from(person) * 1.7;
            Rect::new(0.1 + 0.2 * f64::from(person) + 0.12 * (t * 0.5 + phase).sin(), 0.3 + 0.05 * (t * 0.3 + phase).cos(), 0.07, 0.12)
        };
        (Timestamp::from_secs(t), (0..4).filter(|person| (n + person * 13) % 29 != 0).map(rect).collect())
    });
    let seen = clipkit::benches::SeenFaces::new(moments);
    let shots: Vec<Shot> =
        (0..6).map(|n| Shot::new(Span::secs(f64::from(n) * LENGTH / 6.0, f64::from(n + 1) * LENGTH / 6.0).unwrap())).collect();
    let tracks = seen.associate(&shots).len();
    criterion.bench_function(&format!("faces of a minute linked, four people, six shots, {tracks} tracks"), |bencher| {
        bencher.iter(|| seen.associate(&shots));
    });
}

criterion_group!(measured, planning, association);
criterion_main!(measured);
