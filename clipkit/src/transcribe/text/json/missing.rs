//! Words that stand in a text and are missing in its list of words with times.

use super::Piece;
use crate::transcribe::punctuate::bare;
use crate::transcribe::words::count_words;

/// Adds the words of `text` that a list lacks, without times. Returns the list and how many words
/// of the text it still lacks: where the list has words that the text does not have, nothing is
/// added, since both may spell the same words.
pub(super) fn with_missing(listed: Vec<Piece>, text: &str) -> (Vec<Piece>, usize) {
    let said: Vec<&str> = listed.iter().map(|piece| piece.text.as_str()).collect();
    let lacking = lacking(&said, text);
    if lacking == 0 {
        return (listed, 0);
    }
    let mut rest = listed.iter().peekable();
    let mut all = Vec::with_capacity(listed.len() + lacking);
    for token in text.split_whitespace().filter(|token| !bare(token).is_empty()) {
        // Marks on their own belong to no token.
        while let Some(mark) = rest.next_if(|piece| bare(&piece.text).is_empty()) {
            all.push(mark.clone());
        }
        match rest.next_if(|piece| bare(&piece.text) == bare(token)) {
            Some(piece) => all.push(piece.clone()),
            None => all.push(Piece { text: token.to_owned(), start: None, end: None, speaker: None, is_event: false }),
        }
    }
    if rest.all(|piece| bare(&piece.text).is_empty()) { (all, 0) } else { (listed, lacking) }
}

/// How many words of `text` are not among the `said` texts, by their numbers of words and letters.
/// Words alone do not tell: scripts without spaces are divided by what stands around.
pub(super) fn lacking(said: &[&str], text: &str) -> usize {
    let letters = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).count();
    if letters(text) <= said.iter().map(|said| letters(said)).sum::<usize>() {
        return 0;
    }
    count_words(text).saturating_sub(said.iter().map(|said| count_words(said)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn of(listed: &[&str], text: &str) -> (Vec<String>, usize) {
        let piece = |(n, text): (usize, &&str)| Piece {
            text: (*text).to_owned(),
            start: Some(Timestamp::from_secs(n as f64)),
            end: None,
            speaker: None,
            is_event: false,
        };
        let (all, lacking) = with_missing(listed.iter().enumerate().map(piece).collect(), text);
        let shown = |piece: &Piece| format!("{}{}", piece.text, piece.start.map_or("?".into(), |at| at.secs().to_string()));
        (all.iter().map(shown).collect(), lacking)
    }

    #[test]
    fn a_list_gets_the_words_that_only_the_text_has() {
        assert_eq!(of(&["we", "won"], "In 1999, we won."), (vec!["In?".into(), "1999,?".into(), "we0".into(), "won1".into()], 0));
        assert_eq!(of(&["we", "won"], "We won!"), (vec!["we0".into(), "won1".into()], 0));
        // The list spells a number that the text has in digits.
        assert_eq!(of(&["we", "won", "two"], "we won 2 prizes then").1, 2);
        assert_eq!(of(&["今日", "は"], "今日は"), (vec!["今日0".into(), "は1".into()], 0));
    }
}
