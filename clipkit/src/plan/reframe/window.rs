//! The crop window: its size, and positions that stay inside the picture after rounding.

use super::STEP;
use super::axis::{self, DeadZone};
use super::camera_path::SUBSTEPS;
use crate::model::{Crop, CropKey, Rect, Timestamp};

/// Coordinates in a plan are rounded to multiples of 1 / `UNIT` of the picture.
const UNIT: f64 = 1e6;
/// The maximum error of a position when a key is omitted: a twentieth of a pixel in a picture 1920
/// pixels wide. The window moves linearly between keys, so this also bounds the change of speed
/// from frame to frame.
const TOLERANCE: f64 = 2.5e-5;

/// The largest window with the output's aspect ratio, in millionths of the picture.
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

    /// A window of a size in fractions of the picture.
    pub(super) fn of((width, height): (f64, f64), picture: (u32, u32)) -> Self {
        let part = |value: f64| ((value * UNIT).floor() as u32).clamp(1, UNIT as u32);
        let shape = f64::from(picture.0.max(1)) / f64::from(picture.1.max(1));
        Window { width: part(width), height: part(height), shape }
    }

    /// A window with the same aspect ratio, scaled by `part` (at most 1).
    pub(super) fn scaled(self, part: f64) -> Self {
        // NaN gives the smallest size.
        let scale = |side: u32| ((f64::from(side) * part).floor() as u32).clamp(1, side);
        Window { width: scale(self.width), height: scale(self.height), ..self }
    }

    /// The window at the picture's top left corner.
    pub(super) fn rect(&self) -> Rect {
        Rect::new(0.0, 0.0, f64::from(self.width) / UNIT, f64::from(self.height) / UNIT)
    }

    /// The picture's width divided by its height.
    pub(super) fn shape(&self) -> f64 {
        self.shape
    }

    /// A crop that keeps a subject in view. `boxes` holds the subject's boxes at steps of [`STEP`]
    /// from `start` on. `level` is the preferred height of its centre in the window, 0 to 1 from
    /// the top.
    pub(super) fn following(&self, boxes: &[Option<Rect>], start: Timestamp, level: f64, zone: DeadZone) -> Crop {
        let rect = self.rect();
        let across = axis::axis_path(boxes.iter().map(|face| face.map(|face| (face.x, face.width))), rect.width, 0.5, zone);
        let down = axis::axis_path(boxes.iter().map(|face| face.map(|face| (face.y, face.height))), rect.height, level, zone);
        self.crop(&across, &down, start, STEP / SUBSTEPS as f64)
    }

    /// A crop whose centre follows the x and y paths, which have one value every `step` seconds
    /// from `start` on.
    fn crop(&self, across: &[f64], down: &[f64], start: Timestamp, step: f64) -> Crop {
        let corners: Vec<(f64, f64)> = across.iter().zip(down).map(|(&x, &y)| self.corner(x, y)).collect();
        let kept = simplified(&corners, TOLERANCE);
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

    /// The top left corner of the window around a centre, inside the picture.
    fn corner(&self, x: f64, y: f64) -> (f64, f64) {
        let edge = |center: f64, length: u32| {
            // NaN gives 0.
            let edge = (center * UNIT - f64::from(length) / 2.0).round().max(0.0) as u32;
            f64::from(edge.min(UNIT as u32 - length)) / UNIT
        };
        (edge(x, self.width), edge(y, self.height))
    }
}

/// The indices of the points that a polyline needs to pass all points within `tolerance`
/// (Ramer-Douglas-Peucker, with the distance measured at equal times).
fn simplified(points: &[(f64, f64)], tolerance: f64) -> Vec<usize> {
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
