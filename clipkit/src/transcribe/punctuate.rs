//! Alignment of word times and text. Whisper's timed words lack punctuation, and its text lacks
//! times. Pure.

use crate::model::Word;

/// How many tokens ahead a word is searched for in the text.
const LOOKAHEAD: usize = 8;
/// The smallest share of words that must be found in the text; below it, the text is not used.
const MIN_MATCHED_SHARE: f64 = 0.6;

/// Gives timed words the spelling and punctuation of `text`. Words that are not found in it stay as
/// they are; if too few are found, all do.
pub(super) fn punctuate(words: Vec<Word>, text: &str) -> Vec<Word> {
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    let (mut at, mut matched) = (0, 0);
    let mut n = 0;
    while let Some(word) = words.get(n) {
        match find(&words[n..], &tokens[at..]) {
            Some((skipped, taken)) => {
                let token = tokens[at + skipped];
                let end = words[n + taken - 1].end;
                out.push(Word { text: token.to_owned(), end, ..word.clone() });
                at += skipped + 1;
                n += taken;
                matched += taken;
                // Punctuation on its own goes to the word before it, dashes excepted.
                while let Some(mark) = tokens.get(at).filter(|token| bare(token).is_empty()) {
                    if let Some(last) = out.last_mut().filter(|_| !mark.starts_with(['-', '\u{2013}', '\u{2014}'])) {
                        last.text.push_str(mark);
                    }
                    at += 1;
                }
            }
            None => {
                out.push(word.clone());
                n += 1;
            }
        }
    }
    if (matched as f64) < words.len() as f64 * MIN_MATCHED_SHARE { words } else { out }
}

/// Finds the token that equals the first word, or the first few words joined. Returns how many
/// tokens to skip and how many words the token covers.
fn find(words: &[Word], tokens: &[&str]) -> Option<(usize, usize)> {
    tokens.iter().take(LOOKAHEAD).enumerate().find_map(|(skipped, token)| {
        let wanted = bare(token);
        let mut joined = String::new();
        for (taken, word) in words.iter().take(4).enumerate() {
            joined.push_str(&bare(&word.text));
            if joined == wanted && !wanted.is_empty() {
                return Some((skipped, taken + 1));
            }
            if !wanted.starts_with(&joined) {
                break;
            }
        }
        None
    })
}

/// The letters and digits of `text`, in lower case.
pub(super) fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(text: &str) -> Vec<Word> {
        text.split_whitespace().enumerate().map(|(n, text)| Word::new(text, n as f64, n as f64 + 0.5)).collect()
    }

    fn texts(words: &[Word]) -> String {
        words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn punctuation_and_capitals_are_restored() {
        let words = timed("well known facts don t change do they no");
        let written = punctuate(words, "Well-known facts don't change, do they? No.");
        assert_eq!(texts(&written), "Well-known facts don't change, do they? No.");
        assert_eq!((written[0].start.secs(), written[0].end.secs()), (0.0, 1.5));
    }

    #[test]
    fn a_word_that_is_not_in_the_text_is_kept() {
        assert_eq!(texts(&punctuate(timed("so um this is it"), "So, this is it!")), "So, um this is it!");
        assert_eq!(texts(&punctuate(timed("one two three"), "Quite another text, about nothing.")), "one two three");
    }
}
