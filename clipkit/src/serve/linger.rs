//! Refusals of requests whose body is not read to its end.
//!
//! A server that answers and closes the connection while the client still sends makes the client
//! fail with a broken pipe, before it reads why. So the rest of a refused request is read, within
//! limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use tokio::sync::Mutex;

/// The most bytes of a refused request that are read, and for how long.
const MOST: usize = 16 << 20;
const LONGEST: Duration = Duration::from_secs(5);

/// Reads the rest of a request's body when it is refused. The answer then reaches the client.
pub(super) async fn linger(request: Request, next: Next) -> Response {
    // A client that asks first sends nothing before it is told to.
    if request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let rest = Arc::new(Mutex::new(body.into_data_stream()));
    let reader = rest.clone();
    let body = futures::stream::unfold(reader, |reader| async move {
        let part = reader.lock().await.next().await;
        part.map(|part| (part, reader))
    });
    let response = next.run(Request::from_parts(parts, Body::from_stream(body))).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        let _ = tokio::time::timeout(LONGEST, async { drain(&mut *rest.lock().await).await }).await;
    }
    response
}

async fn drain(body: &mut BodyDataStream) {
    let mut read = 0_usize;
    while let Some(Ok(part)) = body.next().await {
        read = read.saturating_add(part.len());
        if read > MOST {
            return;
        }
    }
}
