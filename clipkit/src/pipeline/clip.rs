//! The whole in one call.

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

/// Makes clips of a video, in one call: what is not said is as in [`PipelineConfig::default`]. Nothing happens before it is awaited.
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
/// The same is `clipkit.clip(...)` in Python and `clip(...)` in Node. For several videos, make a [`Pipeline`] once and run it for each.
pub fn clip(input: impl Into<String>) -> Clipping {
    Clipping { input: input.into(), cx: Context::new(), stages: Pipeline::builder(), config: PipelineConfig::default() }
}

/// What [`clip`] will do. Awaited, it answers as [`Pipeline::run`] does.
#[must_use = "nothing is made before it is awaited"]
pub struct Clipping {
    input: String,
    cx: Context,
    stages: PipelineBuilder,
    config: PipelineConfig,
}

impl Clipping {
    /// The folder that clips land in, unless there is a [`publisher`](Clipping::publisher). Default `clips`.
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.config.publishers = vec![PublisherConfig::Folder(Folder::new(folder))];
        self
    }

    /// The file of a transcript that exists already, unless there is a [`transcriber`](Clipping::transcriber).
    pub fn transcript(mut self, file: impl Into<PathBuf>) -> Self {
        self.config.transcriber = TranscriberConfig::Captions(Captions::file(file));
        self
    }

    /// What clips are made, and how many.
    pub fn options(mut self, options: ClipOptions) -> Self {
        self.config.options = options;
        self
    }

    /// Under this context: its listener hears of what happens, and cancelling it ends the work.
    pub fn under(mut self, cx: &Context) -> Self {
        self.cx = cx.clone();
        self
    }

    /// Another source.
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.stages = self.stages.source(source);
        self
    }

    /// Another transcriber.
    pub fn transcriber(mut self, transcriber: impl Transcriber + 'static) -> Self {
        self.stages = self.stages.transcriber(transcriber);
        self
    }

    /// Another scorer.
    pub fn scorer(mut self, scorer: impl Scorer + 'static) -> Self {
        self.stages = self.stages.scorer(scorer);
        self
    }

    /// Another tracker.
    pub fn tracker(mut self, tracker: impl FaceTracker + 'static) -> Self {
        self.stages = self.stages.tracker(tracker);
        self
    }

    /// Another renderer.
    pub fn renderer(mut self, renderer: impl Renderer + 'static) -> Self {
        self.stages = self.stages.renderer(renderer);
        self
    }

    /// Another publisher, in place of the folder. Called several times, clips go to each of them.
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
