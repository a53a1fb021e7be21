//! The only place that knows FFmpeg: opening, probing, decoding, filtering, encoding.
//!
//! Everything here blocks and belongs to one thread at a time; stages call it through `Context::blocking`.

mod aac;
mod audio;
mod canvas;
mod deinterlace;
mod encode;
mod graph;
mod input;
mod orient;
mod packet_digest;
mod picture;
mod probe;
mod resample;
mod review;
mod shrink;
#[cfg(target_arch = "x86_64")]
mod shuffle;
mod span_reader;
mod speech;
pub(crate) mod subtitle;
mod thumbnail;
mod video;

pub(crate) use aac::{AAC_FRAME, EncodedSound, SoundEncoder};
pub(crate) use audio::AudioReader;
pub(crate) use canvas::{Area, Canvas};
pub(crate) use deinterlace::Progressive;
pub(crate) use encode::{Mp4Writer, SAMPLE_RATE, VideoEncoder, VideoSettings};
pub(crate) use graph::{AudioGraph, Filter, PictureFormat, VideoGraph};
pub(crate) use orient::{displayed_rect, stored_rect};
pub(crate) use packet_digest::PacketDigests;
pub(crate) use picture::{Picture, RgbImage};
pub(crate) use probe::{probe, probe_header};
pub(crate) use review::{Reviewed, Shown, review};
pub(crate) use span_reader::SpanReader;
pub(crate) use speech::{LEVEL_SECS, RATE as SPEECH_RATE, extract as extract_speech, listen, samples as speech_samples};
pub(crate) use thumbnail::Thumbnailer;
pub(crate) use video::{Effort, VideoReader};

use std::sync::Once;

use ffmpeg_next as ff;

/// A decoded or filtered picture, without its place on a timeline.
pub(crate) type VideoFrame = ff::frame::Video;
/// Decoded or filtered sound.
pub(crate) type AudioFrame = ff::frame::Audio;

use crate::error::{Error, ErrorKind};

/// Prepares FFmpeg once per process. Its own log is limited to what ends the process: errors come back as values.
fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        ff::log::set_level(ff::log::Level::Fatal);
        // Registers nothing on FFmpeg >= 5; there it cannot fail.
        let _ = ff::init();
    });
}

/// Whether the linked FFmpeg has this filter.
pub(crate) fn has_filter(name: &str) -> bool {
    init();
    ff::filter::find(name).is_some()
}

/// Turns FFmpeg's error code into ours. `doing` completes "cannot ...".
fn fail(kind: ErrorKind, doing: &str, code: ff::Error) -> Error {
    match code {
        ff::Error::Exit => Error::cancelled(),
        ff::Error::Other { errno: ff::error::ENOSPC } => {
            Error::new(ErrorKind::Io, format!("cannot {doing}: the disk is full")).with_advice("free some space and run again")
        }
        code => Error::new(kind, format!("cannot {doing}: {code}")),
    }
}

/// FFmpeg's calls answer a negative number for an error.
fn check(answer: i32) -> Result<i32, ff::Error> {
    if answer < 0 { Err(ff::Error::from(answer)) } else { Ok(answer) }
}
