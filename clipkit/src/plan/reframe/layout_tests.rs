//! The choice of layouts, their contents, and the fallback for layouts that are not available.

use super::tests::{TALL, WIDE, face, plan, span};
use super::*;
use crate::model::{Crop, Half, Layout, SubjectSample, SubjectTrack};

fn framing(tracks: &Tracks, output: (u32, u32), layout: LayoutChoice) -> Framing {
    let span = tracks.shots.first().unwrap().span;
    let framed = frame(&FramingInput { layout, ..FramingInput::without_audio(tracks, span, WIDE, output) });
    plan(framed.scenes.clone(), span, WIDE, output).validate().unwrap();
    framed
}

fn one_shot(content: ShotContent, faces: Vec<FaceTrack>) -> Tracks {
    let span = faces.first().map_or(span(0.0, 20.0), |face| Span::between(Timestamp::ZERO, face.span().end()));
    Tracks { shots: vec![Shot { span, content }], faces, ..Tracks::default() }
}

/// Two people far apart who alternate every `turn` seconds for 20 seconds.
fn dialogue(turn: f64) -> Tracks {
    let left = move |t: f64| ((t / turn) as usize).is_multiple_of(2);
    let shot = span(0.0, 20.2);
    let faces = vec![face(0, shot, 0.1, |_| (0.8, 0.4), move |t| !left(t)), face(1, shot, 0.1, |_| (0.2, 0.45), left)];
    one_shot(ShotContent::Camera, faces)
}

fn webcam() -> FaceTrack {
    face(0, span(0.0, 20.2), 0.06, |_| (0.9, 0.85), |_| true)
}

/// Whether a window and its place in the output have the same aspect ratio in pixels.
fn is_undistorted(crop: &Crop, place: Rect, output: (u32, u32)) -> bool {
    let source = crop.width * f64::from(WIDE.0) / (crop.height * f64::from(WIDE.1));
    let shown = place.width * f64::from(output.0) / (place.height * f64::from(output.1));
    (source / shown - 1.0).abs() < 1e-3
}

fn holds(window: Rect, face: Rect) -> bool {
    window.x <= face.x
        && face.x + face.width <= window.x + window.width
        && window.y <= face.y
        && face.y + face.height <= window.y + window.height
}

#[test]
fn fast_alternation_gives_a_split_and_slow_alternation_gives_cuts() {
    let split = framing(&dialogue(2.0), TALL, LayoutChoice::Auto).scenes;
    let [Scene { layout: Layout::Split { top, bottom, speaking }, .. }] = &split[..] else { panic!("{split:?}") };
    let (left, right) = (Rect::new(0.15, 0.36, 0.1, 0.178), Rect::new(0.75, 0.31, 0.1, 0.178));
    let at = Timestamp::from_secs(5.0);
    assert!(holds(top.at(at), left) && holds(bottom.at(at), right), "{top:?} {bottom:?}");
    assert!(top.at(at).iou(right) == 0.0 && bottom.at(at).iou(left) == 0.0, "nobody is shown twice");
    assert_eq!(top.path.len() + bottom.path.len(), 2, "both stand");
    assert!(speaking.len() >= 9 && speaking[0].half == Some(Half::Top) && speaking[1].half == Some(Half::Bottom), "{speaking:?}");
    for pair in speaking.windows(2) {
        assert!((pair[1].from.since(pair[0].from).secs() - 2.0).abs() < 0.5, "{speaking:?}");
    }
    let cut = framing(&dialogue(5.0), TALL, LayoutChoice::Auto).scenes;
    assert_eq!(cut.len(), 4, "{cut:?}");
    assert!(cut.iter().all(|scene| matches!(scene.layout, Layout::Fill { .. })));
    // The halves of a landscape output would be too flat, and one window shows both people anyway.
    let wide = framing(&dialogue(2.0), WIDE, LayoutChoice::Auto).scenes;
    assert!(wide.iter().all(|scene| matches!(scene.layout, Layout::Fill { .. })));
}

#[test]
fn only_the_range_with_brief_turns_is_split() {
    let left = |t: f64| if t < 10.0 { true } else { ((t - 10.0) / 2.0) as usize % 2 == 1 };
    let shot = span(0.0, 20.2);
    let faces = vec![face(0, shot, 0.1, |_| (0.8, 0.4), move |t| !left(t)), face(1, shot, 0.1, |_| (0.2, 0.4), left)];
    let scenes = framing(&one_shot(ShotContent::Camera, faces), TALL, LayoutChoice::Auto).scenes;
    let [Scene { layout: Layout::Fill { crop }, .. }, Scene { layout: Layout::Split { .. }, span }] = &scenes[..] else {
        panic!("{scenes:?}")
    };
    assert!(crop.path[0].x < 0.2);
    assert!((span.start().secs() - 10.0).abs() < 0.4, "{span}");
}

#[test]
fn a_person_who_is_often_absent_gets_no_half() {
    let mut tracks = dialogue(2.0);
    tracks.faces[0].samples.retain(|sample| (sample.at.secs() / 2.0) as usize % 2 == 1);
    let scenes = framing(&tracks, TALL, LayoutChoice::Auto).scenes;
    assert!(scenes.iter().all(|scene| matches!(scene.layout, Layout::Fill { .. })), "{scenes:?}");
}

#[test]
fn a_screen_is_shown_whole_at_every_aspect_ratio() {
    for output in [TALL, (1080, 1350), (1080, 1080)] {
        let scenes = framing(&one_shot(ShotContent::Screen, Vec::new()), output, LayoutChoice::Auto).scenes;
        let [Scene { layout: Layout::Fit { pane }, .. }] = &scenes[..] else { panic!("{scenes:?}") };
        assert_eq!(pane.crop, Crop::still(Rect::FULL));
        assert!(is_undistorted(&pane.crop, pane.place, output), "{pane:?}");
        assert!(pane.place.y + pane.place.height / 2.0 < 0.5, "captions stand below: {pane:?}");
    }
    let scenes = framing(&one_shot(ShotContent::Screen, Vec::new()), WIDE, LayoutChoice::Auto).scenes;
    assert!(matches!(&scenes[..], [Scene { layout: Layout::Fill { .. }, .. }]), "it fills the output anyway");
}

#[test]
fn a_webcam_in_a_screen_recording_gets_a_larger_inset() {
    for (output, x, y) in [(TALL, 0.9, 0.85), (TALL, 0.1, 0.15), ((1080, 1080), 0.9, 0.85)] {
        let cam = face(0, span(0.0, 20.2), 0.06, |_| (x, y), |_| true);
        let seen = cam.samples[0].rect;
        let scenes = framing(&one_shot(ShotContent::Screen, vec![cam]), output, LayoutChoice::Auto).scenes;
        let [Scene { layout: Layout::Pip { screen, inset }, .. }] = &scenes[..] else { panic!("{scenes:?}") };
        assert!(is_undistorted(&inset.crop, inset.place, output) && is_undistorted(&screen.crop, screen.place, output), "{inset:?}");
        assert!(holds(inset.crop.at(Timestamp::ZERO), seen));
        let larger = inset.place.width / inset.crop.width / (screen.place.width / screen.crop.width);
        assert!(larger > 1.3, "{larger}");
        // The inset covers the small face in the screen picture, so that it is not visible twice.
        let own = (screen.place.x + x * screen.place.width, screen.place.y + y * screen.place.height);
        let place = inset.place;
        assert!(
            (place.x..place.x + place.width).contains(&own.0) && (place.y..place.y + place.height).contains(&own.1),
            "{own:?} {place:?}"
        );
    }
    let middle = face(0, span(0.0, 20.2), 0.06, |_| (0.5, 0.5), |_| true);
    let scenes = framing(&one_shot(ShotContent::Screen, vec![middle]), TALL, LayoutChoice::Auto).scenes;
    assert!(matches!(&scenes[..], [Scene { layout: Layout::Fit { .. }, .. }]), "a face in the middle is a part of the screen");
    let large = face(0, span(0.0, 20.2), 0.25, |_| (0.5, 0.5), |_| true);
    let scenes = framing(&one_shot(ShotContent::Screen, vec![large]), TALL, LayoutChoice::Auto).scenes;
    assert!(matches!(&scenes[..], [Scene { layout: Layout::Fill { .. }, .. }]), "a large face is what it is about");
}

#[test]
fn a_wide_silent_group_is_shown_whole() {
    let shot = span(0.0, 10.2);
    let group = |speaks: bool| {
        let at = |id: u32, x: f64| face(id, shot, 0.06, move |_| (x, 0.4), move |_| speaks && id == 0);
        one_shot(ShotContent::Camera, vec![at(0, 0.25), at(1, 0.45), at(2, 0.7)])
    };
    let scenes = framing(&group(false), TALL, LayoutChoice::Auto).scenes;
    let [Scene { layout: Layout::Fit { pane }, .. }] = &scenes[..] else { panic!("{scenes:?}") };
    let window = pane.crop.at(Timestamp::ZERO);
    assert!(window.x < 0.22 && window.x + window.width > 0.73 && window.width < 0.7, "{window:?}");
    assert!(is_undistorted(&pane.crop, pane.place, TALL));
    let scenes = framing(&group(true), TALL, LayoutChoice::Auto).scenes;
    assert!(scenes.iter().all(|scene| matches!(scene.layout, Layout::Fill { .. })), "whoever speaks is shown: {scenes:?}");
}

#[test]
fn a_requested_layout_is_made_or_replaced_with_a_warning() {
    use LayoutChoice::{Fill, Fit, Pip, Split};
    let alone = one_shot(ShotContent::Camera, vec![face(0, span(0.0, 8.2), 0.3, |_| (0.5, 0.4), |_| true)]);
    let screen = one_shot(ShotContent::Screen, vec![webcam()]);
    let slides = one_shot(ShotContent::Screen, Vec::new());
    for output in [TALL, (1080, 1080), WIDE] {
        for (tracks, choice, kind, met) in [
            (&dialogue(5.0), Split, "split", true),
            (&dialogue(2.0), Fill, "fill", true),
            (&dialogue(2.0), Fit, "fit", true),
            (&dialogue(5.0), Pip, "pip", true),
            (&alone, Split, "fill", false),
            (&alone, Pip, "fill", false),
            (&alone, Fit, "fit", true),
            (&screen, Split, "fit", false),
            (&screen, Pip, "pip", true),
            (&screen, Fill, "fill", true),
            (&slides, Pip, "fit", false),
        ] {
            let framed = framing(tracks, output, choice);
            let kinds: Vec<_> = framed.scenes.iter().map(|scene| serde_json::to_value(&scene.layout).unwrap()["kind"].clone()).collect();
            assert!(kinds.iter().all(|found| found == kind), "{choice} at {output:?}: {kinds:?}");
            assert_eq!(framed.layout_warning.is_none(), met, "{:?}", framed.layout_warning);
            if let Some(layout_warning) = framed.layout_warning {
                assert!(
                    layout_warning.starts_with(&format!("the layout {choice} needs")) && layout_warning.contains("1 of 1 shots"),
                    "{layout_warning}"
                );
            }
        }
    }
}

#[test]
fn without_faces_the_window_follows_the_subject() {
    let shot = span(0.0, 10.0);
    let track = |at: &dyn Fn(f64) -> f64| {
        let sample = |n: u32| {
            let t = f64::from(n) / 5.0;
            SubjectSample { at: Timestamp::from_secs(t), rect: Rect::new(at(t) - 0.1, 0.2, 0.2, 0.6) }
        };
        SubjectTrack { samples: (0..50).map(sample).collect() }
    };
    let tracks = |subject: SubjectTrack, faces| Tracks { shots: vec![Shot::new(shot)], faces, subjects: vec![subject] };
    let crop_of = |tracks: &Tracks| {
        let scenes = framing(tracks, TALL, LayoutChoice::Auto).scenes;
        let [Scene { layout: Layout::Fill { crop }, .. }] = &scenes[..] else { panic!("{scenes:?}") };
        crop.clone()
    };
    let crosses = |t: f64| 0.2 + 0.06 * t;
    let crop = crop_of(&tracks(track(&crosses), Vec::new()));
    for t in [0.0, 2.5, 5.0, 9.0] {
        let window = crop.at(Timestamp::from_secs(t));
        assert!((window.x..window.x + window.width).contains(&crosses(t)), "at {t}: {window:?}");
    }
    let stays = crop_of(&tracks(track(&|t: f64| 0.7 + 0.05 * t.sin()), Vec::new()));
    assert!(stays.path.len() == 1 && (stays.path[0].x + stays.width / 2.0 - 0.7).abs() < 0.05, "{stays:?}");
    let seen = crop_of(&tracks(track(&crosses), vec![face(0, shot, 0.1, |_| (0.8, 0.4), |_| true)]));
    assert!(seen.path.len() == 1 && seen.path[0].x > 0.6, "faces win: {seen:?}");
}
