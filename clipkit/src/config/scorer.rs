use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::or_a_cache;
use crate::error::Result;
use crate::layer::{LayerConfig, WithLayers};
use crate::score::{AutoScorer, Heuristic, OpenAiScorer, Scorer};

/// The kinds of scorers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ScorerConfig {
    /// The language model if a key or a server is configured, else the heuristic.
    #[default]
    Auto,
    /// Rules over the words: [`Heuristic`].
    Heuristic(Heuristic),
    /// A language model behind an API: [`OpenAiScorer`].
    Openai(OpenAiScorer),
}

impl ScorerConfig {
    /// Builds the scorer inside these layers. `None` means a cache around an API, and no layers
    /// around the heuristic.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Scorer>> {
        let model = |scorer: OpenAiScorer| -> Result<Arc<dyn Scorer>> {
            scorer.server.layers.iter().try_for_each(LayerConfig::check_around_requests)?;
            let scorer: Arc<dyn Scorer> = Arc::new(scorer);
            scorer.with_layers(&or_a_cache(layers))
        };
        let rules = |heuristic: Heuristic| {
            let heuristic: Arc<dyn Scorer> = Arc::new(heuristic);
            heuristic.with_layers(layers.unwrap_or_default())
        };
        match self {
            ScorerConfig::Auto => {
                let (model, heuristic) = (model(OpenAiScorer::default())?, rules(Heuristic::default())?);
                Ok(Arc::new(AutoScorer { model, heuristic }))
            }
            ScorerConfig::Openai(scorer) => model(scorer.clone()),
            ScorerConfig::Heuristic(heuristic) => rules(heuristic.clone()),
        }
    }
}
