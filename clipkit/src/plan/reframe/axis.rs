//! The movement of a window along one axis: static if possible, else along a smooth path that keeps
//! the subject in view.

use super::STEP;
use super::camera_path::{SUBSTEPS, shortest_path, smoothed};

/// The preferred height of a face's centre in the window, as a fraction from the top. The eyes are
/// then at about one third, with some headroom.
pub(super) const EYE_LEVEL: f64 = 0.4;
/// The part of the most extreme positions on each side that the test for a static window ignores.
const IGNORED_PART: f64 = 0.02;
/// The maximum part of the free space beside the subject by which a following window deviates from
/// its target.
const FOLLOWING_ROOM: f64 = 0.6;
/// The minimum of that deviation, in window lengths: detector jitter must not move the window.
const MIN_PLAY: f64 = 0.03;
/// The maximum speed of a window, in window lengths per second: faster pans are hard to watch.
pub(super) const MAX_SPEED: f64 = 0.8;
/// A moving subject gets lead room: the distance that it covers in this time, in seconds.
const LEAD_TIME: f64 = 0.4;
/// The limits of the lead room: in window lengths, and as a part of the free space beside the
/// subject.
const MAX_LEAD: f64 = 0.08;
const LEAD_PART: f64 = 0.25;
/// The minimum speed for lead room, in window lengths per second: slower subjects only sway.
const LEAD_MIN_SPEED: f64 = 0.05;
/// The speed is measured over this time before and after a step, in seconds.
const SPEED_INTERVAL: f64 = 1.0;

/// The maximum deviation of a subject from its target position in the window, in window lengths.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeadZone {
    /// In a static window.
    stationary: f64,
    /// The additional deviation, for a moment, at which a static window still beats a moving one.
    overhang: f64,
    /// In a following window.
    following: f64,
    /// The maximum part of the window that must show the subject completely. Of larger subjects,
    /// the centre part counts.
    whole: f64,
}

impl DeadZone {
    /// For faces: the whole face stays visible.
    pub(super) const FACE: DeadZone = DeadZone { stationary: 0.22, overhang: 0.06, following: 0.1, whole: f64::INFINITY };
    /// For other subjects. Their boxes are less precise than those of faces and need not be
    /// completely visible, so the dead zone is larger.
    pub(super) const SUBJECT: DeadZone = DeadZone { stationary: 0.24, overhang: 0.06, following: 0.12, whole: 0.5 };
}

/// The best window centre at a step, and the distances before and after it within which the whole
/// subject is visible. A distance is negative if the subject is larger than the window.
#[derive(Clone, Copy, Debug)]
struct Place {
    best: f64,
    before: f64,
    after: f64,
}

/// The centre of a window of `length` at steps of [`STEP`] / [`SUBSTEPS`]. `boxes` holds the
/// subject's start and length at steps of [`STEP`], as fractions of the picture; `None` if it is
/// not visible. `level` is the subject's preferred position in the window, 0 to 1.
///
/// For every input the speed is at most [`MAX_SPEED`] (0.8 window lengths per second), and by
/// [`smoothed`] the acceleration is at most 1.6 window lengths per second squared and the jerk at
/// most 6.4 window lengths per second cubed.
pub(super) fn axis_path(boxes: impl Iterator<Item = Option<(f64, f64)>>, length: f64, level: f64, zone: DeadZone) -> Vec<f64> {
    let places: Vec<Option<Place>> = boxes.map(|subject| subject.map(|subject| place(subject, length, level, zone))).collect();
    if let Some(stand) = stationary(&places, length, zone) {
        return vec![stand; places.len().saturating_sub(1) * SUBSTEPS + 1];
    }
    let targets = with_lead_room(&places, length);
    smoothed(&shortest_path(&following_bounds(&targets, length, zone))).into_iter().map(|middle| clamped(middle, length)).collect()
}

/// The nearest centre for which the window is inside the picture.
fn clamped(middle: f64, length: f64) -> f64 {
    middle.clamp(length / 2.0, (1.0 - length / 2.0).max(length / 2.0))
}

fn place((start, size): (f64, f64), length: f64, level: f64, zone: DeadZone) -> Place {
    let seen = size.min(zone.whole * length);
    let room = |side: f64| side * length - seen / 2.0;
    Place { best: start + size / 2.0 + (0.5 - level) * length, before: room(1.0 - level), after: room(level) }
}

/// The static centre that satisfies all steps, if there is one: the median of the best centres,
/// moved as little as needed. Without any subject it is the picture's centre.
fn stationary(places: &[Option<Place>], length: f64, zone: DeadZone) -> Option<f64> {
    let sorted = |value: &dyn Fn(Place) -> f64| -> Vec<f64> {
        let mut values: Vec<f64> = places.iter().flatten().map(|&place| value(place)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let play = zone.stationary * length;
    let best = sorted(&|place| place.best);
    let Some(&middle) = best.get(best.len() / 2) else { return Some(0.5) };
    let least = sorted(&|place| clamped(place.best - place.before.min(play), length));
    let most = sorted(&|place| clamped(place.best + place.after.min(play), length));
    let skipped = (IGNORED_PART * best.len() as f64) as usize;
    let (least, most) = (*least.get(least.len().checked_sub(skipped + 1)?)?, *most.get(skipped)?);
    if least <= most {
        return Some(clamped(middle, length).clamp(least, most));
    }
    // No centre satisfies all steps, but the middle one may miss by less than the allowed overhang.
    (least - most <= 2.0 * zone.overhang * length).then_some((least + most) / 2.0)
}

/// Adds lead room to the targets of a moving subject. Gaze is unknown, so the direction of movement
/// stands in for it.
fn with_lead_room(places: &[Option<Place>], length: f64) -> Vec<Option<Place>> {
    let reach = (SPEED_INTERVAL / STEP) as usize;
    let best = |n: usize| places.get(n).copied().flatten().map(|place| (n, place.best));
    let targets = places.iter().enumerate().map(|(n, place)| {
        let place = (*place)?;
        // The first and last known target within the interval.
        let from = (n.saturating_sub(reach)..=n).find_map(best)?;
        let to = (n..=n + reach).rev().find_map(best)?;
        let time = (to.0 - from.0).max(reach) as f64 * STEP;
        let speed = (to.1 - from.1) / time / length;
        let most = (LEAD_PART * place.before.min(place.after) / length).clamp(0.0, MAX_LEAD);
        let lead = length * ((speed.abs() - LEAD_MIN_SPEED).max(0.0) * LEAD_TIME).min(most) * speed.signum();
        Some(Place { best: place.best + lead, before: place.before + lead, after: place.after - lead })
    });
    targets.collect()
}

/// The lower and upper bounds of the centre of a following window. The subject's path is first
/// limited to the maximum speed, so the bounds always contain a path of that speed. Steps without a
/// subject are bounded by the picture only.
fn following_bounds(places: &[Option<Place>], length: f64, zone: DeadZone) -> Vec<(f64, f64)> {
    let reach = MAX_SPEED * length * STEP;
    // The speed-limited lower and upper envelopes of the subject's path. Their mean is the closest
    // path that respects the speed limit.
    let bound = |value: fn(f64, f64) -> f64, start: f64, step: f64| -> Vec<f64> {
        let mut curve: Vec<f64> = places.iter().map(|place| place.map_or(start, |place| place.best)).collect();
        for n in 1..curve.len() {
            curve[n] = value(curve[n], curve[n - 1] + step);
        }
        for n in (1..curve.len()).rev() {
            curve[n - 1] = value(curve[n - 1], curve[n] + step);
        }
        curve
    };
    let below = bound(f64::min, f64::INFINITY, reach);
    let above = bound(f64::max, f64::NEG_INFINITY, -reach);
    let sides = places.iter().zip(below).zip(above);
    sides
        .map(|((place, below), above)| match place {
            Some(place) => {
                let middle = (below + above) / 2.0;
                let play = |room: f64| (FOLLOWING_ROOM * room).clamp(MIN_PLAY * length, zone.following * length);
                (clamped(middle - play(place.before), length), clamped(middle + play(place.after), length))
            }
            None => (clamped(0.0, length), clamped(1.0, length)),
        })
        .collect()
}
