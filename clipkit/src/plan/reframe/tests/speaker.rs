//! Who is shown where a model answers who speaks.

use super::*;

/// A face whose mouth moves all the time, with the probability that it speaks.
fn judged(id: u32, time: Span, at: (f64, f64), speaking: impl Fn(f64) -> f64) -> FaceTrack {
    let mut face = face(id, time, 0.1, |_| at, |_| true);
    face.samples.iter_mut().for_each(|sample| sample.speaking = Some(speaking(sample.at.secs())));
    face
}

#[test]
fn a_model_tells_the_speaker_from_a_listener_who_moves() {
    let time = span(0.0, 12.0);
    let turn = |t: f64| if t < 6.0 { 0.95 } else { 0.04 };
    let faces = vec![judged(0, time, (0.2, 0.4), turn), judged(1, time, (0.8, 0.4), |t| 0.99 - turn(t))];
    let tracks = Tracks { shots: shots(&[0.0, 12.0]), faces, ..Tracks::default() };
    let scenes = scenes(&FramingInput::without_audio(&tracks, time, WIDE, TALL));
    assert_eq!(scenes.len(), 2);
    assert!((scenes[1].span.start().secs() - 6.0).abs() <= 0.3, "{:?}", scenes[1].span);
    assert!(crop(&scenes[0]).path[0].x < 0.2 && crop(&scenes[1]).path[0].x > 0.5);
}

#[test]
fn the_voice_of_somebody_else_makes_nobody_the_speaker() {
    let time = span(0.0, 12.0);
    // The one on the left speaks, then a voice comes from outside of the picture.
    let faces = vec![
        judged(0, time, (0.2, 0.4), |t| if t < 6.0 { 0.95 } else { 0.02 }),
        judged(1, time, (0.8, 0.4), |t| if t < 6.0 { 0.02 } else { 0.04 }),
    ];
    let tracks = Tracks { shots: shots(&[0.0, 12.0]), faces, ..Tracks::default() };
    let scenes = scenes(&FramingInput::without_audio(&tracks, time, WIDE, TALL));
    assert!(scenes.len() == 1 && crop(&scenes[0]).path[0].x < 0.2, "{scenes:?}");
}

/// The left mouth moves for 4 s, then the right one. For the first half a model finds, by rounding
/// for one or for the other, that neither speaks.
fn judged_without_a_voice(likelier: usize) -> Vec<FaceTrack> {
    let time = span(0.0, 8.0);
    let left = face(0, time, 0.1, |_| (0.2, 0.4), |t| t < 4.0);
    let right = face(1, time, 0.12, |_| (0.8, 0.4), |t| t >= 4.0);
    let mut faces = vec![left, right];
    for (n, face) in faces.iter_mut().enumerate() {
        for sample in face.samples.iter_mut().filter(|sample| sample.at.secs() < 4.0) {
            sample.speaking = Some(if n == likelier { 0.01 } else { 0.007 });
        }
    }
    faces
}

#[test]
fn mouths_decide_where_there_is_no_voice_whatever_a_model_answers() {
    let voice = [span(4.1, 8.0)];
    // Without an analysis of the audio, the model's answers alone tell that there is no voice.
    for (likelier, voice) in [(0, &voice[..]), (1, &voice), (0, &[]), (1, &[])] {
        let tracks = Tracks { shots: shots(&[0.0, 8.0]), faces: judged_without_a_voice(likelier), ..Tracks::default() };
        let scenes = scenes(&FramingInput { voice, ..FramingInput::without_audio(&tracks, span(0.0, 8.0), WIDE, TALL) });
        assert!(scenes.len() == 2 && crop(&scenes[0]).path[0].x < 0.2 && crop(&scenes[1]).path[0].x > 0.5, "{scenes:?}");
        assert!((scenes[1].span.start().secs() - 4.0).abs() <= 0.3, "{:?}", scenes[1].span);
    }
}

#[test]
fn a_turn_waits_for_the_mouth_where_a_model_hears_nobody() {
    // Measured on a made talk: before the voice, the model's answers favour the next speaker, but
    // none is clearly above 0.5; compression noise of a still picture looks like a small movement.
    let time = span(0.0, 8.0);
    let value = |t: f64, before: f64, tipped: f64, after: f64| {
        if t < 3.3 {
            before
        } else if t < 3.9 {
            tipped
        } else {
            after
        }
    };
    let mut faces = vec![
        judged(0, time, (0.2, 0.4), |t| value(t, 0.21, 0.01, 0.01)),
        judged(1, time, (0.8, 0.4), |t| value(t, 0.02, 0.4, if t < 4.1 { 0.53 } else { 0.9 })),
    ];
    faces[0].samples.iter_mut().for_each(|sample| sample.mouth = value(sample.at.secs(), 0.04, 0.04, 0.001));
    faces[1].samples.iter_mut().for_each(|sample| sample.mouth = value(sample.at.secs(), 0.001, 0.022, 0.15));
    let tracks = Tracks { shots: shots(&[0.0, 8.0]), faces, ..Tracks::default() };
    for voice in [&[span(4.4, 8.0)][..], &[]] {
        let scenes = scenes(&FramingInput { voice, ..FramingInput::without_audio(&tracks, time, WIDE, TALL) });
        assert_eq!(scenes.len(), 2, "{scenes:?}");
        assert!((scenes[1].span.start().secs() - 4.0).abs() <= 0.25, "{:?}", scenes[1].span);
    }
}

/// When two people are shown of whom neither is marked as the speaker, in seconds.
fn shown_together(faces: Vec<FaceTrack>, voice: &[Span], layout: LayoutChoice) -> Vec<(f64, f64)> {
    let tracks = Tracks { shots: shots(&[0.0, 12.0]), faces, ..Tracks::default() };
    let input = FramingInput::without_audio(&tracks, span(0.0, 12.0), WIDE, TALL);
    let scenes = scenes(&FramingInput { voice, layout, ..input });
    let together = scenes.iter().filter(|scene| matches!(&scene.layout, Layout::Split { speaking, .. } if speaking.is_empty()));
    together.map(|scene| (scene.span.start().secs(), scene.span.end().secs())).collect()
}

#[test]
fn where_neither_is_certain_to_speak_both_are_shown() {
    let time = span(0.0, 12.0);
    let both = |after: f64| {
        let left = move |t: f64| if t < 6.0 { 0.95 } else { after };
        vec![judged(0, time, (0.2, 0.4), left), judged(1, time, (0.8, 0.4), move |t| if t < 6.0 { 0.02 } else { after })]
    };
    let voice = [time];
    // Both mouths move as the voice does, or the voice is that of somebody outside of the picture.
    for after in [0.9, 0.02] {
        let found = shown_together(both(after), &voice, LayoutChoice::Auto);
        let [(start, end)] = found[..] else { panic!("{found:?}") };
        assert!((start - 6.0).abs() <= 1.1 && end == 12.0, "{found:?}");
    }
    // Not where the audio was not analysed, or where another layout is asked for.
    assert!(shown_together(both(0.9), &[], LayoutChoice::Auto).is_empty());
    assert!(shown_together(both(0.9), &voice, LayoutChoice::Fill).is_empty());
}

#[test]
fn of_two_mouths_that_seem_to_speak_the_surer_one_is_shown() {
    let time = span(0.0, 12.0);
    // The model always takes the right one's mouth for a speaking one; it is surer in their turn.
    let faces = vec![
        judged(0, time, (0.2, 0.4), |t| if t < 6.0 { 0.9 } else { 0.8 }),
        judged(1, time, (0.8, 0.4), |t| if t < 6.0 { 0.91 } else { 0.97 }),
    ];
    let tracks = Tracks { shots: shots(&[0.0, 12.0]), faces, ..Tracks::default() };
    let scenes = scenes(&FramingInput::without_audio(&tracks, time, WIDE, TALL));
    assert!(scenes.len() == 2 && crop(&scenes[0]).path[0].x < 0.2 && crop(&scenes[1]).path[0].x > 0.5, "{scenes:?}");
}
