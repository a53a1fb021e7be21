//! The connection to a server: each request is sent once, and what comes back is an answer or says all that decides what to do next.
//!
//! The requests are the client crate's. How they travel is not: left to itself it tries again on its own, hides how long a server asks to wait,
//! writes answers that it cannot read to the log, in full, and panics on a key that no header can hold.

use std::fmt;
use std::time::Duration;

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::audio::CreateTranscriptionRequest;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;

use super::OpenAiServer;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::retry_after;

const LONGEST_CONNECT: Duration = Duration::from_secs(20);
/// No transcript of half an hour and no answer to a prompt is as long.
const LARGEST_ANSWER: usize = 32 << 20;
const LONGEST_MESSAGE: usize = 300;

/// A connection to one server, for many requests. Clones share it.
#[derive(Clone)]
pub(crate) struct Client {
    inner: async_openai::Client<OpenAIConfig>,
}

/// A request that got no answer.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: Error,
    /// The server's status, where it refused.
    pub(crate) status: Option<u16>,
    /// What it said, for a look at its reasons; it may echo the request.
    pub(crate) said: String,
    /// Whether work may have been done, and charged, all the same.
    pub(crate) ran: bool,
}

impl Refused {
    /// Whether the server read the request, and does not take it as it is.
    pub(crate) fn is_of_the_request(&self) -> bool {
        matches!(self.status, Some(400 | 404 | 415 | 422 | 501))
    }

    /// Whether what it does not take is something that one of these words names.
    pub(crate) fn is_about(&self, words: &[&str]) -> bool {
        let said = self.said.to_lowercase();
        self.is_of_the_request() && words.iter().any(|word| said.contains(word))
    }
}

impl Client {
    /// `doing` is what fails when a request does, such as `transcribe`; an answer may take as long as `patience`.
    pub(super) fn open(server: &OpenAiServer, doing: &'static str, patience: Duration) -> Result<Self> {
        let http = reqwest::Client::builder().connect_timeout(LONGEST_CONNECT).timeout(patience).build().map_err(|error| {
            Error::new(ErrorKind::Unavailable, format!("cannot set up HTTPS: {error}")).with_advice("check the system's certificates")
        })?;
        // What is secret, the messenger adds.
        let config = OpenAIConfig::new().with_api_base(server.url()).with_api_key("").with_org_id("").with_project_id("");
        let messenger = Messenger { server: server.clone(), http, headers: headers(server)?, doing, patience };
        let send = move |request| {
            let messenger = messenger.clone();
            async move { messenger.send(request).await.map_err(|refused| OpenAIError::Boxed(Box::new(refused))) }
        };
        Ok(Client { inner: async_openai::Client::with_config(config).with_http_service(tower::service_fn(send)) })
    }

    /// Asks a language model.
    pub(crate) async fn chat(&self, cx: &Context, request: &Value) -> Result<Value, Refused> {
        self.in_time(cx, self.inner.chat().create_byot(request)).await
    }

    /// Sends sound to a speech model.
    pub(crate) async fn transcription(&self, cx: &Context, request: CreateTranscriptionRequest) -> Result<Value, Refused> {
        self.in_time(cx, self.inner.audio().transcription().create_byot(request)).await
    }

    async fn in_time(&self, cx: &Context, work: impl Future<Output = Result<Value, OpenAIError>>) -> Result<Value, Refused> {
        let answer = tokio::select! {
            answer = work => answer,
            // It may have been read, and charged.
            () = cx.cancelled() => return Err(unanswered(Error::cancelled(), true)),
        };
        answer.map_err(|error| match error {
            OpenAIError::Boxed(cause) => match cause.downcast::<Refused>() {
                Ok(refused) => *refused,
                Err(other) => unanswered(unsent(&other.to_string()), false),
            },
            other => unanswered(unsent(&other.to_string()), false),
        })
    }
}

fn unanswered(error: Error, ran: bool) -> Refused {
    Refused { error, status: None, said: String::new(), ran }
}

/// What the client crate could not make a request of.
fn unsent(why: &str) -> Error {
    Error::new(ErrorKind::Contract, format!("the request could not be made: {why}"))
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Refused {}

/// The key and the organisation as headers. What no header can hold is refused, not sent and not shown.
fn headers(server: &OpenAiServer) -> Result<HeaderMap> {
    let header = |value: String, what: &str| {
        HeaderValue::from_str(&value).map_err(|_| {
            Error::new(ErrorKind::Config, format!("{what} has characters that no request can hold")).with_advice("copy it again")
        })
    };
    let mut headers = HeaderMap::new();
    if let Some(key) = server.key() {
        let mut value = header(format!("Bearer {key}"), "the API key")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let organization = server.org();
    if !organization.is_empty() {
        headers.insert("OpenAI-Organization", header(organization, "the organisation")?);
    }
    Ok(headers)
}

/// Carries a request to the server, once, and brings all of its answer back, within bounds.
#[derive(Clone)]
struct Messenger {
    server: OpenAiServer,
    http: reqwest::Client,
    headers: HeaderMap,
    doing: &'static str,
    patience: Duration,
}

impl Messenger {
    async fn send(&self, request: HttpRequestFactory) -> Result<reqwest::Response, Refused> {
        let mut request = request.build().await.map_err(|error| unanswered(unsent(&error.to_string()), false))?;
        request.headers_mut().remove(AUTHORIZATION);
        request.headers_mut().extend(self.headers.clone());
        let mut response = self.http.execute(request).await.map_err(|cause| self.broken(cause))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| self.broken(cause))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST_ANSWER {
                return Err(unanswered(self.server.broken_promise(self.doing, "it has no end"), true));
            }
        }
        if !status.is_success() {
            let (code, said) = complaint(&bytes);
            // Before it is cut, so that no half of a key is left.
            let said: String = self.server.without_key(&said).chars().take(LONGEST_MESSAGE).collect();
            let error = self.refused(status.as_u16(), &code, &said, after);
            return Err(Refused { error, status: Some(status.as_u16()), said, ran: false });
        }
        match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
            Ok(_) => Ok(http::Response::new(bytes).into()),
            Err(cause) => Err(unanswered(self.server.broken_promise(self.doing, &cause.to_string()), true)),
        }
    }

    /// The server refused, with this status and these words; `after` is how long it asks to wait.
    fn refused(&self, status: u16, code: &str, said: &str, after: Option<Duration>) -> Error {
        let message = format!("cannot {}: the server answers {status}: {said}", self.doing);
        let error = match status {
            401 | 403 => {
                Error::new(ErrorKind::Denied, message).with_recovery(Recovery::RefreshCredentials).with_advice("check OPENAI_API_KEY")
            }
            402 => Error::new(ErrorKind::Denied, message).with_advice("the account has no credit left"),
            429 if code == "insufficient_quota" => Error::new(ErrorKind::Denied, message).with_advice("the account has no credit left"),
            429 => Error::new(ErrorKind::RateLimited, message).with_recovery(Recovery::Retry { after }),
            408 | 409 | 500.. => Error::new(ErrorKind::Network, message).with_recovery(Recovery::Retry { after }),
            413 => Error::new(ErrorKind::Config, message).with_advice("the server takes less at a time than OpenAI's 25 MB"),
            _ => Error::new(ErrorKind::Config, message),
        };
        error.with_url(&self.server.url())
    }

    /// The connection did not come about, or broke.
    fn broken(&self, cause: reqwest::Error) -> Refused {
        let ran = !cause.is_connect() && !cause.is_builder();
        let why = if cause.is_connect() {
            "the server cannot be reached".to_owned()
        } else if cause.is_timeout() {
            format!("the server takes longer than {} s", self.patience.as_secs_f64())
        } else {
            "the connection broke".to_owned()
        };
        let error = Error::new(ErrorKind::Network, format!("cannot {}: {why}", self.doing))
            .with_recovery(Recovery::Retry { after: None })
            .with_source(cause.without_url())
            .with_url(&self.server.url());
        unanswered(error, ran)
    }
}

/// The code and the words of a refusal, as the servers write it: `{"error": {"message": ..}}`, `{"error": ".."}`, `{"message": ..}`, `{"detail": ..}`.
fn complaint(bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(bytes);
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let error = &value["error"];
    let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or_default().to_owned();
    let said = [&error["message"], error, &value["message"], &value["detail"]].into_iter().find_map(Value::as_str).unwrap_or(&text);
    let line = said.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|part| !part.is_empty());
    (code, line.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_as_servers_write_them() {
        for (body, expected) in [
            (r#"{"error": {"message": "no\nsuch model", "code": "model_not_found"}}"#, ("model_not_found", "no such model")),
            (r#"{"error": "model is loading"}"#, ("", "model is loading")),
            (r#"{"object": "error", "message": "bad"}"#, ("", "bad")),
            (r#"{"detail": "nope"}"#, ("", "nope")),
            ("<html>Bad  Gateway</html>", ("", "<html>Bad Gateway</html>")),
            ("", ("", "")),
        ] {
            assert_eq!(complaint(body.as_bytes()), (expected.0.to_owned(), expected.1.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_refused_and_not_shown() {
        let server = |key: &str| OpenAiServer { api_key: Some(key.into()), ..OpenAiServer::default() };
        // As it comes out of a file.
        assert_eq!(headers(&server("sk-1\n")).unwrap()[AUTHORIZATION], "Bearer sk-1");
        let error = headers(&server("sk-\n1")).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && !error.to_string().contains("sk-"), "{error}");
    }
}
