//! Pure: from a transducer's scores to words (Graves 2012; with durations, Xu et al. 2023, "token-and-duration transducer"), decoded greedily.

use crate::model::{Timestamp, Word};

/// SentencePiece's mark of a new word.
const WORD_MARK: char = '\u{2581}';
const BLANK: &str = "<blk>";
/// A frame that would sound more tokens than this is a model gone astray; so NeMo has it.
const MOST_TOKENS: usize = 10;

/// A model's pieces of words, by their column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    pieces: Vec<String>,
    blank: usize,
}

impl Tokens {
    /// From a `vocab.txt`: a piece and its column on each line. What is wrong with it otherwise.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        let mut pieces = vec![None; text.lines().count()];
        for line in text.lines() {
            let read = line.trim_end().rsplit_once(' ').and_then(|(piece, column)| Some((piece, column.parse::<usize>().ok()?)));
            let (piece, column) = read.ok_or_else(|| format!("{line:?} is not a piece and its column"))?;
            *pieces.get_mut(column).ok_or_else(|| format!("column {column} of {piece:?} is out of range"))? = Some(piece.to_owned());
        }
        let pieces: Vec<String> = pieces.into_iter().collect::<Option<_>>().ok_or("two pieces have the same column")?;
        let blank = pieces.iter().position(|piece| piece == BLANK).ok_or("it names no blank, <blk>")?;
        Ok(Tokens { pieces, blank })
    }

    /// How many columns name a piece.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The words that the sounded pieces make; a frame lasts `step` seconds.
    pub(super) fn words(&self, sounded: &[Sounded], step: f64) -> Vec<Word> {
        let at = |frame: usize| Timestamp::from_secs(frame as f64 * step);
        let mut words: Vec<Word> = Vec::new();
        for (n, sound) in sounded.iter().enumerate() {
            let piece = self.pieces.get(sound.token).map_or("", String::as_str);
            // <unk>, <|en|>: not text.
            if piece.len() > 1 && piece.starts_with('<') && piece.ends_with('>') {
                continue;
            }
            let text = piece.trim_start_matches(WORD_MARK);
            let next = sounded.get(n + 1).map_or(usize::MAX, |next| next.frame);
            let end = at((sound.frame + sound.frames.max(1)).min(next.max(sound.frame + 1)));
            match words.last_mut() {
                Some(word) if !piece.starts_with(WORD_MARK) => {
                    word.text.push_str(text);
                    // A full stop is not heard: the word ends before it.
                    if text.chars().any(char::is_alphanumeric) {
                        word.end = end;
                    }
                }
                _ => words.push(Word { text: text.to_owned(), start: at(sound.frame), end, speaker: None }),
            }
        }
        words.retain(|word| !word.text.is_empty());
        words
    }
}

/// A piece, the frame it begins in, and for how many frames it lasts as far as the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sounded {
    token: usize,
    frame: usize,
    frames: usize,
}

/// Decodes `frames` frames. `joint` answers the scores for a frame, the piece before it (the blank at first) and the predictor's state,
/// and the state after: first a score for each of the `tokens`, then, from a model that predicts durations, one for 0, 1, 2 ... frames.
pub(super) fn decode<S, E>(
    tokens: &Tokens,
    frames: usize,
    start: S,
    mut joint: impl FnMut(usize, usize, &S) -> Result<(Vec<f32>, S), E>,
) -> Result<Vec<Sounded>, E> {
    let mut sounded = Vec::new();
    let (mut state, mut before, mut frame, mut here) = (start, tokens.blank, 0, 0);
    while frame < frames {
        let (scores, after) = joint(frame, before, &state)?;
        let (pieces, durations) = scores.split_at(tokens.len().min(scores.len()));
        let (token, skip) = (best(pieces).unwrap_or(tokens.blank), best(durations).unwrap_or(0));
        if token != tokens.blank {
            sounded.push(Sounded { token, frame, frames: skip });
            (state, before) = (after, token);
            here += 1;
        }
        if skip > 0 {
            (frame, here) = (frame + skip, 0);
        } else if token == tokens.blank || here == MOST_TOKENS {
            (frame, here) = (frame + 1, 0);
        }
    }
    Ok(sounded)
}

fn best(scores: &[f32]) -> Option<usize> {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(column, _)| column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn tokens() -> Tokens {
        Tokens::from_text("<unk> 0\n\u{2581}he 1\nllo 2\n. 3\n\u{2581}you 4\n<blk> 5\n").unwrap()
    }

    /// Scores that choose a piece and a duration.
    fn scores(token: usize, duration: Option<usize>) -> Vec<f32> {
        let one = |chosen: usize, count: usize| (0..count).map(move |n| if n == chosen { 1.0 } else { 0.0 });
        one(token, 6).chain(duration.into_iter().flat_map(|duration| one(duration, 5))).collect()
    }

    #[test]
    fn pieces_become_words_with_times() {
        // At each frame what is chosen once the state (how many pieces were sounded) is as given.
        let script = [((2, 0), (1, 2)), ((4, 1), (2, 0)), ((4, 2), (3, 3)), ((9, 3), (4, 0)), ((9, 4), (5, 1))];
        let heard = decode(&tokens(), 20, 0usize, |frame, _, state| {
            let chosen = script.iter().find(|(when, _)| *when == (frame, *state)).map_or((5, 1), |(_, chosen)| *chosen);
            Ok::<_, Infallible>((scores(chosen.0, Some(chosen.1)), state + 1))
        });
        let words = tokens().words(&heard.unwrap(), 0.08);
        let said: Vec<(&str, f64, f64)> = words.iter().map(|word| (word.text.as_str(), word.start.secs(), word.end.secs())).collect();
        assert_eq!(said, [("hello.", 0.16, 0.4), ("you", 0.72, 0.8)]);
    }

    #[test]
    fn a_model_without_durations_goes_on_at_the_blank() {
        let heard = decode(&tokens(), 4, (), |frame, before, ()| {
            let token = if frame == 1 && before == 5 { 4 } else { 5 };
            Ok::<_, Infallible>((scores(token, None), ()))
        });
        assert_eq!(heard.unwrap(), [Sounded { token: 4, frame: 1, frames: 0 }]);
    }

    #[test]
    fn a_vocabulary_that_cannot_be_used_is_refused() {
        for text in ["", "a 0\n", "<blk>\n", "<blk> 7\n", "<blk> 0\na 0\n", "<blk> -1\n"] {
            assert!(Tokens::from_text(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_model_answers_decoding_ends_and_words_are_in_order(
            answers in prop::collection::vec(prop::collection::vec(prop::num::f32::ANY, 0..13), 1..40), frames in 0..60usize,
        ) {
            let mut calls = 0;
            let heard = decode(&tokens(), frames, (), |_, _, ()| {
                calls += 1;
                Ok::<_, Infallible>((answers[calls % answers.len()].clone(), ()))
            }).unwrap();
            prop_assert!(calls <= frames * (MOST_TOKENS + 1));
            let words = tokens().words(&heard, 0.08);
            prop_assert!(words.windows(2).all(|pair| pair[0].start <= pair[1].start));
            prop_assert!(words.iter().all(|word| word.start < word.end));
        }
    }
}
