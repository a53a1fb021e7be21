//! The stretches of a shot in which sound and picture together do not tell who speaks: several
//! mouths move as the voice does, or the voice is nobody's in the picture.

use std::ops::Range;

use super::STEP;
use super::people::Person;
use super::shares;
use super::speech::SpeechState;

/// Shares of the speech are averaged over this many steps before and after: 2 s in total. Answers
/// that swing within it are as uncertain as equal ones.
const CONTEXT_STEPS: usize = 10;
/// Where the two most likely ones differ by less than this part of the speech, neither is certain.
/// Measured on made talks of two real faces, 64 to 96 s each: beside a listener whose mouth moves
/// to the other's voice 16, 26, 0, 0, 0 and 8 s are uncertain, beside one who moves 0, 0 and 0 s.
const MIN_MARGIN: f64 = 0.3;
/// A shorter stretch is a breath between two turns, or the start of a shot, in seconds.
const MIN_STRETCH: f64 = 3.0;
/// A certain stretch between two uncertain ones that is shorter than this belongs to them, in
/// seconds: showing one person for it would be one more cut there and back.
const MIN_CERTAIN: f64 = 3.0;
/// The same at the start and the end of the shot, where there is one cut only, in seconds.
const MIN_EDGE: f64 = 1.0;

/// The uncertain stretches, in steps. `voice` says whether the audio was analysed: without it,
/// nobody knows whether there is a voice.
pub(super) fn stretches(people: &[Person], groups: &[Vec<usize>], states: &[SpeechState], voice: bool) -> Vec<Range<usize>> {
    if !voice || groups.len() < 2 {
        return Vec::new();
    }
    let shares: Vec<Option<Vec<f64>>> = states.iter().enumerate().map(|(n, state)| group_shares(people, groups, n, *state)).collect();
    let uncertain: Vec<bool> = (0..shares.len()).map(|n| is_uncertain(&shares, n, groups.len())).collect();
    long_stretches(&uncertain)
}

/// How much of the speech at a step is each group's. `None` where there is no voice, where the
/// transcript names the speaker, and where no model compared the mouths with the voice.
fn group_shares(people: &[Person], groups: &[Vec<usize>], n: usize, state: SpeechState) -> Option<Vec<f64>> {
    if !state.voice || state.speaker.is_some() {
        return None;
    }
    let share = |group: &Vec<usize>| group.iter().map(|&person| shares::judged_share(people, person, n).map(|(share, _)| share)).sum();
    groups.iter().map(share).collect()
}

fn is_uncertain(shares: &[Option<Vec<f64>>], n: usize, groups: usize) -> bool {
    if shares.get(n).is_none_or(Option::is_none) {
        return false;
    }
    let around = n.saturating_sub(CONTEXT_STEPS)..(n + CONTEXT_STEPS + 1).min(shares.len());
    let known: Vec<&Vec<f64>> = shares.get(around).into_iter().flatten().flatten().collect();
    let mean = |group: usize| known.iter().filter_map(|shares| shares.get(group)).sum::<f64>() / known.len() as f64;
    let mut means: Vec<f64> = (0..groups).map(mean).collect();
    means.sort_by(|a, b| b.total_cmp(a));
    matches!(means[..], [first, second, ..] if first - second < MIN_MARGIN)
}

/// The runs of uncertain steps, without short certain ones between and around them, and without
/// short ones.
fn long_stretches(uncertain: &[bool]) -> Vec<Range<usize>> {
    let steps = |secs: f64| (secs / STEP).round() as usize;
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut end = 0;
    for run in uncertain.chunk_by(|a, b| a == b) {
        let start = end;
        end += run.len();
        if run.first() == Some(&true) {
            match runs.last_mut().filter(|last| start - last.end < steps(MIN_CERTAIN)) {
                Some(last) => last.end = end,
                None => runs.push(start..end),
            }
        }
    }
    runs.retain(|run| run.len() >= steps(MIN_STRETCH));
    // The last step is the shot's end and has no duration.
    let last = uncertain.len().saturating_sub(1);
    for run in &mut runs {
        let from = if run.start < steps(MIN_EDGE) { 0 } else { run.start };
        let to = if last.saturating_sub(run.end) < steps(MIN_EDGE) { last } else { run.end };
        *run = from..to;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_gaps_are_closed_and_short_stretches_left_out() {
        let found = |parts: &[(bool, usize)]| {
            let steps: Vec<bool> = parts.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count)).collect();
            long_stretches(&steps).into_iter().map(|run| (run.start, run.end)).collect::<Vec<_>>()
        };
        assert_eq!(found(&[(false, 40), (true, 25), (false, 20), (true, 10), (false, 40)]), [(40, 95)]);
        assert_eq!(found(&[(true, 10), (false, 40), (true, 19), (false, 30)]), []);
        assert_eq!(found(&[(false, 9), (true, 30), (false, 30), (true, 30), (false, 10)]), [(0, 39), (69, 108)]);
        assert_eq!(found(&[(false, 10), (true, 30), (false, 20)]), [(10, 40)]);
        assert!(long_stretches(&[]).is_empty());
    }
}
