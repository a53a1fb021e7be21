//! When words are said: times repaired, since transcripts of every kind have words that overlap, last no time, or last for ever.

use crate::model::{Span, Word};

/// No word sounds longer, in seconds: what is marked longer has a pause in it.
const LONGEST: f64 = 3.0;
/// Words that start closer together than this, in seconds, have one moment between them, which they share.
const TOGETHER: f64 = 0.02;
/// How long a word of no length is taken to last, in seconds.
const GUESS: f64 = 0.25;

/// A word and when it is said, in seconds of the clip.
#[derive(Clone, Debug)]
pub(super) struct TimedWord<'a> {
    pub(super) word: &'a Word,
    pub(super) start: f64,
    pub(super) end: f64,
}

/// The words that are said inside `span`, wholly or mostly, in order and apart. None is moved to before it is said by more than [`TOGETHER`].
pub(super) fn said_in(words: &[Word], span: Span) -> Vec<TimedWord<'_>> {
    let clip_end = span.end().since(span.start()).secs();
    let mut said: Vec<TimedWord<'_>> = words
        .iter()
        .filter(|word| !word.text.trim().is_empty())
        .filter_map(|word| {
            let start = word.start.since(span.start()).secs();
            let end = word.end.since(span.start()).secs().clamp(start, start + LONGEST);
            // A word cut by the clip's edge is shown where most of it is heard.
            let middle = (start + end) / 2.0;
            (0.0..clip_end).contains(&middle).then_some(TimedWord { word, start: start.max(0.0), end: end.min(clip_end) })
        })
        .collect();
    said.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut from = 0;
    while from < said.len() {
        let start = said[from].start;
        let to = from + said[from..].partition_point(|word| word.start - start < TOGETHER);
        let next = said.get(to).map_or(clip_end, |next| next.start);
        share(&mut said[from..to], start, next);
        from = to;
    }
    said
}

/// Gives words that start together, before `next` is said, a part each of the time they take.
fn share(words: &mut [TimedWord<'_>], start: f64, next: f64) {
    let marked = words.iter().map(|word| word.end).fold(start, f64::max);
    let end = if marked - start < TOGETHER { start + GUESS * words.len() as f64 } else { marked }.min(next);
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
        said_in(&words, Span::secs(0.0, 20.0).unwrap()).iter().map(|said| (rounded(said.start), rounded(said.end))).collect()
    }

    #[test]
    fn overlaps_are_parted_and_words_without_length_get_some() {
        assert_eq!(times(&[(1.0, 2.0), (1.5, 2.5)]), [(1.0, 1.5), (1.5, 2.5)]);
        assert_eq!(times(&[(1.0, 1.0), (3.0, 3.0)]), [(1.0, 1.25), (3.0, 3.25)]);
        assert_eq!(times(&[(1.0, 2.0), (1.0, 2.0)]), [(1.0, 1.5), (1.5, 2.0)]);
        assert_eq!(times(&[(1.0, 1.0), (1.0, 1.0), (1.3, 1.4)]), [(1.0, 1.15), (1.15, 1.3), (1.3, 1.4)]);
        assert_eq!(times(&[(1.0, 15.0)]), [(1.0, 4.0)]);
    }

    proptest! {
        #[test]
        fn words_are_in_order_and_never_before_their_time(raw in prop::collection::vec((-1.0..22.0f64, -1.0..5.0f64), 0..40)) {
            let words: Vec<Word> = raw.iter().map(|(start, length)| Word::new("word", *start, start + length)).collect();
            let said = said_in(&words, Span::secs(0.0, 20.0).unwrap());
            prop_assert!(said.is_sorted_by(|a, b| a.end <= b.start));
            for word in &said {
                prop_assert!(word.start >= word.word.start.secs() - TOGETHER && (0.0..=20.0).contains(&word.start));
                prop_assert!(word.start <= word.end && word.end <= 20.0);
            }
        }
    }
}
