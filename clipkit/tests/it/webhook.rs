//! Webhooks, against a receiver on loopback that checks signatures.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use clipkit::prelude::*;
use clipkit::publishing::Secret;
use serde_json::Value;

use crate::loopback::{Asked, Fault, Loopback, Reply};
use crate::publishers::{Stand, context, environment, keeps_the_contract, plan, post};
use crate::support::with;

const SECRET: &str = "whsec_aHVudGVyMi1pcy1hLXNlY3JldA==";

/// A receiver that accepts signed requests and ignores ids that it knows.
struct Receiver {
    server: Loopback,
    /// The events by id.
    accepted: Arc<Mutex<BTreeMap<String, Asked>>>,
}

impl Receiver {
    fn start() -> Self {
        Receiver::answering(|_, _| Fault::None, |_| None)
    }

    /// `special` answers in place of the receiver, if it answers.
    fn answering(
        fault: impl Fn(usize, &Asked) -> Fault + Send + Sync + 'static,
        special: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let accepted = Arc::<Mutex<BTreeMap<String, Asked>>>::default();
        let known = accepted.clone();
        let server = Loopback::start(fault, move |asked| {
            if let Some(reply) = special(asked) {
                return reply;
            }
            let header = |name: &str| asked.header(name).unwrap_or_default();
            let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
            let checked = Webhook::verify(&Secret::new(SECRET), id, timestamp, signature, &asked.body, SystemTime::now());
            if checked.is_err() || asked.method != "POST" {
                return Reply::of(401);
            }
            let mut known = known.lock().unwrap();
            known.entry(id.to_owned()).or_insert_with(|| asked.clone());
            Reply::json(201, serde_json::json!({"id": format!("video {}", &id[..4]), "url": "https://example.com/watch/1"}))
        });
        Receiver { server, accepted }
    }

    fn hook(&self) -> Webhook {
        with(Webhook::new(self.server.url("/clips?token=hunter2")), |it| {
            it.secret = Some(Secret::new(SECRET));
            it.allow_private = vec!["127.0.0.1".into()];
        })
    }

    fn accepted(&self) -> Vec<Asked> {
        self.accepted.lock().unwrap().values().cloned().collect()
    }
}

/// The parts of a form by name: their headers and contents.
fn parts(asked: &Asked) -> BTreeMap<String, (String, Vec<u8>)> {
    let boundary = format!("\r\n--{}", asked.header("content-type").unwrap().split_once("boundary=").unwrap().1);
    let body = [b"\r\n", &asked.body[..]].concat();
    let find = |text: &[u8], from: usize| body[from..].windows(text.len()).position(|window| window == text).map(|at| from + at);
    let mut at = find(boundary.as_bytes(), 0).unwrap();
    let mut found = BTreeMap::new();
    while let Some(next) = find(boundary.as_bytes(), at + 1) {
        let part = &body[at + boundary.len() + 2..next];
        let split = part.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(part[..split].to_vec()).unwrap();
        let name = head.split("name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        found.insert(name, (head, part[split + 4..].to_vec()));
        at = next;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_keeps_the_contract() {
    let (cache, receiver) = (tempfile::tempdir().unwrap(), Receiver::start());
    let (hook, accepted) = (receiver.hook(), receiver.accepted.clone());
    let stand = Stand {
        publisher: Box::new(move || Arc::new(hook.clone())),
        environment: environment(cache.path()),
        published: Box::new(move || accepted.lock().unwrap().keys().cloned().collect()),
        secrets: vec!["hunter2".into(), SECRET.into()],
    };
    keeps_the_contract(&stand, 1 << 20).await;
    assert_eq!(receiver.server.requests().len(), 2, "a clip that was accepted is not posted again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_arrives_with_its_texts_and_files_and_the_manifest_follows() {
    let (desk, receiver) = (tempfile::tempdir().unwrap(), Receiver::start());
    let cx = context(&environment(desk.path()));
    let post = with(post(desk.path(), 3, &plan(10.0, "Why \"clocks\" lie"), 700_000), |it| {
        it.description = "\u{e9}".into();
        it.tags = vec!["time".into()];
        it.publish_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    });
    let hook = receiver.hook();
    let receipt = hook.publish(&cx, &post).await.unwrap();
    let key = hook.target().idempotency_key(&post.clip);
    assert_eq!((receipt.id, receipt.url.as_deref()), (format!("video {}", &key[..4]), Some("https://example.com/watch/1")));
    let account = receiver.server.url("/clips");
    assert_eq!((receipt.target.as_str(), receipt.account.as_deref()), ("webhook", Some(account.as_str())));
    let asked = &receiver.accepted()[0];
    assert_eq!((asked.header("webhook-id"), asked.query.as_str()), (Some(key.as_str()), "token=hunter2"));
    let parts = parts(asked);
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["captions", "cover", "event", "video"]);
    assert!(parts["video"].1 == std::fs::read(&post.files.video).unwrap());
    assert!(parts["video"].0.contains("filename=\"03-why-clocks-lie.mp4\"") && parts["video"].0.contains("video/mp4"));
    let event: Value = serde_json::from_slice(&parts["event"].1).unwrap();
    assert_eq!((event["type"].as_str(), event["data"]["title"].as_str()), (Some("clip"), Some("Why \"clocks\" lie")));
    assert_eq!((event["data"]["publish_at"].as_str(), event["data"]["bytes"].as_u64()), (Some("2027-01-15T08:00:00Z"), Some(700_000)));
    assert!(event["data"]["clip"] == post.clip.as_str() && event["data"].get("files").is_none(), "{event}");

    let manifest = Manifest::new(plan(10.0, "").source);
    hook.conclude(&cx, &manifest).await.unwrap();
    let last = receiver.server.requests().pop().unwrap();
    assert_eq!((last.header("content-type"), last.json()["type"].as_str()), (Some("application/json"), Some("manifest")));
    assert!(last.json()["data"]["clips"].is_array());
    with(receiver.hook(), |it| it.manifest = false).conclude(&cx, &manifest).await.unwrap();
    assert_eq!(receiver.server.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_whose_answer_is_lost_is_repeated_under_the_same_id() {
    for fault in [Fault::LoseAnswer, Fault::Cut(100_000), Fault::Twice] {
        let desk = tempfile::tempdir().unwrap();
        let receiver =
            Receiver::answering(move |number, _| if number == 0 { fault } else { Fault::None }, |asked| asked.cut.then(|| Reply::of(400)));
        let publisher = receiver.hook().layer(Retry::times(3).first(Duration::from_millis(5)));
        let post = post(desk.path(), 1, &plan(10.0, "Why"), 500_000);
        publisher.publish(&context(&environment(desk.path())), &post).await.unwrap();
        let asked = receiver.server.requests();
        assert_eq!((receiver.accepted().len(), asked.len()), (1, if fault == Fault::Twice { 1 } else { 2 }), "{fault:?}");
        assert!(asked.iter().all(|one| one.header("webhook-id") == asked[0].header("webhook-id")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_can_follow() {
    let retry = |seconds: Option<u64>| Recovery::Retry { after: seconds.map(Duration::from_secs) };
    for (status, header, kind, recovery) in [
        (401, None, ErrorKind::Denied, Recovery::GiveUp),
        (403, None, ErrorKind::Denied, Recovery::GiveUp),
        (404, None, ErrorKind::NotFound, Recovery::GiveUp),
        (405, None, ErrorKind::Config, Recovery::GiveUp),
        (408, None, ErrorKind::Network, retry(None)),
        (410, None, ErrorKind::NotFound, Recovery::GiveUp),
        (413, None, ErrorKind::InvalidInput, Recovery::GiveUp),
        (422, None, ErrorKind::InvalidInput, Recovery::GiveUp),
        (429, Some(("Retry-After", "7")), ErrorKind::RateLimited, retry(Some(7))),
        (429, None, ErrorKind::RateLimited, retry(Some(60))),
        (500, None, ErrorKind::Network, retry(None)),
        (503, Some(("Retry-After", "9")), ErrorKind::Network, retry(Some(9))),
        (302, Some(("Location", "/other")), ErrorKind::Config, Recovery::GiveUp),
        (307, None, ErrorKind::Config, Recovery::GiveUp),
    ] {
        let desk = tempfile::tempdir().unwrap();
        let receiver = Receiver::answering(
            |_, _| Fault::None,
            move |_| {
                let reply = Reply::of(status).body("a page with hunter2");
                Some(header.map_or(reply.clone(), |(name, value)| reply.with(name, value)))
            },
        );
        let post = post(desk.path(), 1, &plan(10.0, "Why"), 10);
        let error = receiver.hook().publish(&context(&environment(desk.path())), &post).await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (kind, &recovery), "{status}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_keep_the_body_and_lead_into_no_private_network() {
    let receiver = Receiver::start();
    let location = Arc::new(Mutex::new(receiver.server.url("/clips")));
    let (to, hops) = (location.clone(), Arc::new(AtomicUsize::new(0)));
    let count = hops.clone();
    let first = Loopback::start(
        |_, _| Fault::None,
        move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Reply::of(308).with("Location", to.lock().unwrap().clone())
        },
    );
    let desk = tempfile::tempdir().unwrap();
    let cx = context(&environment(desk.path()));
    let post = post(desk.path(), 1, &plan(10.0, "Why"), 300_000);
    let hook = with(receiver.hook(), |it| it.url = first.url("/a"));
    hook.publish(&cx, &post).await.unwrap();
    assert_eq!((receiver.accepted().len(), hops.load(Ordering::SeqCst)), (1, 1));

    let desk = tempfile::tempdir().unwrap();
    let cx = context(&environment(desk.path()));
    for private in ["http://10.0.0.1/a", "http://[::1]/a", "http://169.254.169.254/latest", "file:///etc/passwd"] {
        *location.lock().unwrap() = private.to_owned();
        let error = hook.publish(&cx, &post).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::InvalidInput), "{private}: {error}");
    }
    *location.lock().unwrap() = first.url("/again");
    let error = hook.publish(&cx, &post).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("too often"), "{error}");
    let closed = with(receiver.hook(), |it| it.allow_private.clear());
    let error = closed.publish(&cx, &post).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("allow_private"), "{error}");
}

#[tokio::test]
async fn the_secret_comes_from_the_options_or_the_environment_and_is_never_written() {
    let desk = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let json = r#"{"kind": "webhook", "url": "https://host/a", "secret": "hunter2"}"#;
    let config: PublisherConfig = serde_json::from_str(json).unwrap();
    let PublisherConfig::Webhook(hook) = &config else { panic!() };
    assert_eq!(hook.secret.as_ref().map(Secret::reveal), Some("hunter2"));
    let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("hunter2") && shown.contains("redacted"), "{shown}");

    let post = post(desk.path(), 1, &plan(10.0, "Why"), 10);
    let bare = with(receiver.hook(), |it| it.secret = None);
    let error = bare.publish(&context(&environment(desk.path())), &post).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("CLIPKIT_WEBHOOK_SECRET"), "{error}");
    let named = with(bare.clone(), |it| it.secret_variable = Some("CLIPKIT_WEBHOOK_SECRET_SHOP".into()));
    let variables = with(environment(desk.path()), |it| {
        it.publishers = [("CLIPKIT_WEBHOOK_SECRET_SHOP".to_owned(), format!("{SECRET}\n"))].into();
    });
    named.publish(&context(&variables), &post).await.unwrap();
    assert_eq!(receiver.accepted().len(), 1);
    for (name, url, variable) in [("scheme", "ftp://host/a", None), ("url", "host", None), ("variable", "https://host/a", Some("HOME"))] {
        let wrong = with(Webhook::new(url), |it| it.secret_variable = variable.map(str::to_owned));
        assert_eq!(wrong.publish(&context(&variables), &post).await.unwrap_err().kind(), ErrorKind::Config, "{name}");
    }
}

#[cfg(feature = "jobs")]
#[tokio::test]
async fn a_job_with_a_secret_is_refused() {
    let desk = tempfile::tempdir().unwrap();
    let jobs = clipkit::jobs::Jobs::open(desk.path().join("jobs.db")).await.unwrap();
    let mut job = clipkit::jobs::Job::new("talk.mp4");
    job.publish = vec![PublisherConfig::Webhook(with(Webhook::new("https://host/a"), |it| it.secret = Some("hunter2".into())))];
    let error = jobs.submit(job).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("secret_variable"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[cfg(feature = "cli")]
#[test]
fn the_command_posts_clips_and_the_manifest() {
    let (desk, receiver) = (crate::cli::Desk::with_talk(36), Receiver::start());
    let (input, words, out) = (desk.path("talk.mp4"), desk.path("talk.words.json"), desk.path("out"));
    let target = format!("webhook:{}", receiver.server.url("/clips?token=hunter2"));
    let run = |allowed: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clipkit"));
        command.args(crate::cli::quick(&input, &out));
        command.args(["--transcript", &words, "--publish", &target, "--allow-private", allowed]);
        command.env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL");
        command.env("XDG_CACHE_HOME", desk.path("cache")).env("CLIPKIT_WEBHOOK_SECRET", SECRET);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    };
    let (_, text) = run("10.0.0.1");
    assert!(text.contains("private network") && !text.contains("hunter2"), "{text}");
    assert!(receiver.server.requests().is_empty());
    let (code, text) = run("127.0.0.1");
    assert!(code == Some(0) && !text.contains("hunter2") && !text.contains("warning"), "{text}");
    let kinds: Vec<bool> = receiver.server.requests().iter().map(|asked| asked.json()["type"] == "manifest").collect();
    assert_eq!(kinds, [false, true]);
}
