//! Mouth movement, from which the active speaker is told by the picture alone.
//!
//! Mouth movement is measured as the change of the mouth's pixels between two pictures, not as the
//! opening of the lips by a landmark model. Measured on six people who speak and eight who do not
//! (and smile, grimace, turn), with faces 20 to 120 pixels wide and 5 pictures per second: how
//! often a second of a speaker has more movement than a second of another person.
//!
//! | measure | |
//! |---|---|
//! | change of pixels, aligned by UltraFace's box | 88.7 % |
//! | change of pixels, aligned by YuNet's box | 90.6 % |
//! | change of pixels, aligned by YuNet's landmarks of eyes, nose and mouth | 92.7 % |
//! | change of the gap between the lips, 66 landmarks (OpenSeeFace) | 88.5 % |
//! | the last two together | 91.6 % |
//!
//! The 66 landmarks would cost one more inference per face and picture.

use super::detect::{Detection, Landmarks};
use super::pixels::{Square, patch, turned_patch};
use crate::av::RgbImage;
use crate::model::Rect;

/// The side of a face image, in samples.
const SIDE: usize = 40;
/// The search radius when aligning two face images, in samples. Detectors' boxes are exact to about
/// 5 % of the face's size.
const SEARCH_RADIUS: isize = 4;
/// Rows and columns of brow, eyes and nose, which show the head's movement.
const UPPER: Region = Region { rows: (6, 25), columns: (6, 34) };
/// Rows and columns of the mouth.
const MOUTH: Region = Region { rows: (26, 37), columns: (10, 30) };
/// Added to a face's contrast, in levels of 255, so that noise in a flat, dark face does not count
/// as movement.
const NOISE: f64 = 6.0;

/// The share of the upper face's change that is subtracted from the mouth's. Subtracting all of it
/// would suppress people who speak with their whole face.
const UPPER_WEIGHT: f64 = 0.5;
/// The weight of any movement of a face: small, but more than the zero of a frozen picture.
const MIN_WEIGHT: f64 = 0.15;

/// The positions of YuNet's landmarks in the face image, in samples. With a face image a fifth
/// larger or smaller, the measure above falls below 90 %.
const LANDMARKS: Landmarks = [(12.5, 15.0), (27.5, 15.0), (20.0, 23.0), (14.0, 31.0), (26.0, 31.0)];
/// The landmarks of a face in profile lie on a line and give no size. An alignment is rejected if
/// its size differs from the face's box by more than this ratio, or if its centre is more than a
/// face size away.
const MAX_SIZE_RATIO: f64 = 1.8;

#[derive(Clone, Copy)]
struct Region {
    rows: (usize, usize),
    columns: (usize, usize),
}

/// The luma of a face, scaled to `SIDE` x `SIDE` samples.
#[derive(Clone, Debug)]
pub(super) struct FaceImage(Vec<f32>);

impl FaceImage {
    /// Reads a face, aligned by its landmarks if it has any and they are plausible.
    pub(super) fn from_detection(image: &RgbImage, face: &Detection) -> Self {
        match face.landmarks.and_then(|landmarks| square(image, landmarks, face.rect)) {
            Some(square) => FaceImage(turned_patch(image, square, SIDE)),
            None => FaceImage::new(image, face.rect),
        }
    }

    /// Reads the face in the box `rect`.
    pub(super) fn new(image: &RgbImage, rect: Rect) -> Self {
        FaceImage(patch(image, rect, SIDE))
    }

    /// How much the mouth changed since `before`, in units of the face's contrast. It is 0 for a
    /// still face, even if the head moved.
    ///
    /// The two images are aligned by the upper face, and a share of the difference that remains
    /// there (noise, a turned head) is subtracted.
    pub(super) fn mouth_change(&self, before: &FaceImage) -> f64 {
        let mut best = (f64::INFINITY, 0, 0);
        for dy in -SEARCH_RADIUS..=SEARCH_RADIUS {
            for dx in -SEARCH_RADIUS..=SEARCH_RADIUS {
                let upper = self.difference(before, UPPER, dx, dy);
                if upper < best.0 {
                    best = (upper, dx, dy);
                }
            }
        }
        let (upper, dx, dy) = best;
        // The jaw moves with the lips. A tolerance of one sample keeps a slightly turned head from
        // counting.
        let nearby = (-1..=1).flat_map(|y| (-1..=1).map(move |x| (x, y)));
        let mouth = nearby.map(|(x, y)| self.difference(before, MOUTH, dx + x, dy + y)).fold(f64::INFINITY, f64::min);
        (mouth - UPPER_WEIGHT * upper).max(MIN_WEIGHT * (mouth + upper)) / (self.contrast() + NOISE)
    }

    /// The mean absolute difference of a region, with `before` moved by `(dx, dy)` samples. A
    /// difference of the mean level is ignored.
    fn difference(&self, before: &FaceImage, region: Region, dx: isize, dy: isize) -> f64 {
        let width = region.columns.1 - region.columns.0;
        let from = region.columns.0.saturating_add_signed(dx).min(SIDE - width);
        let lines = || {
            (region.rows.0..region.rows.1).map(move |y| {
                let y_before = y.saturating_add_signed(dy).min(SIDE - 1);
                (&self.0[y * SIDE + region.columns.0..][..width], &before.0[y_before * SIDE + from..][..width])
            })
        };
        let count = ((region.rows.1 - region.rows.0) * width) as f32;
        let mean = sum(lines(), |a, b| a - b) / count;
        f64::from(sum(lines(), |a, b| (a - b - mean).abs()) / count)
    }

    /// The standard deviation of the face's levels.
    fn contrast(&self) -> f64 {
        let count = self.0.len() as f64;
        let mean = self.0.iter().copied().map(f64::from).sum::<f64>() / count;
        (self.0.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count).sqrt()
    }
}

/// The sum of `value` over pairs of lines of equal length, in four partial sums, so that the
/// compiler vectorises it.
fn sum<'a>(lines: impl Iterator<Item = (&'a [f32], &'a [f32])>, value: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; 4];
    for (a, b) in lines {
        let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
        let rest = a.remainder().iter().zip(b.remainder()).map(|(a, b)| value(*a, *b));
        sums[0] += rest.sum::<f32>();
        for (a, b) in a.zip(b) {
            for n in 0..4 {
                sums[n] += value(a[n], b[n]);
            }
        }
    }
    sums.iter().sum()
}

/// The square that maps a face's landmarks to [`LANDMARKS`] by translation, rotation and scale
/// (least squares). `None` if it is far from the face's box.
fn square(image: &RgbImage, landmarks: Landmarks, rect: Rect) -> Option<Square> {
    let (width, height) = (image.columns() as f64, image.rows() as f64);
    let seen = landmarks.map(|(x, y)| (x * width, y * height));
    let mean = |points: &Landmarks| {
        let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (sum.0 / 5.0, sum.1 / 5.0)
    };
    let (middle, origin) = (mean(&seen), mean(&LANDMARKS));
    // In complex numbers: the factor that maps one set of points to the other, both relative to
    // their means.
    let (mut real, mut imaginary, mut norm) = (0.0, 0.0, 0.0);
    for (point, reference) in seen.iter().zip(&LANDMARKS) {
        let (x, y) = (point.0 - middle.0, point.1 - middle.1);
        let (u, v) = (reference.0 - origin.0, reference.1 - origin.1);
        real += u * x + v * y;
        imaginary += u * y - v * x;
        norm += u * u + v * v;
    }
    let (real, imaginary) = (real / norm, imaginary / norm);
    let corner = (middle.0 - real * origin.0 + imaginary * origin.1, middle.1 - imaginary * origin.0 - real * origin.1);
    let side = SIDE as f64;
    let size = (rect.width * width * rect.height * height).max(0.0).sqrt();
    let ratio = side * real.hypot(imaginary) / size;
    let (x, y) = rect.center();
    let distance = (middle.0 - x * width).hypot(middle.1 - y * height);
    let plausible = (1.0 / MAX_SIZE_RATIO..=MAX_SIZE_RATIO).contains(&ratio) && distance <= size;
    plausible.then_some(Square { corner, across: (side * real, side * imaginary), down: (-side * imaginary, side * real) })
}

#[cfg(test)]
mod tests {
    use super::super::pixels::image;
    use super::*;

    /// A face-like picture: two dark eyes, the shadow of a nose, and a mouth open by `open` rows.
    /// The head is moved by `(dx, dy)`.
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
        let read = |image, (x, y)| FaceImage::new(image, Rect::new(x / 200.0, y / 200.0, 0.4, 0.4));
        read(b, then).mouth_change(&read(a, at))
    }

    #[test]
    fn a_still_face_does_not_speak_even_if_it_moves() {
        assert!(change(&face(2, 0, 0), (40.0, 40.0), &face(2, 0, 0), (40.0, 40.0)) < 1e-6);
        assert!(change(&face(2, 0, 0), (40.0, 40.0), &face(2, 20, 6), (60.0, 46.0)) < 1e-6);
        // The detector's box is slightly off.
        assert!(change(&face(2, 0, 0), (40.0, 40.0), &face(2, 0, 0), (44.0, 36.0)) < 0.02);
    }

    #[test]
    fn an_opening_mouth_speaks_even_while_the_head_moves() {
        assert!(change(&face(0, 0, 0), (40.0, 40.0), &face(8, 0, 0), (40.0, 40.0)) > 0.15);
        assert!(change(&face(0, 0, 0), (40.0, 40.0), &face(8, 20, 6), (62.0, 44.0)) > 0.15);
    }

    /// The landmarks of [`face`]'s face, rotated by `angle` around the centre of a picture of 200 x
    /// 200 pixels, in fractions.
    fn landmarks(angle: f64) -> Landmarks {
        [(62.5, 65.0), (97.5, 65.0), (80.0, 90.0), (68.0, 101.0), (92.0, 101.0)].map(|(x, y)| {
            let (x, y) = (x - 100.0, y - 100.0);
            ((100.0 + x * angle.cos() - y * angle.sin()) / 200.0, (100.0 + x * angle.sin() + y * angle.cos()) / 200.0)
        })
    }

    /// `picture` rotated around its centre.
    fn turned(picture: &RgbImage, angle: f64) -> RgbImage {
        let side = 200.0;
        let turn = |x: f64, y: f64| (x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin());
        let (across, down) = (turn(side, 0.0), turn(0.0, side));
        let (x, y) = turn(-side / 2.0, -side / 2.0);
        let square = Square { corner: (x + side / 2.0, y + side / 2.0), across, down };
        image(200, 200, turned_patch(picture, square, 200).into_iter().flat_map(|value| [value.round() as u8; 3]).collect())
    }

    #[test]
    fn landmarks_align_a_rotated_face_and_one_whose_box_is_off() {
        let upright = |rect: Rect, landmarks: Landmarks, picture: &RgbImage| {
            FaceImage::from_detection(picture, &Detection { rect, confidence: 0.9, landmarks: Some(landmarks) })
        };
        let rect = Rect::new(0.2, 0.2, 0.4, 0.4);
        let still = upright(rect, landmarks(0.0), &face(2, 0, 0));
        let off = upright(Rect::new(0.25, 0.15, 0.45, 0.4), landmarks(0.0), &face(2, 0, 0));
        assert!(off.mouth_change(&still) < 1e-9, "the box has no effect");
        let tilted = upright(rect, landmarks(0.4), &turned(&face(2, 0, 0), 0.4));
        let speaks = upright(rect, landmarks(0.4), &turned(&face(8, 0, 0), 0.4));
        let (stays, opens) = (tilted.mouth_change(&still), speaks.mouth_change(&still));
        assert!(stays < 0.06 && opens > 2.0 * stays, "{stays} {opens}");
        let (boxed, by_box) = (FaceImage::new(&turned(&face(2, 0, 0), 0.4), rect), FaceImage::new(&face(2, 0, 0), rect));
        assert!(boxed.mouth_change(&by_box) > 2.0 * stays, "{}", boxed.mouth_change(&by_box));
    }

    #[test]
    fn implausible_landmarks_are_rejected() {
        let rect = Rect::new(0.2, 0.2, 0.4, 0.4);
        for landmarks in [[(0.4, 0.4); 5], [(f64::NAN, 0.4); 5], [(f64::INFINITY, 0.1); 5], landmarks(0.0).map(|(x, y)| (4.0 * x, 4.0 * y))]
        {
            let picture = face(2, 0, 0);
            assert!(square(&picture, landmarks, rect).is_none(), "{landmarks:?}");
            assert!(
                FaceImage::from_detection(&picture, &Detection { rect, confidence: 0.9, landmarks: Some(landmarks) })
                    .mouth_change(&FaceImage::new(&picture, rect))
                    < 1e-9
            );
        }
    }
}
