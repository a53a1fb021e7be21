//! The camera's bounds, for whatever it is given.

use proptest::prelude::*;

use super::camera_path::{FINE, greatest_acceleration};
use super::path::{GREATEST_SPEED, Zone, along};
use super::*;

const DT: f64 = STEP / FINE as f64;

/// Positions of a subject at moments [`STEP`] apart: wandering, jumping, and not seen at times.
fn any_boxes() -> impl Strategy<Value = Vec<Option<(f64, f64)>>> {
    let jumps = prop::collection::vec(prop::option::weighted(0.8, (-0.3..1.2_f64, 0.0..0.8_f64)), 2..120);
    let wander = (0.0..1.0_f64, prop::collection::vec((-0.08..0.08_f64, 0.02..0.2_f64, prop::bool::weighted(0.9)), 2..200));
    let wander = wander.prop_map(|(mut at, steps)| {
        let place = steps.into_iter().map(|(step, size, seen)| {
            at += step;
            seen.then_some((at, size))
        });
        place.collect()
    });
    prop_oneof![jumps, wander]
}

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(vec![Zone::FACE, Zone::SUBJECT])
}

proptest! {
    #[test]
    fn speed_and_acceleration_are_bounded_whatever_is_followed(
        boxes in any_boxes(), length in 0.05..1.0_f64, level in 0.3..0.6_f64, zone in any_zone()
    ) {
        let way = along(boxes.iter().copied(), length, level, zone);
        prop_assert_eq!(way.len(), (boxes.len() - 1) * FINE + 1);
        for middle in &way {
            prop_assert!((length / 2.0 - 1e-9..=1.0 - length / 2.0 + 1e-9).contains(middle), "{} of a window {} long", middle, length);
        }
        let speeds: Vec<f64> = way.windows(2).map(|pair| (pair[1] - pair[0]) / length / DT).collect();
        for speed in &speeds {
            prop_assert!(speed.abs() <= GREATEST_SPEED + 1e-6, "{} windows a second", speed);
        }
        for pair in speeds.windows(2) {
            let acceleration = (pair[1] - pair[0]).abs() / DT;
            prop_assert!(acceleration <= greatest_acceleration(GREATEST_SPEED) + 1e-6, "{} windows a second squared", acceleration);
        }
    }

    #[test]
    fn what_stays_in_the_dead_zone_moves_nothing(
        middle in -0.1..1.1_f64, off in prop::collection::vec((-0.19..0.19_f64, prop::bool::weighted(0.8)), 2..200), zone in any_zone()
    ) {
        let length = 0.316;
        let boxes = off.iter().map(|&(off, seen)| seen.then_some((middle + off * length - 0.02, 0.04)));
        let way = along(boxes, length, 0.5, zone);
        prop_assert!(way.iter().all(|place| *place == way[0]));
    }

    #[test]
    fn what_stands_moves_nothing_while_it_stands(from in 0.2..0.4_f64, to in 0.6..0.8_f64, zone in any_zone()) {
        // Four seconds here, a second's walk, six seconds there. The window knows beforehand, and leaves early.
        let at = |n: usize| from + (to - from) * ((n as f64 - 40.0) / 10.0).clamp(0.0, 1.0);
        let way = along((0..110).map(|n| Some((at(n) - 0.02, 0.04))), 0.316, 0.5, zone);
        let (first, last) = (way[0], way[way.len() - 1]);
        prop_assert!(way[..15 * FINE].iter().all(|place| *place == first));
        prop_assert!(way[90 * FINE..].iter().all(|place| *place == last));
        prop_assert!(way.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "no step back");
        prop_assert!(last - first > 0.15);
    }
}

#[test]
fn someone_who_walks_has_room_ahead() {
    let walk = |step: f64| {
        let at = |n: usize| 0.5 + step * (n as f64 - 50.0);
        let way = along((0..100).map(|n| Some((at(n) - 0.03, 0.06))), 0.316, 0.5, Zone::FACE);
        way[50 * FINE] - at(50)
    };
    // The window's middle is ahead of the face, as much either way; the zone alone would leave it behind.
    assert!(walk(0.007) > 0.01 && walk(-0.007) < -0.01, "{} {}", walk(0.007), walk(-0.007));
    assert!((walk(0.007) + walk(-0.007)).abs() < 1e-6);
}
