//! Small RGB pictures of frames for analysis, upright and with square pixels.

use ff::format::Pixel;
use ff::software::scaling::{Context as Scaler, Flags};
use ffmpeg_next as ff;

use super::downscale::downscale;
use super::picture::{ColorCoding, Picture, RgbImage};
use super::shape::placed;
use crate::error::{ErrorKind, Result};
use crate::model::{Orientation, Rect, VideoStream};

impl RgbImage {
    /// The width as an index type.
    pub(crate) fn columns(&self) -> usize {
        self.width as usize
    }

    /// The height as an index type.
    pub(crate) fn rows(&self) -> usize {
        self.height as usize
    }

    /// The colour of a pixel. Coordinates outside the picture are clamped to it.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y.min(self.rows().saturating_sub(1)) * self.columns() + x.min(self.columns().saturating_sub(1)));
        match self.pixels.get(at..at + 3) {
            Some(&[r, g, b]) => [r, g, b],
            _ => [0; 3],
        }
    }

    /// The picture in the middle of a black one of `size` (columns, rows), which is not smaller.
    fn in_the_middle_of(self, (width, height): (u32, u32)) -> RgbImage {
        let (left, top) = ((width.saturating_sub(self.width) / 2) as usize, (height.saturating_sub(self.height) / 2) as usize);
        let mut pixels = vec![0; 3 * width as usize * height as usize];
        let rows = pixels.chunks_exact_mut(3 * width as usize).skip(top);
        for (row, line) in rows.zip(self.pixels.chunks_exact(3 * self.columns())) {
            if let Some(place) = row.get_mut(3 * left..3 * left + line.len()) {
                place.copy_from_slice(line);
            }
        }
        RgbImage { width, height, pixels }
    }

    /// Flips and rotates the picture to the displayed orientation.
    fn oriented(self, orientation: Orientation) -> RgbImage {
        if orientation == Orientation::default() {
            return self;
        }
        let (right, bottom) = (self.columns().saturating_sub(1), self.rows().saturating_sub(1));
        let (width, height) = if orientation.swaps_sides() { (self.height, self.width) } else { (self.width, self.height) };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..height as usize {
            for x in 0..width as usize {
                // The position of the displayed pixel (x, y) before the clockwise rotation, and
                // then before the flip.
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

/// Makes small [`RgbImage`]s of a stream's frames.
pub(crate) struct Thumbnailer {
    stream: VideoStream,
    /// The size before flip and rotation.
    size: (u32, u32),
    scaler: Option<(Scaler, ColorCoding)>,
    scaled: ff::frame::Video,
}

impl Thumbnailer {
    /// Makes pictures whose longer side is `longest` pixels, or that of the source if it is
    /// smaller.
    pub(crate) fn new(stream: &VideoStream, longest: u32) -> Self {
        let (width, height) = stream.display_size();
        let scale = (f64::from(longest) / f64::from(width.max(height)).max(1.0)).min(1.0);
        let side = |of: u32| ((f64::from(of) * scale).round() as u32).max(1);
        let (width, height) = (side(width), side(height));
        let size = if stream.orientation.swaps_sides() { (height, width) } else { (width, height) };
        Thumbnailer { stream: stream.clone(), size, scaler: None, scaled: ff::frame::Video::empty() }
    }

    /// Where the frame is shown in the stream's picture.
    pub(crate) fn place(&self, picture: &Picture) -> Rect {
        placed(&self.stream, picture)
    }

    /// Converts one frame. A frame of another shape than the stream's stands in the middle of a
    /// black picture.
    pub(crate) fn image(&mut self, picture: &Picture) -> Result<RgbImage> {
        let part = self.place(picture);
        let image = if part == Rect::FULL {
            self.scale(picture, self.size)?
        } else {
            let (width, height) = self.size;
            let side = |share: f64, whole: u32| ((f64::from(whole) * share).round() as u32).clamp(1, whole);
            let inner = self.scale(picture, (side(part.width, width), side(part.height, height)))?;
            inner.in_the_middle_of(self.size)
        };
        Ok(image.oriented(self.stream.orientation))
    }

    /// Scales a frame to a size in the stored orientation.
    fn scale(&mut self, picture: &Picture, (width, height): (u32, u32)) -> Result<RgbImage> {
        if let Some(image) = downscale(picture, (width, height)) {
            return Ok(image);
        }
        let failed = |code| super::ff_error(ErrorKind::Decode, "scale a frame", code);
        let frame = picture.frame();
        let (input, coding) = ((frame.format(), frame.width(), frame.height()), picture.coding());
        // A stream may change its format midway.
        let fits = |(scaler, configured): &(Scaler, ColorCoding)| {
            (scaler.input().format, scaler.input().width, scaler.input().height) == input
                && (scaler.output().width, scaler.output().height) == (width, height)
                && *configured == coding
        };
        let (scaler, _) = match self.scaler.take().filter(fits) {
            Some(scaler) => self.scaler.insert(scaler),
            None => {
                // Area averaging: plain interpolation would alias at a scale of 1/10.
                let mut made = Scaler::get(input.0, input.1, input.2, Pixel::RGB24, width, height, Flags::AREA).map_err(failed)?;
                coding.configure(&mut made);
                self.scaled = ff::frame::Video::empty();
                self.scaler.insert((made, coding))
            }
        };
        scaler.run(frame, &mut self.scaled).map_err(failed)?;
        Ok(RgbImage::of_rgb24(&self.scaled))
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
    fn a_frame_of_another_shape_keeps_it() {
        let stream = VideoStream::new(0, "rawvideo", 640, 360, crate::model::FrameRate::new(25, 1));
        let mut thumbnailer = Thumbnailer::new(&stream, 160);
        let mut columns = |width: u32, height: u32| {
            let mut frame = ff::frame::Video::new(Pixel::GRAY8, width, height);
            frame.data_mut(0).fill(200);
            let image = thumbnailer.image(&Picture::new(crate::model::Timestamp::ZERO, frame)).unwrap();
            assert_eq!((image.width, image.height), (160, 90));
            let bright = |x: usize, y: usize| image.pixel(x, y)[0] > 100;
            ((0..160).filter(|x| bright(*x, 45)).count(), (0..90).filter(|y| bright(80, *y)).count())
        };
        assert_eq!(columns(640, 360), (160, 90));
        assert_eq!(columns(360, 640), (51, 90));
        assert_eq!(columns(1280, 360), (160, 45));
        assert_eq!(columns(1920, 1080), (160, 90));
    }

    #[test]
    fn a_thumbnail_keeps_the_display_aspect() {
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
            end: None,
            timecode: None,
        };
        let mut frame = ff::frame::Video::new(Pixel::GRAY8, 720, 576);
        frame.data_mut(0).fill(200);
        let image = Thumbnailer::new(&stream, 320).image(&Picture::new(crate::model::Timestamp::ZERO, frame)).unwrap();
        assert_eq!((image.width, image.height), (320, 180));
        assert!(image.pixels.iter().all(|&value| value.abs_diff(200) < 20), "{:?}", image.pixel(3, 3));
    }
}
