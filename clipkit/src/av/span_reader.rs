use super::picture::Picture;
use super::video::{Effort, VideoReader};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span, Timestamp};

/// The frames shown during a span. The first is the one on screen as the span starts, even if it came up earlier.
pub(crate) struct SpanReader {
    reader: VideoReader,
    span: Span,
    /// Read, but not answered yet.
    waiting: Option<Picture>,
    started: bool,
}

impl SpanReader {
    pub(crate) fn open(cx: &Context, media: &Media, span: Span, effort: Effort, threads: usize) -> Result<Self> {
        let mut showing = SpanReader { reader: VideoReader::open(cx, media, effort, threads)?, span, waiting: None, started: false };
        showing.go_to(span)?;
        Ok(showing)
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Whether frames that no other is built on are left out.
    pub(crate) fn is_sparse(&self) -> bool {
        self.reader.is_sparse()
    }

    /// Goes on with another span.
    pub(crate) fn go_to(&mut self, span: Span) -> Result<()> {
        self.reader.seek(span.start())?;
        (self.span, self.waiting, self.started) = (span, None, false);
        Ok(())
    }

    /// From the next [`go_to`](SpanReader::go_to) on, leaves out no frame.
    pub(crate) fn read_every_frame(&mut self) {
        self.reader.read_every_frame();
    }

    /// The next frame and when it is first seen in the span.
    pub(crate) fn next(&mut self) -> Result<Option<(Timestamp, Picture)>> {
        let span = self.span;
        if !self.started {
            self.started = true;
            let mut on_screen = None;
            while let Some(picture) = self.reader.next()? {
                if picture.at() > span.start() {
                    self.waiting = Some(picture);
                    break;
                }
                on_screen = Some(picture);
            }
            if let Some(picture) = on_screen {
                return Ok(Some((span.start(), picture)));
            }
        }
        let picture = match self.waiting.take() {
            Some(picture) => Some(picture),
            None => self.reader.next()?,
        };
        Ok(picture.filter(|picture| picture.at() < span.end()).map(|picture| (picture.at(), picture)))
    }
}
