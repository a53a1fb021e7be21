//! Uploads to a model of YouTube on loopback, with every fault at every request.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use clipkit::model::WarningKind;
use clipkit::prelude::*;
use clipkit::publishing::{Account, Credentials, FileCredentials, Schedule, Tokens};

use crate::loopback::{Asked, Fault, Reply};
use crate::publishers::{Stand, context, environment, keeps_the_contract, plan, post};
use crate::support::with;
use crate::youtube_server::{REFRESH, YouTubeServer, refusal};

const UNIT: usize = 256 << 10;
/// Three chunks and a bit.
const SIZE: usize = 3 * UNIT + 1000;

fn variables(cache: &Path) -> Environment {
    with(environment(cache), |it| {
        it.publishers = [
            ("CLIPKIT_YOUTUBE_MAIN_REFRESH_TOKEN".to_owned(), REFRESH.to_owned()),
            ("CLIPKIT_YOUTUBE_CLIENT_ID".to_owned(), "id".to_owned()),
        ]
        .into();
    })
}

fn youtube(server: &YouTubeServer) -> YouTube {
    with(YouTube::new("main"), |it| {
        it.chunk_size = UNIT as u64;
        it.api_url = Some(server.server.url("/"));
    })
}

struct Bench {
    server: YouTubeServer,
    desk: tempfile::TempDir,
}

impl Bench {
    fn new(server: YouTubeServer) -> Self {
        Bench { server, desk: tempfile::tempdir().unwrap() }
    }

    fn cx(&self) -> Context {
        context(&variables(self.desk.path()))
    }

    fn post(&self) -> Post {
        with(post(self.desk.path(), 1, &plan(10.0, "Why clocks lie"), SIZE), |it| it.description = "About time.".into())
    }

    async fn publish(&self) -> Result<Receipt> {
        youtube(&self.server).publish(&self.cx(), &self.post()).await
    }

    /// One whole video, and no request that YouTube complains about.
    fn has_one_video(&self, what: &str) {
        let (videos, channel) = (self.server.videos(), self.server.channel.lock().unwrap());
        assert_eq!((videos.len(), &channel.complaints), (1, &Vec::new()), "{what}");
        assert!(videos[0].bytes == std::fs::read(self.post().files.video).unwrap(), "{what}: other bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn youtube_keeps_the_contract() {
    let bench = Bench::new(YouTubeServer::start());
    let (to, channel) = (youtube(&bench.server), bench.server.channel.clone());
    let stand = Stand {
        publisher: Box::new(move || Arc::new(to.clone())),
        environment: variables(bench.desk.path()),
        published: Box::new(move || channel.lock().unwrap().videos.iter().map(|video| video.id.clone()).collect()),
        secrets: vec!["hunter2".into()],
    };
    keeps_the_contract(&stand, 2 * UNIT + 7).await;
    assert_eq!(bench.server.channel.lock().unwrap().complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_uploaded_in_chunks_with_its_texts_declarations_cover_and_captions() {
    let bench = Bench::new(YouTubeServer::start());
    let post = with(bench.post(), |it| {
        it.tags = vec!["time".into()];
        (it.made_for_kids, it.synthetic, it.language) = (true, true, Some("en".into()));
    });
    let to = youtube(&bench.server);
    let receipt = to.publish(&bench.cx(), &post).await.unwrap();
    bench.has_one_video("");
    let video = &bench.server.videos()[0];
    assert_eq!((receipt.id.as_str(), receipt.url.as_deref()), ("vid_1-x", Some("https://www.youtube.com/shorts/vid_1-x")));
    assert_eq!((receipt.status, receipt.account.as_deref()), (PublishStatus::Processing, Some("main")));
    let tag = format!("clipkit-{}", &to.target().idempotency_key(&post.clip)[..16]);
    assert_eq!(
        video.resource,
        serde_json::json!({
            "snippet": {
                "title": "Why clocks lie", "description": "About time.", "tags": [tag, "time"], "categoryId": "22",
                "defaultLanguage": "en", "defaultAudioLanguage": "en",
            },
            "status": {"privacyStatus": "public", "selfDeclaredMadeForKids": true, "containsSyntheticMedia": true},
        })
    );
    assert_eq!(video.thumbnail.as_deref(), Some(&b"a picture"[..]));
    assert!(video.captions.len() == 1 && video.captions[0].contains("Hello"), "{:?}", video.captions);
    let requests = bench.server.server.requests();
    let chunks: Vec<&str> =
        requests.iter().filter(|asked| asked.method == "PUT").filter_map(|asked| asked.header("content-range")).collect();
    assert_eq!(chunks, ["bytes 0-262143/787432", "bytes 262144-524287/787432", "bytes 524288-786431/787432", "bytes 786432-787431/787432"]);
    assert!(requests.iter().any(|asked| asked.query.contains("notifySubscribers=true")));
    let without = with(youtube(&bench.server), |it| (it.thumbnail, it.captions, it.notify) = (false, false, false));
    let other = crate::publishers::post(bench.desk.path(), 2, &plan(50.0, "Other"), UNIT);
    without.publish(&bench.cx(), &other).await.unwrap();
    let second = &bench.server.videos()[1];
    assert!(second.thumbnail.is_none() && second.captions.is_empty());
    assert!(bench.server.server.requests().iter().any(|asked| asked.query.contains("notifySubscribers=false")));
}

/// The number of requests of an upload without faults.
async fn requests_of_an_upload() -> usize {
    let bench = Bench::new(YouTubeServer::start());
    bench.publish().await.unwrap();
    bench.server.server.requests().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_request_leads_to_one_video() {
    let count = requests_of_an_upload().await;
    assert!(count >= 8, "{count}");
    for at in 0..count {
        for fault in [Fault::Cut(0), Fault::Cut(UNIT / 2), Fault::Cut(UNIT - 1), Fault::LoseAnswer, Fault::Twice] {
            let bench = Bench::new(YouTubeServer::with(move |number, _| if number == at { fault } else { Fault::None }, |_| None));
            let what = format!("{fault:?} at {at}");
            let mut attempts = 0;
            let receipt = loop {
                attempts += 1;
                match bench.publish().await {
                    Ok(receipt) => break receipt,
                    Err(error) if attempts < 4 => assert!(matches!(error.recovery(), Recovery::Retry { .. }), "{what}: {error:?}"),
                    Err(error) => panic!("{what}: {error:?}"),
                }
            };
            bench.has_one_video(&what);
            assert_eq!(receipt.id, bench.server.videos()[0].id, "{what}");
            bench.publish().await.unwrap();
            bench.has_one_video(&what);
        }
    }
}

/// The process is killed when the server has a request, before or after it is done, and started
/// again.
#[cfg(all(feature = "cli", unix))]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_request_publishes_once() {
    let count = requests_of_an_upload().await;
    for (at, after) in (0..count).flat_map(|at| [(at, false), (at, true)]) {
        let reached = Arc::new(AtomicUsize::new(0));
        let (seen, done) = (reached.clone(), reached.clone());
        let first_run = Arc::new(AtomicUsize::new(1));
        let running = first_run.clone();
        let fault = move |number: usize, _: &Asked| {
            if number != at || running.load(Ordering::SeqCst) == 0 {
                return Fault::None;
            }
            if !after {
                // The request waits unread until the process is gone.
                seen.store(1, Ordering::SeqCst);
                while running.load(Ordering::SeqCst) == 1 {
                    std::thread::sleep(Duration::from_millis(2));
                }
                return Fault::Cut(0);
            }
            Fault::LoseAnswer
        };
        let bench = Bench::new(YouTubeServer::with(fault, |_| None));
        let document = bench.desk.path().join("post.json");
        std::fs::write(&document, serde_json::to_string(&bench.post()).unwrap()).unwrap();
        let target = bench.desk.path().join("youtube.json");
        std::fs::write(&target, serde_json::to_string(&PublisherConfig::YouTube(youtube(&bench.server))).unwrap()).unwrap();
        let command = || {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clipkit"));
            command.args(["step", "publish"]).arg(&document).arg("--publish").arg(&target);
            command.env("XDG_CACHE_HOME", bench.desk.path()).env("CLIPKIT_YOUTUBE_MAIN_REFRESH_TOKEN", REFRESH);
            command.env("CLIPKIT_YOUTUBE_CLIENT_ID", "id").env_remove("CLIPKIT_CACHE");
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command
        };
        let what = format!("request {at}, after it was done: {after}");
        let mut child = command().spawn().unwrap();
        let begun = std::time::Instant::now();
        loop {
            let requests = bench.server.server.requests().len();
            let is_there = if after { requests > at } else { done.load(Ordering::SeqCst) == 1 };
            if is_there || child.try_wait().unwrap().is_some() {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}: the request never came");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        first_run.store(0, Ordering::SeqCst);
        let output = command().output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.contains("hunter2"), "{what}: {text}");
        bench.has_one_video(&what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_that_youtube_forgot_is_found_by_its_tag_or_parked() {
    // The answer to the last chunk is lost, and then YouTube knows no sessions any more.
    let last = |asked: &Asked| asked.header("content-range") == Some("bytes 786432-787431/787432");
    let server = YouTubeServer::with(move |_, asked| if last(asked) { Fault::LoseAnswer } else { Fault::None }, |_| None);
    let bench = Bench::new(server);
    let cx = bench.cx();
    let channel = bench.server.channel.clone();
    let watch = tokio::spawn(async move {
        loop {
            {
                let mut channel = channel.lock().unwrap();
                if !channel.videos.is_empty() {
                    (channel.forgetful, channel.unlisted) = (true, true);
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    for lookup in 1..=3 {
        let error = youtube(&bench.server).publish(&cx, &bench.post()).await.unwrap_err();
        assert_eq!(error.recovery(), &Recovery::Retry { after: Some(Duration::from_secs(600)) }, "{lookup}: {error:?}");
    }
    watch.await.unwrap();
    for _ in 0..2 {
        let error = youtube(&bench.server).publish(&cx, &bench.post()).await.unwrap_err();
        assert_eq!(error.recovery(), &Recovery::GiveUp, "{error:?}");
        assert!(error.to_string().contains("unknown") && error.to_string().contains("check by hand"), "{error}");
    }
    bench.has_one_video("parked");
    // Somebody looks again when YouTube lists it.
    bench.server.channel.lock().unwrap().unlisted = false;
    let receipt = youtube(&bench.server).publish(&cx, &bench.post()).await.unwrap();
    assert_eq!(receipt.id, "vid_1-x");
    bench.has_one_video("found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_forgotten_before_the_last_chunk_begins_anew() {
    let forgotten = Arc::new(AtomicUsize::new(0));
    let count = forgotten.clone();
    let server = YouTubeServer::with(
        |_, _| Fault::None,
        move |asked| {
            let is_second = asked.header("content-range") == Some("bytes 262144-524287/787432");
            (is_second && count.fetch_add(1, Ordering::SeqCst) == 0).then(|| Reply::of(404))
        },
    );
    let bench = Bench::new(server);
    bench.publish().await.unwrap();
    bench.has_one_video("");
    let starts = bench.server.server.requests().iter().filter(|asked| asked.path == "/upload/youtube/v3/videos").count();
    assert_eq!((starts, forgotten.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_does_not_go_on_with_an_upload() {
    let broken = Arc::new(AtomicUsize::new(1));
    let is_broken = broken.clone();
    let server = YouTubeServer::with(
        move |_, asked| match asked.header("content-range") {
            Some(range) if !range.starts_with("bytes 0-") && is_broken.load(Ordering::SeqCst) == 1 => Fault::Cut(0),
            _ => Fault::None,
        },
        |_| None,
    );
    let bench = Bench::new(server);
    bench.publish().await.unwrap_err();
    broken.store(0, Ordering::SeqCst);
    let mut other = bench.post();
    let video = bench.desk.path().join("again.mp4");
    std::fs::write(&video, vec![9; SIZE]).unwrap();
    other.files.video = video;
    youtube(&bench.server).publish(&bench.cx(), &other).await.unwrap();
    let videos = bench.server.videos();
    assert!(videos.len() == 1 && videos[0].bytes == vec![9; SIZE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_those_of_the_table_and_send_no_byte() {
    let rows = [
        (403, "quotaExceeded", ErrorKind::RateLimited, "wait_until"),
        (429, "rateLimitExceeded", ErrorKind::RateLimited, "wait_until"),
        (403, "rateLimitExceeded", ErrorKind::RateLimited, "retry"),
        (400, "uploadLimitExceeded", ErrorKind::RateLimited, "retry"),
        (403, "insufficientPermissions", ErrorKind::Denied, "give_up"),
        (401, "youtubeSignupRequired", ErrorKind::Denied, "give_up"),
        (401, "authError", ErrorKind::Denied, "refresh_credentials"),
        (400, "invalidTags", ErrorKind::InvalidInput, "give_up"),
        (400, "mediaBodyRequired", ErrorKind::InvalidInput, "reencode"),
        (500, "backendError", ErrorKind::Network, "retry"),
        (503, "", ErrorKind::Network, "retry"),
        (418, "", ErrorKind::InvalidInput, "give_up"),
    ];
    for (status, reason, kind, action) in rows {
        let server = YouTubeServer::with(
            |_, _| Fault::None,
            move |asked| (asked.path == "/upload/youtube/v3/videos").then(|| refusal(status, reason)),
        );
        let bench = Bench::new(server);
        let error = bench.publish().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery().action()), (kind, action), "{status} {reason}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(!bench.server.server.requests().iter().any(|asked| asked.method == "PUT"));
        let tries = bench.server.server.requests().iter().filter(|asked| asked.path == "/upload/youtube/v3/videos").count();
        assert_eq!(tries, if reason == "authError" { 2 } else { 1 }, "only a token is renewed at once");
    }
    // A file that YouTube rejects after the upload is to be encoded again, and then uploaded anew.
    let rejected = Arc::new(AtomicUsize::new(0));
    let count = rejected.clone();
    let server = YouTubeServer::with(
        |_, _| Fault::None,
        move |asked| {
            let is_last = asked.header("content-range") == Some("bytes 786432-787431/787432");
            let answer = serde_json::json!({"id": "x", "status": {"uploadStatus": "failed", "failureReason": "codec"}});
            (is_last && count.fetch_add(1, Ordering::SeqCst) == 0).then(|| Reply::json(200, answer))
        },
    );
    let bench = Bench::new(server);
    let error = bench.publish().await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::InvalidInput, &Recovery::Reencode), "{error}");
    bench.publish().await.unwrap();
    bench.has_one_video("after another encoding");
}

#[tokio::test]
async fn a_clip_that_is_no_short_is_refused_before_any_byte() {
    let bench = Bench::new(YouTubeServer::start());
    let mut wide = plan(10.0, "Wide");
    (wide.output.width, wide.output.height) = (1920, 1080);
    let post = post(bench.desk.path(), 1, &wide, 1000);
    let error = youtube(&bench.server).publish(&bench.cx(), &post).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("1920x1080"), "{error}");
    assert!(bench.server.server.requests().is_empty());
    with(youtube(&bench.server), |it| it.shorts = false).publish(&bench.cx(), &post).await.unwrap();
    assert_eq!(bench.server.videos().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_token_is_renewed_once_by_all_together_and_kept() {
    let bench = Bench::new(YouTubeServer::start());
    let files = FileCredentials::new(bench.desk.path().join("keys"));
    let account = Account::new("youtube", "main").unwrap();
    let mut tokens = Tokens::new();
    (tokens.access, tokens.refresh, tokens.client_id) = (Some("hunter2-old".into()), Some(REFRESH.into()), Some("id".into()));
    let cx = context(&environment(bench.desk.path()));
    files.store(&cx, &account, &tokens).await.unwrap();
    let to = with(youtube(&bench.server), |it| it.credentials = files.clone().into());
    let attempts: Vec<_> = (0..4)
        .map(|n| {
            let (to, cx) = (to.clone(), context(&environment(bench.desk.path())));
            let post = post(bench.desk.path(), n, &plan(10.0 + 30.0 * n as f64, "Clip"), 1000);
            tokio::spawn(async move { to.publish(&cx, &post).await })
        })
        .collect();
    for attempt in attempts {
        attempt.await.unwrap().unwrap();
    }
    assert_eq!((bench.server.videos().len(), bench.server.channel.lock().unwrap().token_requests), (4, 1));
    let kept = files.load(&cx, &account).await.unwrap();
    assert_eq!(kept.access.as_ref().map(|token| token.reveal().to_owned()).as_deref(), Some("hunter2-access-1"));
    assert!(kept.expires_at.is_some_and(|end| end > SystemTime::now() + Duration::from_secs(3000)));
    // A refresh token that is not accepted is no reason to ask again and again.
    tokens.refresh = Some("hunter2-wrong".into());
    files.store(&cx, &account, &tokens).await.unwrap();
    let other = post(bench.desk.path(), 9, &plan(200.0, "Clip"), 1000);
    let error = to.publish(&cx, &other).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Denied, &Recovery::GiveUp), "{error}");
    assert!(error.to_string().contains("clipkit login youtube --account main") && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_get_slots_of_their_own_and_keep_them() {
    let bench = Bench::new(YouTubeServer::start());
    let to = with(youtube(&bench.server), |it| it.schedule = Some(Schedule::shorts("Europe/Berlin")));
    let clips: Vec<Post> = (0..4).map(|n| post(bench.desk.path(), n, &plan(10.0 + 30.0 * n as f64, "Clip"), 1000)).collect();
    let attempts: Vec<_> = clips
        .iter()
        .cloned()
        .map(|post| {
            let (to, cx) = (to.clone(), bench.cx());
            tokio::spawn(async move { to.publish(&cx, &post).await })
        })
        .collect();
    let mut receipts = Vec::new();
    for attempt in attempts {
        receipts.push(attempt.await.unwrap().unwrap());
    }
    let mut at: Vec<SystemTime> = receipts.iter().map(|receipt| receipt.published_at.unwrap()).collect();
    at.sort();
    at.dedup();
    assert_eq!(at.len(), 4, "{at:?}");
    assert!(at[0] > SystemTime::now() && receipts.iter().all(|receipt| receipt.status == PublishStatus::Scheduled));
    let videos = bench.server.videos();
    let mut planned: Vec<String> = videos.iter().map(|video| video.resource["status"]["publishAt"].as_str().unwrap().to_owned()).collect();
    planned.sort();
    planned.dedup();
    assert_eq!(planned.len(), 4, "{planned:?}");
    assert!(videos.iter().all(|video| video.resource["status"]["privacyStatus"] == "private"));
    assert_eq!(to.publish(&bench.cx(), &clips[2]).await.unwrap().published_at, receipts[2].published_at);
    // A post with a time of its own keeps that.
    let own = with(post(bench.desk.path(), 9, &plan(200.0, "Own"), 1000), |it| {
        it.publish_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000));
    });
    assert_eq!(to.publish(&bench.cx(), &own).await.unwrap().published_at, own.publish_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_youtube_does_not_take_is_a_warning() {
    let server = YouTubeServer::with(
        |_, _| Fault::None,
        |asked| {
            let is_extra = asked.path.ends_with("thumbnails/set") || asked.path.ends_with("captions");
            is_extra.then(|| refusal(403, "forbidden"))
        },
    );
    server.channel.lock().unwrap().unaudited = true;
    let bench = Bench::new(server);
    let cx = bench.cx();
    let long = with(bench.post(), |it| it.title = "long ".repeat(50));
    youtube(&bench.server).publish(&cx, &long).await.unwrap();
    let warnings = cx.warnings();
    for expected in ["titles of 100 characters", "without its thumbnail", "without its caption track", "has not audited"] {
        let found = warnings.iter().filter(|warning| warning.message.contains(expected) && warning.kind == WarningKind::Publish).count();
        assert_eq!(found, 1, "{expected}: {warnings:?}");
    }
    assert_eq!(bench.server.videos().len(), 1);
}

#[tokio::test]
async fn settings_and_sessions_elsewhere_are_refused() {
    let bench = Bench::new(YouTubeServer::start());
    type Change = fn(&mut YouTube);
    let changes: [(&str, Change); 4] = [
        ("chunk", |it| it.chunk_size = 1000),
        ("category", |it| it.category = "news".into()),
        ("account", |it| it.account = "../x".into()),
        ("zone", |it| it.schedule = Some(Schedule::shorts("Nowhere/Here"))),
    ];
    for (name, change) in changes {
        let error = with(youtube(&bench.server), change).publish(&bench.cx(), &bench.post()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{name}: {error}");
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let server = YouTubeServer::with(
        |_, _| Fault::None,
        move |asked| {
            log.lock().unwrap().push(asked.path.clone());
            let elsewhere = Reply::of(200).with("Location", "http://127.0.0.1:9/session");
            (asked.path == "/upload/youtube/v3/videos").then_some(elsewhere)
        },
    );
    let bench = Bench::new(server);
    let error = bench.publish().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Contract && error.to_string().contains("session"), "{error}");
    let config: PublisherConfig =
        serde_json::from_str(r#"{"kind": "youtube", "account": "main", "schedule": {"zone": "Asia/Tokyo"}}"#).unwrap();
    let PublisherConfig::YouTube(read) = &config else { panic!() };
    assert_eq!((read.account.as_str(), read.schedule.as_ref().map(|schedule| schedule.per_day)), ("main", Some(6)));
    assert_eq!(serde_json::from_str::<PublisherConfig>(&serde_json::to_string(&config).unwrap()).unwrap(), config);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_obtains_tokens_through_the_browser_and_keeps_them() {
    let asked = Arc::new(Mutex::new(String::new()));
    let form = asked.clone();
    let tokens = crate::loopback::Loopback::start(
        |_, _| Fault::None,
        move |asked| {
            *form.lock().unwrap() = String::from_utf8_lossy(&asked.body).into_owned();
            let scope = "https://www.googleapis.com/auth/youtube.upload https://www.googleapis.com/auth/youtube.readonly";
            Reply::json(
                200,
                serde_json::json!({"access_token": "hunter2-a", "refresh_token": "hunter2-r", "expires_in": 3600, "scope": scope}),
            )
        },
    );
    let desk = tempfile::tempdir().unwrap();
    let cx = context(&environment(desk.path()));
    let files = FileCredentials::new(desk.path().join("keys"));
    let login = with(clipkit::publishing::Login::youtube("main", "id").unwrap(), |it| {
        it.token_url = tokens.url("/token");
        it.client_secret = Some("hunter2-c".into());
    });
    let (shown, sent) = tokio::sync::oneshot::channel::<String>();
    let browser = tokio::spawn(async move {
        let page = url::Url::parse(&sent.await.unwrap()).unwrap();
        let value = |name: &str| page.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned()).unwrap();
        assert_eq!((value("code_challenge_method").as_str(), value("access_type").as_str()), ("S256", "offline"));
        assert!(value("scope").contains("youtube.upload"));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let redirect = value("redirect_uri");
        assert!(redirect.starts_with("http://127.0.0.1:"), "{redirect}");
        // Somebody else's request does not end the login.
        assert_eq!(client.get(format!("{redirect}?code=evil&state=x")).send().await.unwrap().status(), 404);
        let answer = client.get(format!("{redirect}?code=the-code&state={}", value("state"))).send().await.unwrap();
        assert!(answer.status() == 200 && answer.text().await.unwrap().contains("logged in"));
        value("code_challenge")
    });
    login.run(&cx, &files, |address| shown.send(address.to_owned()).unwrap()).await.unwrap();
    let challenge = browser.await.unwrap();
    let form: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(asked.lock().unwrap().as_bytes()).into_owned().collect();
    assert_eq!((form["code"].as_str(), form["client_id"].as_str(), form["client_secret"].as_str()), ("the-code", "id", "hunter2-c"));
    let hashed = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(form["code_verifier"].as_bytes()));
    assert_eq!(base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, hashed), challenge);
    let kept = files.load(&cx, &login.account).await.unwrap();
    assert_eq!((kept.refresh.as_ref().map(|token| token.reveal()), kept.client_id.as_deref()), (Some("hunter2-r"), Some("id")));
    assert!(!format!("{login:?} {kept:?}").contains("hunter2"));

    // A user who refuses, and one who never comes.
    let (shown, sent) = tokio::sync::oneshot::channel::<String>();
    tokio::spawn(async move {
        let page = url::Url::parse(&sent.await.unwrap()).unwrap();
        let value = |name: &str| page.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned()).unwrap();
        let address = format!("{}?error=access_denied&state={}", value("redirect_uri"), value("state"));
        reqwest::Client::builder().no_proxy().build().unwrap().get(address).send().await.unwrap();
    });
    let error = login.run(&cx, &files, |address| shown.send(address.to_owned()).unwrap()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("access_denied"), "{error}");
    let hasty = with(login.clone(), |it| it.timeout = Duration::from_millis(100));
    assert_eq!(hasty.run(&cx, &files, |_| ()).await.unwrap_err().kind(), ErrorKind::TimedOut);
}

/// The command, from the address of a video to a bucket and a channel at its peak times.
#[cfg(feature = "cli")]
#[test]
fn the_command_publishes_an_addresss_clips_to_a_bucket_and_a_channel_at_peak_times() {
    let (desk, s3, server) = (crate::cli::Desk::with_talk(36), crate::s3_server::S3::start(), YouTubeServer::start());
    let media = crate::media_server::MediaServer::with_file(std::fs::read(desk.path("talk.mp4")).unwrap(), "ETag: \"1\"\r\n");
    let channel = serde_json::json!({"kind": "youtube", "account": "main", "api_url": server.server.url("/")});
    std::fs::write(desk.path("channel.json"), channel.to_string()).unwrap();
    let (url, out, words, channel) = (media.url("/talk.mp4"), desk.path("out"), desk.path("talk.words.json"), desk.path("channel.json"));
    let wanted = [
        ["--allow-private", "127.0.0.1"],
        ["--transcript", &words],
        ["--publish", "s3://bucket/a"],
        ["--link", "24h"],
        ["--publish", &channel],
        ["--schedule", "peak"],
        ["--zone", "Europe/Berlin"],
    ];
    let arguments = [crate::cli::quick(&url, &out), wanted.concat(), vec!["--json"]].concat();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clipkit"));
    command.args(&arguments).env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL").env("CLIPKIT_MEDIA", desk.path("media"));
    command.env("XDG_CACHE_HOME", desk.path("cache")).envs(s3.variables()).envs(variables(Path::new("")).publishers);
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{stderr}");
    let manifest: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let receipts = manifest["clips"][0]["receipts"].as_array().unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt["target"].as_str().unwrap()).collect::<Vec<_>>(), ["folder", "s3", "youtube"]);
    assert!(receipts[1]["url"].as_str().unwrap().contains("X-Amz-Signature=") && receipts[2]["status"] == "scheduled", "{receipts:?}");
    let videos = server.videos();
    let status = &videos[0].resource["status"];
    assert!(videos.len() == 1 && status["privacyStatus"] == "private", "{status}");
    // Slots begin at the full hour.
    assert!(status["publishAt"].as_str().unwrap().contains(":00:00"), "{status}");
    for stage in ["source", "publish"] {
        let told = stdout.lines().filter(|line| line.contains("\"progress\"") && line.contains(&format!("\"stage\":\"{stage}\"")));
        assert!(told.count() > 0, "no progress of {stage}: {stdout}");
    }
    assert!(!(stdout + &stderr).contains(REFRESH));
}
