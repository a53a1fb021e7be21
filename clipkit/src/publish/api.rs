//! Requests to the API of a platform, with the access token of an account.

use std::time::{Duration, SystemTime};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use url::Url;

use super::credentials::{Grant, Renewal, TokenServer, Tokens};
use super::refusal::{Refusal, Server, judge};
use super::{Account, CredentialsConfig, Secret, request};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::{self, Timeouts, retry_after};

/// The longest time for one request: a chunk of 8 MiB at 0.25 Mbit/s.
const TIMEOUT: Duration = Duration::from_secs(270);
const LONGEST_ANSWER: usize = 4 << 20;

/// Where the API of a platform is.
pub(super) struct Place<'a> {
    pub(super) server: Server,
    /// The address of the API, with its version if it has one.
    pub(super) api: &'static str,
    /// Where access tokens are renewed.
    pub(super) tokens: &'static str,
    pub(super) grant: Grant,
    /// Another address of the API. Its path `token` renews access tokens.
    pub(super) instead: Option<&'a str>,
}

pub(super) struct Api<'a> {
    pub(super) cx: &'a Context,
    server: Server,
    client: Client,
    renewal: Renewal,
    base: Url,
}

/// A response, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) server: Server,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) json: Value,
}

impl<'a> Api<'a> {
    pub(super) fn open(cx: &'a Context, place: &Place<'_>, credentials: &CredentialsConfig, account: Account) -> Result<Self> {
        // The status 308 of uploads is no redirect.
        let timeouts = Timeouts { total: Some(TIMEOUT), idle: None };
        let client = http::build(http::builder(cx.environment(), timeouts)?.redirect(Policy::none()))?;
        let base = Url::parse(place.instead.unwrap_or(place.api))
            .map_err(|error| Error::new(ErrorKind::Config, format!("api_url is no address: {error}")))?;
        let url = match place.instead {
            Some(_) => below(&base, "token").into(),
            None => place.tokens.to_owned(),
        };
        let at = TokenServer { url, server: place.server, grant: place.grant };
        let credentials = credentials.open(cx.environment(), &account)?;
        Ok(Api { cx, server: place.server, renewal: Renewal::new(credentials, account, at, client.clone()), client, base })
    }

    /// The address of a method with its parameters.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = below(&self.base, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Whether an upload may go to this address: on the servers of the platform by HTTPS, or where
    /// the API is. Secrets are sent there.
    pub(super) fn may_take_uploads(&self, url: &Url, is_of_platform: impl Fn(&str) -> bool) -> bool {
        let of_platform = url.scheme() == "https" && url.host_str().is_some_and(is_of_platform);
        url.origin() == self.base.origin() || of_platform
    }

    /// The tokens of the account.
    pub(super) async fn tokens(&self) -> Result<Tokens> {
        Ok(self.renewal.tokens(self.cx).await?.1)
    }

    /// Sends a request, and once more with a new access token if the first is refused.
    pub(super) async fn send(&self, make: impl Fn(&Client) -> RequestBuilder) -> Result<Answer> {
        self.send_as("Bearer", make).await
    }

    /// The same with another scheme of the header `Authorization`.
    pub(super) async fn send_as(&self, scheme: &str, make: impl Fn(&Client) -> RequestBuilder) -> Result<Answer> {
        let (token, _) = self.renewal.tokens(self.cx).await?;
        let answer = self.once(make(&self.client).header(AUTHORIZATION, authorization(scheme, &token)?)).await?;
        if answer.is_success() || *answer.refusal().recovery() != Recovery::RefreshCredentials {
            return Ok(answer);
        }
        self.renewal.renewed(self.cx, &token).await?;
        let (token, _) = self.renewal.tokens(self.cx).await?;
        self.once(make(&self.client).header(AUTHORIZATION, authorization(scheme, &token)?)).await
    }

    /// Sends a request without a token.
    pub(super) async fn send_plain(&self, make: impl FnOnce(&Client) -> RequestBuilder) -> Result<Answer> {
        self.once(make(&self.client)).await
    }

    async fn once(&self, request: RequestBuilder) -> Result<Answer> {
        let server = self.server;
        let failed = |error| request::failure(error, server);
        let asked = async {
            let response = request.send().await.map_err(failed)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = request::text(response, LONGEST_ANSWER).await.map_err(failed)?;
            Ok(Answer { server, status, headers, json: serde_json::from_str(&text).unwrap_or(Value::Null) })
        };
        self.cx.or_cancelled(asked).await
    }
}

impl Answer {
    /// Whether the request was accepted. TikTok can refuse with the status 200.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && self.server.reason(&self.json).is_empty()
    }

    /// The platform's own code.
    pub(super) fn reason(&self) -> String {
        self.server.reason(&self.json)
    }

    /// The error of a refusal.
    pub(super) fn refusal(&self) -> Error {
        let refusal = Refusal { status: self.status, reason: &self.reason(), after: retry_after(&self.headers) };
        judge(self.server, &refusal, SystemTime::now())
    }

    /// The answer's JSON, or the error of the refusal.
    pub(super) fn accepted(self) -> Result<Value> {
        if self.is_success() { Ok(self.json) } else { Err(self.refusal()) }
    }

    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The header's value, which is not shown in logs.
fn authorization(scheme: &str, token: &Secret) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", token.reveal()))
        .map_err(|_| Error::new(ErrorKind::Denied, "the access token has characters that no token has").with_advice("log in again"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_below_the_address_with_its_version() {
        for (base, path, expected) in [
            ("https://host", "/a/b", "https://host/a/b"),
            ("https://host/v25.0", "1/media", "https://host/v25.0/1/media"),
            ("https://host/v25.0/", "/token", "https://host/v25.0/token"),
        ] {
            assert_eq!(below(&Url::parse(base).unwrap(), path).as_str(), expected);
        }
        let value = authorization("OAuth", &"hunter2".into()).unwrap();
        assert!(value.is_sensitive() && value.to_str().unwrap() == "OAuth hunter2");
        assert_eq!(authorization("Bearer", &"a\nb".into()).unwrap_err().kind(), ErrorKind::Denied);
    }
}
