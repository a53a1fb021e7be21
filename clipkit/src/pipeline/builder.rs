use std::fmt;
use std::sync::Arc;

use super::speech::SpeechMaps;
use super::{ClipOptions, Degrade, Pipeline, Stages};
use crate::error::{Error, ErrorKind, Result};
use crate::layer::Cache;
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
    pub(crate) publishers: Vec<Arc<dyn Publisher>>,
    options: ClipOptions,
    speech_cache: Option<Cache>,
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

    /// Where clips are published. Called several times, every clip goes to each of them.
    #[must_use]
    pub fn publisher(mut self, publisher: impl Publisher + 'static) -> Self {
        self.publishers.push(Arc::new(publisher));
        self
    }

    /// Where speech maps (where somebody speaks in a medium) are kept, so that steps in other
    /// processes need not decode the sound again. Default: nowhere but in memory.
    #[must_use]
    pub fn speech_cache(mut self, cache: Option<Cache>) -> Self {
        self.speech_cache = cache;
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
            publishers: self.publishers,
            speech: SpeechMaps::new(self.speech_cache.as_ref().map(Cache::build)),
        };
        self.speech_cache.as_ref().map_or(Ok(()), Cache::check)?;
        check_targets(&stages.publishers)?;
        self.options.check(stages.renderer.size())?;
        let degrade = self.options.degrade.unwrap_or(Degrade::NEVER);
        Ok(Pipeline { stages: Arc::new(stages), options: Arc::new(self.options), degrade })
    }
}

/// Refuses a pipeline without publishers, and two publishers with one target: a clip would be
/// published twice, or once, by chance.
fn check_targets(publishers: &[Arc<dyn Publisher>]) -> Result<()> {
    if publishers.is_empty() {
        return Err(missing("publisher"));
    }
    let mut seen = std::collections::HashSet::new();
    match publishers.iter().map(|publisher| publisher.target()).find(|target| !seen.insert(target.clone())) {
        Some(target) => Err(Error::new(ErrorKind::Config, format!("two publishers have the target {target}"))
            .with_advice("leave one out, or give each a target of its own (Publisher::target)")),
        None => Ok(()),
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the pipeline has no {name}")).with_advice(format!("give one with .{name}(...)"))
}

fn given<T: ?Sized>(name: &str, stage: Option<Arc<T>>) -> Result<Arc<T>> {
    stage.ok_or_else(|| missing(name))
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
