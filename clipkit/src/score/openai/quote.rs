//! Where a quote stands in what is said. Pure.

use std::ops::Range;

use crate::model::script;

/// The words of some sentences in the form in which they are compared.
pub(super) struct Words {
    /// Each word with the index of its sentence.
    words: Vec<(String, usize)>,
}

impl Words {
    /// The words of sentences, with their indexes.
    pub(super) fn of(sentences: impl IntoIterator<Item = (usize, String)>) -> Self {
        let words = sentences.into_iter().flat_map(|(n, text)| normalized(&text).into_iter().map(move |word| (word, n)));
        Words { words: words.collect() }
    }

    /// The sentences in which a quote stands, at each of its places. Empty if it is not said, or if
    /// it has no words.
    pub(super) fn places(&self, quote: &str) -> Vec<Range<usize>> {
        let quote = normalized(quote);
        let Some(longest) = quote.len().checked_sub(1) else { return Vec::new() };
        let stands_at = |from: &usize| self.words[*from..].iter().zip(&quote).all(|((said, _), quoted)| said == quoted);
        let starts = (0..self.words.len().saturating_sub(longest)).filter(stands_at);
        starts.map(|from| self.words[from].1..self.words[from + longest].1 + 1).collect()
    }
}

/// The words of a text: in lower case, without marks; each letter of a script without spaces is a
/// word. Apostrophes do not separate, since models write them in several ways or leave them out.
fn normalized(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    for letter in text.chars() {
        if letter.is_alphanumeric() && !script::is_unspaced(letter) {
            word.extend(letter.to_lowercase());
            continue;
        }
        if matches!(letter, '\'' | '\u{2019}' | '\u{2bc}') {
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            words.push(letter.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said() -> Words {
        Words::of(
            [(3, "I don't know."), (4, "Noon was never a fact,"), (5, "it was a treaty. It was."), (6, "時計はすべて嘘です。")]
                .map(|(n, text)| (n, text.to_owned())),
        )
    }

    #[test]
    fn quotes_are_found_by_their_words() {
        for (quote, expected) in [
            ("Noon was never a fact", vec![(4, 5)]),
            ("\u{201c}NOON was \u{2014} never a fact\u{201d}", vec![(4, 5)]),
            ("Noon was never a fact, it was a treaty.", vec![(4, 6)]),
            ("I don\u{2019}t know", vec![(3, 4)]),
            ("dont know", vec![(3, 4)]),
            ("it was", vec![(5, 6), (5, 6)]),
            ("すべて 嘘", vec![(6, 7)]),
            ("noo", vec![]),
            ("was noon", vec![]),
            ("It was. 時計 嘘", vec![]),
            ("", vec![]),
            ("...", vec![]),
        ] {
            let found: Vec<(usize, usize)> = said().places(quote).iter().map(|place| (place.start, place.end)).collect();
            assert_eq!(found, expected, "{quote}");
        }
        assert!(Words::of([]).places("noon").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_said_is_found_and_any_quote_is_inside(text in "[a-c' .あ]{0,30}", quote in "\\PC{0,12}") {
            let words = Words::of([(0, text.clone()), (1, "b c".to_owned())]);
            prop_assert!(words.places(&quote).iter().all(|place| place.start <= 1 && place.end <= 2 && !place.is_empty()));
            prop_assert!(normalized(&text).is_empty() || words.places(&text).contains(&(0..1)));
        }
    }
}
