use ff::ffi;
use ff::software::scaling::{Context as Scaler, Flags};
use ffmpeg_next as ff;

use super::probe::descriptor;
use super::resample::Plane;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;

/// A decoded frame and its time on the source's timeline.
pub(crate) struct Picture {
    at: Timestamp,
    frame: ff::frame::Video,
}

/// An 8-bit RGB picture: rows from top to bottom, three bytes per pixel, no padding.
pub(crate) struct RgbImage {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
}

/// The luma of a picture: bytes that are levels from 0 (black) to 255 after `level`.
#[derive(Clone, Copy)]
pub(crate) struct Luma<'a> {
    pub(crate) plane: Plane<'a>,
    /// The byte that is black, and the levels per step of a byte.
    black: f32,
    gain: f32,
}

impl<'a> Luma<'a> {
    /// Luma of the full range, of rows without padding.
    pub(crate) fn full_range(samples: &'a [u8], (width, height): (usize, usize)) -> Self {
        Luma { plane: Plane { samples, stride: width, width, height }, black: 0.0, gain: 1.0 }
    }

    /// The level of a byte, or of a value between bytes.
    pub(crate) fn level(&self, value: f32) -> f32 {
        ((value - self.black) * self.gain).clamp(0.0, 255.0)
    }
}

/// How a frame's samples encode colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ColorCoding {
    /// The coefficients of red and blue in luma.
    pub(super) red: f64,
    pub(super) blue: f64,
    /// Whether the range is full (0 to 255) instead of limited (16 to 235).
    pub(super) full: bool,
    /// swscale's number for the matrix.
    table: i32,
}

impl ColorCoding {
    /// ITU-R BT.601-7, 2.5.1; BT.709-6, 3.2; BT.2020-2, table 4.
    pub(super) const BT601: ColorCoding = ColorCoding { red: 0.299, blue: 0.114, full: false, table: ffi::SWS_CS_ITU601 };
    const BT709: ColorCoding = ColorCoding { red: 0.2126, blue: 0.0722, table: ffi::SWS_CS_ITU709, ..ColorCoding::BT601 };
    const BT2020: ColorCoding = ColorCoding { red: 0.2627, blue: 0.0593, table: ffi::SWS_CS_BT2020, ..ColorCoding::BT601 };
    /// Pictures without a matrix are BT.709 from this height in pixels on, as players assume.
    const HIGH_DEFINITION: u32 = 720;

    /// Sets the input colour space of a scaler that converts to RGB; swscale assumes BT.601
    /// otherwise. Fails silently for formats without a matrix (RGB, grey).
    pub(super) fn configure(self, scaler: &mut Scaler) {
        // SAFETY: the context is alive; the table is static.
        unsafe {
            let table = ffi::sws_getCoefficients(self.table);
            ffi::sws_setColorspaceDetails(scaler.as_mut_ptr(), table, i32::from(self.full), table, 1, 0, 1 << 16, 1 << 16);
        }
    }
}

impl Picture {
    pub(crate) fn new(at: Timestamp, frame: ff::frame::Video) -> Self {
        Picture { at, frame }
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn frame(&self) -> &ff::frame::Video {
        &self.frame
    }

    pub(crate) fn into_frame(self) -> ff::frame::Video {
        self.frame
    }

    pub(crate) fn width(&self) -> u32 {
        self.frame.width()
    }

    pub(crate) fn height(&self) -> u32 {
        self.frame.height()
    }

    /// A pixel's width divided by its height, as the frame states it.
    pub(super) fn pixel_aspect(&self) -> Option<f64> {
        // SAFETY: reading a field of a frame we own.
        let ratio = unsafe { (*self.frame.as_ptr()).sample_aspect_ratio };
        let aspect = f64::from(ratio.num) / f64::from(ratio.den);
        // Ratios beyond 8:1 are errors in the file.
        (ratio.num > 0 && ratio.den > 0 && (0.125..=8.0).contains(&aspect)).then_some(aspect)
    }

    /// FFmpeg's number for the pixel format (`AVPixelFormat`).
    pub(crate) fn format(&self) -> i32 {
        // SAFETY: reading a field of a frame we own.
        unsafe { (*self.frame.as_ptr()).format }
    }

    /// The colour coding of the frame; unspecified properties get the values that players assume.
    pub(super) fn coding(&self) -> ColorCoding {
        use ff::color::{Range, Space};
        use ff::format::Pixel::{YUVJ420P, YUVJ422P, YUVJ440P, YUVJ444P};
        let matrix = match self.frame.color_space() {
            Space::BT709 => ColorCoding::BT709,
            Space::BT2020NCL | Space::BT2020CL => ColorCoding::BT2020,
            Space::Unspecified if self.height() >= ColorCoding::HIGH_DEFINITION => ColorCoding::BT709,
            _ => ColorCoding::BT601,
        };
        let full = self.frame.color_range() == Range::JPEG || matches!(self.frame.format(), YUVJ420P | YUVJ422P | YUVJ440P | YUVJ444P);
        ColorCoding { full, ..matrix }
    }

    /// The steps in pixels, across and down, at which a window may start: 2 where chroma is
    /// subsampled, else 1.
    pub(crate) fn grid(&self) -> (u32, u32) {
        // SAFETY: the descriptor is an entry of a static table.
        descriptor(self.format()).map_or((1, 1), |entry| unsafe { (1 << (*entry).log2_chroma_w, 1 << (*entry).log2_chroma_h) })
    }

    /// Whether the frame consists of two fields of different moments.
    pub(super) fn is_interlaced(&self) -> bool {
        self.frame.is_interlaced()
    }

    /// Whether the format has transparency.
    pub(crate) fn has_alpha(&self) -> bool {
        // SAFETY: the descriptor is an entry of a static table.
        let flags = descriptor(self.format()).map_or(0, |entry| unsafe { (*entry).flags });
        flags & ffi::AV_PIX_FMT_FLAG_ALPHA as u64 != 0
    }

    /// Whether the format is planar 8-bit YUV, so that [`Picture::plane`] can read it.
    pub(crate) fn is_planar(&self) -> bool {
        use ff::format::Pixel::{YUV420P, YUV422P, YUV444P};
        matches!(self.frame.format(), YUV420P | YUV422P | YUV444P)
    }

    /// The samples of plane 0 (luma), 1 (Cb) or 2 (Cr) of a [planar](Picture::is_planar) picture.
    pub(super) fn plane(&self, plane: usize) -> Option<Plane<'_>> {
        if plane > 2 || !self.is_planar() {
            return None;
        }
        let (columns, rows) = if plane == 0 { (1, 1) } else { self.grid() };
        let (width, height) = (self.width().div_ceil(columns) as usize, self.height().div_ceil(rows) as usize);
        // SAFETY: reading fields of a frame we own.
        let (first, stride) = unsafe { ((*self.frame.as_ptr()).data[plane], (*self.frame.as_ptr()).linesize[plane]) };
        // A negative stride means rows from the bottom up; decoders of these formats never return
        // that.
        let stride = usize::try_from(stride).ok().filter(|stride| *stride >= width)?;
        if first.is_null() || height == 0 {
            return None;
        }
        // SAFETY: the frame holds `height` rows of `width` bytes, `stride` bytes apart, for as long
        // as it is borrowed.
        let samples = unsafe { std::slice::from_raw_parts(first, stride * (height - 1) + width) };
        Some(Plane { samples, stride, width, height })
    }

    /// The luma of a [planar](Picture::is_planar) picture.
    pub(crate) fn luma(&self) -> Option<Luma<'_>> {
        let (black, gain) = if self.coding().full { (0.0, 1.0) } else { (16.0, 255.0 / 219.0) };
        Some(Luma { plane: self.plane(0)?, black, gain })
    }

    /// A window of this picture that shares its memory. All arguments are in pixels; `x` and `y`
    /// must be multiples of the [`grid`](Picture::grid).
    ///
    /// Fails with [`ErrorKind::InvalidPlan`] if the window is empty or leaves the picture.
    pub(crate) fn window(&self, x: u32, y: u32, width: u32, height: u32) -> Result<Picture> {
        let inside =
            x.checked_add(width).is_some_and(|end| end <= self.width()) && y.checked_add(height).is_some_and(|end| end <= self.height());
        if !inside || width == 0 || height == 0 {
            return Err(Error::new(ErrorKind::InvalidPlan, "the crop window is empty or leaves the picture"));
        }
        let mut frame = ff::frame::Video::empty();
        // SAFETY: `frame` is ours and empty; a reference to the picture's buffers keeps them alive;
        // the window was checked to lie inside the picture.
        unsafe {
            let target = frame.as_mut_ptr();
            super::check(ffi::av_frame_ref(target, self.frame.as_ptr()))
                .map_err(|code| super::ff_error(ErrorKind::Decode, "share a frame", code))?;
            (*target).crop_left = x as usize;
            (*target).crop_top = y as usize;
            (*target).crop_right = (self.width() - x - width) as usize;
            (*target).crop_bottom = (self.height() - y - height) as usize;
            super::check(ffi::av_frame_apply_cropping(target, ffi::AV_FRAME_CROP_UNALIGNED as i32))
                .map_err(|code| super::ff_error(ErrorKind::Decode, "crop a frame", code))?;
        }
        Ok(Picture { at: self.at, frame })
    }
}

impl RgbImage {
    /// Converts a frame of the output (BT.709, limited range) at its own size.
    pub(crate) fn of_output(frame: &ff::frame::Video) -> Result<Self> {
        let failure = |code| super::ff_error(ErrorKind::Encode, "convert a frame", code);
        let (format, rgb) = (frame.format(), ff::format::Pixel::RGB24);
        let (width, height) = (frame.width(), frame.height());
        let flags = Flags::BICUBIC | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
        let mut scaler = Scaler::get(format, width, height, rgb, width, height, flags).map_err(failure)?;
        ColorCoding::BT709.configure(&mut scaler);
        let mut converted = ff::frame::Video::empty();
        scaler.run(frame, &mut converted).map_err(failure)?;
        Ok(RgbImage::of_rgb24(&converted))
    }

    /// Copies a frame in RGB24, whose rows may be padded.
    pub(super) fn of_rgb24(frame: &ff::frame::Video) -> Self {
        let (width, height) = (frame.width(), frame.height());
        let row = 3 * width as usize;
        let mut pixels = Vec::with_capacity(row * height as usize);
        for line in frame.data(0).chunks(frame.stride(0).max(1)).take(height as usize) {
            pixels.extend_from_slice(line.get(..row).unwrap_or(line));
        }
        RgbImage { width, height, pixels }
    }
}
