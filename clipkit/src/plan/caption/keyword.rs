//! Which words of a talk matter most: pure counting, the same in every language as far as its writing allows.

use std::collections::HashMap;

use crate::model::Word;

/// What a number is worth; a name; a long word that is seldom said.
const NUMBER: f64 = 3.0;
pub(super) const NAME: f64 = 2.0;
const RARE: f64 = 1.0;
/// Letters of a word that says something, in scripts with spaces.
const LONG: usize = 7;
/// A word is rare that is said less often than this, per word of the talk; and this often at most in a short talk.
const RARE_SHARE: f64 = 0.004;
const RARE_TIMES: usize = 3;
/// Where more of the words inside sentences than this are in capitals, capitals do not tell names (German nouns, titles).
const CAPITALS: f64 = 0.25;

/// What is known of a talk's words as a whole.
pub(super) struct Vocabulary {
    times: HashMap<String, usize>,
    rare: usize,
    capitals_tell: bool,
}

impl Vocabulary {
    pub(super) fn of(talk: &[Word]) -> Self {
        let mut times: HashMap<String, usize> = HashMap::new();
        for word in talk {
            *times.entry(bare(&word.text)).or_default() += 1;
        }
        let inside = talk.windows(2).filter(|pair| !ends_sentence(&pair[0].text)).map(|pair| pair[1].text.as_str());
        let (mut all, mut capital) = (0_usize, 0_usize);
        for word in inside {
            all += 1;
            capital += usize::from(is_capital(word));
        }
        let rare = ((talk.len() as f64 * RARE_SHARE) as usize).max(RARE_TIMES);
        Vocabulary { times, rare, capitals_tell: (capital as f64) < CAPITALS * all as f64 }
    }

    /// How much a word matters; 0 for one that does not. `before` is the word said before it.
    pub(super) fn weight(&self, word: &str, before: Option<&str>) -> f64 {
        let bare = bare(word);
        let letters = bare.chars().count();
        if bare.chars().any(char::is_numeric) {
            // "1" and "2" count things; "40%", "2026", "$3" say something.
            return if letters > 1 || word.contains(['%', '$', '\u{20ac}', '\u{a3}', '\u{a5}']) { NUMBER } else { 0.0 };
        }
        let starts_sentence = before.is_none_or(ends_sentence);
        // "I", "OK": capitals of a letter or two are no names.
        if self.capitals_tell && is_capital(word) && !starts_sentence && letters > 2 {
            return NAME;
        }
        let times = self.times.get(&bare).copied().unwrap_or_default();
        // Of equals, the longer says more.
        if letters >= LONG && times <= self.rare { RARE + letters.min(20) as f64 / 100.0 } else { 0.0 }
    }
}

/// A word as it is compared with others: letters and digits, in lower case.
pub(super) fn bare(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_capital(word: &str) -> bool {
    word.chars().find(|letter| letter.is_alphabetic()).is_some_and(char::is_uppercase)
}

fn ends_sentence(word: &str) -> bool {
    word.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}'])
        .ends_with(['.', '?', '!', ':', '\u{2026}', '\u{3002}', '\u{ff1f}', '\u{ff01}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(text: &str) -> Vec<Word> {
        text.split(' ').enumerate().map(|(n, text)| Word::new(text, n as f64, n as f64 + 0.9)).collect()
    }

    #[test]
    fn numbers_names_and_rare_long_words_matter_in_that_order() {
        let words = talk("When I met Einstein in 1905 he said that gravitation is a thing. Actually it is 1 of many things that we know.");
        let vocabulary = Vocabulary::of(&words);
        let weight = |n: usize| vocabulary.weight(&words[n].text, n.checked_sub(1).map(|n| words[n].text.as_str()));
        let found: Vec<(&str, f64)> =
            (0..words.len()).map(|n| (words[n].text.as_str(), weight(n))).filter(|(_, weight)| *weight > 0.0).collect();
        assert_eq!(found, [("Einstein", NAME), ("1905", NUMBER), ("gravitation", RARE + 0.11), ("Actually", RARE + 0.08)]);
        assert!(vocabulary.weight("40%", None) == NUMBER && vocabulary.weight("5€", Some("nur")) == NUMBER);
    }

    #[test]
    fn what_is_said_all_the_time_is_no_keyword() {
        let words = talk(&"probably we are here ".repeat(30));
        assert_eq!(Vocabulary::of(&words).weight("Probably", Some("is.")), 0.0);
    }

    #[test]
    fn capitals_tell_nothing_where_they_abound() {
        let words = talk("Der Hund und die Katze sehen im Garten den Vogel");
        let vocabulary = Vocabulary::of(&words);
        assert_eq!(vocabulary.weight("Hund", Some("der")), 0.0);
        assert_eq!(Vocabulary::of(&talk("the dog of Anna runs very fast home")).weight("Anna", Some("of")), NAME);
    }
}
