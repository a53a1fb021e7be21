//! Builds scenes from a shot's layouts: crop windows and their places in the output.

use std::ops::Range;

use super::ShotAnalysis;
use super::axis::{self, DeadZone};
use super::layout::ShotLayout;
use super::people;
use super::reactions;
use super::turns::Turn;
use super::window::Window;
use crate::model::{Crop, Half, Layout, Pane, Rect, Scene, Span, Speaking, Timestamp};

/// The preferred height of a split layout's window, in face heights: head and shoulders.
const SPLIT_FACE_HEIGHTS: f64 = 3.0;
/// The minimum size of that window, in face widths and heights.
const MIN_FACE_SIZES: f64 = 1.6;
/// The maximum magnification of a window by its pane.
const MAX_UPSCALE: f64 = 2.0;
/// The free space beside the outer faces of a group, in widths of the largest face.
const GROUP_MARGIN: f64 = 0.75;
/// A group wider than this part of the picture is shown with the whole picture.
const MAX_GROUP_WIDTH: f64 = 0.85;
/// The part of the free height that lies above a picture shown whole: less than below, where the
/// captions are.
const TOP_MARGIN_PART: f64 = 0.36;
/// The height of an inset's window, in face heights.
const INSET_FACE_HEIGHTS: f64 = 2.2;
/// The size of an inset, as a fraction of the output's shorter side.
const INSET_SIZE: f64 = 0.36;
/// The distance of an inset from the output's side, as a fraction of the output's width.
const INSET_MARGIN: f64 = 0.03;

impl ShotAnalysis<'_> {
    /// The scenes of a range of steps.
    pub(super) fn scenes(&self, range: Range<usize>, layout: &ShotLayout) -> Vec<Scene> {
        let layout = match layout {
            ShotLayout::Fill => return self.filled(range),
            ShotLayout::Split(people) => self.split(range.clone(), *people),
            ShotLayout::Fit(group) => Some(Layout::Fit { pane: self.fitted(Crop::still(self.extent(range.clone(), group))) }),
            ShotLayout::Pip(person) => self.pip(range.clone(), *person),
        };
        match (layout, self.span(range.clone())) {
            (Some(layout), Some(span)) => vec![Scene { span, layout }],
            _ => self.filled(range),
        }
    }

    /// One window that jumps where a turn starts.
    fn filled(&self, range: Range<usize>) -> Vec<Scene> {
        let scene = |range: Range<usize>, crop: &dyn Fn(Timestamp) -> Crop| {
            let span = self.span(range)?;
            Some(Scene { span, layout: Layout::Fill { crop: crop(span.start()) } })
        };
        if self.turns.is_empty() {
            let places = self.subject.get(range.start..=range.end).unwrap_or_default();
            return scene(range, &|start| self.window.following(places, start, 0.5, DeadZone::SUBJECT)).into_iter().collect();
        }
        let turns = self.turns_in(range).into_iter().map(|(range, turn)| (range, &turn.people[..]));
        let shown = turns.flat_map(|(range, people)| reactions::shown_in(range, people, &self.reactions));
        let turns = shown.filter_map(|(range, people)| {
            let crop = |start| {
                let boxes: Vec<Option<Rect>> = (range.start..=range.end).map(|n| self.union_at(people, n)).collect();
                self.window.following(&boxes, start, axis::EYE_LEVEL, DeadZone::FACE)
            };
            scene(range.clone(), &crop)
        });
        turns.collect()
    }

    /// The turns that overlap a range, each with its part of the range.
    fn turns_in(&self, range: Range<usize>) -> Vec<(Range<usize>, &Turn)> {
        let ends = self.turns.iter().skip(1).map(|turn| turn.from).chain([self.last()]);
        let parts = self.turns.iter().zip(ends).map(|(turn, end)| (turn.from.max(range.start)..end.min(range.end), turn));
        parts.filter(|(part, _)| !part.is_empty()).collect()
    }

    /// A range of steps as a span on the clip's timeline.
    fn span(&self, range: Range<usize>) -> Option<Span> {
        Some(Span::between(*self.times.get(range.start)?, *self.times.get(range.end)?).since(self.origin))
    }

    fn union_at(&self, people: &[usize], n: usize) -> Option<Rect> {
        people::union(people.iter().filter_map(|&p| self.people.get(p)?.at(n)))
    }

    fn split(&self, range: Range<usize>, [a, b]: [usize; 2]) -> Option<Layout> {
        let (top, bottom) = (self.half(range.clone(), a, b)?, self.half(range.clone(), b, a)?);
        let turns = if self.uncertain.contains(&range) { Vec::new() } else { self.turns_in(range) };
        let speaking = turns.into_iter().filter_map(|(part, turn)| {
            let half = match (turn.people.contains(&a), turn.people.contains(&b)) {
                (true, false) => Some(Half::Top),
                (false, true) => Some(Half::Bottom),
                _ => None,
            };
            Some(Speaking { from: self.span(part)?.start(), half })
        });
        Some(Layout::Split { top, bottom, speaking: speaking.collect() })
    }

    /// The window on one of two people: a close-up that excludes the other person if possible.
    fn half(&self, range: Range<usize>, person: usize, other: usize) -> Option<Crop> {
        let (face, beside) = (self.median_face(person, range.clone())?, self.median_face(other, range.clone())?);
        let largest = Window::largest(self.picture, (2 * self.output.0, self.output.1));
        let Rect { width, height, .. } = largest.rect();
        let wanted = SPLIT_FACE_HEIGHTS * face.height / height;
        let apart = 2.0 * ((face.center().0 - beside.center().0).abs() - beside.width / 2.0) / width;
        let least = (MIN_FACE_SIZES * face.height / height).max(MIN_FACE_SIZES * face.width / width);
        let sharp = f64::from(self.output.1) / 2.0 / MAX_UPSCALE / (height * f64::from(self.picture.1.max(1)));
        let window = largest.scaled(wanted.min(apart).max(least).max(sharp).min(1.0));
        let boxes: Vec<Option<Rect>> = (range.start..=range.end).map(|n| self.union_at(&[person], n)).collect();
        let start = self.span(range)?.start();
        Some(window.following(&boxes, start, axis::EYE_LEVEL, DeadZone::FACE))
    }

    /// The part of the picture that contains a group, at full height; the whole picture for an
    /// empty group.
    fn extent(&self, range: Range<usize>, group: &[usize]) -> Rect {
        let Some(all) = people::union((range.start..=range.end).filter_map(|n| self.union_at(group, n))) else { return Rect::FULL };
        let widest = group.iter().filter_map(|&p| self.median_face(p, range.clone())).map(|face| face.width).fold(0.0, f64::max);
        let left = (all.x - GROUP_MARGIN * widest).max(0.0);
        let right = (all.x + all.width + GROUP_MARGIN * widest).min(1.0);
        if !(0.0..=MAX_GROUP_WIDTH).contains(&(right - left)) {
            return Rect::FULL;
        }
        let rounded = |value: f64| (value * 1e6).floor() / 1e6;
        Rect::new(rounded(left), 0.0, rounded(right - left), 1.0)
    }

    /// A pane as large as the output allows, slightly above the centre.
    fn fitted(&self, crop: Crop) -> Pane {
        let wider = crop.width * shape(self.picture) / crop.height / shape(self.output);
        let (width, height) = if wider >= 1.0 { (1.0, 1.0 / wider) } else { (wider, 1.0) };
        Pane { crop, place: rounded((1.0 - width) / 2.0, TOP_MARGIN_PART * (1.0 - height), width, height) }
    }

    /// The width and height of an inset as fractions of the output: a square in pixels.
    fn inset_size(&self) -> (f64, f64) {
        let (width, height) = (f64::from(self.output.0.max(1)), f64::from(self.output.1.max(1)));
        let side = INSET_SIZE * width.min(height);
        (side / width, side / height)
    }

    /// Whether the whole picture leaves enough free height for an inset.
    pub(super) fn has_room_for_inset(&self) -> bool {
        1.0 - self.fitted(Crop::still(Rect::FULL)).place.height >= self.inset_size().1
    }

    /// The whole picture with an inset of one person's face. The inset is on the same side as the
    /// face in the picture, covers it, and extends into the free space.
    fn pip(&self, range: Range<usize>, person: usize) -> Option<Layout> {
        let face = self.median_face(person, range.clone())?;
        let square = Window::largest(self.picture, (1, 1));
        let window = square.scaled((INSET_FACE_HEIGHTS * face.height / square.rect().height).min(1.0));
        let boxes: Vec<Option<Rect>> = (range.start..=range.end).map(|n| self.union_at(&[person], n)).collect();
        let crop = window.following(&boxes, self.span(range)?.start(), axis::EYE_LEVEL, DeadZone::FACE);
        let screen = self.fitted(Crop::still(Rect::FULL));

        let (width, height) = self.inset_size();
        let (x, y) = face.center();
        let left = if x < 0.5 { INSET_MARGIN } else { 1.0 - INSET_MARGIN - width };
        let shown = |y: f64| screen.place.y + y * screen.place.height;
        let own = crop.path.first().map_or(face.y, |key| key.y);
        let top = if y < 0.5 { shown(own + crop.height) - height } else { shown(own) };
        let place = rounded(left, top.clamp(0.0, 1.0 - height), width, height);
        Some(Layout::Pip { screen, inset: Pane { crop, place } })
    }
}

/// Width divided by height.
fn shape((width, height): (u32, u32)) -> f64 {
    f64::from(width.max(1)) / f64::from(height.max(1))
}

/// A place in the output, rounded down to millionths.
fn rounded(x: f64, y: f64, width: f64, height: f64) -> Rect {
    let part = |value: f64| (value * 1e6).floor().max(0.0) / 1e6;
    Rect::new(part(x), part(y), part(width).max(1e-5), part(height).max(1e-5))
}
