//! Finds the keywords of a transcript by counting, without language-specific word lists.

use std::collections::HashMap;

use crate::model::{Word, script};

/// The weights of a number, a name, and a long rare word.
const NUMBER: f64 = 3.0;
pub(super) const NAME: f64 = 2.0;
const RARE: f64 = 1.0;
/// The minimum letters of a long word, in scripts with spaces.
const MIN_LETTERS: usize = 7;
/// A word is rare if its share of the transcript's words is at most this, or its count at most
/// `RARE_COUNT` in short transcripts.
const RARE_SHARE: f64 = 0.004;
const RARE_COUNT: usize = 3;

/// Word statistics of a transcript.
pub(crate) struct Vocabulary {
    times: HashMap<String, usize>,
    rare: usize,
    capitals_mark_names: bool,
}

impl Vocabulary {
    pub(crate) fn of(transcript: &[Word]) -> Self {
        let mut times: HashMap<String, usize> = HashMap::new();
        for word in transcript {
            *times.entry(normalized(&word.text)).or_default() += 1;
        }
        let rare = ((transcript.len() as f64 * RARE_SHARE) as usize).max(RARE_COUNT);
        Vocabulary { times, rare, capitals_mark_names: script::capitals_mark_names(transcript.iter().map(|word| word.text.as_str())) }
    }

    /// The weight of a number that carries information, 0 for other words.
    pub(crate) fn number(&self, word: &str) -> f64 {
        if word.chars().any(char::is_numeric) { self.weight(word, None) } else { 0.0 }
    }

    /// The weight of a word, 0 if it is no keyword. `before` is the previous word.
    pub(crate) fn weight(&self, word: &str, before: Option<&str>) -> f64 {
        let normalized = normalized(word);
        let letters = normalized.chars().count();
        if normalized.chars().any(char::is_numeric) {
            // Small numbers such as "1" only count things; "40%", "2026" and "$3" carry
            // information.
            return if letters > 1 || word.contains(['%', '$', '\u{20ac}', '\u{a3}', '\u{a5}']) { NUMBER } else { 0.0 };
        }
        if self.capitals_mark_names && script::is_name(word, before) {
            return NAME;
        }
        let times = self.times.get(&normalized).copied().unwrap_or_default();
        // Longer words have slightly higher weights.
        if letters >= MIN_LETTERS && times <= self.rare { RARE + letters.min(20) as f64 / 100.0 } else { 0.0 }
    }
}

/// A word in its form for comparison: letters and digits in lower case.
pub(crate) fn normalized(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(text: &str) -> Vec<Word> {
        text.split(' ').enumerate().map(|(n, text)| Word::new(text, n as f64, n as f64 + 0.9)).collect()
    }

    #[test]
    fn numbers_outweigh_names_and_names_outweigh_rare_words() {
        let words =
            transcript("When I met Einstein in 1905 he said that gravitation is a thing. Actually it is 1 of many things that we know.");
        let vocabulary = Vocabulary::of(&words);
        let weight = |n: usize| vocabulary.weight(&words[n].text, n.checked_sub(1).map(|n| words[n].text.as_str()));
        let found: Vec<(&str, f64)> =
            (0..words.len()).map(|n| (words[n].text.as_str(), weight(n))).filter(|(_, weight)| *weight > 0.0).collect();
        assert_eq!(found, [("Einstein", NAME), ("1905", NUMBER), ("gravitation", RARE + 0.11), ("Actually", RARE + 0.08)]);
        assert!(vocabulary.weight("40%", None) == NUMBER && vocabulary.weight("5€", Some("nur")) == NUMBER);
    }

    #[test]
    fn frequent_words_are_no_keywords() {
        let words = transcript(&"probably we are here ".repeat(30));
        assert_eq!(Vocabulary::of(&words).weight("Probably", Some("is.")), 0.0);
    }

    #[test]
    fn frequent_capitals_do_not_mark_names() {
        let words = transcript("Der Hund und die Katze sehen im Garten den Vogel");
        let vocabulary = Vocabulary::of(&words);
        assert_eq!(vocabulary.weight("Hund", Some("der")), 0.0);
        assert_eq!(Vocabulary::of(&transcript("the dog of Anna runs very fast home")).weight("Anna", Some("of")), NAME);
    }
}
