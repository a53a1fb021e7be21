//! Small pictures of frames, upright and with square pixels, for looking at rather than for showing.

use ff::format::Pixel;
use ff::software::scaling::{Context as Scaler, Flags};
use ffmpeg_next as ff;

use super::picture::{Coding, Picture, RgbImage};
use super::shrink::shrunk;
use crate::error::{ErrorKind, Result};
use crate::model::{Orientation, VideoStream};

impl RgbImage {
    /// Columns, for indexing.
    pub(crate) fn columns(&self) -> usize {
        self.width as usize
    }

    /// Rows, for indexing.
    pub(crate) fn rows(&self) -> usize {
        self.height as usize
    }

    /// A pixel; one outside is the nearest inside.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y.min(self.rows().saturating_sub(1)) * self.columns() + x.min(self.columns().saturating_sub(1)));
        match self.pixels.get(at..at + 3) {
            Some(&[r, g, b]) => [r, g, b],
            _ => [0; 3],
        }
    }

    /// The picture mirrored and turned as a viewer sees it.
    fn oriented(self, orientation: Orientation) -> RgbImage {
        if orientation == Orientation::default() {
            return self;
        }
        let (right, bottom) = (self.columns().saturating_sub(1), self.rows().saturating_sub(1));
        let (width, height) = if orientation.swaps_sides() { (self.height, self.width) } else { (self.width, self.height) };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..height as usize {
            for x in 0..width as usize {
                // Where the pixel that is shown at (x, y) was before the clockwise turn, and then before the mirroring.
                let (from_x, from_y) = match orientation.clockwise % 360 {
                    90 => (y, bottom - x),
                    180 => (right - x, bottom - y),
                    270 => (right - y, x),
                    _ => (x, y),
                };
                let from_x = if orientation.mirrored { right - from_x } else { from_x };
                pixels.extend_from_slice(&self.pixel(from_x, from_y));
            }
        }
        RgbImage { width, height, pixels }
    }
}

/// Makes [`RgbImage`]s of a stream's frames.
pub(crate) struct Thumbnailer {
    /// Before orientation.
    size: (u32, u32),
    orientation: Orientation,
    scaler: Option<(Scaler, Coding)>,
    scaled: ff::frame::Video,
}

impl Thumbnailer {
    /// Pictures whose longer side is `longest` pixels, or the source's where that is less.
    pub(crate) fn new(stream: &VideoStream, longest: u32) -> Self {
        let (width, height) = stream.display_size();
        let scale = (f64::from(longest) / f64::from(width.max(height)).max(1.0)).min(1.0);
        let side = |of: u32| ((f64::from(of) * scale).round() as u32).max(1);
        let (width, height) = (side(width), side(height));
        let size = if stream.orientation.swaps_sides() { (height, width) } else { (width, height) };
        Thumbnailer { size, orientation: stream.orientation, scaler: None, scaled: ff::frame::Video::empty() }
    }

    /// The picture of a frame.
    pub(crate) fn image(&mut self, picture: &Picture) -> Result<RgbImage> {
        if let Some(image) = shrunk(picture, self.size) {
            return Ok(image.oriented(self.orientation));
        }
        let failed = |code| super::fail(ErrorKind::Decode, "scale a frame", code);
        let frame = picture.frame();
        let (input, coding) = ((frame.format(), frame.width(), frame.height()), picture.coding());
        let (width, height) = self.size;
        // A stream may change its format midway.
        let fits = |(scaler, told): &(Scaler, Coding)| {
            (scaler.input().format, scaler.input().width, scaler.input().height) == input && *told == coding
        };
        let (scaler, _) = match self.scaler.take().filter(fits) {
            Some(scaler) => self.scaler.insert(scaler),
            None => {
                // Area averaging: a picture made a tenth as large by interpolation alone would flicker.
                let mut made = Scaler::get(input.0, input.1, input.2, Pixel::RGB24, width, height, Flags::AREA).map_err(failed)?;
                coding.tell(&mut made);
                self.scaler.insert((made, coding))
            }
        };
        scaler.run(frame, &mut self.scaled).map_err(failed)?;
        Ok(RgbImage::of_rgb24(&self.scaled).oriented(self.orientation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_mirrored_first_and_then_turned_clockwise() {
        // a b c
        // d e f
        let image = || RgbImage { width: 3, height: 2, pixels: b"abcdef".iter().flat_map(|&byte| [byte; 3]).collect() };
        let shown = |clockwise, mirrored| {
            let turned = image().oriented(Orientation { clockwise, mirrored });
            let text: String = turned.pixels.chunks(3).map(|pixel| pixel[0] as char).collect();
            (turned.width, text)
        };
        assert_eq!(shown(0, false), (3, "abcdef".to_owned()));
        assert_eq!(shown(90, false), (2, "daebfc".to_owned()));
        assert_eq!(shown(180, false), (3, "fedcba".to_owned()));
        assert_eq!(shown(270, false), (2, "cfbead".to_owned()));
        assert_eq!(shown(0, true), (3, "cbafed".to_owned()));
        assert_eq!(shown(90, true), (2, "fcebda".to_owned()));
    }

    #[test]
    fn a_frame_is_made_small_with_its_shape() {
        let stream = VideoStream {
            index: 0,
            codec: "rawvideo".into(),
            width: 720,
            height: 576,
            orientation: Orientation::default(),
            pixel_aspect: 64.0 / 45.0,
            frame_rate: crate::model::FrameRate::new(25, 1),
            variable_rate: false,
            pixel_format: "gray".into(),
            bit_depth: 8,
            color: crate::model::Color {
                primaries: "unknown".into(),
                transfer: "unknown".into(),
                matrix: "unknown".into(),
                range: "pc".into(),
                hdr: None,
            },
            start: crate::model::Timestamp::ZERO,
        };
        let mut frame = ff::frame::Video::new(Pixel::GRAY8, 720, 576);
        frame.data_mut(0).fill(200);
        let image = Thumbnailer::new(&stream, 320).image(&Picture::new(crate::model::Timestamp::ZERO, frame)).unwrap();
        assert_eq!((image.width, image.height), (320, 180));
        assert!(image.pixels.iter().all(|&value| value.abs_diff(200) < 20), "{:?}", image.pixel(3, 3));
    }
}
