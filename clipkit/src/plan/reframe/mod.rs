//! Reframing: from tracks to a layout and crop windows for each shot. Pure, without I/O.
//!
//! Each shot is framed with knowledge of the whole shot. A crop window is static if its subject
//! stays nearly in place; otherwise it follows the subject along a smooth path. It jumps only at
//! cuts and, if two people do not fit into one window, where the other person starts to speak. If
//! that would switch too often, or if a shot shows a screen, the layout shows several windows or
//! the whole picture.

mod axis;
mod camera_path;
mod layout;
mod people;
mod reactions;
mod scene;
mod shares;
mod speech;
mod subject;
mod turns;
mod uncertainty;
mod window;

use std::ops::Range;

use axis::DeadZone;
use people::Person;
use reactions::Reaction;
use speech::SpeechTimeline;
use turns::Turn;
use window::Window;

use crate::model::{Crop, FaceSample, FaceTrack, LayoutChoice, Rect, Scene, Shot, ShotContent, Span, Timestamp, Tracks, Word};

/// The sampling interval of positions in a shot, in seconds.
const STEP: f64 = 0.1;
/// A face sample stands for the time around it, in seconds, when one face is followed.
const MAX_FOLLOWED_GAP: f64 = 1.0;

/// The input of reframing. All times are on the source's timeline.
pub(crate) struct FramingInput<'a> {
    pub(crate) tracks: &'a Tracks,
    /// The words of the clip. A word may name its speaker.
    pub(crate) words: &'a [Word],
    /// The stretches with voice activity; empty if the audio was not analysed or does not exist.
    pub(crate) voice: &'a [Span],
    /// The clip's span.
    pub(crate) span: Span,
    /// The displayed size of the source in pixels: width, height.
    pub(crate) picture: (u32, u32),
    /// The size of the output in pixels: width, height.
    pub(crate) output: (u32, u32),
    /// The requested layout.
    pub(crate) layout: LayoutChoice,
    /// When somebody laughs, if a listener who laughs is to be shown; else empty.
    pub(crate) laughter: &'a [Span],
}

#[cfg(test)]
impl<'a> FramingInput<'a> {
    /// An input without voice activity and words.
    pub(crate) fn without_audio(tracks: &'a Tracks, span: Span, picture: (u32, u32), output: (u32, u32)) -> Self {
        FramingInput { tracks, words: &[], voice: &[], span, picture, output, layout: LayoutChoice::Auto, laughter: &[] }
    }
}

/// The framing of a clip.
pub(crate) struct Framing {
    /// The scenes on the clip's timeline, without gaps. Every cut is the start of a scene.
    pub(crate) scenes: Vec<Scene>,
    /// Set if the requested layout is not available in every shot; it names the replacement.
    pub(crate) layout_warning: Option<String>,
}

/// Frames a clip.
pub(crate) fn frame(framing: &FramingInput<'_>) -> Framing {
    let shots = shots(framing.tracks, framing.span);
    let count = shots.len();
    let shape = Window::largest(framing.picture, framing.output).shape();
    let speech = SpeechTimeline::of(framing, shots.iter().map(|shot| shot.span), shape);
    let (mut scenes, mut unavailable) = (Vec::new(), 0);
    for shot in shots {
        let shot = ShotAnalysis::of(framing, &speech, shot);
        let (parts, is_available) = layout::choose_layouts(framing.layout, &shot);
        unavailable += usize::from(!is_available);
        scenes.extend(parts.into_iter().flat_map(|(range, layout)| shot.scenes(range, &layout)));
    }
    let needs = match framing.layout {
        LayoutChoice::Split => "two people in the picture",
        _ => "a face that leaves most of the picture to something else",
    };
    let layout_warning = (unavailable > 0).then(|| {
        let layout = framing.layout;
        format!("the layout {layout} needs {needs}, and {unavailable} of {count} shots have none; they use fill, or fit for screens")
    });
    Framing { scenes, layout_warning }
}

/// A window of the same size that follows a face during a span. Both are on the same timeline.
pub(crate) fn follow(crop: &Crop, face: &FaceTrack, span: Span, picture: (u32, u32)) -> Crop {
    let window = Window::of((crop.width, crop.height), picture);
    let seen = |at: &Timestamp| {
        let next = face.samples.partition_point(|sample| sample.at <= *at);
        let near = |sample: &&FaceSample| sample.at.since(*at).secs().abs() <= MAX_FOLLOWED_GAP;
        let before = next.checked_sub(1).and_then(|n| face.samples.get(n)).filter(near);
        match (before, face.samples.get(next).filter(near)) {
            (Some(a), Some(b)) => {
                let part = at.since(a.at).secs() / b.at.since(a.at).secs();
                let mean = |a: f64, b: f64| a + (b - a) * part;
                let (a, b) = (a.rect, b.rect);
                Some(Rect::new(mean(a.x, b.x), mean(a.y, b.y), mean(a.width, b.width), mean(a.height, b.height)))
            }
            (Some(only), None) | (None, Some(only)) => Some(only.rect),
            (None, None) => None,
        }
    };
    let boxes: Vec<Option<Rect>> = grid(span).iter().map(seen).collect();
    window.following(&boxes, span.start(), axis::EYE_LEVEL, DeadZone::FACE)
}

/// The scenes of a clip, without the warning.
#[cfg(test)]
pub(crate) fn scenes(framing: &FramingInput<'_>) -> Vec<Scene> {
    frame(framing).scenes
}

/// The shots inside `span`, without gaps. Without shots in the tracks, the whole span is one shot.
fn shots(tracks: &Tracks, span: Span) -> Vec<Shot> {
    let mut bounds: Vec<Timestamp> = tracks.shots.iter().map(|shot| shot.span.start()).collect();
    bounds.retain(|&start| span.start() < start && start < span.end());
    bounds.extend([span.start(), span.end()]);
    bounds.sort_unstable();
    bounds.dedup();
    let shot = |pair: &[Timestamp]| {
        let shown = tracks.shots.iter().rev().find(|shot| shot.span.start() <= pair[0]);
        Shot { span: Span::between(pair[0], pair[1]), content: shown.map_or(ShotContent::Camera, |shot| shot.content) }
    };
    bounds.windows(2).map(shot).collect()
}

/// The analysis of one shot. A "step" is an index into `times`.
struct ShotAnalysis<'a> {
    shot: Shot,
    /// The sampling times from the shot's start to its end, both inclusive, [`STEP`] apart except
    /// for the last. At least two.
    times: Vec<Timestamp>,
    people: Vec<Person>,
    /// The people to frame from each turn on; empty for a shot without people.
    turns: Vec<Turn>,
    /// The listeners who are shown during a turn, in order of time.
    reactions: Vec<Reaction>,
    /// The stretches of steps in which it is not certain who of several people speaks.
    uncertain: Vec<Range<usize>>,
    /// The subject's box at each step, for shots without people.
    subject: Vec<Option<Rect>>,
    faces: &'a [FaceTrack],
    /// The largest window with the output's aspect ratio.
    window: Window,
    picture: (u32, u32),
    output: (u32, u32),
    /// The clip's start on the source's timeline.
    origin: Timestamp,
}

impl<'a> ShotAnalysis<'a> {
    fn of(framing: &FramingInput<'a>, speech: &SpeechTimeline<'_>, shot: Shot) -> Self {
        let &FramingInput { tracks, picture, output, .. } = framing;
        let window = Window::largest(picture, output);
        let times = grid(shot.span);
        let people = people::in_shot(&tracks.faces, shot.span, &times, window.shape());
        let groups = people::groups(&people, window.rect());
        let states = speech.states(shot.span, &times);
        let turns = turns::turns(&people, &groups, &states);
        let uncertain = uncertainty::stretches(&people, &groups, &states, !framing.voice.is_empty());
        let reactions = reactions::of_listeners(&people, &groups, &turns, &reactions::steps(framing.laughter, shot.span, &times));
        let subject = subject::in_shot(&tracks.subjects, shot.span, &times);
        ShotAnalysis {
            shot,
            times,
            people,
            turns,
            reactions,
            uncertain,
            subject,
            faces: &tracks.faces,
            window,
            picture,
            output,
            origin: framing.span.start(),
        }
    }

    /// The index of the last step.
    fn last(&self) -> usize {
        self.times.len() - 1
    }

    /// The median box of a person's face in a range of steps.
    fn median_face(&self, person: usize, range: Range<usize>) -> Option<Rect> {
        layout::median_box(self.people.get(person)?, range)
    }
}

/// The sampling times from a shot's start to its end, both inclusive, `STEP` apart except for the
/// last.
fn grid(shot: Span) -> Vec<Timestamp> {
    let steps = (shot.duration().as_secs_f64() / STEP - 1e-6).max(0.0) as usize;
    let mut times: Vec<Timestamp> = (0..=steps).map(|n| shot.start().plus(n as f64 * STEP)).collect();
    times.push(shot.end());
    times
}

#[cfg(test)]
mod axis_tests;
#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod retargetvid_tests;
#[cfg(test)]
mod tests;
