use crate::av::{Deinterlacer, Effort, Picture, VideoReader};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, FrameRate, Media, Timeline, Timestamp};

/// A frame counts as due this long before its time, because containers round to a millisecond.
const ROUNDING_SECS: f64 = 0.000_5;

/// Frame rate conversion: for each frame of the clip, selects the source frame on screen at that
/// moment. The source's frame rate may be variable, and the clip may consist of several pieces.
pub(super) struct FrameRateConverter {
    pictures: Deinterlacer,
    timeline: Timeline,
    rate: FrameRate,
    /// The piece that plays.
    piece: usize,
    current: Picture,
    next: Option<Picture>,
    /// The longest duration in seconds, at the end of a piece, for which the source had no more
    /// frames.
    pub(super) missing_secs: f64,
}

/// A source frame to show.
pub(super) struct Shown<'a> {
    pub(super) picture: &'a Picture,
    /// The time on the clip's timeline at which the source frame starts. It lies in the piece that
    /// plays.
    pub(super) at: Timestamp,
}

impl FrameRateConverter {
    /// Opens the source of a clip, to show the frames from `first` on.
    pub(super) fn open(cx: &Context, plan: &ClipPlan, media: &Media, (threads, effort): (usize, Effort), first: u64) -> Result<Self> {
        let (timeline, rate) = (plan.timeline(), plan.output.frame_rate);
        let (piece, start) = source_of(&timeline, rate, first)?;
        let mut reader = VideoReader::open(cx, media, effort, threads)?;
        reader.seek(start)?;
        let mut pictures = Deinterlacer::new(cx, reader, threads);
        // If the picture starts after the clip (audio often leads by a moment), its first frame is
        // shown from the start.
        let Some(current) = pictures.next()? else {
            return Err(Error::new(ErrorKind::Decode, "the video has no frame in this span").with_path(&media.path).with_time(start));
        };
        let next = pictures.next()?;
        Ok(FrameRateConverter { pictures, timeline, rate, piece, current, next, missing_secs: 0.0 })
    }

    /// Returns the source frame for the clip's frame `n`. Frames must be asked for in ascending
    /// order.
    pub(super) fn at(&mut self, n: u64) -> Result<Shown<'_>> {
        let (index, time) = source_of(&self.timeline, self.rate, n)?;
        let Some(piece) = self.timeline.pieces().get(index).copied() else { return Err(no_piece()) };
        if index != self.piece {
            self.piece = index;
            self.go_to(piece.source.start())?;
        }
        let due = time.plus(ROUNDING_SECS);
        // Only the last piece may show a frame from beyond its end: a clip's last frame may start
        // with it.
        let is_last = index + 1 == self.timeline.pieces().len();
        while self.next.as_ref().is_some_and(|next| next.at() <= due && (is_last || next.at() < piece.source.end())) {
            let after = self.pictures.next()?;
            if let Some(next) = std::mem::replace(&mut self.next, after) {
                self.current = next;
            }
        }
        if self.next.is_none() {
            self.missing_secs = self.missing_secs.max(due.since(self.current.at()).secs());
        }
        // The end belongs to the next piece, and to its scene.
        let at = piece.clip_time(self.current.at()).min(piece.clip.end().offset(Timestamp::from_micros(-1)));
        Ok(Shown { picture: &self.current, at })
    }

    /// Moves to the start of a piece.
    fn go_to(&mut self, start: Timestamp) -> Result<()> {
        // The reader is ahead by the frames that it returned, so its own decision is not enough.
        let is_behind = start < self.current.at();
        if !is_behind && self.next.as_ref().is_none_or(|next| start < next.at()) {
            return Ok(());
        }
        let sought = if is_behind {
            self.pictures.seek(start)?;
            true
        } else {
            self.pictures.go_to(start)?
        };
        if sought {
            // Without a frame there, the last one stays.
            if let Some(current) = self.pictures.next()? {
                self.current = current;
            }
            self.next = self.pictures.next()?;
        }
        Ok(())
    }
}

/// The piece of the timeline that the clip's frame `n` shows, and the time in the source.
pub(super) fn source_of(timeline: &Timeline, rate: FrameRate, n: u64) -> Result<(usize, Timestamp)> {
    let time = rate.frame_start(n);
    // A frame at a join belongs to the piece that starts there, also if its time is rounded down.
    let index = timeline.index_at(time.plus(ROUNDING_SECS));
    let piece = timeline.pieces().get(index).ok_or_else(no_piece)?;
    Ok((index, piece.source_time(time)))
}

fn no_piece() -> Error {
    Error::new(ErrorKind::InvalidPlan, "the plan has no piece of the source")
}
