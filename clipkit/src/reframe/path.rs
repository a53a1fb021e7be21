//! How a window moves along one axis: standing where it can, else a smooth way through the places from which the face is well in view.

use super::STEP;

/// The height of a face's middle in the window, from the top: the eyes come to a third, with a little room above the head.
pub(super) const EYE_LEVEL: f64 = 0.4;
/// How far a face may be from its best place in a window that stands, in windows, as long as all of it is seen.
const STANDING_ZONE: f64 = 0.22;
/// A window stands even if a large face leans out of it by this much, in windows: rather an ear is cut off for a moment than that the
/// window moves.
const LEANING: f64 = 0.06;
/// The part of the time, at either side, that does not count for whether a window can stand.
const MOMENTARY: f64 = 0.02;
/// How far a face may be from its best place in a window that follows, in windows and as a part of the room beside the face, ...
const FOLLOWING_ZONE: f64 = 0.1;
const FOLLOWING_ROOM: f64 = 0.7;
/// ... and the least play, in windows, however large the face: a detector's jitter must not move the window.
const LEAST_ZONE: f64 = 0.03;
/// The window's greatest speed, in windows a second: faster pans are hard to watch.
const GREATEST_SPEED: f64 = 0.8;
/// The time over which a change of speed is spread, as a Gaussian's standard deviation in seconds.
const SMOOTHING: f64 = 0.35;

/// Where the window's middle is best at a moment, and how far before and after that it may be for the whole face to be seen.
/// Negative where the face is larger than the window.
#[derive(Clone, Copy, Debug)]
struct Place {
    best: f64,
    before: f64,
    after: f64,
}

/// The middle of a window of `length` at each moment, given the face's start and length (fractions of the picture; none where no face is seen).
/// `level` is where in the window the face's middle belongs.
pub(super) fn along(faces: impl Iterator<Item = Option<(f64, f64)>>, length: f64, level: f64) -> Vec<f64> {
    let places: Vec<Option<Place>> = faces.map(|face| face.map(|face| place(face, length, level))).collect();
    if let Some(stand) = standing(&places, length) {
        return vec![stand; places.len()];
    }
    smoothed(&taut(&following_tube(&places, length))).into_iter().map(|middle| clamped(middle, length)).collect()
}

/// A window's middle, such that the window is inside the picture.
fn clamped(middle: f64, length: f64) -> f64 {
    middle.clamp(length / 2.0, (1.0 - length / 2.0).max(length / 2.0))
}

fn place((start, size): (f64, f64), length: f64, level: f64) -> Place {
    let room = |side: f64| side * length - size / 2.0;
    Place { best: start + size / 2.0 + (0.5 - level) * length, before: room(1.0 - level), after: room(level) }
}

/// The one middle that is good all the time, if there is one: the middle best place, moved as little as needed. The centre if no face is seen.
fn standing(places: &[Option<Place>], length: f64) -> Option<f64> {
    let sorted = |value: &dyn Fn(Place) -> f64| -> Vec<f64> {
        let mut values: Vec<f64> = places.iter().flatten().map(|&place| value(place)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let zone = STANDING_ZONE * length;
    let best = sorted(&|place| place.best);
    let Some(&middle) = best.get(best.len() / 2) else { return Some(0.5) };
    let least = sorted(&|place| clamped(place.best - place.before.min(zone), length));
    let most = sorted(&|place| clamped(place.best + place.after.min(zone), length));
    let skipped = (MOMENTARY * best.len() as f64) as usize;
    let (least, most) = (*least.get(least.len().checked_sub(skipped + 1)?)?, *most.get(skipped)?);
    if least <= most {
        return Some(clamped(middle, length).clamp(least, most));
    }
    // No place is good, but one half way may be bad by little enough.
    (least - most <= 2.0 * LEANING * length).then_some((least + most) / 2.0)
}

/// Lower and upper bounds for a window that follows. The face's own way is first held to the greatest speed; where no face is seen, the
/// bounds are the picture's.
fn following_tube(places: &[Option<Place>], length: f64) -> Vec<(f64, f64)> {
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
                let play = |room: f64| (FOLLOWING_ROOM * room).clamp(LEAST_ZONE * length, FOLLOWING_ZONE * length);
                (clamped(middle - play(place.before), length), clamped(middle + play(place.after), length))
            }
            None => (clamped(0.0, length), clamped(1.0, length)),
        })
        .collect()
}

/// The shortest way through a tube of bounds, with free ends (a taut string): it stands as long as it can and goes straight where it
/// must move, with the fewest turns and the least speed of all ways through.
fn taut(tube: &[(f64, f64)]) -> Vec<f64> {
    let Some(&(mut least, mut most)) = tube.first() else { return Vec::new() };
    // The first stretch stands as long as one place fits all of it, at the side from which the way goes on.
    let mut start = None;
    for &(lower, upper) in tube {
        if lower > most {
            start = Some(most);
            break;
        }
        if upper < least {
            start = Some(least);
            break;
        }
        (least, most) = (least.max(lower), most.min(upper));
    }
    let Some(start) = start else { return vec![(least + most) / 2.0; tube.len()] };

    let mut way = vec![start];
    while way.len() < tube.len() {
        let from = way.len() - 1;
        let (next, value) = furthest(tube, from, way[from]);
        let slope = (value - way[from]) / (next - from) as f64;
        let base = way[from];
        way.extend((1..=next - from).map(|n| base + slope * n as f64));
    }
    way
}

/// The end of the straight piece of the shortest way that begins at `from` in `value`: the next point where the way touches the tube.
fn furthest(tube: &[(f64, f64)], from: usize, value: f64) -> (usize, f64) {
    // The slopes that stay inside narrow with each step; the way bends at the point that set the limit which is passed.
    let (mut low, mut high) = ((f64::NEG_INFINITY, from + 1), (f64::INFINITY, from + 1));
    for (n, &(lower, upper)) in tube.iter().enumerate().skip(from + 1) {
        let slope = |bound: f64| (bound - value) / (n - from) as f64;
        if slope(lower) > high.0 {
            return (high.1, tube[high.1].1);
        }
        if slope(upper) < low.0 {
            return (low.1, tube[low.1].0);
        }
        // At equal slopes the later point, so that pieces are long.
        if slope(lower) >= low.0 {
            low = (slope(lower), n);
        }
        if slope(upper) <= high.0 {
            high = (slope(upper), n);
        }
    }
    // To the end, as level as the limits allow: standing is best, and the end is free.
    let last = tube.len() - 1;
    let slope = 0.0_f64.clamp(low.0, high.0);
    if slope == 0.0 {
        return (last, value);
    }
    // It moves on to the limit's point and stands from there.
    let at = if slope > 0.0 { low.1 } else { high.1 };
    (at, value + slope * (at - from) as f64)
}

/// Averaged over time with a Gaussian. Beyond its ends the way goes on as it came, so even motion stays even.
fn smoothed(way: &[f64]) -> Vec<f64> {
    let reach = (3.0 * SMOOTHING / STEP).ceil() as isize;
    let weight = |offset: isize| (-0.5 * (offset as f64 * STEP / SMOOTHING).powi(2)).exp();
    let total: f64 = (-reach..=reach).map(weight).sum();
    let last = way.len() as isize - 1;
    let value = |n: isize| -> f64 {
        let at = |n: isize| way[n.clamp(0, last) as usize];
        if n < 0 {
            2.0 * at(0) - at(-n)
        } else if n > last {
            2.0 * at(last) - at(2 * last - n)
        } else {
            at(n)
        }
    };
    (0..=last).map(|n| (-reach..=reach).map(|offset| weight(offset) * value(n + offset)).sum::<f64>() / total).collect()
}

/// The points that a line through them needs, to pass all others within `tolerance` (Ramer-Douglas-Peucker, in time).
pub(super) fn turning_points(points: &[(f64, f64)], tolerance: f64) -> Vec<usize> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let mut kept = vec![0, last];
    let mut open = vec![(0, last)];
    while let Some((a, b)) = open.pop() {
        let (from, to) = (points[a], points[b]);
        let off = |n: usize| {
            let part = (n - a) as f64 / (b - a) as f64;
            let line = |from: f64, to: f64| from + (to - from) * part;
            (points[n].0 - line(from.0, to.0)).abs().max((points[n].1 - line(from.1, to.1)).abs())
        };
        if let Some((far, n)) = (a + 1..b).map(|n| (off(n), n)).max_by(|a, b| a.0.total_cmp(&b.0))
            && far > tolerance
        {
            kept.push(n);
            open.extend([(a, n), (n, b)]);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}
