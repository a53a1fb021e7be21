use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame_analysis::{FrameAnalysis, SpanFrames};
use super::{FaceTracker, Tracking};
use crate::context::Context;
use crate::error::Result;
use crate::model::Tracks;

/// How often progress is reported, in seconds of the video.
const PROGRESS_STEP: f64 = 0.2;

/// Finds cuts and motion, without a model: people who talk and gesture move more than the
/// background.
///
/// It detects no faces. It decodes enough frames of the span at a small size, and what moves in
/// them, apart from the camera, becomes the [`subjects`](Tracks::subjects). It is a fallback where
/// no model is available, and follows the action better than a crop in the middle of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MotionTracker {}

#[async_trait]
impl FaceTracker for MotionTracker {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let tracking = tracking.clone();
        cx.blocking(move |cx| track(cx, &tracking)).await
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

fn track(cx: &Context, tracking: &Tracking) -> Result<Tracks> {
    let span = tracking.span;
    let mut analysis = FrameAnalysis::new(tracking.media.require_video()?);
    let mut frames = SpanFrames::open(cx, tracking)?;
    let length = span.duration().as_secs_f64().max(1e-6);
    let mut reported = span.start();
    while let Some((at, picture)) = frames.next()? {
        analysis.push(at, &picture)?;
        if at >= reported {
            cx.progress(at.since(span.start()).secs() / length);
            reported = at.plus(PROGRESS_STEP);
        }
    }
    let mut analysed = analysis.finish(frames, &mut |_, _| Ok(()))?;
    let subjects = analysed.subjects(&[]);
    cx.progress(1.0);
    Ok(Tracks { shots: analysed.shots, faces: Vec::new(), subjects })
}
