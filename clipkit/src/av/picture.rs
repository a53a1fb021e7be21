use ff::ffi;
use ffmpeg_next as ff;

use super::probe::descriptor;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;

/// A decoded frame and when it shows, on the source's timeline.
pub(crate) struct Picture {
    at: Timestamp,
    frame: ff::frame::Video,
}

/// An 8-bit picture: rows of red, green, blue, without padding.
pub(crate) struct RgbImage {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
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

    pub(crate) fn width(&self) -> u32 {
        self.frame.width()
    }

    pub(crate) fn height(&self) -> u32 {
        self.frame.height()
    }

    /// FFmpeg's number of the pixel format.
    pub(crate) fn format(&self) -> i32 {
        // SAFETY: reading a field of a frame we own.
        unsafe { (*self.frame.as_ptr()).format }
    }

    /// Columns and rows to which a window can be moved: where colour is stored for pairs of pixels, every second.
    pub(crate) fn grid(&self) -> (u32, u32) {
        // SAFETY: the description is a static table's entry.
        descriptor(self.format()).map_or((1, 1), |entry| unsafe { (1 << (*entry).log2_chroma_w, 1 << (*entry).log2_chroma_h) })
    }

    /// A window of this picture, sharing its memory: `x` and `y` on the [`grid`](Picture::grid), all in pixels.
    pub(crate) fn window(&self, x: u32, y: u32, width: u32, height: u32) -> Result<Picture> {
        let inside =
            x.checked_add(width).is_some_and(|end| end <= self.width()) && y.checked_add(height).is_some_and(|end| end <= self.height());
        if !inside || width == 0 || height == 0 {
            return Err(Error::new(ErrorKind::InvalidPlan, "the crop window leaves the picture"));
        }
        let mut frame = ff::frame::Video::empty();
        // SAFETY: `frame` is ours and empty; a reference to the picture's buffers keeps them alive; the window was checked to lie inside.
        unsafe {
            let target = frame.as_mut_ptr();
            super::check(ffi::av_frame_ref(target, self.frame.as_ptr()))
                .map_err(|code| super::fail(ErrorKind::Decode, "share a frame", code))?;
            (*target).crop_left = x as usize;
            (*target).crop_top = y as usize;
            (*target).crop_right = (self.width() - x - width) as usize;
            (*target).crop_bottom = (self.height() - y - height) as usize;
            super::check(ffi::av_frame_apply_cropping(target, ffi::AV_FRAME_CROP_UNALIGNED as i32))
                .map_err(|code| super::fail(ErrorKind::Decode, "crop a frame", code))?;
        }
        Ok(Picture { at: self.at, frame })
    }

    /// The whole picture as RGB in another size.
    pub(crate) fn to_rgb(&self, width: u32, height: u32) -> Result<RgbImage> {
        let refuse = |code| super::fail(ErrorKind::Decode, "convert a frame", code);
        let rgb = ff::format::Pixel::RGB24;
        let flags = ff::software::scaling::Flags::AREA;
        let mut scaler = ff::software::scaling::Context::get(self.frame.format(), self.width(), self.height(), rgb, width, height, flags)
            .map_err(refuse)?;
        let mut converted = ff::frame::Video::empty();
        scaler.run(&self.frame, &mut converted).map_err(refuse)?;
        Ok(RgbImage::of_rgb24(&converted))
    }
}

impl RgbImage {
    /// From a frame of the format RGB24, whose rows may be padded.
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
