use std::fmt;
use std::sync::Arc;

use super::{ClipOptions, Degrade, Pipeline, Stages};
use crate::error::{Error, ErrorKind, Result};
use crate::layer::{Cache, CacheLayer};
use crate::publish::Publisher;
use crate::render::Renderer;
use crate::score::Scorer;
use crate::source::Source;
use crate::speech::SpeechMaps;
use crate::track::FaceTracker;
use crate::transcribe::Transcriber;

/// Builds a [`Pipeline`]. Stages are passed by value or, if shared, as an [`Arc`].
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
    /// Sets the source, which fetches videos.
    #[must_use]
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Sets the transcriber, which finds words and their times.
    #[must_use]
    pub fn transcriber(mut self, transcriber: impl Transcriber + 'static) -> Self {
        self.transcriber = Some(Arc::new(transcriber));
        self
    }

    /// Sets the scorer, which chooses spans.
    #[must_use]
    pub fn scorer(mut self, scorer: impl Scorer + 'static) -> Self {
        self.scorer = Some(Arc::new(scorer));
        self
    }

    /// Sets the tracker, which finds faces and shots.
    #[must_use]
    pub fn tracker(mut self, tracker: impl FaceTracker + 'static) -> Self {
        self.tracker = Some(Arc::new(tracker));
        self
    }

    /// Sets the renderer, which turns plans into files. If the renderer has a size, it is the size
    /// of the clips.
    #[must_use]
    pub fn renderer(mut self, renderer: impl Renderer + 'static) -> Self {
        self.renderer = Some(Arc::new(renderer));
        self
    }

    /// Adds a publisher. If several are added, every clip goes to each of them.
    #[must_use]
    pub fn publisher(mut self, publisher: impl Publisher + 'static) -> Self {
        self.publishers.push(Arc::new(publisher));
        self
    }

    /// Sets the cache for speech maps (the spans in which somebody speaks in a medium), so that
    /// steps in other processes do not decode the sound again. Default: memory only.
    #[must_use]
    pub fn speech_cache(mut self, cache: Option<Cache>) -> Self {
        self.speech_cache = cache;
        self
    }

    /// Sets the options: which clips are made, and how many. Default: [`ClipOptions::default`].
    #[must_use]
    pub fn options(mut self, options: ClipOptions) -> Self {
        self.options = options;
        self
    }

    /// Builds the pipeline.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a stage is missing, if two publishers have the same target, or if
    /// no clip can be made with the options.
    pub fn build(self) -> Result<Pipeline> {
        let stages = Stages {
            source: given("source", self.source)?,
            transcriber: given("transcriber", self.transcriber)?,
            scorer: given("scorer", self.scorer)?,
            tracker: given("tracker", self.tracker)?,
            renderer: given("renderer", self.renderer)?,
            publishers: self.publishers,
            speech: Arc::new(self.speech_cache.as_ref().map_or_else(SpeechMaps::default, |cache| speech_maps(cache.build()))),
        };
        self.speech_cache.as_ref().map_or(Ok(()), Cache::check)?;
        check_targets(&stages.publishers)?;
        self.options.check(stages.renderer.size())?;
        let degrade = self.options.degrade.unwrap_or(Degrade::NEVER);
        Ok(Pipeline { stages: Arc::new(stages), options: Arc::new(self.options), degrade })
    }
}

/// Rejects a pipeline without publishers, and two publishers with the same target, which would
/// publish a clip twice.
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

/// Speech maps that are kept in the store of a cache.
fn speech_maps(cache: CacheLayer) -> SpeechMaps {
    let cache = Arc::new(cache);
    SpeechMaps::kept_in(Box::new(move |cx| {
        let cache = cache.clone();
        Box::pin(async move { cache.store(&cx).await })
    }))
}
