//! Composition of output frames from windows of a source picture.

use ff::ffi;
use ff::format::Pixel;
use ffmpeg_next as ff;

use super::picture::Picture;
use super::resample::{Interval, Kernel, Plane, PlaneMut, Resampler};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Rect, Rgb};

/// The longer side, in samples, of the small picture that a backdrop is enlarged from. Details
/// smaller than 1/36 of the output's longer side are lost.
const BACKDROP_SIDE: f64 = 36.0;
/// Factors for the luma and the chroma of a backdrop relative to its source.
const BACKDROP_GAIN: (f64, f64) = (0.5, 0.75);

/// A rectangle of the canvas in pixels. All four numbers are even because of chroma subsampling
/// (4:2:0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Area {
    /// Converts a rectangle in fractions of a canvas of even size. Adjacent rectangles stay
    /// adjacent.
    pub(crate) fn of(rect: Rect, (width, height): (u32, u32)) -> Self {
        let edge = |part: f64, whole: u32| ((part * f64::from(whole / 2)).round().max(0.0) as u32).min(whole / 2) * 2;
        let interval = |start: f64, length: f64, whole: u32| {
            let start_at = edge(start, whole).min(whole.saturating_sub(2));
            // Even the thinnest rectangle keeps two pixels.
            (start_at, edge(start + length, whole).max(start_at + 2) - start_at)
        };
        let (left, width) = interval(rect.x, rect.width, width);
        let (top, height) = interval(rect.y, rect.height, height);
        Area { left, top, width, height }
    }

    /// The area without a margin of `by` pixels on each side. It is never empty.
    pub(crate) fn inset(self, by: u32) -> Self {
        let by = (by / 2 * 2).min((self.width.min(self.height).saturating_sub(2)) / 4 * 2);
        Area { left: self.left + by, top: self.top + by, width: self.width - 2 * by, height: self.height - 2 * by }
    }

    /// The parts of this area above, below, left and right of `inner`, which lies inside it.
    pub(crate) fn around(self, inner: Area) -> impl Iterator<Item = Area> {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let (inner_right, inner_bottom) = (inner.left + inner.width, inner.top + inner.height);
        let beside = |left: u32, right: u32| Area { left, top: inner.top, width: right.saturating_sub(left), height: inner.height };
        let across = |top: u32, bottom: u32| Area { left: self.left, top, width: self.width, height: bottom.saturating_sub(top) };
        [across(self.top, inner.top), across(inner_bottom, bottom), beside(self.left, inner.left), beside(inner_right, right)]
            .into_iter()
            .filter(|area| area.width > 0 && area.height > 0)
    }
}

/// Composes frames: 8-bit 4:2:0, BT.709, limited range (16 to 235).
pub(crate) struct Canvas {
    size: (u32, u32),
    frame: ff::frame::Video,
    /// The number of frames that were taken and not returned, and the frames that were returned.
    lent: usize,
    pool: Vec<ff::frame::Video>,
    resampler: Resampler,
}

impl Canvas {
    /// Creates a canvas of `size` (columns, rows) pixels; both must be even.
    pub(crate) fn new(size: (u32, u32)) -> Self {
        Canvas { size, frame: ff::frame::Video::empty(), lent: 0, pool: Vec::new(), resampler: Resampler::default() }
    }

    /// The whole canvas.
    pub(crate) fn area(&self) -> Area {
        Area { left: 0, top: 0, width: self.size.0, height: self.size.1 }
    }

    /// Returns the finished frame. The next drawing call starts a new frame.
    pub(crate) fn take(&mut self) -> ff::frame::Video {
        self.lent += 1;
        std::mem::replace(&mut self.frame, ff::frame::Video::empty())
    }

    /// Returns a frame to the pool, so that its memory is reused. Frames from elsewhere are
    /// dropped.
    pub(crate) fn recycle(&mut self, frame: ff::frame::Video) {
        if self.lent > 0 && frame.format() == Pixel::YUV420P && (frame.width(), frame.height()) == self.size {
            self.lent -= 1;
            self.pool.push(frame);
        }
    }

    /// Fills an area with one colour.
    pub(crate) fn fill(&mut self, area: Area, color: Rgb) -> Result<()> {
        for (plane, value) in to_ycbcr(color).into_iter().enumerate() {
            let mut part = self.plane_area(plane, area)?;
            part.rows().for_each(|row| row.fill(value));
        }
        Ok(())
    }

    /// Draws `window` of `picture`, in fractional pixels of the picture, into an area.
    ///
    /// Luma and chroma planes are divided at the same edges, as in swscale, so chroma moves with
    /// luma.
    pub(crate) fn draw(&mut self, picture: &Picture, window: Rect, area: Area) -> Result<()> {
        for plane in 0..3 {
            let (from, scale) = source_plane(picture, plane)?;
            self.resample(from, intervals(window, scale), plane, area, Kernel::Bicubic)?;
        }
        Ok(())
    }

    /// Fills the areas with a blurred and darkened copy of a window, enlarged until it covers the
    /// whole canvas. `shown` is the area in which the window itself is drawn.
    pub(crate) fn backdrop(&mut self, picture: &Picture, window: Rect, shown: Area, areas: impl Iterator<Item = Area>) -> Result<()> {
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let (across, down) = (width / f64::from(shown.width), height / f64::from(shown.height));
        let seen = (across / across.max(down), down / across.max(down));
        let part = Rect::new(
            window.x + window.width * (1.0 - seen.0) / 2.0,
            window.y + window.height * (1.0 - seen.1) / 2.0,
            window.width * seen.0,
            window.height * seen.1,
        );
        let side = |of: f64| (of * BACKDROP_SIDE / width.max(height)).round().max(2.0) as usize;
        let (columns, rows) = (side(width), side(height));
        let mut small = [vec![0; columns * rows], vec![0; columns * rows], vec![0; columns * rows]];
        for (plane, samples) in small.iter_mut().enumerate() {
            let (from, scale) = source_plane(picture, plane)?;
            let mut to = PlaneMut { samples, stride: columns, width: columns, height: rows };
            self.resampler.resample(from, intervals(part, scale), &mut to, Kernel::Triangle);
            let (zero, light) = if plane == 0 { (16.0, BACKDROP_GAIN.0) } else { (128.0, BACKDROP_GAIN.1) };
            samples.iter_mut().for_each(|sample| *sample = ((f64::from(*sample) - zero) * light + zero).round() as u8);
        }
        for area in areas {
            let interval =
                |start: u32, length: u32, scale: f64| Interval { start: f64::from(start) * scale, length: f64::from(length) * scale };
            let across = interval(area.left, area.width, columns as f64 / width);
            let down = interval(area.top, area.height, rows as f64 / height);
            for (plane, samples) in small.iter().enumerate() {
                let from = Plane { samples, stride: columns, width: columns, height: rows };
                self.resample(from, (across, down), plane, area, Kernel::BSpline)?;
            }
        }
        Ok(())
    }

    /// Calls `paint` to draw in an area, then restores the previous content of the four corners
    /// outside circles of `radius` pixels.
    pub(crate) fn rounded(&mut self, area: Area, radius: u32, paint: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let radius = (radius / 2 * 2).min(area.width.min(area.height) / 4 * 2) as usize;
        let mut before = Vec::new();
        for plane in 0..3 {
            let mut part = self.plane_area(plane, area)?;
            before.push(part.rows().map(|row| row.to_vec()).collect::<Vec<_>>());
        }
        paint(self)?;
        for (plane, before) in before.iter().enumerate() {
            let radius = if plane == 0 { radius } else { radius / 2 };
            let mut part = self.plane_area(plane, area)?;
            let (width, height) = (part.width, part.height);
            for (y, (row, before)) in part.rows().zip(before).enumerate() {
                let Some(up) = radius.checked_sub(y.min(height - 1 - y) + 1) else { continue };
                for x in (0..radius).chain(width - radius..width) {
                    let aside = radius.saturating_sub(x.min(width - 1 - x) + 1);
                    // The fraction of the pixel inside the circle, approximated by the distance of
                    // the pixel's centre from the edge.
                    let covered = (radius as f64 + 0.5 - (aside as f64 + 0.5).hypot(up as f64 + 0.5)).clamp(0.0, 1.0);
                    let mixed = f64::from(before[x]) + (f64::from(row[x]) - f64::from(before[x])) * covered;
                    row[x] = mixed.round() as u8;
                }
            }
        }
        Ok(())
    }

    fn resample(&mut self, from: Plane<'_>, window: (Interval, Interval), plane: usize, area: Area, kernel: Kernel) -> Result<()> {
        let mut resampler = std::mem::take(&mut self.resampler);
        resampler.resample(from, window, &mut self.plane_area(plane, area)?, kernel);
        self.resampler = resampler;
        Ok(())
    }

    /// The samples of an area in one plane of the current frame.
    fn plane_area(&mut self, plane: usize, area: Area) -> Result<PlaneMut<'_>> {
        if !is_writable(&mut self.frame) {
            // A returned frame may still be referenced elsewhere.
            let spare = std::iter::from_fn(|| self.pool.pop()).find_map(|mut frame| is_writable(&mut frame).then_some(frame));
            self.frame = spare.unwrap_or_else(|| ff::frame::Video::new(Pixel::YUV420P, self.size.0, self.size.1));
        }
        let half = if plane == 0 { 1 } else { 2 };
        let [left, top, width, height] = [area.left, area.top, area.width, area.height].map(|edge| (edge / half) as usize);
        let stride = self.frame.stride(plane);
        let samples = self.frame.data_mut(plane).get_mut(top * stride + left..);
        let samples = samples.ok_or_else(|| Error::new(ErrorKind::InvalidPlan, "a window lies outside the output"))?;
        Ok(PlaneMut { samples, stride, width, height })
    }
}

/// Returns whether the frame has memory that no other reference shares.
fn is_writable(frame: &mut ff::frame::Video) -> bool {
    // SAFETY: asking about a frame we own.
    unsafe { ffi::av_frame_is_writable(frame.as_mut_ptr()) > 0 }
}

impl PlaneMut<'_> {
    fn rows(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let width = self.width;
        self.samples.chunks_mut(self.stride.max(1)).take(self.height).filter_map(move |row| row.get_mut(..width))
    }
}

/// A plane of a picture, and its samples per pixel across and down.
fn source_plane(picture: &Picture, plane: usize) -> Result<(Plane<'_>, (f64, f64))> {
    let found = picture.plane(plane).ok_or_else(|| Error::new(ErrorKind::Decode, "the frame's pixel format is not planar 8-bit YUV"))?;
    let (columns, rows) = picture.grid();
    let scale = if plane == 0 { (1.0, 1.0) } else { (1.0 / f64::from(columns), 1.0 / f64::from(rows)) };
    Ok((found, scale))
}

fn intervals(window: Rect, scale: (f64, f64)) -> (Interval, Interval) {
    let across = Interval { start: window.x * scale.0, length: window.width * scale.0 };
    (across, Interval { start: window.y * scale.1, length: window.height * scale.1 })
}

/// Converts a colour to Y, Cb, Cr in BT.709 limited range (ITU-R BT.709-6, 3.2 to 3.4).
pub(super) fn to_ycbcr(Rgb(red, green, blue): Rgb) -> [u8; 3] {
    let [luma, cb, cr] = bt709([red, green, blue].map(|part| f64::from(part) / 255.0));
    [16.0 + luma, 128.0 + cb, 128.0 + cr].map(|value| value.round() as u8)
}

/// Converts red, green and blue, 0 to 1 each, to Y, Cb, Cr in BT.709 limited range, without the
/// values of black: 16, 128 and 128.
pub(crate) fn bt709([red, green, blue]: [f64; 3]) -> [f64; 3] {
    let luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    [219.0 * luma, 224.0 * (blue - luma) / 1.8556, 224.0 * (red - luma) / 1.5748]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use proptest::prelude::*;

    const WHITE: Rgb = Rgb(255, 255, 255);
    const RED: Rgb = Rgb(255, 0, 0);

    /// The Y, Cb and Cr samples at a pixel.
    fn pixel(frame: &ff::frame::Video, x: usize, y: usize) -> [u8; 3] {
        [(0, 1), (1, 2), (2, 2)].map(|(plane, half)| frame.data(plane)[y / half * frame.stride(plane) + x / half])
    }

    fn plain(size: (u32, u32), color: Rgb) -> Picture {
        let mut canvas = Canvas::new(size);
        canvas.fill(canvas.area(), color).unwrap();
        Picture::new(Timestamp::ZERO, canvas.take())
    }

    #[test]
    fn colours_are_stored_as_bt_709_says() {
        assert_eq!(to_ycbcr(WHITE), [235, 128, 128]);
        assert_eq!(to_ycbcr(Rgb(0, 0, 0)), [16, 128, 128]);
        assert_eq!(to_ycbcr(RED), [63, 102, 240]);
    }

    #[test]
    fn a_window_fills_its_area_and_nothing_else() {
        let mut canvas = Canvas::new((64, 48));
        canvas.fill(canvas.area(), WHITE).unwrap();
        let area = Area { left: 10, top: 6, width: 20, height: 14 };
        canvas.draw(&plain((30, 30), RED), Rect::new(2.3, 4.7, 11.0, 9.5), area).unwrap();
        let frame = canvas.take();
        for (x, y) in [(10, 6), (29, 19), (20, 12)] {
            assert_eq!(pixel(&frame, x, y), to_ycbcr(RED), "{x} {y}");
        }
        for (x, y) in [(9, 6), (10, 5), (30, 19), (29, 20), (0, 0), (63, 47)] {
            assert_eq!(pixel(&frame, x, y), to_ycbcr(WHITE), "{x} {y}");
        }
    }

    #[test]
    fn a_backdrop_is_darker_and_leaves_the_rest_alone() {
        let mut canvas = Canvas::new((64, 128));
        canvas.fill(canvas.area(), RED).unwrap();
        let shown = Area { left: 0, top: 40, width: 64, height: 36 };
        let free = canvas.area().around(shown);
        canvas.backdrop(&plain((64, 36), WHITE), Rect::new(0.0, 0.0, 64.0, 36.0), shown, free).unwrap();
        let frame = canvas.take();
        assert_eq!(pixel(&frame, 5, 5), [126, 128, 128]);
        assert_eq!((pixel(&frame, 63, 39), pixel(&frame, 0, 76)), ([126, 128, 128], [126, 128, 128]));
        assert_eq!((pixel(&frame, 0, 40), pixel(&frame, 63, 75)), (to_ycbcr(RED), to_ycbcr(RED)));
    }

    #[test]
    fn corners_are_round() {
        let mut canvas = Canvas::new((64, 64));
        canvas.fill(canvas.area(), WHITE).unwrap();
        let area = Area { left: 8, top: 8, width: 40, height: 40 };
        canvas.rounded(area, 12, |canvas| canvas.fill(area, RED)).unwrap();
        let frame = canvas.take();
        for (x, y) in [(8, 8), (47, 8), (8, 47), (47, 47), (7, 28)] {
            assert_eq!(pixel(&frame, x, y), to_ycbcr(WHITE), "{x} {y}");
        }
        for (x, y) in [(8, 28), (28, 8), (47, 28), (14, 14), (28, 28)] {
            assert_eq!(pixel(&frame, x, y), to_ycbcr(RED), "{x} {y}");
        }
    }

    #[test]
    fn a_frame_in_use_is_not_drawn_on() {
        let mut canvas = Canvas::new((16, 16));
        canvas.fill(canvas.area(), WHITE).unwrap();
        let frame = canvas.take();
        let mut held = ff::frame::Video::empty();
        // SAFETY: both frames are ours.
        assert!(unsafe { ffi::av_frame_ref(held.as_mut_ptr(), frame.as_ptr()) } >= 0);
        canvas.recycle(frame);
        canvas.fill(canvas.area(), RED).unwrap();
        assert_eq!((pixel(&held, 3, 3), pixel(&canvas.take(), 3, 3)), (to_ycbcr(WHITE), to_ycbcr(RED)));
    }

    proptest! {
        #[test]
        fn areas_are_even_and_inside(x in -0.1..1.1_f64, y in 0.0..1.0_f64, width in 0.0..1.2_f64, height in 0.0..1.0_f64) {
            let area = Area::of(Rect::new(x, y, width, height), (1080, 1350));
            prop_assert!([area.left, area.top, area.width, area.height].iter().all(|edge| edge.is_multiple_of(2)));
            prop_assert!(area.width > 0 && area.height > 0 && area.left + area.width <= 1080 && area.top + area.height <= 1350);
            let inner = area.inset(7);
            prop_assert!(inner.width > 0 && inner.height > 0 && inner.left.is_multiple_of(2) && inner.width.is_multiple_of(2));
            let whole = Area { left: 0, top: 0, width: 1080, height: 1350 };
            let around: u32 = whole.around(area).map(|part| part.width * part.height).sum();
            prop_assert_eq!(around + area.width * area.height, 1080 * 1350);
        }
    }

    #[test]
    fn halves_of_an_odd_number_of_pairs_touch() {
        let (top, bottom) = (Area::of(Rect::new(0.0, 0.0, 1.0, 0.5), (64, 66)), Area::of(Rect::new(0.0, 0.5, 1.0, 0.5), (64, 66)));
        assert_eq!((top.height, bottom.top, bottom.top + bottom.height), (34, 34, 66));
    }
}
