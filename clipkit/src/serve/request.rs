//! What handlers take from requests, with refusals as problems.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::guard::Caller;
use super::problem::{Answer, Problem};
use crate::error::ErrorKind;
use crate::jobs::JobId;

/// A JSON body.
pub(super) struct Doc<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Doc<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // A simple form of another site cannot have this type, which needs a preflight.
        if !is_json(request.headers()) {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorKind::InvalidInput, "the body is not JSON")
                .with_advice("send JSON with Content-Type: application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidInput, "the body is too large"),
            status => Problem::new(status, ErrorKind::Network, "the body could not be read"),
        })?;
        serde_json::from_slice(&bytes).map(Doc).map_err(|error| {
            // A text that is no JSON, or JSON that says something else.
            let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
            Problem::new(status, ErrorKind::InvalidInput, format!("this request cannot be read: {error}"))
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The parameters of the query.
pub(super) struct Ask<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Ask<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(query)| Ask(query)).map_err(|rejection| {
            Problem::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidInput, format!("the query cannot be read: {rejection}"))
        })
    }
}

/// The parameters of the path as texts.
pub(super) struct Names<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // What is no Unicode names nothing.
        Path::<T>::from_request_parts(parts, state)
            .await
            .map(|Path(names)| Names(names))
            .map_err(|_| Problem::not_found("there is nothing here"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Caller>().cloned().unwrap_or_default())
    }
}

/// The id of a job in a path. What is no id names no job.
pub(super) fn job_id(text: &str) -> Answer<JobId> {
    text.parse().map_err(|_| Problem::not_found("there is no such job").with_advice("list the jobs"))
}

/// The rank of a clip in a path.
pub(super) fn rank(text: &str) -> Answer<usize> {
    let rank = text.parse::<usize>().ok().filter(|rank| *rank > 0 && rank.to_string() == text);
    rank.ok_or_else(|| Problem::not_found("there is no such clip").with_advice("list the job's clips"))
}
