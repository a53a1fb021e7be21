mod speaker;

use proptest::prelude::*;

use super::*;
use crate::model::{
    CaptionTrack, ClipPlan, ContentId, Crop, FaceSample, FaceTrack, FrameRate, Layout, MediaRef, Output, PlanSource, Score, Shot,
    SubjectSample, SubjectTrack,
};

pub(super) const WIDE: (u32, u32) = (1920, 1080);
pub(super) const TALL: (u32, u32) = (1080, 1920);

pub(super) fn span(start: f64, end: f64) -> Span {
    Span::secs(start, end).unwrap()
}

/// A face of a given width, sampled five times per second. `at` gives its centre and `speaks`
/// whether its mouth moves, both for a time in seconds.
pub(super) fn face(id: u32, time: Span, width: f64, at: impl Fn(f64) -> (f64, f64), speaks: impl Fn(f64) -> bool) -> FaceTrack {
    let count = (time.duration().as_secs_f64() * 5.0) as usize;
    let samples = (0..count).map(|n| {
        let seconds = time.start().secs() + n as f64 / 5.0;
        let ((x, y), height) = (at(seconds), width * 16.0 / 9.0);
        FaceSample {
            at: Timestamp::from_secs(seconds),
            rect: Rect::new(x - width / 2.0, y - height / 2.0, width, height),
            confidence: 0.9,
            mouth: if speaks(seconds - 0.1) { 0.15 } else { 0.0 },
            speaking: None,
        }
    });
    FaceTrack { id, samples: samples.collect() }
}

fn shots(bounds: &[f64]) -> Vec<Shot> {
    bounds.windows(2).map(|pair| Shot::new(span(pair[0], pair[1]))).collect()
}

fn crop(scene: &Scene) -> &Crop {
    let Layout::Fill { crop } = &scene.layout else { panic!("{scene:?}") };
    crop
}

fn travel(crop: &Crop) -> f64 {
    crop.path.windows(2).map(|pair| (pair[1].x - pair[0].x).abs() + (pair[1].y - pair[0].y).abs()).sum()
}

#[test]
fn a_swaying_person_gets_a_static_window() {
    let sways = |t: f64| (0.7 + 0.02 * (3.0 * t).sin(), 0.4);
    let tracks = Tracks { shots: shots(&[10.0, 18.0]), faces: vec![face(0, span(10.0, 18.0), 0.1, sways, |_| true)], ..Tracks::default() };
    let scenes = scenes(&FramingInput::without_audio(&tracks, span(10.0, 18.0), WIDE, TALL));
    assert_eq!(scenes.len(), 1);
    let crop = crop(&scenes[0]);
    assert_eq!(crop.path.len(), 1);
    assert!((crop.path[0].x + crop.width / 2.0 - 0.7).abs() < 0.02);
}

#[test]
fn a_walking_person_is_followed_smoothly() {
    let walks = |t: f64| (0.2 + 0.07 * t + 0.004 * (9.0 * t).sin(), 0.4);
    let tracks = Tracks { shots: shots(&[0.0, 8.0]), faces: vec![face(0, span(0.0, 8.0), 0.1, walks, |_| true)], ..Tracks::default() };
    let scenes = scenes(&FramingInput::without_audio(&tracks, span(0.0, 8.0), WIDE, TALL));
    let [only] = &scenes[..] else { panic!("{scenes:?}") };
    let path = &crop(only).path;
    assert!(path.windows(2).all(|pair| pair[0].x <= pair[1].x), "no step back: {path:?}");
    assert!(path.len() < 20, "{path:?}");
    for n in 0..80 {
        let window = crop(only).at(Timestamp::from_secs(f64::from(n) / 10.0));
        let (x, _) = walks(f64::from(n) / 10.0);
        assert!(window.x + 0.05 <= x + 1e-9 && x <= window.x + window.width - 0.05, "at {n}: {x} in {window:?}");
    }
}

#[test]
fn two_people_apart_are_framed_in_turn_without_interjections() {
    let shot = span(0.0, 12.0);
    let left_speaks = |t: f64| t < 6.0;
    let right_speaks = |t: f64| t >= 6.0 || (2.0..2.8).contains(&t);
    let tracks = Tracks {
        shots: shots(&[0.0, 12.0]),
        faces: vec![face(0, shot, 0.12, |_| (0.2, 0.4), left_speaks), face(1, shot, 0.1, |_| (0.8, 0.4), right_speaks)],
        ..Tracks::default()
    };
    let scenes = scenes(&FramingInput::without_audio(&tracks, shot, WIDE, TALL));
    assert_eq!(scenes.len(), 2, "{scenes:?}");
    assert!((scenes[1].span.start().secs() - 6.0).abs() <= 0.2, "{}", scenes[1].span);
    assert!(crop(&scenes[0]).path[0].x < 0.2 && crop(&scenes[1]).path[0].x > 0.6);
}

#[test]
fn a_turn_starts_after_the_last_sample_without_movement() {
    let shot = span(0.0, 8.0);
    // Samples are 0.2 s apart; both mouths change between those at 3.8 s and 4 s, in any ratio.
    for (ends, begins) in [(0.15, 0.05), (0.1, 0.1), (0.03, 0.15)] {
        let mut tracks = Tracks {
            shots: shots(&[0.0, 8.0]),
            faces: vec![face(0, shot, 0.12, |_| (0.2, 0.4), |t| t < 3.8), face(1, shot, 0.12, |_| (0.8, 0.4), |t| t > 4.0)],
            ..Tracks::default()
        };
        (tracks.faces[0].samples[20].mouth, tracks.faces[1].samples[20].mouth) = (ends, begins);
        tracks.faces[1].samples[21..].iter_mut().for_each(|sample| sample.mouth *= 0.6);
        let scenes = scenes(&FramingInput::without_audio(&tracks, shot, WIDE, TALL));
        assert_eq!(scenes.len(), 2, "{scenes:?}");
        let cut = scenes[1].span.start().secs();
        assert!(cut > 3.8 && cut < 4.0, "{cut} with {ends} and {begins}");
    }
}

#[test]
fn two_people_who_fit_are_framed_together() {
    let shot = span(0.0, 8.0);
    let tracks = Tracks {
        shots: shots(&[0.0, 8.0]),
        faces: vec![face(0, shot, 0.08, |_| (0.45, 0.4), |t| t < 4.0), face(1, shot, 0.08, |_| (0.6, 0.4), |t| t >= 4.0)],
        ..Tracks::default()
    };
    let scenes = scenes(&FramingInput::without_audio(&tracks, shot, WIDE, TALL));
    assert_eq!(scenes.len(), 1);
    let window = crop(&scenes[0]).at(Timestamp::ZERO);
    assert!(window.x <= 0.41 && window.x + window.width >= 0.64, "{window:?}");
}

#[test]
fn two_close_people_of_three_are_framed_together() {
    let shot = span(0.0, 12.0);
    let at = |id, x: f64, speaks: fn(f64) -> bool| face(id, shot, 0.08, move |_| (x, 0.4), speaks);
    let tracks = Tracks {
        shots: shots(&[0.0, 12.0]),
        faces: vec![at(0, 0.7, |t| t < 4.0), at(1, 0.1, |t| t >= 8.0), at(2, 0.84, |t| (4.0..8.0).contains(&t))],
        ..Tracks::default()
    };
    let scenes = scenes(&FramingInput::without_audio(&tracks, shot, WIDE, TALL));
    assert_eq!(scenes.len(), 2, "{scenes:?}");
    let window = crop(&scenes[0]).at(Timestamp::ZERO);
    assert!(window.x <= 0.66 && window.x + window.width >= 0.88, "{window:?}");
    assert!((scenes[1].span.start().secs() - 8.0).abs() <= 0.2 && crop(&scenes[1]).path[0].x < 0.1);
}

#[test]
fn scenes_start_exactly_at_cuts() {
    let cut = Timestamp::from_micros(14_640_123);
    let bounds = [Timestamp::from_secs(10.0), cut, Timestamp::from_secs(20.0)];
    let shots = bounds.windows(2).map(|pair| Shot::new(Span::between(pair[0], pair[1]))).collect();
    let tracks = Tracks { shots, faces: vec![face(0, span(10.0, 14.6), 0.1, |_| (0.8, 0.4), |_| true)], ..Tracks::default() };
    let scenes = scenes(&FramingInput::without_audio(&tracks, span(10.0, 20.0), WIDE, TALL));
    let starts: Vec<_> = scenes.iter().map(|scene| scene.span.start().micros()).collect();
    assert_eq!(starts, [0, 4_640_123]);
    assert!(crop(&scenes[0]).path[0].x > 0.6);
    assert!((crop(&scenes[1]).path[0].x + crop(&scenes[1]).width / 2.0 - 0.5).abs() < 1e-6, "no face: the centre");
}

#[test]
fn tracks_are_merged_after_a_person_looks_away() {
    let shot = span(0.0, 12.0);
    let tracks = Tracks {
        shots: shots(&[0.0, 12.0]),
        faces: vec![face(0, span(0.0, 5.0), 0.1, |_| (0.8, 0.4), |_| true), face(1, span(7.0, 12.0), 0.1, |_| (0.81, 0.4), |_| true)],
        ..Tracks::default()
    };
    let scenes = scenes(&FramingInput::without_audio(&tracks, shot, WIDE, TALL));
    assert_eq!(scenes.len(), 1);
    assert!(travel(crop(&scenes[0])) == 0.0);
}

#[test]
fn a_source_with_the_output_aspect_ratio_is_not_cropped() {
    let scenes = scenes(&FramingInput::without_audio(&Tracks::default(), span(0.0, 5.0), TALL, TALL));
    assert_eq!(crop(&scenes[0]).at(Timestamp::ZERO), Rect::FULL);
}

#[test]
fn a_vertical_source_leaves_headroom() {
    let shot = span(0.0, 5.0);
    let tracks = Tracks { shots: shots(&[0.0, 5.0]), faces: vec![face(0, shot, 0.2, |_| (0.5, 0.3), |_| true)], ..Tracks::default() };
    let scenes = scenes(&FramingInput::without_audio(&tracks, shot, (1080, 1920), (1080, 1080)));
    let window = crop(&scenes[0]).at(Timestamp::ZERO);
    assert!((window.width - 1.0).abs() < 1e-9 && (window.height - 0.5625).abs() < 1e-5);
    let (above, below) = (0.3 - window.y, window.y + window.height - 0.3);
    assert!(above < below && above > 0.18, "{window:?}");
}

/// A plan with these scenes, for validation.
pub(super) fn plan(scenes: Vec<Scene>, span: Span, picture: (u32, u32), output: (u32, u32)) -> ClipPlan {
    ClipPlan {
        version: ClipPlan::VERSION,
        source: PlanSource::new(MediaRef::new("talk.mp4", ContentId::new("blake3", "00")), picture.0, picture.1, span.end()),
        span,
        pieces: Vec::new(),
        sound: Vec::new(),
        censored: Vec::new(),
        title: "t".into(),
        reason: String::new(),
        hook_line: None,
        score: Score::default(),
        shots: Vec::new(),
        faces: Vec::new(),
        subjects: Vec::new(),
        scenes,
        captions: None::<CaptionTrack>,
        hook: None,
        overlays: Vec::new(),
        zooms: Vec::new(),
        fonts: Vec::new(),
        intro: None,
        outro: None,
        post: crate::model::PostTexts::default(),
        output: Output::h264(output.0, output.1, FrameRate::new(25, 1)),
    }
}

fn any_faces() -> impl Strategy<Value = Vec<FaceTrack>> {
    let sample = (0.0..40.0_f64, -0.2..1.1_f64, -0.2..1.1_f64, 0.001..0.9_f64, 0.0..0.4_f64);
    prop::collection::vec(prop::collection::vec(sample, 1..40), 0..5).prop_map(|tracks| {
        type Numbers = (f64, f64, f64, f64, f64);
        let track = |(id, mut samples): (usize, Vec<Numbers>)| {
            samples.sort_by(|a, b| a.0.total_cmp(&b.0));
            let samples = samples.into_iter().map(|(at, x, y, width, mouth)| FaceSample {
                at: Timestamp::from_secs(at),
                rect: Rect::new(x, y, width, width * 1.6),
                confidence: 0.8,
                mouth,
                speaking: None,
            });
            FaceTrack { id: id as u32, samples: samples.collect() }
        };
        tracks.into_iter().enumerate().map(track).collect()
    })
}

fn any_layout() -> impl Strategy<Value = LayoutChoice> {
    use LayoutChoice::{Auto, Fill, Fit, Pip, Split};
    prop::sample::select(vec![Auto, Auto, Fill, Split, Fit, Pip])
}

proptest! {
    #[test]
    fn scenes_cover_the_clip_with_bounded_speed_and_acceleration(
        (faces, others) in (any_faces(), any_faces()),
        mut cuts in prop::collection::vec((0.0..40.0_f64, prop::bool::weighted(0.3)), 0..8),
        (start, length) in (0.0..20.0_f64, 0.05..20.0_f64),
        picture in (64..4000_u32, 64..4000_u32),
        output in prop::sample::select(vec![(1080, 1920), (1080, 1080), (1080, 1350), (1920, 1080)]),
        layout in any_layout(),
    ) {
        cuts.sort_by(|a, b| a.0.total_cmp(&b.0));
        cuts.dedup_by_key(|cut| cut.0);
        let mut seen = shots(&cuts.iter().map(|cut| cut.0).collect::<Vec<_>>());
        for (shot, (_, screen)) in seen.iter_mut().zip(&cuts) {
            shot.content = if *screen { ShotContent::Screen } else { ShotContent::Camera };
        }
        let subjects = others.into_iter().map(|face| SubjectTrack {
            samples: face.samples.into_iter().map(|FaceSample { at, rect, .. }| SubjectSample { at, rect }).collect(),
        });
        let tracks = Tracks { shots: seen, faces, subjects: subjects.collect() };
        let span = span(start, start + length);
        let scenes = scenes(&FramingInput { layout, ..FramingInput::without_audio(&tracks, span, picture, output) });
        for scene in &scenes {
            for (crop, place) in scene.layout.panes() {
                let shape = f64::from(output.0) * place.width / (f64::from(output.1) * place.height);
                let got = crop.width * f64::from(picture.0) / (crop.height * f64::from(picture.1));
                prop_assert!((got / shape - 1.0).abs() < 2e-3, "shape {got}, not {shape}: {crop:?} at {place:?}");
                for key in &crop.path {
                    prop_assert!(key.x >= 0.0 && key.y >= 0.0 && key.x + crop.width <= 1.0 + 1e-12 && key.y + crop.height <= 1.0 + 1e-12);
                }
                assert_smooth(crop, scene.span)?;
            }
            if let Layout::Fill { crop } = &scene.layout {
                prop_assert!((crop.width.max(crop.height) - 1.0).abs() < 1e-9, "as large as fits");
            }
        }
        for cut in tracks.shots.iter().map(|shot| shot.span.start()).filter(|&cut| span.start() < cut && cut < span.end()) {
            prop_assert!(scenes.iter().any(|scene| scene.span.start() == cut.since(span.start())));
        }
        let judged = plan(scenes, span, picture, output).validate();
        prop_assert!(judged.is_ok(), "{judged:?}");
    }
}

/// Checks the speed between keys and the acceleration at 25 frames per second. Keys are rounded to
/// millionths of the picture, and omitted keys add the simplification tolerance.
fn assert_smooth(crop: &Crop, span: Span) -> Result<(), TestCaseError> {
    for pair in crop.path.windows(2) {
        let time = pair[1].at.since(pair[0].at).secs();
        let steps = [((pair[1].x - pair[0].x).abs(), crop.width), ((pair[1].y - pair[0].y).abs(), crop.height)];
        for (step, side) in steps {
            prop_assert!(step <= axis::MAX_SPEED * side * time + 3e-6, "{step} in {time} s, of a window {side} long");
        }
    }
    let dt = 0.04;
    let frames = (span.duration().as_secs_f64() / dt) as usize;
    let at = |n: usize| crop.at(span.start().plus(n as f64 * dt));
    let most = camera_path::max_acceleration(axis::MAX_SPEED) * dt * dt;
    for n in 2..frames {
        let (a, b, c) = (at(n - 2), at(n - 1), at(n));
        for (bend, side) in [(c.x - 2.0 * b.x + a.x, crop.width), (c.y - 2.0 * b.y + a.y, crop.height)] {
            prop_assert!(bend.abs() <= most * side + 4.0 * (2.5e-5 + 1e-6), "{bend} a frame squared, of a window {side} long");
        }
    }
    Ok(())
}

/// The scenes of two people in 20 s, of whom the left one speaks and the right one's mouth moves
/// from 8 s to 9.5 s: the starts, and whether the right one is shown.
fn with_reactions(laughter: &[Span], layout: LayoutChoice) -> Vec<(f64, bool)> {
    let time = span(0.0, 20.0);
    let listener = face(1, time, 0.12, |_| (0.8, 0.4), |t| (8.0..9.5).contains(&t));
    let faces = vec![face(0, time, 0.12, |_| (0.2, 0.4), |_| true), listener];
    let tracks = Tracks { shots: shots(&[0.0, 20.0]), faces, ..Tracks::default() };
    let scenes = scenes(&FramingInput { laughter, layout, ..FramingInput::without_audio(&tracks, time, WIDE, TALL) });
    let fill = |scene: &Scene| matches!(&scene.layout, Layout::Fill { crop } if crop.path[0].x > 0.5);
    scenes.iter().map(|scene| (scene.span.start().secs(), fill(scene))).collect()
}

#[test]
fn a_listener_who_laughs_is_shown_for_a_moment() {
    let shown = |laughter: &[Span]| with_reactions(laughter, LayoutChoice::Fill);
    assert_eq!(shown(&[]), [(0.0, false)]);
    assert_eq!(shown(&[span(8.0, 9.5)]), [(0.0, false), (8.0, true), (9.5, false)]);
    // At most for 2 s, and not again at once.
    assert_eq!(shown(&[span(8.0, 14.0)]), [(0.0, false), (8.0, true), (10.0, false)]);
    assert_eq!(shown(&[span(8.0, 9.2), span(9.3, 11.0)]), [(0.0, false), (8.0, true), (9.2, false)]);
    // Not if it is the speaker who laughs, if it is shorter than a turn, or at the shot's ends.
    for none in [span(2.0, 3.5), span(8.0, 8.9), span(0.5, 9.5), span(15.0, 16.0)] {
        assert_eq!(shown(&[none]), [(0.0, false)], "{none:?}");
    }
    // Nor where both are shown.
    assert!(with_reactions(&[span(8.0, 9.5)], LayoutChoice::Split).iter().all(|(_, right)| !right));
}
