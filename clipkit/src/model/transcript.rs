use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Span, Timestamp};

/// What was said, word by word.
///
/// Words stand in order of `start`; a word ends at or after its start, and normally before the next one starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transcript {
    /// BCP 47 tag (`en`), where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where the words come from, for people: a file's name, a model's name.
    #[serde(default)]
    pub origin: String,
    /// The words.
    pub words: Vec<Word>,
}

impl Transcript {
    /// The words that are said, wholly or mostly, inside `span`.
    pub fn words_in(&self, span: Span) -> &[Word] {
        let middle = |word: &Word| Timestamp::from_micros(word.start.micros() / 2 + word.end.micros() / 2);
        let from = self.words.partition_point(|word| middle(word) < span.start());
        let to = self.words.partition_point(|word| middle(word) < span.end());
        &self.words[from..to.max(from)]
    }
}

/// One spoken word, with the punctuation that is written with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Word {
    /// As written: `world.`
    pub text: String,
    /// When its sound starts.
    pub start: Timestamp,
    /// When its sound ends.
    pub end: Timestamp,
    /// Who says it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
}

impl Word {
    /// A word said from `start` to `end` seconds.
    pub fn new(text: impl Into<String>, start: f64, end: f64) -> Self {
        Word { text: text.into(), start: Timestamp::from_secs(start), end: Timestamp::from_secs(end), speaker: None }
    }
}
