//! From what a tracker saw to how each moment is framed. Pure: no pictures, no I/O.
//!
//! Each shot is framed with all of it known. The window stands still if the person stays about in place, follows along a smooth path if
//! not, and jumps only where the camera cuts or, if two people do not fit in the window, where another person begins to speak.

mod path;
mod people;
mod talk;
mod window;

use people::{Person, Turn};
use talk::Talk;
use window::Window;

use crate::model::{Crop, Layout, Rect, Scene, Span, Timestamp, Tracks, Word};

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
}

#[cfg(test)]
impl<'a> Framing<'a> {
    /// Without sound and words.
    pub(crate) fn silent(tracks: &'a Tracks, span: Span, picture: (u32, u32), output: (u32, u32)) -> Self {
        Framing { tracks, words: &[], voice: &[], span, picture, output }
    }
}

/// How a clip is framed, on its own timeline: scenes without gaps. Every shot's start is a scene's start.
pub(crate) fn scenes(framing: &Framing<'_>) -> Vec<Scene> {
    let &Framing { tracks, span, picture, output, .. } = framing;
    let window = Window::largest(picture, output);
    let shots = shots(tracks, span);
    let talk = Talk::of(framing, shots.iter().copied(), window.shape());
    shots.into_iter().flat_map(|shot| shot_scenes(tracks, &talk, shot, &window, span.start())).collect()
}

/// The shots inside `span`, without gaps. Where the tracker saw none, the span is one.
fn shots(tracks: &Tracks, span: Span) -> Vec<Span> {
    let mut bounds: Vec<Timestamp> = tracks.shots.iter().map(|shot| shot.span.start()).collect();
    bounds.retain(|&start| span.start() < start && start < span.end());
    bounds.extend([span.start(), span.end()]);
    bounds.sort_unstable();
    bounds.dedup();
    bounds.windows(2).map(|pair| Span::between(pair[0], pair[1])).collect()
}

fn shot_scenes(tracks: &Tracks, talk: &Talk<'_>, shot: Span, window: &Window, origin: Timestamp) -> Vec<Scene> {
    let times = grid(shot);
    let people = people::in_shot(&tracks.faces, shot, &times, window.shape());
    if people.is_empty() {
        return vec![scene(shot.since(origin), window.still((0.5, 0.5)))];
    }
    let turns = people::turns(&people, window.rect(), &talk.heard(shot, &times));
    let ends = turns.iter().skip(1).map(|turn| turn.from).chain([times.len() - 1]).collect::<Vec<_>>();
    let framed = turns.iter().zip(ends).filter_map(|(turn, end)| {
        let span = Span::between(*times.get(turn.from)?, *times.get(end)?).since(origin);
        let crop = frame(&people, turn, turn.from..=end, window, span.start());
        Some(scene(span, crop))
    });
    framed.collect()
}

fn scene(span: Span, crop: Crop) -> Scene {
    Scene { span, layout: Layout::Fill { crop } }
}

/// The window's path for the people of a turn.
fn frame(people: &[Person], turn: &Turn, range: std::ops::RangeInclusive<usize>, window: &Window, start: Timestamp) -> Crop {
    let boxes: Vec<Option<Rect>> = range.map(|n| people::union(turn.people.iter().filter_map(|&p| people.get(p)?.at(n)))).collect();
    let rect = window.rect();
    let across = path::along(boxes.iter().map(|face| face.map(|face| (face.x, face.width))), rect.width, 0.5);
    let down = path::along(boxes.iter().map(|face| face.map(|face| (face.y, face.height))), rect.height, path::EYE_LEVEL);
    window.crop(&across, &down, start, STEP)
}

/// Moments from a shot's start to its end, both included, `STEP` apart but for the last.
fn grid(shot: Span) -> Vec<Timestamp> {
    let steps = (shot.duration().as_secs_f64() / STEP - 1e-6).max(0.0) as usize;
    let mut times: Vec<Timestamp> = (0..=steps).map(|n| shot.start().plus(n as f64 * STEP)).collect();
    times.push(shot.end());
    times
}

#[cfg(test)]
mod tests;
