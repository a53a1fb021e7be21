//! Requests to a server that speaks OpenAI's API, over the project's HTTP client.
//!
//! A request is sent once. The outcome is what the server says ([`answer`]) or a
//! [`RequestFailure`], which holds what decides about another attempt; the server's layers make
//! those attempts.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::answer::{self, Complaint, Content, Recording, Said};
use super::failure::{self, Failing};
use super::request::Endpoint;
use super::{OpenAiServer, RequestFailure, TranscriptionRequest};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::{self, Timeouts, innermost_cause, retry_after};
use crate::model::{Limit, Limits};

/// The time limit of the request for the list of models, which an error shows.
const MODELS_TIMEOUT: Duration = Duration::from_secs(5);

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
    pub(crate) async fn chat(&self, cx: &Context, request: &Value) -> Result<Said, RequestFailure> {
        let sent = self.post(Endpoint::Chat).header(CONTENT_TYPE, "application/json").body(request.to_string());
        self.send(cx, Endpoint::Chat, sent, answer::chat).await
    }

    /// Sends `POST /audio/transcriptions`. `read` reads transcripts
    /// ([`transcription`](answer::transcription)).
    pub(crate) async fn transcription(
        &self,
        cx: &Context,
        request: &TranscriptionRequest,
        read: fn(Content<'_>) -> Option<Recording>,
    ) -> Result<Recording, RequestFailure> {
        let sent = self.post(Endpoint::Transcription).multipart(request.form());
        self.send(cx, Endpoint::Transcription, sent, |bytes| answer::transcription(bytes, &read)).await
    }

    fn post(&self, endpoint: Endpoint) -> RequestBuilder {
        self.http.post(format!("{}{}", self.server.url(), endpoint.path())).headers(self.headers.clone())
    }

    /// Sends the request until it is answered or the context is cancelled.
    async fn send<A>(
        &self,
        cx: &Context,
        endpoint: Endpoint,
        request: RequestBuilder,
        read: impl Fn(&[u8]) -> Result<A, Complaint>,
    ) -> Result<A, RequestFailure> {
        tokio::select! {
            response = self.exchange(cx.limits(), endpoint, request, read) => response,
            // The server may have read it already.
            () = cx.cancelled() => Err(RequestFailure::unanswered(Error::cancelled(), true)),
        }
    }

    async fn exchange<A>(
        &self,
        limits: &Limits,
        endpoint: Endpoint,
        request: RequestBuilder,
        read: impl Fn(&[u8]) -> Result<A, Complaint>,
    ) -> Result<A, RequestFailure> {
        let response = request.send().await.map_err(|cause| self.transport_failure(cause))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let bytes = self.body(limits, response).await?;
        let complaint = match status.is_success() {
            true => match read(&bytes) {
                Ok(answer) => return Ok(answer),
                Err(complaint) => complaint,
            },
            false => answer::refused(status.as_u16(), &bytes),
        };
        let models = if failure::is_about_model(&complaint) { self.models(limits).await } else { Vec::new() };
        let failing = Failing { server: &self.server, operation: self.operation, endpoint, answered: status.as_u16(), after, models };
        Err(failure::failure(&failing, &complaint))
    }

    async fn body(&self, limits: &Limits, mut response: Response) -> Result<Vec<u8>, RequestFailure> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| self.transport_failure(cause))? {
            bytes.extend_from_slice(&chunk);
            if let Err(error) = limits.check(Limit::AnswerBytes, bytes.len() as u64) {
                return Err(RequestFailure::unanswered(error.with_url(&self.server.url()), true));
            }
        }
        Ok(bytes)
    }

    /// The models that the server offers. Empty if it does not say.
    async fn models(&self, limits: &Limits) -> Vec<String> {
        let request = self.http.get(format!("{}/models", self.server.url())).headers(self.headers.clone()).timeout(MODELS_TIMEOUT);
        match request.send().await {
            Ok(response) if response.status() == StatusCode::OK => {
                self.body(limits, response).await.map(|bytes| answer::models(&bytes)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// The failure of a connection that could not be made, or broke.
    fn transport_failure(&self, cause: reqwest::Error) -> RequestFailure {
        let unsent = cause.is_connect() || cause.is_builder();
        let error = if cause.is_builder() {
            let reason = innermost_cause(&cause);
            Error::new(ErrorKind::Config, format!("cannot {}: the server's address is invalid: {reason}", self.operation))
                .with_advice("check OPENAI_BASE_URL, or `base_url` of the server")
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
        let format = self.audio.format;
        // Some servers refuse a file without a media type.
        let media_type = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(format.media_type()))]);
        let audio = Part::bytes(self.audio.bytes.to_vec()).file_name(format.file_name()).headers(media_type);
        let mut form = Form::new().part("file", audio).text("model", self.model.clone());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_header_can_hold_is_refused_and_not_shown() {
        let server = |key: &str| OpenAiServer { api_key: Some(key.into()), ..OpenAiServer::default() };
        // A key read from a file ends with a line break.
        assert_eq!(headers(&server("sk-1\n")).unwrap()[AUTHORIZATION], "Bearer sk-1");
        let error = headers(&server("sk-\n1")).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && !error.to_string().contains("sk-"), "{error}");
    }
}
