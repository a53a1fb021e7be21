//! Requests to TikTok's Content Posting API.

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use url::Url;

use super::TikTok;
use crate::context::Context;
use crate::error::Result;
use crate::publish::Account;
use crate::publish::api::{Answer, Api, Place};
use crate::publish::credentials::Grant;
use crate::publish::refusal::Server;

pub(super) fn open<'a>(cx: &'a Context, to: &TikTok, account: Account) -> Result<Api<'a>> {
    let place = Place {
        server: Server::TikTok,
        api: "https://open.tiktokapis.com",
        tokens: "https://open.tiktokapis.com/v2/oauth/token/",
        grant: Grant::RefreshToken { client_field: "client_key", rotates: true },
        instead: to.api_url.as_deref(),
    };
    Api::open(cx, &place, &to.credentials, account)
}

/// Posts a JSON document to a method.
pub(super) async fn asked(api: &Api<'_>, path: &str, body: &Value) -> Result<Answer> {
    let (url, text) = (api.url(path, &[]), body.to_string());
    let sent = api.send(|client| {
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json; charset=UTF-8");
        request.body(text.clone())
    });
    sent.await
}

/// The same. Returns the answer's `data`.
pub(super) async fn ask(api: &Api<'_>, path: &str, body: &Value) -> Result<Value> {
    Ok(asked(api, path, body).await?.accepted()?["data"].take())
}

/// Whether a video may be sent to this address, which holds the upload's secret.
pub(super) fn may_take_videos(api: &Api<'_>, url: &Url) -> bool {
    api.may_take_uploads(url, |host| host.ends_with(".tiktokapis.com"))
}
