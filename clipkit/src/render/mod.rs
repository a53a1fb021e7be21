//! Rendering: from a [`ClipPlan`] to a video file.

#[cfg(feature = "ffmpeg")]
mod bumper;
#[cfg(feature = "ffmpeg")]
mod chain;
#[cfg(feature = "ffmpeg")]
mod clip_audio;
#[cfg(feature = "ffmpeg")]
mod compose;
#[cfg(feature = "ffmpeg")]
mod contact_sheet;
#[cfg(feature = "ffmpeg")]
mod cover;
#[cfg(feature = "ffmpeg")]
mod draw;
#[cfg(feature = "ffmpeg")]
mod envelope;
#[cfg(feature = "ffmpeg")]
mod export;
#[cfg(feature = "ffmpeg")]
mod ffmpeg;
mod font;
#[cfg(feature = "ffmpeg")]
mod frame;
#[cfg(feature = "ffmpeg")]
mod frame_rate;
#[cfg(feature = "ffmpeg")]
mod joined_audio;
#[cfg(feature = "ffmpeg")]
mod loudness;
#[cfg(feature = "ffmpeg")]
mod luma_signature;
#[cfg(feature = "ffmpeg")]
mod mix;
#[cfg(feature = "ffmpeg")]
mod overlay;
#[cfg(feature = "ffmpeg")]
mod part_joiner;
#[cfg(feature = "ffmpeg")]
mod pass;
#[cfg(feature = "ffmpeg")]
mod pictures;
#[cfg(feature = "ffmpeg")]
mod preview;
#[cfg(feature = "ffmpeg")]
mod record;
#[cfg(feature = "ffmpeg")]
mod segments;
#[cfg(feature = "ffmpeg")]
mod soundtrack;
mod text;
#[cfg(feature = "ffmpeg")]
mod thread;
#[cfg(feature = "ffmpeg")]
mod verify;

#[cfg(feature = "ffmpeg")]
pub(crate) use bumper::with_lengths;
#[cfg(feature = "ffmpeg")]
pub use contact_sheet::contact_sheet;
#[cfg(feature = "ffmpeg")]
pub use export::{export, export_file};
#[cfg(feature = "ffmpeg")]
pub use ffmpeg::FfmpegRenderer;
#[cfg(feature = "ffmpeg")]
pub use preview::preview;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, RenderedClip};

/// Whether a font family is installed.
#[cfg(feature = "ffmpeg")]
pub(crate) fn has_font(family: &str) -> bool {
    font::FontSet::installed().has(family)
}

/// Renders the clip that a plan describes.
///
/// For implementers:
/// - Follow the plan and decide nothing that it determines.
/// - Write files below [`Context::scratch`] under unique names, because several clips are rendered
///   concurrently.
/// - Video and audio start together at 0. The file has the frames that [`ClipPlan::parts`] says:
///   those of the intro, of the clip and of the outro, in one encode.
/// - Return a clip only after its finished file was read again and matches the plan.
/// - Return an error of kind [`Captions`](crate::ErrorKind::Captions) if, and only if, the captions
///   could not be drawn, so that the caller can decide to render without them. Return one of kind
///   [`Overlay`](crate::ErrorKind::Overlay), with the file's path, if the image of an overlay could
///   not be read.
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
