//! The routes and what stands around them.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::guard::guard;
use super::linger::linger;
use super::options::ServeOptions;
use super::problem::Problem;
use super::state::App;
use super::uploads::routes as tus;
use super::{clips, dashboard, jobs, measure, openapi, queues, stream, system, webhooks};
use crate::error::{ErrorKind, Recovery, Result};
use crate::jobs::Jobs;

/// How often what is not needed any more is forgotten.
const TIDY: Duration = Duration::from_secs(60);

/// The service as an axum router, for a program's own server. It answers `/`, `/assets`, `/v1`,
/// `/metrics`, `/healthz` and `/readyz`.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: then, without API keys,
/// only requests from this machine are answered. Otherwise the `Host` header alone decides.
///
/// Call it in an async runtime. Tasks that it starts end when [`ServeOptions::cx`] is cancelled.
///
/// # Errors
///
/// [`ErrorKind::Config`] for impossible options; the errors of the media store and of the file with
/// the keys.
pub async fn router(jobs: Jobs, options: ServeOptions) -> Result<Router> {
    let app = App::open(jobs, options).await?;
    let (api, paths) = routes().split_for_parts();
    let described = serde_json::to_string(&openapi::document(&paths)?).unwrap_or_default();
    let _ = app.described.set(described);
    webhooks::start(&app)?;
    tokio::spawn(tidy(app.clone()));
    let max_body = app.options.max_body;
    let cors = cors(&app.options);
    let router = api
        .route("/", get(dashboard::index))
        .route("/assets/{file}", get(dashboard::file))
        .fallback(system::nothing)
        .method_not_allowed_fallback(system::wrong_method)
        .layer(DefaultBodyLimit::max(max_body))
        .layer(from_fn_with_state(app.clone(), in_time))
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn(observed));
    // Answers of everything below, refusals included.
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    Ok(router.layer(CatchPanicLayer::custom(|_| broken())).layer(from_fn(secured)).layer(from_fn(linger)).with_state(app))
}

/// The routes that the OpenAPI document describes.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(jobs::submit, jobs::list))
        .routes(routes!(jobs::show, jobs::cancel))
        .routes(routes!(jobs::retry))
        .routes(routes!(stream::events))
        .routes(routes!(clips::list))
        .routes(routes!(clips::show))
        .routes(routes!(clips::video))
        .routes(routes!(clips::link))
        .routes(routes!(clips::cover))
        .routes(routes!(clips::captions))
        .routes(routes!(clips::plan, clips::edit))
        .routes(routes!(clips::sheet))
        .routes(routes!(tus::options, tus::create))
        .routes(routes!(tus::head, tus::status, tus::patch, tus::terminate))
        .routes(routes!(queues::list))
        .routes(routes!(queues::pause))
        .routes(routes!(queues::resume))
        .routes(routes!(queues::dead))
        .routes(routes!(queues::replay))
        .routes(routes!(queues::discard))
        .routes(routes!(system::sign_in, system::sign_out))
        .routes(routes!(system::health))
        .routes(routes!(system::ready))
        .routes(routes!(system::metrics))
        .routes(routes!(openapi::openapi))
}

async fn tidy(app: App) {
    loop {
        if let Err(error) = app.uploads.tidy(&app.jobs).await {
            tracing::warn!("uploads could not be looked after: {error}");
        }
        tokio::select! {
            () = app.options.cx.cancelled() => return,
            () = tokio::time::sleep(TIDY) => {}
        }
    }
}

/// Pages of other origins may use the API only if they are named.
fn cors(options: &ServeOptions) -> Option<CorsLayer> {
    if options.origins.is_empty() {
        return None;
    }
    let origins: Vec<HeaderValue> = options.origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let named = HeaderName::from_static;
    let cors = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            named("idempotency-key"),
            named("last-event-id"),
            named("tus-resumable"),
            named("upload-length"),
            named("upload-metadata"),
            named("upload-offset"),
        ])
        .expose_headers([LOCATION, RETRY_AFTER, named("upload-offset"), named("upload-length"), named("tus-resumable")])
        .max_age(Duration::from_secs(600));
    Some(cors)
}

/// Ends requests that take too long. Uploads and streams have limits of their own.
async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_long =
        path.ends_with("/events") || path.ends_with("/sheet") || (path.starts_with("/v1/uploads/") && request.method() == Method::PATCH);
    if is_long {
        return next.run(request).await;
    }
    match tokio::time::timeout(app.options.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::TimedOut, "the request took too long")
            .with_recovery(Recovery::Retry { after: None })
            .into_response(),
    }
}

/// Traces and measures a request by the template of its path: ids are no part of a metric's name.
async fn observed(request: Request, next: Next) -> Response {
    let (method, began) = (request.method().clone(), Instant::now());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let mut parts = request.uri().path().split('/').skip(1);
    let job = if parts.next() == Some("v1") && parts.next() == Some("jobs") { parts.next() } else { None };
    let clip = if parts.next() == Some("clips") { parts.next() } else { None };
    let span = tracing::info_span!("request", %method, route, job, clip);
    let response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    span.in_scope(|| tracing::info!(status, millis = took.as_millis() as u64, "answered"));
    measure::request(method.as_str(), &route, status, took);
    response
}

/// What every answer says to browsers.
async fn secured(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(dashboard::POLICY));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=()"),
    );
    if !headers.contains_key(ACCESS_CONTROL_EXPOSE_HEADERS) {
        headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn broken() -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Contract, "the request broke the service").into_response()
}
