//! Sources fetch the input to this machine and probe it.

#[cfg(feature = "ffmpeg")]
mod arrival;
#[cfg(feature = "ffmpeg")]
mod auto;
#[cfg(feature = "ffmpeg")]
mod early;
#[cfg(feature = "ffmpeg")]
mod file;
#[cfg(feature = "ffmpeg")]
mod http;
#[cfg(feature = "ffmpeg")]
mod object;
#[cfg(feature = "ffmpeg")]
mod upload;
#[cfg(feature = "ffmpeg")]
mod ytdlp;

#[cfg(feature = "ffmpeg")]
pub use auto::AutoSource;
#[cfg(all(any(test, fuzzing), feature = "ffmpeg"))]
pub(crate) use auto::sort_address;
#[cfg(feature = "ffmpeg")]
pub(crate) use early::Announcement;
#[cfg(feature = "ffmpeg")]
pub use file::FileSource;
#[cfg(feature = "ffmpeg")]
pub(crate) use file::is_hash;
#[cfg(feature = "ffmpeg")]
pub use http::HttpSource;
#[cfg(feature = "ffmpeg")]
pub use object::ObjectStoreSource;
#[cfg(feature = "ffmpeg")]
pub(crate) use upload::upload_key;
#[cfg(feature = "ffmpeg")]
pub use ytdlp::YtDlp;
#[cfg(feature = "ffmpeg")]
pub(crate) use ytdlp::program;

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
