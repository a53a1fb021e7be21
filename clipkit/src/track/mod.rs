//! Camera shots, faces and other subjects in a span of a video: the [`FaceTracker`] stage.

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

/// The input of a [`FaceTracker`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tracking {
    /// The video.
    pub media: Media,
    /// The span to analyse, on the source's timeline.
    pub span: Span,
}

/// Finds the camera shots and the faces in a span, in one pass over its frames.
///
/// For implementers:
/// - Times are on the source's timeline. Boxes are fractions of the displayed picture (upright,
///   square pixels), from the top left.
/// - Shots cover the span without gaps. A shot starts at the time of its first frame. A tracker
///   that does not look for cuts returns no shots.
/// - A track belongs to one person and lies inside one shot. Its samples are in order of time.
/// - A span without faces is a result without faces, not an error. A missing model or library is
///   `ErrorKind::Unavailable`.
#[async_trait]
pub trait FaceTracker: Send + Sync {
    /// Finds the shots and faces of the span.
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks>;

    /// Identifies everything that determines the result besides the input: the model, the options,
    /// the version of the implementation; no secrets. A [`Cache`](crate::layer::Cache) stores
    /// results under it. `None`, the default, means that the stage is not cached.
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
