use ff::ffi;
use ffmpeg_next as ff;

use super::input::Input;
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::model::{Media, Timestamp, WarningKind};

/// Decodes an audio stream of a media file: the one that the media name, else the default one.
pub(crate) struct AudioReader {
    input: Input,
    stream: usize,
    base: ff::Rational,
    decoder: ff::decoder::Audio,
    /// The time at which the reader was opened. Audio that ends before it is skipped, and frame
    /// timestamps are relative to it.
    from: Timestamp,
    next_at: Timestamp,
    draining: bool,
    broken: u64,
}

impl AudioReader {
    /// Opens the audio stream at `from`. Returns `None` if the file has no audio stream, or none
    /// that this FFmpeg can decode (with a warning).
    pub(crate) fn open(cx: &Context, media: &Media, from: Timestamp) -> Result<Option<Self>> {
        let mut input = Input::open(cx, &media.path)?;
        let Some(index) = input.audio_stream(media.audio_track) else { return Ok(None) };
        input.keep_only(index);
        if preroll_start(from) > Timestamp::ZERO && !input.seek(preroll_start(from)) {
            input = Input::open(cx, &media.path)?;
            input.keep_only(index);
        }
        let Some(stream) = input.demuxer.stream(index) else { return Ok(None) };
        let base = stream.time_base();
        let decoder = ff::codec::Context::from_parameters(stream.parameters()).and_then(|mut context| {
            super::quiet_codec(&mut context);
            let mut decoder = context.decoder();
            decoder.set_packet_time_base(base);
            decoder.audio()
        });
        let decoder = match decoder {
            Ok(decoder) => decoder,
            Err(code) => {
                cx.warn_of(
                    WarningKind::InputLost,
                    format!("{}: the audio cannot be decoded ({code}), so the clip is silent", media.path.display()),
                );
                return Ok(None);
            }
        };
        Ok(Some(AudioReader { input, stream: index, base, decoder, from, next_at: Timestamp::ZERO, draining: false, broken: 0 }))
    }

    /// Seeks back to the time at which the reader was opened.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        if !self.input.seek(preroll_start(self.from).max(Timestamp::ZERO)) {
            let mut input = Input::open(self.input.context(), self.input.path())?;
            input.keep_only(self.stream);
            self.input = input;
        }
        self.decoder.flush();
        (self.next_at, self.draining, self.broken) = (Timestamp::ZERO, false, 0);
        Ok(())
    }

    /// Returns the next frame and its start on the source's timeline, or `None` at the end. The
    /// frame's own pts counts samples from the time at which the reader was opened. Broken packets
    /// leave gaps.
    pub(crate) fn next(&mut self) -> Result<Option<(Timestamp, ff::frame::Audio)>> {
        let mut packet = ff::Packet::empty();
        loop {
            self.input.context().check()?;
            let mut frame = ff::frame::Audio::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) if is_valid(&frame) => {
                    let at = frame.timestamp().map_or(self.next_at, |ticks| self.input.timestamp(ticks, self.base));
                    self.next_at = at.plus(frame.samples() as f64 / f64::from(frame.rate().max(1)));
                    if self.next_at > self.from {
                        let ticks = (at.since(self.from).secs() * f64::from(frame.rate())).round() as i64;
                        frame.set_pts(Some(ticks));
                        set_default_layout(&mut frame);
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
                    .map_err(|code| super::ff_error(ErrorKind::Decode, "decode the audio", code).with_path(self.input.path()))?;
            }
        }
    }

    /// The number of packets that could not be decoded so far.
    pub(crate) fn broken(&self) -> u64 {
        self.broken
    }
}

/// The position of the file's default audio stream among its audio streams. `None` if it has none.
pub(crate) fn default_track(cx: &Context, media: &Media) -> Result<Option<usize>> {
    let input = Input::open(cx, &media.path)?;
    let default = input.audio_stream(None);
    Ok(default.and_then(|index| (0..media.audio.len()).find(|track| input.audio_stream(Some(*track)) == Some(index))))
}

/// The time to start reading from: one second early, because codecs need a frame or two to start up
/// and container indexes are coarse.
fn preroll_start(from: Timestamp) -> Timestamp {
    from.plus(-1.0)
}

fn is_valid(frame: &ff::frame::Audio) -> bool {
    // SAFETY: reading fields of a frame we own.
    let raw = unsafe { &*frame.as_ptr() };
    frame.samples() > 0 && raw.sample_rate > 0 && raw.ch_layout.nb_channels > 0
}

/// Sets the default channel layout on a frame that only states its number of channels, so that it
/// can be downmixed.
fn set_default_layout(frame: &mut ff::frame::Audio) {
    // SAFETY: changing a layout of a frame we own; an unspecified layout owns no memory.
    unsafe {
        let layout = &mut (*frame.as_mut_ptr()).ch_layout;
        if layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
            ffi::av_channel_layout_default(layout, layout.nb_channels);
        }
    }
}
