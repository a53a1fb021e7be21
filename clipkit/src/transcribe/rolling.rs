//! Conversion of roll-up captions, where each cue repeats the line before, to cues without
//! repetition.

use std::collections::HashSet;

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
/// Cues whose starts differ by less, in seconds, start together.
const TOGETHER: f64 = 0.05;
/// The most lines of a cue that can be repeated from the one before.
const MAX_SHARED: usize = 8;

/// Sorts cues by time, removes cues and lines that repeat others, and ends each cue at the latest
/// where the next starts.
pub(super) fn unroll(mut cues: Vec<Cue>) -> Vec<Cue> {
    cues.retain(|cue| !cue.lines.is_empty());
    cues.sort_by_key(|cue| cue.span.start());
    cues = join_equal(drop_duplicates(cues));
    if is_roll_up(&cues) {
        cues = drop_repeats(cues);
    }
    one_at_a_time(cues)
}

/// Removes cues that start together with one of the same text: layers of an ASS file, cues that a
/// converter wrote twice.
fn drop_duplicates(cues: Vec<Cue>) -> Vec<Cue> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut since: Option<Timestamp> = None;
    let mut once = cues;
    once.retain(|cue| {
        if since.is_none_or(|since| cue.span.start() > since.plus(TOGETHER)) {
            seen.clear();
            since = Some(cue.span.start());
        }
        seen.insert(letters(&cue.lines))
    });
    once
}

/// Joins consecutive cues of the same text where they are one: each highlights another word (as
/// Whisper's `highlight_words` does), they overlap, or the text is too long to be said twice.
fn join_equal(cues: Vec<Cue>) -> Vec<Cue> {
    const LONG_WORDS: usize = 4;
    let mut joined: Vec<(Cue, String)> = Vec::with_capacity(cues.len());
    for mut cue in cues {
        let text = letters(&cue.lines);
        let highlight = highlight_start(&cue.lines);
        if let Some((before, known)) = joined.last_mut()
            && *known == text
            && cue.span.start() <= before.span.end().plus(0.15)
        {
            let is_timed = before.lines.iter().flatten().any(|character| character.at.is_some());
            let overlap = cue.span.start() < before.span.end().plus(-TOGETHER);
            if is_timed || highlight.is_some() || overlap || count_runs(&cue.lines) >= LONG_WORDS {
                before.span = Span::between(before.span.start(), before.span.end().max(cue.span.end()));
                set_time(&mut before.lines, highlight, cue.span.start());
                continue;
            }
        }
        let start = cue.span.start();
        set_time(&mut cue.lines, highlight, start);
        joined.push((cue, text));
    }
    joined.into_iter().map(|(cue, _)| cue).collect()
}

/// The number of visible characters before the highlighted part of a cue. `None` if nothing, or
/// everything, is highlighted.
fn highlight_start(lines: &[Vec<TimedChar>]) -> Option<usize> {
    // YouTube's tags around timed words are no highlights.
    if lines.iter().flatten().any(|character| character.at.is_some()) {
        return None;
    }
    let mut visible = lines.iter().flatten().filter(|character| !character.letter.is_whitespace());
    let first = visible.position(|character| character.highlighted)?;
    (first > 0 || visible.any(|character| !character.highlighted)).then_some(first)
}

/// Sets the time of the visible character `place`, if it has none.
fn set_time(lines: &mut [Vec<TimedChar>], place: Option<usize>, at: Timestamp) {
    let mut visible = lines.iter_mut().flatten().filter(|character| !character.letter.is_whitespace());
    if let Some(character) = place.and_then(|place| visible.nth(place)) {
        character.at.get_or_insert(at);
    }
}

/// The visible characters of a cue.
fn letters(lines: &[Vec<TimedChar>]) -> String {
    lines.iter().flatten().map(|character| character.letter).filter(|letter| !letter.is_whitespace()).collect()
}

fn count_runs(lines: &[Vec<TimedChar>]) -> usize {
    lines.iter().map(|line| text(line).split(' ').count()).sum()
}

/// Whether these are roll-up captions. YouTube's have word times; after a conversion that drops
/// them, at least a quarter of the adjacent cues share a line, or the text of a cue grows.
fn is_roll_up(cues: &[Cue]) -> bool {
    if cues.iter().flat_map(|cue| cue.lines.iter().flatten()).any(|character| character.at.is_some()) {
        return true;
    }
    let adjacent = || cues.windows(2).filter_map(|pair| if let [a, b] = pair { follows(a, b).then_some((a, b)) } else { None });
    let repeats = adjacent().filter(|(a, b)| shared_lines(&a.lines, &b.lines) > 0 || grown(a, b).is_some()).count();
    repeats >= 3 && repeats * 4 >= adjacent().count()
}

/// The lines of a cue without the text of the cue before, if it begins with that whole text: `Why`,
/// `Why do`, `Why do most`.
fn grown(before: &Cue, after: &Cue) -> Option<Vec<Vec<TimedChar>>> {
    let mut known = before.lines.iter().flatten().map(|character| character.letter).filter(|letter| !letter.is_whitespace()).peekable();
    let mut fresh = Vec::new();
    for line in &after.lines {
        let mut at = 0;
        while let Some(expected) = known.peek() {
            let Some(character) = line.get(at) else { break };
            if !character.letter.is_whitespace() {
                if character.letter != *expected || character.at.is_some() {
                    return None;
                }
                known.next();
            }
            at += 1;
        }
        if let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
            // The text before ends inside a word.
            if at > 0 && !rest[0].letter.is_whitespace() {
                return None;
            }
            fresh.push(rest.to_vec());
        }
    }
    (known.peek().is_none() && fresh.iter().flatten().any(|character| !character.letter.is_whitespace())).then_some(fresh)
}

fn follows(before: &Cue, after: &Cue) -> bool {
    after.span.start() <= before.span.end().plus(MAX_GAP)
}

/// How many lines at the end of the cue before are repeated at the top of this one.
fn shared_lines(before: &[Vec<TimedChar>], after: &[Vec<TimedChar>]) -> usize {
    // A line with word times is spoken in this cue, even if it equals a line before.
    let plain = after.iter().take_while(|line| line.iter().all(|character| character.at.is_none())).count();
    (1..=before.len().min(plain).min(MAX_SHARED)).rev().find(|&n| texts(&before[before.len() - n..]).eq(texts(&after[..n]))).unwrap_or(0)
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
        let grown = screen.as_ref().filter(|before| shared == 0 && follows(before, &cue)).and_then(|before| grown(before, &cue));
        let fresh = grown.unwrap_or_else(|| cue.lines[shared..].to_vec());
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
