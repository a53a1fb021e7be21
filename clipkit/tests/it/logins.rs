//! Logins to TikTok and Instagram through a browser, against models of their servers of tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use clipkit::prelude::*;
use clipkit::publishing::{Credentials, FileCredentials, Login};
use serde_json::json;
use sha2::Digest;

use crate::loopback::{Asked, Fault, Loopback, Reply};
use crate::publishers::{context, environment};
use crate::support::with;

type Values = BTreeMap<String, String>;

/// Opens the page, allows the app to post, and comes back. Returns what the page was asked.
async fn browse(page: String) -> Values {
    let page = url::Url::parse(&page).unwrap();
    let values: Values = page.query_pairs().into_owned().collect();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    // The server listens on the address of IPv4.
    let back = values["redirect_uri"].replace("localhost", "127.0.0.1");
    let answer = client.get(format!("{back}?code=the-code&state={}", values["state"])).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    values
}

async fn log_in(login: &Login, cx: &Context, files: &FileCredentials) -> (Result<()>, Values) {
    let (shown, sent) = tokio::sync::oneshot::channel::<String>();
    let browser = tokio::spawn(async move { browse(sent.await.unwrap()).await });
    let done = login.run(cx, files, |address| shown.send(address.to_owned()).unwrap()).await;
    (done, browser.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_on_tiktok_has_its_own_challenge_and_keeps_both_tokens() {
    let form = Arc::<Mutex<Values>>::default();
    let asked_form = form.clone();
    let server = Loopback::start(
        |_, _| Fault::None,
        move |asked: &Asked| {
            let form: Values = url::form_urlencoded::parse(&asked.body).into_owned().collect();
            let is_known = form.get("client_secret").is_some_and(|secret| secret == "hunter2-app");
            *asked_form.lock().unwrap() = form;
            if !is_known {
                return Reply::json(200, json!({"error": "invalid_client", "error_description": "no", "log_id": "1"}));
            }
            Reply::json(
                200,
                json!({
                    "access_token": "hunter2-a", "refresh_token": "hunter2-r", "expires_in": 86400, "open_id": "o-1",
                    "scope": "video.publish,video.upload,user.info.basic", "token_type": "Bearer",
                }),
            )
        },
    );
    let desk = tempfile::tempdir().unwrap();
    let (cx, files) = (context(&environment(desk.path())), FileCredentials::new(desk.path().join("keys")));
    let mut login = with(Login::tiktok("main", "key").unwrap(), |it| it.token_url = server.url("/v2/oauth/token/"));
    let (done, _) = log_in(&login, &cx, &files).await;
    let error = done.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("invalid_client"), "{error}");
    login.client_secret = Some("hunter2-app".into());
    let (done, page) = log_in(&login, &cx, &files).await;
    done.unwrap();
    assert_eq!((page["client_key"].as_str(), page["code_challenge_method"].as_str()), ("key", "S256"));
    assert!(page["redirect_uri"].starts_with("http://127.0.0.1:") && page["redirect_uri"].ends_with("/callback/"), "{page:?}");
    let form = form.lock().unwrap().clone();
    assert_eq!(
        (form["code"].as_str(), form["client_key"].as_str(), form["grant_type"].as_str()),
        ("the-code", "key", "authorization_code")
    );
    let hash: String = sha2::Sha256::digest(form["code_verifier"].as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(page["code_challenge"], hash);
    let kept = files.load(&cx, &login.account).await.unwrap();
    assert_eq!((kept.refresh.as_ref().map(|token| token.reveal()), kept.user.as_deref()), (Some("hunter2-r"), Some("o-1")));
    assert!(!format!("{login:?} {kept:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_on_instagram_gets_a_token_that_lasts_and_the_accounts_id() {
    let server = Loopback::start(
        |_, _| Fault::None,
        |asked: &Asked| {
            let values = asked.values();
            let value = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
            let is_ours = value("client_id") == "id" && value("client_secret") == "hunter2-app";
            match asked.path.as_str() {
                "/v25.0/oauth/access_token" if is_ours && value("code") == "the-code" => {
                    Reply::json(200, json!({"access_token": "hunter2-hour", "token_type": "bearer", "expires_in": 3600}))
                }
                "/v25.0/oauth/access_token" if is_ours && value("fb_exchange_token") == "hunter2-hour" => {
                    Reply::json(200, json!({"access_token": "hunter2-days", "token_type": "bearer", "expires_in": 5_184_000}))
                }
                "/v25.0/me/accounts" if asked.header("authorization") == Some("Bearer hunter2-days") => {
                    let page = |id: &str, name: &str| json!({"id": "1", "instagram_business_account": {"id": id, "username": name}});
                    Reply::json(200, json!({"data": [page("17", "clocks"), page("18", "watches")]}))
                }
                _ => Reply::json(400, json!({"error": {"code": 190, "message": "no"}})),
            }
        },
    );
    let desk = tempfile::tempdir().unwrap();
    let (cx, files) = (context(&environment(desk.path())), FileCredentials::new(desk.path().join("keys")));
    let mut login = with(Login::instagram("main", "id").unwrap(), |it| it.token_url = server.url("/v25.0/oauth/access_token"));
    let (done, _) = log_in(&login, &cx, &files).await;
    assert!(done.unwrap_err().to_string().contains("CLIPKIT_INSTAGRAM_CLIENT_SECRET"));
    login.client_secret = Some("hunter2-app".into());
    let (done, _) = log_in(&login, &cx, &files).await;
    assert!(done.unwrap_err().to_string().contains("clocks, watches"));
    login.user = Some("watches".into());
    let (done, page) = log_in(&login, &cx, &files).await;
    done.unwrap();
    assert!(page["redirect_uri"].starts_with("http://localhost:") && page["scope"].contains("instagram_content_publish"), "{page:?}");
    let kept = files.load(&cx, &login.account).await.unwrap();
    assert_eq!((kept.access.as_ref().map(|token| token.reveal()), kept.user.as_deref()), (Some("hunter2-days"), Some("18")));
    assert!(kept.refresh.is_none() && kept.expires_at.is_some() && kept.client_secret.is_some());
}

/// A server of codes for devices, which answers each question for tokens with the next of these.
fn device_server(answers: &'static [&'static str]) -> (Loopback, Arc<Mutex<Vec<Values>>>) {
    let forms = Arc::<Mutex<Vec<Values>>>::default();
    let held = forms.clone();
    let server = Loopback::start(
        |_, _| Fault::None,
        move |asked: &Asked| {
            let form: Values = url::form_urlencoded::parse(&asked.body).into_owned().collect();
            let mut forms = held.lock().unwrap();
            forms.push(form);
            if asked.path.ends_with("/device/code") {
                return Reply::json(
                    200,
                    json!({
                        "device_code": "hunter2-d", "user_code": "ABCD-EFGH", "verification_url": "https://www.google.com/device",
                        "expires_in": 1800, "interval": 0,
                    }),
                );
            }
            let asked = forms.iter().filter(|form| form.contains_key("device_code")).count();
            match answers[(asked - 1).min(answers.len() - 1)] {
                "ok" => Reply::json(
                    200,
                    json!({
                        "access_token": "hunter2-a", "refresh_token": "hunter2-r", "expires_in": 3600,
                        "scope": "https://www.googleapis.com/auth/youtube https://www.googleapis.com/auth/youtube.readonly",
                    }),
                ),
                error => Reply::json(428, json!({ "error": error })),
            }
        },
    );
    (server, forms)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_browser_logs_in_with_a_code() {
    let desk = tempfile::tempdir().unwrap();
    let (cx, files) = (context(&environment(desk.path())), FileCredentials::new(desk.path().join("keys")));
    let of = |server: &Loopback| {
        with(Login::youtube_device("main", "id").unwrap(), |it| {
            (it.auth_url, it.token_url) = (server.url("/device/code"), server.url("/token"));
            it.client_secret = Some("hunter2-c".into());
        })
    };
    let (server, forms) = device_server(&["authorization_pending", "authorization_pending", "ok"]);
    let login = of(&server);
    let mut shown = None;
    login.run_on_device(&cx, &files, |device| shown = Some(device.clone())).await.unwrap();
    let shown = shown.unwrap();
    assert_eq!((shown.address.as_str(), shown.code.as_str()), ("https://www.google.com/device", "ABCD-EFGH"));
    let kept = files.load(&cx, &login.account).await.unwrap();
    assert_eq!(kept.refresh.as_ref().map(|token| token.reveal()), Some("hunter2-r"));
    {
        let forms = forms.lock().unwrap();
        assert_eq!(forms.len(), 4);
        assert!(forms[0]["scope"].starts_with("https://www.googleapis.com/auth/youtube ") && !forms[0].contains_key("client_secret"));
        assert_eq!((forms[3]["device_code"].as_str(), forms[3]["client_secret"].as_str()), ("hunter2-d", "hunter2-c"));
        assert_eq!(forms[3]["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    }

    let (refusing, _) = device_server(&["authorization_pending", "access_denied"]);
    let error = of(&refusing).run_on_device(&cx, &files, |_| ()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("access_denied"), "{error}");
    let (late, _) = device_server(&["expired_token"]);
    assert_eq!(of(&late).run_on_device(&cx, &files, |_| ()).await.unwrap_err().kind(), ErrorKind::TimedOut);
    // A platform that asks for longer waits gets them, within the time that the user has.
    let (slow, asked) = device_server(&["slow_down"]);
    let hasty = with(of(&slow), |it| it.timeout = std::time::Duration::from_secs(2));
    assert_eq!(hasty.run_on_device(&cx, &files, |_| ()).await.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(asked.lock().unwrap().len(), 2);

    // Cancelled while it waits.
    let (waiting, _) = device_server(&["slow_down"]);
    let stopped = cx.child();
    let stop = stopped.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        stop.cancel();
    });
    let began = std::time::Instant::now();
    let error = of(&waiting).run_on_device(&stopped, &files, |_| ()).await.unwrap_err();
    assert!(error.is_cancelled() && began.elapsed().as_secs() < 2, "{error}");
}
