//! The events of a job as server-sent events and over a WebSocket.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::openapi::{JobEventBody, ProblemBody};
use super::problem::{Answer, Problem};
use super::request::{Ask, Names, job_id};
use super::state::App;
use crate::error::{ErrorKind, Recovery, Result};
use crate::jobs::{JobEvent, JobId};

/// How often a quiet stream shows that it lives.
const ALIVE: Duration = Duration::from_secs(15);
/// The wait before a browser connects again.
const RECONNECT: Duration = Duration::from_secs(1);
/// Clients send nothing but control frames.
const LONGEST_MESSAGE: usize = 4096;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// Only events with higher numbers. The header `Last-Event-ID` comes first.
    since: u64,
}

/// Follows the events of a job until it ends.
///
/// Server-sent events: each has the event's number as `id` and the event as JSON in `data`. A
/// client that connects again with `Last-Event-ID` misses nothing. If the job has ended and all its
/// events were seen, the answer is 204, which tells a browser's `EventSource` not to connect again.
///
/// With `Upgrade: websocket`, each event is a text message with JSON, and the server closes the
/// connection after the last one.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/events", tag = "jobs",
    params(("id" = String, Path, description = "The job's id."), Since, ("Last-Event-ID" = Option<u64>, Header, description = "The last event seen.")),
    responses(
        (status = 200, description = "The events.", content_type = "text/event-stream", body = inline(JobEventBody)),
        (status = 101, description = "The events, over a WebSocket."),
        (status = 204, description = "The job has ended, and there are no more events."),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    Names(id): Names<String>,
    Ask(Since { since }): Ask<Since>,
    headers: HeaderMap,
    upgrade: std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let id = job_id(&id)?;
    let job = app.jobs.get(&id).await?.ok_or_else(|| Problem::not_found("there is no such job"))?;
    let since = last_seen(&headers).unwrap_or(since);
    let permit = app.streams.clone().try_acquire_owned().map_err(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::RateLimited, "too many event streams are open")
            .with_recovery(Recovery::Retry { after: Some(Duration::from_secs(5)) })
    })?;
    if let Ok(upgrade) = upgrade {
        let follower = app.hub.follow(id, since);
        let upgrade = upgrade.max_message_size(LONGEST_MESSAGE).max_frame_size(LONGEST_MESSAGE);
        return Ok(upgrade.on_upgrade(move |socket| talk(socket, follower, permit)));
    }
    if job.state.is_over() && app.jobs.events(&id, since).await?.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(sse(app.hub.follow(id.clone(), since), id, permit).into_response())
}

fn last_seen(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

fn sse(
    events: impl Stream<Item = Result<JobEvent>> + Send + 'static,
    id: JobId,
    permit: OwnedSemaphorePermit,
) -> Sse<impl Stream<Item = std::result::Result<Event, Infallible>>> {
    let events = events.filter_map(move |event| {
        // The stream is counted until it is dropped.
        let _held = &permit;
        let made = match event {
            Ok(event) => written(&event).map(|text| Event::default().id(event.number.to_string()).retry(RECONNECT).data(text)),
            // The stream ends, and the client connects again.
            Err(error) => {
                tracing::warn!(job = %id, "an event stream ends: {error}");
                None
            }
        };
        std::future::ready(made.map(Ok))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE))
}

fn written(event: &JobEvent) -> Option<String> {
    serde_json::to_string(event).ok()
}

async fn talk(mut socket: WebSocket, events: impl Stream<Item = Result<JobEvent>>, _permit: OwnedSemaphorePermit) {
    let mut events = pin!(events);
    let mut alive = tokio::time::interval(ALIVE);
    let (code, reason) = loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => {
                    let Some(text) = written(&event) else { continue };
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        return;
                    }
                }
                Some(Err(_)) => break (close_code::ERROR, "the events could not be read: connect again"),
                None => break (close_code::NORMAL, "the job has ended"),
            },
            got = socket.recv() => match got {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(_)) => {}
            },
            _ = alive.tick() => {
                if socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                    return;
                }
            }
        }
    };
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}
