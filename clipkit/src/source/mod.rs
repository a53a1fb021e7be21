//! Sources fetch the input to this machine and probe it.

#[cfg(feature = "ffmpeg")]
mod file;

#[cfg(feature = "ffmpeg")]
pub use file::FileSource;
#[cfg(feature = "ffmpeg")]
pub(crate) use file::is_hash;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::Media;

/// Fetches a video to this machine and probes it.
///
/// For implementers:
/// - `uri` is what the user gave: a path, or an address that this source interprets. Reject others
///   with `ErrorKind::InvalidInput`.
/// - The file at [`Media::path`] stays readable until the run ends. Write downloaded files below
///   [`Context::scratch`].
/// - [`Media::id`] is equal for equal content, independent of the name.
/// - A file without video is a valid result; stages that need video reject it.
#[async_trait]
pub trait Source: Send + Sync {
    /// Fetches the video.
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media>;
}
