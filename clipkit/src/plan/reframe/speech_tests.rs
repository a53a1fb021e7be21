use proptest::prelude::*;

use super::super::turns;
use super::*;
use crate::model::{FaceSample, FaceTrack, Layout, Scene, Shot, Tracks};

const WIDE: (u32, u32) = (1920, 1080);
const TALL: (u32, u32) = (1080, 1920);
/// The x coordinates of the two people's faces.
const LEFT: f64 = 0.2;
const RIGHT: f64 = 0.8;

fn span(start: f64, end: f64) -> Span {
    Span::secs(start, end).unwrap()
}

/// A face at `x` during `time`, sampled five times per second. `mouth` gives the mouth change for a
/// time in seconds.
fn face(id: u32, time: Span, x: f64, mouth: impl Fn(f64) -> f64) -> FaceTrack {
    let count = (time.duration().as_secs_f64() * 5.0) as usize;
    let samples = (0..count).map(|n| {
        let seconds = time.start().secs() + n as f64 / 5.0;
        let rect = Rect::new(x - 0.05, 0.3, 0.1, 0.18);
        FaceSample { at: Timestamp::from_secs(seconds), rect, confidence: 0.9, mouth: mouth(seconds - 0.1), speaking: None }
    });
    FaceTrack { id, samples: samples.collect() }
}

/// A mouth that moves during these stretches.
fn moves(stretches: &'static [(f64, f64)]) -> impl Fn(f64) -> f64 {
    move |t| if stretches.iter().any(|&(start, end)| (start..end).contains(&t)) { 0.12 } else { 0.0 }
}

/// Three words per second during each stretch, with the stretch's speaker.
fn words(said: &[(f64, f64, &str)]) -> Vec<Word> {
    let within = |&(start, end, speaker): &(f64, f64, &str)| {
        let count = ((end - start) * 3.0).round() as usize;
        let length = (end - start) / count as f64;
        let word = move |n: usize| {
            let mut word = Word::new("so", start + n as f64 * length, start + (n as f64 + 0.8) * length);
            word.speaker = Some(speaker.to_owned());
            word
        };
        (0..count).map(word).collect::<Vec<_>>()
    };
    said.iter().flat_map(within).collect()
}

/// One shot of two people who do not fit into one window.
fn two(length: f64, left: impl Fn(f64) -> f64, right: impl Fn(f64) -> f64) -> Tracks {
    let time = span(0.0, length);
    Tracks { shots: vec![Shot::new(time)], faces: vec![face(0, time, LEFT, left), face(1, time, RIGHT, right)], ..Tracks::default() }
}

/// The start of each scene in seconds, and whether it shows the person on the right.
fn shown(tracks: &Tracks, voice: &[Span], words: &[Word]) -> Vec<(f64, bool)> {
    let end = tracks.shots.last().unwrap().span.end();
    let framing = FramingInput { voice, words, ..FramingInput::without_audio(tracks, Span::between(Timestamp::ZERO, end), WIDE, TALL) };
    let right = |scene: &Scene| {
        let Layout::Fill { crop } = &scene.layout else { panic!("{scene:?}") };
        crop.at(scene.span.start()).center().0 > 0.5
    };
    super::super::scenes(&framing).iter().map(|scene| (scene.span.start().secs(), right(scene))).collect()
}

fn assert_shown(shown: &[(f64, bool)], expected: &[(f64, bool)]) {
    let near = |((at, who), (when, whom)): (&(f64, bool), &(f64, bool))| (at - when).abs() <= 0.3 && who == whom;
    assert!(shown.len() == expected.len() && shown.iter().zip(expected).all(near), "{shown:?}");
}

#[test]
fn mouth_movement_without_voice_activity_causes_no_turn() {
    let tracks = two(12.0, moves(&[(0.0, 5.0), (9.0, 12.0)]), moves(&[(5.5, 8.8)]));
    assert_shown(&shown(&tracks, &[], &[]), &[(0.0, false), (5.3, true), (8.9, false)]);
    assert_shown(&shown(&tracks, &[span(0.0, 5.0), span(9.0, 12.0)], &[]), &[(0.0, false)]);
}

#[test]
fn an_interjection_causes_no_turn() {
    let tracks = two(12.0, moves(&[(0.0, 5.0), (5.8, 12.0)]), moves(&[(5.0, 5.8), (11.2, 12.0)]));
    let said = words(&[(0.0, 5.0, "Ann"), (5.0, 5.8, "Bob"), (5.8, 11.2, "Ann"), (11.2, 12.0, "Bob")]);
    assert_shown(&shown(&tracks, &[span(0.0, 12.0)], &said), &[(0.0, false)]);
    assert_shown(&shown(&tracks, &[], &[]), &[(0.0, false)]);
}

#[test]
fn speaker_names_decide_where_mouths_are_ambiguous() {
    // Both mouths move equally from 12 s to 20 s, and slightly from 20 s on.
    let tracks = two(
        28.0,
        |t| if t < 6.0 || (12.0..20.0).contains(&t) { 0.12 } else { 0.01 },
        |t| if (6.0..20.0).contains(&t) { 0.12 } else { 0.01 },
    );
    let said =
        words(&[(0.0, 6.0, "Ann"), (6.0, 12.0, "Bob"), (12.0, 16.0, "Ann"), (16.0, 20.0, "Bob"), (20.0, 24.0, "Ann"), (24.0, 28.0, "Bob")]);
    assert_shown(&shown(&tracks, &[], &[]), &[(0.0, false), (6.0, true)]);
    let turns = [(0.0, false), (6.0, true), (12.0, false), (16.0, true), (20.0, false), (24.0, true)];
    assert_shown(&shown(&tracks, &[], &said), &turns);
    assert_shown(&shown(&tracks, &[span(0.0, 28.0)], &said), &turns);
}

#[test]
fn clear_mouth_movement_overrides_speaker_names() {
    let tracks = two(18.0, moves(&[(0.0, 6.0)]), moves(&[(6.0, 18.0)]));
    // The transcript names Ann instead of Bob from 12 s on.
    let said = words(&[(0.0, 6.0, "Ann"), (6.0, 12.0, "Bob"), (12.0, 18.0, "Ann")]);
    assert_shown(&shown(&tracks, &[span(0.0, 18.0)], &said), &[(0.0, false), (6.0, true)]);
}

#[test]
fn names_without_a_matching_mouth_have_no_effect() {
    // A third person outside the picture speaks from 6 s to 9 s. A single name has no effect.
    let tracks = two(12.0, moves(&[(0.0, 6.0)]), moves(&[(9.0, 12.0)]));
    let expected = shown(&tracks, &[], &[]);
    let third = words(&[(0.0, 6.0, "Ann"), (6.0, 9.0, "Eve"), (9.0, 12.0, "Bob")]);
    assert_eq!(shown(&tracks, &[], &third), expected);
    assert_eq!(shown(&tracks, &[], &words(&[(0.0, 12.0, "Ann")])), expected);
}

#[test]
fn names_carry_over_to_shots_with_the_same_camera_setup_only() {
    // No mouth moves in the third shot. The second shot shows nobody.
    let tracks = |x: f64| Tracks {
        shots: vec![Shot::new(span(0.0, 12.0)), Shot::new(span(12.0, 14.0)), Shot::new(span(14.0, 24.0))],
        faces: vec![
            face(0, span(0.0, 12.0), LEFT, moves(&[(0.0, 6.0)])),
            face(1, span(0.0, 12.0), RIGHT, moves(&[(6.0, 12.0)])),
            face(2, span(14.0, 24.0), x, |_| 0.0),
            face(3, span(14.0, 24.0), RIGHT, |_| 0.0),
        ],
        ..Tracks::default()
    };
    let said = words(&[(0.0, 6.0, "Ann"), (6.0, 12.0, "Bob"), (14.0, 19.0, "Bob"), (19.0, 24.0, "Ann")]);
    let (same, other) = (shown(&tracks(LEFT), &[], &said), shown(&tracks(LEFT + 0.15), &[], &said));
    assert_shown(&same[3..], &[(14.0, true), (19.0, false)]);
    assert_eq!(other.iter().filter(|(at, _)| *at >= 14.0).count(), 1, "{other:?}");
}

#[test]
fn continuous_voice_activity_equals_no_analysis() {
    let tracks = two(12.0, |t| (0.12 * (3.0 * t).sin()).max(0.0), |t| (0.12 * (2.0 * t).cos()).max(0.0));
    assert_eq!(shown(&tracks, &[span(0.0, 12.0)], &[]), shown(&tracks, &[], &[]));
}

fn any_words() -> impl Strategy<Value = Vec<Word>> {
    let word = (-1.0..25.0_f64, 0.0..3.0_f64, prop::sample::select(vec![None, Some("Ann"), Some("Bob"), Some("")]));
    prop::collection::vec(word, 0..60).prop_map(|words| {
        let word = |(start, length, speaker): (f64, f64, Option<&str>)| {
            let mut word = Word::new("so", start, start + length);
            word.speaker = speaker.map(str::to_owned);
            word
        };
        words.into_iter().map(word).collect()
    })
}

proptest! {
    #[test]
    fn turns_are_ordered_and_long_enough_for_any_input(
        mouths in prop::collection::vec(prop::collection::vec(0.0..0.3_f64, 100), 1..4),
        length in 0.05..20.0_f64,
        voice in prop::collection::vec((0.0..20.0_f64, 0.0..5.0_f64), 0..6),
        words in any_words(),
    ) {
        let time = span(0.0, length);
        let faces = mouths.iter().zip(0..).map(|(mouth, id)| {
            // Mouths move for one or two seconds at a time.
            face(id, span(0.0, 20.0), 0.15 + 0.35 * f64::from(id), |t| mouth[((t + 0.1) / 1.3) as usize])
        });
        let tracks = Tracks { shots: vec![Shot::new(time)], faces: faces.collect(), ..Tracks::default() };
        let voice: Vec<Span> = voice.into_iter().map(|(start, length)| span(start, start + length)).collect();
        let framing = FramingInput { voice: &voice, words: &words, ..FramingInput::without_audio(&tracks, time, WIDE, TALL) };
        let shape = 16.0 / 9.0;
        let speech = SpeechTimeline::of(&framing, std::iter::once(time), shape);
        let times = grid(time);
        let heard = speech.states(time, &times);
        prop_assert_eq!(heard.len(), times.len());
        prop_assert!(heard.iter().all(|moment| moment.speaker.is_none_or(|person| person < mouths.len())));
        let people = people::in_shot(&tracks.faces, time, &times, shape);
        let groups = people::groups(&people, Rect::new(0.0, 0.0, 0.316, 1.0));
        let turns = turns::turns(&people, &groups, &heard);
        prop_assert_eq!(turns.first().map(|turn| turn.from), Some(0));
        prop_assert!(turns.iter().all(|turn| !turn.people.is_empty() && turn.people.iter().all(|&person| person < people.len())));
        let starts = turns.iter().map(|turn| times[turn.from]).chain([time.end()]).collect::<Vec<_>>();
        for (pair, turn) in starts.windows(2).zip(turns.windows(2)) {
            prop_assert!(turn[0].people != turn[1].people);
            prop_assert!(pair[1].since(pair[0]).secs() >= 1.0 - 1e-6, "{starts:?}");
        }
        if let [.., before, end] = starts[..] && turns.len() > 1 {
            prop_assert!(end.since(before).secs() >= 1.0 - 1e-6, "{starts:?}");
        }
    }
}
