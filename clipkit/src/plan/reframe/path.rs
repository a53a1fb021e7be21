//! How a window moves along one axis: standing where it can, else a smooth way through the places from which its subject is well in view.

use super::STEP;
use super::camera_path::{FINE, eased, taut};

/// The height of a face's middle in the window, from the top: the eyes come to a third, with a little room above the head.
pub(super) const EYE_LEVEL: f64 = 0.4;
/// The part of the time, at either side, that does not count for whether a window can stand.
const MOMENTARY: f64 = 0.02;
/// How much of the room beside the subject a window that follows may use up, ...
const FOLLOWING_ROOM: f64 = 0.6;
/// ... and the least play, in windows, however large the subject: a detector's jitter must not move the window.
const LEAST_ZONE: f64 = 0.03;
/// The window's greatest speed, in windows a second: faster pans are hard to watch.
pub(super) const GREATEST_SPEED: f64 = 0.8;
/// Someone who moves gets room to look and to move into: as far ahead as they come in this time, in seconds, ...
const LOOK_AHEAD: f64 = 0.4;
/// ... at most this far, in windows and as a part of the room beside them, ...
const LOOK_ROOM: f64 = 0.08;
const LOOK_PART: f64 = 0.25;
/// ... and none for those slower than this, in windows a second: they sway.
const STROLL: f64 = 0.05;
/// Speed is measured over this time before and after a moment, in seconds.
const STRIDE: f64 = 1.0;

/// How far what a window shows may be from its best place in it, in windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone {
    /// In a window that stands.
    standing: f64,
    /// A window stands even if the subject leans out of it by this much: rather an ear is cut off for a moment than that the window moves.
    leaning: f64,
    /// In a window that follows.
    following: f64,
    /// The largest part of the window that has to be seen whole. Of something larger, the middle counts.
    whole: f64,
}

impl Zone {
    /// For faces: all of a face is seen.
    pub(super) const FACE: Zone = Zone { standing: 0.22, leaning: 0.06, following: 0.1, whole: f64::INFINITY };
    /// For what else draws the eye. Its box is less certain than a face's and seldom has to be seen whole, so the window has more play.
    pub(super) const SUBJECT: Zone = Zone { standing: 0.24, leaning: 0.06, following: 0.12, whole: 0.5 };
}

/// Where the window's middle is best at a moment, and how far before and after that it may be for the whole subject to be seen.
/// Negative where the subject is larger than the window.
#[derive(Clone, Copy, Debug)]
struct Place {
    best: f64,
    before: f64,
    after: f64,
}

/// The middle of a window of `length` at moments [`STEP`] / [`FINE`] apart, given the subject's start and length at moments [`STEP`] apart
/// (fractions of the picture; none where it is not seen). `level` is where in the window the subject's middle belongs.
///
/// Whatever is given, it is never faster than [`GREATEST_SPEED`], 0.8 windows a second, and by [`eased`] its acceleration is never more than
/// 1.6 windows a second squared and never changes by more than 6.4 of them a second.
pub(super) fn along(boxes: impl Iterator<Item = Option<(f64, f64)>>, length: f64, level: f64, zone: Zone) -> Vec<f64> {
    let places: Vec<Option<Place>> = boxes.map(|subject| subject.map(|subject| place(subject, length, level, zone))).collect();
    if let Some(stand) = standing(&places, length, zone) {
        return vec![stand; places.len().saturating_sub(1) * FINE + 1];
    }
    let led = with_look_room(&places, length);
    eased(&taut(&following_tube(&led, length, zone))).into_iter().map(|middle| clamped(middle, length)).collect()
}

/// A window's middle, such that the window is inside the picture.
fn clamped(middle: f64, length: f64) -> f64 {
    middle.clamp(length / 2.0, (1.0 - length / 2.0).max(length / 2.0))
}

fn place((start, size): (f64, f64), length: f64, level: f64, zone: Zone) -> Place {
    let seen = size.min(zone.whole * length);
    let room = |side: f64| side * length - seen / 2.0;
    Place { best: start + size / 2.0 + (0.5 - level) * length, before: room(1.0 - level), after: room(level) }
}

/// The one middle that is good all the time, if there is one: the middle best place, moved as little as needed. The centre if nothing is seen.
fn standing(places: &[Option<Place>], length: f64, zone: Zone) -> Option<f64> {
    let sorted = |value: &dyn Fn(Place) -> f64| -> Vec<f64> {
        let mut values: Vec<f64> = places.iter().flatten().map(|&place| value(place)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let play = zone.standing * length;
    let best = sorted(&|place| place.best);
    let Some(&middle) = best.get(best.len() / 2) else { return Some(0.5) };
    let least = sorted(&|place| clamped(place.best - place.before.min(play), length));
    let most = sorted(&|place| clamped(place.best + place.after.min(play), length));
    let skipped = (MOMENTARY * best.len() as f64) as usize;
    let (least, most) = (*least.get(least.len().checked_sub(skipped + 1)?)?, *most.get(skipped)?);
    if least <= most {
        return Some(clamped(middle, length).clamp(least, most));
    }
    // No place is good, but one half way may be bad by little enough.
    (least - most <= 2.0 * zone.leaning * length).then_some((least + most) / 2.0)
}

/// The places moved ahead of someone who moves. Without a gaze to go by, the way they go is the way they look.
fn with_look_room(places: &[Option<Place>], length: f64) -> Vec<Option<Place>> {
    let reach = (STRIDE / STEP) as usize;
    let best = |n: usize| places.get(n).copied().flatten().map(|place| (n, place.best));
    let led = places.iter().enumerate().map(|(n, place)| {
        let place = (*place)?;
        // The places at either end of the stride, as far as they are known.
        let from = (n.saturating_sub(reach)..=n).find_map(best)?;
        let to = (n..=n + reach).rev().find_map(best)?;
        let time = (to.0 - from.0).max(reach) as f64 * STEP;
        let speed = (to.1 - from.1) / time / length;
        let most = (LOOK_PART * place.before.min(place.after) / length).clamp(0.0, LOOK_ROOM);
        let lead = length * ((speed.abs() - STROLL).max(0.0) * LOOK_AHEAD).min(most) * speed.signum();
        Some(Place { best: place.best + lead, before: place.before + lead, after: place.after - lead })
    });
    led.collect()
}

/// Lower and upper bounds for a window that follows. The subject's own way is first held to the greatest speed, and the bounds always hold
/// a way of that speed; where nothing is seen, they are the picture's.
fn following_tube(places: &[Option<Place>], length: f64, zone: Zone) -> Vec<(f64, f64)> {
    let reach = GREATEST_SPEED * length * STEP;
    // The slowest-changing curves above and below the way; half way between them lies one that is as near to it as that speed allows.
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
                let play = |room: f64| (FOLLOWING_ROOM * room).clamp(LEAST_ZONE * length, zone.following * length);
                (clamped(middle - play(place.before), length), clamped(middle + play(place.after), length))
            }
            None => (clamped(0.0, length), clamped(1.0, length)),
        })
        .collect()
}
