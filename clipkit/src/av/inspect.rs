use std::path::Path;

use ff::codec::discard::Discard;
use ff::ffi;
use ff::media::Type;
use ffmpeg_next as ff;

use super::input::Input;
use super::packet_digest::{self, PacketDigests};
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::model::{Span, Timestamp};

/// Among the GOPs (groups of pictures, from one keyframe to the next) whose packets are unchanged,
/// every eighth is decoded for its first half second, and only the keyframe of the others. This
/// takes about 1 % of the render's time; decoding everything would take 13 %.
const GROUP_INTERVAL: usize = 8;
const DECODED_SECS: f64 = 0.5;

/// The result of reading a file from start to end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Inspection {
    /// The number of video packets, one per frame, decoded or not.
    pub(crate) frames: u64,
    /// The time range of the video.
    pub(crate) video: Option<Span>,
    /// The time range of the audio, by its decoded samples, so that encoder priming does not count.
    pub(crate) audio: Option<Span>,
    /// The number of packets that differ from what the encoders returned.
    pub(crate) altered: u64,
    /// The number of packets that could not be decoded without an error.
    pub(crate) damaged: u64,
}

/// A decoded frame of a file and its start.
pub(crate) enum Decoded<'a> {
    Video(Timestamp, &'a ff::frame::Video),
    Audio(Timestamp, &'a ff::frame::Audio),
}

/// Reads a file, compares every packet with the encoders' digests `given`, decodes a part of it and
/// passes the decoded frames to `show`, video and audio each in order of time.
///
/// All audio is decoded, and every keyframe. In a GOP that differs from the encoder's packets, all
/// reference frames are decoded. In every eighth GOP that does not differ, the reference frames of
/// the first half second are decoded, because the encoder itself may be at fault.
pub(crate) fn inspect(
    cx: &Context,
    path: &Path,
    threads: usize,
    given: &PacketDigests,
    show: &mut dyn FnMut(Decoded<'_>) -> Result<()>,
) -> Result<Inspection> {
    let mut input = Input::open(cx, path)?;
    let mut video = Track::open(&input, Type::Video, threads)?;
    let mut audio = Track::open(&input, Type::Audio, threads)?;
    let (mut inspection, groups) = count(&mut input, video.as_ref(), audio.as_ref(), given)?;
    if !input.seek(Timestamp::ZERO) {
        input = Input::open(cx, path)?;
    }
    let mut packet = ff::Packet::empty();
    let mut group: Option<Group> = None;
    while input.read(&mut packet)? {
        if let Some(track) = video.as_mut().filter(|track| track.stream == packet.stream()) {
            let at = packet.pts().map(|ticks| input.timestamp(ticks, track.base));
            match &mut group {
                Some(group) if !packet.is_key() => {
                    // The frames after this one in decoding order may refer to it, so decoding
                    // stops for the rest of the GOP.
                    group.done |= group.until.is_some_and(|until| at.is_some_and(|at| at >= until));
                    if group.done {
                        continue;
                    }
                }
                group => {
                    let number = group.as_ref().map_or(0, |before| before.number + 1);
                    let unchanged = groups.get(number).is_some_and(|unchanged| *unchanged);
                    let until =
                        unchanged.then(|| at.unwrap_or_default().plus(if number % GROUP_INTERVAL == 0 { DECODED_SECS } else { 0.0 }));
                    *group = Some(Group { number, until, done: false });
                }
            }
            inspection.damaged += track.send(Some(&packet));
            inspection.damaged += receive_video(&input, track, show)?;
        } else if let Some(track) = audio.as_mut().filter(|track| track.stream == packet.stream()) {
            inspection.damaged += track.send(Some(&packet));
            inspection.damaged += receive_audio(&input, track, &mut inspection.audio, show)?;
        }
    }
    if let Some(track) = &mut video {
        inspection.damaged += track.send(None) + receive_video(&input, track, show)?;
    }
    if let Some(track) = &mut audio {
        inspection.damaged += track.send(None) + receive_audio(&input, track, &mut inspection.audio, show)?;
    }
    Ok(inspection)
}

/// Reads all packets without decoding. Returns their number and time ranges, and for each GOP
/// whether its packets are unchanged.
fn count(input: &mut Input, video: Option<&Track>, audio: Option<&Track>, given: &PacketDigests) -> Result<(Inspection, Vec<bool>)> {
    let mut inspection = Inspection::default();
    let mut groups = Vec::new();
    let mut packet = ff::Packet::empty();
    let mut audio_packets = 0;
    while input.read(&mut packet)? {
        let data = packet.data().unwrap_or_default();
        if let Some(track) = video.filter(|track| track.stream == packet.stream()) {
            let unchanged = given.video.get(inspection.frames as usize) == Some(&packet_digest::of_mp4(data));
            inspection.altered += u64::from(!unchanged);
            inspection.frames += 1;
            if let Some(ticks) = packet.pts() {
                let at = input.timestamp(ticks, track.base);
                let end = at.plus(packet.duration().max(0) as f64 * f64::from(track.base));
                inspection.video = Some(union(inspection.video, Span::between(at, end)));
            }
            match groups.last_mut() {
                Some(group) if !packet.is_key() => *group &= unchanged,
                _ => groups.push(unchanged),
            }
        } else if audio.is_some_and(|track| track.stream == packet.stream()) {
            inspection.altered += u64::from(given.audio.get(audio_packets) != Some(&packet_digest::of_bytes(data)));
            audio_packets += 1;
        }
    }
    Ok((inspection, groups))
}

/// The GOP being read.
struct Group {
    number: usize,
    /// The time up to which its frames are decoded; `None` decodes all.
    until: Option<Timestamp>,
    done: bool,
}

/// A stream and its decoder.
struct Track {
    stream: usize,
    base: ff::Rational,
    decoder: ff::decoder::Opened,
}

impl Track {
    fn open(input: &Input, kind: Type, threads: usize) -> Result<Option<Self>> {
        let Some(stream) = input.demuxer.streams().best(kind) else { return Ok(None) };
        let unusable = |code| super::ff_error(ErrorKind::Decode, "decode the file", code).with_path(input.path());
        let base = stream.time_base();
        let mut context = ff::codec::Context::from_parameters(stream.parameters()).map_err(unusable)?;
        super::quiet_codec(&mut context);
        super::limit_picture(&mut context, input.context().limits());
        context.set_threading(ff::threading::Config { count: threads, ..ff::threading::Config::kind(ff::threading::Type::Frame) });
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(base);
        if kind == Type::Video {
            decoder.skip_frame(Discard::NonReference);
        }
        // SAFETY: sets a field of a context we own, before it is opened.
        unsafe { (*decoder.as_mut_ptr()).err_recognition = ffi::AV_EF_EXPLODE };
        let decoder = match kind {
            Type::Video => decoder.video().map_err(unusable)?.0,
            _ => decoder.audio().map_err(unusable)?.0,
        };
        Ok(Some(Track { stream: stream.index(), base, decoder }))
    }

    /// Sends a packet, or `None` for the end of the stream. Returns the number of errors.
    fn send(&mut self, packet: Option<&ff::Packet>) -> u64 {
        let sent = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        u64::from(sent.is_err())
    }

    /// Receives the next decoded frame or decoding error; `None` if the decoder needs more input.
    fn receive(&mut self, frame: &mut ff::Frame) -> Option<Result<(), ()>> {
        match self.decoder.receive_frame(frame) {
            Ok(()) => Some(Ok(())),
            Err(ff::Error::Eof | ff::Error::Other { errno: ff::error::EAGAIN }) => None,
            Err(_) => Some(Err(())),
        }
    }
}

fn receive_video(input: &Input, track: &mut Track, show: &mut dyn FnMut(Decoded<'_>) -> Result<()>) -> Result<u64> {
    let mut damaged = 0;
    let mut frame = ff::frame::Video::empty();
    while let Some(received) = track.receive(&mut frame) {
        match (received, frame.timestamp()) {
            (Ok(()), Some(ticks)) => show(Decoded::Video(input.timestamp(ticks, track.base), &frame))?,
            _ => damaged += 1,
        }
    }
    Ok(damaged)
}

fn receive_audio(
    input: &Input,
    track: &mut Track,
    decoded: &mut Option<Span>,
    show: &mut dyn FnMut(Decoded<'_>) -> Result<()>,
) -> Result<u64> {
    let mut damaged = 0;
    let mut frame = ff::frame::Audio::empty();
    while let Some(received) = track.receive(&mut frame) {
        match (received, frame.timestamp()) {
            (Ok(()), Some(ticks)) => {
                let at = input.timestamp(ticks, track.base);
                let end = at.plus(frame.samples() as f64 / f64::from(frame.rate().max(1)));
                *decoded = Some(union(*decoded, Span::between(at, end)));
                show(Decoded::Audio(at, &frame))?;
            }
            _ => damaged += 1,
        }
    }
    Ok(damaged)
}

fn union(before: Option<Span>, more: Span) -> Span {
    before.map_or(more, |before| Span::between(before.start().min(more.start()), before.end().max(more.end())))
}
