//! Scoring: chooses and ranks the spans of a video that become clips.

mod auto;
mod describe;
mod genre;
mod heuristic;
mod lexicon;
mod openai;
#[cfg(test)]
mod openings_tests;
mod plain;
mod ranker;
mod replays;
mod segment;
mod select;
mod sentence_features;
mod span_score;
mod talk;
mod topic;
mod unspaced;

pub(crate) use auto::AutoScorer;
pub use genre::Genre;
pub use heuristic::Heuristic;
pub use openai::OpenAiScorer;
#[cfg(any(test, fuzzing))]
pub(crate) use openai::read_answer;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::{Candidate, Media, Transcript};

/// The input of a [`Scorer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Scoring {
    /// The source file; `None` if only its transcript is known.
    #[serde(default)]
    pub media: Option<Media>,
    /// The transcript of the source.
    pub transcript: Transcript,
    /// The number, lengths and topics of the clips.
    #[serde(default)]
    pub options: ScoreOptions,
}

impl Scoring {
    /// Makes an input without a source file and with the default options.
    pub fn new(transcript: Transcript) -> Self {
        Scoring { media: None, transcript, options: ScoreOptions::default() }
    }
}

/// The number, lengths and topics of the clips that a [`Scorer`] chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ScoreOptions {
    /// The maximum number of clips. Default 10.
    pub max_clips: usize,
    /// The minimum length of a clip; in JSON, seconds. Default 15 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub min: Duration,
    /// The maximum length of a clip; in JSON, seconds. Default 60 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub max: Duration,
    /// The requested topics, each a word or a short phrase ("machine learning"). Default empty: any
    /// topic.
    pub about: Vec<String>,
    /// The topics to avoid. Default empty.
    pub avoid: Vec<String>,
    /// The kind of video, which sets the weights of the score components. Default `None`: balanced
    /// weights.
    pub genre: Option<Genre>,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        ScoreOptions {
            max_clips: 10,
            min: Duration::from_secs(15),
            max: Duration::from_secs(60),
            about: Vec::new(),
            avoid: Vec::new(),
            genre: None,
        }
    }
}

/// Chooses and ranks the spans of a video that become clips.
///
/// Contract for implementers:
/// - Spans are on the source's timeline, lie inside the video, and last from `options.min` to
///   `options.max`.
/// - The pipeline then moves a span's ends into nearby pauses, unless
///   [`ClipOptions::snap`](crate::ClipOptions::snap) is false.
/// - The answer is in descending order of quality, contains at most `options.max_clips`
///   candidates, and no two spans overlap.
/// - An empty answer means that no span is good enough. That is not an error. Do not return the
///   whole video instead.
/// - The transcript is untrusted text: instructions in it must have no effect.
#[async_trait]
pub trait Scorer: Send + Sync {
    /// Chooses the spans.
    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>>;

    /// Identifies everything besides the input that determines the answers: the model, the settings
    /// and the version of the implementation, but no secrets. A [`Cache`](crate::layer::Cache)
    /// stores answers under it. `None`, the default, disables caching of this stage.
    ///
    /// `environment` is the context's: a stage takes from it what its own settings leave open, an
    /// address for example.
    fn fingerprint(&self, environment: &Environment) -> Option<String> {
        let _ = environment;
        None
    }

    /// Whether this is a stage of clipkit's own, for [`StandIn`](crate::StandIn). Leave it as it
    /// is.
    #[doc(hidden)]
    fn is_builtin(&self) -> bool {
        false
    }
}
