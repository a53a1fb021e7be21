//! Errors as answers: problem details (RFC 9457).

use std::time::SystemTime;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Recovery};
use crate::model::{Stage, Timestamp};

/// What a handler answers.
pub(super) type Answer<T> = Result<T, Problem>;

/// An error with its HTTP status.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: Error,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>) -> Self {
        Problem { status, error: Error::new(kind, message) }
    }

    pub(super) fn with_advice(self, advice: impl Into<String>) -> Self {
        Problem { error: self.error.with_advice(advice), ..self }
    }

    pub(super) fn with_recovery(self, recovery: Recovery) -> Self {
        Problem { error: self.error.with_recovery(recovery), ..self }
    }

    /// The same error as a conflict with the state of what the request names.
    pub(super) fn conflict(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Problem { status: StatusCode::CONFLICT, error },
            _ => error.into(),
        }
    }

    /// What does not exist, or is not for this caller.
    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, what)
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let can_wait = matches!(error.recovery(), Recovery::Retry { .. } | Recovery::WaitUntil(_));
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::InvalidInput | ErrorKind::NoTranscript | ErrorKind::NothingFound | ErrorKind::InvalidPlan | ErrorKind::Config => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            ErrorKind::Denied => StatusCode::FORBIDDEN,
            ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Io | ErrorKind::TimedOut if can_wait => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Unavailable | ErrorKind::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Network => StatusCode::BAD_GATEWAY,
            // Decoding, encoding, drawing, broken contracts.
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Problem { status, error }
    }
}

/// A problem as it is sent (`application/problem+json`). It names no path of the server.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct ProblemDocument {
    /// `urn:clipkit:problem:` and the kind.
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened.
    detail: String,
    /// The class of the error.
    kind: ErrorKind,
    /// The stage that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    /// What the user can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    /// What the program can do.
    recovery: Recovery,
    /// The media time concerned, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    /// The address concerned, without user, password and query.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Problem { status, error } = self;
        if status.is_server_error() {
            tracing::warn!(%status, "a request failed: {error}");
        }
        let kind = serde_json::to_value(error.kind()).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        let document = ProblemDocument {
            r#type: format!("urn:clipkit:problem:{kind}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: error.message().to_owned(),
            kind: error.kind(),
            stage: error.stage(),
            advice: error.advice().map(str::to_owned),
            recovery: error.recovery().clone(),
            at: error.at(),
            url: error.url().map(str::to_owned),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = wait(error.recovery()) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The seconds of `Retry-After`.
fn wait(recovery: &Recovery) -> Option<u64> {
    let wait = match recovery {
        Recovery::Retry { after } => (*after)?,
        Recovery::WaitUntil(at) => at.duration_since(SystemTime::now()).unwrap_or_default(),
        _ => return None,
    };
    Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_kind_and_its_recovery_decide_the_status() {
        let status = |kind, recovery| Problem::from(Error::new(kind, "x").with_recovery(recovery)).status().as_u16();
        for (kind, expected) in [
            (ErrorKind::NotFound, 404),
            (ErrorKind::InvalidInput, 422),
            (ErrorKind::Config, 422),
            (ErrorKind::Denied, 403),
            (ErrorKind::RateLimited, 429),
            (ErrorKind::Io, 500),
            (ErrorKind::TimedOut, 504),
            (ErrorKind::Network, 502),
            (ErrorKind::Unavailable, 503),
            (ErrorKind::Contract, 500),
        ] {
            assert_eq!(status(kind, Recovery::GiveUp), expected, "{kind:?}");
        }
        assert_eq!(status(ErrorKind::Io, Recovery::Retry { after: None }), 503, "a full disk");
        assert_eq!(Problem::conflict(Error::new(ErrorKind::Config, "x")).status(), StatusCode::CONFLICT);
    }

    #[tokio::test]
    async fn a_problem_says_when_to_come_back_and_names_no_path() {
        let error = Error::new(ErrorKind::RateLimited, "too many jobs")
            .with_path("/secret/place")
            .with_recovery(Recovery::Retry { after: Some(Duration::from_millis(1500)) });
        let response = Problem::from(error).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains(r#""type":"urn:clipkit:problem:rate_limited""#) && text.contains(r#""after":1.5"#), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}
