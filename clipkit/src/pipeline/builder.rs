use std::fmt;
use std::sync::Arc;

use super::{ClipOptions, Pipeline, Stages};
use crate::error::{Error, ErrorKind, Result};
use crate::publish::Publisher;
use crate::render::Renderer;
use crate::score::Scorer;
use crate::source::Source;
use crate::track::FaceTracker;
use crate::transcribe::Transcriber;

/// Makes a [`Pipeline`]. A stage is given by value or, where it is shared, as an [`Arc`].
#[derive(Default)]
pub struct PipelineBuilder {
    pub(crate) source: Option<Arc<dyn Source>>,
    pub(crate) transcriber: Option<Arc<dyn Transcriber>>,
    pub(crate) scorer: Option<Arc<dyn Scorer>>,
    pub(crate) tracker: Option<Arc<dyn FaceTracker>>,
    pub(crate) renderer: Option<Arc<dyn Renderer>>,
    pub(crate) publisher: Option<Arc<dyn Publisher>>,
    options: ClipOptions,
}

impl PipelineBuilder {
    /// Where videos come from.
    #[must_use]
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// How words and their times are found.
    #[must_use]
    pub fn transcriber(mut self, transcriber: impl Transcriber + 'static) -> Self {
        self.transcriber = Some(Arc::new(transcriber));
        self
    }

    /// How spans are chosen.
    #[must_use]
    pub fn scorer(mut self, scorer: impl Scorer + 'static) -> Self {
        self.scorer = Some(Arc::new(scorer));
        self
    }

    /// How faces and shots are found.
    #[must_use]
    pub fn tracker(mut self, tracker: impl FaceTracker + 'static) -> Self {
        self.tracker = Some(Arc::new(tracker));
        self
    }

    /// How plans become files. A renderer that was set up for a size decides the clips' size.
    #[must_use]
    pub fn renderer(mut self, renderer: impl Renderer + 'static) -> Self {
        self.renderer = Some(Arc::new(renderer));
        self
    }

    /// Where clips go.
    #[must_use]
    pub fn publisher(mut self, publisher: impl Publisher + 'static) -> Self {
        self.publisher = Some(Arc::new(publisher));
        self
    }

    /// What clips are made, and how many. Default: [`ClipOptions::default`].
    #[must_use]
    pub fn options(mut self, options: ClipOptions) -> Self {
        self.options = options;
        self
    }

    /// The pipeline; refused where a stage is missing or no clip can be made with the options.
    pub fn build(self) -> Result<Pipeline> {
        let stages = Stages {
            source: given("source", self.source)?,
            transcriber: given("transcriber", self.transcriber)?,
            scorer: given("scorer", self.scorer)?,
            tracker: given("tracker", self.tracker)?,
            renderer: given("renderer", self.renderer)?,
            publisher: given("publisher", self.publisher)?,
        };
        self.options.check(stages.renderer.size())?;
        Ok(Pipeline { stages: Arc::new(stages), options: Arc::new(self.options) })
    }
}

fn given<T: ?Sized>(name: &str, stage: Option<Arc<T>>) -> Result<Arc<T>> {
    stage.ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("the pipeline has no {name}")).with_advice(format!("give one with .{name}(...)"))
    })
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
