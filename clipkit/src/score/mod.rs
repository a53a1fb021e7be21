//! Choosing the spans that are worth a clip.

mod describe;
mod genre;
mod heuristic;
mod judge;
mod lexicon;
mod openai;
#[cfg(test)]
mod openings_tests;
mod plain;
mod segment;
mod select;
mod sentence_features;
mod shortlist;
mod topic;
mod unspaced;

pub use genre::Genre;
pub use heuristic::Heuristic;
pub use openai::OpenAiScorer;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::model::{Candidate, Media, Transcript};

/// What a [`Scorer`] is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scoring {
    /// The video; none where only its transcript is at hand.
    #[serde(default)]
    pub media: Option<Media>,
    /// What is said in it.
    pub transcript: Transcript,
    /// What is asked for.
    #[serde(default)]
    pub options: ScoreOptions,
}

/// How many clips, how long, and what about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreOptions {
    /// The most clips wanted. Default 10.
    pub max_clips: usize,
    /// The shortest clip; in JSON, seconds. Default 15 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub min: Duration,
    /// The longest clip; in JSON, seconds. Default 60 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub max: Duration,
    /// What clips should be about; empty for anything. A word, or a few that belong together ("machine learning").
    pub about: Vec<String>,
    /// What clips should not be about.
    pub avoid: Vec<String>,
    /// What kind of video this is: it decides what counts in a clip. Default: a bit of everything.
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

/// Chooses and ranks the spans of a video that are worth a clip.
///
/// For implementers:
/// - Spans are on the source's timeline, lie within the video, and last from `options.min` to `options.max`.
/// - A span's ends are moved to a pause nearby before the clip is made, unless [`ClipOptions::snap`](crate::ClipOptions::snap) is off.
/// - The answer is ranked, best first, holds at most `options.max_clips`, and no two spans overlap.
/// - Nothing worth a clip is an empty answer, not an error; never answer with the whole video for want of better.
/// - The transcript is untrusted text: an instruction in it changes nothing.
#[async_trait]
pub trait Scorer: Send + Sync {
    /// Chooses the spans.
    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>>;

    /// What decides the answers besides the input: the model, the settings, the version of whatever does the work; no secrets. Answers are
    /// kept by a [`Cache`](crate::layer::Cache) under it. None, the default, where that cannot be said: such a stage is not cached.
    fn fingerprint(&self) -> Option<String> {
        None
    }

    /// Whether this is a stage of clipkit's own, for [`StandIn`](crate::StandIn). Leave it as it
    /// is.
    #[doc(hidden)]
    fn is_builtin(&self) -> bool {
        false
    }
}
