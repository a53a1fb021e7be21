//! Greedy decoding of CTC output (connectionist temporal classification, Graves et al. 2006). Pure.

use std::collections::BTreeMap;

use crate::model::{Timestamp, Word};

/// The letters that the columns of a model's output stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CtcVocabulary {
    letters: Vec<String>,
    blank: usize,
}

/// Tokenizers' names of the CTC blank.
const BLANKS: [&str; 4] = ["<pad>", "[PAD]", "<blank>", "<blk>"];
/// Tokenizers' names of the space between words.
const SPACES: [&str; 2] = ["|", " "];

impl CtcVocabulary {
    /// Reads a tokenizer's `vocab.json`, which maps letters to columns. The error says what is
    /// wrong.
    pub(super) fn from_json(text: &str) -> Result<Self, String> {
        let columns: BTreeMap<String, usize> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let blank = BLANKS.iter().find_map(|name| columns.get(*name).copied()).ok_or("it has no blank token, such as <pad>")?;
        if !SPACES.iter().any(|name| columns.contains_key(*name)) {
            return Err("it has no word separator, such as |".into());
        }
        let mut letters = vec![String::new(); columns.len()];
        for (letter, column) in columns {
            let place = letters.get_mut(column).ok_or_else(|| format!("column {column} of {letter:?} is out of range"))?;
            *place = letter;
        }
        Ok(CtcVocabulary { letters, blank })
    }

    /// The number of columns that a model's output must have.
    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// Decodes `scores`, which holds rows of [`len`](CtcVocabulary::len) numbers. A row covers
    /// `step` seconds.
    pub(super) fn words(&self, scores: &[f32], step: f64) -> Vec<Word> {
        let mut words = Vec::new();
        let mut open: Option<(String, usize, usize)> = None;
        let mut before = self.blank;
        let mut close = |open: &mut Option<(String, usize, usize)>| {
            if let Some((text, first, last)) = open.take() {
                let at = |row: usize| Timestamp::from_secs(row as f64 * step);
                words.push(Word { text, start: at(first), end: at(last + 1), speaker: None });
            }
        };
        for (row, scores) in scores.chunks_exact(self.len().max(1)).enumerate() {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(self.blank, |(column, _)| column);
            let letter = self.letters.get(best).map_or("", String::as_str);
            if SPACES.contains(&letter) {
                close(&mut open);
            } else if best != self.blank && !is_special(letter) {
                match &mut open {
                    // A repeated letter without a blank between is one letter.
                    Some((_, _, last)) if best == before => *last = row,
                    Some((text, _, last)) => {
                        text.push_str(&letter.to_lowercase());
                        *last = row;
                    }
                    None => open = Some((letter.to_lowercase(), row, row)),
                }
            }
            before = best;
        }
        close(&mut open);
        words
    }
}

/// Whether a token is a marker and not a letter: `<s>`, `</s>`, `<unk>`, `[UNK]`.
fn is_special(letter: &str) -> bool {
    letter.len() > 1 && (letter.starts_with('<') || letter.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_collapse_and_blanks_separate_double_letters() {
        let vocabulary = CtcVocabulary::from_json(r#"{"<pad>": 0, "<unk>": 1, "|": 2, "A": 3, "L": 4}"#).unwrap();
        let best = [0, 3, 3, 4, 0, 4, 4, 1, 2, 2, 0, 3, 0];
        let scores: Vec<f32> = best.iter().flat_map(|best| (0..5).map(move |column| if column == *best { 1.0 } else { 0.0 })).collect();
        let words = vocabulary.words(&scores, 0.02);
        let shown: Vec<(&str, f64, f64)> = words.iter().map(|word| (word.text.as_str(), word.start.secs(), word.end.secs())).collect();
        assert_eq!(shown, [("all", 0.02, 0.14), ("a", 0.22, 0.24)]);
        assert!(vocabulary.words(&[], 0.02).is_empty());
    }

    #[test]
    fn an_invalid_vocabulary_is_an_error() {
        for text in ["[]", "{}", r#"{"<pad>": 0, "A": 1}"#, r#"{"<pad>": 0, "|": 9}"#] {
            assert!(CtcVocabulary::from_json(text).is_err(), "{text}");
        }
    }
}
