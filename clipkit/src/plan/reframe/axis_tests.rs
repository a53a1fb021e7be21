//! The speed and acceleration limits of a window along one axis, for arbitrary input.

use proptest::prelude::*;

use super::axis::{DeadZone, MAX_SPEED, axis_path};
use super::camera_path::{SUBSTEPS, max_acceleration};
use super::*;

const DT: f64 = STEP / SUBSTEPS as f64;

/// Positions of a subject at steps of [`STEP`]: random walks and jumps, with missing samples.
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

fn any_zone() -> impl Strategy<Value = DeadZone> {
    prop::sample::select(vec![DeadZone::FACE, DeadZone::SUBJECT])
}

proptest! {
    #[test]
    fn speed_and_acceleration_are_bounded_for_any_input(
        boxes in any_boxes(), length in 0.05..1.0_f64, level in 0.3..0.6_f64, zone in any_zone()
    ) {
        let path = axis_path(boxes.iter().copied(), length, level, zone);
        prop_assert_eq!(path.len(), (boxes.len() - 1) * SUBSTEPS + 1);
        for middle in &path {
            prop_assert!((length / 2.0 - 1e-9..=1.0 - length / 2.0 + 1e-9).contains(middle), "{} of a window {} long", middle, length);
        }
        let speeds: Vec<f64> = path.windows(2).map(|pair| (pair[1] - pair[0]) / length / DT).collect();
        for speed in &speeds {
            prop_assert!(speed.abs() <= MAX_SPEED + 1e-6, "{} windows a second", speed);
        }
        for pair in speeds.windows(2) {
            let acceleration = (pair[1] - pair[0]).abs() / DT;
            prop_assert!(acceleration <= max_acceleration(MAX_SPEED) + 1e-6, "{} windows a second squared", acceleration);
        }
    }

    #[test]
    fn a_subject_inside_the_dead_zone_gives_a_static_window(
        middle in -0.1..1.1_f64, off in prop::collection::vec((-0.19..0.19_f64, prop::bool::weighted(0.8)), 2..200), zone in any_zone()
    ) {
        let length = 0.316;
        let boxes = off.iter().map(|&(off, seen)| seen.then_some((middle + off * length - 0.02, 0.04)));
        let path = axis_path(boxes, length, 0.5, zone);
        prop_assert!(path.iter().all(|place| *place == path[0]));
    }

    #[test]
    fn the_window_is_static_while_the_subject_is(from in 0.2..0.4_f64, to in 0.6..0.8_f64, zone in any_zone()) {
        // Four seconds static, one second of movement, six seconds static. The window knows the
        // future and starts to move early.
        let at = |n: usize| from + (to - from) * ((n as f64 - 40.0) / 10.0).clamp(0.0, 1.0);
        let path = axis_path((0..110).map(|n| Some((at(n) - 0.02, 0.04))), 0.316, 0.5, zone);
        let (first, last) = (path[0], path[path.len() - 1]);
        prop_assert!(path[..15 * SUBSTEPS].iter().all(|place| *place == first));
        prop_assert!(path[90 * SUBSTEPS..].iter().all(|place| *place == last));
        prop_assert!(path.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "no step back");
        prop_assert!(last - first > 0.15);
    }
}

#[test]
fn a_walking_subject_gets_lead_room() {
    let walk = |step: f64| {
        let at = |n: usize| 0.5 + step * (n as f64 - 50.0);
        let path = axis_path((0..100).map(|n| Some((at(n) - 0.03, 0.06))), 0.316, 0.5, DeadZone::FACE);
        path[50 * SUBSTEPS] - at(50)
    };
    // The window's centre is ahead of the face, equally in both directions; the dead zone alone
    // would leave it behind.
    assert!(walk(0.007) > 0.01 && walk(-0.007) < -0.01, "{} {}", walk(0.007), walk(-0.007));
    assert!((walk(0.007) + walk(-0.007)).abs() < 1e-6);
}
