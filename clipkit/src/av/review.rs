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

/// Of the groups of pictures (from one key frame to the next) that hold what the encoder gave, bit for bit, every eighth is decoded for its
/// first half second; of the others the key frame. That takes about 1 % of what the render took; all of it would take 13 %.
const GROUPS: usize = 8;
const DECODED_SECS: f64 = 0.5;

/// What a file turns out to hold when it is read from start to end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reviewed {
    /// Packets of picture, one a frame, also those that were not decoded.
    pub(crate) frames: u64,
    /// From when to when there is picture.
    pub(crate) picture: Option<Span>,
    /// From when to when there is sound, by the decoded samples: what an encoder puts before the first one does not count.
    pub(crate) sound: Option<Span>,
    /// Packets that are not what the encoders gave.
    pub(crate) altered: u64,
    /// Packets that could not be decoded without fault.
    pub(crate) damaged: u64,
}

/// A decoded piece of a file and when it starts.
pub(crate) enum Shown<'a> {
    Picture(Timestamp, &'a ff::frame::Video),
    Sound(Timestamp, &'a ff::frame::Audio),
}

/// Reads a file as strictly as it is cheap, and hands on what it shows. Every packet is read, counted and held against what the encoders gave.
/// Decoded is all of the sound; of the picture every key frame, each frame that another one is built on in a group that differs from what
/// the encoder gave, and, as the encoder may be wrong itself, in half a second of every eighth group that does not. Pictures and sound come in
/// order of time each.
pub(crate) fn review(
    cx: &Context,
    path: &Path,
    threads: usize,
    given: &PacketDigests,
    show: &mut dyn FnMut(Shown<'_>) -> Result<()>,
) -> Result<Reviewed> {
    let mut input = Input::open(cx, path)?;
    let mut picture = Track::open(&input, Type::Video, threads)?;
    let mut sound = Track::open(&input, Type::Audio, threads)?;
    let (mut found, groups) = count(&mut input, picture.as_ref(), sound.as_ref(), given)?;
    if !input.seek(Timestamp::ZERO) {
        input = Input::open(cx, path)?;
    }
    let mut packet = ff::Packet::empty();
    let mut group: Option<Group> = None;
    while input.read(&mut packet)? {
        if let Some(track) = picture.as_mut().filter(|track| track.stream == packet.stream()) {
            let at = packet.pts().map(|ticks| input.timestamp(ticks, track.base));
            match &mut group {
                Some(group) if !packet.is_key() => {
                    // Frames that come later are built on this one, whenever they show.
                    group.done |= group.until.is_some_and(|until| at.is_some_and(|at| at >= until));
                    if group.done {
                        continue;
                    }
                }
                group => {
                    let number = group.as_ref().map_or(0, |before| before.number + 1);
                    let as_given = groups.get(number).is_some_and(|as_given| *as_given);
                    let until = as_given.then(|| at.unwrap_or_default().plus(if number % GROUPS == 0 { DECODED_SECS } else { 0.0 }));
                    *group = Some(Group { number, until, done: false });
                }
            }
            found.damaged += track.send(Some(&packet));
            found.damaged += pictures(&input, track, show)?;
        } else if let Some(track) = sound.as_mut().filter(|track| track.stream == packet.stream()) {
            found.damaged += track.send(Some(&packet));
            found.damaged += sounds(&input, track, &mut found.sound, show)?;
        }
    }
    if let Some(track) = &mut picture {
        found.damaged += track.send(None) + pictures(&input, track, show)?;
    }
    if let Some(track) = &mut sound {
        found.damaged += track.send(None) + sounds(&input, track, &mut found.sound, show)?;
    }
    Ok(found)
}

/// Reads all packets without decoding one: how many there are and when they show, and which groups of pictures hold what was given.
fn count(input: &mut Input, picture: Option<&Track>, sound: Option<&Track>, given: &PacketDigests) -> Result<(Reviewed, Vec<bool>)> {
    let mut found = Reviewed::default();
    let mut groups = Vec::new();
    let mut packet = ff::Packet::empty();
    let mut heard = 0;
    while input.read(&mut packet)? {
        let data = packet.data().unwrap_or_default();
        if let Some(track) = picture.filter(|track| track.stream == packet.stream()) {
            let as_given = given.picture.get(found.frames as usize) == Some(&packet_digest::of_stored(data));
            found.altered += u64::from(!as_given);
            found.frames += 1;
            if let Some(ticks) = packet.pts() {
                let at = input.timestamp(ticks, track.base);
                let end = at.plus(packet.duration().max(0) as f64 * f64::from(track.base));
                found.picture = Some(joined(found.picture, Span::between(at, end)));
            }
            match groups.last_mut() {
                Some(group) if !packet.is_key() => *group &= as_given,
                _ => groups.push(as_given),
            }
        } else if sound.is_some_and(|track| track.stream == packet.stream()) {
            found.altered += u64::from(given.sound.get(heard) != Some(&packet_digest::of_bytes(data)));
            heard += 1;
        }
    }
    Ok((found, groups))
}

/// The group of pictures that is read.
struct Group {
    number: usize,
    /// Up to when its frames are decoded; none where all are.
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
        let unusable = |code| super::fail(ErrorKind::Decode, "decode the file", code).with_path(input.path());
        let base = stream.time_base();
        let mut context = ff::codec::Context::from_parameters(stream.parameters()).map_err(unusable)?;
        context.set_threading(ff::threading::Config { count: threads, ..ff::threading::Config::kind(ff::threading::Type::Frame) });
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(base);
        if kind == Type::Video {
            decoder.skip_frame(Discard::NonReference);
        }
        // SAFETY: setting a field of a context we own, before it is opened.
        unsafe { (*decoder.as_mut_ptr()).err_recognition = ffi::AV_EF_EXPLODE };
        let decoder = match kind {
            Type::Video => decoder.video().map_err(unusable)?.0,
            _ => decoder.audio().map_err(unusable)?.0,
        };
        Ok(Some(Track { stream: stream.index(), base, decoder }))
    }

    /// Gives a packet, or the end; answers how many faults that showed.
    fn send(&mut self, packet: Option<&ff::Packet>) -> u64 {
        let sent = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        u64::from(sent.is_err())
    }

    /// The next decoded frame, if there is one, or a fault.
    fn receive(&mut self, frame: &mut ff::Frame) -> Option<Result<(), ()>> {
        match self.decoder.receive_frame(frame) {
            Ok(()) => Some(Ok(())),
            Err(ff::Error::Eof | ff::Error::Other { errno: ff::error::EAGAIN }) => None,
            Err(_) => Some(Err(())),
        }
    }
}

fn pictures(input: &Input, track: &mut Track, show: &mut dyn FnMut(Shown<'_>) -> Result<()>) -> Result<u64> {
    let mut damaged = 0;
    let mut frame = ff::frame::Video::empty();
    while let Some(received) = track.receive(&mut frame) {
        match (received, frame.timestamp()) {
            (Ok(()), Some(ticks)) => show(Shown::Picture(input.timestamp(ticks, track.base), &frame))?,
            _ => damaged += 1,
        }
    }
    Ok(damaged)
}

fn sounds(input: &Input, track: &mut Track, heard: &mut Option<Span>, show: &mut dyn FnMut(Shown<'_>) -> Result<()>) -> Result<u64> {
    let mut damaged = 0;
    let mut frame = ff::frame::Audio::empty();
    while let Some(received) = track.receive(&mut frame) {
        match (received, frame.timestamp()) {
            (Ok(()), Some(ticks)) => {
                let at = input.timestamp(ticks, track.base);
                let end = at.plus(frame.samples() as f64 / f64::from(frame.rate().max(1)));
                *heard = Some(joined(*heard, Span::between(at, end)));
                show(Shown::Sound(at, &frame))?;
            }
            _ => damaged += 1,
        }
    }
    Ok(damaged)
}

fn joined(so_far: Option<Span>, more: Span) -> Span {
    so_far.map_or(more, |so_far| Span::between(so_far.start().min(more.start()), so_far.end().max(more.end())))
}
