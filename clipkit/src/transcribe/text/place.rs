//! Times for cues whose times were not understood, or that have no end.

use super::RawCue;
use super::count::{Losses, Reason};
use crate::model::{Span, Timestamp};
use crate::transcribe::markup::Markup;
use crate::transcribe::words::{count_text, longest_secs};

/// The least time that a word can be given, in seconds.
const LEAST_SECS: f64 = 0.05;

/// Gives each cue a span. A cue without an end lasts until the next starts, at most as long as its
/// words can last. Cues without a start share the time between their neighbours in the file; if
/// there is none, they are lost.
pub(super) fn place(cues: Vec<RawCue>, markup: Markup, losses: &mut Losses) -> Vec<(RawCue, Span)> {
    let starts: Vec<Option<Timestamp>> = cues.iter().map(|cue| cue.start).collect();
    let mut placed: Vec<(RawCue, Span)> = Vec::with_capacity(cues.len());
    let mut waiting: Vec<RawCue> = Vec::new();
    let mut sorted: Vec<Timestamp> = starts.iter().flatten().copied().collect();
    sorted.sort_unstable();
    for cue in cues {
        let Some(start) = cue.start else {
            waiting.push(cue);
            continue;
        };
        if !waiting.is_empty() {
            between(std::mem::take(&mut waiting), &mut placed, Some(start), markup, losses);
        }
        let is_backwards = cue.end.is_some_and(|end| end < start);
        if is_backwards {
            losses.repair("the end lies before the start and is set anew", cue.line);
        }
        let end = cue.end.filter(|end| *end > start).unwrap_or_else(|| {
            let next = sorted.get(sorted.partition_point(|other| *other <= start)).copied();
            let longest = start.plus(longest_secs(&cue.text));
            next.map_or(longest, |next| next.min(longest))
        });
        placed.push((cue, Span::between(start, end)));
    }
    if !waiting.is_empty() {
        between(waiting, &mut placed, None, markup, losses);
    }
    placed
}

/// Places cues between the last one placed and `next`.
fn between(cues: Vec<RawCue>, placed: &mut Vec<(RawCue, Span)>, next: Option<Timestamp>, markup: Markup, losses: &mut Losses) {
    let length: f64 = cues.iter().map(|cue| longest_secs(&cue.text)).sum();
    // An end that was understood bounds the cue.
    let end = cues.last().and_then(|cue| cue.end).filter(|end| next.is_none_or(|next| *end <= next));
    let (from, to) = match (placed.last().map(|(_, span)| span.end()), end.or(next)) {
        (Some(from), Some(to)) => (from, to),
        (Some(from), None) => (from, from.plus(length / 2.0)),
        (None, Some(to)) => (to.plus(-length / 2.0).max(Timestamp::ZERO).min(to), to),
        // No cue of the file has a time.
        (None, None) => {
            cues.iter().for_each(|cue| losses.lose(Reason::NoTime, cue.line, count_text(&cue.text, markup)));
            return;
        }
    };
    let words: usize = cues.iter().map(|cue| count_text(&cue.text, markup)).sum();
    let room = to.since(from).secs();
    if room < words as f64 * LEAST_SECS {
        cues.iter().for_each(|cue| losses.lose(Reason::NoRoom, cue.line, count_text(&cue.text, markup)));
        return;
    }
    let mut at = from;
    for cue in cues {
        losses.repair("the time was not understood, and the words are placed between their neighbours", cue.line);
        let end = at.plus(room * longest_secs(&cue.text) / length.max(LEAST_SECS));
        placed.push((cue, Span::between(at, end.min(to))));
        at = end.min(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start: Option<f64>, end: Option<f64>, text: &str) -> RawCue {
        let time = |seconds: Option<f64>| seconds.map(Timestamp::from_secs);
        RawCue { line: 7, start: time(start), end: time(end), text: text.into(), speaker: None }
    }

    fn spans(cues: Vec<RawCue>) -> (Vec<String>, usize) {
        let mut losses = Losses::default();
        let placed = place(cues, Markup::Plain, &mut losses);
        let shown = |(cue, span): &(RawCue, Span)| format!("{} {:.2}-{:.2}", cue.text, span.start().secs(), span.end().secs());
        (placed.iter().map(shown).collect(), losses.words())
    }

    #[test]
    fn a_cue_without_times_stands_between_its_neighbours() {
        let (found, lost) =
            spans(vec![cue(Some(1.0), Some(2.0), "a"), cue(None, None, "b"), cue(None, Some(4.0), "c"), cue(Some(5.0), Some(6.0), "d")]);
        assert_eq!((found, lost), (vec!["a 1.00-2.00".into(), "b 2.00-3.00".into(), "c 3.00-4.00".into(), "d 5.00-6.00".into()], 0));
        let (found, lost) = spans(vec![cue(Some(1.0), Some(2.0), "a"), cue(None, None, "two words"), cue(Some(2.0), Some(6.0), "d")]);
        assert_eq!((found.len(), lost), (2, 2));
        let (found, lost) = spans(vec![cue(None, None, "one two")]);
        assert_eq!((found.len(), lost), (0, 2));
    }

    #[test]
    fn a_missing_end_is_the_next_start() {
        let (found, _) = spans(vec![cue(Some(1.0), None, "a b c d e f"), cue(Some(2.0), Some(1.5), "x"), cue(Some(60.0), Some(60.0), "y")]);
        assert_eq!(found, ["a b c d e f 1.00-2.00", "x 2.00-2.60", "y 60.00-60.60"]);
    }
}
