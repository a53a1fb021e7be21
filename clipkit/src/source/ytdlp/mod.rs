//! Videos that the program yt-dlp can fetch.

mod address;
mod call;
mod captions;
mod download;
mod failure;
mod fetch;
mod info;
mod metadata;
mod process;
pub(crate) mod program;

#[cfg(any(test, fuzzing))]
pub(super) use address::sort;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span};

/// A source of videos on the platforms that yt-dlp knows: YouTube, Vimeo, Twitch, podcasts and many
/// more, given by their URLs. It runs the program `yt-dlp`, which must be on this machine.
///
/// - Metadata come first: [`Media::about`](crate::model::Media::about). Then the platform's
///   captions in the spoken language, which lie beside the media in the media store, where
///   [`Captions`](crate::stage::Captions) finds them. Then the media, in a format for
///   [`height`](YtDlp::height), into the media store
///   ([`Context::media_store`](crate::Context::media_store)). A download that breaks off continues.
/// - The media's identity is the platform's name and the video's id. A video that the store has is
///   not downloaded again. A page on no platform has the hash of its media as the identity.
/// - The program gets no key of the environment. Its output is read as untrusted, the URL cannot be
///   read as an option, and what it started ends with it.
/// - Private addresses in the URL are refused, also where its name leads to one. Later connections
///   and redirects are those of yt-dlp: a service that takes URLs from strangers must also keep the
///   program out of its private network.
///
/// Streaming formats and sections are fetched with the program `ffmpeg`, which also merges picture
/// and sound. Without it, a format with both is taken.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct YtDlp {
    /// The program. Default: `CLIPKIT_YTDLP`, else `yt-dlp` in `PATH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    /// The part to fetch, on the video's timeline. The media's times start at the section's start.
    /// The section is also part of [`Media::uri`](crate::model::Media::uri), as a media fragment
    /// (`#t=600,2400`), which a URI may have, too. Default: all of the video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<Span>,
    /// The largest resolution to fetch, by the shorter side in pixels. Default 1080.
    pub height: u32,
    /// A file with cookies in Netscape's format. It is used only after an attempt without it, if
    /// the platform wants a login. It is neither changed nor logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookies: Option<PathBuf>,
    /// A proxy for metadata and captions only: `http://user:password@host:3128`. The media come
    /// without it. If the platform refuses that, since it ties media to the address that asked for
    /// them, all goes through the proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_metadata: Option<String>,
    /// The longest time that the download may take, in seconds. Default 6 hours.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub timeout: Duration,
    /// Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
    /// Default: none.
    pub allow_private: Vec<String>,
}

impl Default for YtDlp {
    fn default() -> Self {
        YtDlp {
            program: None,
            section: None,
            height: 1080,
            cookies: None,
            proxy_metadata: None,
            timeout: Duration::from_secs(6 * 3600),
            allow_private: Vec::new(),
        }
    }
}

impl YtDlp {
    /// A source for up to 1080 lines.
    pub fn new() -> Self {
        YtDlp::default()
    }
}

impl fmt::Debug for YtDlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YtDlp")
            .field("program", &self.program)
            .field("section", &self.section)
            .field("height", &self.height)
            .field("cookies", &self.cookies.as_ref().map(|_| "[redacted]"))
            .field("proxy_metadata", &self.proxy_metadata.as_ref().map(|_| "[redacted]"))
            .field("timeout", &self.timeout)
            .field("allow_private", &self.allow_private)
            .finish()
    }
}

#[async_trait]
impl Source for YtDlp {
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media> {
        fetch::fetch(cx, self, uri).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed_and_defaults_are_read() {
        let mut source = YtDlp::new();
        source.cookies = Some("/home/ann/hunter2.txt".into());
        source.proxy_metadata = Some("http://me:hunter2@host".into());
        assert!(!format!("{source:?}").contains("hunter2"));
        assert_eq!(serde_json::from_str::<YtDlp>("{}").unwrap(), YtDlp::default());
        let part: YtDlp = serde_json::from_str(r#"{"section": {"start": 600, "end": 2400}}"#).unwrap();
        assert_eq!(part.section, Some(Span::secs(600.0, 2400.0).unwrap()));
    }
}
