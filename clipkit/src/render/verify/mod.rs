//! The gate after a render: the finished file is read from start to end, held against what the encoder gave, packet by packet, and, as far as
//! it is decoded, compared with what was handed to the encoder. What does not hold it is never handed on.

mod audio;
#[cfg(test)]
mod tests;
mod video;

use audio::AudioCheck;
use video::VideoCheck;

use super::ffmpeg::Files;
use super::record::RenderRecord;
use crate::av::{self, Reviewed, Shown};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{ClipPlan, RenderedClip, Span, Timestamp};

/// Sound and picture may start and end this far apart, in seconds: less than anybody sees.
const TOGETHER_SECS: f64 = 0.020;
/// AAC comes in packets of 1024 samples, so sound may last one longer than the picture.
const PACKET_SECS: f64 = 1024.0 / 48_000.0;
/// Containers round times.
const ROUNDING_SECS: f64 = 0.001;
/// Frames that came out black, in seconds, before the framing counts as broken.
const BLACKED_OUT_SECS: f64 = 0.2;

/// What the gate says.
pub(super) enum Verdict {
    /// The file is what was planned.
    Passed(RenderedClip),
    /// It is not, and in what.
    Refused(String),
}

/// A file that cannot be handed on, as an error.
pub(super) fn refusal(why: &str) -> Error {
    Error::new(ErrorKind::Encode, format!("the rendered clip is not as planned: {why}")).with_recovery(Recovery::Reencode)
}

/// Opens the rendered file and holds it against its plan and against what was seen of its making.
pub(super) fn judge(cx: &Context, plan: &ClipPlan, files: &Files, witness: &RenderRecord, threads: usize) -> Result<Verdict> {
    let mut sight = VideoCheck::new(plan, &witness.pictures);
    let mut hearing = AudioCheck::new(plan, witness)?;
    let read = av::review(cx, &files.video, threads, &witness.seals, &mut |shown| {
        match shown {
            Shown::Picture(at, frame) => sight.see(at, frame),
            Shown::Sound(at, frame) => hearing.hear(at, frame)?,
        }
        Ok(())
    });
    let found = match read {
        Ok(found) => found,
        Err(error) if error.is_cancelled() || error.kind() == ErrorKind::Io => return Err(error),
        // The encoder's own file is no input of anybody's.
        Err(error) => return Ok(Verdict::Refused(format!("it cannot be read: {error}"))),
    };
    let blacked_out = witness.blacked_out as f64 / plan.output.frame_rate.fps();
    let framed = (blacked_out >= BLACKED_OUT_SECS).then(|| format!("it is black for {blacked_out:.1} s where the source is not"));
    let altered = (found.altered > 0).then(|| format!("{} packets of it are not what was encoded", found.altered));
    let faults = [frame_by_frame(plan, &found), framed, sight.verdict(), hearing.verdict()?, altered];
    if let Some(why) = faults.into_iter().flatten().next() {
        return Ok(Verdict::Refused(why));
    }
    let duration = [found.picture, found.sound].into_iter().flatten().map(Span::end).max().unwrap_or_default();
    Ok(Verdict::Passed(RenderedClip { video: files.video.clone(), cover: files.cover.clone(), duration, frames: plan.frames() }))
}

/// Number of frames, length, and that sound and picture start and end together.
fn frame_by_frame(plan: &ClipPlan, found: &Reviewed) -> Option<String> {
    let Some(picture) = found.picture else { return Some("it has no picture".into()) };
    let Some(sound) = found.sound else { return Some("it has no sound".into()) };
    if found.damaged > 0 {
        return Some(format!("{} packets of it are damaged", found.damaged));
    }
    if found.frames != plan.frames() {
        return Some(format!("it has {} frames, not {}", found.frames, plan.frames()));
    }
    let apart = sound.start().since(picture.start()).secs();
    if apart.abs() > TOGETHER_SECS {
        return Some(format!("its sound starts {apart:+.3} s from its picture"));
    }
    let frame = 1.0 / plan.output.frame_rate.fps();
    let wanted = plan.span.duration().as_secs_f64();
    for (what, span) in [("picture", picture), ("sound", sound)] {
        let (from, to) = (span.start().secs(), span.end().secs());
        if from.abs() > TOGETHER_SECS || (to - wanted).abs() > frame.max(PACKET_SECS) + ROUNDING_SECS {
            return Some(format!("its {what} lasts from {from:.3} to {to:.3} s, not to {wanted:.3} s"));
        }
    }
    None
}

/// What is told of a fault at a moment of the clip.
fn at(moment: Timestamp) -> String {
    format!("at {moment}")
}
