//! The whole pipeline in one call.

use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::config::{PipelineConfig, PublisherConfig, TranscriberConfig};
use crate::context::Context;
use crate::error::Result;
use crate::model::Manifest;
use crate::pipeline::{ClipOptions, Pipeline, PipelineBuilder};
use crate::publish::{Folder, Publisher};
use crate::render::Renderer;
use crate::score::Scorer;
use crate::source::Source;
use crate::track::FaceTracker;
use crate::transcribe::{Captions, Transcriber};

/// Makes clips of a video in one call. Everything that is not set is as in
/// [`PipelineConfig::default`]. Nothing runs until the result is awaited.
///
/// ```no_run
/// # async fn make() -> clipkit::Result<()> {
/// for clip in clipkit::clip("talk.mp4").out("clips").await?.clips {
///     println!("{}: {}", clip.path().display(), clip.title);
/// }
/// # Ok(())
/// # }
/// ```
///
/// The counterparts are `clipkit.clip(...)` in Python and `clip(...)` in Node. For several videos,
/// build one [`Pipeline`] and run it for each.
pub fn clip(input: impl Into<String>) -> Clipping {
    Clipping { input: input.into(), cx: Context::new(), stages: Pipeline::builder(), config: PipelineConfig::default() }
}

/// The settings of a call of [`clip`]. Awaiting it returns what [`Pipeline::run`] returns.
#[must_use = "nothing is made before it is awaited"]
pub struct Clipping {
    input: String,
    cx: Context,
    stages: PipelineBuilder,
    config: PipelineConfig,
}

impl Clipping {
    /// Sets the folder for the clips, which is used if no [`publisher`](Clipping::publisher) is
    /// set. Default: `clips`.
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.config.publishers = vec![PublisherConfig::Folder(Folder::new(folder))];
        self
    }

    /// Sets the file of an existing transcript, which is used if no
    /// [`transcriber`](Clipping::transcriber) is set.
    pub fn transcript(mut self, file: impl Into<PathBuf>) -> Self {
        self.config.transcriber = TranscriberConfig::Captions(Captions::file(file));
        self
    }

    /// Sets the options: which clips are made, and how many.
    pub fn options(mut self, options: ClipOptions) -> Self {
        self.config.options = options;
        self
    }

    /// Sets the context: its listener receives the events, and cancelling it ends the run.
    pub fn under(mut self, cx: &Context) -> Self {
        self.cx = cx.clone();
        self
    }

    /// Replaces the source.
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.stages = self.stages.source(source);
        self
    }

    /// Replaces the transcriber.
    pub fn transcriber(mut self, transcriber: impl Transcriber + 'static) -> Self {
        self.stages = self.stages.transcriber(transcriber);
        self
    }

    /// Replaces the scorer.
    pub fn scorer(mut self, scorer: impl Scorer + 'static) -> Self {
        self.stages = self.stages.scorer(scorer);
        self
    }

    /// Replaces the tracker.
    pub fn tracker(mut self, tracker: impl FaceTracker + 'static) -> Self {
        self.stages = self.stages.tracker(tracker);
        self
    }

    /// Replaces the renderer.
    pub fn renderer(mut self, renderer: impl Renderer + 'static) -> Self {
        self.stages = self.stages.renderer(renderer);
        self
    }

    /// Adds a publisher, instead of the folder. If several are added, every clip goes to each of
    /// them.
    pub fn publisher(mut self, publisher: impl Publisher + 'static) -> Self {
        self.stages = self.stages.publisher(publisher);
        self
    }
}

impl IntoFuture for Clipping {
    type Output = Result<Manifest>;
    type IntoFuture = BoxFuture<'static, Result<Manifest>>;

    fn into_future(self) -> Self::IntoFuture {
        let Clipping { input, cx, stages, config } = self;
        async move { stages.complete(&cx, &config).await?.run_with(&cx, &input).await }.boxed()
    }
}

impl fmt::Debug for Clipping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clipping").field("input", &self.input).field("config", &self.config).finish_non_exhaustive()
    }
}
