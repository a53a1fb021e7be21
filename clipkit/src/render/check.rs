use super::ffmpeg::Files;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{Clip, ClipPlan};

/// Opens the rendered file and holds it against its plan: what fails is never handed on.
pub(super) fn clip(cx: &Context, plan: &ClipPlan, files: &Files) -> Result<Clip> {
    let made = av::probe(cx, &files.video, plan.source.id.clone())?;
    let refuse = |what: String| {
        Err(Error::new(ErrorKind::Encode, format!("the rendered clip is not as planned: {what}"))
            .with_recovery(Recovery::Retry { after: None }))
    };
    let Some(video) = &made.video else { return refuse("it has no picture".into()) };
    if (video.width, video.height) != (plan.output.width, plan.output.height) {
        return refuse(format!("it is {}x{}", video.width, video.height));
    }
    if made.audio.is_empty() {
        return refuse("it has no sound".into());
    }
    let frame = 1.0 / plan.output.frame_rate.fps();
    let (wanted, got) = (plan.span.duration().as_secs_f64(), made.duration.secs());
    // Sound comes in packets of 1024 samples, so it may end one packet later.
    if (got - wanted).abs() > frame.max(0.022) + 0.001 {
        return refuse(format!("it lasts {got:.3} s, not {wanted:.3} s"));
    }
    Ok(Clip { video: files.video.clone(), cover: files.cover.clone(), duration: made.duration, frames: plan.frames() })
}
