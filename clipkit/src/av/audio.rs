use ff::ffi;
use ffmpeg_next as ff;

use super::encode::SAMPLE_RATE;
use super::input::Input;
use super::uniform_audio::UniformAudio;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Timestamp, WarningKind};

/// From a gap of this length on, in seconds, a seek costs less than reading on: it reads one second
/// before its target.
const MIN_SEEK_GAP: f64 = 1.5;

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
    /// Frames are returned in the format of the first.
    uniform: UniformAudio,
    /// A frame that was read and not used.
    unread: Option<(Timestamp, ff::frame::Audio)>,
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
        Ok(Some(AudioReader {
            input,
            stream: index,
            base,
            decoder,
            from,
            next_at: Timestamp::ZERO,
            uniform: UniformAudio::default(),
            unread: None,
            draining: false,
            broken: 0,
        }))
    }

    /// Seeks back to the time at which the reader was opened.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        self.broken = 0;
        self.seek()
    }

    /// Continues as if the reader had been opened at `from`. Reads on if that is near ahead, else
    /// seeks.
    pub(crate) fn go_to(&mut self, from: Timestamp) -> Result<()> {
        self.from = from;
        let position = self.unread.as_ref().map_or(self.next_at, |(at, _)| *at);
        if position <= from && from.since(position).secs() < MIN_SEEK_GAP && position > Timestamp::ZERO {
            return Ok(());
        }
        self.seek()
    }

    /// Returns a frame to the reader, so that it is the next one again.
    pub(crate) fn unread(&mut self, at: Timestamp, frame: ff::frame::Audio) {
        self.unread = Some((at, frame));
    }

    fn seek(&mut self) -> Result<()> {
        if !self.input.seek(preroll_start(self.from).max(Timestamp::ZERO)) {
            let mut input = Input::open(self.input.context(), self.input.path())?;
            input.keep_only(self.stream);
            self.input = input;
        }
        self.decoder.flush();
        self.uniform.restart();
        (self.next_at, self.unread, self.draining) = (Timestamp::ZERO, None, false);
        Ok(())
    }

    /// Returns the next frame and its start on the source's timeline, or `None` at the end. All
    /// frames have the format of the first, also where the stream changes its own. The frame's own
    /// pts counts samples from the time at which the reader was opened, or to which it
    /// went. Broken packets leave gaps.
    pub(crate) fn next(&mut self) -> Result<Option<(Timestamp, ff::frame::Audio)>> {
        if let Some((at, frame)) = self.unread.take()
            && at.plus(frame.samples() as f64 / f64::from(frame.rate().max(1))) > self.from
        {
            return Ok(Some((at, self.relative(at, frame))));
        }
        let mut packet = ff::Packet::empty();
        loop {
            self.input.context().check()?;
            let mut frame = ff::frame::Audio::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) if is_valid(&frame) => {
                    let at = frame.timestamp().map_or(self.next_at, |ticks| self.input.timestamp(ticks, self.base));
                    self.next_at = at.plus(frame.samples() as f64 / f64::from(frame.rate().max(1)));
                    if self.next_at > self.from {
                        set_default_layout(&mut frame);
                        match self.uniform.convert(frame) {
                            Ok(frame) if frame.samples() > 0 => return Ok(Some((at, self.relative(at, frame)))),
                            Ok(_) => {}
                            Err(_) => self.broken += 1,
                        }
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

    /// Sets a frame's pts.
    fn relative(&self, at: Timestamp, mut frame: ff::frame::Audio) -> ff::frame::Audio {
        let ticks = (at.since(self.from).secs() * f64::from(frame.rate())).round() as i64;
        frame.set_pts(Some(ticks));
        frame
    }

    /// The number of packets that could not be decoded since the reader was opened or rewound.
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

/// Makes a frame of 48 kHz stereo, in the format of an [`AudioGraph`](super::AudioGraph) without a
/// sample. Both channels have the same length.
pub(crate) fn stereo_frame(left: &[f32], right: &[f32], pts: i64) -> Result<ff::frame::Audio> {
    use ff::format::{Sample, sample::Type};
    let mut frame = ff::frame::Audio::new(Sample::F32(Type::Planar), left.len(), ff::ChannelLayout::STEREO);
    for (n, channel) in [left, right].into_iter().enumerate() {
        // SAFETY: reading a field of a frame we own.
        if unsafe { (*frame.as_ptr()).data[n].is_null() } || frame.samples() != channel.len() {
            return Err(Error::new(ErrorKind::Encode, "there is no memory for a frame of audio"));
        }
        frame.plane_mut::<f32>(n).copy_from_slice(channel);
    }
    frame.set_rate(SAMPLE_RATE);
    frame.set_pts(Some(pts));
    Ok(frame)
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
