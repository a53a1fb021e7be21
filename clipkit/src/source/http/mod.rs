//! Media from HTTP servers.

#[cfg(feature = "http")]
mod response;
#[cfg(feature = "http")]
mod transfer;
#[cfg(not(feature = "http"))]
#[path = "transfer_unavailable.rs"]
mod transfer;

pub(super) use transfer::{Kind, kind};

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::context::Context;
use crate::error::Result;
use crate::model::Media;

/// A source of media files on HTTP servers, given by their URLs.
///
/// - The file is downloaded into the media store
///   ([`Context::media_store`](crate::Context::media_store)). A download that breaks off continues
///   with a range request, in the same run or a later one, if the server says by `ETag` or
///   `Last-Modified` that the file is still the same. A file that the store has is downloaded again
///   only if the server says that it has changed.
/// - The query of a URL can hold a signature. So it is written neither to logs, errors and
///   [`Media::uri`](crate::model::Media::uri) nor to names in the store, and no `Referer` is sent.
///   A document that names such a file cannot fetch it again from the server.
/// - Addresses in private, local and reserved ranges are refused, also after a redirect and after a
///   name is resolved: a connection is made only to the addresses that were checked. Where a proxy
///   is set ([`Environment`](crate::Environment)), the proxy resolves names and must refuse such
///   addresses itself; addresses that are written in URLs are checked all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpSource {
    /// The longest time that a download may take, in seconds. Default 6 hours.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub timeout: Duration,
    /// The longest wait for the next bytes, in seconds. Default 30.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub idle_timeout: Duration,
    /// Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
    /// Default: none.
    pub allow_private: Vec<String>,
}

impl Default for HttpSource {
    fn default() -> Self {
        HttpSource { timeout: Duration::from_secs(6 * 3600), idle_timeout: Duration::from_secs(30), allow_private: Vec::new() }
    }
}

impl HttpSource {
    /// A source that connects to public addresses only.
    pub fn new() -> Self {
        HttpSource::default()
    }
}

#[async_trait]
impl Source for HttpSource {
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media> {
        transfer::fetch(cx, self, uri).await
    }
}
