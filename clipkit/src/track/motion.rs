use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame_analysis::{FrameAnalysis, Frames};
use super::{FaceTracker, Tracking};
use crate::context::Context;
use crate::error::Result;
use crate::model::Tracks;

/// How often it is told how far the work is, in seconds of the video.
const TOLD: f64 = 0.2;

/// Finds cuts and what moves, without any model: who talks and gestures moves more than what stands behind.
///
/// It knows no faces. Enough frames of the span are decoded and made small; what moves in them, apart from the camera, becomes the
/// [`subjects`](Tracks::subjects). It is what is left where no model is at hand, and steadier than a crop in the middle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MotionTracker {}

#[async_trait]
impl FaceTracker for MotionTracker {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let tracking = tracking.clone();
        cx.blocking(move |cx| look_at(cx, &tracking)).await
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

fn look_at(cx: &Context, tracking: &Tracking) -> Result<Tracks> {
    let span = tracking.span;
    let mut watch = FrameAnalysis::new(tracking.media.require_video()?);
    let mut frames = Frames::open(cx, tracking)?;
    let length = span.duration().as_secs_f64().max(1e-6);
    let mut told = span.start();
    while let Some((at, picture)) = frames.next()? {
        watch.push(at, &picture)?;
        if at >= told {
            cx.progress(at.since(span.start()).secs() / length);
            told = at.plus(TOLD);
        }
    }
    let mut watched = watch.finish(frames, &mut |_, _| Ok(()))?;
    let subjects = watched.besides(&[]);
    cx.progress(1.0);
    Ok(Tracks { shots: watched.shots, faces: Vec::new(), subjects })
}
