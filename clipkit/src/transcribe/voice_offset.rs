//! By how much captions are early or late, from where somebody speaks. Pure.
//!
//! Both the captions and the voice become signals: how much of each tenth of a second is covered.
//! A moving average is taken from both, so that only the pauses count and not where the talk as a
//! whole is. At the right offset the pauses coincide, and the correlation of the signals has a
//! peak that no other offset comes near.

use super::correlation::cross_correlation;
use crate::model::{Span, Timestamp};

/// The resolution in seconds.
const FRAME: f64 = 0.1;
/// Half the length of the moving average, in frames: 15 s.
const HALF_AVERAGE: usize = 150;
/// Captions and voice must overlap by this, in seconds, and by half of the shorter one.
const MIN_OVERLAP: f64 = 15.0;
/// The length of sound that counts as one independent observation, in seconds: about a phrase. A
/// correlation over `n` of them is significant in proportion to the square root of `n`.
const PHRASE: f64 = 1.0;
/// The least significance of a peak, in standard deviations of chance. Measured on 300 pairs of
/// talks of five minutes that do not belong together: one reached 4.1, the others 3.5. Sloppy
/// captions of two minutes reach 5.9 and more.
const MIN_SIGNIFICANCE: f64 = 4.6;
/// The least correlation of a peak.
const MIN_CORRELATION: f64 = 0.15;
/// How much more significant a peak is than all others, except those within [`NEAR`] frames, which
/// are its flanks.
const MIN_LEAD: f64 = 1.5;
const NEAR: usize = 30;
/// The least variance of a signal per frame: captions and voices without pauses tell nothing.
const MIN_VARIANCE: f64 = 0.005;
/// The longest signal, in seconds. Times beyond it are damaged.
const MAX_SECS: f64 = 86_400.0;
/// An offset within this of 0, in seconds, is the inaccuracy of captions.
const NONE: f64 = 0.3;
/// An offset within this of whole hours, in seconds, is exactly those: tapes begin at 01:00:00 or
/// 10:00:00.
const WHOLE_HOUR: f64 = 0.3;

/// What is to be added to the captions' times so that they fit the voice. 0 if they fit. `None` if
/// no offset stands out: there are too few pauses, or the captions are of another recording.
///
/// `captions` are the spans in which words are said, `voice` those with a voice, on the timeline of
/// a medium with this duration. Either may be unsorted and overlap.
pub(super) fn find(captions: &[Span], voice: &[Span], duration: Timestamp) -> Option<Timestamp> {
    let first = captions.iter().map(|span| span.start()).min()?;
    let last = captions.iter().map(|span| span.end()).max()?;
    let (said, heard) = (last.since(first).secs(), duration.secs());
    if !(MIN_OVERLAP..=MAX_SECS).contains(&said) || !(MIN_OVERLAP..=MAX_SECS).contains(&heard) {
        return None;
    }
    let said = Signal::of(captions, first, said);
    let heard = Signal::of(voice, Timestamp::ZERO, heard);
    let offset = peak(&heard, &said)? * FRAME - first.secs();
    let hours = (offset / 3600.0).round() * 3600.0;
    let rounded = if offset.abs() < NONE {
        0.0
    } else if hours != 0.0 && (offset - hours).abs() < WHOLE_HOUR {
        hours
    } else {
        (offset * 100.0).round() / 100.0
    };
    Some(Timestamp::from_secs(rounded))
}

/// How much of each frame is covered, without the moving average.
struct Signal {
    values: Vec<f64>,
    /// The sums of the squares of the values before each frame.
    squares: Vec<f64>,
}

impl Signal {
    /// The signal of spans from `origin` on, of this length in seconds.
    fn of(spans: &[Span], origin: Timestamp, secs: f64) -> Self {
        let frames = (secs / FRAME).ceil() as usize;
        let mut covered = vec![0.0_f64; frames];
        for span in disjoint(spans) {
            let [from, to] = [span.start(), span.end()].map(|at| (at.since(origin).secs() / FRAME).clamp(0.0, frames as f64));
            for (n, value) in covered.iter_mut().enumerate().take(to.ceil() as usize).skip(from as usize) {
                let part = to.min(n as f64 + 1.0) - from.max(n as f64);
                *value = (*value + part.max(0.0)).min(1.0);
            }
        }
        let values = without_average(&covered);
        let squares = sums(values.iter().map(|value| value * value));
        Signal { values, squares }
    }

    fn energy(&self, from: usize, to: usize) -> f64 {
        self.squares[to] - self.squares[from]
    }
}

/// Sorted spans that do not overlap and cover the same.
fn disjoint(spans: &[Span]) -> Vec<Span> {
    let mut sorted = spans.to_vec();
    sorted.sort_by_key(|span| span.start());
    let mut joined: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
        match joined.last_mut() {
            Some(last) if span.start() <= last.end() => *last = Span::between(last.start(), last.end().max(span.end())),
            _ => joined.push(span),
        }
    }
    joined
}

/// The sums of the numbers before each of them, and of all.
fn sums(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let add = |sum: &mut f64, number: f64| {
        *sum += number;
        Some(*sum)
    };
    std::iter::once(0.0).chain(numbers.scan(0.0, add)).collect()
}

fn without_average(values: &[f64]) -> Vec<f64> {
    let sums = sums(values.iter().copied());
    let around = |n: usize| {
        let (from, to) = (n.saturating_sub(HALF_AVERAGE), (n + HALF_AVERAGE + 1).min(values.len()));
        (sums[to] - sums[from]) / (to - from) as f64
    };
    values.iter().enumerate().map(|(n, value)| value - around(n)).collect()
}

/// The frame of `heard` that the first frame of `said` falls on, with a fraction.
fn peak(heard: &Signal, said: &Signal) -> Option<f64> {
    let products = cross_correlation(&heard.values, &said.values);
    let (length, captions) = (heard.values.len(), said.values.len());
    let least = (MIN_OVERLAP / FRAME).max(length.min(captions) as f64 / 2.0);
    // The lag of index `n` is `n + 1 - captions`.
    let scores: Vec<(f64, f64)> = (products.iter().enumerate())
        .map(|(n, product)| {
            let from = (n + 1).saturating_sub(captions);
            let to = (n + 1).min(length);
            let overlap = to - from;
            // The overlap in frames of the captions.
            let [first, last] = [from, to].map(|frame| frame + captions - n - 1);
            let energies = [heard.energy(from, to), said.energy(first, last)];
            if (overlap as f64) < least || energies.iter().any(|energy| *energy < MIN_VARIANCE * overlap as f64) {
                return (0.0, 0.0);
            }
            let correlation = product / (energies[0] * energies[1]).sqrt();
            (correlation * (overlap as f64 * FRAME / PHRASE).sqrt(), correlation)
        })
        .collect();
    let (best, &(significance, correlation)) = scores.iter().enumerate().max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
    let other = |n: usize| n.abs_diff(best) > NEAR;
    let second = scores.iter().enumerate().filter(|(n, _)| other(*n)).map(|(_, score)| score.0).fold(0.0, f64::max);
    if significance < MIN_SIGNIFICANCE || correlation < MIN_CORRELATION || significance < second * MIN_LEAD {
        return None;
    }
    let at = |n: Option<usize>| n.and_then(|n| scores.get(n)).map_or(0.0, |score| score.1);
    let top = between(at(best.checked_sub(1)), correlation, at(Some(best + 1)));
    Some(best as f64 + 1.0 - captions as f64 + top)
}

/// Where the top of the parabola through three values lies, from the middle one, in their distance.
fn between(before: f64, top: f64, after: f64) -> f64 {
    let curve = before - 2.0 * top + after;
    if curve < -1e-12 { ((before - after) / (2.0 * curve)).clamp(-0.5, 0.5) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Phrases and pauses of uneven length, as a talk has them.
    fn talk(secs: f64, mut seed: u64) -> Vec<Span> {
        let mut random = |least: f64, most: f64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            least + (most - least) * ((seed >> 33) as f64 / f64::from(1_u32 << 31))
        };
        let (mut spans, mut at) = (Vec::new(), 0.5);
        while at < secs {
            let end = at + random(0.8, 6.0);
            spans.push(Span::secs(at, end.min(secs)).unwrap());
            at = end + random(0.25, 1.4);
        }
        spans
    }

    fn moved(spans: &[Span], by: f64) -> Vec<Span> {
        spans.iter().map(|span| Span::between(span.start().plus(by), span.end().plus(by))).collect()
    }

    /// The part of spans inside a video that begins and ends at these times of theirs.
    fn trimmed(spans: &[Span], from: f64, to: f64) -> Vec<Span> {
        let inside: Vec<Span> = spans.iter().filter_map(|span| span.intersection(Span::secs(from, to).unwrap())).collect();
        moved(&inside, -from)
    }

    fn found(captions: &[Span], voice: &[Span], secs: f64) -> Option<f64> {
        find(captions, voice, Timestamp::from_secs(secs)).map(Timestamp::secs)
    }

    #[test]
    fn captions_that_are_hours_late_are_recognised_exactly() {
        let voice = talk(90.0, 3);
        assert_eq!(found(&moved(&voice, 3600.0), &voice, 90.0), Some(-3600.0));
        assert_eq!(found(&moved(&voice, 36_000.04), &voice, 90.0), Some(-36_000.0));
    }

    #[test]
    fn captions_that_fit_have_no_offset() {
        let voice = talk(300.0, 5);
        // Captions come a little early and stay a little longer.
        let captions: Vec<Span> = voice.iter().map(|span| Span::between(span.start().plus(-0.15), span.end().plus(0.2))).collect();
        assert_eq!(found(&captions, &voice, 300.0), Some(0.0));
    }

    #[test]
    fn a_trimmed_video_is_recognised() {
        let all = talk(1800.0, 7);
        let voice = trimmed(&all, 612.3, 912.3);
        let offset = found(&all, &voice, 300.0).unwrap();
        assert!((offset + 612.3).abs() < 0.1, "{offset}");
        // An intro that the captions do not have.
        let late = moved(&all, 41.7);
        let offset = found(&all, &late, 1850.0).unwrap();
        assert!((offset - 41.7).abs() < 0.1, "{offset}");
    }

    #[test]
    fn captions_of_something_else_have_no_offset() {
        for seed in 1..20 {
            assert_eq!(found(&talk(300.0, seed), &talk(300.0, seed + 1000), 300.0), None, "{seed}");
        }
        let voice = talk(300.0, 1);
        assert_eq!(found(&[], &voice, 300.0), None);
        assert_eq!(found(&voice, &[], 300.0), None);
        assert_eq!(found(&voice, &[Span::secs(0.0, 300.0).unwrap()], 300.0), None, "music");
        assert_eq!(found(&[Span::secs(0.0, 300.0).unwrap()], &voice, 300.0), None, "captions without pauses");
        assert_eq!(found(&moved(&voice, 1e9), &voice, 300.0), Some(-1e9));
        let broken = [voice.clone(), vec![Span::secs(2e5, 2e5 + 1.0).unwrap()]].concat();
        assert_eq!(found(&broken, &voice, 300.0), None, "a time beyond a day");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_offset_is_found(seed in 0..1000_u64, offset in -5000.0..5000.0_f64, secs in 120.0..900.0_f64, sloppy in 0.0..0.3_f64) {
            let voice = talk(secs, seed);
            let captions: Vec<Span> = moved(&voice, -offset).iter().map(|span| Span::between(span.start().plus(-sloppy), span.end().plus(sloppy))).collect();
            let found = found(&captions, &voice, secs).unwrap();
            prop_assert!((found - offset).abs() < 0.3, "{} is not {}", found, offset);
        }

        #[test]
        fn no_spans_panic(spans in prop::collection::vec((-1e3..1e3_f64, 0.0..2e3_f64), 0..20), secs in -10.0..3e3_f64) {
            let spans: Vec<Span> = spans.iter().map(|(start, length)| Span::secs(*start, start + length).unwrap()).collect();
            found(&spans, &spans, secs);
        }
    }
}
