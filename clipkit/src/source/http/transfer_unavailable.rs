//! A build without the feature `http` downloads no media.

use super::HttpSource;
use crate::context::Context;
use crate::error::Result;
use crate::features;
use crate::model::Media;

/// What an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Kind {
    /// A media file.
    Media,
    /// Anything else.
    Other,
}

pub(super) async fn fetch(_cx: &Context, _options: &HttpSource, uri: &str) -> Result<Media> {
    Err(features::missing("downloads over HTTP", "http").with_url(uri))
}

/// Nothing is asked in this build.
pub(in crate::source) async fn kind(_cx: &Context, _options: &HttpSource, _uri: &str) -> Result<Kind> {
    Ok(Kind::Other)
}
