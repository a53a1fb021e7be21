//! The people in a shot, their positions over time, and whom to frame when.

use std::ops::{Range, RangeInclusive};

use crate::model::{FaceSample, FaceTrack, Rect, Span, Timestamp};

use super::STEP;
use super::speech::SpeechState;

/// The maximum gap between two tracks of one person, in seconds.
const REJOIN_GAP: f64 = 5.0;
/// The maximum distance between two tracks of one person, in face sizes.
const REJOIN_DISTANCE: f64 = 0.7;
/// The maximum ratio of the face sizes of two tracks of one person.
const REJOIN_RATIO: f64 = 1.6;
/// A face counts as present this long before its first and after its last sample (`HOLD`) and
/// across gaps up to `MAX_GAP`, in seconds.
const HOLD: f64 = 0.6;
const MAX_GAP: f64 = 1.5;
/// People whose face is smaller than this part of the largest face are background, and people
/// visible for less than this part of the longest presence are passers-by. Both are ignored.
const MIN_RELATIVE_SIZE: f64 = 0.4;
const MIN_RELATIVE_PRESENCE: f64 = 0.25;
/// The maximum part of the window that a group of people fills.
const MAX_FILL: f64 = 0.9;
/// A constant added to the sum of all mouth changes, in units of face contrast, so that noise alone
/// gives nobody a high share.
const MOUTH_NOISE: f64 = 0.02;
/// Mouth changes are clipped at this value: larger ones come from jumps in the picture.
const MAX_MOUTH: f64 = 0.15;
/// A mouth with less change than this is still, in units of face contrast.
const STILL: f64 = 0.02;
/// Probabilities of a model are kept this far from 0 and 1.
const MIN_PROBABILITY: f64 = 1e-3;
/// How a model's answers for several people are compared: logits times `SHARPNESS`, with
/// `BIAS_PART` of what a mouth's mean differs from that of all. Measured on made talks of two real
/// faces, of which one moves its mouth to the other's voice: the speaker is chosen 84 % of the
/// time; without the bias 78 %, with a sharpness of 1 68 %.
const SHARPNESS: f64 = 2.0;
const BIAS_PART: f64 = 0.5;
/// The mean logits from which on a mouth seems to speak, in part and fully. Measured on made talks
/// of two real faces: the lower mean of a shot is 0.95 to 2.95 where both mouths talk, and -4.5 to
/// 0.5 beside a listener who moves.
const SEEMS_TO_SPEAK: (f64, f64) = (0.5, 0.8);
/// A person whose logit is lower than the highest one by more than this clearly is not the speaker.
const CLEAR_GAP: f64 = 1.0;
/// The weight of mouth movement without voice activity. It is enough to follow a speaker for
/// seconds in footage without audio or with music, and too little to show somebody who chews for
/// three seconds.
const NO_VOICE_WEIGHT: f64 = 0.35;
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
/// A turn starts at the first mouth movement within this many steps of the detected change.
const ONSET_RANGE: usize = 3;
/// The minimum of that movement, relative to the mean movement in the second after it.
const ONSET_PART: f64 = 0.5;
/// Times that differ by less than this many seconds are equal; they were rounded differently.
const TIME_TOLERANCE: f64 = 0.005;

/// A person at each step of a shot.
pub(super) struct Person {
    boxes: Vec<Rect>,
    present: Vec<bool>,
    /// The smoothed mouth change at each step, in units of face contrast.
    mouth: Vec<f64>,
    /// The unsmoothed mouth change of the sample at or after each step.
    change: Vec<f64>,
    /// The logit that the person speaks at each step, where a model judged it.
    logit: Vec<Option<f64>>,
    /// What is subtracted from the logits when people are compared: how much more readily the model
    /// takes this mouth for a speaking one.
    bias: f64,
    /// The square root of the median face area, in picture heights.
    size: f64,
}

impl Person {
    /// The box of the face at step `n`, if the person is visible.
    pub(super) fn at(&self, n: usize) -> Option<Rect> {
        self.boxes.get(n).copied().filter(|_| self.is_present(n))
    }

    /// The mean box of the face over all steps at which the person is visible.
    pub(super) fn mean_box(&self) -> Option<Rect> {
        let count = self.seen() as f64;
        let visible = (0..self.boxes.len()).filter_map(|n| self.at(n));
        let sum = visible.reduce(|a, b| Rect::new(a.x + b.x, a.y + b.y, a.width + b.width, a.height + b.height))?;
        Some(Rect::new(sum.x / count, sum.y / count, sum.width / count, sum.height / count))
    }

    /// The mean mouth change in these steps; `None` if the mouth is still, or the person not always
    /// visible.
    pub(super) fn mouth_movement(&self, steps: Range<usize>) -> Option<f64> {
        let mouth = self.mouth.get(steps.clone()).filter(|mouth| !mouth.is_empty())?;
        let mean = mouth.iter().sum::<f64>() / mouth.len() as f64;
        (steps.into_iter().all(|n| self.is_present(n)) && mean > STILL).then_some(mean)
    }

    fn is_present(&self, n: usize) -> bool {
        self.present.get(n).copied().unwrap_or(false)
    }

    fn seen(&self) -> usize {
        self.present.iter().filter(|&&present| present).count()
    }
}

/// The people to frame from one step on.
#[derive(Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) from: usize,
    pub(super) people: Vec<usize>,
}

/// The smallest box that contains all boxes; `None` without boxes.
pub(super) fn union(mut boxes: impl Iterator<Item = Rect>) -> Option<Rect> {
    let first = boxes.next()?;
    Some(boxes.fold(first, |a, b| {
        let (left, top) = (a.x.min(b.x), a.y.min(b.y));
        let (right, bottom) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
        Rect::new(left, top, right - left, bottom - top)
    }))
}

/// The relevant people of a shot at `times`. `shape` is the picture's width divided by its height.
pub(super) fn in_shot(faces: &[FaceTrack], shot: Span, times: &[Timestamp], shape: f64) -> Vec<Person> {
    let parts = faces.iter().map(|face| face.samples.iter().filter(|sample| shot.contains(sample.at)).copied().collect());
    let joined = merged_tracks(parts.filter(|samples: &Vec<FaceSample>| !samples.is_empty()).collect(), shape);
    let mut people: Vec<Person> = joined.iter().map(|samples| person(samples, times, shape)).collect();
    let most_seen = people.iter().map(Person::seen).max().unwrap_or(0) as f64;
    people.retain(|person| person.seen() as f64 >= MIN_RELATIVE_PRESENCE * most_seen);
    let largest = people.iter().map(|person| person.size).fold(0.0, f64::max);
    people.retain(|person| person.size >= MIN_RELATIVE_SIZE * largest);
    set_biases(&mut people);
    people
}

/// Sets the biases of people whose mouths all seem to speak, as those of people who talk in turns
/// do, or of a mouth that moves to another's voice: of each mean logit, what it differs from the
/// mean of all counts for [`BIAS_PART`]. A listener's mean is below [`SEEMS_TO_SPEAK`], and none
/// has a bias then.
fn set_biases(people: &mut [Person]) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let means: Vec<f64> = people.iter().map(|person| mean(&person.logit.iter().flatten().copied().collect::<Vec<_>>())).collect();
    let (from, to) = SEEMS_TO_SPEAK;
    let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
    let part = BIAS_PART * ((lowest - from) / (to - from)).clamp(0.0, 1.0);
    let all = mean(&means);
    people.iter_mut().zip(means).for_each(|(person, own)| person.bias = part * (own - all));
}

/// Merges tracks that continue where another one ended: the person turned away for longer than the
/// tracker bridges.
fn merged_tracks(mut parts: Vec<Vec<FaceSample>>, shape: f64) -> Vec<Vec<FaceSample>> {
    parts.sort_by_key(|samples| samples.first().map(|sample| sample.at));
    let mut joined: Vec<Vec<FaceSample>> = Vec::new();
    for samples in parts {
        let Some(first) = samples.first() else { continue };
        let continues = |before: &&mut Vec<FaceSample>| {
            let Some(last) = before.last() else { return false };
            let gap = first.at.since(last.at).secs();
            let (was, is) = (last.rect.size(shape), first.rect.size(shape));
            let distance = last.rect.distance(first.rect, shape);
            (0.0..=REJOIN_GAP).contains(&gap) && gap > 0.0 && distance <= REJOIN_DISTANCE && (is / was).ln().abs() <= REJOIN_RATIO.ln()
        };
        match joined.iter_mut().find(continues) {
            Some(before) => before.extend(samples),
            None => joined.push(samples),
        }
    }
    joined
}

/// Resamples one person's samples (at least one, in ascending order of time) at `times`.
fn person(samples: &[FaceSample], times: &[Timestamp], shape: f64) -> Person {
    let steady = without_outliers(samples);
    let mut sizes: Vec<f64> = samples.iter().map(|sample| sample.rect.size(shape)).collect();
    sizes.sort_by(f64::total_cmp);
    let mut person = Person {
        boxes: Vec::new(),
        present: Vec::new(),
        mouth: Vec::new(),
        change: Vec::new(),
        logit: Vec::new(),
        bias: 0.0,
        size: sizes[sizes.len() / 2],
    };
    for &at in times {
        let next = samples.partition_point(|sample| sample.at <= at);
        let before = next.checked_sub(1).map(|n| (samples[n], steady[n]));
        let after = samples.get(next).map(|&sample| (sample, steady[next]));
        let (place, gap) = match (before, after) {
            (Some((a, from)), Some((b, to))) => {
                let length = b.at.since(a.at).secs().max(1e-6);
                (between(from, to, at.since(a.at).secs() / length), length - (MAX_GAP - HOLD))
            }
            (Some((a, from)), None) => (from, at.since(a.at).secs()),
            (None, Some((b, to))) => (to, b.at.since(at).secs()),
            (None, None) => (Rect::FULL, f64::INFINITY),
        };
        person.boxes.push(place);
        person.present.push(gap <= HOLD);
        // A sample holds the mouth change since the previous sample, so it applies to the time up
        // to and including its own.
        let mouth_sample = samples.get(samples.partition_point(|sample| sample.at.since(at).secs() < -TIME_TOLERANCE));
        let judged = |(sample, _): (FaceSample, Rect)| Some((sample.at.since(at).secs().abs(), sample.speaking?));
        let nearest = before.and_then(judged).into_iter().chain(after.and_then(judged)).min_by(|a, b| a.0.total_cmp(&b.0));
        person.logit.push(nearest.filter(|(distance, _)| *distance <= HOLD).map(|(_, speaking)| logit(speaking)));
        person.change.push(mouth_sample.map_or(0.0, |sample| sample.mouth.clamp(0.0, MAX_MOUTH)));
    }
    person.mouth = weighted_mean(&person.change);
    person
}

/// The logit of a probability, within the range in which a model's answers differ.
fn logit(probability: f64) -> f64 {
    let probability = probability.clamp(MIN_PROBABILITY, 1.0 - MIN_PROBABILITY);
    (probability / (1.0 - probability)).ln()
}

/// A weighted moving average (1, 2, 1). If one mouth stops and another starts between the same two
/// samples, the turn falls halfway between them.
fn weighted_mean(values: &[f64]) -> Vec<f64> {
    let at = |n: usize| values.get(n).or(values.last()).copied().unwrap_or(0.0);
    (0..values.len()).map(|n| (at(n.saturating_sub(1)) + 2.0 * at(n) + at(n + 1)) / 4.0).collect()
}

fn between(a: Rect, b: Rect, part: f64) -> Rect {
    let mix = |a: f64, b: f64| a + (b - a) * part;
    Rect::new(mix(a.x, b.x), mix(a.y, b.y), mix(a.width, b.width), mix(a.height, b.height))
}

/// The boxes after a median filter of length 3 on each side, which removes single outliers.
fn without_outliers(samples: &[FaceSample]) -> Vec<Rect> {
    let at = |n: usize| samples[n.min(samples.len() - 1)].rect;
    (0..samples.len())
        .map(|n| {
            let three = [at(n.saturating_sub(1)), at(n), at(n + 1)];
            let middle = |side: fn(Rect) -> f64| {
                let [a, b, c] = three.map(side);
                a.max(b).min(a.min(b).max(c))
            };
            let (left, top) = (middle(|rect| rect.x), middle(|rect| rect.y));
            let (right, bottom) = (middle(|rect| rect.x + rect.width), middle(|rect| rect.y + rect.height));
            Rect::new(left, top, (right - left).max(0.0), (bottom - top).max(0.0))
        })
        .collect()
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
    let end = people.first().map_or(0, |person| person.boxes.len()).saturating_sub(2);
    for n in 1..turns.len() {
        let next = turns.get(n + 1).map_or(end, |turn| turn.from);
        let long_enough = turns[n - 1].from + min_turn_steps()..=next.saturating_sub(min_turn_steps());
        // The transcript's speaker times are more precise than mouth movement.
        let is_named = states.get(turns[n].from).is_some_and(|moment| moment.speaker.is_some_and(|who| turns[n].people.contains(&who)));
        // So are a model's answers, where there is a voice to compare with.
        let judges = |p: &usize| people.get(*p).is_some_and(|person| matches!(person.logit.get(turns[n].from), Some(Some(_))));
        let is_judged = states.get(turns[n].from).is_some_and(|moment| moment.voice) && turns[n].people.iter().any(judges);
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
    let mut near = turn.from.saturating_sub(ONSET_RANGE).max(*range.start())..=(turn.from + ONSET_RANGE).min(*range.end());
    near.find(|&n| usual > 0.0 && change(n) >= ONSET_PART * usual).unwrap_or(turn.from)
}

/// The people from left to right.
pub(super) fn left_to_right(people: &[Person]) -> Vec<usize> {
    let mut row: Vec<usize> = (0..people.len()).collect();
    let middle = |p: usize| people.get(p).map_or(0.0, |person| person.boxes.iter().map(|place| place.center().0).sum::<f64>());
    row.sort_by(|&a, &b| middle(a).total_cmp(&middle(b)));
    row
}

/// The maximal groups of neighbours that fit into the window. Every person is in at least one.
pub(super) fn groups(people: &[Person], window: Rect) -> Vec<Vec<usize>> {
    let row = left_to_right(people);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut reached = 0;
    for first in 0..row.len() {
        // A single person always forms a group, even if larger than the window.
        let fits = |end: &usize| *end == first + 1 || fit_together(people, &row[first..*end], window);
        let end = (first + 1..=row.len()).take_while(fits).last().unwrap_or(first + 1);
        if end > reached {
            groups.push(row[first..end].to_vec());
            reached = end;
        }
    }
    groups
}

/// Whether these people fit into the window at 95 % or more of the steps.
pub(super) fn fit_together(people: &[Person], group: &[usize], window: Rect) -> bool {
    let steps = people.first().map_or(0, |person| person.boxes.len());
    let (mut fits, mut seen) = (0, 0);
    for n in 0..steps {
        if let Some(all) = union(group.iter().filter_map(|&p| people.get(p)?.at(n))) {
            seen += 1;
            fits += usize::from(all.width <= MAX_FILL * window.width && all.height <= MAX_FILL * window.height);
        }
    }
    fits * 20 >= seen * 19
}

/// How much of the speech at a step is a person's, 0 to 1: where there is a voice, as a model
/// judged it, else their share of all mouth movement. Mouths differ in how much they move, so that
/// share is relative. It is low if all mouths are still, and reduced without voice activity and
/// where the model finds that nobody speaks.
pub(super) fn speech_share(people: &[Person], person: usize, n: usize, state: SpeechState) -> f64 {
    // In a pause, too, the mouths of those who clearly are not the speaker count less.
    let logits = judged_logits(people, n);
    let highest = logits.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let mouth = |p: usize| {
        let behind = logits.get(p).copied().flatten().map_or(0.0, |logit| (highest - logit - CLEAR_GAP).max(0.0));
        people.get(p).and_then(|person| person.mouth.get(n)).map_or(0.0, |mouth| (-SHARPNESS * behind).exp() * mouth)
    };
    let of_movement = mouth(person) / (MOUTH_NOISE + (0..people.len()).map(mouth).sum::<f64>());
    if !state.voice {
        return NO_VOICE_WEIGHT * of_movement;
    }
    // Answers near 0 for everybody differ only by rounding, and the voice may not be a voice: it is
    // presumed where the audio was not analysed. There, mouths count as they do without a voice.
    match share_of(people, &logits, person, n) {
        Some((share, nobody)) => share + nobody * NO_VOICE_WEIGHT * of_movement,
        None => of_movement,
    }
}

/// The logits of the people that a model judged, without their bias. Nobody's if one of those whose
/// mouths move was not judged.
fn judged_logits(people: &[Person], n: usize) -> Vec<Option<f64>> {
    let of = |person: &Person| person.logit.get(n).copied().flatten();
    let unjudged =
        |person: &Person| person.is_present(n) && of(person).is_none() && person.mouth.get(n).is_some_and(|mouth| *mouth > STILL);
    if people.iter().any(unjudged) {
        return vec![None; people.len()];
    }
    people.iter().map(|person| of(person).map(|logit| logit - person.bias)).collect()
}

/// The probability that a person speaks, times their part of the sharpened odds of all (of two who
/// may both speak, the likelier one has most), and the probability that nobody speaks. `None` if
/// one of those whose mouths move was not judged.
pub(super) fn judged_share(people: &[Person], person: usize, n: usize) -> Option<(f64, f64)> {
    share_of(people, &judged_logits(people, n), person, n)
}

/// The same, by the answer of [`judged_logits`].
fn share_of(people: &[Person], logits: &[Option<f64>], person: usize, n: usize) -> Option<(f64, f64)> {
    let odds = |logit: &Option<f64>| logit.map_or(0.0, |logit| (SHARPNESS * logit).exp());
    let probability = |person: &Person| {
        let logit = person.logit.get(n).copied().flatten();
        1.0 / (1.0 + (-logit.unwrap_or(f64::NEG_INFINITY)).exp())
    };
    let all: f64 = logits.iter().map(odds).sum();
    let nobody = people.iter().map(|person| 1.0 - probability(person)).product();
    let (person, logit) = (people.get(person)?, logits.get(person)?);
    (all > 0.0).then(|| (probability(person) * odds(logit) / all, nobody))
}

/// For each step and person, the confidence that the person speaks, 0 to 1: the mouth share and,
/// where the mouth shares around the step are ambiguous, the speaker in the transcript.
fn speech(people: &[Person], states: &[SpeechState]) -> Vec<Vec<f64>> {
    let steps = people.first().map_or(0, |person| person.boxes.len());
    let state = |n: usize| states.get(n).copied().unwrap_or(SpeechState::UNKNOWN);
    let shares: Vec<Vec<f64>> = (0..steps).map(|n| (0..people.len()).map(|p| speech_share(people, p, n, state(n))).collect()).collect();
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
    let steps = people.first().map_or(0, |person| person.boxes.len());
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
