use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ff::format::context::Output;
use ff::{Dictionary, Packet, Rational, codec, color, encoder, format};
use ffmpeg_next as ff;

use super::seal::{self, Seals};
use crate::error::{Error, ErrorKind, Result};
use crate::model::FrameRate;

/// Samples a second of every output.
pub(crate) const SAMPLE_RATE: u32 = 48_000;
/// AAC's frame length in samples.
pub(crate) const AAC_FRAME: usize = 1024;

/// How the picture is encoded.
pub(crate) struct VideoSettings<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frame_rate: FrameRate,
    /// x264's preset.
    pub(crate) preset: &'a str,
    pub(crate) crf: u8,
    /// 0 lets x264 choose.
    pub(crate) threads: usize,
}

/// How the sound is encoded: AAC, 48 kHz, stereo.
pub(crate) struct AudioSettings {
    pub(crate) bitrate: u32,
}

/// Writes an MP4 with one H.264 and one AAC stream, index first.
pub(crate) struct Mp4Writer {
    output: Output,
    path: PathBuf,
    video: encoder::video::Encoder,
    audio: encoder::audio::Encoder,
    video_base: Rational,
    seals: Seals,
}

const VIDEO: usize = 0;
const AUDIO: usize = 1;
const AUDIO_BASE: Rational = Rational(1, SAMPLE_RATE as i32);

impl Mp4Writer {
    /// Creates the file. `title` is written into it.
    pub(crate) fn create(path: &Path, title: &str, video: &VideoSettings<'_>, audio: &AudioSettings) -> Result<Self> {
        super::init();
        let refuse = |code| super::fail(ErrorKind::Encode, "create the file", code).with_path(path);
        let mut url = OsString::from("file:");
        url.push(path);
        let mut output = format::output_as(Path::new(&url), "mp4").map_err(refuse)?;
        let video_base = Rational(video.frame_rate.den as i32, video.frame_rate.num as i32);
        let video = open_video(&mut output, video, video_base)?;
        let audio = open_aac(&mut output, SAMPLE_RATE, ff::ChannelLayout::STEREO, audio.bitrate as usize)?;
        let mut metadata = Dictionary::new();
        metadata.set("title", &title.replace('\0', ""));
        output.set_metadata(metadata);
        let mut options = Dictionary::new();
        options.set("movflags", "+faststart");
        output.write_header_with(options).map_err(refuse)?;
        Ok(Mp4Writer { output, path: path.to_owned(), video, audio, video_base, seals: Seals::default() })
    }

    /// Writes a frame; its time counts frames.
    pub(crate) fn write_video(&mut self, frame: &mut ff::frame::Video) -> Result<()> {
        // Filters carry over what kind of frame the source had, and x264 would make the same kind of it.
        frame.set_kind(ff::picture::Type::None);
        self.video.send_frame(frame).map_err(|code| self.refuse(code))?;
        self.drain_video()
    }

    /// Writes sound; its time counts samples.
    pub(crate) fn write_audio(&mut self, frame: &ff::frame::Audio) -> Result<()> {
        self.audio.send_frame(frame).map_err(|code| self.refuse(code))?;
        self.drain_audio()
    }

    /// Writes what the encoders still hold, and the index. Answers what the packets hold.
    pub(crate) fn finish(mut self) -> Result<Seals> {
        self.video.send_eof().map_err(|code| self.refuse(code))?;
        self.drain_video()?;
        self.audio.send_eof().map_err(|code| self.refuse(code))?;
        self.drain_audio()?;
        self.output.write_trailer().map_err(|code| self.refuse(code))?;
        Ok(self.seals)
    }

    fn drain_video(&mut self) -> Result<()> {
        let mut packet = Packet::empty();
        while self.video.receive_packet(&mut packet).is_ok() {
            self.write(&mut packet, VIDEO, self.video_base)?;
        }
        Ok(())
    }

    fn drain_audio(&mut self) -> Result<()> {
        let mut packet = Packet::empty();
        while self.audio.receive_packet(&mut packet).is_ok() {
            self.write(&mut packet, AUDIO, AUDIO_BASE)?;
        }
        Ok(())
    }

    fn write(&mut self, packet: &mut Packet, stream: usize, base: Rational) -> Result<()> {
        let data = packet.data().unwrap_or_default();
        match stream {
            VIDEO => self.seals.picture.push(seal::of_stream(data)),
            _ => self.seals.sound.push(seal::of_bytes(data)),
        }
        let target = self.output.stream(stream).map_or(base, |stream| stream.time_base());
        packet.set_stream(stream);
        packet.rescale_ts(base, target);
        packet.write_interleaved(&mut self.output).map_err(|code| self.refuse(code))
    }

    fn refuse(&self, code: ff::Error) -> Error {
        super::fail(ErrorKind::Encode, "write the clip", code).with_path(&self.path)
    }
}

fn open_video(output: &mut Output, settings: &VideoSettings<'_>, base: Rational) -> Result<encoder::video::Encoder> {
    let refuse = |code| super::fail(ErrorKind::Encode, "set up the x264 encoder", code);
    let codec = encoder::find_by_name("libx264").ok_or_else(|| {
        Error::new(ErrorKind::Unavailable, "this FFmpeg has no x264 encoder").with_advice("install a build of FFmpeg with libx264")
    })?;
    let mut video = codec::Context::new_with_codec(codec).encoder().video().map_err(refuse)?;
    video.set_width(settings.width);
    video.set_height(settings.height);
    video.set_format(format::Pixel::YUV420P);
    video.set_time_base(base);
    video.set_frame_rate(Some(Rational(base.denominator(), base.numerator())));
    video.set_aspect_ratio(Rational(1, 1));
    video.set_colorspace(color::Space::BT709);
    video.set_color_range(color::Range::MPEG);
    video.set_color_primaries(color::Primaries::BT709);
    video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
    // A key frame every two seconds, so that a player can start anywhere and platforms can cut.
    video.set_gop((settings.frame_rate.fps() * 2.0).round() as u32);
    // Setting flags replaces x264's default of closed groups of pictures, without which a player that seeks sees broken frames.
    video.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::CLOSED_GOP);
    video.set_threading(ff::threading::Config { count: settings.threads, ..ff::threading::Config::kind(ff::threading::Type::Frame) });
    let mut options = Dictionary::new();
    options.set("preset", settings.preset);
    options.set("crf", &settings.crf.to_string());
    options.set("profile", "high");
    let opened = video.open_with(options).map_err(refuse)?;
    let mut stream = output.add_stream(codec).map_err(refuse)?;
    stream.set_parameters(&opened);
    stream.set_time_base(base);
    stream.set_avg_frame_rate(Rational(base.denominator(), base.numerator()));
    Ok(opened)
}

/// Adds an AAC stream. Its times count samples.
pub(super) fn open_aac(output: &mut Output, rate: u32, layout: ff::ChannelLayout, bitrate: usize) -> Result<encoder::audio::Encoder> {
    let refuse = |code| super::fail(ErrorKind::Encode, "set up the AAC encoder", code);
    let codec = encoder::find_by_name("aac").ok_or_else(|| {
        Error::new(ErrorKind::Unavailable, "this FFmpeg has no AAC encoder").with_advice("install a full build of FFmpeg")
    })?;
    let base = Rational(1, rate as i32);
    let mut audio = codec::Context::new_with_codec(codec).encoder().audio().map_err(refuse)?;
    audio.set_rate(rate as i32);
    audio.set_channel_layout(layout);
    audio.set_format(format::Sample::F32(format::sample::Type::Planar));
    audio.set_bit_rate(bitrate);
    audio.set_time_base(base);
    audio.set_flags(codec::Flags::GLOBAL_HEADER);
    let opened = audio.open_with(Dictionary::new()).map_err(refuse)?;
    let mut stream = output.add_stream(codec).map_err(refuse)?;
    stream.set_parameters(&opened);
    stream.set_time_base(base);
    Ok(opened)
}
