//! One delivery to a webhook.

use std::sync::Arc;
use std::time::SystemTime;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};
use url::Url;

use super::Webhook;
use super::body::{Body, FormFile};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::address::Allowed;
use crate::http::guarded::{check_host, still_client};
use crate::http::signature::Signing;
use crate::http::{MAX_REDIRECTS, Timeouts, retry_after};
use crate::model::{Manifest, Post, Receipt, moment};
use crate::publish::journal::{Entry, Journal};
use crate::publish::naming::stem;
use crate::publish::refusal::{Refusal, Server, judge};
use crate::publish::request;
use crate::publish::{Publisher, publication_key};

/// The longest response that is read.
const LONGEST_ANSWER: usize = 64 << 10;
/// The longest id or address in a receipt.
const LONGEST_TEXT: usize = 2048;

/// Delivers a clip, unless it was accepted before.
pub(super) async fn clip(cx: &Context, to: &Webhook, post: &Post) -> Result<Receipt> {
    let key = publication_key(cx, &to.target(), post);
    let journal = Journal::open(cx, &key).await?;
    if let Some(Entry::Done { receipt }) = journal.read().await? {
        return Ok(*receipt);
    }
    let event = event("clip", &about(&key, post).await?)?;
    let body = if to.video { form(&key, &event, post).await? } else { Body::json(event) };
    let answer = deliver(cx, to, &key, &body).await?;
    let text = |name: &str| answer.get(name)?.as_str().filter(|text| !text.is_empty() && text.len() <= LONGEST_TEXT).map(str::to_owned);
    let target = to.target();
    let mut receipt = Receipt::new(target.name, text("id").unwrap_or_else(|| key.clone()));
    receipt.account = target.account;
    receipt.url = text("url").filter(|url| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")));
    receipt.published_at = Some(moment::now());
    Ok(journal.finish(cx, receipt).await)
}

/// Delivers the manifest. Its id is a hash of what it says.
pub(super) async fn manifest(cx: &Context, to: &Webhook, manifest: &Manifest) -> Result<()> {
    let data = serde_json::to_value(manifest)
        .map_err(|error| Error::new(ErrorKind::Contract, format!("the manifest cannot be written: {error}")))?;
    let mut digest = blake3::hash(data.to_string().as_bytes()).to_hex().to_string();
    digest.truncate(32);
    deliver(cx, to, &digest, &Body::json(event("manifest", &data)?)).await.map(drop)
}

fn event(kind: &str, data: &Value) -> Result<Vec<u8>> {
    let now = jiff::Timestamp::try_from(moment::now()).unwrap_or_default().to_string();
    serde_json::to_vec(&json!({"type": kind, "timestamp": now, "data": data}))
        .map_err(|error| Error::new(ErrorKind::Contract, format!("the event cannot be written: {error}")))
}

/// The post without the paths of its files, which say nothing to another machine.
async fn about(key: &str, post: &Post) -> Result<Value> {
    let file = &post.files.video;
    let bytes = tokio::fs::metadata(file).await.map_err(|error| Error::io(file, "read the file", error))?.len();
    let mut data =
        serde_json::to_value(post).map_err(|error| Error::new(ErrorKind::Contract, format!("the post cannot be written: {error}")))?;
    if let Some(fields) = data.as_object_mut() {
        fields.remove("files");
        fields.insert("id".to_owned(), key.into());
        fields.insert("bytes".to_owned(), bytes.into());
    }
    Ok(data)
}

async fn form(key: &str, event: &[u8], post: &Post) -> Result<Body> {
    let stem = stem(post.rank, &post.title);
    let files = &post.files;
    let listed = [
        (Some(&files.video), "video", "mp4", "video/mp4"),
        (files.cover.as_ref(), "cover", "jpg", "image/jpeg"),
        (files.captions.as_ref(), "captions", "srt", "application/x-subrip"),
    ];
    let files = listed.into_iter().filter_map(|(path, name, extension, content_type)| {
        Some(FormFile { name, file_name: format!("{stem}.{extension}"), content_type, path: path? })
    });
    // Random, so that no file can contain it on purpose.
    let boundary = format!("clipkit-{key}-{:032x}", fastrand::u128(..));
    Body::form(&boundary, event, &files.collect::<Vec<_>>()).await
}

/// Posts a body and returns the answer's JSON, or null if there is none.
async fn deliver(cx: &Context, to: &Webhook, id: &str, body: &Body) -> Result<Value> {
    let secret = to.secret(cx.environment())?;
    let allowed = Arc::new(Allowed::parse(&to.allow_private)?);
    let mut url = Url::parse(&to.url).map_err(|error| Error::new(ErrorKind::Config, error.to_string()).with_url(&to.url))?;
    let client = still_client(cx.environment(), Timeouts { total: Some(to.timeout), idle: None }, &allowed)?;
    let now = SystemTime::now();
    let timestamp = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
    let mut signing = Signing::new(secret.reveal(), id, &timestamp)?;
    cx.or_cancelled(body.sign(&mut signing)).await?;
    let signature = signing.finish();
    for _ in 0..=MAX_REDIRECTS {
        allowed.check_url(&url)?;
        check_host(cx.environment(), &url)?;
        let request = client
            .post(url.clone())
            .header(CONTENT_TYPE, &body.content_type)
            .header(CONTENT_LENGTH, body.length)
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", &signature)
            .body(reqwest::Body::wrap_stream(body.stream(cx)));
        let sent = async { request.send().await.map_err(|error| request::failure(error, Server::Webhook).with_url(&to.url)) };
        let response = cx.or_cancelled(sent).await?;
        let status = response.status();
        let next = response.headers().get(LOCATION).and_then(|next| url.join(next.to_str().ok()?).ok());
        if let (307 | 308, Some(next)) = (status.as_u16(), next) {
            url = next;
            continue;
        }
        let after = retry_after(response.headers());
        let answer = cx.or_cancelled(async { Ok(request::text(response, LONGEST_ANSWER).await) }).await?;
        if status.is_success() {
            // Its status says that the clip is accepted, so a broken body changes nothing.
            return Ok(answer.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null));
        }
        let refusal = Refusal { status: status.as_u16(), reason: "", after };
        return Err(judge(Server::Webhook, &refusal, SystemTime::now()).with_url(&to.url));
    }
    Err(Error::new(ErrorKind::Config, "the webhook's receiver redirects too often").with_url(&to.url).with_recovery(Recovery::GiveUp))
}
