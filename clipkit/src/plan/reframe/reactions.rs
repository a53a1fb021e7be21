//! Reaction shots: a listener who laughs is shown for a moment.

use std::ops::Range;

use super::STEP;
use super::people::Person;
use super::turns::{Turn, min_turn_steps};
use crate::model::{Span, Timestamp};

/// The maximum length of a reaction shot, and the minimum time from the end of one to the start of
/// the next, in seconds. The minimum length of what is before it, of itself and of what follows is
/// that of a turn.
const MAX_SECS: f64 = 2.0;
const MIN_APART: f64 = 8.0;

/// The people who are shown during another's turn.
pub(super) struct Reaction {
    steps: Range<usize>,
    people: Vec<usize>,
}

/// The stretches of a shot in steps.
pub(super) fn steps(spans: &[Span], shot: Span, times: &[Timestamp]) -> Vec<Range<usize>> {
    let step = |at: Timestamp| times.partition_point(|&time| time < at);
    spans.iter().filter_map(|span| span.intersection(shot)).map(|span| step(span.start())..step(span.end())).collect()
}

/// The reaction shots of a shot: of the listeners whose mouths move while somebody laughs, those
/// whose mouths move most.
pub(super) fn of_listeners(people: &[Person], groups: &[Vec<usize>], turns: &[Turn], laughter: &[Range<usize>]) -> Vec<Reaction> {
    let steps = |secs: f64| (secs / STEP).round() as usize;
    let mut reactions: Vec<Reaction> = Vec::new();
    for laugh in laughter {
        let shown = laugh.start..laugh.end.min(laugh.start + steps(MAX_SECS));
        let too_soon = reactions.last().is_some_and(|last| shown.start < last.steps.end + steps(MIN_APART));
        let Some(turn) = turns.iter().rev().find(|turn| turn.from <= shown.start) else { continue };
        if too_soon || shown.len() < min_turn_steps() {
            continue;
        }
        let movement = |group: &Vec<usize>| {
            let all = group.iter().filter_map(|&person| people.get(person)?.mouth_movement(shown.clone()));
            all.reduce(f64::max).filter(|_| !group.iter().any(|person| turn.people.contains(person)))
        };
        let listeners = groups.iter().filter_map(|group| Some((group, movement(group)?)));
        if let Some((group, _)) = listeners.max_by(|a, b| a.1.total_cmp(&b.1)) {
            reactions.push(Reaction { steps: shown, people: group.clone() });
        }
    }
    reactions
}

/// Who is shown in a turn: its people, and between them those of the reactions that leave the turn
/// long enough on both sides.
pub(super) fn shown_in<'a>(turn: Range<usize>, people: &'a [usize], reactions: &'a [Reaction]) -> Vec<(Range<usize>, &'a [usize])> {
    let mut parts = Vec::new();
    let mut from = turn.start;
    for Reaction { steps, people: listeners } in reactions {
        if steps.start >= from + min_turn_steps() && steps.end + min_turn_steps() <= turn.end {
            parts.extend([(from..steps.start, people), (steps.clone(), &listeners[..])]);
            from = steps.end;
        }
    }
    parts.push((from..turn.end, people));
    parts
}
