//! Requests to a server that speaks OpenAI's API, over the project's HTTP client.
//!
//! A request is sent once. The outcome is the server's JSON or a [`RequestFailure`], which holds
//! what decides about another attempt; the server's layers make those attempts. Requests and
//! responses are JSON values: the servers that speak this API differ in the fields that they accept
//! and leave out, so callers build and read them field by field.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::{OpenAiServer, RequestFailure, TranscriptionRequest};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::{self, Timeouts, retry_after};

/// The largest response in bytes. The transcript of half an hour and a chat completion are far
/// below.
const MAX_RESPONSE_BYTES: usize = 32 << 20;
/// The longest part of a server's message that errors show, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// A connection to one server, for many requests. Clones share its connection pool.
#[derive(Clone)]
pub(crate) struct Client {
    server: OpenAiServer,
    http: reqwest::Client,
    headers: HeaderMap,
    operation: &'static str,
    timeout: Duration,
}

impl Client {
    /// `server` is resolved ([`OpenAiServer::with_environment`]); `operation` names what fails when
    /// a request does, such as `transcribe`; `timeout` limits each request.
    pub(super) fn open(server: OpenAiServer, environment: &Environment, operation: &'static str, timeout: Duration) -> Result<Self> {
        let http = http::client(environment, Timeouts { total: Some(timeout), idle: None })?;
        let headers = headers(&server)?;
        Ok(Client { server, http, headers, operation, timeout })
    }

    /// Sends `POST /chat/completions`.
    pub(crate) async fn chat(&self, cx: &Context, request: &Value) -> Result<Value, RequestFailure> {
        let request = self.post("/chat/completions").header(CONTENT_TYPE, "application/json").body(request.to_string());
        self.send(cx, request).await
    }

    /// Sends `POST /audio/transcriptions`.
    pub(crate) async fn transcription(&self, cx: &Context, request: &TranscriptionRequest) -> Result<Value, RequestFailure> {
        self.send(cx, self.post("/audio/transcriptions").multipart(request.form())).await
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.server.url())).headers(self.headers.clone())
    }

    /// Sends the request until it is answered or the context is cancelled.
    async fn send(&self, cx: &Context, request: RequestBuilder) -> Result<Value, RequestFailure> {
        tokio::select! {
            response = self.exchange(request) => response,
            // The server may have read it already.
            () = cx.cancelled() => Err(RequestFailure::unanswered(Error::cancelled(), true)),
        }
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Value, RequestFailure> {
        let mut response = request.send().await.map_err(|cause| self.transport_failure(cause))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| self.transport_failure(cause))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_RESPONSE_BYTES {
                let error = self.server.invalid_response(self.operation, "it is larger than 32 MiB");
                return Err(RequestFailure::unanswered(error, true));
            }
        }
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|cause| RequestFailure::unanswered(self.server.invalid_response(self.operation, &cause.to_string()), true));
        }
        let (code, message) = error_message(&bytes);
        // The key is removed before the message is cut, so that no part of it remains.
        let message: String = self.server.without_key(&message).chars().take(MAX_MESSAGE_CHARS).collect();
        let error = self.status_error(status.as_u16(), &code, &message, after);
        Err(RequestFailure { error, status: Some(status.as_u16()), message, may_be_charged: false })
    }

    /// The error for an HTTP status; `after` is the wait that the server asks for.
    fn status_error(&self, status: u16, code: &str, message: &str, after: Option<Duration>) -> Error {
        let text = format!("cannot {}: the server answers {status}: {message}", self.operation);
        let no_credit = "the account has no credit left";
        let error = match status {
            401 | 403 => {
                Error::new(ErrorKind::Denied, text).with_recovery(Recovery::RefreshCredentials).with_advice("check OPENAI_API_KEY")
            }
            402 => Error::new(ErrorKind::Denied, text).with_advice(no_credit),
            429 if code == "insufficient_quota" => Error::new(ErrorKind::Denied, text).with_advice(no_credit),
            429 => Error::new(ErrorKind::RateLimited, text).with_recovery(Recovery::Retry { after }),
            408 | 409 | 500.. => Error::new(ErrorKind::Network, text).with_recovery(Recovery::Retry { after }),
            413 => Error::new(ErrorKind::Config, text).with_advice("the server accepts smaller uploads than OpenAI's 25 MB"),
            _ => Error::new(ErrorKind::Config, text),
        };
        error.with_url(&self.server.url())
    }

    /// The failure of a connection that could not be made, or broke.
    fn transport_failure(&self, cause: reqwest::Error) -> RequestFailure {
        let unsent = cause.is_connect() || cause.is_builder();
        let error = if cause.is_builder() {
            Error::new(ErrorKind::Config, format!("cannot {}: the server's address is invalid", self.operation))
        } else {
            let reason = if cause.is_connect() {
                "the server cannot be reached".to_owned()
            } else if cause.is_timeout() {
                format!("the server takes longer than {} s", self.timeout.as_secs_f64())
            } else {
                "the connection broke".to_owned()
            };
            Error::new(ErrorKind::Network, format!("cannot {}: {reason}", self.operation)).with_recovery(Recovery::Retry { after: None })
        };
        RequestFailure::unanswered(error.with_source(cause.without_url()).with_url(&self.server.url()), !unsent)
    }
}

impl TranscriptionRequest {
    /// The multipart body. Its length is known beforehand, since some servers require
    /// `Content-Length`.
    fn form(&self) -> Form {
        let mut form = Form::new().part("file", Part::bytes(self.audio.to_vec()).file_name("speech.m4a")).text("model", self.model.clone());
        if let Some(language) = &self.language {
            form = form.text("language", language.clone());
        }
        if let Some(prompt) = &self.prompt {
            form = form.text("prompt", prompt.clone());
        }
        form = form.text("response_format", self.response_format);
        for granularity in self.timestamp_granularities {
            form = form.text("timestamp_granularities[]", *granularity);
        }
        form
    }
}

/// The headers with the key and the organization. A value that no header can hold is an error that
/// does not show it.
fn headers(server: &OpenAiServer) -> Result<HeaderMap> {
    let header = |value: &str, what: &str| {
        HeaderValue::from_str(value).map_err(|_| {
            Error::new(ErrorKind::Config, format!("{what} contains characters that are not allowed in a header"))
                .with_advice("copy it again")
        })
    };
    let mut headers = HeaderMap::new();
    if let Some(key) = server.key() {
        let mut value = header(&format!("Bearer {key}"), "the API key")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if let Some(organization) = server.organization.as_deref().filter(|organization| !organization.is_empty()) {
        headers.insert("OpenAI-Organization", header(organization, "the organization")?);
    }
    Ok(headers)
}

/// The code and the message of an error response, in the forms that servers use: `{"error":
/// {"message": .., "code": ..}}`, `{"error": ".."}`, `{"message": ..}`, `{"detail": ..}`, or text.
/// White space is collapsed.
fn error_message(bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(bytes);
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let error = &value["error"];
    let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or_default().to_owned();
    let message = [&error["message"], error, &value["message"], &value["detail"]].into_iter().find_map(Value::as_str).unwrap_or(&text);
    let words = message.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|part| !part.is_empty());
    (code, words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_messages_are_read_in_all_forms() {
        for (body, expected) in [
            (r#"{"error": {"message": "no\nsuch model", "code": "model_not_found"}}"#, ("model_not_found", "no such model")),
            (r#"{"error": "model is loading"}"#, ("", "model is loading")),
            (r#"{"object": "error", "message": "bad"}"#, ("", "bad")),
            (r#"{"detail": "nope"}"#, ("", "nope")),
            ("<html>Bad  Gateway</html>", ("", "<html>Bad Gateway</html>")),
            ("", ("", "")),
        ] {
            assert_eq!(error_message(body.as_bytes()), (expected.0.to_owned(), expected.1.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_refused_and_not_shown() {
        let server = |key: &str| OpenAiServer { api_key: Some(key.into()), ..OpenAiServer::default() };
        // A key read from a file ends with a line break.
        assert_eq!(headers(&server("sk-1\n")).unwrap()[AUTHORIZATION], "Bearer sk-1");
        let error = headers(&server("sk-\n1")).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && !error.to_string().contains("sk-"), "{error}");
    }
}
