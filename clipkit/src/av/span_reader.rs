use super::picture::Picture;
use super::video::{Effort, VideoReader};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span, Timestamp};

/// Reads the frames shown during a span. The first is the frame on screen at the span's start, even
/// if its own timestamp is earlier.
pub(crate) struct SpanReader {
    reader: VideoReader,
    span: Span,
    /// A frame that was read and not returned yet.
    pending: Option<Picture>,
    started: bool,
}

impl SpanReader {
    pub(crate) fn open(cx: &Context, media: &Media, span: Span, effort: Effort, threads: usize) -> Result<Self> {
        let mut reader = SpanReader { reader: VideoReader::open(cx, media, effort, threads)?, span, pending: None, started: false };
        reader.go_to(span)?;
        Ok(reader)
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Returns whether non-reference frames are skipped.
    pub(crate) fn is_sparse(&self) -> bool {
        self.reader.is_sparse()
    }

    /// Continues with another span.
    pub(crate) fn go_to(&mut self, span: Span) -> Result<()> {
        self.reader.seek(span.start())?;
        (self.span, self.pending, self.started) = (span, None, false);
        Ok(())
    }

    /// Reads all frames from the next call of [`go_to`](SpanReader::go_to) on.
    pub(crate) fn read_every_frame(&mut self) {
        self.reader.read_every_frame();
    }

    /// Returns the next frame and the time at which it is first shown in the span, or `None` at the
    /// span's end.
    pub(crate) fn next(&mut self) -> Result<Option<(Timestamp, Picture)>> {
        let span = self.span;
        if !self.started {
            self.started = true;
            let mut on_screen = None;
            while let Some(picture) = self.reader.next()? {
                if picture.at() > span.start() {
                    self.pending = Some(picture);
                    break;
                }
                on_screen = Some(picture);
            }
            if let Some(picture) = on_screen {
                return Ok(Some((span.start(), picture)));
            }
        }
        let picture = match self.pending.take() {
            Some(picture) => Some(picture),
            None => self.reader.next()?,
        };
        Ok(picture.filter(|picture| picture.at() < span.end()).map(|picture| (picture.at(), picture)))
    }
}
