//! Greedy decoding of transducers: RNN-T (Graves 2012) and the token-and-duration transducer, TDT
//! (Xu et al. 2023). Pure.

use crate::model::{Timestamp, Word};

/// SentencePiece's mark at the start of a word.
const WORD_MARK: char = '\u{2581}';
const BLANK: &str = "<blk>";
/// The most tokens that one frame may emit, so that decoding ends. NeMo's default (`max_symbols`).
const MAX_TOKENS_PER_FRAME: usize = 10;

/// The word pieces that the columns of a model's output stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenVocabulary {
    pieces: Vec<String>,
    blank: usize,
}

impl TokenVocabulary {
    /// Reads a `vocab.txt`, which has a piece and its column on each line. The error says what is
    /// wrong.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        let mut pieces = vec![None; text.lines().count()];
        for line in text.lines() {
            let read = line.trim_end().rsplit_once(' ').and_then(|(piece, column)| Some((piece, column.parse::<usize>().ok()?)));
            let (piece, column) = read.ok_or_else(|| format!("{line:?} is not a piece and its column"))?;
            *pieces.get_mut(column).ok_or_else(|| format!("column {column} of {piece:?} is out of range"))? = Some(piece.to_owned());
        }
        let pieces: Vec<String> = pieces.into_iter().collect::<Option<_>>().ok_or("two pieces have the same column")?;
        let blank = pieces.iter().position(|piece| piece == BLANK).ok_or("it has no blank token, <blk>")?;
        Ok(TokenVocabulary { pieces, blank })
    }

    /// The number of columns that stand for a piece.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Joins emitted pieces to words. A frame covers `step` seconds.
    pub(super) fn words(&self, emissions: &[Emission], step: f64) -> Vec<Word> {
        let at = |frame: usize| Timestamp::from_secs(frame as f64 * step);
        let mut words: Vec<Word> = Vec::new();
        for (n, emission) in emissions.iter().enumerate() {
            let piece = self.pieces.get(emission.token).map_or("", String::as_str);
            // Markers such as <unk> and <|en|> are not text.
            if piece.len() > 1 && piece.starts_with('<') && piece.ends_with('>') {
                continue;
            }
            let text = piece.trim_start_matches(WORD_MARK);
            let next = emissions.get(n + 1).map_or(usize::MAX, |next| next.frame);
            let end = at((emission.frame + emission.frames.max(1)).min(next.max(emission.frame + 1)));
            match words.last_mut() {
                Some(word) if !piece.starts_with(WORD_MARK) => {
                    word.text.push_str(text);
                    // Punctuation has no sound: the word ends before it.
                    if text.chars().any(char::is_alphanumeric) {
                        word.end = end;
                    }
                }
                _ => words.push(Word { text: text.to_owned(), start: at(emission.frame), end, speaker: None }),
            }
        }
        words.retain(|word| !word.text.is_empty());
        words
    }
}

/// An emitted piece, the frame in which it starts, and its length in frames (0 if the model
/// predicts no durations).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Emission {
    token: usize,
    frame: usize,
    frames: usize,
}

/// Decodes `frames` frames from the predictor state `start`.
///
/// `joint` takes a frame, the last emitted token (at first the blank) and the predictor's state. It
/// returns scores and the next state. The scores are one for each of the `tokens`, then, for a
/// model that predicts durations, one for each duration of 0, 1, 2, ... frames.
pub(super) fn decode<S, E>(
    tokens: &TokenVocabulary,
    frames: usize,
    start: S,
    mut joint: impl FnMut(usize, usize, &S) -> Result<(Vec<f32>, S), E>,
) -> Result<Vec<Emission>, E> {
    let mut emissions = Vec::new();
    let (mut state, mut before, mut frame, mut here) = (start, tokens.blank, 0, 0);
    while frame < frames {
        let (scores, after) = joint(frame, before, &state)?;
        let (pieces, durations) = scores.split_at(tokens.len().min(scores.len()));
        let (token, skip) = (best(pieces).unwrap_or(tokens.blank), best(durations).unwrap_or(0));
        if token != tokens.blank {
            emissions.push(Emission { token, frame, frames: skip });
            (state, before) = (after, token);
            here += 1;
        }
        if skip > 0 {
            (frame, here) = (frame + skip, 0);
        } else if token == tokens.blank || here == MAX_TOKENS_PER_FRAME {
            (frame, here) = (frame + 1, 0);
        }
    }
    Ok(emissions)
}

/// The index of the highest score.
fn best(scores: &[f32]) -> Option<usize> {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(column, _)| column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn tokens() -> TokenVocabulary {
        TokenVocabulary::from_text("<unk> 0\n\u{2581}he 1\nllo 2\n. 3\n\u{2581}you 4\n<blk> 5\n").unwrap()
    }

    /// Scores whose maxima are the given piece and duration.
    fn scores(token: usize, duration: Option<usize>) -> Vec<f32> {
        let one = |chosen: usize, count: usize| (0..count).map(move |n| if n == chosen { 1.0 } else { 0.0 });
        one(token, 6).chain(duration.into_iter().flat_map(|duration| one(duration, 5))).collect()
    }

    #[test]
    fn pieces_become_words_with_times() {
        // ((frame, number of emitted pieces), (token, duration))
        let script = [((2, 0), (1, 2)), ((4, 1), (2, 0)), ((4, 2), (3, 3)), ((9, 3), (4, 0)), ((9, 4), (5, 1))];
        let emissions = decode(&tokens(), 20, 0usize, |frame, _, state| {
            let chosen = script.iter().find(|(when, _)| *when == (frame, *state)).map_or((5, 1), |(_, chosen)| *chosen);
            Ok::<_, Infallible>((scores(chosen.0, Some(chosen.1)), state + 1))
        });
        let words = tokens().words(&emissions.unwrap(), 0.08);
        let shown: Vec<(&str, f64, f64)> = words.iter().map(|word| (word.text.as_str(), word.start.secs(), word.end.secs())).collect();
        assert_eq!(shown, [("hello.", 0.16, 0.4), ("you", 0.72, 0.8)]);
    }

    #[test]
    fn a_model_without_durations_advances_at_the_blank() {
        let emissions = decode(&tokens(), 4, (), |frame, before, ()| {
            let token = if frame == 1 && before == 5 { 4 } else { 5 };
            Ok::<_, Infallible>((scores(token, None), ()))
        });
        assert_eq!(emissions.unwrap(), [Emission { token: 4, frame: 1, frames: 0 }]);
    }

    #[test]
    fn an_invalid_vocabulary_is_an_error() {
        for text in ["", "a 0\n", "<blk>\n", "<blk> 7\n", "<blk> 0\na 0\n", "<blk> -1\n"] {
            assert!(TokenVocabulary::from_text(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn decoding_ends_and_words_are_in_order_for_any_scores(
            answers in prop::collection::vec(prop::collection::vec(prop::num::f32::ANY, 0..13), 1..40), frames in 0..60usize,
        ) {
            let mut calls = 0;
            let emissions = decode(&tokens(), frames, (), |_, _, ()| {
                calls += 1;
                Ok::<_, Infallible>((answers[calls % answers.len()].clone(), ()))
            }).unwrap();
            prop_assert!(calls <= frames * (MAX_TOKENS_PER_FRAME + 1));
            let words = tokens().words(&emissions, 0.08);
            prop_assert!(words.windows(2).all(|pair| pair[0].start <= pair[1].start));
            prop_assert!(words.iter().all(|word| word.start < word.end));
        }
    }
}
