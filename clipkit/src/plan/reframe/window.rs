//! The window on the source: its size, and places that stay inside the picture after rounding.

use super::STEP;
use super::camera_path::FINE;
use super::path::{self, Zone};
use crate::model::{Crop, CropKey, Rect, Timestamp};

/// Coordinates are rounded to this fraction of the picture, in a plan that people read.
const UNIT: f64 = 1e6;
/// A key is left out where the window is off by less than this without it: a twentieth of a pixel of a picture 1920 wide. Between keys the
/// window moves evenly, so where it speeds up they stand close enough for its steps from frame to frame to be no jerks.
const TOLERANCE: f64 = 2.5e-5;

/// The largest window of the output's shape, in whole millionths of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    width: u32,
    height: u32,
    /// The picture's width divided by its height.
    shape: f64,
}

impl Window {
    pub(super) fn largest(picture: (u32, u32), output: (u32, u32)) -> Self {
        let shape = |(width, height): (u32, u32)| f64::from(width.max(1)) / f64::from(height.max(1));
        let aspect = shape(output) / shape(picture);
        let part = |value: f64| ((value * UNIT).floor() as u32).clamp(1, UNIT as u32);
        Window { width: part(aspect.min(1.0)), height: part((1.0 / aspect).min(1.0)), shape: shape(picture) }
    }

    /// A window of the same shape, `part` (at most 1) as wide and high.
    pub(super) fn scaled(self, part: f64) -> Self {
        // Not-a-number becomes the smallest.
        let scale = |side: u32| ((f64::from(side) * part).floor() as u32).clamp(1, side);
        Window { width: scale(self.width), height: scale(self.height), ..self }
    }

    /// The window in the picture's corner, for its size.
    pub(super) fn rect(&self) -> Rect {
        Rect::new(0.0, 0.0, f64::from(self.width) / UNIT, f64::from(self.height) / UNIT)
    }

    /// The picture's width divided by its height.
    pub(super) fn shape(&self) -> f64 {
        self.shape
    }

    /// A window that keeps a subject in view: its boxes at moments [`STEP`] apart, from `start` on. `level` is the height in the window at
    /// which its middle belongs.
    pub(super) fn following(&self, boxes: &[Option<Rect>], start: Timestamp, level: f64, zone: Zone) -> Crop {
        let rect = self.rect();
        let across = path::along(boxes.iter().map(|face| face.map(|face| (face.x, face.width))), rect.width, 0.5, zone);
        let down = path::along(boxes.iter().map(|face| face.map(|face| (face.y, face.height))), rect.height, level, zone);
        self.crop(&across, &down, start, STEP / FINE as f64)
    }

    /// A window whose middle goes along two paths of places `step` seconds apart, from `start` on.
    fn crop(&self, across: &[f64], down: &[f64], start: Timestamp, step: f64) -> Crop {
        let corners: Vec<(f64, f64)> = across.iter().zip(down).map(|(&x, &y)| self.corner(x, y)).collect();
        let kept = turning_points(&corners, TOLERANCE);
        let keys = kept.into_iter().filter_map(|n| {
            let &(x, y) = corners.get(n)?;
            Some(CropKey { at: start.plus(n as f64 * step), x, y })
        });
        let mut path: Vec<CropKey> = keys.collect();
        if let [first, .., last] = path[..]
            && path.iter().all(|key| (key.x, key.y) == (first.x, first.y))
            && (last.x, last.y) == (first.x, first.y)
        {
            path.truncate(1);
        }
        match path[..] {
            [only] => Crop::still(Rect { x: only.x, y: only.y, ..self.rect() }),
            _ => Crop { path, ..Crop::still(self.rect()) },
        }
    }

    /// The top left corner of the window around a middle, inside the picture.
    fn corner(&self, x: f64, y: f64) -> (f64, f64) {
        let edge = |center: f64, length: u32| {
            // Not-a-number becomes 0.
            let edge = (center * UNIT - f64::from(length) / 2.0).round().max(0.0) as u32;
            f64::from(edge.min(UNIT as u32 - length)) / UNIT
        };
        (edge(x, self.width), edge(y, self.height))
    }
}

/// The points that a line through them needs, to pass all others within `tolerance` (Ramer-Douglas-Peucker, in time).
fn turning_points(points: &[(f64, f64)], tolerance: f64) -> Vec<usize> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let mut kept = vec![0, last];
    let mut open = vec![(0, last)];
    while let Some((a, b)) = open.pop() {
        let (from, to) = (points[a], points[b]);
        let off = |n: usize| {
            let part = (n - a) as f64 / (b - a) as f64;
            let line = |from: f64, to: f64| from + (to - from) * part;
            (points[n].0 - line(from.0, to.0)).abs().max((points[n].1 - line(from.1, to.1)).abs())
        };
        if let Some((far, n)) = (a + 1..b).map(|n| (off(n), n)).max_by(|a, b| a.0.total_cmp(&b.0))
            && far > tolerance
        {
            kept.push(n);
            open.extend([(a, n), (n, b)]);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}
