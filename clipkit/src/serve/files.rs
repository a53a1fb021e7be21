//! Files as answers: with ranges, and safe to show.

use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeFile;

use super::problem::{Answer, Problem};
use crate::error::{Error, ErrorKind};

/// A file of this machine, which the service chose. Ranges and conditions of the request hold.
pub(super) async fn file(request: Request, path: &Path, content_type: &'static str, name: &str, download: bool) -> Answer<Response> {
    let metadata = tokio::fs::metadata(path).await;
    if !metadata.is_ok_and(|metadata| metadata.is_file()) {
        return Err(Problem::not_found("this file is not on the machine of the service any more"));
    }
    let served = ServeFile::new(path).try_call(request).await;
    let mut response = served.map_err(|error| Error::io(path, "read the file", error))?.map(Body::new);
    if response.status() == StatusCode::NOT_FOUND {
        return Err(Problem::not_found("this file is gone"));
    }
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        let range = response.headers().get(axum::http::header::CONTENT_RANGE).cloned();
        let mut refused =
            Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorKind::InvalidInput, "this part lies outside of the file").into_response();
        if let Some(range) = range {
            refused.headers_mut().insert(axum::http::header::CONTENT_RANGE, range);
        }
        return Ok(refused);
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_DISPOSITION, disposition(name, download));
    // A clip that is rendered again has the same address.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// A small document that was made for this answer.
pub(super) fn text(body: String, content_type: &'static str, name: &str, download: bool) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_DISPOSITION, disposition(name, download)),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    (headers, body).into_response()
}

/// `inline` or `attachment` with a file name of safe characters. The name in Unicode stands beside
/// it (RFC 6266).
fn disposition(name: &str, download: bool) -> HeaderValue {
    let plain: String =
        name.chars().map(|letter| if letter.is_ascii_alphanumeric() || ".-_".contains(letter) { letter } else { '-' }).collect();
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let escaped: String =
        name.bytes().map(|byte| if is_safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    let kind = if download { "attachment" } else { "inline" };
    let value = format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{escaped}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("inline"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let value = disposition("Why \"clocks\"\r\nlie: ü.mp4", true);
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"Why--clocks---lie---.mp4\"; filename*=UTF-8''Why%20%22clocks%22%0D%0Alie%3A%20%C3%BC.mp4"
        );
    }
}
