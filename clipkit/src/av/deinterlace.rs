use std::collections::VecDeque;

use super::graph::{Filter, PictureFormat, VideoGraph};
use super::has_filter;
use super::picture::Picture;
use super::video::VideoReader;
use crate::context::Context;
use crate::error::Result;
use crate::model::{Timestamp, WarningKind};

/// The time base inside the filter: microseconds.
const BASE: (i32, i32) = (1, 1_000_000);

/// Deinterlaces the frames of a video.
///
/// From the first interlaced frame on, all frames pass through the `bwdif` filter, which looks one
/// frame ahead. It makes one frame from the first field of each interlaced frame, and passes
/// progressive frames through unchanged.
pub(crate) struct Deinterlacer {
    reader: VideoReader,
    context: Context,
    threads: usize,
    state: State,
    ready: VecDeque<Picture>,
    ended: bool,
}

enum State {
    /// No interlaced frame was met so far.
    Progressive,
    Filtering(PictureFormat, VideoGraph),
    /// This FFmpeg has no deinterlacer: frames pass through unchanged.
    Unsupported,
}

impl Deinterlacer {
    /// Deinterlaces the frames that `reader` returns from its current position.
    pub(crate) fn new(cx: &Context, reader: VideoReader, threads: usize) -> Self {
        Deinterlacer { reader, context: cx.clone(), threads, state: State::Progressive, ready: VecDeque::new(), ended: false }
    }

    /// Continues so that the next frame is the one shown at `to`, or an earlier one. Returns
    /// whether the reader sought, in which case frames that were returned before do not lead up to
    /// it.
    pub(crate) fn go_to(&mut self, to: Timestamp) -> Result<bool> {
        let sought = self.reader.go_to(to)?;
        if sought {
            self.restart();
        }
        Ok(sought)
    }

    /// Seeks so that the next frame is the one shown at `to`, or an earlier one.
    pub(crate) fn seek(&mut self, to: Timestamp) -> Result<()> {
        self.reader.seek(to)?;
        self.restart();
        Ok(())
    }

    /// Discards the filter and its frames, which are from elsewhere. The next interlaced frame
    /// builds it anew.
    fn restart(&mut self) {
        if matches!(self.state, State::Filtering(..)) {
            self.state = State::Progressive;
        }
        self.ready.clear();
        self.ended = false;
    }

    /// Returns the next frame, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Picture>> {
        loop {
            if let Some(picture) = self.ready.pop_front() {
                return Ok(Some(picture));
            }
            if self.ended {
                return Ok(None);
            }
            match self.reader.next()? {
                Some(picture) => {
                    if let Some(unchanged) = self.send(picture)? {
                        return Ok(Some(unchanged));
                    }
                }
                None => {
                    self.ended = true;
                    self.finish()?;
                }
            }
        }
    }

    /// Sends a picture to the filter, or returns it if no filter is needed.
    fn send(&mut self, picture: Picture) -> Result<Option<Picture>> {
        if matches!(self.state, State::Progressive) && picture.is_interlaced() && !has_filter("bwdif") {
            self.context.warn_of(
                WarningKind::Unavailable,
                "the source is interlaced and this FFmpeg has no bwdif filter: moving parts show combing",
            );
            self.state = State::Unsupported;
        }
        let format = PictureFormat { width: picture.width(), height: picture.height(), format: picture.format() };
        match &self.state {
            State::Unsupported => return Ok(Some(picture)),
            State::Progressive if !picture.is_interlaced() => return Ok(Some(picture)),
            State::Filtering(built_for, _) if *built_for == format => {}
            State::Progressive | State::Filtering(..) => {
                // A stream may change its format midway: flush the old filter first.
                self.finish()?;
                let filters = [
                    Filter::new("bwdif").with("mode", "send_frame").with("deint", "interlaced"),
                    // The filter halves the time base.
                    Filter::new("settb").with("expr", format!("{}/{}", BASE.0, BASE.1)),
                ];
                self.state = State::Filtering(format, VideoGraph::new(format, BASE, &filters, self.threads)?);
            }
        }
        if let State::Filtering(_, graph) = &mut self.state {
            let at = picture.at().micros();
            graph.push(picture.into_frame(), at)?;
        }
        self.drain()?;
        Ok(None)
    }

    fn finish(&mut self) -> Result<()> {
        if let State::Filtering(_, graph) = &mut self.state {
            graph.end()?;
        }
        self.drain()
    }

    fn drain(&mut self) -> Result<()> {
        if let State::Filtering(_, graph) = &mut self.state {
            while let Some(frame) = graph.pull()? {
                let at = Timestamp::from_micros(frame.pts().unwrap_or(0));
                self.ready.push_back(Picture::new(at, frame));
            }
        }
        Ok(())
    }
}
