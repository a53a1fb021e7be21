//! The only room that calls FFmpeg: it opens, probes, decodes, filters, encodes and muxes.
//!
//! All functions block, and each value belongs to one thread at a time. Stages call them through
//! `Context::blocking`. FFmpeg's log is process-wide and is left as it is; see [`quiet_log`].

mod aac;
mod audio;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod canvas;
mod deinterlace;
mod downscale;
mod encode;
mod flatten;
mod graph;
mod input;
mod inspect;
mod orient;
mod packet_digest;
mod picture;
mod probe;
mod resample;
mod shape;
mod span_reader;
mod speech;
mod stream_info;
mod subtitle;
mod thumbnail;
mod uniform_audio;
mod video;

pub(crate) use aac::{AAC_FRAME, AacCoder, AudioEncoder, EncodedAudio};
pub(crate) use audio::{AudioReader, default_track as default_audio_track, stereo_frame};
pub(crate) use canvas::{Area, Canvas, bt709};
pub(crate) use deinterlace::Deinterlacer;
pub(crate) use encode::{Mp4Writer, SAMPLE_RATE, VideoEncoder, VideoSettings};
pub(crate) use flatten::{dim, flat_picture, flatten};
pub(crate) use graph::{AudioGraph, Filter, PictureFormat, VideoGraph};
pub(crate) use inspect::{Decoded, Inspection, inspect};
pub(crate) use orient::{displayed_rect, stored_rect};
pub(crate) use packet_digest::PacketDigests;
pub(crate) use picture::{Luma, Picture, RgbImage};
pub(crate) use probe::{probe, probe_header};
pub(crate) use shape::placed;
pub(crate) use span_reader::SpanReader;
pub(crate) use speech::{LEVEL_SECS, RATE as SPEECH_RATE, extract as extract_speech, listen, samples as speech_samples};
pub(crate) use subtitle::read_subtitles;
pub(crate) use thumbnail::Thumbnailer;
pub(crate) use video::{Effort, VideoReader};

use std::sync::Once;

use ff::ffi;
use ffmpeg_next as ff;

/// An encoded packet.
pub(crate) type Packet = ff::Packet;
/// A decoded or filtered picture without a timestamp on the source's timeline.
pub(crate) type VideoFrame = ff::frame::Video;
/// A decoded or filtered block of audio.
pub(crate) type AudioFrame = ff::frame::Audio;

use crate::error::{Error, ErrorKind};
use crate::model::{FrameRate, Limits};

/// Registers FFmpeg's components once per process.
fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // From FFmpeg 5 on this does nothing and cannot fail.
        let _ = ff::init();
    });
}

/// Restricts FFmpeg's log on stderr to messages about errors that end the process.
///
/// The log level belongs to the whole process, so no other function of this crate changes it: it
/// stays at FFmpeg's default (information and above) or at what the program has set. Errors are
/// returned as values in either case. The `clipkit` command calls this at its start; a program that
/// uses the crate may do the same.
pub fn quiet_log() {
    ff::log::set_level(ff::log::Level::Fatal);
}

/// Raises the log levels of one codec context, so that at FFmpeg's default level it logs fatal
/// errors only. Encoders report statistics for each file otherwise, and decoders every damaged
/// packet.
fn quiet_codec(context: &mut ff::codec::Context) {
    // SAFETY: sets a field of a context we own.
    unsafe { (*context.as_mut_ptr()).log_level_offset = ffi::AV_LOG_INFO - ffi::AV_LOG_FATAL };
}

/// Makes a decoder refuse pictures with more pixels than the limits allow. A stream can change its
/// size at any frame.
fn limit_picture(context: &mut ff::codec::Context, limits: &Limits) {
    // SAFETY: sets a field of a context we own, before it is opened.
    unsafe { (*context.as_mut_ptr()).max_pixels = i64::try_from(limits.picture_pixels).unwrap_or(i64::MAX) };
}

/// Returns whether the linked FFmpeg has this filter.
pub(crate) fn has_filter(name: &str) -> bool {
    init();
    ff::filter::find(name).is_some()
}

/// Returns whether the linked FFmpeg has this encoder.
pub(crate) fn has_encoder(name: &str) -> bool {
    init();
    ff::encoder::find_by_name(name).is_some()
}

/// The version of the linked FFmpeg, such as `5.1.9-0+deb12u1`.
pub(crate) fn version() -> String {
    // SAFETY: the function returns a static, terminated string.
    unsafe { std::ffi::CStr::from_ptr(ffi::av_version_info()) }.to_string_lossy().into_owned()
}

/// Converts an FFmpeg error code to an [`Error`]. `doing` completes the phrase "cannot ...".
fn ff_error(kind: ErrorKind, doing: &str, code: ff::Error) -> Error {
    match code {
        ff::Error::Exit => Error::cancelled(),
        ff::Error::Other { errno: ff::error::ENOSPC } => {
            Error::new(ErrorKind::Io, format!("cannot {doing}: the disk is full")).with_advice("free some space and run again")
        }
        code => Error::new(kind, format!("cannot {doing}: {code}")),
    }
}

/// Converts a return value of FFmpeg's C API: negative values are error codes.
fn check(result: i32) -> Result<i32, ff::Error> {
    if result < 0 { Err(ff::Error::from(result)) } else { Ok(result) }
}

/// Interprets the result of a "receive" call of FFmpeg: `true` if it returned an item, `false` if
/// it needs more input first or has reached the end of the stream. All other codes are errors.
fn received(result: Result<(), ff::Error>) -> Result<bool, ff::Error> {
    match result {
        Ok(()) => Ok(true),
        Err(ff::Error::Eof | ff::Error::Other { errno: ff::error::EAGAIN }) => Ok(false),
        Err(code) => Err(code),
    }
}

/// The duration of a frame as FFmpeg's time base: numerator and denominator, in seconds.
///
/// Fails with [`ErrorKind::InvalidPlan`] if a number is 0 or does not fit in an `AVRational`, whose
/// parts are signed 32-bit integers.
pub(crate) fn frame_time_base(rate: FrameRate) -> Result<(i32, i32), Error> {
    match (i32::try_from(rate.den), i32::try_from(rate.num)) {
        (Ok(num @ 1..), Ok(den @ 1..)) => Ok((num, den)),
        _ => Err(Error::new(
            ErrorKind::InvalidPlan,
            format!("the frame rate {}/{} is out of range: both numbers must be from 1 to {}", rate.num, rate.den, i32::MAX),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_more_input_and_end_of_stream_are_not_errors() {
        assert_eq!(received(Ok(())), Ok(true));
        assert_eq!(received(Err(ff::Error::Eof)), Ok(false));
        assert_eq!(received(Err(ff::Error::Other { errno: ff::error::EAGAIN })), Ok(false));
        for code in [ff::Error::External, ff::Error::InvalidData, ff::Error::Other { errno: ff::error::ENOMEM }] {
            assert_eq!(received(Err(code)), Err(code));
        }
    }

    #[test]
    fn a_frame_rate_that_ffmpeg_cannot_hold_is_an_invalid_plan() {
        assert_eq!(frame_time_base(FrameRate::new(30_000, 1001)).unwrap(), (1001, 30_000));
        for (num, den) in [(1 << 31, 1 << 26), (u32::MAX, u32::MAX), (30, 1 << 31), (0, 1)] {
            assert_eq!(frame_time_base(FrameRate { num, den }).unwrap_err().kind(), ErrorKind::InvalidPlan);
        }
    }
}
