//! What follows the video: thumbnail and captions. A refusal is a warning, since the clip is there.

use std::path::Path;

use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use super::YouTube;
use crate::error::{Error, Result};
use crate::model::{Post, WarningKind};
use crate::publish::api::{Answer, Api};

/// The largest thumbnail that YouTube accepts.
const LARGEST_PICTURE: usize = 2 << 20;

/// Adds what the post has. Only a cancellation is an error.
pub(super) async fn add(api: &Api<'_>, to: &YouTube, post: &Post, video: &str) -> Result<()> {
    if let Some(cover) = post.files.cover.as_deref().filter(|_| to.thumbnail) {
        told(api, "thumbnail", thumbnail(api, cover, video).await)?;
    }
    if let Some(captions) = post.files.captions.as_deref().filter(|_| to.captions) {
        told(api, "caption track", caption_track(api, captions, post, video).await)?;
    }
    Ok(())
}

fn told(api: &Api<'_>, what: &str, added: Result<()>) -> Result<()> {
    match added {
        Err(error) if error.is_cancelled() => Err(error),
        Err(error) => {
            api.cx.warn_of(WarningKind::Publish, format!("the clip is on YouTube without its {what}: {error}"));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

async fn read(path: &Path) -> Result<Vec<u8>> {
    tokio::fs::read(path).await.map_err(|error| Error::io(path, "read the file", error))
}

async fn thumbnail(api: &Api<'_>, cover: &Path, video: &str) -> Result<()> {
    let picture = read(cover).await?;
    if picture.len() > LARGEST_PICTURE {
        return Err(Error::new(crate::error::ErrorKind::InvalidInput, "the picture has more than 2 MiB").with_path(cover));
    }
    let url = api.url("/upload/youtube/v3/thumbnails/set", &[("videoId", video), ("uploadType", "media")]);
    let sent = api.send(|client| client.post(url.clone()).header(CONTENT_TYPE, "image/jpeg").body(picture.clone())).await?;
    accepted(&sent)
}

async fn caption_track(api: &Api<'_>, captions: &Path, post: &Post, video: &str) -> Result<()> {
    let text = read(captions).await?;
    let language = post.language.as_deref().unwrap_or("en");
    let snippet = json!({"snippet": {"videoId": video, "language": language, "name": "", "isDraft": false}});
    // RFC 2387: the description, then the file.
    let boundary = format!("clipkit-{:032x}", fastrand::u128(..));
    let head = format!(
        "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{snippet}\r\n--{boundary}\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let body = [head.into_bytes(), text, format!("\r\n--{boundary}--\r\n").into_bytes()].concat();
    let url = api.url("/upload/youtube/v3/captions", &[("part", "snippet"), ("uploadType", "multipart")]);
    let content = format!("multipart/related; boundary={boundary}");
    let sent = api.send(|client| client.post(url.clone()).header(CONTENT_TYPE, &content).body(body.clone())).await?;
    // It was added before a crash.
    if sent.status == 409 { Ok(()) } else { accepted(&sent) }
}

fn accepted(answer: &Answer) -> Result<()> {
    if answer.is_success() { Ok(()) } else { Err(answer.refusal()) }
}
