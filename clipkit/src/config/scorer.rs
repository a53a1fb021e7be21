use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::or_a_cache;
use crate::error::Result;
use crate::layer::{LayerConfig, StageExt, WithLayers};
use crate::openai::OpenAiServer;
use crate::score::{Heuristic, OpenAiScorer, Scorer};

/// How spans are chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ScorerConfig {
    /// A language model where a key or a server is set, and the heuristic where it fails; else the heuristic.
    #[default]
    Auto,
    /// Rules over the words: [`Heuristic`].
    Heuristic,
    /// A language model behind an API, and the heuristic where it fails: [`OpenAiScorer`].
    Openai(OpenAiScorer),
}

impl ScorerConfig {
    /// The scorer inside these layers; none stands for a cache around an API, and for no layer around the heuristic.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Scorer>> {
        let judged = |scorer: OpenAiScorer| -> Result<Arc<dyn Scorer>> {
            scorer.server.layers.iter().try_for_each(LayerConfig::check_around_requests)?;
            let scorer: Arc<dyn Scorer> = Arc::new(scorer);
            Ok(Arc::new(scorer.with_layers(&or_a_cache(layers))?.or(Heuristic::default())))
        };
        match self {
            ScorerConfig::Auto if OpenAiServer::default().is_configured() => judged(OpenAiScorer::default()),
            ScorerConfig::Openai(scorer) => judged(scorer.clone()),
            ScorerConfig::Auto | ScorerConfig::Heuristic => {
                let heuristic: Arc<dyn Scorer> = Arc::new(Heuristic::default());
                heuristic.with_layers(layers.unwrap_or_default())
            }
        }
    }
}
