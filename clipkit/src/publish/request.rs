//! What requests to all servers share: bounded answers, and the error of a request without one.

use reqwest::Response;

use super::refusal::Server;
use crate::error::{Error, ErrorKind, Recovery};
use crate::http::guarded::refusal;
use crate::http::innermost_cause;

/// The error of a request without a response. It does not show the URL, which can hold a secret.
pub(super) fn failure(error: reqwest::Error, server: Server) -> Error {
    if let Some(ours) = refusal(&error).or_else(|| of_body(&error)) {
        return ours;
    }
    let what = if error.is_timeout() {
        "does not answer in time".to_owned()
    } else if error.is_connect() {
        format!("cannot be reached: {}", innermost_cause(&error))
    } else {
        format!("broke the connection: {}", innermost_cause(&error))
    };
    let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Network };
    Error::new(kind, format!("{} {what}", server.name())).with_recovery(Recovery::Retry { after: None }).with_source(error.without_url())
}

/// Whether the same request can succeed in a moment.
pub(super) fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut) && *error.recovery() == Recovery::Retry { after: None }
}

/// Our own error of reading the body that was sent.
fn of_body(error: &reqwest::Error) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<Error>() {
            return Some(ours.clone());
        }
        cause = inner.source();
    }
    None
}

/// The text of a response, of which at most `longest` bytes are read.
pub(super) async fn text(mut response: Response, longest: usize) -> Result<String, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = longest.saturating_sub(bytes.len());
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() >= longest {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
