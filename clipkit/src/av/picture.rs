use ff::ffi;
use ff::software::scaling::{Context as Scaler, Flags};
use ffmpeg_next as ff;

use super::probe::descriptor;
use super::resample::Plane;
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

/// How a frame's numbers mean colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Coding {
    /// The parts of red and blue in brightness.
    pub(super) red: f64,
    pub(super) blue: f64,
    /// Whether black and white are 0 and 255, not 16 and 235.
    pub(super) full: bool,
    /// swscale's number of the matrix.
    table: i32,
}

impl Coding {
    /// ITU-R BT.601-7, 2.5.1; BT.709-6, 3.2; BT.2020-2, table 4.
    pub(super) const BT601: Coding = Coding { red: 0.299, blue: 0.114, full: false, table: ffi::SWS_CS_ITU601 };
    const BT709: Coding = Coding { red: 0.2126, blue: 0.0722, table: ffi::SWS_CS_ITU709, ..Coding::BT601 };
    const BT2020: Coding = Coding { red: 0.2627, blue: 0.0593, table: ffi::SWS_CS_BT2020, ..Coding::BT601 };
    /// What is this high and does not say is in high definition, so BT.709, as players take it.
    const HIGH_DEFINITION: u32 = 720;

    /// Tells a scaler to RGB, which takes everything for BT.601 unless told. Where it cannot be told (RGB, grey), there is no matrix.
    pub(super) fn tell(self, scaler: &mut Scaler) {
        // SAFETY: the context is alive; the table lives for ever.
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

    /// FFmpeg's number of the pixel format.
    pub(crate) fn format(&self) -> i32 {
        // SAFETY: reading a field of a frame we own.
        unsafe { (*self.frame.as_ptr()).format }
    }

    /// How its numbers mean colours, as far as it says.
    pub(super) fn coding(&self) -> Coding {
        use ff::color::{Range, Space};
        use ff::format::Pixel::{YUVJ420P, YUVJ422P, YUVJ440P, YUVJ444P};
        let matrix = match self.frame.color_space() {
            Space::BT709 => Coding::BT709,
            Space::BT2020NCL | Space::BT2020CL => Coding::BT2020,
            Space::Unspecified if self.height() >= Coding::HIGH_DEFINITION => Coding::BT709,
            _ => Coding::BT601,
        };
        let full = self.frame.color_range() == Range::JPEG || matches!(self.frame.format(), YUVJ420P | YUVJ422P | YUVJ440P | YUVJ444P);
        Coding { full, ..matrix }
    }

    /// Columns and rows to which a window can be moved: where colour is stored for pairs of pixels, every second.
    pub(crate) fn grid(&self) -> (u32, u32) {
        // SAFETY: the description is a static table's entry.
        descriptor(self.format()).map_or((1, 1), |entry| unsafe { (1 << (*entry).log2_chroma_w, 1 << (*entry).log2_chroma_h) })
    }

    /// Whether its odd and even rows were taken at different moments.
    pub(super) fn is_interlaced(&self) -> bool {
        self.frame.is_interlaced()
    }

    /// Whether every plane is of bytes, one for each of brightness and the two colours, so that [`Picture::plane`] can read it.
    pub(crate) fn is_planar(&self) -> bool {
        use ff::format::Pixel::{YUV420P, YUV422P, YUV444P};
        matches!(self.frame.format(), YUV420P | YUV422P | YUV444P)
    }

    /// The bytes of brightness (0) or of a colour (1, 2) of a [planar](Picture::is_planar) picture.
    pub(super) fn plane(&self, plane: usize) -> Option<Plane<'_>> {
        if plane > 2 || !self.is_planar() {
            return None;
        }
        let (columns, rows) = if plane == 0 { (1, 1) } else { self.grid() };
        let (width, height) = (self.width().div_ceil(columns) as usize, self.height().div_ceil(rows) as usize);
        // SAFETY: reading fields of a frame we own.
        let (first, stride) = unsafe { ((*self.frame.as_ptr()).data[plane], (*self.frame.as_ptr()).linesize[plane]) };
        // Rows from the bottom up have a negative stride; no decoder of such formats makes them.
        let stride = usize::try_from(stride).ok().filter(|stride| *stride >= width)?;
        if first.is_null() || height == 0 {
            return None;
        }
        // SAFETY: the frame holds `height` rows of `width` bytes, `stride` apart, for as long as it is borrowed.
        let samples = unsafe { std::slice::from_raw_parts(first, stride * (height - 1) + width) };
        Some(Plane { samples, stride, width, height })
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
}

impl RgbImage {
    /// A frame of the output, in its colours (BT.709, 16 to 235) and size.
    pub(crate) fn of_output(frame: &ff::frame::Video) -> Result<Self> {
        let refuse = |code| super::fail(ErrorKind::Encode, "convert a frame", code);
        let (format, rgb) = (frame.format(), ff::format::Pixel::RGB24);
        let (width, height) = (frame.width(), frame.height());
        let flags = Flags::BICUBIC | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
        let mut scaler = Scaler::get(format, width, height, rgb, width, height, flags).map_err(refuse)?;
        Coding::BT709.tell(&mut scaler);
        let mut converted = ff::frame::Video::empty();
        scaler.run(frame, &mut converted).map_err(refuse)?;
        Ok(RgbImage::of_rgb24(&converted))
    }

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
