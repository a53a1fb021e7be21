//! The dashboard: files in the binary, nothing from elsewhere.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::problem::{Answer, Problem};
use super::request::Names;
use super::state::App;

macro_rules! assets {
    ($($name:literal: $kind:literal),* $(,)?) => {
        &[$(($name, $kind, include_bytes!(concat!("dashboard/", $name)))),*]
    };
}

/// The name, the content type and the bytes of each file.
const ASSETS: &[(&str, &str, &[u8])] = assets!(
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "app.js": "text/javascript; charset=utf-8",
    "api.js": "text/javascript; charset=utf-8",
    "dom.js": "text/javascript; charset=utf-8",
    "jobs.js": "text/javascript; charset=utf-8",
    "job.js": "text/javascript; charset=utf-8",
    "clip.js": "text/javascript; charset=utf-8",
    "submit.js": "text/javascript; charset=utf-8",
    "upload.js": "text/javascript; charset=utf-8",
    "queues.js": "text/javascript; charset=utf-8",
);

/// Only files of this service: no script in the page, no frame around it, no form to elsewhere.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; \
    connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn index(State(app): State<App>, headers: HeaderMap) -> Answer<Response> {
    asset(&app, "index.html", &headers)
}

pub(super) async fn file(State(app): State<App>, Names(name): Names<String>, headers: HeaderMap) -> Answer<Response> {
    asset(&app, &name, &headers)
}

fn asset(app: &App, name: &str, headers: &HeaderMap) -> Answer<Response> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name && app.options.dashboard);
    let (_, kind, bytes) = found.ok_or_else(|| Problem::not_found("there is no such file"))?;
    // Another version of the program has other files under the same names.
    let tag = format!("\"{}\"", &blake3::hash(bytes).to_hex()[..16]);
    let cache = (CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [cache]).into_response());
    }
    let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(kind)), cache, (ETAG, tag)], *bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_dashboard_is_inline_or_from_elsewhere() {
        for (name, _, bytes) in ASSETS {
            let text = std::str::from_utf8(bytes).unwrap();
            for forbidden in
                ["style=\"", "onclick=", "onload=", "innerHTML", "eval(", "javascript:", "src=\"http", "href=\"http", "@import"]
            {
                assert!(!text.contains(forbidden), "{name} has {forbidden}");
            }
        }
        let page = ASSETS[0].2;
        let page = std::str::from_utf8(page).unwrap();
        for (at, _) in page.match_indices("<script") {
            assert!(page[at..].starts_with("<script type=\"module\" src=\"/assets/"), "{}", &page[at..at + 40]);
        }
    }
}
