//! The people in a shot and their positions over time.

use std::ops::Range;

use super::shares;
use crate::model::{FaceSample, FaceTrack, Rect, Span, Timestamp};

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
/// Mouth changes are clipped at this value: larger ones come from jumps in the picture.
const MAX_MOUTH: f64 = 0.15;
/// A mouth with less change than this is still, in units of face contrast.
pub(super) const STILL: f64 = 0.02;
/// Probabilities of a model are kept this far from 0 and 1.
const MIN_PROBABILITY: f64 = 1e-3;
/// Times that differ by less than this many seconds are equal; they were rounded differently.
const TIME_TOLERANCE: f64 = 0.005;

/// A person at each step of a shot.
pub(super) struct Person {
    boxes: Vec<Rect>,
    present: Vec<bool>,
    /// The smoothed mouth change at each step, in units of face contrast.
    pub(super) mouth: Vec<f64>,
    /// The unsmoothed mouth change of the sample at or after each step.
    pub(super) change: Vec<f64>,
    /// The logit that the person speaks at each step, where a model judged it.
    pub(super) logit: Vec<Option<f64>>,
    /// What is subtracted from the logits when people are compared: how much more readily the model
    /// takes this mouth for a speaking one.
    pub(super) bias: f64,
    /// The square root of the median face area, in picture heights.
    pub(super) size: f64,
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

    pub(super) fn is_present(&self, n: usize) -> bool {
        self.present.get(n).copied().unwrap_or(false)
    }

    fn seen(&self) -> usize {
        self.present.iter().filter(|&&present| present).count()
    }
}

/// The number of steps of the people's shot; 0 if there are none.
pub(super) fn steps(people: &[Person]) -> usize {
    people.first().map_or(0, |person| person.boxes.len())
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
    shares::set_biases(&mut people);
    people
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
    let steps = steps(people);
    let (mut fits, mut seen) = (0, 0);
    for n in 0..steps {
        if let Some(all) = union(group.iter().filter_map(|&p| people.get(p)?.at(n))) {
            seen += 1;
            fits += usize::from(all.width <= MAX_FILL * window.width && all.height <= MAX_FILL * window.height);
        }
    }
    fits * 20 >= seen * 19
}
