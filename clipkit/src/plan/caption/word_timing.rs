//! Repairs word times. Transcripts of every kind contain words that overlap, have no length, or
//! last much too long.

use crate::model::{Span, Word};

/// The maximum length of a word, in seconds. Longer words contain a pause.
const MAX_LENGTH: f64 = 3.0;
/// Words that start within this time, in seconds, share one stretch of time.
const SAME_START: f64 = 0.02;
/// The assumed length of a word without length, in seconds.
const DEFAULT_LENGTH: f64 = 0.25;

/// A word with its time in seconds on the clip's timeline.
#[derive(Clone, Debug)]
pub(super) struct TimedWord<'a> {
    pub(super) word: &'a Word,
    pub(super) start: f64,
    pub(super) end: f64,
}

/// The words whose midpoint is inside `span`, in ascending order without overlaps. No word moves to
/// more than [`SAME_START`] before its start.
pub(super) fn timed_words(words: &[Word], span: Span) -> Vec<TimedWord<'_>> {
    let clip_end = span.end().since(span.start()).secs();
    let mut timed: Vec<TimedWord<'_>> = words
        .iter()
        .filter(|word| !word.text.trim().is_empty())
        .filter_map(|word| {
            let start = word.start.since(span.start()).secs();
            let end = word.end.since(span.start()).secs().clamp(start, start + MAX_LENGTH);
            // A word across the clip's boundary belongs to the side with its midpoint.
            let middle = (start + end) / 2.0;
            (0.0..clip_end).contains(&middle).then_some(TimedWord { word, start: start.max(0.0), end: end.min(clip_end) })
        })
        .collect();
    timed.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut from = 0;
    while from < timed.len() {
        let start = timed[from].start;
        let to = from + timed[from..].partition_point(|word| word.start - start < SAME_START);
        let next = timed.get(to).map_or(clip_end, |next| next.start);
        share(&mut timed[from..to], start, next);
        from = to;
    }
    timed
}

/// Divides the time until `next` among words that start together, by their lengths in letters.
fn share(words: &mut [TimedWord<'_>], start: f64, next: f64) {
    let marked = words.iter().map(|word| word.end).fold(start, f64::max);
    let end = if marked - start < SAME_START { start + DEFAULT_LENGTH * words.len() as f64 } else { marked }.min(next);
    let letters = |word: &TimedWord<'_>| word.word.text.chars().count().max(1) as f64;
    let part = (end - start) / words.iter().map(letters).sum::<f64>().max(1.0);
    let mut at = start;
    for word in words {
        word.start = at;
        at = (at + part * letters(word)).min(end);
        word.end = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(words: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let words: Vec<Word> = words.iter().map(|(start, end)| Word::new("word", *start, *end)).collect();
        let rounded = |secs: f64| (secs * 1000.0).round() / 1000.0;
        timed_words(&words, Span::secs(0.0, 20.0).unwrap()).iter().map(|timed| (rounded(timed.start), rounded(timed.end))).collect()
    }

    #[test]
    fn overlaps_are_resolved_and_empty_words_get_a_length() {
        assert_eq!(times(&[(1.0, 2.0), (1.5, 2.5)]), [(1.0, 1.5), (1.5, 2.5)]);
        assert_eq!(times(&[(1.0, 1.0), (3.0, 3.0)]), [(1.0, 1.25), (3.0, 3.25)]);
        assert_eq!(times(&[(1.0, 2.0), (1.0, 2.0)]), [(1.0, 1.5), (1.5, 2.0)]);
        assert_eq!(times(&[(1.0, 1.0), (1.0, 1.0), (1.3, 1.4)]), [(1.0, 1.15), (1.15, 1.3), (1.3, 1.4)]);
        assert_eq!(times(&[(1.0, 15.0)]), [(1.0, 4.0)]);
    }

    proptest! {
        #[test]
        fn words_are_ordered_and_never_early(raw in prop::collection::vec((-1.0..22.0f64, -1.0..5.0f64), 0..40)) {
            let words: Vec<Word> = raw.iter().map(|(start, length)| Word::new("word", *start, start + length)).collect();
            let timed = timed_words(&words, Span::secs(0.0, 20.0).unwrap());
            prop_assert!(timed.is_sorted_by(|a, b| a.end <= b.start));
            for word in &timed {
                prop_assert!(word.start >= word.word.start.secs() - SAME_START && (0.0..=20.0).contains(&word.start));
                prop_assert!(word.start <= word.end && word.end <= 20.0);
            }
        }
    }
}
