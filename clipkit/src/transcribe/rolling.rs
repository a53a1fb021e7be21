//! Conversion of roll-up captions, where each cue repeats the line before, to cues without
//! repetition.

use super::markup::TimedChar;
use crate::model::{Span, Timestamp};

/// A cue: its lines and when they are shown.
#[derive(Clone, Debug)]
pub(super) struct Cue {
    pub(super) span: Span,
    pub(super) lines: Vec<Vec<TimedChar>>,
}

/// After a gap longer than this, in seconds, a cue does not continue the one before.
const MAX_GAP: f64 = 0.5;

/// Sorts cues by time, removes repeated lines of roll-up captions, and ends each cue at the latest
/// where the next starts.
pub(super) fn unroll(mut cues: Vec<Cue>) -> Vec<Cue> {
    cues.retain(|cue| !cue.lines.is_empty());
    cues.sort_by_key(|cue| cue.span.start());
    if is_roll_up(&cues) {
        cues = drop_repeats(cues);
    }
    one_at_a_time(cues)
}

/// Whether these are roll-up captions. YouTube's have word times; after a conversion that drops
/// them, at least a quarter of the adjacent cues share a line.
fn is_roll_up(cues: &[Cue]) -> bool {
    if cues.iter().flat_map(|cue| cue.lines.iter().flatten()).any(|character| character.at.is_some()) {
        return true;
    }
    let adjacent = || cues.windows(2).filter_map(|pair| if let [a, b] = pair { follows(a, b).then_some((a, b)) } else { None });
    let repeats = adjacent().filter(|(a, b)| shared_lines(&a.lines, &b.lines) > 0).count();
    repeats >= 3 && repeats * 4 >= adjacent().count()
}

fn follows(before: &Cue, after: &Cue) -> bool {
    after.span.start() <= before.span.end().plus(MAX_GAP)
}

/// How many lines at the end of the cue before are repeated at the top of this one.
fn shared_lines(before: &[Vec<TimedChar>], after: &[Vec<TimedChar>]) -> usize {
    // A line with word times is spoken in this cue, even if it equals a line before.
    let plain = after.iter().take_while(|line| line.iter().all(|character| character.at.is_none())).count();
    (1..=before.len().min(plain)).rev().find(|&n| texts(&before[before.len() - n..]).eq(texts(&after[..n]))).unwrap_or(0)
}

fn texts(lines: &[Vec<TimedChar>]) -> impl Iterator<Item = String> {
    lines.iter().map(|line| text(line))
}

fn text(line: &[TimedChar]) -> String {
    let text: String = line.iter().map(|character| character.letter).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn drop_repeats(cues: Vec<Cue>) -> Vec<Cue> {
    let mut once: Vec<Cue> = Vec::with_capacity(cues.len() / 2);
    let mut screen: Option<Cue> = None;
    for cue in cues {
        let shared = screen.as_ref().filter(|before| follows(before, &cue)).map_or(0, |before| shared_lines(&before.lines, &cue.lines));
        let fresh = cue.lines[shared..].to_vec();
        match once.last_mut() {
            // No new line: the words of the cue before may last until the end of this one.
            Some(before) if fresh.is_empty() => before.span = Span::between(before.span.start(), before.span.end().max(cue.span.end())),
            _ => once.push(Cue { span: cue.span, lines: fresh }),
        }
        screen = Some(cue);
    }
    once
}

/// Joins cues that start together (within 50 ms) and ends each cue where the next starts, so that
/// words of two cues do not interleave.
fn one_at_a_time(cues: Vec<Cue>) -> Vec<Cue> {
    const TOGETHER: f64 = 0.05;
    let mut apart: Vec<Cue> = Vec::with_capacity(cues.len());
    for cue in cues {
        match apart.last_mut() {
            Some(before) if cue.span.start() <= before.span.start().plus(TOGETHER) => {
                before.span = Span::between(before.span.start(), before.span.end().max(cue.span.end()));
                before.lines.extend(cue.lines);
            }
            Some(before) => {
                let end: Timestamp = before.span.end().min(cue.span.start());
                before.span = Span::between(before.span.start(), end);
                apart.push(cue);
            }
            None => apart.push(cue),
        }
    }
    apart
}
