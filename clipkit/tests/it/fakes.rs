//! Fake stages: user-defined types as the pipeline sees them, and their failures.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use clipkit::prelude::*;

use crate::support::with;

type Hook<I, O> = Arc<dyn Fn(&Context, &I) -> Result<O> + Send + Sync>;

/// Implements all six stages. Each succeeds unless its hook fails.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) media: Hook<String, Media>,
    pub(crate) transcript: Hook<Media, Transcript>,
    pub(crate) candidates: Hook<Scoring, Vec<Candidate>>,
    pub(crate) tracks: Hook<Tracking, Tracks>,
    pub(crate) clip: Hook<ClipPlan, RenderedClip>,
    pub(crate) receipt: Hook<Post, Receipt>,
    /// The delay of each asynchronous stage, which ignores cancellation.
    pub(crate) render_takes: Duration,
    /// The calls of stages, in order.
    pub(crate) calls: Arc<Mutex<Vec<String>>>,
    pub(crate) concluded: Arc<Mutex<Vec<Manifest>>>,
    pub(crate) rendering: Arc<AtomicUsize>,
    pub(crate) most_rendering: Arc<AtomicUsize>,
    pub(crate) staging: Option<PathBuf>,
}

pub(crate) fn media() -> Media {
    with(Media::new("talk.mp4", ContentId::new("fake", "00")), |it| {
        it.container = "mp4".into();
        it.duration = Timestamp::from_secs(300.0);
        it.video = Some(with(VideoStream::new(0, "h264", 1920, 1080, FrameRate::new(30_000, 1001)), |it| {
            it.color = with(Color::default(), |it| {
                it.primaries = "bt709".into();
                it.transfer = "bt709".into();
                it.matrix = "bt709".into();
                it.range = "tv".into();
            })
        }));
    })
}

/// One word every half second.
pub(crate) fn transcript() -> Transcript {
    let words = (0..600).map(|n| Word::new(format!("word{n}"), f64::from(n) / 2.0, f64::from(n) / 2.0 + 0.4)).collect();
    Transcript::new(words)
}

pub(crate) fn candidate(start: f64, end: f64, total: f64) -> Candidate {
    let title = format!("From {start}");
    Candidate::new(Span::secs(start, end).unwrap(), Score::of(total), title, "it is there")
}

impl Fake {
    pub(crate) fn new() -> Self {
        let three = vec![candidate(10.0, 40.0, 90.0), candidate(100.0, 130.5, 80.0), candidate(200.0, 220.0, 70.0)];
        Fake {
            media: Arc::new(|_, _| Ok(media())),
            transcript: Arc::new(|_, _| Ok(transcript())),
            candidates: Arc::new(move |_, _| Ok(three.clone())),
            tracks: Arc::new(|_, _| Ok(Tracks::default())),
            clip: Arc::new(|_, plan| {
                let duration = plan.output.frame_rate.frame_start(plan.frames());
                Ok(RenderedClip::new("x.mp4", "x.jpg", duration, plan.frames()))
            }),
            receipt: Arc::new(|_, post| Ok(Receipt::new("fake", format!("{}.mp4", post.rank)))),
            render_takes: Duration::from_millis(10),
            calls: Arc::default(),
            concluded: Arc::default(),
            rendering: Arc::default(),
            most_rendering: Arc::default(),
            staging: None,
        }
    }

    fn called(&self, stage: &str) {
        self.calls.lock().unwrap().push(stage.to_owned());
    }

    pub(crate) fn builder(&self) -> PipelineBuilder {
        self.builder_without_publisher().publisher(Arc::new(self.clone()))
    }

    pub(crate) fn builder_without_publisher(&self) -> PipelineBuilder {
        let fake = Arc::new(self.clone());
        Pipeline::builder().source(fake.clone()).transcriber(fake.clone()).scorer(fake.clone()).tracker(fake.clone()).renderer(fake)
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        self.builder().build().unwrap()
    }
}

#[async_trait]
impl Source for Fake {
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media> {
        self.called("source");
        (self.media)(cx, &uri.to_owned())
    }
}

#[async_trait]
impl Transcriber for Fake {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        self.called("transcribe");
        (self.transcript)(cx, media)
    }
}

#[async_trait]
impl Scorer for Fake {
    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        self.called("score");
        (self.candidates)(cx, scoring)
    }
}

#[async_trait]
impl FaceTracker for Fake {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        self.called("track");
        (self.tracks)(cx, tracking)
    }
}

#[async_trait]
impl Renderer for Fake {
    async fn render(&self, cx: &Context, plan: &ClipPlan) -> Result<RenderedClip> {
        self.called("render");
        let now = self.rendering.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_rendering.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(self.render_takes).await;
        self.rendering.fetch_sub(1, Ordering::SeqCst);
        (self.clip)(cx, plan)
    }
}

#[async_trait]
impl Publisher for Fake {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        self.called("publish");
        (self.receipt)(cx, post)
    }

    async fn conclude(&self, _cx: &Context, manifest: &Manifest) -> Result<()> {
        self.called("conclude");
        self.concluded.lock().unwrap().push(manifest.clone());
        Ok(())
    }

    fn staging(&self) -> Option<&Path> {
        self.staging.as_deref()
    }
}
