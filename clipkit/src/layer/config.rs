use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::{Cache, Input};
use super::{Concurrency, Layer, RateLimit, Retry, Timeout};
use crate::error::{Error, ErrorKind, Result};

/// A layer by name, as it stands in JSON: `{"retry": {"attempts": 5}}`, `{"cache": {}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LayerConfig {
    /// Calls again what failed.
    Retry(Retry),
    /// Lets so many calls begin in a minute, in a day.
    RateLimit(RateLimit),
    /// Lets so many calls run at a time.
    Concurrency(Concurrency),
    /// Gives a call so long.
    Timeout(Timeout),
    /// Does the same work once. For transcribers, scorers and trackers.
    Cache(Cache),
}

/// Layers by name around a stage behind a pointer: what [`PipelineConfig`](crate::PipelineConfig) and programs in other languages use.
///
/// ```
/// use std::sync::Arc;
/// use clipkit::prelude::*;
///
/// let layers: Vec<LayerConfig> = serde_json::from_str(r#"[{"rate_limit": {"per_minute": 5}}, {"retry": {}}, {"cache": {}}]"#).unwrap();
/// let scorer: Arc<dyn Scorer> = Arc::new(OpenAiScorer::default());
/// let scorer = scorer.with_layers(&layers)?;
/// # let _: Arc<dyn Scorer> = scorer;
/// # Ok::<(), clipkit::Error>(())
/// ```
pub trait WithLayers: Sized {
    /// The stage inside these layers, the first of them next to it. They count, and hold places, for this stage alone.
    ///
    /// `ErrorKind::Config` where a setting is out of range, or the stage cannot be cached.
    fn with_layers(self, layers: &[LayerConfig]) -> Result<Self>;
}

impl LayerConfig {
    /// Refuses settings that no layer can have.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            LayerConfig::Retry(retry) => retry.check(),
            LayerConfig::RateLimit(limit) => limit.check(),
            LayerConfig::Concurrency(concurrency) => concurrency.check(),
            LayerConfig::Timeout(timeout) => timeout.check(),
            LayerConfig::Cache(cache) => cache.check(),
        }
    }

    /// The layer, for a stage whose answers are files or deeds.
    pub(super) fn around_files<I, O>(&self) -> Result<Arc<dyn Layer<I, O>>>
    where
        I: ?Sized + Sync,
        O: Send,
    {
        self.check()?;
        Ok(match self {
            LayerConfig::Retry(retry) => Arc::new(retry.clone()),
            LayerConfig::RateLimit(limit) => Arc::new(limit.anew()),
            LayerConfig::Concurrency(concurrency) => Arc::new(concurrency.anew()),
            LayerConfig::Timeout(timeout) => Arc::new(timeout.clone()),
            LayerConfig::Cache(_) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "only transcribers, scorers and trackers can be cached: others answer with files",
                )
                .with_advice("leave this cache out"));
            }
        })
    }

    /// The layer, for a request of a stage that makes many.
    pub(super) fn around_a_request<O: Send>(&self) -> Result<Arc<dyn Layer<(), O>>> {
        self.check_around_requests()?;
        Ok(match self {
            LayerConfig::RateLimit(limit) => Arc::new(limit.clone()),
            LayerConfig::Concurrency(concurrency) => Arc::new(concurrency.clone()),
            other => other.around_files()?,
        })
    }

    /// Refuses what cannot go around a request.
    pub(crate) fn check_around_requests(&self) -> Result<()> {
        match self {
            LayerConfig::Cache(_) => Err(Error::new(ErrorKind::Config, "requests are not cached one by one")
                .with_advice("put the cache around the stage, not among the server's layers")),
            other => other.check(),
        }
    }

    /// The layer, for a stage whose answers can be kept, with what the stage says of itself.
    pub(super) fn around_answers<I, O>(&self, fingerprint: Option<String>) -> Result<Arc<dyn Layer<I, O>>>
    where
        I: Input,
        O: Serialize + serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
    {
        match self {
            LayerConfig::Cache(cache) => {
                self.check()?;
                cache.fingerprint(fingerprint)?;
                Ok(Arc::new(cache.anew()))
            }
            other => other.around_files(),
        }
    }
}
