//! Camera shots, faces and other subjects in a span of a video: the [`FaceTracker`] stage.

#[cfg(feature = "onnx")]
mod active_speaker;
#[cfg(feature = "onnx")]
mod associate;
#[cfg(feature = "ffmpeg")]
mod auto;
#[cfg(feature = "ffmpeg")]
mod camera;
mod center;
#[cfg(feature = "ffmpeg")]
mod cut_candidates;
#[cfg(feature = "onnx")]
mod detect;
#[cfg(feature = "onnx")]
mod detection_schedule;
#[cfg(feature = "ffmpeg")]
mod frame_analysis;
#[cfg(feature = "ffmpeg")]
mod frames;
#[cfg(feature = "onnx")]
mod kalman;
#[cfg(feature = "ffmpeg")]
mod motion;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(all(feature = "ffmpeg", not(feature = "onnx")))]
#[path = "onnx_unavailable.rs"]
mod onnx;
#[cfg(feature = "ffmpeg")]
mod onnx_options;
#[cfg(feature = "ffmpeg")]
mod pixels;
#[cfg(feature = "ffmpeg")]
mod screen;
#[cfg(feature = "ffmpeg")]
mod shot;
#[cfg(feature = "onnx")]
mod speaker;
#[cfg(feature = "ffmpeg")]
mod subject;

#[cfg(feature = "onnx")]
#[doc(hidden)]
pub use associate::SeenFaces;
#[cfg(feature = "ffmpeg")]
pub(crate) use auto::AutoTracker;
#[cfg(feature = "ffmpeg")]
pub use auto::FaceModel;
pub use center::CenterTracker;
#[cfg(feature = "ffmpeg")]
pub use frames::{Frame, FrameOptions, Frames};
#[cfg(feature = "ffmpeg")]
pub use motion::MotionTracker;
#[cfg(feature = "ffmpeg")]
pub use onnx::OnnxTracker;
#[cfg(feature = "ffmpeg")]
pub use onnx_options::OnnxTrackerOptions;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::{Media, Span, Tracks};

/// The input of a [`FaceTracker`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Tracking {
    /// The video.
    pub media: Media,
    /// The span to analyse, on the source's timeline.
    pub span: Span,
}

impl Tracking {
    /// Makes an input from a video and a span on its timeline.
    pub fn new(media: Media, span: Span) -> Self {
        Tracking { media, span }
    }
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
    ///
    /// `environment` is the context's: a stage takes from it what its own settings leave open, an
    /// address for example.
    fn fingerprint(&self, environment: &Environment) -> Option<String> {
        let _ = environment;
        None
    }

    /// Whether this is a stage of clipkit's own, for [`StandIn`](crate::StandIn). Leave it as it
    /// is.
    #[doc(hidden)]
    fn is_builtin(&self) -> bool {
        false
    }
}
