use crate::av::{Effort, Picture, Progressive, VideoReader};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, FrameRate, Media, Timestamp};

/// A frame counts as due this long before its time: containers round to a millisecond.
const ROUNDING_SECS: f64 = 0.000_5;

/// Shows, for each frame of the clip, the source's frame of that moment: from any frame rate, constant or not, to the clip's.
pub(super) struct FrameRateConverter {
    pictures: Progressive,
    start: Timestamp,
    rate: FrameRate,
    shown: Picture,
    upcoming: Option<Picture>,
    /// Seconds of the clip for which the source had no more frames.
    pub(super) held: f64,
}

impl FrameRateConverter {
    pub(super) fn open(cx: &Context, plan: &ClipPlan, media: &Media, threads: usize) -> Result<Self> {
        let start = plan.span.start();
        let mut reader = VideoReader::open(cx, media, Effort::Exact, threads)?;
        reader.seek(start)?;
        let mut pictures = Progressive::new(cx, reader, threads);
        // A picture that starts later than the clip (sound often leads by a moment) shows its first frame from the start.
        let Some(shown) = pictures.next()? else {
            return Err(Error::new(ErrorKind::Decode, "there is no picture in this span").with_path(&media.path).with_time(start));
        };
        let upcoming = pictures.next()?;
        Ok(FrameRateConverter { pictures, start, rate: plan.output.frame_rate, shown, upcoming, held: 0.0 })
    }

    /// What the clip's frame `n` shows.
    pub(super) fn at(&mut self, n: u64) -> Result<&Picture> {
        let due = self.rate.frame_start(n).offset(self.start).plus(ROUNDING_SECS);
        while self.upcoming.as_ref().is_some_and(|next| next.at() <= due) {
            let after = self.pictures.next()?;
            if let Some(next) = std::mem::replace(&mut self.upcoming, after) {
                self.shown = next;
            }
        }
        if self.upcoming.is_none() {
            self.held = due.since(self.shown.at()).secs();
        }
        Ok(&self.shown)
    }
}
