//! Requests to the YouTube Data API.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use url::Url;

use super::YouTube;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{self, Timeouts, retry_after};
use crate::publish::credentials::{Renewal, TokenServer};
use crate::publish::refusal::{Refusal, Server, judge};
use crate::publish::{Account, request};

const API: &str = "https://www.googleapis.com";
const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// The longest time for one request: a chunk of 8 MiB at 0.25 Mbit/s.
const TIMEOUT: Duration = Duration::from_secs(270);
const LONGEST_ANSWER: usize = 4 << 20;

pub(super) struct Api<'a> {
    pub(super) cx: &'a Context,
    client: Client,
    renewal: Renewal,
    base: Url,
}

/// A response, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) json: Value,
}

impl<'a> Api<'a> {
    pub(super) fn new(cx: &'a Context, to: &YouTube, account: Account) -> Result<Self> {
        // The status 308 of uploads is no redirect.
        let timeouts = Timeouts { total: Some(TIMEOUT), idle: None };
        let client = http::build(http::builder(cx.environment(), timeouts)?.redirect(Policy::none()))?;
        let base = Url::parse(to.api_url.as_deref().unwrap_or(API))
            .map_err(|error| Error::new(ErrorKind::Config, format!("api_url is no address: {error}")))?;
        let url = if to.api_url.is_some() { format!("{}token", base.as_str()) } else { TOKENS.to_owned() };
        let at = TokenServer { url, server: Server::YouTube, client_field: "client_id", rotates: false };
        let credentials = to.credentials.open(cx.environment(), &account)?;
        Ok(Api { cx, renewal: Renewal::new(credentials, account, at, client.clone()), client, base })
    }

    /// The address of a method with its parameters.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    /// Whether an upload's session may be at this address: on Google's servers, or where the API
    /// is. The access token is sent there.
    pub(super) fn may_hold_sessions(&self, url: &Url) -> bool {
        let of_google = url.scheme() == "https" && url.host_str().is_some_and(|host| host.ends_with(".googleapis.com"));
        url.origin() == self.base.origin() || of_google
    }

    /// Sends a request, and once more with a new access token if the first is refused.
    pub(super) async fn send(&self, make: impl Fn(&Client) -> RequestBuilder) -> Result<Answer> {
        let (token, _) = self.renewal.tokens(self.cx).await?;
        let answer = self.once(make(&self.client).bearer_auth(token.reveal())).await?;
        if answer.status != 401 || answer.reason() == "youtubeSignupRequired" {
            return Ok(answer);
        }
        self.renewal.renewed(self.cx, &token).await?;
        let (token, _) = self.renewal.tokens(self.cx).await?;
        self.once(make(&self.client).bearer_auth(token.reveal())).await
    }

    async fn once(&self, request: RequestBuilder) -> Result<Answer> {
        let failed = |error| request::failure(error, Server::YouTube);
        let asked = async {
            let response = request.send().await.map_err(failed)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = request::text(response, LONGEST_ANSWER).await.map_err(failed)?;
            Ok(Answer { status, headers, json: serde_json::from_str(&text).unwrap_or(Value::Null) })
        };
        self.cx.or_cancelled(asked).await
    }
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// YouTube's own code: `error.errors[0].reason`.
    pub(super) fn reason(&self) -> &str {
        let error = &self.json["error"];
        error["errors"][0]["reason"].as_str().or(error["status"].as_str()).unwrap_or_default()
    }

    /// The error of a refusal.
    pub(super) fn refusal(&self) -> Error {
        let refusal = Refusal { status: self.status, reason: self.reason(), after: retry_after(&self.headers) };
        judge(Server::YouTube, &refusal, SystemTime::now())
    }

    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
