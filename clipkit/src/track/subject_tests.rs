use super::*;
use proptest::prelude::*;

const ASPECT_RATIO: f64 = 16.0 / 9.0;

/// A dim room with boxes (left, top, level) of 10 x 14 pixels, brighter by `light` levels.
fn room(boxes: &[(f32, f32, f32)], light: f32) -> LumaImage {
    let level = |x: usize, y: usize| {
        let (x, y) = (x as f32, y as f32);
        let inside = |b: &&(f32, f32, f32)| x >= b.0 && x < b.0 + 10.0 && y >= b.1 && y < b.1 + 14.0;
        boxes.iter().find(inside).map_or(60.0 + 10.0 * (x * 0.4).sin(), |b| b.2 + 20.0 * ((x - b.0) * 0.9).sin()) + light
    };
    LumaImage { columns: 80, rows: 45, values: (0..45).flat_map(|y| (0..80).map(move |x| level(x, y))).collect() }
}

/// The subjects in a shot of ten pictures per second.
fn subjects(count: usize, picture: impl Fn(usize) -> LumaImage) -> Vec<SubjectTrack> {
    let pictures: Vec<LumaImage> = (0..count).map(picture).collect();
    let at = |n: usize| Timestamp::from_secs(n as f64 * 0.1);
    let activity: Vec<Activity> =
        pictures.windows(2).zip(1..).map(|(pair, n)| Activity::between(at(n), &pair[0], &pair[1], Shift::default())).collect();
    in_shot(&activity, Span::between(Timestamp::ZERO, at(count)), ASPECT_RATIO)
}

/// The horizontal centres of all samples.
fn middles(tracks: &[SubjectTrack]) -> Vec<f64> {
    tracks.iter().flat_map(|track| &track.samples).map(|sample| sample.rect.center().0).collect()
}

/// A position that oscillates around `x` by a pixel.
fn oscillate(x: f32, n: usize) -> f32 {
    x + (n as f32 * 1.3).sin()
}

#[test]
fn a_moving_person_is_the_subject_and_a_still_one_is_not() {
    let found = subjects(50, |n| room(&[(oscillate(10.0, n), 20.0, 180.0), (60.0, 20.0, 200.0)], 0.0));
    assert_eq!(found.len(), 1);
    assert!(middles(&found).iter().all(|x| (x - 0.19).abs() < 0.05), "{:?}", middles(&found));
    let rect = found[0].samples[10].rect;
    assert!((0.05..0.35).contains(&rect.width) && (rect.center().1 - 0.6).abs() < 0.15, "{rect:?}");
}

#[test]
fn a_slide_change_does_not_move_the_subject() {
    let slide = |n: usize| if n < 25 { 120.0 } else { 220.0 };
    let found = subjects(50, |n| room(&[(oscillate(10.0, n), 20.0, 180.0), (60.0, 5.0, slide(n)), (70.0, 5.0, slide(n))], 0.0));
    assert!(middles(&found).iter().all(|x| (x - 0.19).abs() < 0.08), "{:?}", middles(&found));
}

#[test]
fn a_walking_person_is_followed() {
    let found = subjects(80, |n| room(&[(5.0 + n as f32 * 0.75, 20.0, 180.0)], 0.0));
    assert_eq!(found.len(), 1);
    for sample in &found[0].samples {
        let truth = (10.0 + sample.at.secs() * 7.5) / 80.0;
        assert!((sample.rect.center().0 - truth).abs() < 0.08, "{sample:?} is not {truth}");
    }
}

#[test]
fn the_subject_changes_with_lasting_motion_but_not_for_a_moment() {
    let turns = |n: usize, from: usize| {
        let (left, right) = if n < from { (oscillate(10.0, n), 60.0) } else { (10.0, oscillate(60.0, n)) };
        room(&[(left, 20.0, 180.0), (right, 20.0, 180.0)], 0.0)
    };
    let found = subjects(100, |n| turns(n, 50));
    assert_eq!(found.len(), 2);
    let jump = found[1].samples[0].at.secs();
    assert!((jump - 5.0).abs() < 0.8, "{jump}");
    // The other one moves for half a second, then the first one again.
    let nod = |n: usize| if (50..55).contains(&n) { turns(n, 0) } else { turns(n, 100) };
    assert_eq!(subjects(100, nod).len(), 1);
}

#[test]
fn where_nothing_or_everything_moves_there_is_no_subject() {
    assert_eq!(subjects(50, |_| room(&[(10.0, 20.0, 180.0)], 0.0)), []);
    assert_eq!(subjects(50, |n| room(&[(10.0, 20.0, 180.0)], 3.0 * (n % 7) as f32)), [], "the light flickers");
    let noise = |n: usize| {
        let value = |at: usize| ((at * 7919 + n * 104_729).wrapping_mul(2_654_435_761) >> 9) % 120;
        LumaImage { columns: 80, rows: 45, values: (0..80 * 45).map(|at| value(at) as f32).collect() }
    };
    assert_eq!(subjects(50, noise), []);
}

#[test]
fn camera_motion_is_not_activity() {
    let scene = |shift: f32| {
        let level = |x: usize, y: usize| 120.0 + 50.0 * ((x as f32 - shift) * 0.5).sin() * (y as f32 * 0.3).cos();
        LumaImage { columns: 80, rows: 45, values: (0..45).flat_map(|y| (0..80).map(move |x| level(x, y))).collect() }
    };
    let activity = |camera| Activity::between(Timestamp::ZERO, &scene(0.0), &scene(3.3), camera).total();
    let (with, without) = (activity(Shift { x: 3.3, y: 0.0 }), activity(Shift::default()));
    assert!(with < 0.01 * without, "{with} and {without}");
}

proptest! {
    #[test]
    fn boxes_lie_in_the_picture_in_order_of_time(
        values in prop::collection::vec(0..255_u8, 1..400),
        columns in 1..90_usize,
        aspect_ratio in 0.2..4.0_f64,
    ) {
        let rows = values.len().div_ceil(columns);
        let picture = |n: usize| LumaImage {
            columns,
            rows,
            values: (0..columns * rows).map(|at| f32::from(values[(at + n * n) % values.len()])).collect(),
        };
        let at = |n: usize| Timestamp::from_secs(n as f64 * 0.1);
        let activity: Vec<Activity> = (1..30).map(|n| Activity::between(at(n), &picture(n - 1), &picture(n), Shift::default())).collect();
        let found = in_shot(&activity, Span::between(at(0), at(30)), aspect_ratio);
        let samples: Vec<_> = found.iter().flat_map(|track| &track.samples).collect();
        prop_assert!(samples.windows(2).all(|pair| pair[0].at < pair[1].at));
        for sample in samples {
            let Rect { x, y, width, height } = sample.rect;
            prop_assert!(x >= 0.0 && y >= 0.0 && width > 0.0 && height > 0.0 && x + width <= 1.0 + 1e-9 && y + height <= 1.0 + 1e-9);
        }
    }
}
