use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Stage;

/// The use of one paid model by a stage, and its cost. Stages report it with
/// [`Context::spend`](crate::Context::spend).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Usage {
    /// The stage that used the model. [`Context::spend`](crate::Context::spend) replaces `None` by
    /// the context's stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The model's name in the requests.
    pub model: String,
    /// The number of requests that the server answered or may have answered.
    pub requests: u64,
    /// The number of input tokens.
    pub prompt_tokens: u64,
    /// The number of output tokens.
    pub completion_tokens: u64,
    /// The duration of the transcribed audio, in seconds.
    pub audio_seconds: f64,
    /// Whether some token counts are estimates, because the server did not report them. Estimates
    /// tend to be too high rather than too low.
    pub estimated: bool,
    /// The cost in US dollars, as an estimate and not an invoice. It uses the configured price,
    /// else the prices of OpenAI's models that third parties quoted in June 2026. `None` means that
    /// the price is not known.
    pub cost_usd: Option<f64>,
}

impl Usage {
    /// Makes a usage of a model by the context's stage, with all counts 0 and no known cost.
    pub fn new(model: impl Into<String>) -> Self {
        Usage { model: model.into(), ..Usage::default() }
    }

    /// Adds the use of the same model by the same stage. The sum's cost is `None` if one of the two
    /// costs is `None`.
    pub(crate) fn add(&mut self, more: &Usage) {
        self.requests = self.requests.saturating_add(more.requests);
        self.prompt_tokens = self.prompt_tokens.saturating_add(more.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(more.completion_tokens);
        self.audio_seconds += more.audio_seconds;
        self.estimated |= more.estimated;
        self.cost_usd = self.cost_usd.zip(more.cost_usd).map(|(cost, more)| cost + more);
    }
}
