//! Moves the ends of a clip's span into pauses, so that no word is cut.

use std::time::Duration;

use crate::model::{Span, Timestamp, Word};

/// How far beyond each end of a span voice activity should be known for [`snap`], in seconds.
pub const CONTEXT_SECS: f64 = 1.0;
/// The maximum distance that an end moves outwards, in seconds.
const MAX_OUTWARD: f64 = 0.4;
/// The maximum distance that an end moves inwards, in seconds. The clip's own words limit it
/// further; it only excludes the remainder of a word that does not belong to the clip.
const MAX_INWARD: f64 = 0.3;
/// The preferred silence between the clip's start and its first sound, in seconds: unvoiced
/// consonants begin before the detected voice.
const LEAD_IN: f64 = 0.08;
/// The preferred silence between the clip's last sound and its end, in seconds: voices fade out,
/// and a cut without a pause sounds abrupt.
const LEAD_OUT: f64 = 0.16;
/// A margin in seconds, so that rounding to microseconds does not include a neighbouring word.
const EPSILON: f64 = 2e-6;

/// The constraints on the ends of a span. All times are on the source's timeline.
///
/// The struct is `#[non_exhaustive]`: change fields of a value that [`SnapInput::new`] returns.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SnapInput<'a> {
    /// The words of the transcript, in ascending order of start times.
    pub words: &'a [Word],
    /// The stretches with voice activity, in ascending order and without overlaps. They should
    /// cover the span and [`CONTEXT_SECS`] beyond each end. Empty if the audio was not analysed.
    pub voice: &'a [Span],
    /// The spans of the other clips. They do not overlap the span.
    pub others: &'a [Span],
    /// The span of the whole source.
    pub video: Span,
    /// The minimum length of the result, unless the span is already shorter.
    pub min: Duration,
    /// The maximum length of the result, unless the span is already longer.
    pub max: Duration,
}

impl<'a> SnapInput<'a> {
    /// An input without voice activity, other clips or length limits.
    pub fn new(words: &'a [Word], video: Span) -> Self {
        SnapInput { words, voice: &[], others: &[], video, min: Duration::ZERO, max: Duration::MAX }
    }
}

/// Moves each end of `span` to the nearest pause within reach.
///
/// - An end moves by at most 0.4 s outwards and 0.3 s inwards. In a pause that is long enough, it
///   leaves 0.08 s before the first sound and 0.16 s after the last.
/// - The clip keeps its words, as [`Transcript::words_in`](crate::model::Transcript::words_in)
///   counts them.
/// - If no pause is in reach, the end only moves off the clip's own first or last word.
/// - The length stays within [`min`](SnapInput::min) and [`max`](SnapInput::max); a span outside
///   these limits does not move further outside.
/// - Two neighbouring clips move at most to the middle of the gap between them.
///
/// ```
/// use clipkit::model::{Span, Word};
/// use clipkit::plan::snap::{SnapInput, snap};
///
/// let words = [Word::new("Clocks", 10.0, 10.6), Word::new("lie.", 10.6, 11.2)];
/// let voice = [Span::secs(10.0, 11.2)?];
/// let mut input = SnapInput::new(&words, Span::secs(0.0, 60.0)?);
/// input.voice = &voice;
/// // Both ends would cut a word, so they move out of the voice.
/// assert_eq!(snap(Span::secs(10.2, 11.0)?, &input), Span::secs(9.92, 11.36)?);
/// # Ok::<(), clipkit::Error>(())
/// ```
pub fn snap(span: Span, input: &SnapInput<'_>) -> Span {
    let (start, end) = (span.start().secs(), span.end().secs());
    let (min, max) = (input.min.min(span.duration()).as_secs_f64(), input.max.max(span.duration()).as_secs_f64());
    let midpoint = |word: &Word| Timestamp::from_micros(word.start.micros() / 2 + word.end.micros() / 2);
    let mut own_words = input.words.iter().filter(|word| span.contains(midpoint(word)));
    let first = own_words.next();
    let last = own_words.next_back().or(first);
    let midpoints = || input.words.iter().map(|word| midpoint(word).secs());
    let voice: Vec<(f64, f64)> = input.voice.iter().map(|voice| (voice.start().secs(), voice.end().secs())).collect();

    let word_before = midpoints().filter(|at| *at < start).map(|at| at + EPSILON);
    let clip_before = input.others.iter().map(|other| other.end().secs()).filter(|at| *at <= start).map(|at| f64::midpoint(at, start));
    let limits = [start - MAX_OUTWARD, input.video.start().secs(), end - max];
    let new_start = best_start(
        start,
        StartLimits {
            earliest: limits.into_iter().chain(word_before).chain(clip_before).fold(f64::NEG_INFINITY, f64::max),
            latest: (start + MAX_INWARD).min(end - min),
            first_word: first.map(|word| word.start.secs()),
        },
        &voice,
        (LEAD_OUT, LEAD_IN),
    );

    // The end is found as a start on the negated time axis.
    let negated: Vec<(f64, f64)> = voice.iter().rev().map(|(from, to)| (-to, -from)).collect();
    let word_after = midpoints().filter(|at| *at >= end).map(|at| EPSILON - at);
    let clip_after = input.others.iter().map(|other| other.start().secs()).filter(|at| *at >= end).map(|at| -f64::midpoint(at, end));
    let limits = [-end - MAX_OUTWARD, -input.video.end().secs(), -new_start - max];
    let new_end = -best_start(
        -end,
        StartLimits {
            earliest: limits.into_iter().chain(word_after).chain(clip_after).fold(f64::NEG_INFINITY, f64::max),
            latest: (MAX_INWARD - end).min(-new_start - min),
            first_word: last.map(|word| -word.end.secs()),
        },
        &negated,
        (LEAD_IN, LEAD_OUT),
    );
    if new_start < new_end { Span::between(Timestamp::from_secs(new_start), Timestamp::from_secs(new_end)) } else { span }
}

/// The range in which a clip's start may lie, in seconds.
struct StartLimits {
    /// The earliest start, at most the current one.
    earliest: f64,
    /// The latest start, before the first word is considered.
    latest: f64,
    /// The start of the clip's first word.
    first_word: Option<f64>,
}

/// The best start for a clip that starts at `at`. `voice` is in ascending order. `margins` are the
/// preferred silences after the previous voice and before the next one.
fn best_start(at: f64, limits: StartLimits, voice: &[(f64, f64)], margins: (f64, f64)) -> f64 {
    let earliest = limits.earliest.min(at);
    // A first word that starts before the range is cut at every position in it.
    let latest = match limits.first_word.filter(|word| *word >= earliest) {
        Some(word) => limits.latest.min(word),
        None => limits.latest.min(at),
    };
    let latest = latest.max(earliest);
    let silent_from = std::iter::once(f64::NEG_INFINITY).chain(voice.iter().map(|(_, to)| *to));
    let silent_to = voice.iter().map(|(from, _)| *from).chain([f64::INFINITY]);
    let pauses = || silent_from.clone().zip(silent_to.clone());
    let positions = pauses().filter_map(|(from, to)| {
        let (soonest, last) = (from + margins.0, to - margins.1);
        let best = if soonest <= last { at.clamp(soonest, last) } else { f64::midpoint(from, to) };
        let best = best.clamp(earliest, latest);
        (from <= best && best <= to).then_some(best)
    });
    match positions.min_by(|a, b| (a - at).abs().total_cmp(&(b - at).abs())) {
        Some(position) => position,
        // The word times claim a cut word, but the audio shows a pause: the audio is trusted.
        None if pauses().any(|(from, to)| from <= at && at <= to) => at,
        None => at.clamp(earliest, latest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Transcript;
    use proptest::prelude::*;

    fn span(start: f64, end: f64) -> Span {
        Span::secs(start, end).unwrap()
    }

    fn snapped(asked: (f64, f64), words: &[(f64, f64)], voice: &[(f64, f64)], others: &[(f64, f64)]) -> (f64, f64) {
        let words: Vec<Word> = words.iter().map(|&(from, to)| Word::new("word", from, to)).collect();
        let spans = |of: &[(f64, f64)]| of.iter().map(|&(from, to)| span(from, to)).collect::<Vec<_>>();
        let (voice, others) = (spans(voice), spans(others));
        let input = SnapInput {
            voice: &voice,
            others: &others,
            min: Duration::from_secs(10),
            max: Duration::from_millis(30_500),
            ..SnapInput::new(&words, span(0.0, 100.0))
        };
        let snapped = snap(span(asked.0, asked.1), &input);
        ((snapped.start().secs() * 100.0).round() / 100.0, (snapped.end().secs() * 100.0).round() / 100.0)
    }

    const SPEECH: [(f64, f64); 4] = [(8.0, 9.8), (10.1, 15.0), (15.5, 29.9), (30.4, 33.0)];

    #[test]
    fn ends_in_pauses_do_not_move() {
        assert_eq!(snapped((10.0, 30.1), &SPEECH, &SPEECH, &[]), (10.0, 30.1));
        assert_eq!(snapped((10.0, 30.1), &SPEECH, &[], &[]), (10.0, 30.1));
        assert_eq!(snapped((10.0, 30.1), &[], &[], &[]), (10.0, 30.1));
    }

    #[test]
    fn an_end_inside_a_voice_moves_to_the_nearest_pause() {
        // Word times deviate a little from the audio.
        let words = [(8.0, 9.9), (9.95, 15.0), (15.5, 29.7), (30.4, 33.0)];
        assert_eq!(snapped((9.9, 29.8), &words, &[(8.0, 9.4), (9.85, 15.0), (15.5, 29.9), (30.4, 33.0)], &[]), (9.77, 30.06));
        // The remainder of a word that does not belong to the clip is excluded.
        assert_eq!(snapped((10.0, 30.1), &[(8.0, 9.9), (10.3, 29.9)], &[(8.0, 10.05), (10.3, 29.9)], &[]).0, 10.21);
    }

    #[test]
    fn without_voice_activity_the_word_times_decide() {
        assert_eq!(snapped((10.2, 29.8), &SPEECH, &[], &[]), (10.1, 29.9));
        // No pause in reach: the ends only move off the clip's own words.
        assert_eq!(snapped((10.2, 29.8), &SPEECH, &[(0.0, 60.0)], &[]), (10.1, 29.9));
        // A word that starts more than the maximum distance before the span.
        assert_eq!(snapped((10.9, 29.9), &[(10.0, 12.0), (12.0, 29.9)], &[], &[]), (10.9, 29.9));
    }

    #[test]
    fn neighbouring_clips_share_their_gap_and_the_maximum_length_holds() {
        let voice = [(9.9, 20.03), (20.15, 40.0)];
        assert_eq!(snapped((10.0, 20.0), &[], &voice, &[(20.1, 40.0)]).1, 20.05);
        assert_eq!(snapped((20.1, 40.0), &[], &voice, &[(10.0, 20.0)]).0, 20.09);
        assert_eq!(snapped((10.0, 40.5), &[], &[(5.0, 9.8), (9.9, 40.6)], &[]), (10.0, 40.5));
    }

    proptest! {
        #[test]
        fn a_snapped_span_keeps_its_words_and_its_bounds(
            start in 0.0..60.0_f64,
            length in 5.0..35.0_f64,
            pace in prop::collection::vec((0.0..0.5_f64, 0.02..1.5_f64), 0..120),
            heard in prop::collection::vec((0.13..1.0_f64, 0.08..2.0_f64), 0..80),
            gaps in (0.0..1.0_f64, 0.0..1.0_f64),
        ) {
            let lay = |steps: Vec<(f64, f64)>| {
                let mut at = 0.0;
                steps.into_iter().map(|(gap, long)| { let from = at + gap; at = from + long; (from, at) }).collect::<Vec<_>>()
            };
            let words: Vec<Word> = lay(pace).into_iter().map(|(from, to)| Word::new("word", from, to)).collect();
            let voice: Vec<Span> = lay(heard).into_iter().map(|(from, to)| span(from, to)).collect();
            let asked = span(start, start + length);
            let others = [span((start - gaps.0 - 5.0).max(0.0), (start - gaps.0).max(0.0)), span(start + length + gaps.1, start + length + 9.0)];
            let video = span(0.0, 96.0);
            let (min, max) = (Duration::from_secs(15), Duration::from_secs(30));
            let others: Vec<Span> = others.into_iter().filter(|other| other.intersection(asked).is_none()).collect();
            let got = snap(asked, &SnapInput { voice: &voice, others: &others, min, max, ..SnapInput::new(&words, video) });

            let slack = Duration::from_micros(2);
            prop_assert!(got.duration() + slack >= min.min(asked.duration()), "{got}");
            prop_assert!(got.duration() <= max.max(asked.duration()) + slack, "{got}");
            prop_assert!(got.start() >= video.start() && got.end() <= video.end().max(asked.end()));
            prop_assert!(got.start().since(asked.start()).secs().abs() <= MAX_OUTWARD + 1e-5 && got.end().since(asked.end()).secs().abs() <= MAX_OUTWARD + 1e-5);
            prop_assert!(others.iter().all(|other| other.intersection(got).is_none()));
            let transcript = Transcript { words, ..Transcript::default() };
            prop_assert_eq!(transcript.words_in(asked), transcript.words_in(got));
            // An end never moves from a pause into a voice.
            let quiet = |at: Timestamp| voice.iter().all(|voice| at <= voice.start().plus(1e-5) || at >= voice.end().plus(-1e-5));
            prop_assert!(!quiet(asked.start()) || quiet(got.start()), "{asked} -> {got}");
            prop_assert!(!quiet(asked.end()) || quiet(got.end()), "{asked} -> {got}");
        }
    }
}
