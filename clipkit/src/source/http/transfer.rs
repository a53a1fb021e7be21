//! Downloads of media files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::HttpSource;
use super::response::{Answer, Step, Validator, judge, protocol};
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result, redact_url};
use crate::http::Timeouts;
use crate::http::address::Allowed;
use crate::http::guarded::{self, check_host, failure};
use crate::model::{ContentId, Limit, Media};
use crate::source::arrival::{about_address, arrived, extension_of, or_cancelled, take_partial};
use crate::store::{self, Partial};

/// After so many broken attempts, one after the other, that brought no new bytes, a download fails.
const MAX_IDLE_ATTEMPTS: u32 = 3;
/// A download fails after so many broken attempts.
const MAX_ATTEMPTS: u32 = 50;
/// The wait before the first new attempt. It doubles while attempts bring nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Room in the media store is made for so many bytes at a time where a file's length is not known.
const STEP: u64 = 64 << 20;
/// The names of the files of a download: the bytes, and what the server said about them.
const BYTES: &str = "media";
const STATE: &str = "state.json";

/// What an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Kind {
    /// A media file.
    Media,
    /// Anything else.
    Other,
}

/// Asks the server what is at an address. A server that refuses to say counts as
/// [`Kind::Other`].
///
/// The request is a GET for one byte: a signature for GET does not hold for HEAD.
pub(in crate::source) async fn kind(cx: &Context, options: &HttpSource, uri: &str) -> Result<Kind> {
    let download = Download::new(cx, options, uri)?;
    let request = download.client.get(download.url.clone()).header(RANGE, "bytes=0-0");
    let sent = async { request.send().await.map_err(|error| failure(error, &download.url)) };
    let response = match or_cancelled(cx, sent).await {
        Err(error) if matches!(error.kind(), ErrorKind::Denied | ErrorKind::Cancelled | ErrorKind::InvalidInput | ErrorKind::TooLarge) => {
            return Err(error);
        }
        Err(_) => return Ok(Kind::Other),
        Ok(response) => response,
    };
    let answer = Answer::new(response.status().as_u16(), response.headers());
    let is_list = answer.content_type.contains("mpegurl");
    let is_media = ["video/", "audio/", "application/octet-stream", "binary/octet-stream", "application/mp4", "application/ogg"]
        .iter()
        .any(|media| answer.content_type.starts_with(media));
    Ok(if response.status().is_success() && is_media && !is_list { Kind::Media } else { Kind::Other })
}

pub(super) async fn fetch(cx: &Context, options: &HttpSource, uri: &str) -> Result<Media> {
    let download = Download::new(cx, options, uri)?;
    let limit = options.timeout;
    match tokio::time::timeout(limit, download.run()).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::TimedOut, format!("the download takes longer than {} s", limit.as_secs_f64()))
            .with_url(uri)
            .with_recovery(Recovery::Retry { after: None })
            .with_advice("what has arrived is kept: fetch it again to continue, or raise the source's timeout")),
    }
}

struct Download<'a> {
    cx: &'a Context,
    client: reqwest::Client,
    url: Url,
    /// The address as it was given.
    uri: &'a str,
}

/// How a download ended.
enum End {
    /// The file is complete. The server said this about it.
    Whole(Validator),
    /// The file in the store is still the right one.
    NotModified,
}

impl<'a> Download<'a> {
    fn new(cx: &'a Context, options: &HttpSource, uri: &'a str) -> Result<Self> {
        let url = Url::parse(uri)
            .map_err(|error| Error::new(ErrorKind::InvalidInput, format!("this is not an address: {error}")).with_url(uri))?;
        let allowed = Arc::new(Allowed::parse(&options.allow_private)?);
        allowed.check_url(&url)?;
        check_host(cx.environment(), &url)?;
        let client = guarded::client(cx.environment(), Timeouts { total: None, idle: Some(options.idle_timeout) }, &allowed)?;
        Ok(Download { cx, client, url, uri })
    }

    async fn run(&self) -> Result<Media> {
        let partial = take_partial(self.cx, &format!("http {}", self.uri)).await?;
        let result = self.complete(&partial).await;
        // What cannot be used is not kept.
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::TooLarge)
        {
            partial.clear()?;
        }
        result
    }

    async fn complete(&self, partial: &Partial) -> Result<Media> {
        let uri = self.uri.to_owned();
        let stored = self.cx.blocking(move |cx| stored(cx, &uri)).await?;
        match self.file(partial, stored.as_ref().map(|(_, _, validator)| validator)).await? {
            End::Whole(validator) => self.finish(partial, validator).await,
            End::NotModified => {
                let Some((path, id, _)) = stored else { return Err(self.at(protocol("it says that an unknown file has not changed"))) };
                let uri = self.uri.to_owned();
                self.cx
                    .blocking(move |cx| {
                        let media = av::probe(cx, &path, id).map_err(|error| about_address(&error, &uri))?;
                        Ok(Media { uri: redact_url(&uri), ..media })
                    })
                    .await
            }
        }
    }

    /// Downloads what is missing of the file.
    async fn file(&self, partial: &Partial, stored: Option<&Validator>) -> Result<End> {
        let (path, state) = (partial.folder().join(BYTES), partial.folder().join(STATE));
        let mut best = 0;
        let (mut idle, mut attempts) = (0, 0);
        let mut ranges = true;
        loop {
            self.cx.check()?;
            let mut known = read_state(&state).await;
            let have = match tokio::fs::metadata(&path).await {
                Ok(metadata) if ranges && known.if_range().is_some() => metadata.len(),
                _ => 0,
            };
            if have > 0 && known.length == Some(have) {
                return Ok(End::Whole(known));
            }
            let response = self.request(have, &known, stored).await?;
            let answer = Answer::new(response.status().as_u16(), response.headers());
            let from = match judge(&answer, have, &known) {
                Step::Fail(error) => return Err(self.at(error)),
                Step::NotModified => return Ok(End::NotModified),
                Step::Complete => return Ok(End::Whole(known)),
                Step::AskForAll if !ranges => return Err(self.at(protocol("it does not send the whole file"))),
                Step::AskForAll => {
                    ranges = false;
                    continue;
                }
                Step::Append => {
                    known.length = known.length.or(answer.validator.length);
                    have
                }
                Step::Restart => {
                    known = answer.validator.clone();
                    restart(&path, &state, &known).await?;
                    0
                }
            };
            self.check_size(known.length.unwrap_or(0))?;
            self.room(partial, known.length.unwrap_or(STEP).saturating_sub(from))?;
            let broke = match self.body(response, partial, &path, from, known.length).await {
                Ok(length) if known.length.is_none_or(|expected| expected == length) => {
                    known.length = Some(length);
                    return Ok(End::Whole(known));
                }
                Ok(length) => self.at(protocol(&format!("{length} bytes arrived of {}", known.length.unwrap_or(0)))),
                Err(error) if !matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut) => return Err(error),
                Err(error) => error,
            };
            let length = tokio::fs::metadata(&path).await.map_or(0, |metadata| metadata.len());
            idle = if length > best { 0 } else { idle + 1 };
            (best, attempts) = (best.max(length), attempts + 1);
            if idle >= MAX_IDLE_ATTEMPTS || attempts >= MAX_ATTEMPTS {
                return Err(broke.with_advice("what has arrived is kept: fetch it again to continue"));
            }
            let pause = FIRST_PAUSE * 2_u32.pow(idle.min(5));
            self.cx.waiting(pause, format!("{broke}; it is continued"));
            self.cx.sleep(pause).await?;
            ranges = true;
        }
    }

    async fn request(&self, have: u64, known: &Validator, stored: Option<&Validator>) -> Result<reqwest::Response> {
        let mut request = self.client.get(self.url.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(same) = known.if_range().filter(|_| have > 0) {
            request = request.header(RANGE, format!("bytes={have}-")).header(IF_RANGE, same);
        } else if let Some(tag) = stored.and_then(|stored| stored.etag.as_deref()) {
            request = request.header(IF_NONE_MATCH, tag);
        } else if let Some(date) = stored.and_then(|stored| stored.last_modified.as_deref()) {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        let sent = async { request.send().await.map_err(|error| failure(error, &self.url)) };
        or_cancelled(self.cx, sent).await
    }

    /// Writes the body at `from`. Returns the length of the file.
    async fn body(&self, mut response: reqwest::Response, partial: &Partial, path: &Path, from: u64, total: Option<u64>) -> Result<u64> {
        let unwritable = |error| Error::io(path, "write the download", error);
        let file = tokio::fs::OpenOptions::new().append(true).create(true).open(path).await.map_err(unwritable)?;
        let mut file = tokio::io::BufWriter::with_capacity(1 << 20, file);
        let mut length = from;
        let mut checked = from;
        let received = async {
            loop {
                let chunk = async { response.chunk().await.map_err(|error| failure(error, &self.url)) };
                let Some(chunk) = or_cancelled(self.cx, chunk).await? else { return Ok(length) };
                length += chunk.len() as u64;
                if total.is_some_and(|total| length > total) {
                    return Err(self.at(protocol("it sends more bytes than it said")));
                }
                self.check_size(length)?;
                if length - checked >= STEP {
                    checked = length;
                    self.room(partial, if total.is_some() { 0 } else { STEP })?;
                }
                file.write_all(&chunk).await.map_err(unwritable)?;
                if let Some(total) = total {
                    self.cx.progress(length as f64 / total.max(1) as f64 * 0.95);
                }
            }
        };
        let result = received.await;
        // Bytes that arrived before the connection broke are kept.
        file.flush().await.map_err(unwritable)?;
        result
    }

    fn check_size(&self, length: u64) -> Result<()> {
        self.cx.limits().check(Limit::DownloadBytes, length).map_err(|error| self.at(error))
    }

    /// Makes room in the media store, in which the partial file counts already. Looks at folders
    /// only, which takes no time worth a thread.
    fn room(&self, partial: &Partial, bytes: u64) -> Result<()> {
        partial.make_room(bytes).map_err(|error| self.cx.label(error))
    }

    async fn finish(&self, partial: &Partial, validator: Validator) -> Result<Media> {
        let (uri, extension, partial) = (self.uri.to_owned(), extension_of(self.url.path()), partial.clone());
        self.cx
            .blocking(move |cx| {
                let file = partial.folder().join(BYTES);
                let length = store::stamp(&file)?.size;
                if validator.length.is_some_and(|expected| expected != length) {
                    partial.clear()?;
                    return Err(protocol("the file does not have the length that was announced").with_url(&uri));
                }
                let (media, lease) = arrived(cx, &partial, &file, &extension).map_err(|error| about_address(&error, &uri))?;
                cx.media_store()?.bind_valid(&uri, lease.id(), serde_json::to_string(&validator).ok())?;
                cx.keep(lease);
                Ok(Media { uri: redact_url(&uri), ..media })
            })
            .await
    }

    fn at(&self, error: Error) -> Error {
        error.with_url(self.uri)
    }
}

/// The file that the store has of an address, its content, and what the server said about it.
fn stored(cx: &Context, uri: &str) -> Result<Option<(PathBuf, ContentId, Validator)>> {
    let store = cx.media_store()?;
    let Some((id, validator)) = store.lookup_valid(uri)? else { return Ok(None) };
    let validator: Option<Validator> = validator.and_then(|text| serde_json::from_str(&text).ok());
    let Some(validator) = validator.filter(|known| known.etag.is_some() || known.last_modified.is_some()) else { return Ok(None) };
    Ok(store.find(&id)?.map(|lease| (cx.keep(lease), id, validator)))
}

async fn read_state(path: &Path) -> Validator {
    let text = tokio::fs::read(path).await.unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Drops the bytes that arrived, then notes what the server says about the file that follows.
async fn restart(path: &Path, state: &Path, validator: &Validator) -> Result<()> {
    let unwritable = |error| Error::io(state, "write the download", error);
    tokio::fs::write(path, b"").await.map_err(unwritable)?;
    let text = serde_json::to_vec(validator).map_err(|error| unwritable(error.into()))?;
    tokio::fs::write(state, text).await.map_err(unwritable)
}
