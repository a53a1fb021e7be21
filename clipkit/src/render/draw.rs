//! Draws the frames of the output in order: of the intro, of the clip and of the outro.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bumper::OpenBumper;
use super::ffmpeg::Files;
use super::pass::Input;
use super::pictures::Pictures;
use super::record::RenderRecord;
use crate::av::{Effort, VideoFrame};
use crate::context::Context;
use crate::error::{Error, Result};

/// The position of the cover frame as a fraction of the clip; the first frame is often a blink or a
/// blur.
const COVER_AT: f64 = 0.25;

/// Takes the frames that are drawn.
pub(super) trait FrameSink {
    /// Takes the next frame, whose pts is its number in the output.
    fn put(&mut self, frame: VideoFrame) -> Result<()>;

    /// Returns a frame that is no longer needed, so that its memory is reused.
    fn take_back(&mut self) -> Option<VideoFrame>;
}

/// How the frames of the output, or of a segment of it, are drawn.
pub(super) struct Drawing<'a> {
    pub(super) cx: &'a Context,
    pub(super) input: &'a Input<'a>,
    pub(super) files: &'a Files,
    pub(super) threads: usize,
    pub(super) effort: Effort,
    /// How many frames of the output were drawn, also by others.
    pub(super) drawn: &'a AtomicU64,
}

/// What was drawn.
pub(super) struct Drawn {
    /// The cover frame, if it was one of those drawn.
    pub(super) cover: Option<VideoFrame>,
    /// The record of the frames.
    pub(super) record: RenderRecord,
}

impl Drawing<'_> {
    /// Draws the frames `range` of the output.
    pub(super) fn draw(&self, range: &Range<u64>, sink: &mut dyn FrameSink) -> Result<Drawn> {
        let &Input { plan, media, bumpers, .. } = self.input;
        let parts = plan.parts()?;
        let (start, end) = (parts.intro_frames(), parts.intro_frames() + parts.clip_frames());
        let mut drawn = Drawn { cover: None, record: RenderRecord::default() };
        // First, so that what is wrong with the clip is known before its intro is rendered.
        let clip = overlap(range, &(start..end));
        let opened = clip.map(|frames| {
            let first = frames.start - start;
            let pictures = Pictures::of_clip(&self.context_from(first), plan, media, self.files, (self.threads, self.effort), first)?;
            Ok::<_, Error>((pictures, frames))
        });
        let opened = opened.transpose()?;
        self.bumper(bumpers.intro.as_ref(), &(0..start), range, sink, &mut drawn)?;
        if let Some((mut pictures, frames)) = opened {
            let cover_at = start + (plan.frames() as f64 * COVER_AT) as u64;
            drawn.cover = self.part(&mut pictures, start, frames.clone(), Some(cover_at), sink, &mut drawn.record)?;
            if frames.end == end {
                pictures.report(self.cx, "the source's", "clip");
            }
        }
        self.bumper(bumpers.outro.as_ref(), &(end..parts.frames()), range, sink, &mut drawn)?;
        Ok(drawn)
    }

    /// The context of the frames of a part from its frame `first` on. Who draws its first frame
    /// gives its warnings.
    fn context_from(&self, first: u64) -> Context {
        if first == 0 { self.cx.clone() } else { self.cx.without_warnings() }
    }

    /// Draws those frames of a bumper that `range` has. The bumper plays during `part`.
    fn bumper(
        &self,
        bumper: Option<&OpenBumper>,
        part: &Range<u64>,
        range: &Range<u64>,
        sink: &mut dyn FrameSink,
        drawn: &mut Drawn,
    ) -> Result<()> {
        let (Some(bumper), Some(frames)) = (bumper, overlap(range, part)) else { return Ok(()) };
        let first = frames.start - part.start;
        let mut pictures = Pictures::of_bumper(&self.context_from(first), bumper, self.files, (self.threads, self.effort), first)?;
        self.part(&mut pictures, part.start, frames.clone(), None, sink, &mut drawn.record)?;
        if frames.end == part.end {
            pictures.report(self.cx, &format!("the {}'s", bumper.name), bumper.name);
        }
        Ok(())
    }

    /// Draws frames of a part of the output that starts at frame `start`. Returns a copy of the
    /// frame `kept`.
    fn part(
        &self,
        pictures: &mut Pictures,
        start: u64,
        frames: Range<u64>,
        kept: Option<u64>,
        sink: &mut dyn FrameSink,
        record: &mut RenderRecord,
    ) -> Result<Option<VideoFrame>> {
        let total = self.input.plan.parts()?.frames();
        let mut copy = None;
        for n in frames {
            self.cx.check()?;
            while let Some(frame) = sink.take_back() {
                pictures.recycle(frame);
            }
            let mut frame = pictures.draw(n - start, record)?;
            frame.set_pts(Some(n as i64));
            if Some(n) == kept {
                copy = Some(frame.clone());
            }
            sink.put(frame)?;
            let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
            if drawn.is_multiple_of(8) {
                self.cx.progress(drawn as f64 / total as f64);
            }
        }
        Ok(copy)
    }
}

/// What two ranges have in common. `None` if that is nothing.
fn overlap(a: &Range<u64>, b: &Range<u64>) -> Option<Range<u64>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (!both.is_empty()).then_some(both)
}
