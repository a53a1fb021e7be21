//! A picture with transparency in the output's format, and its blending into frames.

use std::ops::Range;

use image::RgbaImage;
use image::imageops::{FilterType, resize};

use crate::av::{VideoFrame, bt709};

/// The gain that draws a sprite as opaque as it is.
pub(super) const FULL_GAIN: u32 = 256;
/// The value of an opaque sample times the full gain.
const UNIT: u32 = 255 * FULL_GAIN;

/// A picture with transparency: 8-bit 4:2:0, BT.709, limited range.
///
/// Colours are multiplied by their alpha (Porter and Duff, "Compositing digital images", 1984)
/// before they are scaled and before chroma is averaged, so that the colours of transparent pixels
/// do not bleed into visible ones.
pub(super) struct Sprite([Samples; 3]);

/// One plane of a sprite.
struct Samples {
    width: usize,
    /// The samples times their alpha, at most 255 x 255.
    colors: Vec<u16>,
    alphas: Vec<u8>,
    /// The columns of each row that are not transparent.
    visible: Vec<Range<usize>>,
}

impl Sprite {
    /// Scales a picture to even numbers of columns and rows, and converts it.
    pub(super) fn of(mut picture: RgbaImage, (width, height): (u32, u32)) -> Self {
        for pixel in picture.pixels_mut() {
            let alpha = u32::from(pixel[3]);
            for color in &mut pixel.0[..3] {
                *color = ((u32::from(*color) * alpha + 127) / 255) as u8;
            }
        }
        let scaled =
            if picture.dimensions() == (width, height) { picture } else { resize(&picture, width, height, FilterType::CatmullRom) };
        let (columns, rows) = (width as usize, height as usize);
        // Y, Cb, Cr and alpha of each pixel, the colours times alpha.
        let pixels: Vec<[f64; 4]> = scaled.pixels().map(|pixel| premultiplied(pixel.0)).collect();
        let luma: Vec<(f64, f64)> = pixels.iter().map(|pixel| (pixel[0], pixel[3])).collect();
        let chroma = |part: usize| {
            let average = |x: usize, y: usize| {
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(right, down)| pixels[(2 * y + down) * columns + 2 * x + right]);
                (four.iter().map(|pixel| pixel[part]).sum::<f64>() / 4.0, four.iter().map(|pixel| pixel[3]).sum::<f64>() / 4.0)
            };
            let samples: Vec<(f64, f64)> =
                (0..rows / 2).flat_map(|y| (0..columns / 2).map(move |x| (x, y))).map(|(x, y)| average(x, y)).collect();
            Samples::of(columns / 2, &samples)
        };
        Sprite([Samples::of(columns, &luma), chroma(1), chroma(2)])
    }

    /// Draws the sprite with its top left corner at an even pixel. What lies outside the frame is
    /// not drawn.
    pub(super) fn blend(&self, frame: &mut VideoFrame, (left, top): (u32, u32), gain: u32) {
        for (plane, samples) in self.0.iter().enumerate() {
            let (left, top) = of_plane(plane, (left, top));
            let stride = frame.stride(plane);
            let data = frame.data_mut(plane);
            for (y, visible) in samples.visible.iter().enumerate() {
                let (from, to) = (y * samples.width + visible.start, y * samples.width + visible.end);
                let start = (top + y) * stride + left + visible.start;
                let (Some(row), Some(colors), Some(alphas)) =
                    (data.get_mut(start..start + visible.len()), samples.colors.get(from..to), samples.alphas.get(from..to))
                else {
                    continue;
                };
                blend_row(row, colors, alphas, gain);
            }
        }
    }
}

impl Samples {
    /// `samples` are values times alpha, and alphas, both from 0 to 255 times 0 to 1.
    fn of(width: usize, samples: &[(f64, f64)]) -> Self {
        let alphas: Vec<u8> = samples.iter().map(|(_, alpha)| (255.0 * alpha).round() as u8).collect();
        // Filters that sharpen may exceed the range.
        let stored = |(value, _): &(f64, f64), alpha: &u8| (255.0 * value).round().clamp(0.0, 255.0 * f64::from(*alpha)) as u16;
        let colors = samples.iter().zip(&alphas).map(|(sample, alpha)| stored(sample, alpha)).collect();
        let visible = alphas.chunks(width.max(1)).map(|row| {
            let first = row.iter().position(|alpha| *alpha > 0).unwrap_or(0);
            first..row.iter().rposition(|alpha| *alpha > 0).map_or(first, |last| last + 1)
        });
        Samples { width, visible: visible.collect(), colors, alphas }
    }
}

/// A position of the frame in a plane: chroma planes have half the columns and rows.
pub(super) fn of_plane(plane: usize, (left, top): (u32, u32)) -> (usize, usize) {
    let half = if plane == 0 { 1 } else { 2 };
    ((left / half) as usize, (top / half) as usize)
}

/// Y, Cb, Cr times alpha, and alpha, of a pixel whose colours are multiplied by alpha.
pub(super) fn premultiplied([red, green, blue, alpha]: [u8; 4]) -> [f64; 4] {
    let [red, green, blue, alpha] = [red, green, blue, alpha].map(|part| f64::from(part) / 255.0);
    let [luma, cb, cr] = bt709([red, green, blue]);
    [16.0 * alpha + luma, 128.0 * alpha + cb, 128.0 * alpha + cr, alpha]
}

/// Puts samples over a row. `colors` are multiplied by `alphas`; `gain` is at most [`FULL_GAIN`].
pub(super) fn blend_row(row: &mut [u8], colors: &[u16], alphas: &[u8], gain: u32) {
    for ((sample, color), alpha) in row.iter_mut().zip(colors).zip(alphas) {
        let under = UNIT - u32::from(*alpha) * gain;
        *sample = ((u32::from(*sample) * under + u32::from(*color) * gain + UNIT / 2) / UNIT) as u8;
    }
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;
    use crate::av::Canvas;
    use crate::model::Rgb;

    fn frame() -> VideoFrame {
        let mut canvas = Canvas::new((32, 16));
        canvas.fill(canvas.area(), Rgb(0, 0, 0)).unwrap();
        canvas.take()
    }

    /// The Y, Cb and Cr samples at a pixel.
    fn pixel(frame: &VideoFrame, x: usize, y: usize) -> [u8; 3] {
        [(0, 1), (1, 2), (2, 2)].map(|(plane, half)| frame.data(plane)[y / half * frame.stride(plane) + x / half])
    }

    fn plain(color: [u8; 4]) -> Sprite {
        Sprite::of(RgbaImage::from_pixel(8, 8, Rgba(color)), (8, 8))
    }

    #[test]
    fn opaque_colours_are_exact_and_half_is_half() {
        let mut frame = frame();
        plain([255, 0, 0, 255]).blend(&mut frame, (4, 2), FULL_GAIN);
        assert_eq!((pixel(&frame, 4, 2), pixel(&frame, 11, 9)), ([63, 102, 240], [63, 102, 240]));
        for (x, y) in [(3, 2), (4, 1), (12, 9), (11, 10)] {
            assert_eq!(pixel(&frame, x, y), [16, 128, 128], "{x} {y}");
        }
        plain([255, 255, 255, 255]).blend(&mut frame, (16, 2), FULL_GAIN / 2);
        assert_eq!(pixel(&frame, 16, 2), [126, 128, 128]);
        plain([255, 255, 255, 128]).blend(&mut frame, (24, 2), FULL_GAIN);
        let [luma, cb, cr] = pixel(&frame, 24, 2);
        assert!((125..=127).contains(&luma) && (cb, cr) == (128, 128), "{luma} {cb} {cr}");
    }

    #[test]
    fn transparent_colours_do_not_bleed() {
        // Opaque white beside transparent red, scaled to half its size.
        let picture = RgbaImage::from_fn(24, 24, |x, _| if x < 11 { Rgba([255, 255, 255, 255]) } else { Rgba([255, 0, 0, 0]) });
        let mut frame = frame();
        Sprite::of(picture, (12, 12)).blend(&mut frame, (4, 2), FULL_GAIN);
        for x in 4..16 {
            let [_, cb, cr] = pixel(&frame, x, 6);
            assert!(cb.abs_diff(128) <= 1 && cr.abs_diff(128) <= 1, "{x}: {cb} {cr}");
        }
        assert_eq!((pixel(&frame, 4, 6)[0], pixel(&frame, 14, 6)[0]), (235, 16));
        let edge = pixel(&frame, 9, 6)[0];
        assert!((100..160).contains(&edge), "{edge}");
    }

    #[test]
    fn what_lies_outside_the_frame_is_not_drawn() {
        let mut frame = frame();
        plain([255, 255, 255, 255]).blend(&mut frame, (8, 12), FULL_GAIN);
        assert_eq!(pixel(&frame, 8, 15), [235, 128, 128]);
    }

    proptest::proptest! {
        #[test]
        fn a_blend_lies_between_its_parts(under in 0..=255_u8, color in 0..=255_u8, alpha in 0..=255_u8, gain in 0..=FULL_GAIN) {
            let mut row = [under];
            blend_row(&mut row, &[u16::from(color) * u16::from(alpha)], &[alpha], gain);
            let exact = f64::from(under) + (f64::from(color) - f64::from(under)) * f64::from(alpha) / 255.0 * f64::from(gain) / 256.0;
            proptest::prop_assert!((f64::from(row[0]) - exact).abs() <= 0.5 + 1e-9, "{} {}", row[0], exact);
        }
    }
}
