//! Finding shots and faces in a span of a video.

mod associate;
mod auto;
mod camera;
mod center;
mod cut_candidates;
mod detect;
mod detection_schedule;
mod frame_analysis;
mod frames;
mod kalman;
mod motion;
mod onnx;
mod pixels;
mod screen;
mod shot;
mod speaker;
mod subject;

#[doc(hidden)]
pub use associate::SeenFaces;
pub(crate) use auto::AutoTracker;
pub use auto::FaceModel;
pub use center::CenterTracker;
pub use frames::{Frame, FrameOptions, Frames};
pub use motion::MotionTracker;
pub use onnx::{OnnxTracker, OnnxTrackerOptions};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span, Tracks};

/// What a [`FaceTracker`] is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tracking {
    /// The video.
    pub media: Media,
    /// The stretch to look at, on the source's timeline.
    pub span: Span,
}

/// Finds the camera shots and the faces in a span, in one pass over its frames.
///
/// For implementers:
/// - Times are on the source's timeline; boxes are fractions of the displayed picture (upright, square pixels).
/// - Shots cover the span without gaps; a shot starts at the time of its first frame. A tracker that does not look for cuts answers no shots.
/// - A track stays with one person and inside one shot; its samples are in order of time.
/// - No face is an answer without faces, not an error. A model or library that is missing is `ErrorKind::Unavailable`.
#[async_trait]
pub trait FaceTracker: Send + Sync {
    /// Looks at the span.
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks>;

    /// What decides the answers besides the input: the model, the settings, the version of whatever does the work; no secrets. Answers are
    /// kept by a [`Cache`](crate::layer::Cache) under it. None, the default, where that cannot be said: such a stage is not cached.
    fn fingerprint(&self) -> Option<String> {
        None
    }

    /// Whether this is a stage of clipkit's own, for [`StandIn`](crate::StandIn). Leave it as it
    /// is.
    #[doc(hidden)]
    fn is_builtin(&self) -> bool {
        false
    }
}
