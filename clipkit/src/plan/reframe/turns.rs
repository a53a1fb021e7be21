//! The turns of a shot: who is framed when.

use std::ops::RangeInclusive;

use super::STEP;
use super::people::{self, Person};
use super::shares;
use super::speech::SpeechState;

/// The cost of a change of speaker, in seconds of certain speech. An interjection needs two
/// changes, so it must be worth twice this: about 1.5 seconds of typical speech.
const CHANGE_COST: f64 = 0.6;
/// The clarity of who speaks is averaged over this many steps before and after: 1 s in total.
const CONTEXT_STEPS: usize = 5;
/// The score bonus of the largest person, which decides while nobody speaks.
const SIZE_BONUS: f64 = 0.1;
/// The cost of framing people none of whom is visible.
const ABSENCE_COST: f64 = 1.0;
/// The minimum length of a turn, in seconds.
const MIN_TURN: f64 = 1.0;
/// A turn starts at the first mouth movement from `ONSET_BEFORE` steps before the detected change
/// to `ONSET_AFTER` steps after it. A change may be detected early: compression noise looks like
/// small movements of a still mouth.
const ONSET_BEFORE: usize = 3;
const ONSET_AFTER: usize = 6;
/// The minimum of that movement, relative to the mean movement in the second after it.
const ONSET_PART: f64 = 0.5;

/// The people to frame from one step on.
#[derive(Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) from: usize,
    pub(super) people: Vec<usize>,
}

/// The turns of a shot: of its [`groups`], the one that speaks is framed. `states` holds the speech
/// state at each step.
pub(super) fn turns(people: &[Person], groups: &[Vec<usize>], states: &[SpeechState]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for (n, group) in without_short_turns(&framed_groups(people, groups, states)).into_iter().enumerate() {
        let Some(group) = groups.get(group) else { continue };
        if turns.last().is_none_or(|turn| turn.people != *group) {
            turns.push(Turn { from: n, people: group.clone() });
        }
    }
    // The last step is the shot's end and has no duration; the one before it may be close to it.
    let end = people::steps(people).saturating_sub(2);
    for n in 1..turns.len() {
        let next = turns.get(n + 1).map_or(end, |turn| turn.from);
        let long_enough = turns[n - 1].from + min_turn_steps()..=next.saturating_sub(min_turn_steps());
        // The transcript's speaker times are more precise than mouth movement.
        let is_named = states.get(turns[n].from).is_some_and(|moment| moment.speaker.is_some_and(|who| turns[n].people.contains(&who)));
        // So are a model's answers, where there is a voice and they find that somebody speaks.
        let speaks =
            |p: &usize| people.get(*p).is_some_and(|person| matches!(person.logit.get(turns[n].from), Some(Some(logit)) if *logit > 0.0));
        let is_judged = states.get(turns[n].from).is_some_and(|moment| moment.voice) && turns[n].people.iter().any(speaks);
        if !is_named && !is_judged {
            turns[n].from = onset(people, &turns[n - 1], &turns[n], long_enough);
        }
    }
    turns
}

pub(super) fn min_turn_steps() -> usize {
    (MIN_TURN / STEP).round() as usize
}

/// The start of a turn: the first mouth movement of its new people near the detected change and
/// within `range`. Without such a movement, the detected change.
fn onset(people: &[Person], before: &Turn, turn: &Turn, range: RangeInclusive<usize>) -> usize {
    let new = || turn.people.iter().filter(|person| !before.people.contains(person)).filter_map(|&person| people.get(person));
    let change = |n: usize| new().filter_map(|person| person.change.get(n)).fold(0.0, |most: f64, change| most.max(*change));
    let second = (1.0 / STEP).round() as usize;
    let usual = (turn.from..turn.from + second).map(change).sum::<f64>() / second as f64;
    let mut near = turn.from.saturating_sub(ONSET_BEFORE).max(*range.start())..=(turn.from + ONSET_AFTER).min(*range.end());
    near.find(|&n| usual > 0.0 && change(n) >= ONSET_PART * usual).unwrap_or(turn.from)
}

/// For each step and person, the confidence that the person speaks, 0 to 1: the mouth share and,
/// where the mouth shares around the step are ambiguous, the speaker in the transcript.
fn speech(people: &[Person], states: &[SpeechState]) -> Vec<Vec<f64>> {
    let steps = people::steps(people);
    let state = |n: usize| states.get(n).copied().unwrap_or(SpeechState::UNKNOWN);
    let shares: Vec<Vec<f64>> =
        (0..steps).map(|n| (0..people.len()).map(|p| shares::speech_share(people, p, n, state(n))).collect()).collect();
    let speaks = |n: usize| {
        let mut around = vec![0.0; people.len()];
        let near = shares.get(n.saturating_sub(CONTEXT_STEPS)..(n + CONTEXT_STEPS + 1).min(steps)).unwrap_or_default();
        for moment in near {
            around.iter_mut().zip(moment).for_each(|(sum, share)| *sum += share / near.len() as f64);
        }
        around.sort_by(|a, b| b.total_cmp(a));
        let clear = around.first().unwrap_or(&0.0) - around.get(1).unwrap_or(&0.0);
        let transcript_share = |p: usize| if state(n).speaker == Some(p) { 1.0 - clear } else { 0.0 };
        shares[n].iter().enumerate().map(|(p, share)| (share + transcript_share(p)).min(1.0)).collect()
    };
    (0..steps).map(speaks).collect()
}

/// The group to frame at each step: the sequence with the highest total speech minus the cost of
/// changes, found by the Viterbi algorithm. The whole shot is known, so a change is not late, and
/// an interjection causes none.
fn framed_groups(people: &[Person], groups: &[Vec<usize>], states: &[SpeechState]) -> Vec<usize> {
    let steps = people::steps(people);
    let largest = people.iter().map(|person| person.size).fold(1e-9, f64::max);
    let speech = speech(people, states);
    let worth = |group: &[usize], n: usize| {
        let members = group.iter().filter_map(|&p| Some((people.get(p)?, speech[n].get(p)?))).filter(|(person, _)| person.is_present(n));
        let values = members.map(|(person, speaks)| speaks + SIZE_BONUS * person.size / largest);
        STEP * values.reduce(|a, b| a + b).unwrap_or(-ABSENCE_COST)
    };
    let best = |totals: &[f64]| totals.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(group, _)| group);
    let mut totals = vec![0.0; groups.len()];
    // The predecessor on the best path, for each step and group.
    let mut before: Vec<Vec<usize>> = Vec::with_capacity(steps);
    for n in 0..steps {
        let leader = best(&totals);
        let change = totals[leader] - CHANGE_COST;
        let from: Vec<usize> = (0..groups.len()).map(|g| if n > 0 && change > totals[g] { leader } else { g }).collect();
        let reached = groups.iter().enumerate().map(|(g, group)| if from[g] == g { totals[g] } else { change } + worth(group, n));
        totals = reached.collect();
        before.push(from);
    }
    let mut framed = vec![best(&totals); steps];
    for n in (1..steps).rev() {
        framed[n - 1] = before[n][framed[n]];
    }
    framed
}

/// Merges turns that are too short into the previous turn, or at the shot's start into the next.
fn without_short_turns(framed: &[usize]) -> Vec<usize> {
    let shortest = min_turn_steps();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut end = 0;
    for run in framed.chunk_by(|a, b| a == b) {
        end += run.len();
        // The last step is the shot's end and has no duration; the one before it may be close to
        // it.
        let length = if end == framed.len() { run.len().saturating_sub(2) } else { run.len() };
        match runs.last_mut() {
            Some((who, count)) if length < shortest || *who == run[0] => *count += run.len(),
            _ => runs.push((run[0], run.len())),
        }
    }
    if let [(_, first), (_, second), ..] = &mut runs[..]
        && *first < shortest
    {
        *second += *first;
        runs.remove(0);
    }
    runs.into_iter().flat_map(|(who, count)| std::iter::repeat_n(who, count)).collect()
}
