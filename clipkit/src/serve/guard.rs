//! Who may make a request: the host, the origin, the key, its scope and its rate.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::keys::{Key, Scope};
use super::problem::{Answer, Problem};
use super::sessions;
use super::state::App;
use crate::error::{ErrorKind, Recovery};

/// Who makes a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// The user of the jobs that are submitted. Empty without a key.
    pub(super) user: String,
}

/// What anyone may see who reaches the service: whether it is well, the dashboard's files, the
/// description of the API. A session is opened with a key in the body.
fn is_open(method: &Method, path: &str) -> bool {
    let is_get = *method == Method::GET || *method == Method::HEAD;
    let is_dashboard = path == "/" || path.starts_with("/assets/") || path == "/favicon.ico";
    (is_get && (is_dashboard || matches!(path, "/healthz" | "/readyz" | "/v1/openapi.json"))) || path == "/v1/session"
}

/// Checks a request before its handler.
pub(super) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match admitted(&app, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn admitted(app: &App, request: &Request) -> Answer<Caller> {
    let (method, headers, path) = (request.method(), request.headers(), request.uri().path());
    let locked = app.is_locked()?;
    let host = host(headers, request.uri());
    check_host(host.as_deref(), &app.options.hosts, locked)?;
    if !locked && peer(request).is_some_and(|peer| !peer.is_loopback()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, ErrorKind::Denied, "without API keys, only this machine is answered")
            .with_advice("make a key (clipkit serve key add NAME)"));
    }
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let is_upgrade = headers.contains_key(axum::http::header::UPGRADE);
    if !is_safe || is_upgrade {
        check_origin(headers, host.as_deref(), &app.options.origins)?;
    }
    if is_open(method, path) {
        return take(app, "").map(|()| Caller::default());
    }
    if !locked {
        return take(app, "").map(|()| Caller::default());
    }
    let key = caller(app, headers)?;
    take(app, &key.id)?;
    if !is_safe && key.scope < Scope::Write {
        return Err(
            Problem::new(StatusCode::FORBIDDEN, ErrorKind::Denied, "this key may only read").with_advice("use a key with the scope write")
        );
    }
    Ok(Caller { user: key.name })
}

/// The key of a request: in `Authorization`, else that of the session.
fn caller(app: &App, headers: &HeaderMap) -> Answer<Key> {
    let refused = || {
        Problem::new(StatusCode::UNAUTHORIZED, ErrorKind::Denied, "this request needs a valid API key")
            .with_advice("send it as `Authorization: Bearer KEY`")
            .with_recovery(Recovery::RefreshCredentials)
    };
    let Some(keys) = &app.keys else { return Err(refused()) };
    let found = match headers.get(AUTHORIZATION) {
        Some(value) => {
            let secret = value.to_str().ok().and_then(|value| value.split_once(' '));
            let secret = secret.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, secret)| secret.trim());
            keys.check(secret.ok_or_else(refused)?)?
        }
        None => match sessions::token(headers).and_then(|token| app.sessions.key(token)) {
            Some(id) => keys.by_id(&id)?,
            None => None,
        },
    };
    found.ok_or_else(refused)
}

fn take(app: &App, who: &str) -> Answer<()> {
    app.rate.take(who, Instant::now()).map_err(|wait| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimited, "too many requests")
            .with_recovery(Recovery::Retry { after: Some(wait) })
            .with_advice("send fewer requests, or follow jobs by their events")
    })
}

fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip().to_canonical())
}

/// The authority that a request names.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    named.or_else(|| uri.authority().map(ToString::to_string))
}

/// Refuses hosts that are not answered. A page of another site whose name leads to this machine
/// (DNS rebinding) names its own host.
fn check_host(host: Option<&str>, known: &[String], locked: bool) -> Answer<()> {
    let name = host.map(name_of).unwrap_or_default();
    let is_here = || name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_known = match known {
        [] => locked || is_here(),
        known => known.iter().any(|known| known.eq_ignore_ascii_case(name)),
    };
    if is_known {
        return Ok(());
    }
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, ErrorKind::Denied, "this host is not answered here")
        .with_advice("name it with --host, or use http://127.0.0.1"))
}

/// An authority without its port and the brackets of an IPv6 address.
fn name_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.rsplit_once(':').map_or(authority, |(name, _)| name)
}

/// Refuses changes and WebSockets from pages of other origins. Programs send no `Origin`.
fn check_origin(headers: &HeaderMap, host: Option<&str>, allowed: &[String]) -> Answer<()> {
    let cross = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    let Some(origin) = headers.get(ORIGIN) else {
        return if cross { Err(foreign()) } else { Ok(()) };
    };
    let origin = origin.to_str().unwrap_or_default();
    let same = origin.split_once("://").is_some_and(|(_, authority)| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)));
    if same || allowed.iter().any(|allowed| allowed == origin) { Ok(()) } else { Err(foreign()) }
}

fn foreign() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, ErrorKind::Denied, "pages of other origins may not do this")
        .with_advice("name the origin with --origin if that is intended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_answered_without_keys() {
        for (host, fine) in [
            ("localhost:8080", true),
            ("127.0.0.1", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("LOCALHOST", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.nip.example", false),
            ("192.168.1.5", false),
            ("", false),
        ] {
            assert_eq!(check_host(Some(host), &[], false).is_ok(), fine, "{host}");
            assert!(check_host(Some(host), &[], true).is_ok(), "{host}");
            assert!(check_host(Some(host), &["clips.example".into()], true).is_err(), "{host}");
        }
        assert!(check_host(None, &[], false).is_err());
        assert!(check_host(Some("Clips.Example:443"), &["clips.example".into()], true).is_ok());
    }

    #[test]
    fn changes_come_from_the_same_origin_or_a_program() {
        let check = |origin: Option<&str>, site: Option<&str>| {
            let mut headers = HeaderMap::new();
            origin.map(|origin| headers.insert(ORIGIN, origin.parse().unwrap()));
            site.map(|site| headers.insert("sec-fetch-site", site.parse().unwrap()));
            check_origin(&headers, Some("127.0.0.1:8080"), &["https://app.example".to_owned()]).is_ok()
        };
        assert!(check(None, None), "a program");
        assert!(check(Some("http://127.0.0.1:8080"), Some("same-origin")));
        assert!(check(Some("https://app.example"), Some("cross-site")));
        assert!(!check(Some("http://127.0.0.1:9090"), None), "another port is another origin");
        assert!(!check(Some("https://evil.example"), None));
        assert!(!check(Some("null"), None));
        assert!(!check(None, Some("cross-site")));
    }

    #[test]
    fn only_what_tells_nothing_is_open() {
        for (method, path, open) in [
            (Method::GET, "/healthz", true),
            (Method::GET, "/", true),
            (Method::POST, "/v1/session", true),
            (Method::GET, "/v1/jobs", false),
            (Method::POST, "/healthz", false),
            (Method::GET, "/metrics", false),
            (Method::GET, "/assets/../v1/jobs", true),
        ] {
            assert_eq!(is_open(&method, path), open, "{method} {path}");
        }
    }
}
