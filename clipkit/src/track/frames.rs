//! The pictures of a video, for whoever looks at them with means of their own.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::av::{Effort, SpanReader, Thumbnailer};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, Timestamp};

/// Which pictures [`Frames`] answers, and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FrameOptions {
    /// How many a second at most; those in between are decoded and left out. Default: every frame.
    pub per_second: Option<f64>,
    /// The longer side in pixels, where that is less than the video's. Default: as large as the video. Smaller is faster, and most face
    /// detectors look at 320 or 640.
    pub longest: Option<u32>,
}

/// A picture as a viewer sees it: upright, with square pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it shows, on the source's timeline.
    pub at: Timestamp,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green and blue of each pixel, 0 to 255, row by row from the top left, without padding: `3 * width * height` bytes.
    pub pixels: Vec<u8>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("at", &self.at).field("width", &self.width).field("height", &self.height).finish_non_exhaustive()
    }
}

/// The pictures that show during a span, in order: what a [`FaceTracker`](crate::stage::FaceTracker) of yours looks at.
///
/// It blocks and decodes on the thread that asks, so call it where that is welcome ([`tokio::task::spawn_blocking`], say). Boxes that you find
/// become fractions of the picture when you divide by its width and height.
///
/// ```no_run
/// # use clipkit::prelude::*;
/// # async fn find(media: Media, span: Span) -> Result<()> {
/// let cx = Context::new();
/// let options = FrameOptions { per_second: Some(5.0), longest: Some(640) };
/// for frame in Frames::open(&cx, &media, span, options)? {
///     let frame = frame?;
///     println!("{}: {} x {}", frame.at, frame.width, frame.height);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Frames {
    cx: Context,
    showing: SpanReader,
    small: Thumbnailer,
    span: Span,
    /// The time between two pictures, in seconds; 0 for all.
    step: f64,
    /// When the next picture is due; none before the first.
    due: Option<Timestamp>,
    ended: bool,
}

impl Frames {
    /// Opens the picture of `media` at the start of `span`. The first picture is the one on screen then, even if it came up earlier.
    ///
    /// `ErrorKind::InvalidInput` where there is no picture, `Config` for a rate or size of nothing. Cancelling `cx` ends it.
    pub fn open(cx: &Context, media: &Media, span: Span, options: FrameOptions) -> Result<Self> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        let step = match options.per_second {
            None => 0.0,
            Some(rate) if rate > 0.0 && rate.is_finite() => 1.0 / rate,
            Some(rate) => return refuse(format!("{rate} pictures a second are asked for: ask for more than 0")),
        };
        if options.longest == Some(0) {
            return refuse("pictures of 0 pixels are asked for: ask for at least 1".into());
        }
        let small = Thumbnailer::new(media.require_video()?, options.longest.unwrap_or(u32::MAX));
        let showing = SpanReader::open(cx, media, span, Effort::Exact, cx.threads())?;
        Ok(Frames { cx: cx.clone(), showing, small, span, step, due: None, ended: false })
    }

    fn answer(&mut self) -> Result<Option<Frame>> {
        self.cx.check()?;
        let (at, picture) = loop {
            let Some((at, picture)) = self.showing.next()? else { return Ok(None) };
            if self.due.is_none_or(|due| at >= due) {
                break (at, picture);
            }
        };
        // From the picture due, not from the one shown, so that the rate is kept.
        let from = self.due.unwrap_or(at);
        let skipped = if self.step > 0.0 { (at.since(from).secs() / self.step + 1e-6).floor() + 1.0 } else { 0.0 };
        self.due = Some(if self.step > 0.0 { from.plus(skipped * self.step) } else { at });
        let image = self.small.image(&picture)?;
        Ok(Some(Frame { at, width: image.width, height: image.height, pixels: image.pixels }))
    }
}

impl Iterator for Frames {
    type Item = Result<Frame>;

    /// The next picture; an error ends the pictures.
    fn next(&mut self) -> Option<Result<Frame>> {
        if self.ended {
            return None;
        }
        let answer = self.answer().transpose();
        self.ended = !matches!(answer, Some(Ok(_)));
        answer
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("span", &self.span).finish_non_exhaustive()
    }
}
