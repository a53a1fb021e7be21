//! Getting the input onto this machine and finding out what it is.

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

/// Gets a video onto this machine and says what is in it.
///
/// For implementers:
/// - `uri` is what the user gave: a path, or an address that this source understands. Refuse others with `ErrorKind::InvalidInput`.
/// - The file at [`Media::path`] stays readable until the run ends. A file that is fetched goes below [`Context::scratch`].
/// - [`Media::id`] is the same for the same bytes, whatever the name.
/// - A file without a picture is a valid answer; what needs one refuses it.
#[async_trait]
pub trait Source: Send + Sync {
    /// Gets the video.
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media>;
}
