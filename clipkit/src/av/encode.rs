use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ff::format::context::Output;
use ff::{Dictionary, Packet, Rational, codec, color, encoder, format};
use ffmpeg_next as ff;

use super::aac::EncodedSound;
use super::packet_digest::{self, PacketDigests};
use crate::error::{Error, ErrorKind, Result};
use crate::model::FrameRate;

/// Samples a second of every clip.
pub(crate) const SAMPLE_RATE: u32 = 48_000;

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

/// Encodes pictures to H.264. Times count frames.
pub(crate) struct VideoEncoder {
    encoder: encoder::video::Encoder,
    base: Rational,
}

impl VideoEncoder {
    pub(crate) fn open(settings: &VideoSettings<'_>) -> Result<Self> {
        super::init();
        let refuse = |code| super::fail(ErrorKind::Encode, "set up the x264 encoder", code);
        let codec = encoder::find_by_name("libx264").ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "this FFmpeg has no x264 encoder").with_advice("install a build of FFmpeg with libx264")
        })?;
        let base = Rational(settings.frame_rate.den as i32, settings.frame_rate.num as i32);
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
        let encoder = video.open_with(options).map_err(refuse)?;
        Ok(VideoEncoder { encoder, base })
    }

    /// Encodes a frame, whose time counts frames, and adds the packets that are done to `packets`.
    pub(crate) fn encode(&mut self, frame: &mut ff::frame::Video, packets: &mut Vec<Packet>) -> Result<()> {
        // Filters carry over what kind of frame the source had, and x264 would make the same kind of it.
        frame.set_kind(ff::picture::Type::None);
        self.encoder.send_frame(frame).map_err(refuse)?;
        drain(&mut self.encoder, packets);
        Ok(())
    }

    /// Adds the packets that the encoder still holds.
    pub(crate) fn finish(&mut self, packets: &mut Vec<Packet>) -> Result<()> {
        self.encoder.send_eof().map_err(refuse)?;
        drain(&mut self.encoder, packets);
        Ok(())
    }
}

/// Takes the packets that an encoder has done.
pub(super) fn drain(encoder: &mut encoder::Encoder, packets: &mut Vec<Packet>) {
    let mut packet = Packet::empty();
    while encoder.receive_packet(&mut packet).is_ok() {
        packets.push(std::mem::replace(&mut packet, Packet::empty()));
    }
}

fn refuse(code: ff::Error) -> Error {
    super::fail(ErrorKind::Encode, "encode the picture", code)
}

/// Writes an MP4 with one H.264 and one AAC stream, index first, in which sound and picture of the same moment lie side by side.
pub(crate) struct Mp4Writer {
    output: Output,
    path: PathBuf,
    video_base: Rational,
    sound_base: Rational,
    /// The sound that is not written yet.
    sound: std::iter::Peekable<std::vec::IntoIter<Packet>>,
    seals: PacketDigests,
}

const VIDEO: usize = 0;
const AUDIO: usize = 1;

impl Mp4Writer {
    /// Creates the file for the picture of `video` and all of `sound`. `title` is written into it.
    pub(crate) fn create(path: &Path, title: &str, video: &VideoEncoder, sound: EncodedSound) -> Result<Self> {
        let refuse = |code| super::fail(ErrorKind::Encode, "create the file", code).with_path(path);
        let mut url = OsString::from("file:");
        url.push(path);
        let mut output = format::output_as(Path::new(&url), "mp4").map_err(refuse)?;
        let mut stream = output.add_stream(None::<ff::Codec>).map_err(refuse)?;
        stream.set_parameters(&video.encoder);
        stream.set_time_base(video.base);
        stream.set_avg_frame_rate(Rational(video.base.denominator(), video.base.numerator()));
        let sound_base = sound.base();
        let mut stream = output.add_stream(None::<ff::Codec>).map_err(refuse)?;
        stream.set_parameters(sound.parameters);
        stream.set_time_base(sound_base);
        let mut metadata = Dictionary::new();
        metadata.set("title", &title.replace('\0', ""));
        output.set_metadata(metadata);
        let mut options = Dictionary::new();
        options.set("movflags", "+faststart");
        output.write_header_with(options).map_err(refuse)?;
        let sound = sound.packets.into_iter().peekable();
        Ok(Mp4Writer { output, path: path.to_owned(), video_base: video.base, sound_base, sound, seals: PacketDigests::default() })
    }

    /// Writes the picture's next packet, and before it the sound up to its time.
    pub(crate) fn write(&mut self, mut packet: Packet) -> Result<()> {
        let secs = |ticks: Option<i64>, base: Rational| ticks.unwrap_or_default() as f64 * f64::from(base);
        let until = secs(packet.dts(), self.video_base);
        let base = self.sound_base;
        while let Some(sound) = self.sound.next_if(|sound| secs(sound.dts(), base) <= until) {
            self.write_sound(sound)?;
        }
        self.seals.picture.push(packet_digest::of_stream(packet.data().unwrap_or_default()));
        self.put(&mut packet, VIDEO, self.video_base)
    }

    /// Writes the rest of the sound, and the index. Answers what the packets hold.
    pub(crate) fn finish(mut self) -> Result<PacketDigests> {
        while let Some(sound) = self.sound.next() {
            self.write_sound(sound)?;
        }
        self.output.write_trailer().map_err(|code| self.refuse(code))?;
        Ok(self.seals)
    }

    fn write_sound(&mut self, mut packet: Packet) -> Result<()> {
        self.seals.sound.push(packet_digest::of_bytes(packet.data().unwrap_or_default()));
        self.put(&mut packet, AUDIO, self.sound_base)
    }

    fn put(&mut self, packet: &mut Packet, stream: usize, base: Rational) -> Result<()> {
        let target = self.output.stream(stream).map_or(base, |stream| stream.time_base());
        packet.set_stream(stream);
        packet.rescale_ts(base, target);
        packet.write_interleaved(&mut self.output).map_err(|code| self.refuse(code))
    }

    fn refuse(&self, code: ff::Error) -> Error {
        super::fail(ErrorKind::Encode, "write the clip", code).with_path(&self.path)
    }
}
