//! Who is answered by the service, and what is refused.

use std::time::Duration;

use clipkit::ErrorKind;
use clipkit::jobs::Jobs;
use clipkit::serve::{Keys, Scope, ServeOptions, Server};
use reqwest::Method;
use serde_json::json;

use crate::serve_desk::{Desk, TALK, quick};

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_get_typed_refusals() {
    let desk = Desk::new().await;
    let json_type = [("content-type", "application/json")];
    let post = async |body: &[u8]| desk.ask(Method::POST, "/v1/jobs", &json_type, Some(body)).await;
    for (body, status, kind) in [
        ("", 400, "invalid_input"),
        ("{", 400, "invalid_input"),
        ("\u{0}", 400, "invalid_input"),
        ("[]", 422, "invalid_input"),
        ("{}", 422, "invalid_input"),
        (r#"{"uri": 7}"#, 422, "invalid_input"),
        (r#"{"uri": "https://example.com/a.mp4", "surprise": 1}"#, 422, "invalid_input"),
        (r#"{"uri": "https://example.com/a.mp4", "not_before": "tomorrow"}"#, 422, "invalid_input"),
        (r#"{"uri": "https://example.com/a.mp4", "config": {"options": {"clips": 0}}}"#, 422, "config"),
        (r#"{"uri": "https://example.com/a.mp4", "config": {"options": {"captions": {"like": "nothing"}}}}"#, 422, "config"),
        (r#"{"uri": ""}"#, 403, "denied"),
        (r#"{"uri": "/etc/passwd"}"#, 403, "denied"),
        (r#"{"uri": "file:///etc/passwd"}"#, 403, "denied"),
        (r#"{"uri": "../../etc/passwd"}"#, 403, "denied"),
        (r#"{"uri": "http://127.0.0.1:1/a.mp4"}"#, 403, "denied"),
        (r#"{"uri": "http://[::1]/a.mp4"}"#, 403, "denied"),
        (r#"{"uri": "http://169.254.169.254/latest/meta-data/"}"#, 403, "denied"),
        (r#"{"uri": "http://0x7f000001/a.mp4"}"#, 403, "denied"),
        (r#"{"uri": "s3://bucket/a.mp4"}"#, 403, "denied"),
        (r#"{"uri": "upload://00000000000000000000000000000000/a.mp4"}"#, 404, "not_found"),
        (r#"{"uri": "https://example.com/a.mp4", "config": {"scorer": {"kind": "openai"}}}"#, 403, "denied"),
        (r#"{"uri": "https://example.com/a.mp4", "publish": [{"kind": "folder", "path": "/etc"}]}"#, 403, "denied"),
        (r#"{"uri": "https://example.com/a.mp4", "publish": [{"kind": "folder", "path": "a/../../b"}]}"#, 403, "denied"),
    ] {
        assert_eq!(post(body.as_bytes()).await.problem(status), kind, "{body}");
    }
    let deep = format!(r#"{{"uri": "https://example.com/a.mp4", "publish": {}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(post(deep.as_bytes()).await.problem(400), "invalid_input");
    assert_eq!(post(&vec![b' '; (1 << 20) + 1]).await.problem(413), "invalid_input");
    let plain = desk.ask(Method::POST, "/v1/jobs", &[("content-type", "text/plain")], Some(b"{}")).await;
    assert_eq!(plain.problem(415), "invalid_input");

    for path in [
        "/v1/jobs/nobody",
        "/v1/jobs/..%2f..%2fetc%2fpasswd",
        "/v1/jobs/%00",
        "/v1/jobs/%ff",
        "/v1/jobs/a%20b/events",
        "/v1/jobs/a/clips/0",
        "/v1/jobs/a/clips/-1/video",
        "/v1/jobs/a/clips/1e3/cover",
        "/v1/uploads/..%2f..%2fetc",
        "/v1/uploads/0123",
        "/assets/..%2fmod.rs",
        "/assets/nothing.js",
        "/v1/nothing",
        "/etc/passwd",
    ] {
        assert_eq!(desk.get(path).await.problem(404), "not_found", "{path}");
    }
    assert_eq!(desk.ask(Method::PUT, "/v1/jobs", &[], None).await.problem(405), "invalid_input");
    assert_eq!(desk.get("/v1/jobs?surprise=1").await.problem(400), "invalid_input");
    assert_eq!(desk.get("/v1/jobs").await.json(), json!({"jobs": [], "next": null}), "nothing was submitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_say_what_browsers_may_do_and_the_dashboard_is_whole() {
    let desk = Desk::new().await;
    let page = desk.get("/").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in ["/", "/v1/jobs", "/v1/nothing", "/assets/app.js"] {
        let answer = desk.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert_eq!((answer.header("x-content-type-options"), answer.header("x-frame-options")), ("nosniff", "DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}: CORS is off");
    }
    // Every file that the page and its scripts name is there.
    let mut open = vec!["/".to_owned()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = open.pop() {
        let answer = desk.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        let text = answer.text();
        let names = text.split('"').filter_map(|part| part.strip_prefix("/assets/").or_else(|| part.strip_prefix("./")));
        for name in names.filter(|name| name.contains('.')).map(|name| format!("/assets/{name}")) {
            if seen.insert(name.clone()) {
                open.push(name);
            }
        }
    }
    assert!(seen.len() >= 11, "{seen:?}");
    let known = desk.get("/assets/app.js").await;
    let again = desk.ask(Method::GET, "/assets/app.js", &[("if-none-match", known.header("etag"))], None).await;
    assert_eq!(again.status, 304);
    let headless = Desk::with(quick(), |options, _| options.dashboard = false).await;
    assert_eq!(headless.get("/").await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_only_this_machine_and_its_own_pages_are_answered() {
    let desk = Desk::new().await;
    let as_host = async |host: &str| desk.ask(Method::GET, "/v1/jobs", &[("host", host)], None).await;
    for fine in ["localhost", "127.0.0.1:80", "[::1]:1"] {
        assert_eq!(as_host(fine).await.status, 200, "{fine}");
    }
    for rebound in ["evil.example", "127.0.0.1.evil.example", "192.168.0.7:8080"] {
        assert_eq!(as_host(rebound).await.problem(421), "denied", "{rebound}");
    }
    let job = json!({"uri": TALK}).to_string();
    let from = async |origin: &str| {
        let headers = [("content-type", "application/json"), ("origin", origin)];
        desk.ask(Method::POST, "/v1/jobs", &headers, Some(job.as_bytes())).await
    };
    assert_eq!(from("https://evil.example").await.problem(403), "denied");
    assert_eq!(from("http://127.0.0.1:1").await.problem(403), "denied");
    assert_eq!(from(&desk.base).await.status, 202);
    let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    let preflight = desk.ask(Method::OPTIONS, "/v1/jobs", &preflight, None).await;
    assert_eq!(preflight.header("access-control-allow-origin"), "");

    let friendly = Desk::with(quick(), |options, _| options.origins = vec!["https://app.example".into()]).await;
    let headers = [("content-type", "application/json"), ("origin", "https://app.example")];
    let answer = friendly.ask(Method::POST, "/v1/jobs", &headers, Some(job.as_bytes())).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (202, "https://app.example"));

    let folder = tempfile::tempdir().unwrap();
    let jobs = Jobs::open(folder.path().join("jobs.db")).await.unwrap();
    let options = |keys: bool| {
        let mut options = ServeOptions::default();
        options.media = Some(desk.media.clone());
        options.keys = keys.then(|| folder.path().join("keys.json"));
        options
    };
    let refused = Server::bind("0.0.0.0:0", jobs.clone(), options(true)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
    assert!(refused.to_string().contains("key add"), "{refused}");
    assert_eq!(Server::bind("nonsense", jobs.clone(), options(false)).await.unwrap_err().kind(), ErrorKind::Config);
    let taken = Server::bind(desk.base.trim_start_matches("http://"), jobs.clone(), options(false)).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Io);
    Keys::in_file(folder.path().join("keys.json")).add("ann", Scope::Write).unwrap();
    Server::bind("0.0.0.0:0", jobs, options(true)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_open_the_service_for_what_they_allow() {
    let desk = Desk::with(quick(), |options, folder| options.keys = Some(folder.path().join("keys.json"))).await;
    let keys = Keys::in_file(desk.folder.path().join("keys.json"));
    assert_eq!(desk.get("/v1/jobs").await.status, 200, "there is no key yet");
    let (ann, bob) = (keys.add("ann", Scope::Write).unwrap(), keys.add("bob", Scope::Read).unwrap());
    let job = json!({"uri": TALK}).to_string();
    let with_key = async |method: Method, path: &str, secret: &str, body: Option<&str>| {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        desk.ask(method, path, &headers, body.map(str::as_bytes)).await
    };
    let without = desk.get("/v1/jobs").await;
    assert_eq!((without.problem(401).as_str(), without.header("www-authenticate")), ("denied", "Bearer"));
    for wrong in ["", "x", &ann.secret[..ann.secret.len() - 1], "clipkit_00000000_00"] {
        assert_eq!(with_key(Method::GET, "/v1/jobs", wrong, None).await.problem(401), "denied", "{wrong}");
    }
    for path in ["/metrics", "/v1/queues", "/v1/dead", "/v1/jobs/x/events", "/v1/jobs/x/clips/1/video", "/v1/uploads/x"] {
        assert_eq!(desk.get(path).await.problem(401), "denied", "{path}");
    }
    for open in ["/", "/assets/app.js", "/healthz", "/readyz", "/v1/openapi.json"] {
        assert_eq!(desk.get(open).await.status, 200, "{open}");
    }
    assert_eq!(with_key(Method::GET, "/v1/jobs", &bob.secret, None).await.status, 200);
    assert_eq!(with_key(Method::POST, "/v1/jobs", &bob.secret, Some(&job)).await.problem(403), "denied");
    let made = with_key(Method::POST, "/v1/jobs", &ann.secret, Some(&job)).await;
    assert_eq!((made.status.as_u16(), made.json()["user"].as_str()), (202, Some("ann")));

    // A browser's session stands for its key.
    let sign_in = async |key: &str| desk.send(Method::POST, "/v1/session", &json!({"key": key})).await;
    assert_eq!(sign_in("wrong").await.problem(401), "denied");
    let session = sign_in(&ann.secret).await;
    let cookie = session.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(&ann.secret), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let by_cookie = async |method: Method, path: &str, origin: &str| {
        let headers = [("cookie", cookie.as_str()), ("origin", origin), ("content-type", "application/json")];
        desk.ask(method, path, &headers, Some(job.as_bytes())).await
    };
    assert_eq!(by_cookie(Method::POST, "/v1/jobs", &desk.base).await.status, 202);
    assert_eq!(by_cookie(Method::POST, "/v1/jobs", "https://evil.example").await.problem(403), "denied");
    assert_eq!(by_cookie(Method::DELETE, "/v1/session", &desk.base).await.status, 204);
    assert_eq!(by_cookie(Method::POST, "/v1/jobs", &desk.base).await.problem(401), "denied");

    // A key that is removed is refused at once, and so are its sessions.
    let session = sign_in(&ann.secret).await.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(desk.ask(Method::GET, "/v1/jobs", &[("cookie", &session)], None).await.status, 200);
    assert!(keys.remove(&ann.key.id).unwrap());
    assert_eq!(with_key(Method::GET, "/v1/jobs", &ann.secret, None).await.problem(401), "denied");
    assert_eq!(desk.ask(Method::GET, "/v1/jobs", &[("cookie", &session)], None).await.problem(401), "denied");
    // A file that cannot be read opens nothing.
    std::fs::write(keys.path(), "{").unwrap();
    assert_eq!(desk.get("/v1/jobs").await.problem(422), "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_has_a_rate_of_its_own() {
    let desk = Desk::with(quick(), |options, folder| {
        options.keys = Some(folder.path().join("keys.json"));
        (options.requests_per_minute, options.burst) = (60, 5);
    })
    .await;
    let keys = Keys::in_file(desk.folder.path().join("keys.json"));
    let (ann, bob) = (keys.add("ann", Scope::Write).unwrap(), keys.add("bob", Scope::Write).unwrap());
    let get = async |secret: &str| {
        let bearer = format!("Bearer {secret}");
        desk.ask(Method::GET, "/v1/jobs", &[("authorization", &bearer)], None).await
    };
    let mut refused = None;
    for _ in 0..20 {
        let answer = get(&ann.secret).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a key that asks too often is refused");
    assert_eq!((refused.problem(429).as_str(), refused.header("retry-after")), ("rate_limited", "1"));
    assert_eq!(get(&bob.secret).await.status, 200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(get(&ann.secret).await.status, 200);
}
