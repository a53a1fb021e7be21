use super::super::camera::Shift;
use super::super::pixels::image;
use super::*;
use crate::model::Span;
use proptest::prelude::*;

const ASPECT_RATIO: f64 = 16.0 / 9.0;

fn face(x: f64, width: f64) -> (Detection, FaceImage) {
    let rect = Rect::new(x - width / 2.0, 0.3, width, width * ASPECT_RATIO);
    (Detection { rect, confidence: 0.9, landmarks: None }, FaceImage::new(&image(2, 2, vec![90; 12]), rect))
}

/// A static camera.
fn static_camera() -> CameraPath {
    CameraPath::default()
}

/// One frame every 0.2 s with the faces that `at` returns for a time in seconds.
fn frames(count: usize, at: impl Fn(f64) -> Vec<(Detection, FaceImage)>) -> Vec<FrameDetections> {
    (0..count).map(|n| n as f64 * 0.2).map(|time| FrameDetections { at: Timestamp::from_secs(time), faces: at(time) }).collect()
}

fn shots(bounds: &[f64]) -> Vec<Shot> {
    bounds.windows(2).map(|pair| Shot::new(Span::secs(pair[0], pair[1]).unwrap())).collect()
}

#[test]
fn a_face_that_is_not_detected_for_a_while_stays_one_track() {
    let seen = frames(30, |t| if (2.0..2.7).contains(&t) { vec![] } else { vec![face(0.2 + 0.05 * t, 0.1)] });
    let found = tracks(&shots(&[0.0, 6.0]), &static_camera(), &seen, ASPECT_RATIO, 0.9);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].samples.len(), 26);
}

#[test]
fn a_brief_track_is_dropped_but_not_in_a_short_shot() {
    let fleeting = |t: f64| if (2.0..2.3).contains(&t) { vec![face(0.5, 0.1)] } else { vec![] };
    assert_eq!(tracks(&shots(&[0.0, 6.0]), &static_camera(), &frames(30, fleeting), ASPECT_RATIO, 0.9), []);
    assert_eq!(tracks(&shots(&[0.0, 1.9, 2.4, 6.0]), &static_camera(), &frames(30, fleeting), ASPECT_RATIO, 0.9).len(), 1);
}

#[test]
fn a_track_that_never_reaches_the_peak_confidence_is_dropped() {
    assert_eq!(tracks(&shots(&[0.0, 6.0]), &static_camera(), &frames(30, |_| vec![face(0.5, 0.1)]), ASPECT_RATIO, 0.91), []);
}

#[test]
fn a_track_ends_at_a_cut() {
    let found = tracks(&shots(&[0.0, 3.0, 6.0]), &static_camera(), &frames(30, |_| vec![face(0.5, 0.1)]), ASPECT_RATIO, 0.9);
    assert_eq!(found.iter().map(|track| track.samples.len()).collect::<Vec<_>>(), [15, 15]);
    assert_eq!(found.iter().map(|track| track.id).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_track_does_not_switch_to_the_neighbour() {
    // The left person is not detected from 2 s on. The right one sits one face width away.
    let found = tracks(
        &shots(&[0.0, 6.0]),
        &static_camera(),
        &frames(30, |t| if t < 2.0 { vec![face(0.4, 0.1), face(0.51, 0.1)] } else { vec![face(0.51, 0.1)] }),
        ASPECT_RATIO,
        0.9,
    );
    let mut lengths: Vec<_> = found.iter().map(|track| (track.samples.len(), track.samples[0].rect.x)).collect();
    lengths.sort_by(|a, b| a.1.total_cmp(&b.1));
    assert_eq!(lengths.iter().map(|&(count, _)| count).collect::<Vec<_>>(), [10, 30]);
}

#[test]
fn two_people_who_pass_each_other_keep_their_tracks() {
    // They differ in size, so that they can be told apart while they cross.
    let found = tracks(
        &shots(&[0.0, 6.0]),
        &static_camera(),
        &frames(30, |t| vec![face(0.2 + 0.1 * t, 0.08), face(0.8 - 0.1 * t, 0.16)]),
        ASPECT_RATIO,
        0.9,
    );
    assert_eq!(found.len(), 2);
    for track in found {
        let widths: Vec<f64> = track.samples.iter().map(|sample| sample.rect.width).collect();
        assert!(widths.iter().all(|width| (width - widths[0]).abs() < 0.01), "{widths:?}");
    }
}

/// Whether all samples of a track are of one person. The test tells people apart by the exact width
/// of their faces, which differs by too little for the tracker to use.
fn of_one_person(track: &FaceTrack, widths: &[f64]) -> bool {
    let who = |width: f64| widths.iter().position(|of| (of - width).abs() < 1e-6);
    track.samples.iter().all(|sample| who(sample.rect.width) == who(track.samples[0].rect.width))
}

#[test]
fn an_occlusion_of_a_second_does_not_end_a_track() {
    for speed in [0.0, 0.06, 0.1] {
        let walk = move |t: f64| if (2.0..3.0).contains(&t) { vec![] } else { vec![face(0.2 + speed * t, 0.1)] };
        let found = tracks(&shots(&[0.0, 6.0]), &static_camera(), &frames(30, walk), ASPECT_RATIO, 0.9);
        assert_eq!(found.len(), 1, "{speed} a second");
    }
}

#[test]
fn similar_people_who_cross_keep_their_tracks() {
    // Nearly the same size. For half a second one person hides the other.
    let at = |t: f64| {
        let (one, other) = (face(0.2 + 0.12 * t, 0.1), face(0.8 - 0.12 * t, 0.1001));
        if (2.3..2.7).contains(&t) { vec![one] } else { vec![other, one] }
    };
    let found = tracks(&shots(&[0.0, 6.0]), &static_camera(), &frames(25, at), ASPECT_RATIO, 0.9);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|track| of_one_person(track, &[0.1, 0.1001])));
}

#[test]
fn tracks_follow_two_people_through_a_pan() {
    // The camera pans by half the picture in a second. From frame to frame each face moves by one
    // face width, to where the other one was.
    let pan = |t: f64| (0.5 * (t - 1.0)).clamp(0.0, 0.5);
    let mut camera = CameraPath::default();
    let mut last = 0.0;
    for n in 0..31 {
        let t = f64::from(n) * 0.1;
        camera.push(Timestamp::from_secs(t), Shift { x: (-(pan(t) - last) * 80.0) as f32, y: 0.0 }, (80, 45));
        last = pan(t);
    }
    let at = |t: f64| vec![face(0.7 - pan(t), 0.1), face(0.8 - pan(t), 0.1001)];
    let found = tracks(&shots(&[0.0, 3.0]), &camera, &frames(15, at), ASPECT_RATIO, 0.9);
    assert_eq!(found.iter().map(|track| track.samples.len()).collect::<Vec<_>>(), [15, 15]);
    assert!(found.iter().all(|track| of_one_person(track, &[0.1, 0.1001])));
}

#[test]
fn a_person_who_appears_near_an_undetected_one_gets_a_new_track() {
    // The left person leaves as another one sits down one face width further right.
    let found = tracks(
        &shots(&[0.0, 6.0]),
        &static_camera(),
        &frames(30, |t| if t < 2.0 { vec![face(0.4, 0.1)] } else { vec![face(0.5, 0.1001)] }),
        ASPECT_RATIO,
        0.9,
    );
    assert_eq!(found.len(), 2);
}

proptest! {
    #[test]
    fn every_track_is_in_order_inside_one_shot_and_never_jumps(
        faces in prop::collection::vec(prop::collection::vec((0.0..1.0_f64, 0.03..0.3_f64), 0..4), 1..40),
        cut in 0.5..6.0_f64,
    ) {
        let shots = shots(&[0.0, cut, 8.0]);
        let seen = frames(faces.len(), |t| faces[(t / 0.2).round() as usize].iter().map(|&(x, width)| face(x, width)).collect());
        let total: usize = seen.iter().map(|frame| frame.faces.len()).sum();
        let found = tracks(&shots, &static_camera(), &seen, ASPECT_RATIO, 0.9);
        prop_assert!(found.iter().map(|track| track.samples.len()).sum::<usize>() <= total);
        for track in found {
            prop_assert!(shots.iter().any(|shot| track.samples.iter().all(|sample| shot.span.contains(sample.at))));
            for pair in track.samples.windows(2) {
                let gap = pair[1].at.since(pair[0].at).secs();
                prop_assert!(gap > 0.0 && gap <= MAX_GAP + 1e-6);
                let ratio = pair[1].rect.width / pair[0].rect.width;
                prop_assert!((1.0 / MAX_SIZE_RATIO - 1e-6..=MAX_SIZE_RATIO + 1e-6).contains(&ratio));
            }
        }
    }
}

proptest! {
    // Each case compares a hundred mouths.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn jitter_and_missed_detections_do_not_swap_identities(
        noise in prop::collection::vec((-0.008..0.008_f64, -0.008..0.008_f64, 0..10_u8, 0..10_u8), 40),
        speed in -0.02..0.02_f64,
    ) {
        let widths = [0.1, 0.1001, 0.1002];
        let mut missed = [0; 3];
        let seen: Vec<FrameDetections> = noise.iter().enumerate().map(|(n, &(dx, dy, one, other))| {
            let t = n as f64 * 0.2;
            let faces = [0.2, 0.45, 0.7].iter().zip(widths).enumerate().filter_map(|(p, (x, width))| {
                // Every third detection is missing, but at most five in a row.
                let miss = (one + 3 * p as u8 + other * (p as u8 + 1)).is_multiple_of(3) && missed[p] < 5;
                missed[p] = if miss { missed[p] + 1 } else { 0 };
                let sign = if p == 1 { -1.0 } else { 1.0 };
                let (mut detection, image) = face(x + speed * t + sign * dx, width);
                detection.rect.y += sign * dy;
                (!miss).then_some((detection, image))
            });
            FrameDetections { at: Timestamp::from_secs(t), faces: faces.collect() }
        }).collect();
        let found = tracks(&shots(&[0.0, 8.0]), &static_camera(), &seen, ASPECT_RATIO, 0.9);
        prop_assert_eq!(found.len(), 3);
        prop_assert!(found.iter().all(|track| of_one_person(track, &widths)));
    }
}
