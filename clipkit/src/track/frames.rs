//! The decoded pictures of a video, for trackers outside of this crate.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::av::{Effort, SpanReader, Thumbnailer};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, Timestamp};

/// Which pictures [`Frames`] returns, and their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FrameOptions {
    /// The maximum number of pictures per second; those between are decoded and dropped. `None`,
    /// the default, returns every frame.
    pub per_second: Option<f64>,
    /// The longer side of the pictures in pixels; smaller videos are not enlarged. `None`, the
    /// default, keeps the video's size. Small pictures are faster to convert, and most face
    /// detectors have an input of 320 or 640 pixels.
    pub longest: Option<u32>,
}

/// A picture as displayed: upright, with square pixels.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// When it is shown, on the source's timeline.
    pub at: Timestamp,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green and blue of each pixel, 0 to 255, in row-major order from the top left, without
    /// padding: `3 * width * height` bytes.
    pub pixels: Vec<u8>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("at", &self.at).field("width", &self.width).field("height", &self.height).finish_non_exhaustive()
    }
}

/// An iterator over the pictures shown during a span, in order of time, for a
/// [`FaceTracker`](crate::stage::FaceTracker) of your own.
///
/// It blocks and decodes on the calling thread, so call it from a thread for blocking work
/// ([`tokio::task::spawn_blocking`], for example). Divide boxes in pixels by the picture's width
/// and height to get the fractions that a tracker returns.
///
/// ```no_run
/// # use clipkit::prelude::*;
/// # async fn find(media: Media, span: Span) -> Result<()> {
/// let cx = Context::new();
/// let mut options = FrameOptions::default();
/// options.per_second = Some(5.0);
/// options.longest = Some(640);
/// for frame in Frames::open(&cx, &media, span, options)? {
///     let frame = frame?;
///     println!("{}: {} x {}", frame.at, frame.width, frame.height);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Frames {
    cx: Context,
    reader: SpanReader,
    scaler: Thumbnailer,
    span: Span,
    /// The time between two pictures, in seconds; 0 returns all frames.
    step: f64,
    /// The time of the next picture; `None` before the first.
    next_due: Option<Timestamp>,
    ended: bool,
}

impl Frames {
    /// Opens the video of `media` at the start of `span`. The first picture is the one shown at the
    /// start, which may have begun before it. Cancelling `cx` ends the iteration with an error.
    ///
    /// # Errors
    ///
    /// `ErrorKind::InvalidInput` if the media has no video; `Config` if the rate or the size in
    /// `options` is not above 0.
    pub fn open(cx: &Context, media: &Media, span: Span, options: FrameOptions) -> Result<Self> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        let step = match options.per_second {
            None => 0.0,
            Some(rate) if rate > 0.0 && rate.is_finite() => 1.0 / rate,
            Some(rate) => return refuse(format!("per_second is {rate}; it must be above 0")),
        };
        if options.longest == Some(0) {
            return refuse("longest is 0; it must be at least 1".into());
        }
        let scaler = Thumbnailer::new(media.require_video()?, options.longest.unwrap_or(u32::MAX));
        let reader = SpanReader::open(cx, media, span, Effort::Exact, cx.threads())?;
        Ok(Frames { cx: cx.clone(), reader, scaler, span, step, next_due: None, ended: false })
    }

    fn read(&mut self) -> Result<Option<Frame>> {
        self.cx.check()?;
        let (at, picture) = loop {
            let Some((at, picture)) = self.reader.next()? else { return Ok(None) };
            if self.next_due.is_none_or(|next_due| at >= next_due) {
                break (at, picture);
            }
        };
        // Relative to the scheduled time, not to the frame's own, so that the average rate is
        // exact.
        let from = self.next_due.unwrap_or(at);
        let skipped = if self.step > 0.0 { (at.since(from).secs() / self.step + 1e-6).floor() + 1.0 } else { 0.0 };
        self.next_due = Some(if self.step > 0.0 { from.plus(skipped * self.step) } else { at });
        let image = self.scaler.image(&picture)?;
        Ok(Some(Frame { at, width: image.width, height: image.height, pixels: image.pixels }))
    }
}

impl Iterator for Frames {
    type Item = Result<Frame>;

    /// The next picture. After an error the iteration ends.
    fn next(&mut self) -> Option<Result<Frame>> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("span", &self.span).finish_non_exhaustive()
    }
}
