use ff::{ChannelLayout, Dictionary, Packet, Rational, codec, decoder, encoder, format};
use ffmpeg_next as ff;

use super::encode;
use crate::error::{Error, ErrorKind, Result};

/// The length of an AAC frame in samples.
pub(crate) const AAC_FRAME: usize = 1024;

/// How the encoder looks for its quantizers (FFmpeg's option `aac_coder`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AacCoder {
    /// Two loops, the encoder's default.
    TwoLoop,
    /// Constant quantizers and no search for joint stereo, in a fifth of the time.
    Fast,
}

/// Encodes audio to AAC. Timestamps count samples.
pub(crate) struct AudioEncoder {
    encoder: encoder::audio::Encoder,
    rate: u32,
    packets: Vec<Packet>,
}

impl AudioEncoder {
    /// Opens an encoder for planar 32-bit float audio with `channels` channels at `rate` samples
    /// per second. `bitrate` is in bits per second.
    pub(crate) fn open(rate: u32, channels: i32, bitrate: u32, coder: AacCoder) -> Result<Self> {
        super::init();
        let failure = |code| super::ff_error(ErrorKind::Encode, "set up the AAC encoder", code);
        let codec = encoder::find_by_name("aac").ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "this FFmpeg has no AAC encoder").with_advice("install a full build of FFmpeg")
        })?;
        let mut context = codec::Context::new_with_codec(codec);
        super::quiet_codec(&mut context);
        let mut audio = context.encoder().audio().map_err(failure)?;
        audio.set_rate(rate as i32);
        audio.set_channel_layout(ChannelLayout::default(channels));
        audio.set_format(format::Sample::F32(format::sample::Type::Planar));
        audio.set_bit_rate(bitrate as usize);
        audio.set_time_base(Rational(1, rate as i32));
        audio.set_flags(codec::Flags::GLOBAL_HEADER);
        let mut options = Dictionary::new();
        if coder == AacCoder::Fast {
            options.set("aac_coder", "fast");
            options.set("aac_ms", "0");
        }
        let encoder = audio.open_with(options).map_err(failure)?;
        Ok(AudioEncoder { encoder, rate, packets: Vec::new() })
    }

    /// Encodes the next [`AAC_FRAME`] samples. Only the last frame may be shorter.
    pub(crate) fn encode(&mut self, frame: &ff::frame::Audio) -> Result<()> {
        self.encoder.send_frame(frame).map_err(failure)?;
        encode::drain(&mut self.encoder, &mut self.packets).map_err(failure)
    }

    /// The codec parameters to write to a container's stream header.
    pub(super) fn parameters(&self) -> codec::Parameters {
        codec::Parameters::from(&self.encoder)
    }

    /// Removes and returns the packets that are finished so far.
    pub(super) fn take(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.packets)
    }

    /// Flushes the encoder and returns all packets that were not taken.
    pub(crate) fn finish(mut self) -> Result<EncodedAudio> {
        self.encoder.send_eof().map_err(failure)?;
        encode::drain(&mut self.encoder, &mut self.packets).map_err(failure)?;
        Ok(EncodedAudio { parameters: self.parameters(), rate: self.rate, packets: self.packets })
    }
}

fn failure(code: ff::Error) -> Error {
    super::ff_error(ErrorKind::Encode, "encode the audio", code)
}

fn decode_failure(code: ff::Error) -> Error {
    super::ff_error(ErrorKind::Encode, "decode the encoded audio", code)
}

/// A complete encoded audio stream in memory, about 1 MB per minute.
pub(crate) struct EncodedAudio {
    pub(super) parameters: codec::Parameters,
    rate: u32,
    pub(super) packets: Vec<Packet>,
}

impl EncodedAudio {
    /// The time base of the packets' timestamps.
    pub(super) fn base(&self) -> Rational {
        Rational(1, self.rate as i32)
    }

    /// Decodes the stream and passes each frame to `take`. This includes the encoder's priming
    /// samples before the first sample and its padding after the last one.
    pub(crate) fn decode(&self, take: &mut dyn FnMut(&ff::frame::Audio) -> Result<()>) -> Result<()> {
        let mut context = codec::Context::from_parameters(self.parameters.clone()).map_err(decode_failure)?;
        super::quiet_codec(&mut context);
        let mut decoder = context.decoder().audio().map_err(decode_failure)?;
        for packet in &self.packets {
            decoder.send_packet(packet).map_err(decode_failure)?;
            drain(&mut decoder, take)?;
        }
        decoder.send_eof().map_err(decode_failure)?;
        drain(&mut decoder, take)
    }
}

fn drain(decoder: &mut decoder::Audio, take: &mut dyn FnMut(&ff::frame::Audio) -> Result<()>) -> Result<()> {
    let mut frame = ff::frame::Audio::empty();
    while super::received(decoder.receive_frame(&mut frame)).map_err(decode_failure)? {
        take(&frame)?;
    }
    Ok(())
}
