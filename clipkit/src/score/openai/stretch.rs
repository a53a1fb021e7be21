//! Cuts a talk into stretches that a model reads one at a time. Pure.

use std::ops::Range;

/// The words of a stretch: few enough that a small model heeds all of them, enough that the
/// instructions cost little beside them. Three hours of talk, 40,000 words, are some 22 stretches.
const WORDS: f64 = 2000.0;
/// A faster talk has no more words in a second.
const MOST_WORDS_A_SECOND: f64 = 3.5;
/// A stretch that a server finds too large is cut no further than to these words.
pub(super) const FEWEST_WORDS: f64 = 100.0;

/// A sentence. Times are in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) words: f64,
    pub(super) start: f64,
    pub(super) end: f64,
}

/// The words of a stretch in which the longest clip, in seconds, has its place.
pub(super) fn size(longest: f64) -> f64 {
    WORDS.max(2.0 * MOST_WORDS_A_SECOND * longest)
}

/// The number of words of some sentences.
pub(super) fn count(lines: &[Line], sentences: &Range<usize>) -> f64 {
    lines.get(sentences.clone()).map_or(0.0, |lines| lines.iter().map(|line| line.words).sum())
}

/// The stretches of `within`, each of at most `size` words or of one sentence.
///
/// They overlap by as much as the longest clip lasts, so that each clip lies inside of one stretch;
/// but by no more than half of their words, so that they get on.
pub(super) fn stretches(lines: &[Line], within: Range<usize>, size: f64, longest: f64) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = within.start;
    while start < within.end {
        let (mut end, mut words) = (start, 0.0);
        while end < within.end && (end == start || words + lines[end].words <= size) {
            words += lines[end].words;
            end += 1;
        }
        found.push(start..end);
        if end == within.end {
            break;
        }
        let mut next = start + 1;
        let mut passed = lines[start].words;
        // The next sentence has to find room, or the next stretch would be a part of this one.
        let is_full = |passed: f64| words - passed + lines[end].words > size;
        while next < end && (passed * 2.0 < words || lines[end - 1].end - lines[next].start > longest || is_full(passed)) {
            passed += lines[next].words;
            next += 1;
        }
        start = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn talk(words: &[f64]) -> Vec<Line> {
        let mut at = 0.0;
        let line = |words: &f64| {
            let start = at;
            at += words * 0.4;
            Line { words: *words, start, end: at }
        };
        words.iter().map(line).collect()
    }

    #[test]
    fn three_hours_are_some_twenty_stretches() {
        let lines = talk(&vec![15.0; 2700]);
        let found = stretches(&lines, 0..2700, size(60.0), 60.0);
        assert!((20..=24).contains(&found.len()), "{}", found.len());
        assert!(count(&lines, &found[0]) <= 2000.0 && count(&lines, &found[0]) > 1980.0);
        // Clips of ten minutes still fit into the overlap.
        assert!(
            stretches(&lines, 0..2700, size(600.0), 600.0)
                .windows(2)
                .all(|pair| lines[pair[0].end - 1].end - lines[pair[1].start].start > 590.0)
        );
    }

    proptest! {
        #[test]
        fn every_sentence_and_every_clip_is_in_a_stretch(words in prop::collection::vec(1.0..60.0f64, 0..300), size in 1.0..900.0f64, longest in 5.0..60.0f64) {
            let lines = talk(&words);
            let found = stretches(&lines, 0..lines.len(), size, longest);
            prop_assert!(found.iter().all(|stretch| !stretch.is_empty() && (stretch.len() == 1 || count(&lines, stretch) <= size)));
            prop_assert!(found.windows(2).all(|pair| pair[0].start < pair[1].start && pair[1].start <= pair[0].end && pair[0].end < pair[1].end));
            prop_assert_eq!((found.first().map(|first| first.start), found.last().map(|last| last.end)), match lines.len() { 0 => (None, None), all => (Some(0), Some(all)) });
            // No sentence lasts longer than half of a stretch here, so a clip fits.
            if size > 4.0 * longest / 0.4 + 120.0 {
                for first in 0..lines.len() {
                    let last = (first..lines.len()).take_while(|last| lines[*last].end - lines[first].start <= longest).last().unwrap_or(first);
                    prop_assert!(found.iter().any(|stretch| stretch.start <= first && last < stretch.end), "{first} to {last} of {found:?}");
                }
            }
        }
    }
}
