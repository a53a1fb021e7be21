//! Who speaks, from the picture alone: how much a mouth moves.

use super::pixels::patch;
use crate::av::RgbImage;
use crate::model::Rect;

/// A face is looked at as a square of this many samples a side.
const SIDE: usize = 40;
/// How far a face may sit differently in its two boxes, in samples: detectors are right to about 5 % of the face's size.
const REACH: isize = 4;
/// Rows and columns of brow, eyes and nose: they tell how the head moved.
const UPPER: Region = Region { rows: (6, 25), columns: (6, 34) };
/// Rows and columns of the mouth.
const MOUTH: Region = Region { rows: (26, 37), columns: (10, 30) };
/// Added to a face's contrast, so that noise in a flat, dark face does not count as movement; levels of 255.
const NOISE: f64 = 6.0;

/// How much of the upper face's change is taken off the mouth's: all of it would silence people who speak with their whole face.
const STIR: f64 = 0.5;
/// What any movement of a face counts for: little, but more than the nothing of a face that is frozen.
const LIFE: f64 = 0.15;

#[derive(Clone, Copy)]
struct Region {
    rows: (usize, usize),
    columns: (usize, usize),
}

/// A face's grey picture at a size of its own.
#[derive(Clone, Debug)]
pub(super) struct FaceImage(Vec<f32>);

impl FaceImage {
    /// Reads the face in `rect`.
    pub(super) fn new(image: &RgbImage, rect: Rect) -> Self {
        FaceImage(patch(image, rect, SIDE))
    }

    /// How much the mouth changed since `before`, in units of the face's contrast: 0 for a still face, wherever the head went.
    ///
    /// The two pictures are laid over each other by the upper face, and part of what still differs there (noise, a turned head) is taken off.
    pub(super) fn mouth_change(&self, before: &FaceImage) -> f64 {
        let mut best = (f64::INFINITY, 0, 0);
        for dy in -REACH..=REACH {
            for dx in -REACH..=REACH {
                let upper = self.difference(before, UPPER, dx, dy);
                if upper < best.0 {
                    best = (upper, dx, dy);
                }
            }
        }
        let (upper, dx, dy) = best;
        // A jaw moves with the lips; a pixel of play keeps a slightly turned head from counting.
        let nearby = (-1..=1).flat_map(|y| (-1..=1).map(move |x| (x, y)));
        let mouth = nearby.map(|(x, y)| self.difference(before, MOUTH, dx + x, dy + y)).fold(f64::INFINITY, f64::min);
        (mouth - STIR * upper).max(LIFE * (mouth + upper)) / (self.contrast() + NOISE)
    }

    /// The mean absolute difference of a region, `before` being moved by `(dx, dy)` samples; differences of the mean level are left out.
    fn difference(&self, before: &FaceImage, region: Region, dx: isize, dy: isize) -> f64 {
        let pairs = || {
            (region.rows.0..region.rows.1).flat_map(move |y| {
                (region.columns.0..region.columns.1).map(move |x| {
                    let (from_x, from_y) = (x.saturating_add_signed(dx).min(SIDE - 1), y.saturating_add_signed(dy).min(SIDE - 1));
                    f64::from(self.0[y * SIDE + x] - before.0[from_y * SIDE + from_x])
                })
            })
        };
        let count = ((region.rows.1 - region.rows.0) * (region.columns.1 - region.columns.0)) as f64;
        let mean = pairs().sum::<f64>() / count;
        pairs().map(|difference| (difference - mean).abs()).sum::<f64>() / count
    }

    /// The standard deviation of the face's levels.
    fn contrast(&self) -> f64 {
        let count = self.0.len() as f64;
        let mean = self.0.iter().copied().map(f64::from).sum::<f64>() / count;
        (self.0.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::super::pixels::image;
    use super::*;

    /// A face-like picture: two dark eyes, a nose's shadow, and a mouth open by `open` rows, the head moved by `(dx, dy)`.
    fn face(open: usize, dx: usize, dy: usize) -> RgbImage {
        let value = |x: usize, y: usize| -> u8 {
            let (x, y) = (x as isize - 40 - dx as isize, y as isize - 40 - dy as isize);
            let eye = (20..=30).contains(&y) && ((15..=30).contains(&x) || (50..=65).contains(&x));
            let nose = (35..=50).contains(&y) && (38..=42).contains(&x);
            let mouth = (60..=62 + open as isize).contains(&y) && (28..=52).contains(&x);
            if eye || mouth {
                40
            } else if nose {
                110
            } else if (0..80).contains(&x) && (0..80).contains(&y) {
                180
            } else {
                90
            }
        };
        image(200, 200, (0..200).flat_map(|y| (0..200).flat_map(move |x| [value(x, y); 3])).collect())
    }

    fn change(a: &RgbImage, at: (f64, f64), b: &RgbImage, then: (f64, f64)) -> f64 {
        let look = |image, (x, y)| FaceImage::new(image, Rect::new(x / 200.0, y / 200.0, 0.4, 0.4));
        look(b, then).mouth_change(&look(a, at))
    }

    #[test]
    fn a_still_face_does_not_speak_wherever_it_goes() {
        assert!(change(&face(2, 0, 0), (40.0, 40.0), &face(2, 0, 0), (40.0, 40.0)) < 1e-6);
        assert!(change(&face(2, 0, 0), (40.0, 40.0), &face(2, 20, 6), (60.0, 46.0)) < 1e-6);
        // The detector's box sits a little differently.
        assert!(change(&face(2, 0, 0), (40.0, 40.0), &face(2, 0, 0), (44.0, 36.0)) < 0.02);
    }

    #[test]
    fn an_opening_mouth_speaks_even_while_the_head_moves() {
        assert!(change(&face(0, 0, 0), (40.0, 40.0), &face(8, 0, 0), (40.0, 40.0)) > 0.15);
        assert!(change(&face(0, 0, 0), (40.0, 40.0), &face(8, 20, 6), (62.0, 44.0)) > 0.15);
    }
}
