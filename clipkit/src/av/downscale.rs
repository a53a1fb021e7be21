//! Strong downscaling to RGB by averaging cells. Several times as fast as swscale, which converts
//! every pixel before it averages.

use std::ops::Range;

use super::picture::{ColorCoding, Picture, RgbImage};
use super::resample::Plane;

/// About this many rows of each cell are read, enough for a mean.
const ROWS_READ: usize = 8;
/// From this scale factor on, cells have enough pixels that uneven cell sizes do not matter.
const STRONG: u32 = 4;

/// Downscales a frame to `size` (columns, rows) in the stored orientation. Returns `None` if the
/// format is not planar 8-bit YUV, or if the scale factor is so small that cells would be uneven.
pub(super) fn downscale(picture: &Picture, size: (u32, u32)) -> Option<RgbImage> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor supports the target feature, as just checked.
        return unsafe { downscale_avx2(picture, size) };
    }
    downscale_portable(picture, size)
}

/// [`downscale_portable`], compiled for AVX2 (processors from 2013 on).
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn downscale_avx2(picture: &Picture, size: (u32, u32)) -> Option<RgbImage> {
    downscale_portable(picture, size)
}

#[inline(always)]
fn downscale_portable(picture: &Picture, (width, height): (u32, u32)) -> Option<RgbImage> {
    let fits = |from: u32, to: u32| to > 0 && (from >= STRONG * to || from.is_multiple_of(to));
    if !(fits(picture.width(), width) && fits(picture.height(), height)) {
        return None;
    }
    let (columns, rows) = (width as usize, height as usize);
    let y = means(picture.plane(0)?, (columns, rows), ROWS_READ);
    // Chroma is subsampled: where the scale factor is small, one chroma cell covers four output
    // pixels.
    let chroma_cell = if picture.width() >= STRONG * width { 1 } else { 2 };
    let size = (columns.div_ceil(chroma_cell), rows.div_ceil(chroma_cell));
    let (u, v) = (means(picture.plane(1)?, size, ROWS_READ / 2), means(picture.plane(2)?, size, ROWS_READ / 2));
    let colors = Colors::of(picture.coding());
    let mut pixels = vec![0; 3 * columns * rows];
    // The chroma contribution to each column, updated for each row of chroma cells.
    let mut chroma = Chroma::default();
    for (row, (y, pixels)) in y.chunks_exact(columns).zip(pixels.chunks_exact_mut(3 * columns)).enumerate() {
        if row % chroma_cell == 0 {
            let cells = row / chroma_cell * size.0..(row / chroma_cell + 1) * size.0;
            chroma.set(&colors, u.get(cells.clone()).unwrap_or_default(), v.get(cells).unwrap_or_default(), chroma_cell);
        }
        let Chroma { red, green, blue } = &chroma;
        for ((((pixel, &y), red), green), blue) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(y).zip(red).zip(green).zip(blue) {
            let y = colors.luma * (i32::from(y) - colors.black);
            *pixel = [y + red, y + green, y + blue].map(to_byte);
        }
    }
    Some(RgbImage { width, height, pixels })
}

/// The mean of each cell of a plane that is divided into columns and rows. About `max_rows` rows of
/// each cell are read.
#[inline(always)]
fn means(plane: Plane<'_>, (columns, rows): (usize, usize), max_rows: usize) -> Vec<u8> {
    let cells = |whole: usize, parts: usize| {
        let edge = move |n: usize| n * whole / parts;
        (0..parts).map(move |n| {
            let from = edge(n).min(whole - 1);
            from..edge(n + 1).max(from + 1)
        })
    };
    let across: Vec<Range<usize>> = cells(plane.width, columns).collect();
    let mut made = Vec::with_capacity(columns * rows);
    let mut sums = vec![0_u16; plane.width];
    for down in cells(plane.height, rows) {
        let step = (down.len() / max_rows).max(1);
        sums.fill(0);
        let mut lines = 0;
        // A cell reads fewer than 2 * `ROWS_READ` rows, so a sum of bytes fits in 16 bits.
        for y in down.step_by(step) {
            let line = plane.samples.get(y * plane.stride..).unwrap_or_default();
            sums.iter_mut().zip(line).for_each(|(sum, &sample)| *sum += u16::from(sample));
            lines += 1;
        }
        let share = |columns: usize| 1.0 / (lines * columns) as f32;
        match plane.width {
            // Common cell widths, unrolled.
            width if width == 3 * columns => even::<3>(&sums, share(3), &mut made),
            width if width == 12 * columns => even::<12>(&sums, share(12), &mut made),
            width if width == 24 * columns => even::<24>(&sums, share(24), &mut made),
            _ => made.extend(across.iter().map(|cell| mean(sums.get(cell.clone()).unwrap_or_default(), share(cell.len())))),
        }
    }
    made
}

#[inline(always)]
fn even<const COLUMNS: usize>(sums: &[u16], share: f32, made: &mut Vec<u8>) {
    made.extend(sums.as_chunks::<COLUMNS>().0.iter().map(|cell| mean(cell, share)));
}

/// The mean of a cell from the sums of its columns. `share` is the weight of one sample.
#[inline(always)]
fn mean(columns: &[u16], share: f32) -> u8 {
    let sum: u32 = columns.iter().map(|&sum| u32::from(sum)).sum();
    (sum as f32 * share + 0.5) as u8
}

/// Factors in 1/256 from luma and colour differences to red, green and blue (ITU-R BT.709-6, 3.2
/// and 3.4, solved for red, green and blue).
struct Colors {
    black: i32,
    luma: i32,
    red: i32,
    green: (i32, i32),
    blue: i32,
}

impl Colors {
    fn of(coding: ColorCoding) -> Self {
        let ColorCoding { red, blue, full, .. } = coding;
        let (luma, difference) = if full { (256.0, 256.0) } else { (256.0 * 255.0 / 219.0, 256.0 * 255.0 / 224.0) };
        let (of_red, of_blue, green) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue), 1.0 - red - blue);
        let factor = |value: f64| value.round() as i32;
        Colors {
            black: if full { 0 } else { 16 },
            luma: factor(luma),
            red: factor(difference * of_red),
            green: (factor(difference * of_blue * blue / green), factor(difference * of_red * red / green)),
            blue: factor(difference * of_blue),
        }
    }
}

/// The chroma contribution to red, green and blue in 1/256, one entry for each column of pixels.
#[derive(Default)]
struct Chroma {
    red: Vec<i32>,
    green: Vec<i32>,
    blue: Vec<i32>,
}

impl Chroma {
    /// Computes the contribution of a row of chroma cells, each of which covers `columns` pixels.
    #[inline(always)]
    fn set(&mut self, colors: &Colors, u: &[u8], v: &[u8], columns: usize) {
        let Chroma { red, green, blue } = self;
        [&mut *red, green, blue].into_iter().for_each(Vec::clear);
        for (&u, &v) in u.iter().zip(v) {
            let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
            red.extend(std::iter::repeat_n(colors.red * v, columns));
            green.extend(std::iter::repeat_n(-colors.green.0 * u - colors.green.1 * v, columns));
            blue.extend(std::iter::repeat_n(colors.blue * u, columns));
        }
    }
}

/// Rounds a value in 1/256 to a byte.
#[inline(always)]
fn to_byte(value: i32) -> u8 {
    ((value + 128) >> 8).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::av::{Area, Canvas};
    use crate::model::{Rgb, Timestamp};

    /// A picture of 640 x 352 pixels: white on the left, black at the top right, grey at the bottom
    /// right.
    fn pattern() -> Picture {
        let mut canvas = Canvas::new((640, 352));
        let area = |left, top, width, height| Area { left, top, width, height };
        canvas.fill(canvas.area(), Rgb(0, 0, 0)).unwrap();
        canvas.fill(area(0, 0, 320, 352), Rgb(255, 255, 255)).unwrap();
        canvas.fill(area(320, 176, 320, 176), Rgb(128, 128, 128)).unwrap();
        Picture::new(Timestamp::ZERO, canvas.take())
    }

    #[test]
    fn cells_are_means_and_keep_their_places() {
        let image = downscale(&pattern(), (80, 44)).unwrap();
        assert_eq!((image.width, image.height), (80, 44));
        for (x, y, level) in [(0, 0, 255), (39, 43, 255), (40, 0, 0), (79, 21, 0), (40, 22, 128), (79, 43, 128)] {
            assert!(image.pixel(x, y).iter().all(|value| value.abs_diff(level) <= 1), "{x} {y}: {:?}", image.pixel(x, y));
        }
        // Cells across an edge are in between: of seven columns, the fourth is half white.
        let image = downscale(&pattern(), (7, 4)).unwrap();
        assert!(image.pixel(3, 0)[0].abs_diff(128) <= 2, "{:?}", image.pixel(3, 0));
    }

    #[test]
    fn colours_are_as_bt_601_has_them() {
        let colors = Colors::of(ColorCoding::BT601);
        let rgb = |y, u, v| {
            let mut chroma = Chroma::default();
            chroma.set(&colors, &[u], &[v], 2);
            let y = colors.luma * (y - colors.black);
            [chroma.red[1], chroma.green[1], chroma.blue[1]].map(|of| to_byte(y + of))
        };
        assert_eq!((rgb(16, 128, 128), rgb(235, 128, 128)), ([0; 3], [255; 3]));
        let near = |made: [u8; 3], wanted: [u8; 3]| made.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 2);
        assert!(near(rgb(81, 90, 240), [255, 0, 0]) && near(rgb(145, 54, 34), [0, 255, 0]) && near(rgb(41, 240, 110), [0, 0, 255]));
    }

    #[test]
    fn uneven_cells_are_refused() {
        assert!(downscale(&pattern(), (427, 235)).is_none());
        assert!(downscale(&pattern(), (320, 176)).is_some());
        assert!(downscale(&pattern(), (0, 0)).is_none());
    }
}
