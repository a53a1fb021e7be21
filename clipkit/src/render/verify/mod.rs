//! Verification of a rendered clip. The finished file is read completely and compared with the
//! encoders' packets, and its decoded part is compared with what was encoded and with the sound of
//! the source. A file that differs is never returned.

mod audio;
mod source;
#[cfg(test)]
mod tests;
mod video;

use audio::AudioCheck;
use video::VideoCheck;

use super::ffmpeg::Files;
use super::pass::Input;
use super::record::RenderRecord;
use super::thread;
use crate::av::{self, Decoded, Inspection};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{ClipPlan, OutputParts, RenderedClip, Span, Timestamp};

/// The tolerated difference between the starts and ends of audio and video, in seconds; below
/// perception.
const SYNC_TOLERANCE_SECS: f64 = 0.020;
/// AAC packets hold 1024 samples, so audio may be up to one packet longer than video.
const PACKET_SECS: f64 = 1024.0 / 48_000.0;
/// Containers round timestamps.
const ROUNDING_SECS: f64 = 0.001;
/// The duration of wrongly black frames, in seconds, from which a clip counts as broken.
const BLACK_SECS: f64 = 0.2;

/// The result of verification.
pub(super) enum Verdict {
    /// The file matches the plan.
    Passed(RenderedClip),
    /// The file does not match the plan, and why.
    Failed(String),
}

/// The error for a file that failed verification.
pub(super) fn error(why: &str) -> Error {
    Error::new(ErrorKind::Encode, format!("the rendered clip failed verification: {why}")).with_recovery(Recovery::Reencode)
}

/// Reads the rendered file and compares it with its plan, its render record and the sound of its
/// source, and of those of intro and outro.
pub(super) fn run(cx: &Context, input: &Input<'_>, files: &Files, record: &RenderRecord, threads: usize) -> Result<Verdict> {
    let plan = input.plan;
    let parts = plan.parts()?;
    let mut video = VideoCheck::new(plan, &record.frames);
    let mut audio = AudioCheck::new(plan, record)?;
    let own = &cx.child();
    let (read, heard) = std::thread::scope(|scope| {
        let heard = thread::spawn(scope, "clipkit-source", own, || source::heard(own, input, &parts));
        let read = av::inspect(cx, &files.video, threads, &record.digests, &mut |decoded| {
            match decoded {
                Decoded::Video(at, frame) => video.push(at, frame),
                Decoded::Audio(at, frame) => audio.push(at, frame)?,
            }
            Ok(())
        });
        (read, heard.and_then(thread::join))
    });
    let inspection = match read {
        Ok(inspection) => inspection,
        Err(error) if error.is_cancelled() || error.kind() == ErrorKind::Io => return Err(error),
        // An unreadable file is a fault of the render, not an invalid input.
        Err(error) => return Ok(Verdict::Failed(format!("it cannot be read: {error}"))),
    };
    let black_secs = record.black_frames as f64 / plan.output.frame_rate.fps();
    let black = (black_secs >= BLACK_SECS).then(|| format!("it is black for {black_secs:.1} s although the source is not"));
    let altered = (inspection.altered > 0).then(|| format!("{} of its packets differ from the encoder's", inspection.altered));
    let faults = [check_timing(plan, &parts, &inspection), black, video.fault(), audio.fault()?, altered];
    if let Some(why) = faults.into_iter().flatten().next() {
        return Ok(Verdict::Failed(why));
    }
    if let Some(why) = heard?.iter().find_map(|heard| heard.silence(audio.envelope())) {
        return Ok(Verdict::Failed(why));
    }
    let duration = [inspection.video, inspection.audio].into_iter().flatten().map(Span::end).max().unwrap_or_default();
    Ok(Verdict::Passed(RenderedClip { video: files.video.clone(), cover: files.cover.clone(), duration, frames: parts.frames() }))
}

/// Checks the number of frames, the duration, and that audio and video start and end together.
fn check_timing(plan: &ClipPlan, parts: &OutputParts, inspection: &Inspection) -> Option<String> {
    let Some(video) = inspection.video else { return Some("it has no video".into()) };
    let Some(audio) = inspection.audio else { return Some("it has no audio".into()) };
    if inspection.damaged > 0 {
        return Some(format!("{} of its packets are damaged", inspection.damaged));
    }
    if inspection.frames != parts.frames() {
        return Some(format!("it has {} frames, not {}", inspection.frames, parts.frames()));
    }
    let apart = audio.start().since(video.start()).secs();
    if apart.abs() > SYNC_TOLERANCE_SECS {
        return Some(format!("its audio starts {apart:+.3} s from its video"));
    }
    let frame = 1.0 / plan.output.frame_rate.fps();
    let wanted = parts.end().secs();
    for (what, span) in [("video", video), ("audio", audio)] {
        let (from, to) = (span.start().secs(), span.end().secs());
        if from.abs() > SYNC_TOLERANCE_SECS || (to - wanted).abs() > frame.max(PACKET_SECS) + ROUNDING_SECS {
            return Some(format!("its {what} lasts from {from:.3} to {to:.3} s, not to {wanted:.3} s"));
        }
    }
    None
}

/// The part of a message that states a moment of the clip.
fn at(moment: Timestamp) -> String {
    format!("at {moment}")
}
