//! From what a tracker saw to how each moment is framed. Pure: no pictures, no I/O.
//!
//! Each shot is framed with all of it known. The window stands still if what it shows stays about in place, follows along a smooth path if
//! not, and jumps only where the camera cuts or, if two people do not fit in the window, where another person begins to speak. Where that
//! would flicker, or a screen is to be read, several windows or all of the picture are shown instead.

mod camera_path;
mod layout;
mod path;
mod people;
mod scene;
mod subject;
mod talk;
mod window;

use std::ops::Range;

use people::{Person, Turn};
use talk::Talk;
use window::Window;

use crate::model::{FaceTrack, LayoutChoice, Rect, Scene, Shot, ShotContent, Span, Timestamp, Tracks, Word};

/// The time between two looks at where people are, in seconds.
const STEP: f64 = 0.1;

/// What is known of the footage of a clip. All times are on the source's timeline.
pub(crate) struct Framing<'a> {
    pub(crate) tracks: &'a Tracks,
    /// The words of the clip; some say who speaks.
    pub(crate) words: &'a [Word],
    /// Where a voice is heard; empty where nobody listened or there is no sound.
    pub(crate) voice: &'a [Span],
    /// The stretch that the clip shows.
    pub(crate) span: Span,
    /// Columns and rows of the source, as displayed.
    pub(crate) picture: (u32, u32),
    /// Columns and rows of the clip.
    pub(crate) output: (u32, u32),
    /// The layout that is asked for.
    pub(crate) layout: LayoutChoice,
}

#[cfg(test)]
impl<'a> Framing<'a> {
    /// Without sound and words.
    pub(crate) fn silent(tracks: &'a Tracks, span: Span, picture: (u32, u32), output: (u32, u32)) -> Self {
        Framing { tracks, words: &[], voice: &[], span, picture, output, layout: LayoutChoice::Auto }
    }
}

/// How a clip is framed.
pub(crate) struct Framed {
    /// On the clip's own timeline, without gaps. Every shot's start is a scene's start.
    pub(crate) scenes: Vec<Scene>,
    /// What was asked for and could not be done everywhere, and what was done instead.
    pub(crate) unmet: Option<String>,
}

/// Frames a clip.
pub(crate) fn framed(framing: &Framing<'_>) -> Framed {
    let shots = shots(framing.tracks, framing.span);
    let of = shots.len();
    let shape = Window::largest(framing.picture, framing.output).shape();
    let talk = Talk::of(framing, shots.iter().map(|shot| shot.span), shape);
    let (mut scenes, mut missed) = (Vec::new(), 0);
    for shot in shots {
        let footage = Footage::of(framing, &talk, shot);
        let (parts, met) = layout::arranged(framing.layout, &footage);
        missed += usize::from(!met);
        scenes.extend(parts.into_iter().flat_map(|(range, arrangement)| footage.scenes(range, &arrangement)));
    }
    let needs = match framing.layout {
        LayoutChoice::Split => "two people in the picture",
        _ => "a face that leaves most of the picture to something else",
    };
    let unmet = (missed > 0).then(|| {
        let layout = framing.layout;
        format!("the layout {layout} needs {needs}, and {missed} of {of} shots have none: they are framed as fill, or fit for screens")
    });
    Framed { scenes, unmet }
}

/// The scenes of a clip, whatever was asked for.
#[cfg(test)]
pub(crate) fn scenes(framing: &Framing<'_>) -> Vec<Scene> {
    framed(framing).scenes
}

/// The shots inside `span`, without gaps. Where the tracker saw none, the span is one.
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

/// What is known of a shot. A moment is an index into `times`.
struct Footage<'a> {
    shot: Shot,
    /// From the shot's start to its end, both included, [`STEP`] apart but for the last. At least two.
    times: Vec<Timestamp>,
    people: Vec<Person>,
    /// Whom to frame from when on, if there is anybody.
    turns: Vec<Turn>,
    /// Where else to look at each moment, if there is nobody.
    subject: Vec<Option<Rect>>,
    faces: &'a [FaceTrack],
    /// The window that fills the output.
    window: Window,
    picture: (u32, u32),
    output: (u32, u32),
    /// The clip's start.
    origin: Timestamp,
}

impl<'a> Footage<'a> {
    fn of(framing: &Framing<'a>, talk: &Talk<'_>, shot: Shot) -> Self {
        let &Framing { tracks, picture, output, .. } = framing;
        let window = Window::largest(picture, output);
        let times = grid(shot.span);
        let people = people::in_shot(&tracks.faces, shot.span, &times, window.shape());
        let turns = people::turns(&people, window.rect(), &talk.heard(shot.span, &times));
        let subject = subject::in_shot(&tracks.subjects, shot.span, &times);
        Footage { shot, times, people, turns, subject, faces: &tracks.faces, window, picture, output, origin: framing.span.start() }
    }

    /// The last moment.
    fn last(&self) -> usize {
        self.times.len() - 1
    }

    /// A person's usual face in a stretch.
    fn usual_face(&self, person: usize, range: Range<usize>) -> Option<Rect> {
        layout::usual(self.people.get(person)?, range)
    }
}

/// Moments from a shot's start to its end, both included, `STEP` apart but for the last.
fn grid(shot: Span) -> Vec<Timestamp> {
    let steps = (shot.duration().as_secs_f64() / STEP - 1e-6).max(0.0) as usize;
    let mut times: Vec<Timestamp> = (0..=steps).map(|n| shot.start().plus(n as f64 * STEP)).collect();
    times.push(shot.end());
    times
}

#[cfg(test)]
mod human_tests;
#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod path_tests;
#[cfg(test)]
mod tests;
