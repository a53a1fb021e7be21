//! Who is in a shot, where, and whom to frame when.

use std::ops::RangeInclusive;

use crate::model::{FaceSample, FaceTrack, Rect, Span, Timestamp};

use super::STEP;
use super::talk::Heard;

/// Two tracks are one person if the second begins at most this many seconds after the first ended ...
const REJOIN_GAP: f64 = 5.0;
/// ... at most this many face sizes away, and at most this much larger or smaller.
const REJOIN_DISTANCE: f64 = 0.7;
const REJOIN_RATIO: f64 = 1.6;
/// A face is taken to be where it was for this long before it is first and after it is last seen, and between, in seconds.
const LINGER: f64 = 0.6;
const BRIDGED: f64 = 1.5;
/// People much smaller than the largest are in the background, and ones seen for a small part of the shot only pass by.
const BACKGROUND: f64 = 0.4;
const PASSING: f64 = 0.25;
/// Together, people fill at most this part of the window.
const COMFORTABLE: f64 = 0.9;
/// Added to all mouths' change, in face contrasts, before it is shared out, so that noise alone makes nobody the speaker.
const SILENCE: f64 = 0.02;
/// A mouth that changes by more than this does not speak any more for it: it is a jump in the picture.
const LOUDEST: f64 = 0.15;
/// What a mouth that moves while no voice is heard counts for, next to one with a voice: enough to show who speaks for seconds in a recording
/// without sound or over music, not enough to show who chews for three.
const UNHEARD: f64 = 0.35;
/// What a change of speaker must gain to be shown, in seconds of certain speech. An interjection changes twice, so it must be worth twice
/// that: about one and a half seconds of usual speech.
const TURN_COST: f64 = 0.6;
/// How long before and after a moment mouths are looked at to tell how clear it is who speaks, in moments: a second in all.
const AROUND: usize = 5;
/// What the largest person has ahead while nobody speaks.
const LARGER: f64 = 0.1;
/// What framing only people who are not in the picture costs.
const ABSENT: f64 = 1.0;
/// Shorter turns are not shown, in seconds.
const SHORTEST_TURN: f64 = 1.0;
/// A turn begins with the first movement of a mouth so near to where the balance tips, in moments ...
const NEARBY: usize = 3;
/// ... that is at least this part of how much it moves in the second to come.
const FIRST_MOVEMENT: f64 = 0.5;
/// Two times this close are the same, in seconds: they were rounded in different ways.
const SAME_TIME: f64 = 0.005;

/// Someone, at each moment of the shot.
pub(super) struct Person {
    places: Vec<Rect>,
    present: Vec<bool>,
    /// How much their mouth changes around each moment, in face contrasts.
    mouth: Vec<f64>,
    /// The same, by the look that ends there or comes next alone: coarse, but right to the look.
    change: Vec<f64>,
    /// The square root of the face's area, in picture heights.
    size: f64,
}

impl Person {
    /// Where their face is at moment `n`, if it is in the picture.
    pub(super) fn at(&self, n: usize) -> Option<Rect> {
        self.places.get(n).copied().filter(|_| self.is_present(n))
    }

    /// Their face's mean box while they are in the picture.
    pub(super) fn usual_place(&self) -> Option<Rect> {
        let count = self.seen() as f64;
        let boxes = (0..self.places.len()).filter_map(|n| self.at(n));
        let sum = boxes.reduce(|a, b| Rect::new(a.x + b.x, a.y + b.y, a.width + b.width, a.height + b.height))?;
        Some(Rect::new(sum.x / count, sum.y / count, sum.width / count, sum.height / count))
    }

    fn is_present(&self, n: usize) -> bool {
        self.present.get(n).copied().unwrap_or(false)
    }

    fn seen(&self) -> usize {
        self.present.iter().filter(|&&present| present).count()
    }
}

/// From one moment on, these people are framed.
#[derive(Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) from: usize,
    pub(super) people: Vec<usize>,
}

/// The box around boxes; none around none.
pub(super) fn union(mut boxes: impl Iterator<Item = Rect>) -> Option<Rect> {
    let first = boxes.next()?;
    Some(boxes.fold(first, |a, b| {
        let (left, top) = (a.x.min(b.x), a.y.min(b.y));
        let (right, bottom) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
        Rect::new(left, top, right - left, bottom - top)
    }))
}

/// The people who matter in a shot, at the moments of `times`. `shape` is the picture's width divided by its height.
pub(super) fn in_shot(faces: &[FaceTrack], shot: Span, times: &[Timestamp], shape: f64) -> Vec<Person> {
    let parts = faces.iter().map(|face| face.samples.iter().filter(|sample| shot.contains(sample.at)).copied().collect());
    let joined = rejoined(parts.filter(|samples: &Vec<FaceSample>| !samples.is_empty()).collect(), shape);
    let mut people: Vec<Person> = joined.iter().map(|samples| person(samples, times, shape)).collect();
    let most_seen = people.iter().map(Person::seen).max().unwrap_or(0) as f64;
    people.retain(|person| person.seen() as f64 >= PASSING * most_seen);
    let largest = people.iter().map(|person| person.size).fold(0.0, f64::max);
    people.retain(|person| person.size >= BACKGROUND * largest);
    people
}

/// Tracks that go on where another ended, put together: someone looked away for longer than the tracker waits.
fn rejoined(mut parts: Vec<Vec<FaceSample>>, shape: f64) -> Vec<Vec<FaceSample>> {
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

/// Samples (in order of time, at least one) at regular moments.
fn person(samples: &[FaceSample], times: &[Timestamp], shape: f64) -> Person {
    let steady = without_outliers(samples);
    let mut sizes: Vec<f64> = samples.iter().map(|sample| sample.rect.size(shape)).collect();
    sizes.sort_by(f64::total_cmp);
    let mut person =
        Person { places: Vec::new(), present: Vec::new(), mouth: Vec::new(), change: Vec::new(), size: sizes[sizes.len() / 2] };
    for &at in times {
        let next = samples.partition_point(|sample| sample.at <= at);
        let before = next.checked_sub(1).map(|n| (samples[n], steady[n]));
        let after = samples.get(next).map(|&sample| (sample, steady[next]));
        let (place, gap) = match (before, after) {
            (Some((a, from)), Some((b, to))) => {
                let length = b.at.since(a.at).secs().max(1e-6);
                (between(from, to, at.since(a.at).secs() / length), length - (BRIDGED - LINGER))
            }
            (Some((a, from)), None) => (from, at.since(a.at).secs()),
            (None, Some((b, to))) => (to, b.at.since(at).secs()),
            (None, None) => (Rect::FULL, f64::INFINITY),
        };
        person.places.push(place);
        person.present.push(gap <= LINGER);
        // A sample tells how the mouth changed since the one before, so it speaks for the time before it, its own included.
        let told = samples.get(samples.partition_point(|sample| sample.at.since(at).secs() < -SAME_TIME));
        person.change.push(told.map_or(0.0, |sample| sample.mouth.clamp(0.0, LOUDEST)));
    }
    person.mouth = blended(&person.change);
    person
}

/// Each value blended with its neighbours: where one mouth stops and another starts between the same two samples, the turn comes half way.
fn blended(values: &[f64]) -> Vec<f64> {
    let at = |n: usize| values.get(n).or(values.last()).copied().unwrap_or(0.0);
    (0..values.len()).map(|n| (at(n.saturating_sub(1)) + 2.0 * at(n) + at(n + 1)) / 4.0).collect()
}

fn between(a: Rect, b: Rect, part: f64) -> Rect {
    let mix = |a: f64, b: f64| a + (b - a) * part;
    Rect::new(mix(a.x, b.x), mix(a.y, b.y), mix(a.width, b.width), mix(a.height, b.height))
}

/// Each box with its sides replaced by the middle of three, so that one odd box moves nothing.
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

/// Whom to frame when: those whom the window can hold together, and of several such groups the one that speaks. `heard` is what is heard
/// at each moment.
pub(super) fn turns(people: &[Person], window: Rect, heard: &[Heard]) -> Vec<Turn> {
    let groups = groups(people, window);
    let mut turns: Vec<Turn> = Vec::new();
    for (n, group) in without_short_turns(&speaking(people, &groups, heard)).into_iter().enumerate() {
        let Some(group) = groups.get(group) else { continue };
        if turns.last().is_none_or(|turn| turn.people != *group) {
            turns.push(Turn { from: n, people: group.clone() });
        }
    }
    // The last moment is the shot's end and takes no time; the one before may be close to it.
    let end = people.first().map_or(0, |person| person.places.len()).saturating_sub(2);
    for n in 1..turns.len() {
        let next = turns.get(n + 1).map_or(end, |turn| turn.from);
        let long_enough = turns[n - 1].from + shortest_turn()..=next.saturating_sub(shortest_turn());
        // Where the transcript names who speaks, its times are the better ones.
        let is_named = heard.get(turns[n].from).is_some_and(|moment| moment.speaker.is_some_and(|who| turns[n].people.contains(&who)));
        if !is_named {
            turns[n].from = first_movement(people, &turns[n - 1], &turns[n], long_enough);
        }
    }
    turns
}

fn shortest_turn() -> usize {
    (SHORTEST_TURN / STEP).round() as usize
}

/// When a turn begins: where whoever is new in it first moves the mouth, which an editor would not show too late. Where nobody is seen to
/// begin near to where the balance tips and in `range`, it begins there.
fn first_movement(people: &[Person], before: &Turn, turn: &Turn, range: RangeInclusive<usize>) -> usize {
    let new = || turn.people.iter().filter(|person| !before.people.contains(person)).filter_map(|&person| people.get(person));
    let change = |n: usize| new().filter_map(|person| person.change.get(n)).fold(0.0, |most: f64, change| most.max(*change));
    let second = (1.0 / STEP).round() as usize;
    let usual = (turn.from..turn.from + second).map(change).sum::<f64>() / second as f64;
    let mut near = turn.from.saturating_sub(NEARBY).max(*range.start())..=(turn.from + NEARBY).min(*range.end());
    near.find(|&n| usual > 0.0 && change(n) >= FIRST_MOVEMENT * usual).unwrap_or(turn.from)
}

/// People from the left to the right.
pub(super) fn row(people: &[Person]) -> Vec<usize> {
    let mut row: Vec<usize> = (0..people.len()).collect();
    let middle = |p: usize| people.get(p).map_or(0.0, |person| person.places.iter().map(|place| place.center().0).sum::<f64>());
    row.sort_by(|&a, &b| middle(a).total_cmp(&middle(b)));
    row
}

/// The groups of neighbours that the window can hold, none a part of another. Everyone is in one at least.
fn groups(people: &[Person], window: Rect) -> Vec<Vec<usize>> {
    let row = row(people);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut reached = 0;
    for first in 0..row.len() {
        // Alone, everyone is held, however large.
        let fits = |end: &usize| *end == first + 1 || fit_together(people, &row[first..*end], window);
        let end = (first + 1..=row.len()).take_while(fits).last().unwrap_or(first + 1);
        if end > reached {
            groups.push(row[first..end].to_vec());
            reached = end;
        }
    }
    groups
}

/// Whether the window can hold these people but for a twentieth of the time.
pub(super) fn fit_together(people: &[Person], group: &[usize], window: Rect) -> bool {
    let moments = people.first().map_or(0, |person| person.places.len());
    let (mut fits, mut seen) = (0, 0);
    for n in 0..moments {
        if let Some(all) = union(group.iter().filter_map(|&p| people.get(p)?.at(n))) {
            seen += 1;
            fits += usize::from(all.width <= COMFORTABLE * window.width && all.height <= COMFORTABLE * window.height);
        }
    }
    fits * 20 >= seen * 19
}

/// A person's share in all that is said at a moment, as far as mouths tell: they differ in how much they move, and where all are quiet or no
/// voice is heard (someone chews, or laughs without a sound), little says who speaks.
pub(super) fn share(people: &[Person], person: usize, n: usize, heard: Heard) -> f64 {
    let mouth = |person: &Person| person.mouth.get(n).copied().unwrap_or(0.0);
    let all = SILENCE + people.iter().map(mouth).sum::<f64>();
    let weight = if heard.voice { 1.0 } else { UNHEARD };
    people.get(person).map_or(0.0, |person| weight * mouth(person) / all)
}

/// For each moment and person, how surely that person speaks, 0 to 1: their mouth's share and, where mouths around that moment leave it open,
/// what the transcript says.
fn speech(people: &[Person], heard: &[Heard]) -> Vec<Vec<f64>> {
    let moments = people.first().map_or(0, |person| person.places.len());
    let heard = |n: usize| heard.get(n).copied().unwrap_or(Heard::UNKNOWN);
    let shares: Vec<Vec<f64>> = (0..moments).map(|n| (0..people.len()).map(|p| share(people, p, n, heard(n))).collect()).collect();
    let speaks = |n: usize| {
        let mut around = vec![0.0; people.len()];
        let near = shares.get(n.saturating_sub(AROUND)..(n + AROUND + 1).min(moments)).unwrap_or_default();
        for moment in near {
            around.iter_mut().zip(moment).for_each(|(sum, share)| *sum += share / near.len() as f64);
        }
        around.sort_by(|a, b| b.total_cmp(a));
        let clear = around.first().unwrap_or(&0.0) - around.get(1).unwrap_or(&0.0);
        let told = |p: usize| if heard(n).speaker == Some(p) { 1.0 - clear } else { 0.0 };
        shares[n].iter().enumerate().map(|(p, share)| (share + told(p)).min(1.0)).collect()
    };
    (0..moments).map(speaks).collect()
}

/// The group to frame at each moment: the way through the moments that collects the most speech, where each change costs (Viterbi). All of
/// the shot is known, so a change is neither late nor made for an interjection.
fn speaking(people: &[Person], groups: &[Vec<usize>], heard: &[Heard]) -> Vec<usize> {
    let moments = people.first().map_or(0, |person| person.places.len());
    let largest = people.iter().map(|person| person.size).fold(1e-9, f64::max);
    let speech = speech(people, heard);
    let worth = |group: &[usize], n: usize| {
        let members = group.iter().filter_map(|&p| Some((people.get(p)?, speech[n].get(p)?))).filter(|(person, _)| person.is_present(n));
        let values = members.map(|(person, speaks)| speaks + LARGER * person.size / largest);
        STEP * values.reduce(|a, b| a + b).unwrap_or(-ABSENT)
    };
    let best = |totals: &[f64]| totals.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(group, _)| group);
    let mut totals = vec![0.0; groups.len()];
    // For each moment and group: which was framed before, on the best way there.
    let mut before: Vec<Vec<usize>> = Vec::with_capacity(moments);
    for n in 0..moments {
        let leader = best(&totals);
        let change = totals[leader] - TURN_COST;
        let from: Vec<usize> = (0..groups.len()).map(|g| if n > 0 && change > totals[g] { leader } else { g }).collect();
        let reached = groups.iter().enumerate().map(|(g, group)| if from[g] == g { totals[g] } else { change } + worth(group, n));
        totals = reached.collect();
        before.push(from);
    }
    let mut framed = vec![best(&totals); moments];
    for n in (1..moments).rev() {
        framed[n - 1] = before[n][framed[n]];
    }
    framed
}

/// Gives turns that are too short to the turn before, or at the shot's start to the one after.
fn without_short_turns(framed: &[usize]) -> Vec<usize> {
    let shortest = shortest_turn();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut end = 0;
    for run in framed.chunk_by(|a, b| a == b) {
        end += run.len();
        // The last moment is the shot's end and takes no time; the one before may be close to it.
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
