use crate::av::{Deinterlacer, Effort, Picture, VideoReader};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, FrameRate, Media, Timestamp};

/// A frame counts as due this long before its time, because containers round to a millisecond.
const ROUNDING_SECS: f64 = 0.000_5;

/// Frame rate conversion: for each frame of the clip, selects the source frame on screen at that
/// moment. The source's frame rate may be variable.
pub(super) struct FrameRateConverter {
    pictures: Deinterlacer,
    start: Timestamp,
    rate: FrameRate,
    current: Picture,
    next: Option<Picture>,
    /// The duration in seconds at the clip's end for which the source had no more frames.
    pub(super) missing_secs: f64,
}

impl FrameRateConverter {
    pub(super) fn open(cx: &Context, plan: &ClipPlan, media: &Media, threads: usize) -> Result<Self> {
        let start = plan.span.start();
        let mut reader = VideoReader::open(cx, media, Effort::Exact, threads)?;
        reader.seek(start)?;
        let mut pictures = Deinterlacer::new(cx, reader, threads);
        // If the picture starts after the clip (audio often leads by a moment), its first frame is
        // shown from the start.
        let Some(current) = pictures.next()? else {
            return Err(Error::new(ErrorKind::Decode, "the video has no frame in this span").with_path(&media.path).with_time(start));
        };
        let next = pictures.next()?;
        Ok(FrameRateConverter { pictures, start, rate: plan.output.frame_rate, current, next, missing_secs: 0.0 })
    }

    /// Returns the source frame for the clip's frame `n`.
    pub(super) fn at(&mut self, n: u64) -> Result<&Picture> {
        let due = self.rate.frame_start(n).offset(self.start).plus(ROUNDING_SECS);
        while self.next.as_ref().is_some_and(|next| next.at() <= due) {
            let after = self.pictures.next()?;
            if let Some(next) = std::mem::replace(&mut self.next, after) {
                self.current = next;
            }
        }
        if self.next.is_none() {
            self.missing_secs = due.since(self.current.at()).secs();
        }
        Ok(&self.current)
    }
}
