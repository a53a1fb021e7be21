//! The routes of uploads: tus 1.0 with the extensions creation and termination.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Info, Standing, append, metadata};
use crate::error::{Error, ErrorKind, Recovery};
use crate::serve::openapi::{ProblemBody, UploadViewBody};
use crate::serve::problem::{Answer, Problem};
use crate::serve::request::Names;
use crate::serve::state::App;

const VERSION: &str = "1.0.0";
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// The longest wait for the next bytes of an upload.
const IDLE: Duration = Duration::from_secs(30);

/// An upload.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::serve) struct UploadView {
    /// The id.
    id: String,
    /// The address for `uri` of a job, once the upload is complete.
    uri: String,
    /// The bytes so far.
    offset: u64,
    /// The bytes of the whole file.
    length: u64,
    /// Whether a job can use it.
    complete: bool,
}

/// Tells what of tus the service has.
#[utoipa::path(
    options, path = "/v1/uploads", tag = "uploads",
    responses((status = 204, description = "The headers `Tus-Version`, `Tus-Extension` and `Tus-Max-Size`."))
)]
pub(in crate::serve) async fn options(State(app): State<App>) -> Response {
    let headers = [
        (RESUMABLE, VERSION.to_owned()),
        (HeaderName::from_static("tus-version"), VERSION.to_owned()),
        (HeaderName::from_static("tus-extension"), "creation,termination".to_owned()),
        (HeaderName::from_static("tus-max-size"), app.uploads.max_bytes.to_string()),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Starts an upload (tus, creation).
///
/// `Upload-Metadata` may have `filename`. The answer's `Location` takes the bytes.
#[utoipa::path(
    post, path = "/v1/uploads", tag = "uploads",
    params(
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
        ("Upload-Length" = u64, Header, description = "The bytes of the file."),
        ("Upload-Metadata" = Option<String>, Header, description = "Pairs of a key and a value in Base64: `filename`."),
    ),
    responses(
        (status = 201, description = "The upload; `Location` has its address.", body = inline(UploadViewBody)),
        (status = 413, description = "The file is too large.", content_type = "application/problem+json", body = inline(ProblemBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(in crate::serve) async fn create(State(app): State<App>, headers: HeaderMap) -> Answer<Response> {
    speaks(&headers)?;
    let length = number(&headers, &LENGTH)?;
    if length == 0 {
        return Err(bad("Upload-Length is 0: the file is empty"));
    }
    if length > app.uploads.max_bytes {
        let message = format!("a file of {length} bytes is larger than allowed ({} bytes)", app.uploads.max_bytes);
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidInput, message));
    }
    let metadata = headers.get("upload-metadata").map(HeaderValue::to_str).transpose().map_err(|_| bad("Upload-Metadata is not ASCII"))?;
    let name = metadata::file_name(metadata).ok_or_else(|| bad("Upload-Metadata is not pairs of keys and Base64"))?;
    let (held, info) = (app.clone(), Info { length, name: name.clone() });
    let id = blocking(move || held.uploads.create(info)).await.map_err(stored)?;
    let view = UploadView { uri: format!("{}/{name}", super::key(&id)), offset: 0, length, complete: false, id };
    let answer = (StatusCode::CREATED, [(RESUMABLE, VERSION.to_owned()), (LOCATION, format!("/v1/uploads/{}", view.id))], Json(view));
    Ok(answer.into_response())
}

/// Tells how many bytes of an upload have arrived (tus).
#[utoipa::path(
    head, path = "/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path, description = "The upload's id.")),
    responses(
        (status = 200, description = "The headers `Upload-Offset` and `Upload-Length`."),
        (status = 404, description = "There is no such upload."),
    )
)]
pub(in crate::serve) async fn head(State(app): State<App>, Names(id): Names<String>) -> Answer<Response> {
    let (_, Standing { offset, length, .. }) = standing(&app, &id).await?;
    let headers = [
        (RESUMABLE, VERSION.to_owned()),
        (OFFSET, offset.to_string()),
        (LENGTH, length.to_string()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::OK, headers).into_response())
}

/// Shows an upload.
#[utoipa::path(
    get, path = "/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path, description = "The upload's id.")),
    responses(
        (status = 200, description = "The upload.", body = inline(UploadViewBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(in crate::serve) async fn status(State(app): State<App>, Names(id): Names<String>) -> Answer<Json<UploadView>> {
    let (id, Standing { offset, length, name, complete }) = standing(&app, &id).await?;
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    Ok(Json(UploadView { uri: format!("{}{name}", super::key(&id)), id, offset, length, complete }))
}

/// Appends bytes to an upload (tus). The last ones complete it.
#[utoipa::path(
    patch, path = "/v1/uploads/{id}", tag = "uploads",
    params(
        ("id" = String, Path, description = "The upload's id."),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
        ("Upload-Offset" = u64, Header, description = "Where the bytes belong: the upload's offset."),
    ),
    request_body(content_type = "application/offset+octet-stream", description = "The bytes."),
    responses(
        (status = 204, description = "The bytes are stored; `Upload-Offset` has the new offset."),
        (status = 409, description = "The offset is not the upload's.", content_type = "application/problem+json", body = inline(ProblemBody)),
        (status = 423, description = "Another request writes.", content_type = "application/problem+json", body = inline(ProblemBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(in crate::serve) async fn patch(State(app): State<App>, Names(id): Names<String>, request: Request) -> Answer<Response> {
    speaks(request.headers())?;
    if request.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/offset+octet-stream") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorKind::InvalidInput, "these are not bytes of an upload")
            .with_advice("send Content-Type: application/offset+octet-stream"));
    }
    let from = number(request.headers(), &OFFSET)?;
    let (id, _) = standing(&app, &id).await?;
    let (held, known) = (app.clone(), id.clone());
    let Some(upload) = blocking(move || held.uploads.begun(&known)).await? else {
        return Err(Problem::new(StatusCode::CONFLICT, ErrorKind::Config, "this upload is complete, or in use elsewhere"));
    };
    let Ok(writer) = upload.writer.clone().try_lock_owned() else {
        return Err(Problem::new(StatusCode::LOCKED, ErrorKind::Io, "another request writes this upload")
            .with_recovery(Recovery::Retry { after: Some(Duration::from_secs(1)) }));
    };
    let (mut offset, length, path) = (upload.offset(), upload.info.length, upload.file());
    if from != offset {
        let message = format!("the upload has {offset} bytes, and these start at {from}");
        return Err(Problem::new(StatusCode::CONFLICT, ErrorKind::InvalidInput, message).with_advice("ask for the offset (HEAD)"));
    }
    let mut file = std::fs::File::options().append(true).open(&path).map_err(|error| Error::io(&path, "open the upload", error))?;
    let mut body = request.into_body().into_data_stream();
    loop {
        let next = tokio::time::timeout(IDLE, body.next()).await.map_err(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::TimedOut, "no more bytes came")
                .with_recovery(Recovery::Retry { after: None })
        })?;
        // What came before the connection broke stays.
        let Some(Ok(bytes)) = next else { break };
        let end = offset.saturating_add(bytes.len() as u64);
        if end > length {
            let message = format!("the upload has {length} bytes, and these end at {end}");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidInput, message));
        }
        let kept = path.clone();
        file = blocking(move || append(&mut file, &kept, &bytes).map(|()| file)).await.map_err(stored)?;
        offset = end;
        upload.touch();
    }
    if offset == length {
        let held = app.clone();
        // Runs to its end even if the client goes away.
        blocking(move || {
            let _writer = writer;
            drop(file);
            held.uploads.finish(&id, &upload)
        })
        .await
        .map_err(stored)?;
    }
    let headers = [(RESUMABLE, VERSION.to_owned()), (OFFSET, offset.to_string())];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Drops an upload that is not complete (tus, termination).
#[utoipa::path(
    delete, path = "/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path, description = "The upload's id.")),
    responses(
        (status = 204, description = "The upload is gone."),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(in crate::serve) async fn terminate(State(app): State<App>, Names(id): Names<String>, headers: HeaderMap) -> Answer<Response> {
    speaks(&headers)?;
    let (id, standing) = standing(&app, &id).await?;
    if standing.complete {
        return Err(Problem::new(StatusCode::CONFLICT, ErrorKind::Config, "this upload is complete: it goes when space is needed"));
    }
    let held = app.clone();
    blocking(move || held.uploads.abandon(&id)).await?;
    Ok((StatusCode::NO_CONTENT, [(RESUMABLE, VERSION)]).into_response())
}

async fn standing(app: &App, id: &str) -> Answer<(String, Standing)> {
    let missing = || Problem::not_found("there is no such upload").with_advice("start one with POST /v1/uploads");
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return Err(missing());
    }
    let (held, known) = (app.clone(), id.to_owned());
    let standing = blocking(move || held.uploads.standing(&known)).await?;
    Ok((id.to_owned(), standing.ok_or_else(missing)?))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> crate::error::Result<T> + Send + 'static) -> crate::error::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, "the upload broke the service")))
}

/// A full disk or store is said by its own status.
fn stored(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::Config => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidInput, error.message()),
        ErrorKind::Io => {
            let problem = Problem::new(StatusCode::INSUFFICIENT_STORAGE, ErrorKind::Io, error.message());
            problem.with_recovery(Recovery::Retry { after: Some(Duration::from_secs(60)) })
        }
        _ => error.into(),
    }
}

fn speaks(headers: &HeaderMap) -> Answer<()> {
    match headers.get(RESUMABLE) {
        Some(version) if version == VERSION => Ok(()),
        _ => Err(Problem::new(StatusCode::PRECONDITION_FAILED, ErrorKind::InvalidInput, "this service speaks tus 1.0.0")
            .with_advice("send Tus-Resumable: 1.0.0")),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Answer<u64> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<u64>().ok());
    value.ok_or_else(|| bad(format!("{name} is missing or is no number")))
}

fn bad(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidInput, message)
}
