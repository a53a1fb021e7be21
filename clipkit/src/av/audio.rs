use ff::ffi;
use ff::media::Type;
use ffmpeg_next as ff;

use super::input::Input;
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::model::{Media, Timestamp};

/// Decodes a video's main sound stream.
pub(crate) struct AudioReader {
    input: Input,
    stream: usize,
    base: ff::Rational,
    decoder: ff::decoder::Audio,
    /// Where the reader was opened: sound that ends before is passed over, and frames are dated from here.
    from: Timestamp,
    next_at: Timestamp,
    draining: bool,
    broken: u64,
}

impl AudioReader {
    /// Opens the sound at `from`; none where there is none, or none that this FFmpeg can decode.
    pub(crate) fn open(cx: &Context, media: &Media, from: Timestamp) -> Result<Option<Self>> {
        let mut input = Input::open(cx, &media.path)?;
        let Some(index) = input.demuxer.streams().best(Type::Audio).map(|stream| stream.index()) else { return Ok(None) };
        input.keep_only(index);
        if run_up(from) > Timestamp::ZERO && !input.seek(run_up(from)) {
            input = Input::open(cx, &media.path)?;
            input.keep_only(index);
        }
        let Some(stream) = input.demuxer.stream(index) else { return Ok(None) };
        let base = stream.time_base();
        let decoder = ff::codec::Context::from_parameters(stream.parameters()).and_then(|context| {
            let mut decoder = context.decoder();
            decoder.set_packet_time_base(base);
            decoder.audio()
        });
        let decoder = match decoder {
            Ok(decoder) => decoder,
            Err(code) => {
                cx.warn(format!("{}: the sound cannot be decoded ({code}); the clip is silent", media.path.display()));
                return Ok(None);
            }
        };
        Ok(Some(AudioReader { input, stream: index, base, decoder, from, next_at: Timestamp::ZERO, draining: false, broken: 0 }))
    }

    /// Goes back to where the reader was opened.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        if !self.input.seek(run_up(self.from).max(Timestamp::ZERO)) {
            let mut input = Input::open(self.input.context(), self.input.path())?;
            input.keep_only(self.stream);
            self.input = input;
        }
        self.decoder.flush();
        (self.next_at, self.draining, self.broken) = (Timestamp::ZERO, false, 0);
        Ok(())
    }

    /// The next stretch of sound and when it starts, on the source's timeline; none at the end. The frame's own time counts samples from
    /// where the reader was opened. Broken packets leave gaps.
    pub(crate) fn next(&mut self) -> Result<Option<(Timestamp, ff::frame::Audio)>> {
        let mut packet = ff::Packet::empty();
        loop {
            self.input.context().check()?;
            let mut frame = ff::frame::Audio::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) if is_sound(&frame) => {
                    let at = frame.timestamp().map_or(self.next_at, |ticks| self.input.timestamp(ticks, self.base));
                    self.next_at = at.plus(frame.samples() as f64 / f64::from(frame.rate().max(1)));
                    if self.next_at > self.from {
                        let ticks = (at.since(self.from).secs() * f64::from(frame.rate())).round() as i64;
                        frame.set_pts(Some(ticks));
                        name_layout(&mut frame);
                        return Ok(Some((at, frame)));
                    }
                }
                Ok(()) | Err(ff::Error::Other { errno: ff::error::EAGAIN }) => {}
                Err(ff::Error::Eof) => return Ok(None),
                Err(_) => self.broken += 1,
            }
            if self.draining {
                continue;
            }
            if self.input.read(&mut packet)? {
                if packet.stream() == self.stream && self.decoder.send_packet(&packet).is_err() {
                    self.broken += 1;
                }
            } else {
                self.draining = true;
                self.decoder
                    .send_eof()
                    .map_err(|code| super::fail(ErrorKind::Decode, "decode the sound", code).with_path(self.input.path()))?;
            }
        }
    }

    /// How many packets could not be decoded so far.
    pub(crate) fn broken(&self) -> u64 {
        self.broken
    }
}

/// Where to start reading: a second before, for codecs need a frame or two, and indexes are coarse.
fn run_up(from: Timestamp) -> Timestamp {
    from.plus(-1.0)
}

fn is_sound(frame: &ff::frame::Audio) -> bool {
    // SAFETY: reading fields of a frame we own.
    let raw = unsafe { &*frame.as_ptr() };
    frame.samples() > 0 && raw.sample_rate > 0 && raw.ch_layout.nb_channels > 0
}

/// Some files give a number of channels without saying which is which: take the usual order, so that they can be mixed.
fn name_layout(frame: &mut ff::frame::Audio) {
    // SAFETY: changing a layout of a frame we own; a layout without names owns no memory.
    unsafe {
        let layout = &mut (*frame.as_mut_ptr()).ch_layout;
        if layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
            ffi::av_channel_layout_default(layout, layout.nb_channels);
        }
    }
}
