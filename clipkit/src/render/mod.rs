//! Rendering: from a [`ClipPlan`] to a video file.

mod chain;
mod clip_audio;
mod compose;
mod contact_sheet;
mod cover;
mod envelope;
mod ffmpeg;
mod font;
mod frame;
mod frame_rate;
mod loudness;
mod luma_signature;
mod pass;
mod record;
mod soundtrack;
mod text;
mod thread;
mod verify;

pub use contact_sheet::contact_sheet;
pub use ffmpeg::FfmpegRenderer;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, RenderedClip};

/// Renders the clip that a plan describes.
///
/// For implementers:
/// - Follow the plan and decide nothing that it determines.
/// - Write files below [`Context::scratch`] under unique names, because several clips are rendered
///   concurrently.
/// - Video and audio start together at 0. The clip has [`ClipPlan::frames`] frames.
/// - Return a clip only after its finished file was read again and matches the plan.
/// - Return an error of kind [`Captions`](crate::ErrorKind::Captions) if, and only if, the captions
///   could not be drawn, so that the caller can decide to render without them.
/// - Call [`Context::check`] at least once per frame.
#[async_trait]
pub trait Renderer: Send + Sync {
    /// Renders the plan and returns the clip's files, which stay below [`Context::scratch`].
    async fn render(&self, cx: &Context, plan: &ClipPlan) -> Result<RenderedClip>;

    /// The columns and rows in pixels that this renderer is configured for. Plans are made for this
    /// size. `None` leaves the size to the planner.
    fn size(&self) -> Option<(u32, u32)> {
        None
    }

    /// Whether this is a stage of clipkit's own, for [`StandIn`](crate::StandIn). Do not override
    /// it.
    #[doc(hidden)]
    fn is_builtin(&self) -> bool {
        false
    }
}
