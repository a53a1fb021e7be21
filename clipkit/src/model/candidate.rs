use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

/// A span that could become a clip, with what speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// Where it is, on the source's timeline.
    pub span: Span,
    /// How good it is.
    pub score: Score,
    /// A short title.
    pub title: String,
    /// Why it was chosen, in a sentence.
    pub reason: String,
    /// A line that makes people stay, to be shown over the first seconds. None where nobody wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
}

impl Candidate {
    /// A span with its score, title and reason, and no hook line.
    pub fn new(span: Span, score: Score, title: impl Into<String>, reason: impl Into<String>) -> Self {
        Candidate { span, score, title: title.into(), reason: reason.into(), hook_line: None }
    }
}

/// How good a span is as a clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The whole: 0 to 100. Clips are ranked by it.
    pub total: f64,
    /// How strongly the first sentence catches: 0 to 10.
    pub hook: f64,
    /// How well it stands without what was said around it: 0 to 10.
    pub completeness: f64,
    /// How much is said in its time: 0 to 10.
    pub density: f64,
    /// How much feeling is in it: 0 to 10.
    pub emotion: f64,
}

impl Score {
    /// A score with a total alone, for scorers that judge the whole.
    pub fn of(total: f64) -> Self {
        Score { total, ..Score::default() }
    }
}
