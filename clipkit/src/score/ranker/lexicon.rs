//! Word lists, phrases and the valence of words, with each word of a transcript looked up once.

use std::collections::HashMap;

use super::model::Model;
use crate::model::Word;

/// The lists of the model, in the order of their bits in [`Entry::lists`].
pub(super) const LISTS: [&str; 36] = [
    "i", "we", "you", "he", "they", "it", "neg", "contrast", "super", "compar", "cause", "hedge", "filler", "said", "story", "modal",
    "must", "future", "insight", "stakes", "love", "money", "sex", "power", "tech", "swear", "intens", "qword", "show", "greet", "stop",
    "cert", "abstract", "time", "anaph", "imper",
];
/// The list of words that are numbers. It counts together with digits.
pub(super) const NUMBERS: &str = "numw";

/// What is known of a word.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    /// A bit for each of [`LISTS`].
    pub(super) lists: u64,
    pub(super) letters: usize,
    pub(super) number: bool,
    /// Whether it ends like a noun of an idea: -tion, -ness.
    pub(super) nominal: bool,
    pub(super) past: bool,
    pub(super) progressive: bool,
    pub(super) valence: f64,
    /// The learned weight of the word; `None` if it has none.
    pub(super) weight: Option<f64>,
}

/// The different words of a transcript, and which of them each word is.
pub(super) struct Vocabulary {
    pub(super) keys: Vec<String>,
    pub(super) entries: Vec<Entry>,
    /// For each word of the transcript, its number in `keys`; `None` if it has no letters.
    pub(super) numbers: Vec<Option<u32>>,
}

impl Vocabulary {
    pub(super) fn of(words: &[Word], model: &Model) -> Self {
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut found = Vocabulary { keys: Vec::new(), entries: Vec::new(), numbers: Vec::with_capacity(words.len()) };
        for word in words {
            let key = key(&word.text);
            if key.is_empty() {
                found.numbers.push(None);
                continue;
            }
            let next = found.keys.len() as u32;
            let number = *known.entry(key).or_insert_with_key(|key| {
                found.entries.push(entry(key, model));
                found.keys.push(key.clone());
                next
            });
            found.numbers.push(Some(number));
        }
        found
    }
}

fn entry(key: &str, model: &Model) -> Entry {
    const NOUN_ENDINGS: [&str; 8] = ["tion", "ment", "ness", "ance", "ence", "sion", "ity", "ism"];
    Entry {
        lists: model.lists.get(key).copied().unwrap_or_default(),
        letters: key.chars().count(),
        number: model.numbers.contains(key) || key.contains(|letter: char| letter.is_ascii_digit()),
        nominal: NOUN_ENDINGS.iter().any(|ending| key.ends_with(ending)),
        past: key.ends_with("ed"),
        progressive: key.ends_with("ing"),
        valence: model.valence.get(key).copied().unwrap_or_default(),
        weight: model.words.get(key).map(|weight| f64::from(*weight) * model.words_scale),
    }
}

/// A word in lower case, without marks except apostrophes and hyphens inside it.
fn key(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '\'' | '\u{2019}' | '-'))
        .map(|letter| if letter == '\u{2019}' { '\'' } else { letter })
        .collect();
    kept.trim_matches(['\'', '-']).to_lowercase()
}
