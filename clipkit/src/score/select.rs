//! Selects the best set of non-overlapping spans.

use super::span_score::ScoredSpan;

/// At most `most` spans that do not overlap, in descending order of score.
///
/// The selection maximises the sum of squared totals by weighted interval scheduling. The squares
/// let one very good span outweigh two average spans in its place. A greedy selection would leave
/// gaps that are too short for further clips.
pub(super) fn select(mut spans: Vec<ScoredSpan>, most: usize) -> Vec<ScoredSpan> {
    // Ties are resolved in favour of earlier and shorter spans, so that the result is
    // deterministic.
    spans.sort_by(|a, b| a.end.total_cmp(&b.end).then(b.start.total_cmp(&a.start)));
    let count = spans.len();
    let longest_choice = most.min(longest_chain(&spans));
    let before: Vec<usize> = spans.iter().map(|span| spans.partition_point(|other| other.end <= span.start)).collect();
    // rows[k][n]: the maximum value of k spans among the first n.
    let mut rows: Vec<Vec<f64>> = vec![vec![0.0; count + 1]];
    for k in 1..=longest_choice {
        let last = &rows[k - 1];
        let mut row = vec![0.0; count + 1];
        for n in 1..=count {
            row[n] = f64::max(row[n - 1], last[before[n - 1]] + worth(&spans[n - 1]));
        }
        rows.push(row);
    }
    let mut chosen = Vec::new();
    let (mut k, mut n) = (longest_choice, count);
    while k > 0 && n > 0 {
        if rows[k][n] > rows[k][n - 1] {
            chosen.push(spans[n - 1].clone());
            n = before[n - 1];
            k -= 1;
        } else {
            n -= 1;
        }
    }
    chosen.sort_by(|a, b| b.score.total.total_cmp(&a.score.total).then(a.start.total_cmp(&b.start)));
    chosen
}

/// At most `most` spans that do not overlap, in descending order of score: always the best one that
/// is left.
///
/// No fifth of the talk gets more than 3 of 10, as long as the others have any.
pub(super) fn select_best(mut spans: Vec<ScoredSpan>, most: usize) -> Vec<ScoredSpan> {
    const PARTS: usize = 5;
    spans.sort_by(|a, b| b.score.total.total_cmp(&a.score.total).then(a.start.total_cmp(&b.start)).then(a.end.total_cmp(&b.end)));
    let first = spans.iter().map(|span| span.start).fold(f64::INFINITY, f64::min);
    let last = spans.iter().map(|span| span.end).fold(f64::NEG_INFINITY, f64::max);
    let part = |span: &ScoredSpan| ((PARTS as f64 * (span.start - first) / (last - first).max(1e-9)) as usize).min(PARTS - 1);
    let most_in_part = (most * 3).div_ceil(10).max(most.div_ceil(PARTS) + 1);
    let mut taken = [0; PARTS];
    let mut chosen: Vec<ScoredSpan> = Vec::new();
    for most_in_part in [most_in_part, usize::MAX] {
        for span in &spans {
            if chosen.len() == most {
                break;
            }
            let part = part(span);
            if taken[part] < most_in_part && chosen.iter().all(|other| other.end <= span.start || span.end <= other.start) {
                taken[part] += 1;
                chosen.push(span.clone());
            }
        }
    }
    chosen.sort_by(|a, b| b.score.total.total_cmp(&a.score.total).then(a.start.total_cmp(&b.start)));
    chosen
}

fn worth(span: &ScoredSpan) -> f64 {
    (span.score.total / 100.0).powi(2)
}

/// The maximum number of spans without overlap (earliest end first). It limits the work if `most`
/// is large.
fn longest_chain(spans: &[ScoredSpan]) -> usize {
    let mut free_from = f64::NEG_INFINITY;
    spans
        .iter()
        .filter(|span| {
            let fits = span.start >= free_from;
            if fits {
                free_from = span.end;
            }
            fits
        })
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Score;

    fn span(start: f64, end: f64, total: f64) -> ScoredSpan {
        ScoredSpan { sentences: 0..1, start, end, score: Score::of(total), on_topic: false }
    }

    #[test]
    fn two_average_spans_lose_only_against_a_very_good_one() {
        let fair = || vec![span(0.0, 20.0, 50.0), span(20.0, 40.0, 50.0)];
        let starts = |spans: Vec<ScoredSpan>, most| select(spans, most).iter().map(|s| (s.start, s.end)).collect::<Vec<_>>();
        assert_eq!(starts([fair(), vec![span(5.0, 35.0, 65.0)]].concat(), 10), [(0.0, 20.0), (20.0, 40.0)]);
        assert_eq!(starts([fair(), vec![span(5.0, 35.0, 90.0)]].concat(), 10), [(5.0, 35.0)]);
        assert_eq!(starts(fair(), 1), [(0.0, 20.0)]);
        assert!(select(Vec::new(), 10).is_empty() && select(fair(), 0).is_empty());
    }

    #[test]
    fn the_best_are_taken_from_all_parts_of_a_talk() {
        let talk: Vec<ScoredSpan> = (0..50).map(|n| span(f64::from(n) * 40.0, f64::from(n) * 40.0 + 30.0, 90.0 - f64::from(n))).collect();
        let in_fifths = |spans: &[ScoredSpan]| {
            let mut fifths = [0; 5];
            spans.iter().for_each(|span| fifths[(span.start / 400.0) as usize] += 1);
            fifths
        };
        let chosen = select_best(talk.clone(), 10);
        assert_eq!(in_fifths(&chosen), [3, 3, 3, 1, 0]);
        assert!(chosen.is_sorted_by(|a, b| a.score.total >= b.score.total));
        // Where the other parts have nothing, the limit does not hold.
        let start: Vec<ScoredSpan> = talk[..9].iter().cloned().chain([span(1960.0, 1990.0, 31.0)]).collect();
        assert_eq!(in_fifths(&select_best(start, 10)), [9, 0, 0, 0, 1]);
        // One very good span stands in the way of two average ones.
        let fair = vec![span(0.0, 20.0, 50.0), span(20.0, 40.0, 50.0), span(5.0, 35.0, 51.0)];
        assert_eq!(select_best(fair, 10).len(), 1);
        assert!(select_best(Vec::new(), 10).is_empty() && select_best(talk, 0).is_empty());
    }

    proptest! {
        #[test]
        fn the_best_spans_are_limited_ranked_and_without_overlaps(raw in prop::collection::vec((0.0..500.0f64, 5.0..60.0f64, 30.0..100.0f64), 0..80), most in 0..12usize) {
            let chosen = select_best(raw.iter().map(|(start, length, total)| span(*start, start + length, *total)).collect(), most);
            prop_assert!(chosen.len() <= most);
            prop_assert!(raw.is_empty() || most == 0 || !chosen.is_empty());
            prop_assert!(chosen.is_sorted_by(|a, b| a.score.total >= b.score.total));
            for (n, a) in chosen.iter().enumerate() {
                prop_assert!(chosen[n + 1..].iter().all(|b| a.end <= b.start || b.end <= a.start));
            }
        }

        #[test]
        fn selections_are_limited_ranked_and_without_overlaps(raw in prop::collection::vec((0.0..500.0f64, 5.0..60.0f64, 30.0..100.0f64), 0..80), most in 0..12usize) {
            let chosen = select(raw.iter().map(|(start, length, total)| span(*start, start + length, *total)).collect(), most);
            prop_assert!(chosen.len() <= most);
            prop_assert!(raw.is_empty() || most == 0 || !chosen.is_empty());
            prop_assert!(chosen.is_sorted_by(|a, b| a.score.total >= b.score.total));
            for (n, a) in chosen.iter().enumerate() {
                prop_assert!(chosen[n + 1..].iter().all(|b| a.end <= b.start || b.end <= a.start));
            }
        }
    }
}
