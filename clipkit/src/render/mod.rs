//! From a plan to a file.

mod chain;
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
mod part;
mod pass;
mod record;
mod sound;
mod soundtrack;
mod text;
mod verify;

pub use contact_sheet::contact_sheet;
pub use ffmpeg::FfmpegRenderer;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, RenderedClip};

/// Makes the file that a plan describes.
///
/// For implementers:
/// - Obey the plan; decide nothing that it says.
/// - The files go below [`Context::scratch`] under names of their own: several clips are rendered at once.
/// - Picture and sound start together at 0; the length is [`ClipPlan::frames`] frames.
/// - Answer a clip only when its file was opened again and found to be what the plan says.
/// - Check [`Context::check`] at least once a frame.
#[async_trait]
pub trait Renderer: Send + Sync {
    /// Renders the plan.
    async fn render(&self, cx: &Context, plan: &ClipPlan) -> Result<RenderedClip>;

    /// The columns and rows this renderer was set up for. Plans are made for this size; none leaves it to the planner.
    fn size(&self) -> Option<(u32, u32)> {
        None
    }

    /// Whether this is a stage of clipkit's own, for [`StandIn`](crate::StandIn). Leave it as it
    /// is.
    #[doc(hidden)]
    fn is_builtin(&self) -> bool {
        false
    }
}
