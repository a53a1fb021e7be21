//! Where a clip starts and ends: in pauses, so that no word is cut. Pure: times in, times out.

use std::time::Duration;

use crate::model::{Span, Timestamp, Word};

/// How much further than the span its surroundings are listened to, in seconds.
pub(crate) const HEARD_SECS: f64 = 1.0;
/// How far an end may move away from the clip's middle, in seconds.
const OUT: f64 = 0.4;
/// How far it may move towards it, in seconds: no word of the clip lies there, but the rest of one that does not belong to it may.
const IN: f64 = 0.3;
/// What is left between the clip's start and its first sound where the pause has room for it, in seconds: consonants begin before the voice.
const BEFORE_SPEECH: f64 = 0.08;
/// What is left between its last sound and its end, in seconds: voices fade, and a cut at once sounds hurried.
const AFTER_SPEECH: f64 = 0.16;

/// What a span's ends have to respect.
pub(crate) struct Around<'a> {
    /// What is said, in order.
    pub(crate) words: &'a [Word],
    /// Where a voice is heard, in order and apart; empty where nobody listened.
    pub(crate) voice: &'a [Span],
    /// The other clips' spans.
    pub(crate) others: &'a [Span],
    /// The video.
    pub(crate) video: Span,
}

/// A moment beyond, so that rounding to microseconds takes no word in.
const MOMENT: f64 = 2e-6;

/// The span with each end moved to the nearest pause within reach, and there, where the pause has room for it, a breath away from the voices.
///
/// The words of the clip stay the same, by [`Transcript::words_in`](crate::model::Transcript::words_in)'s measure. An end with no pause in reach only
/// moves off the clip's own first or last word. The length stays in `min` to `max`, or no further outside than it was. Two clips that move
/// towards each other stop in the middle of the gap between them.
pub(crate) fn snap(span: Span, around: &Around<'_>, min: Duration, max: Duration) -> Span {
    let (start, end) = (span.start().secs(), span.end().secs());
    let (shortest, longest) = (min.min(span.duration()).as_secs_f64(), max.max(span.duration()).as_secs_f64());
    let middle = |word: &Word| Timestamp::from_micros(word.start.micros() / 2 + word.end.micros() / 2);
    let mut mine = around.words.iter().filter(|word| span.contains(middle(word)));
    let first = mine.next();
    let last = mine.next_back().or(first);
    let middles = || around.words.iter().map(|word| middle(word).secs());
    let voice: Vec<(f64, f64)> = around.voice.iter().map(|voice| (voice.start().secs(), voice.end().secs())).collect();

    let word_before = middles().filter(|at| *at < start).map(|at| at + MOMENT);
    let clip_before = around.others.iter().map(|other| other.end().secs()).filter(|at| *at <= start).map(|at| f64::midpoint(at, start));
    let limits = [start - OUT, around.video.start().secs(), end - longest];
    let new_start = place(
        start,
        Room {
            earliest: limits.into_iter().chain(word_before).chain(clip_before).fold(f64::NEG_INFINITY, f64::max),
            latest: (start + IN).min(end - shortest),
            word: first.map(|word| word.start.secs()),
        },
        &voice,
        (AFTER_SPEECH, BEFORE_SPEECH),
    );

    // The end is a start in a mirror.
    let mirrored: Vec<(f64, f64)> = voice.iter().rev().map(|(from, to)| (-to, -from)).collect();
    let word_after = middles().filter(|at| *at >= end).map(|at| MOMENT - at);
    let clip_after = around.others.iter().map(|other| other.start().secs()).filter(|at| *at >= end).map(|at| -f64::midpoint(at, end));
    let limits = [-end - OUT, -around.video.end().secs(), -new_start - longest];
    let new_end = -place(
        -end,
        Room {
            earliest: limits.into_iter().chain(word_after).chain(clip_after).fold(f64::NEG_INFINITY, f64::max),
            latest: (IN - end).min(-new_start - shortest),
            word: last.map(|word| -word.end.secs()),
        },
        &mirrored,
        (BEFORE_SPEECH, AFTER_SPEECH),
    );
    if new_start < new_end { Span::between(Timestamp::from_secs(new_start), Timestamp::from_secs(new_end)) } else { span }
}

/// How far a clip's start may move.
struct Room {
    /// The earliest it may be; not after where it is.
    earliest: f64,
    /// The latest it may be, words aside.
    latest: f64,
    /// When the clip's first word starts.
    word: Option<f64>,
}

/// The best place for a start that is now at `at`. The voices are in order; `clear` is how long a pause should last after the voice before
/// the start, and before the one after it.
fn place(at: f64, room: Room, voice: &[(f64, f64)], clear: (f64, f64)) -> f64 {
    let earliest = room.earliest.min(at);
    // A word that started too long ago is cut wherever the start is.
    let latest = match room.word.filter(|word| *word >= earliest) {
        Some(word) => room.latest.min(word),
        None => room.latest.min(at),
    };
    let latest = latest.max(earliest);
    let silent_from = std::iter::once(f64::NEG_INFINITY).chain(voice.iter().map(|(_, to)| *to));
    let silent_to = voice.iter().map(|(from, _)| *from).chain([f64::INFINITY]);
    let pauses = || silent_from.clone().zip(silent_to.clone());
    let places = pauses().filter_map(|(from, to)| {
        let (soonest, last) = (from + clear.0, to - clear.1);
        let best = if soonest <= last { at.clamp(soonest, last) } else { f64::midpoint(from, to) };
        let best = best.clamp(earliest, latest);
        (from <= best && best <= to).then_some(best)
    });
    match places.min_by(|a, b| (a - at).abs().total_cmp(&(b - at).abs())) {
        Some(place) => place,
        // The transcript says that a word is cut, the sound says that none is.
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
        let around = Around { words: &words, voice: &spans(voice), others: &spans(others), video: span(0.0, 100.0) };
        let snapped = snap(span(asked.0, asked.1), &around, Duration::from_secs(10), Duration::from_millis(30_500));
        ((snapped.start().secs() * 100.0).round() / 100.0, (snapped.end().secs() * 100.0).round() / 100.0)
    }

    const TALK: [(f64, f64); 4] = [(8.0, 9.8), (10.1, 15.0), (15.5, 29.9), (30.4, 33.0)];

    #[test]
    fn ends_in_pauses_stay() {
        assert_eq!(snapped((10.0, 30.1), &TALK, &TALK, &[]), (10.0, 30.1));
        assert_eq!(snapped((10.0, 30.1), &TALK, &[], &[]), (10.0, 30.1));
        assert_eq!(snapped((10.0, 30.1), &[], &[], &[]), (10.0, 30.1));
    }

    #[test]
    fn an_end_inside_a_voice_moves_to_the_nearest_pause_and_leaves_a_breath() {
        // Words are said a little before or after the transcript says.
        let words = [(8.0, 9.9), (9.95, 15.0), (15.5, 29.7), (30.4, 33.0)];
        assert_eq!(snapped((9.9, 29.8), &words, &[(8.0, 9.4), (9.85, 15.0), (15.5, 29.9), (30.4, 33.0)], &[]), (9.77, 30.06));
        // The rest of a word that does not belong to the clip is left out.
        assert_eq!(snapped((10.0, 30.1), &[(8.0, 9.9), (10.3, 29.9)], &[(8.0, 10.05), (10.3, 29.9)], &[]).0, 10.21);
    }

    #[test]
    fn where_nobody_listened_the_words_count() {
        assert_eq!(snapped((10.2, 29.8), &TALK, &[], &[]), (10.1, 29.9));
        // No pause in reach: off the clip's own words at least.
        assert_eq!(snapped((10.2, 29.8), &TALK, &[(0.0, 60.0)], &[]), (10.1, 29.9));
        // A word that began long ago.
        assert_eq!(snapped((10.9, 29.9), &[(10.0, 12.0), (12.0, 29.9)], &[], &[]), (10.9, 29.9));
    }

    #[test]
    fn two_clips_stop_in_the_middle_of_their_gap_and_the_longest_clip_grows_no_longer() {
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
            let got = snap(asked, &Around { words: &words, voice: &voice, others: &others, video }, min, max);

            let slack = Duration::from_micros(2);
            prop_assert!(got.duration() + slack >= min.min(asked.duration()), "{got}");
            prop_assert!(got.duration() <= max.max(asked.duration()) + slack, "{got}");
            prop_assert!(got.start() >= video.start() && got.end() <= video.end().max(asked.end()));
            prop_assert!(got.start().since(asked.start()).secs().abs() <= OUT + 1e-5 && got.end().since(asked.end()).secs().abs() <= OUT + 1e-5);
            prop_assert!(others.iter().all(|other| other.intersection(got).is_none()));
            let transcript = Transcript { words, ..Transcript::default() };
            prop_assert_eq!(transcript.words_in(asked), transcript.words_in(got));
            // Whichever way an end went, it never went from a pause into a voice.
            let quiet = |at: Timestamp| voice.iter().all(|voice| at <= voice.start().plus(1e-5) || at >= voice.end().plus(-1e-5));
            prop_assert!(!quiet(asked.start()) || quiet(got.start()), "{asked} -> {got}");
            prop_assert!(!quiet(asked.end()) || quiet(got.end()), "{asked} -> {got}");
        }
    }
}
