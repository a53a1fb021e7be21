//! Pictures with transparency as opaque ones, and pictures that fade to black.

use ff::format::Pixel;
use ffmpeg_next as ff;

use super::canvas::to_ycbcr;
use super::{VideoFrame, bt709};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Rgb;

/// Luma and chroma of black.
const BLACK: [u8; 3] = [16, 128, 128];

/// Puts a picture with transparency (8-bit 4:4:4 with alpha, not multiplied by it) over a color.
pub(crate) fn flatten(frame: &VideoFrame, background: Rgb) -> Result<VideoFrame> {
    if frame.format() != Pixel::YUVA444P {
        return Err(Error::new(ErrorKind::Decode, "the picture has no alpha to put it over a color"));
    }
    let mut flat = allocated(frame.width(), frame.height())?;
    let width = frame.width() as usize;
    for (plane, behind) in to_ycbcr(background).into_iter().enumerate() {
        let stride = flat.stride(plane);
        let colors = frame.data(plane).chunks(frame.stride(plane).max(1));
        let alphas = frame.data(3).chunks(frame.stride(3).max(1));
        for ((row, colors), alphas) in flat.data_mut(plane).chunks_mut(stride.max(1)).zip(colors).zip(alphas) {
            for ((sample, color), alpha) in row.iter_mut().zip(colors).zip(alphas).take(width) {
                *sample = over(*color, behind, *alpha);
            }
        }
    }
    Ok(flat)
}

/// An image of four bytes a pixel (sRGB and alpha, not multiplied by it) over a color, as a picture
/// in BT.709.
pub(crate) fn flat_picture((width, height): (u32, u32), pixels: &[u8], background: Rgb) -> Result<VideoFrame> {
    let mut flat = allocated(width, height)?;
    let behind = [background.0, background.1, background.2];
    for plane in 0..3 {
        let stride = flat.stride(plane);
        let rows = pixels.chunks(width.max(1) as usize * 4);
        for (row, pixels) in flat.data_mut(plane).chunks_mut(stride.max(1)).zip(rows) {
            for (sample, pixel) in row.iter_mut().zip(pixels.chunks_exact(4)) {
                let [red, green, blue, alpha] = [pixel[0], pixel[1], pixel[2], pixel[3]];
                let color = [(red, behind[0]), (green, behind[1]), (blue, behind[2])];
                let parts = bt709(color.map(|(above, below)| f64::from(over(above, below, alpha)) / 255.0));
                *sample = (f64::from(BLACK[plane]) + parts[plane]).round() as u8;
            }
        }
    }
    Ok(flat)
}

fn over(above: u8, below: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    ((u32::from(above) * alpha + u32::from(below) * (255 - alpha) + 127) / 255) as u8
}

/// Multiplies the light of a picture in limited range that nothing else references. 0 is black, 1
/// leaves it.
pub(crate) fn dim(frame: &mut VideoFrame, level: f64) {
    if level >= 1.0 {
        return;
    }
    for (plane, black) in BLACK.into_iter().enumerate() {
        let faded: Vec<u8> =
            (0..=255_u8).map(|value| (f64::from(black) + (f64::from(value) - f64::from(black)) * level.max(0.0)).round() as u8).collect();
        for sample in frame.data_mut(plane) {
            *sample = faded.get(usize::from(*sample)).copied().unwrap_or(black);
        }
    }
}

/// An 8-bit 4:4:4 picture without content.
fn allocated(width: u32, height: u32) -> Result<VideoFrame> {
    let frame = VideoFrame::new(Pixel::YUV444P, width, height);
    // SAFETY: reading a field of a frame we own.
    if unsafe { (*frame.as_ptr()).data[2].is_null() } {
        return Err(Error::new(ErrorKind::Encode, "there is no memory for a picture"));
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(frame: &VideoFrame, x: usize, y: usize) -> [u8; 3] {
        [0, 1, 2].map(|plane| frame.data(plane)[y * frame.stride(plane) + x])
    }

    #[test]
    fn what_is_transparent_shows_the_color_behind() {
        let pixels = [[255, 0, 0, 255], [255, 0, 0, 0], [255, 255, 255, 128]].concat();
        let flat = flat_picture((3, 1), &pixels, Rgb(0, 0, 0)).unwrap();
        assert_eq!([0, 1].map(|x| pixel(&flat, x, 0)), [[63, 102, 240], [16, 128, 128]]);
        assert_eq!(pixel(&flat, 2, 0), [126, 128, 128]);
        let white = flat_picture((3, 1), &pixels, Rgb(255, 255, 255)).unwrap();
        assert_eq!([1, 2].map(|x| pixel(&white, x, 0)), [[235, 128, 128]; 2]);

        let mut frame = VideoFrame::new(Pixel::YUVA444P, 2, 2);
        for (plane, value) in [63, 102, 240].into_iter().enumerate() {
            frame.data_mut(plane).fill(value);
        }
        let stride = frame.stride(3);
        frame.data_mut(3)[..2].copy_from_slice(&[255, 128]);
        frame.data_mut(3)[stride..stride + 2].copy_from_slice(&[0, 255]);
        let flat = flatten(&frame, Rgb(0, 0, 0)).unwrap();
        assert_eq!([pixel(&flat, 0, 0), pixel(&flat, 0, 1), pixel(&flat, 1, 1)], [[63, 102, 240], BLACK, [63, 102, 240]]);
        assert_eq!(pixel(&flat, 1, 0), [40, 115, 184]);
        assert!(flatten(&flat, Rgb(0, 0, 0)).is_err());
    }

    #[test]
    fn a_picture_fades_to_black() {
        let mut frame = flat_picture((1, 1), &[255, 0, 0, 255], Rgb(0, 0, 0)).unwrap();
        dim(&mut frame, 1.0);
        assert_eq!(pixel(&frame, 0, 0), [63, 102, 240]);
        dim(&mut frame, 0.5);
        assert_eq!(pixel(&frame, 0, 0), [40, 115, 184]);
        dim(&mut frame, 0.0);
        assert_eq!(pixel(&frame, 0, 0), BLACK);
    }
}
