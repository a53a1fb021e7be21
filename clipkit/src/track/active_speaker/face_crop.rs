//! Pictures of a face as LR-ASD takes them.

use super::super::pixels;
use crate::av::RgbImage;
use crate::model::{FaceSample, Rect, Timestamp};

/// The side of a picture, in pixels.
pub(super) const SIDE: usize = 112;
/// Half the side of the square around a face, in units of half the longer side of its box.
const MARGIN: f64 = 1.2;
/// The level outside of the video's picture.
const OUTSIDE: f32 = 110.0;
/// Boxes are medians over this many samples before and after, so that the square does not shake.
const SMOOTHING: usize = 1;

/// The box of a face at a time: linear between samples, whose centres and sizes are smoothed.
/// `None` without samples.
pub(super) fn face_at(samples: &[FaceSample], at: Timestamp) -> Option<Rect> {
    let next = samples.partition_point(|sample| sample.at <= at);
    match (next.checked_sub(1), (next < samples.len()).then_some(next)) {
        (Some(a), Some(b)) => {
            let (from, to) = (samples.get(a)?.at, samples.get(b)?.at);
            let share = at.since(from).secs() / to.since(from).secs().max(f64::MIN_POSITIVE);
            let (a, b) = (smoothed(samples, a), smoothed(samples, b));
            let mix = |a: f64, b: f64| a + (b - a) * share;
            Some(Rect::new(mix(a.x, b.x), mix(a.y, b.y), mix(a.width, b.width), mix(a.height, b.height)))
        }
        (Some(n), None) | (None, Some(n)) => Some(smoothed(samples, n)),
        (None, None) => None,
    }
}

fn smoothed(samples: &[FaceSample], n: usize) -> Rect {
    let near = &samples[n.saturating_sub(SMOOTHING)..(n + SMOOTHING + 1).min(samples.len())];
    let middle = |value: fn(&Rect) -> f64| {
        let mut values: Vec<f64> = near.iter().map(|sample| value(&sample.rect)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (x, y) = (middle(|rect| rect.center().0), middle(|rect| rect.center().1));
    let (width, height) = (middle(|rect| rect.width), middle(|rect| rect.height));
    Rect::new(x - width / 2.0, y - height / 2.0, width, height)
}

/// Appends the luma of the square around a face, 0 to 255, as `SIDE` x `SIDE` samples in row-major
/// order.
pub(super) fn push(image: &RgbImage, face: Rect, to: &mut Vec<f32>) {
    let (columns, rows) = (image.columns() as f64, image.rows() as f64);
    let (x, y) = face.center();
    let half = MARGIN * (face.width * columns).max(face.height * rows) / 2.0;
    let (left, top) = (x * columns - half, y * rows - half);
    let step = 2.0 * half / SIDE as f64;
    // Where the square is larger than the picture to make, each sample is the mean of several.
    let points = (step.ceil() as usize).clamp(1, 8);
    let place = |from: f64, n: usize, point: usize| from + (n as f64 + (point as f64 + 0.5) / points as f64) * step - 0.5;
    for row in 0..SIDE {
        for column in 0..SIDE {
            let mut sum = 0.0;
            for v in 0..points {
                for u in 0..points {
                    sum += level(image, place(left, column, u), place(top, row, v));
                }
            }
            to.push(sum / (points * points) as f32);
        }
    }
}

/// Luma between pixels; [`OUTSIDE`] beyond the picture.
fn level(image: &RgbImage, x: f64, y: f64) -> f32 {
    if x < -0.5 || y < -0.5 || x > image.columns() as f64 - 0.5 || y > image.rows() as f64 - 0.5 {
        return OUTSIDE;
    }
    pixels::at(image, x, y)
}

#[cfg(test)]
mod tests {
    use super::super::super::pixels::image;
    use super::*;

    fn samples(boxes: &[(f64, f64)]) -> Vec<FaceSample> {
        boxes.iter().map(|&(at, x)| FaceSample::new(Timestamp::from_secs(at), Rect::new(x, 0.25, 0.25, 0.25), 0.9)).collect()
    }

    #[test]
    fn boxes_are_linear_between_samples_and_stay_beyond_them() {
        let track = samples(&[(1.0, 0.25), (2.0, 0.25), (3.0, 0.5), (4.0, 0.5)]);
        let left = |at| face_at(&track, Timestamp::from_secs(at)).unwrap().x;
        assert_eq!((left(0.0), left(1.5), left(2.5), left(9.0)), (0.25, 0.25, 0.375, 0.5));
        assert_eq!(face_at(&[], Timestamp::ZERO), None);
    }

    #[test]
    fn one_wrong_box_is_smoothed_away() {
        let track = samples(&[(1.0, 0.25), (2.0, 0.75), (3.0, 0.25)]);
        assert_eq!(face_at(&track, Timestamp::from_secs(2.0)).unwrap().x, 0.25);
    }

    #[test]
    fn the_square_is_filled_outside_of_the_picture() {
        let white = image(100, 100, vec![255; 3 * 100 * 100]);
        let mut crop = Vec::new();
        push(&white, Rect::new(-0.25, 0.25, 0.5, 0.5), &mut crop);
        assert_eq!(crop.len(), SIDE * SIDE);
        let row = &crop[SIDE * SIDE / 2..][..SIDE];
        assert_eq!((row[2], row[SIDE - 2]), (OUTSIDE, 255.0));
    }

    #[test]
    fn a_small_face_is_enlarged_and_a_large_one_averaged() {
        let ramp = image(256, 256, (0..256 * 256).flat_map(|n| [(n % 256) as u8; 3]).collect());
        for side in [0.1, 0.8] {
            let mut crop = Vec::new();
            push(&ramp, Rect::new(0.5 - side / 2.0, 0.5 - side / 2.0, side, side), &mut crop);
            let row = &crop[SIDE * SIDE / 2..][..SIDE];
            let middle = (row[SIDE / 2 - 1] + row[SIDE / 2]) / 2.0;
            assert!((middle - 127.5).abs() < 1.0 && row[30..80].is_sorted(), "{row:?}");
        }
    }
}
