use ff::codec::discard::Discard;
use ffmpeg_next as ff;

use super::input::Input;
use super::picture::Picture;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Timestamp};

/// Broken packets in a row after which a file counts as damaged, not scratched.
const BROKEN_IN_A_ROW: usize = 300;

/// How carefully frames are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// As a player shows them.
    Exact,
    /// Faster and a little blurred: the loop filter is left out. For analysis.
    Analysis,
}

/// Decodes a video's picture, frame by frame, in order of display.
pub(crate) struct VideoReader {
    input: Input,
    stream: usize,
    base: ff::Rational,
    decoder: ff::decoder::Video,
    effort: Effort,
    threads: usize,
    /// What a frame lasts, to date frames that carry no time.
    step: f64,
    last: Option<Timestamp>,
    pending: Option<Picture>,
    draining: bool,
    broken: usize,
}

impl VideoReader {
    /// Opens the picture of `media`, at its start. `threads` decode at once; 0 lets FFmpeg choose.
    pub(crate) fn open(cx: &Context, media: &Media, effort: Effort, threads: usize) -> Result<Self> {
        let video = media.require_video()?;
        let mut input = Input::open(cx, &media.path)?;
        let stream = video.index;
        input.keep_only(stream);
        let (base, decoder) = open_decoder(&input, stream, effort, threads)?;
        let step = 1.0 / video.frame_rate.fps().max(0.1);
        Ok(VideoReader { input, stream, base, decoder, effort, threads, step, last: None, pending: None, draining: false, broken: 0 })
    }

    /// Goes to where the next frame is the one shown at `to`, or an earlier one.
    pub(crate) fn seek(&mut self, to: Timestamp) -> Result<()> {
        // Some containers' indexes point past the frame asked for: step back until the first frame is early enough.
        for back in [0.0, 4.0, 20.0] {
            let target = to.plus(-back).max(Timestamp::ZERO);
            if target == Timestamp::ZERO || !self.input.seek(target) {
                break;
            }
            self.restart();
            match self.next()? {
                Some(first) if first.at() <= to => {
                    self.pending = Some(first);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.rewind()
    }

    /// The next frame; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Picture>> {
        if let Some(picture) = self.pending.take() {
            return Ok(Some(picture));
        }
        let mut packet = ff::Packet::empty();
        loop {
            self.input.context().check()?;
            let mut frame = ff::frame::Video::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    self.broken = 0;
                    return Ok(Some(self.dated(frame)));
                }
                Err(ff::Error::Eof) => return Ok(None),
                Err(ff::Error::Other { errno: ff::error::EAGAIN }) => {}
                Err(code) => self.tolerate(code)?,
            }
            if self.draining {
                continue;
            }
            if self.input.read(&mut packet)? {
                if packet.stream() == self.stream
                    && let Err(code) = self.decoder.send_packet(&packet)
                {
                    self.tolerate(code)?;
                }
            } else {
                self.draining = true;
                if let Err(code) = self.decoder.send_eof() {
                    self.tolerate(code)?;
                }
            }
        }
    }

    fn dated(&mut self, frame: ff::frame::Video) -> Picture {
        let at = match (frame.timestamp(), self.last) {
            (Some(ticks), _) => self.input.timestamp(ticks, self.base),
            (None, Some(last)) => last.plus(self.step),
            (None, None) => Timestamp::ZERO,
        };
        self.last = Some(at);
        Picture::new(at, frame)
    }

    fn tolerate(&mut self, code: ff::Error) -> Result<()> {
        self.broken += 1;
        if self.broken <= BROKEN_IN_A_ROW {
            return Ok(());
        }
        let error = super::fail(ErrorKind::Decode, "decode the picture", code).with_path(self.input.path());
        Err(match self.last {
            Some(last) => error.with_time(last),
            None => error,
        })
    }

    fn restart(&mut self) {
        self.decoder.flush();
        (self.last, self.pending, self.draining, self.broken) = (None, None, false, 0);
    }

    /// Starts over: the one seek that every file allows.
    fn rewind(&mut self) -> Result<()> {
        let context = self.input.context().clone();
        let mut input = Input::open(&context, self.input.path())?;
        input.keep_only(self.stream);
        let (_, decoder) = open_decoder(&input, self.stream, self.effort, self.threads)?;
        (self.input, self.decoder) = (input, decoder);
        self.restart();
        Ok(())
    }
}

fn open_decoder(input: &Input, index: usize, effort: Effort, threads: usize) -> Result<(ff::Rational, ff::decoder::Video)> {
    let missing = || Error::new(ErrorKind::InvalidInput, "the file changed while it was used").with_path(input.path());
    let stream = input.demuxer.stream(index).ok_or_else(missing)?;
    let unusable = |code| super::fail(ErrorKind::InvalidInput, "decode the picture", code).with_path(input.path());
    let mut context = ff::codec::Context::from_parameters(stream.parameters()).map_err(unusable)?;
    context.set_threading(ff::threading::Config { count: threads, ..ff::threading::Config::kind(ff::threading::Type::Frame) });
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(stream.time_base());
    if effort == Effort::Analysis {
        decoder.skip_loop_filter(Discard::All);
    }
    Ok((stream.time_base(), decoder.video().map_err(unusable)?))
}
