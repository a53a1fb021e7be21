//! Health, sessions, metrics, and what answers when nothing else does.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Key, Scope};
use super::openapi::{ProblemBody, SessionBody, SessionViewBody};
use super::problem::{Answer, Problem};
use super::request::Doc;
use super::state::App;
use super::{measure, sessions};
use crate::error::{ErrorKind, Recovery};

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "system", responses((status = 200, description = "It does.", content_type = "text/plain")))]
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// Whether the service can take jobs: the queue can be read, and the disk has space.
#[utoipa::path(
    get, path = "/readyz", tag = "system",
    responses(
        (status = 200, description = "It can.", content_type = "text/plain"),
        (status = 503, description = "It cannot.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn ready(State(app): State<App>) -> Answer<&'static str> {
    let unready = |error: crate::error::Error| {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.kind(), error.message());
        problem.with_recovery(Recovery::Retry { after: None })
    };
    if app.options.cx.is_cancelled() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Cancelled, "the service stops"));
    }
    app.jobs.engine().paused().await.map_err(unready)?;
    app.jobs.has_space().map_err(unready)?;
    Ok("ready\n")
}

/// A key, to open a session with.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionRequest {
    /// The API key.
    key: String,
}

/// Who a session belongs to.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SessionView {
    /// The key's name.
    name: String,
    /// What it allows.
    scope: Scope,
}

/// Opens a session: a cookie that stands for an API key, for browsers.
#[utoipa::path(
    post, path = "/v1/session", tag = "system",
    request_body(content = inline(SessionBody), content_type = "application/json"),
    responses(
        (status = 200, description = "The session; `Set-Cookie` has it.", body = inline(SessionViewBody)),
        (status = 401, description = "There is no such key.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn sign_in(State(app): State<App>, headers: HeaderMap, Doc(request): Doc<SessionRequest>) -> Answer<Response> {
    let found = match &app.keys {
        Some(keys) => keys.check(&request.key)?,
        None => None,
    };
    let Some(Key { id, name, scope, .. }) = found else {
        return Err(
            Problem::new(StatusCode::UNAUTHORIZED, ErrorKind::Denied, "there is no such key").with_recovery(Recovery::RefreshCredentials)
        );
    };
    let cookie = sessions::set_cookie(&app.sessions.open(&id)?, is_secure(&headers));
    Ok(([(SET_COOKIE, cookie)], Json(SessionView { name, scope })).into_response())
}

/// Closes the session.
#[utoipa::path(delete, path = "/v1/session", tag = "system", responses((status = 204, description = "The session is closed.")))]
pub(super) async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(token) = sessions::token(&headers) {
        app.sessions.close(token);
    }
    (StatusCode::NO_CONTENT, [(SET_COOKIE, sessions::set_cookie("", is_secure(&headers)))]).into_response()
}

/// Whether the browser came by HTTPS, through a proxy that says so.
fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

/// Metrics in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "system",
    responses(
        (status = 200, description = "The metrics.", content_type = "text/plain"),
        (status = 404, description = "This program does not record metrics.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn metrics(State(app): State<App>) -> Answer<Response> {
    measure::queues(&app.overview.queues().await?, app.jobs.space().0);
    let text = measure::rendered().ok_or_else(|| {
        Problem::not_found("this program does not record metrics")
            .with_advice("call clipkit::serve::record_metrics, or ask its own recorder")
    })?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response())
}

pub(super) async fn nothing() -> Problem {
    Problem::not_found("there is nothing here").with_advice("see /v1/openapi.json")
}

pub(super) async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidInput, "this address does not have this method")
        .with_advice("see /v1/openapi.json")
}
