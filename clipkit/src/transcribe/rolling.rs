//! Captions that roll (each cue shows the line before once more) to cues that say each word once.

use super::markup::Glyph;
use crate::model::{Span, Timestamp};

/// A cue: lines of glyphs and when they show.
#[derive(Clone, Debug)]
pub(super) struct Cue {
    pub(super) span: Span,
    pub(super) lines: Vec<Vec<Glyph>>,
}

/// Two cues this far apart are not one screen that scrolls.
const SCREEN_CLEARED: f64 = 0.5;

/// Cues in order of time, each line said once, none longer than until the next one starts.
pub(super) fn unroll(mut cues: Vec<Cue>) -> Vec<Cue> {
    cues.retain(|cue| !cue.lines.is_empty());
    cues.sort_by_key(|cue| cue.span.start());
    if rolls(&cues) {
        cues = drop_repeats(cues);
    }
    one_at_a_time(cues)
}

/// Whether these captions roll: YouTube's have word times; converted ones show themselves by how often a line is repeated.
fn rolls(cues: &[Cue]) -> bool {
    if cues.iter().flat_map(|cue| cue.lines.iter().flatten()).any(|glyph| glyph.at.is_some()) {
        return true;
    }
    let adjacent = || cues.windows(2).filter_map(|pair| if let [a, b] = pair { follows(a, b).then_some((a, b)) } else { None });
    let repeats = adjacent().filter(|(a, b)| shared_lines(&a.lines, &b.lines) > 0).count();
    repeats >= 3 && repeats * 4 >= adjacent().count()
}

fn follows(before: &Cue, after: &Cue) -> bool {
    after.span.start() <= before.span.end().plus(SCREEN_CLEARED)
}

/// How many lines at the end of the screen before stand at the top of this one.
fn shared_lines(before: &[Vec<Glyph>], after: &[Vec<Glyph>]) -> usize {
    // A line with word times is being said now, whatever stood there before.
    let plain = after.iter().take_while(|line| line.iter().all(|glyph| glyph.at.is_none())).count();
    (1..=before.len().min(plain)).rev().find(|&n| texts(&before[before.len() - n..]).eq(texts(&after[..n]))).unwrap_or(0)
}

fn texts(lines: &[Vec<Glyph>]) -> impl Iterator<Item = String> {
    lines.iter().map(|line| text(line))
}

fn text(line: &[Glyph]) -> String {
    let text: String = line.iter().map(|glyph| glyph.letter).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn drop_repeats(cues: Vec<Cue>) -> Vec<Cue> {
    let mut once: Vec<Cue> = Vec::with_capacity(cues.len() / 2);
    let mut screen: Option<Cue> = None;
    for cue in cues {
        let shared = screen.as_ref().filter(|before| follows(before, &cue)).map_or(0, |before| shared_lines(&before.lines, &cue.lines));
        let fresh = cue.lines[shared..].to_vec();
        match once.last_mut() {
            // Nothing new, but still shown: the words before may be said this long.
            Some(before) if fresh.is_empty() => before.span = Span::between(before.span.start(), before.span.end().max(cue.span.end())),
            _ => once.push(Cue { span: cue.span, lines: fresh }),
        }
        screen = Some(cue);
    }
    once
}

/// Joins cues that start together and ends each where the next starts, so that words of two cues do not mix.
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
