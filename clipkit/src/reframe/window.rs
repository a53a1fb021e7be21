//! The window on the source: its size, and places that stay inside the picture after rounding.

use super::path;
use crate::model::{Crop, CropKey, Rect, Timestamp};

/// Coordinates are rounded to this fraction of the picture, in a plan that people read.
const UNIT: f64 = 1e6;
/// A key is left out where the window is off by less than this without it: under half a pixel of a picture 1920 wide.
const TOLERANCE: f64 = 2e-4;

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

    /// The window in the picture's corner, for its size.
    pub(super) fn rect(&self) -> Rect {
        Rect::new(0.0, 0.0, f64::from(self.width) / UNIT, f64::from(self.height) / UNIT)
    }

    /// The picture's width divided by its height.
    pub(super) fn shape(&self) -> f64 {
        self.shape
    }

    /// A window that stands, its middle as near to `center` as the picture allows.
    pub(super) fn still(&self, (x, y): (f64, f64)) -> Crop {
        let (x, y) = self.corner(x, y);
        Crop::still(Rect { x, y, ..self.rect() })
    }

    /// A window whose middle goes along two paths of places `step` seconds apart, from `start` on.
    pub(super) fn crop(&self, across: &[f64], down: &[f64], start: Timestamp, step: f64) -> Crop {
        let corners: Vec<(f64, f64)> = across.iter().zip(down).map(|(&x, &y)| self.corner(x, y)).collect();
        let kept = path::turning_points(&corners, TOLERANCE);
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
