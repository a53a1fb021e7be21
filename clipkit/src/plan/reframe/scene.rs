//! From an arrangement to scenes: windows on the source and where they are shown.

use std::ops::Range;

use super::Footage;
use super::layout::Arrangement;
use super::path::{self, Zone};
use super::people::{self, Turn};
use super::window::Window;
use crate::model::{Crop, Half, Layout, Pane, Rect, Scene, Span, Speaking, Timestamp};

/// A pane of a split picture is this many faces high, as far as it can: head and shoulders ...
const HALF_FACES: f64 = 3.0;
/// ... and never less than this many, across and down.
const LEAST_FACES: f64 = 1.6;
/// No window is enlarged more than this by its pane.
const ENLARGED: f64 = 2.0;
/// What is left free beside the outer faces of a group, in the largest face's widths.
const GROUP_MARGIN: f64 = 0.75;
/// A group this wide is shown with all of the picture.
const NEARLY_ALL: f64 = 0.85;
/// The part of the free room that is above a picture shown whole: a little less than below, where captions stand.
const ABOVE: f64 = 0.36;
/// An inset is this many faces high, ...
const INSET_FACES: f64 = 2.2;
/// ... this large, in widths or heights of the output, whichever is less, ...
const INSET: f64 = 0.36;
/// ... and this far from the output's side, in widths.
const INSET_MARGIN: f64 = 0.03;

impl Footage<'_> {
    /// The scenes of a stretch of the shot.
    pub(super) fn scenes(&self, range: Range<usize>, arrangement: &Arrangement) -> Vec<Scene> {
        let layout = match arrangement {
            Arrangement::Fill => return self.filled(range),
            Arrangement::Split(people) => self.split(range.clone(), *people),
            Arrangement::Fit(group) => Some(Layout::Fit { pane: self.fitted(Crop::still(self.extent(range.clone(), group))) }),
            Arrangement::Pip(person) => self.pip(range.clone(), *person),
        };
        match (layout, self.span(range.clone())) {
            (Some(layout), Some(span)) => vec![Scene { span, layout }],
            _ => self.filled(range),
        }
    }

    /// One window, which jumps where another person's turn begins.
    fn filled(&self, range: Range<usize>) -> Vec<Scene> {
        let scene = |range: Range<usize>, crop: &dyn Fn(Timestamp) -> Crop| {
            let span = self.span(range)?;
            Some(Scene { span, layout: Layout::Fill { crop: crop(span.start()) } })
        };
        if self.turns.is_empty() {
            let places = self.subject.get(range.start..=range.end).unwrap_or_default();
            return scene(range, &|start| self.window.following(places, start, 0.5, Zone::SUBJECT)).into_iter().collect();
        }
        let turns = self.turns_in(range).into_iter().filter_map(|(range, turn)| {
            let crop = |start| {
                let boxes: Vec<Option<Rect>> = (range.start..=range.end).map(|n| self.union_at(&turn.people, n)).collect();
                self.window.following(&boxes, start, path::EYE_LEVEL, Zone::FACE)
            };
            scene(range.clone(), &crop)
        });
        turns.collect()
    }

    /// The turns of a stretch and the moments from and to which they last.
    fn turns_in(&self, range: Range<usize>) -> Vec<(Range<usize>, &Turn)> {
        let ends = self.turns.iter().skip(1).map(|turn| turn.from).chain([self.last()]);
        let parts = self.turns.iter().zip(ends).map(|(turn, end)| (turn.from.max(range.start)..end.min(range.end), turn));
        parts.filter(|(part, _)| !part.is_empty()).collect()
    }

    /// A stretch on the clip's timeline.
    fn span(&self, range: Range<usize>) -> Option<Span> {
        Some(Span::between(*self.times.get(range.start)?, *self.times.get(range.end)?).since(self.origin))
    }

    fn union_at(&self, people: &[usize], n: usize) -> Option<Rect> {
        people::union(people.iter().filter_map(|&p| self.people.get(p)?.at(n)))
    }

    fn split(&self, range: Range<usize>, [a, b]: [usize; 2]) -> Option<Layout> {
        let (top, bottom) = (self.half(range.clone(), a, b)?, self.half(range.clone(), b, a)?);
        let speaking = self.turns_in(range).into_iter().filter_map(|(part, turn)| {
            let half = match (turn.people.contains(&a), turn.people.contains(&b)) {
                (true, false) => Some(Half::Top),
                (false, true) => Some(Half::Bottom),
                _ => None,
            };
            Some(Speaking { from: self.span(part)?.start(), half })
        });
        Some(Layout::Split { top, bottom, speaking: speaking.collect() })
    }

    /// The window on one of two people: close, and without the other where that can be.
    fn half(&self, range: Range<usize>, person: usize, other: usize) -> Option<Crop> {
        let (face, beside) = (self.usual_face(person, range.clone())?, self.usual_face(other, range.clone())?);
        let largest = Window::largest(self.picture, (2 * self.output.0, self.output.1));
        let Rect { width, height, .. } = largest.rect();
        let wanted = HALF_FACES * face.height / height;
        let apart = 2.0 * ((face.center().0 - beside.center().0).abs() - beside.width / 2.0) / width;
        let least = (LEAST_FACES * face.height / height).max(LEAST_FACES * face.width / width);
        let sharp = f64::from(self.output.1) / 2.0 / ENLARGED / (height * f64::from(self.picture.1.max(1)));
        let window = largest.scaled(wanted.min(apart).max(least).max(sharp).min(1.0));
        let boxes: Vec<Option<Rect>> = (range.start..=range.end).map(|n| self.union_at(&[person], n)).collect();
        let start = self.span(range)?.start();
        Some(window.following(&boxes, start, path::EYE_LEVEL, Zone::FACE))
    }

    /// The part of the picture that a group is in, at its full height; all of it for no group.
    fn extent(&self, range: Range<usize>, group: &[usize]) -> Rect {
        let Some(all) = people::union((range.start..=range.end).filter_map(|n| self.union_at(group, n))) else { return Rect::FULL };
        let widest = group.iter().filter_map(|&p| self.usual_face(p, range.clone())).map(|face| face.width).fold(0.0, f64::max);
        let left = (all.x - GROUP_MARGIN * widest).max(0.0);
        let right = (all.x + all.width + GROUP_MARGIN * widest).min(1.0);
        if !(0.0..=NEARLY_ALL).contains(&(right - left)) {
            return Rect::FULL;
        }
        let rounded = |value: f64| (value * 1e6).floor() / 1e6;
        Rect::new(rounded(left), 0.0, rounded(right - left), 1.0)
    }

    /// As large as fits into the output, a little above the middle.
    fn fitted(&self, crop: Crop) -> Pane {
        let wider = crop.width * shape(self.picture) / crop.height / shape(self.output);
        let (width, height) = if wider >= 1.0 { (1.0, 1.0 / wider) } else { (wider, 1.0) };
        Pane { crop, place: placed((1.0 - width) / 2.0, ABOVE * (1.0 - height), width, height) }
    }

    /// An inset's width and height in the output: a square of pixels.
    fn inset_size(&self) -> (f64, f64) {
        let (width, height) = (f64::from(self.output.0.max(1)), f64::from(self.output.1.max(1)));
        let side = INSET * width.min(height);
        (side / width, side / height)
    }

    /// Whether the whole picture leaves room for most of an inset above or below it.
    pub(super) fn has_room_for_an_inset(&self) -> bool {
        1.0 - self.fitted(Crop::still(Rect::FULL)).place.height >= self.inset_size().1
    }

    /// All of the picture, and someone's face on the side where it is in the picture, over its own small image and on into the free room.
    fn pip(&self, range: Range<usize>, person: usize) -> Option<Layout> {
        let face = self.usual_face(person, range.clone())?;
        let square = Window::largest(self.picture, (1, 1));
        let window = square.scaled((INSET_FACES * face.height / square.rect().height).min(1.0));
        let boxes: Vec<Option<Rect>> = (range.start..=range.end).map(|n| self.union_at(&[person], n)).collect();
        let crop = window.following(&boxes, self.span(range)?.start(), path::EYE_LEVEL, Zone::FACE);
        let screen = self.fitted(Crop::still(Rect::FULL));

        let (width, height) = self.inset_size();
        let (x, y) = face.center();
        let left = if x < 0.5 { INSET_MARGIN } else { 1.0 - INSET_MARGIN - width };
        let shown = |y: f64| screen.place.y + y * screen.place.height;
        let own = crop.path.first().map_or(face.y, |key| key.y);
        let top = if y < 0.5 { shown(own + crop.height) - height } else { shown(own) };
        let place = placed(left, top.clamp(0.0, 1.0 - height), width, height);
        Some(Layout::Pip { screen, inset: Pane { crop, place } })
    }
}

/// Columns divided by rows.
fn shape((width, height): (u32, u32)) -> f64 {
    f64::from(width.max(1)) / f64::from(height.max(1))
}

/// A place in the output, in whole millionths.
fn placed(x: f64, y: f64, width: f64, height: f64) -> Rect {
    let part = |value: f64| (value * 1e6).floor().max(0.0) / 1e6;
    Rect::new(part(x), part(y), part(width).max(1e-5), part(height).max(1e-5))
}
