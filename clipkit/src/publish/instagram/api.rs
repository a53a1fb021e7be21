//! Requests to the Instagram API with Facebook Login.

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use url::Url;

use super::Instagram;
use crate::context::Context;
use crate::error::Result;
use crate::publish::Account;
use crate::publish::api::{Answer, Api, Place};
use crate::publish::credentials::Grant;
use crate::publish::refusal::Server;

/// Where a container's bytes go, if the answer does not say it.
const UPLOADS: &str = "https://rupload.facebook.com/ig-api-upload/v25.0/";

pub(super) fn open<'a>(cx: &'a Context, to: &Instagram, account: Account) -> Result<Api<'a>> {
    let place = Place {
        server: Server::Instagram,
        api: "https://graph.facebook.com/v25.0",
        tokens: "https://graph.facebook.com/v25.0/oauth/access_token",
        grant: Grant::Exchange,
        instead: to.api_url.as_deref(),
    };
    Api::open(cx, &place, &to.credentials, account)
}

/// Reads fields of a node.
pub(super) async fn asked(api: &Api<'_>, node: &str, query: &[(&str, &str)]) -> Result<Answer> {
    let url = api.url(node, query);
    api.send(|client| client.get(url.clone())).await
}

/// Posts a form to an edge.
pub(super) async fn told(api: &Api<'_>, edge: &str, form: &[(&str, &str)]) -> Result<Answer> {
    let (url, body) = (api.url(edge, &[]), url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
    api.send(|client| client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.clone())).await
}

/// The address for a container's bytes. `None` if the one that is named is not Meta's: the access
/// token is sent there.
pub(super) fn upload_address(api: &Api<'_>, named: Option<&str>, container: &str) -> Option<Url> {
    let url = match named {
        Some(named) => Url::parse(named).ok()?,
        None => Url::parse(UPLOADS).ok()?.join(container).ok()?,
    };
    api.may_take_uploads(&url, |host| host == "rupload.facebook.com").then_some(url)
}

/// The id of a node: digits.
pub(super) fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|id| is_id(id))
}

pub(super) fn is_id(id: &str) -> bool {
    (1..=40).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}
