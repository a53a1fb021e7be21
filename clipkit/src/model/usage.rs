use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Stage;

/// What a stage asked of one paid model, and what that cost. Stages report it with [`Context::spend`](crate::Context::spend).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Usage {
    /// The stage that asked; set by [`Context::spend`](crate::Context::spend) where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The model's name, as the server was asked for it.
    pub model: String,
    /// How many requests were answered, or may have been.
    pub requests: u64,
    /// Tokens that were read.
    pub prompt_tokens: u64,
    /// Tokens that were written.
    pub completion_tokens: u64,
    /// Sound that was listened to, in seconds.
    pub audio_seconds: f64,
    /// Whether some of the tokens are estimated, since the server did not count them. Estimates are rather too high than too low.
    pub estimated: bool,
    /// What it cost in US dollars, by the price given, else by those of OpenAI's own models as third parties quoted them in June 2026; none where
    /// there is no price. It is no invoice.
    pub cost_usd: Option<f64>,
}

impl Usage {
    /// Adds what was asked of the same model. A cost that is known for one part alone is not known.
    pub(crate) fn add(&mut self, more: &Usage) {
        self.requests = self.requests.saturating_add(more.requests);
        self.prompt_tokens = self.prompt_tokens.saturating_add(more.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(more.completion_tokens);
        self.audio_seconds += more.audio_seconds;
        self.estimated |= more.estimated;
        self.cost_usd = self.cost_usd.zip(more.cost_usd).map(|(cost, more)| cost + more);
    }
}
