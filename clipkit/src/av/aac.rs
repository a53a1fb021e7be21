use ff::{ChannelLayout, Dictionary, Packet, Rational, codec, decoder, encoder, format};
use ffmpeg_next as ff;

use super::encode;
use crate::error::{Error, ErrorKind, Result};

/// AAC's frame length in samples.
pub(crate) const AAC_FRAME: usize = 1024;

/// Encodes sound to AAC. Its times count samples.
pub(crate) struct SoundEncoder {
    encoder: encoder::audio::Encoder,
    rate: u32,
    packets: Vec<Packet>,
}

impl SoundEncoder {
    /// An encoder for `channels` planes of floats, `rate` samples a second.
    pub(crate) fn open(rate: u32, channels: i32, bitrate: u32) -> Result<Self> {
        super::init();
        let refuse = |code| super::fail(ErrorKind::Encode, "set up the AAC encoder", code);
        let codec = encoder::find_by_name("aac").ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "this FFmpeg has no AAC encoder").with_advice("install a full build of FFmpeg")
        })?;
        let mut audio = codec::Context::new_with_codec(codec).encoder().audio().map_err(refuse)?;
        audio.set_rate(rate as i32);
        audio.set_channel_layout(ChannelLayout::default(channels));
        audio.set_format(format::Sample::F32(format::sample::Type::Planar));
        audio.set_bit_rate(bitrate as usize);
        audio.set_time_base(Rational(1, rate as i32));
        audio.set_flags(codec::Flags::GLOBAL_HEADER);
        let encoder = audio.open_with(Dictionary::new()).map_err(refuse)?;
        Ok(SoundEncoder { encoder, rate, packets: Vec::new() })
    }

    /// Takes the next [`AAC_FRAME`] samples; the last ones may be fewer.
    pub(crate) fn encode(&mut self, frame: &ff::frame::Audio) -> Result<()> {
        self.encoder.send_frame(frame).map_err(refuse)?;
        encode::drain(&mut self.encoder, &mut self.packets);
        Ok(())
    }

    /// What a file says of the stream.
    pub(super) fn parameters(&self) -> codec::Parameters {
        codec::Parameters::from(&self.encoder)
    }

    /// Takes the packets that are done, for whoever does not wait for all of them.
    pub(super) fn take(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.packets)
    }

    /// All that was not taken.
    pub(crate) fn finish(mut self) -> Result<EncodedSound> {
        self.encoder.send_eof().map_err(refuse)?;
        encode::drain(&mut self.encoder, &mut self.packets);
        Ok(EncodedSound { parameters: self.parameters(), rate: self.rate, packets: self.packets })
    }
}

fn refuse(code: ff::Error) -> Error {
    super::fail(ErrorKind::Encode, "encode the sound", code)
}

/// Sound that was encoded and is kept: about 1 MB a minute.
pub(crate) struct EncodedSound {
    pub(super) parameters: codec::Parameters,
    rate: u32,
    pub(super) packets: Vec<Packet>,
}

impl EncodedSound {
    /// The unit of the packets' times.
    pub(super) fn base(&self) -> Rational {
        Rational(1, self.rate as i32)
    }

    /// Hands on what a player would decode of it. What the encoder put before the first sample and after the last one is there, too.
    pub(crate) fn decode(&self, take: &mut dyn FnMut(&ff::frame::Audio) -> Result<()>) -> Result<()> {
        let refuse = |code| super::fail(ErrorKind::Encode, "decode the sound that was encoded", code);
        let mut decoder =
            codec::Context::from_parameters(self.parameters.clone()).and_then(|context| context.decoder().audio()).map_err(refuse)?;
        for packet in &self.packets {
            decoder.send_packet(packet).map_err(refuse)?;
            drain(&mut decoder, take)?;
        }
        decoder.send_eof().map_err(refuse)?;
        drain(&mut decoder, take)
    }
}

fn drain(decoder: &mut decoder::Audio, take: &mut dyn FnMut(&ff::frame::Audio) -> Result<()>) -> Result<()> {
    let mut frame = ff::frame::Audio::empty();
    while decoder.receive_frame(&mut frame).is_ok() {
        take(&frame)?;
    }
    Ok(())
}
