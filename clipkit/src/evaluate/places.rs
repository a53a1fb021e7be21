//! Spans of given lengths at places that need no judgement.

use crate::model::{Span, Timestamp};

/// The gaps before the spans: even, or sorted random ones.
pub(super) enum Gaps<'a> {
    Even,
    Random(&'a mut fastrand::Rng),
}

/// Spans of these lengths, in seconds, in a range without overlap. Empty if they do not fit.
pub(super) fn spread(lengths: &[f64], bounds: Span, gaps: Gaps<'_>) -> Vec<(f64, f64)> {
    let free = bounds.end().secs() - bounds.start().secs() - lengths.iter().sum::<f64>();
    if free < 0.0 {
        return Vec::new();
    }
    let count = lengths.len() as f64;
    let mut lengths = lengths.to_vec();
    let gaps: Vec<f64> = match gaps {
        Gaps::Even => (0..lengths.len()).map(|n| free * (n as f64 + 0.5) / count).collect(),
        Gaps::Random(random) => {
            random.shuffle(&mut lengths);
            let mut gaps: Vec<f64> = lengths.iter().map(|_| random.f64() * free).collect();
            gaps.sort_by(f64::total_cmp);
            gaps
        }
    };
    let mut at = bounds.start().secs();
    lengths
        .iter()
        .zip(gaps)
        .map(|(length, gap)| {
            let start = at + gap;
            at += length;
            (start, start + length)
        })
        .collect()
}

/// The loudest spans of these lengths without overlap, the longest first. `loudness` has a value
/// for each second of the video.
pub(super) fn loudest(lengths: &[f64], bounds: Span, loudness: &[f64]) -> Vec<(f64, f64)> {
    let mut sums = vec![0.0];
    for value in loudness {
        sums.push(sums[sums.len() - 1] + value);
    }
    let mut lengths = lengths.to_vec();
    lengths.sort_by(|a, b| b.total_cmp(a));
    let mut found: Vec<(f64, f64)> = Vec::new();
    for length in lengths {
        let seconds = (length.ceil() as usize).max(1);
        let first = bounds.start().secs().ceil() as usize;
        let starts = first..(bounds.end().secs().min(loudness.len() as f64) as usize + 1).saturating_sub(seconds);
        let free = |start: usize| found.iter().all(|(from, to)| (start as f64) + length <= *from || *to <= start as f64);
        let mean = |start: usize| (sums[start + seconds] - sums[start]) / seconds as f64;
        let best = starts.filter(|start| free(*start)).max_by(|a, b| mean(*a).total_cmp(&mean(*b)).then(b.cmp(a)));
        if let Some(start) = best {
            found.push((start as f64, start as f64 + length));
        }
    }
    found
}

/// The share of the moments of which the spans cover at least half.
pub(super) fn found(spans: &[(f64, f64)], moments: &[Span]) -> f64 {
    let covered = |moment: &Span| -> f64 {
        spans.iter().map(|(start, end)| (end.min(moment.end().secs()) - start.max(moment.start().secs())).max(0.0)).sum()
    };
    let hits = moments.iter().filter(|moment| covered(moment) >= 0.5 * seconds(moment.start(), moment.end())).count();
    hits as f64 / moments.len().max(1) as f64
}

fn seconds(start: Timestamp, end: Timestamp) -> f64 {
    end.secs() - start.secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: f64, end: f64) -> Span {
        Span::secs(start, end).unwrap()
    }

    #[test]
    fn places_have_the_lengths_and_stay_in_the_range() {
        assert_eq!(spread(&[10.0, 20.0], span(100.0, 170.0), Gaps::Even), [(110.0, 120.0), (140.0, 160.0)]);
        assert!(spread(&[50.0, 50.0], span(0.0, 90.0), Gaps::Even).is_empty());
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let spans = spread(&[5.0, 7.0, 11.0], span(3.0, 40.0), Gaps::Random(&mut random));
            let mut lengths: Vec<f64> = spans.iter().map(|(start, end)| (end - start).round()).collect();
            lengths.sort_by(f64::total_cmp);
            assert_eq!(lengths, [5.0, 7.0, 11.0]);
            assert!(spans[0].0 >= 3.0 && spans[2].1 <= 40.0 + 1e-9 && spans.is_sorted_by(|a, b| a.1 <= b.0 + 1e-9));
        }
    }

    #[test]
    fn the_loudest_spans_are_found() {
        let loudness: Vec<f64> = (0..60).map(|n| if (20..25).contains(&n) { 9.0 } else { f64::from(n % 2) }).collect();
        let spans = loudest(&[5.0, 5.0], span(10.0, 60.0), &loudness);
        assert_eq!(spans[0], (20.0, 25.0));
        assert!(spans[1].1 <= 20.0 || spans[1].0 >= 25.0);
        assert!(loudest(&[5.0], span(10.0, 60.0), &[]).is_empty());
    }

    #[test]
    fn a_moment_is_found_by_half_of_it() {
        let moments = [span(10.0, 20.0), span(40.0, 44.0)];
        assert_eq!(found(&[(0.0, 15.0)], &moments), 0.5);
        assert_eq!(found(&[(0.0, 14.9), (43.0, 60.0)], &moments), 0.0);
        assert_eq!(found(&[(0.0, 12.5), (17.5, 42.0)], &moments), 1.0);
    }
}
