use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Span, Timestamp};

/// The spoken words and their times.
///
/// Words are in order of `start`. A word's end is not before its start and normally not after the
/// start of the next word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Transcript {
    /// The language as a BCP 47 tag (`en`). `None` means that the language is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The origin of the words, for people: a file's name or a model's name.
    #[serde(default)]
    pub origin: String,
    /// The words, on the source's timeline.
    pub words: Vec<Word>,
    /// The sounds that are not speech, in order of `start`: `[Music]`, `(applause)`. Captions leave
    /// them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SoundEvent>,
}

impl Transcript {
    /// Makes a transcript of words in order of `start`, without a language and an origin.
    pub fn new(words: Vec<Word>) -> Self {
        Transcript { words, ..Transcript::default() }
    }

    /// The words whose midpoint lies in `span`.
    pub fn words_in(&self, span: Span) -> &[Word] {
        let middle = |word: &Word| Timestamp::from_micros(word.start.micros() / 2 + word.end.micros() / 2);
        let from = self.words.partition_point(|word| middle(word) < span.start());
        let to = self.words.partition_point(|word| middle(word) < span.end());
        &self.words[from..to.max(from)]
    }
}

/// A spoken word with its punctuation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Word {
    /// The text with punctuation: `world.`
    pub text: String,
    /// When the word's sound starts.
    pub start: Timestamp,
    /// When the word's sound ends.
    pub end: Timestamp,
    /// The speaker's name or label. `None` means that the speaker is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
}

impl Word {
    /// Makes a word without a speaker. `start` and `end` are in seconds.
    pub fn new(text: impl Into<String>, start: f64, end: f64) -> Self {
        Word { text: text.into(), start: Timestamp::from_secs(start), end: Timestamp::from_secs(end), speaker: None }
    }
}

/// The stems of words for laughter in the descriptions of sounds.
const LAUGHTER: [&str; 11] = ["laugh", "chuckl", "giggl", "lach", "gelächter", "rire", "risa", "riso", "смех", "笑", "웃"];

/// A sound that a transcript describes: music, laughter, applause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SoundEvent {
    /// The description without brackets: `Music`.
    pub text: String,
    /// When the description is shown.
    pub span: Span,
}

impl SoundEvent {
    /// Makes an event of its description and the span in which it is shown.
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        SoundEvent { text: text.into(), span }
    }

    /// Whether the description says that somebody laughs, in one of a few languages.
    pub(crate) fn is_laughter(&self) -> bool {
        let text = self.text.to_lowercase();
        LAUGHTER.iter().any(|stem| text.contains(stem))
    }
}
