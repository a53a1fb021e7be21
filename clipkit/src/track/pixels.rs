//! Reading small pictures: scaled copies and luma patches.

use crate::av::RgbImage;
use crate::model::Rect;

/// Luma of a pixel, 0 to 255 (ITU-R BT.601 weights).
pub(super) fn luma([r, g, b]: [u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// Linear interpolation from `from` to `to` pixels along one side: for each target pixel, the two
/// source pixels and the weight of the second. Pixel centres are at half integers, as in OpenCV and
/// in the detectors' training code.
fn taps(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|n| {
            let at = ((n as f32 + 0.5) * scale - 0.5).clamp(0.0, from.saturating_sub(1) as f32);
            let low = at.floor();
            (low as usize, (low as usize + 1).min(from.saturating_sub(1)), at - low)
        })
        .collect()
}

/// Scales the picture to `width` x `height` by linear interpolation. Calls `put` with the column,
/// row and colour (0 to 255) of each pixel.
pub(super) fn resample(picture: &RgbImage, width: usize, height: usize, mut put: impl FnMut(usize, usize, [f32; 3])) {
    let columns = taps(picture.columns(), width);
    for (y, (top, bottom, down)) in taps(picture.rows(), height).into_iter().enumerate() {
        for (x, &(left, right, across)) in columns.iter().enumerate() {
            let [a, b, c, d] =
                [picture.pixel(left, top), picture.pixel(right, top), picture.pixel(left, bottom), picture.pixel(right, bottom)];
            put(
                x,
                y,
                std::array::from_fn(|n| {
                    let upper = f32::from(a[n]) + (f32::from(b[n]) - f32::from(a[n])) * across;
                    let lower = f32::from(c[n]) + (f32::from(d[n]) - f32::from(c[n])) * across;
                    upper + (lower - upper) * down
                }),
            );
        }
    }
}

/// A square in a picture, which may be rotated, in pixels: its top left corner, and the vectors
/// along its upper and its left side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Square {
    pub(super) corner: (f64, f64),
    pub(super) across: (f64, f64),
    pub(super) down: (f64, f64),
}

/// The luma of a box of the picture, as `side` x `side` samples in row-major order.
pub(super) fn patch(picture: &RgbImage, rect: Rect, side: usize) -> Vec<f32> {
    let (width, height) = (picture.columns() as f64, picture.rows() as f64);
    let corner = (rect.x * width, rect.y * height);
    turned_patch(picture, Square { corner, across: (rect.width * width, 0.0), down: (0.0, rect.height * height) }, side)
}

/// The luma of a square that may be rotated, as `side` x `side` samples. Each sample is the mean of
/// a grid of points, so that large squares do not alias. Outside, the picture's edge is repeated.
pub(super) fn turned_patch(picture: &RgbImage, Square { corner, across, down }: Square, side: usize) -> Vec<f32> {
    let points = |(x, y): (f64, f64)| ((x.hypot(y) / side as f64).ceil() as usize).clamp(1, 8);
    let (columns, rows) = (points(across), points(down));
    let mut samples = Vec::with_capacity(side * side);
    for row in 0..side {
        for column in 0..side {
            let mut sum = 0.0;
            for v in 0..rows {
                for u in 0..columns {
                    let right = (column as f64 + (u as f64 + 0.5) / columns as f64) / side as f64;
                    let low = (row as f64 + (v as f64 + 0.5) / rows as f64) / side as f64;
                    let x = corner.0 + across.0 * right + down.0 * low;
                    let y = corner.1 + across.1 * right + down.1 * low;
                    sum += at(picture, x - 0.5, y - 0.5);
                }
            }
            samples.push(sum / (columns * rows) as f32);
        }
    }
    samples
}

/// Luma at a position between pixels, by linear interpolation.
pub(super) fn at(picture: &RgbImage, x: f64, y: f64) -> f32 {
    let (x, y) = (x.max(0.0), y.max(0.0));
    let (left, top) = (x as usize, y as usize);
    let (across, down) = ((x - left as f64) as f32, (y - top as f64) as f32);
    let value = |x, y| luma(picture.pixel(x, y));
    let upper = value(left, top) * (1.0 - across) + value(left + 1, top) * across;
    let lower = value(left, top + 1) * (1.0 - across) + value(left + 1, top + 1) * across;
    upper * (1.0 - down) + lower * down
}

/// An image for tests, from rows of red, green and blue.
#[cfg(test)]
pub(super) fn image(width: usize, height: usize, pixels: Vec<u8>) -> RgbImage {
    assert_eq!(pixels.len(), 3 * width * height);
    RgbImage { width: width as u32, height: height as u32, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose columns get brighter to the right.
    fn ramp(width: usize, height: usize) -> RgbImage {
        image(width, height, (0..width * height).flat_map(|n| [(n % width * 255 / (width - 1)) as u8; 3]).collect())
    }

    #[test]
    fn resampling_keeps_a_ramp_a_ramp() {
        let mut row = Vec::new();
        resample(&ramp(64, 4), 16, 2, |_, y, [red, ..]| {
            if y == 0 {
                row.push(red)
            }
        });
        assert!(row.is_sorted() && row.len() == 16);
        assert!((row[8] - 135.0).abs() < 3.0, "{row:?}");
    }

    #[test]
    fn a_patch_reads_its_box_and_goes_on_at_the_edge() {
        let half = patch(&ramp(101, 10), Rect::new(0.5, 0.0, 0.5, 1.0), 4);
        assert!((half[0] - 143.0).abs() < 2.0 && (half[3] - 239.0).abs() < 2.0, "{half:?}");
        let outside = patch(&ramp(101, 10), Rect::new(1.0, 0.0, 0.5, 1.0), 2);
        assert!(outside.iter().all(|&value| value > 250.0), "{outside:?}");
    }
}
