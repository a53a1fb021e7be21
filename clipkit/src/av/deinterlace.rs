use std::collections::VecDeque;

use super::graph::{Filter, PictureFormat, VideoGraph};
use super::has_filter;
use super::picture::Picture;
use super::video::VideoReader;
use crate::context::Context;
use crate::error::Result;
use crate::model::Timestamp;

/// The unit of times inside the filter: microseconds.
const BASE: (i32, i32) = (1, 1_000_000);

/// A video's pictures, whole: where two fields of different moments are woven into one, the first moment's picture is made of them.
///
/// From the first interlaced frame on, frames pass a filter that looks one frame ahead; those that are not interlaced are left as they are.
pub(crate) struct Progressive {
    reader: VideoReader,
    context: Context,
    threads: usize,
    weave: Weave,
    ready: VecDeque<Picture>,
    ended: bool,
}

enum Weave {
    /// Not met so far.
    None,
    Undone(PictureFormat, VideoGraph),
    /// This FFmpeg cannot undo it.
    Left,
}

impl Progressive {
    /// The pictures that `reader` reads from where it is.
    pub(crate) fn new(cx: &Context, reader: VideoReader, threads: usize) -> Self {
        Progressive { reader, context: cx.clone(), threads, weave: Weave::None, ready: VecDeque::new(), ended: false }
    }

    /// The next frame; none at the end.
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
                    if let Some(untouched) = self.give(picture)? {
                        return Ok(Some(untouched));
                    }
                }
                None => {
                    self.ended = true;
                    self.finish()?;
                }
            }
        }
    }

    /// Gives the filter a picture, or answers it where there is nothing to do.
    fn give(&mut self, picture: Picture) -> Result<Option<Picture>> {
        if matches!(self.weave, Weave::None) && picture.is_interlaced() && !has_filter("bwdif") {
            self.context.warn("the source is interlaced and this FFmpeg has no bwdif filter: what moves shows stripes");
            self.weave = Weave::Left;
        }
        let format = PictureFormat { width: picture.width(), height: picture.height(), format: picture.format() };
        match &self.weave {
            Weave::Left => return Ok(Some(picture)),
            Weave::None if !picture.is_interlaced() => return Ok(Some(picture)),
            Weave::Undone(built_for, _) if *built_for == format => {}
            Weave::None | Weave::Undone(..) => {
                // A stream may change its format midway: what the filter still holds comes first.
                self.finish()?;
                let filters = [
                    Filter::new("bwdif").with("mode", "send_frame").with("deint", "interlaced"),
                    // The filter halves the unit of times.
                    Filter::new("settb").with("expr", format!("{}/{}", BASE.0, BASE.1)),
                ];
                self.weave = Weave::Undone(format, VideoGraph::new(format, BASE, &filters, self.threads)?);
            }
        }
        if let Weave::Undone(_, graph) = &mut self.weave {
            let at = picture.at().micros();
            graph.push(picture.into_frame(), at)?;
        }
        self.drain()?;
        Ok(None)
    }

    fn finish(&mut self) -> Result<()> {
        if let Weave::Undone(_, graph) = &mut self.weave {
            graph.end()?;
        }
        self.drain()
    }

    fn drain(&mut self) -> Result<()> {
        if let Weave::Undone(_, graph) = &mut self.weave {
            while let Some(frame) = graph.pull()? {
                let at = Timestamp::from_micros(frame.pts().unwrap_or(0));
                self.ready.push_back(Picture::new(at, frame));
            }
        }
        Ok(())
    }
}
