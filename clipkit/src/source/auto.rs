use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::arrival::extension_of;
use super::http::{self, Kind};
use super::upload;
use super::{FileSource, HttpSource, ObjectStoreSource, Source, YtDlp};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, local_path};

/// Extensions of media files in URLs. Lists of segments (`m3u8`, `mpd`) are for yt-dlp.
const MEDIA: [&str; 22] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "mts", "m2ts", "mpg", "mpeg", "mxf", "ogv", "flv", "3gp", "mp3", "m4a", "aac", "wav",
    "flac", "ogg", "opus",
];
/// Platforms whose pages are not asked for their content type.
const PLATFORMS: [&str; 12] = [
    "youtube.com",
    "youtu.be",
    "vimeo.com",
    "twitch.tv",
    "tiktok.com",
    "instagram.com",
    "facebook.com",
    "x.com",
    "twitter.com",
    "loom.com",
    "zoom.us",
    "dailymotion.com",
];

/// The source that an address asks for:
///
/// 1. a path or a `file:` URL: [`FileSource`];
/// 2. `s3://`, `gs://`, `az://`: [`ObjectStoreSource`];
/// 3. an HTTP URL of a media file, by its ending or by the content type that the server states:
///    [`HttpSource`];
/// 4. any other HTTP URL: [`YtDlp`];
/// 5. `upload://`: a file that the service took in (the feature `serve`), in the media store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AutoSource {
    /// Whether paths and `file:` URLs are accepted. A service that takes addresses from strangers
    /// sets it to `false`. Default: `true`.
    pub local: bool,
    /// The part to fetch, on the video's timeline: [`YtDlp::section`]. With it, every HTTP URL is
    /// fetched by [`YtDlp`]; files and objects are refused. Default: all of the video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<Span>,
    /// Private addresses and networks that HTTP URLs may lead to, besides those of `http` and
    /// `ytdlp`. Default: none.
    pub allow_private: Vec<String>,
    /// The options for files.
    pub file: FileSource,
    /// The options for URLs of media files.
    pub http: HttpSource,
    /// The options for objects.
    pub object_store: ObjectStoreSource,
    /// The options for pages.
    pub ytdlp: YtDlp,
}

impl Default for AutoSource {
    fn default() -> Self {
        AutoSource {
            local: true,
            section: None,
            allow_private: Vec::new(),
            file: FileSource::default(),
            http: HttpSource::default(),
            object_store: ObjectStoreSource::default(),
            ytdlp: YtDlp::default(),
        }
    }
}

impl AutoSource {
    /// A source for any address.
    pub fn new() -> Self {
        AutoSource::default()
    }

    fn http(&self) -> HttpSource {
        let mut http = self.http.clone();
        http.allow_private.extend_from_slice(&self.allow_private);
        http
    }

    fn ytdlp(&self) -> YtDlp {
        let mut ytdlp = self.ytdlp.clone();
        ytdlp.allow_private.extend_from_slice(&self.allow_private);
        ytdlp.section = self.section.or(ytdlp.section);
        ytdlp
    }
}

/// What an address looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Route {
    File(PathBuf),
    Object,
    MediaUrl,
    Page,
    /// Only the server knows.
    Ask,
    /// A file that was uploaded into the media store.
    Upload,
}

/// Sorts an address by its form. Nothing is opened.
fn route(uri: &str) -> Result<Route> {
    let Some((scheme, _)) = uri.split_once("://") else { return Ok(Route::File(PathBuf::from(uri))) };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => {
            let decoded = Url::parse(uri).ok().and_then(|url| url.to_file_path().ok());
            Ok(Route::File(decoded.filter(|path| path.exists()).unwrap_or_else(|| local_path(uri).to_owned())))
        }
        "upload" => Ok(Route::Upload),
        "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" | "adl" => Ok(Route::Object),
        "http" | "https" => {
            let url = Url::parse(uri)
                .map_err(|error| Error::new(ErrorKind::InvalidInput, format!("this is not an address: {error}")).with_url(uri))?;
            let host = url.host_str().unwrap_or_default();
            let is_below = |platform: &str| host.strip_suffix(platform).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            if PLATFORMS.iter().any(|platform| is_below(platform)) {
                return Ok(Route::Page);
            }
            Ok(if MEDIA.contains(&extension_of(url.path()).as_str()) { Route::MediaUrl } else { Route::Ask })
        }
        _ if Path::new(uri).exists() => Ok(Route::File(PathBuf::from(uri))),
        _ => Err(Error::new(ErrorKind::InvalidInput, "no source knows this kind of address")
            .with_url(uri)
            .with_advice("give a path, an http, s3, gs or az address")),
    }
}

/// Sorts an address by its form, and reads it as that of a page.
#[cfg(any(test, fuzzing))]
pub(crate) fn sort_address(uri: &str) {
    let _ = route(uri);
    super::ytdlp::sort(uri);
}

#[async_trait]
impl Source for AutoSource {
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media> {
        let section = self.section.or(self.ytdlp.section);
        let mut route = route(uri)?;
        if section.is_some() {
            if matches!(route, Route::File(_) | Route::Object | Route::Upload) {
                return Err(Error::new(ErrorKind::Config, "a section is only for videos that yt-dlp fetches")
                    .with_advice("cut the file first, or leave out the section (--section)"));
            }
            route = Route::Page;
        }
        match route {
            Route::File(_) if !self.local => {
                Err(Error::new(ErrorKind::Denied, "files of this machine are not accepted here").with_advice("give an http address"))
            }
            Route::File(path) => {
                let path = path.to_str().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "this name is not Unicode").with_path(&path))?;
                self.file.fetch(cx, path).await
            }
            Route::Object => self.object_store.fetch(cx, uri).await,
            Route::Upload => upload::fetch(cx, uri).await,
            Route::MediaUrl => self.http().fetch(cx, uri).await,
            Route::Page => self.ytdlp().fetch(cx, uri).await,
            Route::Ask => match http::kind(cx, &self.http(), uri).await? {
                Kind::Media => self.http().fetch(cx, uri).await,
                Kind::Other => self.ytdlp().fetch(cx, uri).await,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_sorted_by_its_form() {
        let file = |path: &str| Route::File(path.into());
        for (uri, expected) in [
            ("talk.mp4", file("talk.mp4")),
            ("/a/talk", file("/a/talk")),
            ("C:\\talk.mp4", file("C:\\talk.mp4")),
            ("https:talk.mp4", file("https:talk.mp4")),
            ("file:///a/talk.mp4", file("/a/talk.mp4")),
            ("s3://bucket/a.mp4", Route::Object),
            ("GS://bucket/a", Route::Object),
            ("az://container/a", Route::Object),
            ("https://host/a/talk.MP4?sig=x.html", Route::MediaUrl),
            ("http://host/episode.mp3", Route::MediaUrl),
            ("https://host/watch?v=a.mp4", Route::Ask),
            ("https://host/live.m3u8", Route::Ask),
            ("upload://0123/talk.mp4", Route::Upload),
            ("https://www.youtube.com/watch?v=x", Route::Page),
            ("https://youtu.be/x", Route::Page),
            ("https://notyoutu.be/x", Route::Ask),
        ] {
            assert_eq!(route(uri).unwrap(), expected, "{uri}");
        }
        for refused in ["ftp://host/a.mp4", "ytsearch://x", "javascript://x", "http://"] {
            assert_eq!(route(refused).unwrap_err().kind(), ErrorKind::InvalidInput, "{refused}");
        }
    }
}
