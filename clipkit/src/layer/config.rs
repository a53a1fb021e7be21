use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::{Cache, CacheLayer, Input};
use super::{Concurrency, Layer, LimitLayer, RateLimit, Retry, Timeout};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Document;

/// A layer by name, as it is written in JSON: `{"retry": {"attempts": 5}}`, `{"cache": {}}`. Plain
/// data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LayerConfig {
    /// Calls again what failed.
    Retry(Retry),
    /// Limits how many calls begin in a minute, in a day.
    RateLimit(RateLimit),
    /// Limits how many calls run at a time.
    Concurrency(Concurrency),
    /// Limits how long a call may take.
    Timeout(Timeout),
    /// Does the same work once. For transcribers, scorers and trackers.
    Cache(Cache),
}

/// A layer that was built from a [`LayerConfig`], for any kind of stage. Clones share what the
/// layer counts and keeps.
#[derive(Clone, Debug)]
pub struct BuiltLayer(Built);

#[derive(Clone, Debug)]
enum Built {
    Retry(Retry),
    Timeout(Timeout),
    Limit(LimitLayer),
    Cache(CacheLayer),
}

/// Layers by name around a stage behind a pointer, for [`PipelineConfig`](crate::PipelineConfig)
/// and for programs in other languages.
///
/// ```
/// use std::sync::Arc;
/// use clipkit::prelude::*;
///
/// let json = r#"[{"rate_limit": {"per_minute": 5}}, {"retry": {}}, {"cache": {}}]"#;
/// let layers: Vec<LayerConfig> = serde_json::from_str(json).unwrap();
/// let scorer: Arc<dyn Scorer> = Arc::new(OpenAiScorer::default());
/// let scorer = scorer.with_layers(&layers)?;
/// # let _: Arc<dyn Scorer> = scorer;
/// # Ok::<(), clipkit::Error>(())
/// ```
pub trait WithLayers: Sized {
    /// Puts these layers around the stage, the first of them next to it. They are built for this
    /// stage alone.
    ///
    /// Fails with `ErrorKind::Config` if a setting is out of range, or if the stage cannot be
    /// cached.
    fn with_layers(self, layers: &[LayerConfig]) -> Result<Self> {
        layers.iter().try_fold(self, |stage, layer| stage.with_layer(&layer.build()?))
    }

    /// Puts a layer around the stage that may be shared with other stages.
    ///
    /// Fails with `ErrorKind::Config` if the layer is a cache and the stage cannot be cached.
    fn with_layer(self, layer: &BuiltLayer) -> Result<Self>;
}

impl LayerConfig {
    /// Builds the layer, with state of its own.
    ///
    /// Fails with `ErrorKind::Config` if a setting is out of range.
    pub fn build(&self) -> Result<BuiltLayer> {
        self.check()?;
        Ok(BuiltLayer(match self {
            LayerConfig::Retry(retry) => Built::Retry(retry.clone()),
            LayerConfig::RateLimit(limit) => Built::Limit(limit.build()),
            LayerConfig::Concurrency(concurrency) => Built::Limit(concurrency.build()),
            LayerConfig::Timeout(timeout) => Built::Timeout(timeout.clone()),
            LayerConfig::Cache(cache) => Built::Cache(cache.build()),
        }))
    }

    /// Refuses settings that are out of range.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            LayerConfig::Retry(retry) => retry.check(),
            LayerConfig::RateLimit(limit) => limit.check(),
            LayerConfig::Concurrency(concurrency) => concurrency.check(),
            LayerConfig::Timeout(timeout) => timeout.check(),
            LayerConfig::Cache(cache) => cache.check(),
        }
    }

    /// Refuses layers that cannot go around a request.
    pub(crate) fn check_around_requests(&self) -> Result<()> {
        match self {
            LayerConfig::Cache(_) => Err(Error::new(ErrorKind::Config, "requests are not cached one by one")
                .with_advice("put the cache around the stage, not among the server's layers")),
            other => other.check(),
        }
    }
}

impl BuiltLayer {
    /// The layer, for stages whose output cannot be cached, and for requests.
    pub(super) fn around_anything<I, O>(&self) -> Result<Arc<dyn Layer<I, O>>>
    where
        I: ?Sized + Sync,
        O: Send,
    {
        Ok(match &self.0 {
            Built::Retry(retry) => Arc::new(retry.clone()),
            Built::Timeout(timeout) => Arc::new(timeout.clone()),
            Built::Limit(limit) => Arc::new(limit.clone()),
            Built::Cache(_) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "only transcribers, scorers and trackers can be cached: others answer with files",
                )
                .with_advice("leave this cache out"));
            }
        })
    }

    /// The layer, for stages whose output can be cached; `fingerprint` is the stage's own.
    pub(super) fn around_documents<I, O>(&self, fingerprint: Option<String>) -> Result<Arc<dyn Layer<I, O>>>
    where
        I: Input,
        O: Document + Clone,
    {
        match &self.0 {
            Built::Cache(cache) => {
                cache.fingerprint(fingerprint)?;
                Ok(Arc::new(cache.clone()))
            }
            _ => self.around_anything(),
        }
    }
}
