//! Uploads to a model of TikTok on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clipkit::prelude::*;
use clipkit::publishing::{Account, Credentials, CredentialsConfig, Schedule, Tokens};

use crate::loopback::{Asked, Fault, Reply};
use crate::publishers::{plan, post};
use crate::support::with;
use crate::tiktok_server::{CREATOR, INBOX, INIT, STATUS, TikTokServer, refusal};
use crate::uploads::{self, Bench, Faults, Model};

const CHUNK: usize = 5 << 20;

impl Model for TikTokServer {
    /// Two chunks, of which the last is larger.
    const SIZE: usize = 2 * CHUNK + 1000;

    fn model(faults: Faults) -> Self {
        TikTokServer::with(faults, |_| None)
    }

    fn requests(&self) -> Vec<Asked> {
        self.server.requests()
    }

    fn posts(&self) -> Vec<(String, Vec<u8>)> {
        self.clips().into_iter().map(|clip| (clip.id, clip.bytes)).collect()
    }

    fn complaints(&self) -> Vec<String> {
        self.account.lock().unwrap().complaints.clone()
    }

    fn config(&self, credentials: CredentialsConfig) -> PublisherConfig {
        PublisherConfig::TikTok(with(TikTok::new("main"), |it| {
            it.chunk_size = CHUNK as u64;
            it.api_url = Some(self.server.url("/"));
            it.credentials = credentials;
        }))
    }

    fn login() -> (Account, Tokens) {
        let mut tokens = Tokens::new();
        (tokens.access, tokens.refresh) = (Some("hunter2-access-1".into()), Some("hunter2-refresh-1".into()));
        (tokens.client_id, tokens.client_secret) = (Some("key".into()), Some("hunter2-app".into()));
        (Account::new("tiktok", "main").unwrap(), tokens)
    }
}

async fn bench() -> Bench<TikTokServer> {
    Bench::new(TikTokServer::start()).await
}

fn tiktok(bench: &Bench<TikTokServer>, change: impl FnOnce(&mut TikTok)) -> Arc<dyn Publisher> {
    let PublisherConfig::TikTok(mut to) = bench.config() else { panic!() };
    change(&mut to);
    Arc::new(to)
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktok_keeps_the_contract() {
    uploads::a_platform_keeps_the_contract::<TikTokServer>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktok_has_one_post_after_every_fault_at_every_request() {
    uploads::every_fault_leads_to_one_post::<TikTokServer>().await;
}

#[cfg(all(feature = "cli", unix))]
#[tokio::test(flavor = "multi_thread")]
async fn tiktok_has_one_post_after_a_kill_at_any_request() {
    uploads::a_killed_process_publishes_once::<TikTokServer>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktok_uploads_stop_when_cancelled_and_go_on() {
    uploads::a_cancelled_upload_goes_on::<TikTokServer>(|asked| asked.method == "PUT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktok_clips_wait_for_their_time() {
    uploads::a_clip_waits_for_its_time::<TikTokServer>(|config| {
        let PublisherConfig::TikTok(to) = config else { panic!() };
        to.schedule = Some(Schedule::tiktok("Europe/Berlin"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktok_gets_chunks_by_its_rules_and_what_is_declared() {
    let bench = bench().await;
    bench.model.account.lock().unwrap().busy = 2;
    let post = with(bench.post.clone(), |it| (it.tags, it.synthetic) = (vec!["time".into()], true));
    let receipt = tiktok(&bench, |to| to.comments = false).publish(&bench.cx(), &post).await.unwrap();
    bench.has_one_post("");
    let requests = bench.model.server.requests();
    let of = |method: &str, name: &str| -> Vec<String> {
        let asked = requests.iter().filter(|asked| asked.method == method);
        asked.filter_map(|asked| asked.header(name).map(str::to_owned)).collect()
    };
    assert_eq!(of("PUT", "content-range"), ["bytes 0-5242879/10486760", "bytes 5242880-10486759/10486760"]);
    let paths: Vec<&str> = requests.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, [CREATOR, INIT, "/video/", "/video/", STATUS, STATUS, STATUS]);
    let clip = &bench.model.clips()[0];
    assert_eq!(
        clip.info,
        serde_json::json!({
            "title": "Why clocks lie\n\nAbout time.\n\n#time", "privacy_level": "PUBLIC_TO_EVERYONE", "disable_comment": true,
            "disable_duet": true, "disable_stitch": false, "brand_organic_toggle": false, "brand_content_toggle": false, "is_aigc": true,
        })
    );
    assert_eq!(receipt.url.unwrap(), format!("https://www.tiktok.com/@clock.smith/video/{}", clip.id));
    assert_eq!((receipt.status, receipt.account.as_deref()), (PublishStatus::Published, Some("main")));
    // A post that is not reviewed yet has no address.
    bench.model.account.lock().unwrap().reviewed = false;
    let other = crate::publishers::post(bench.desk.path(), 2, &plan(50.0, "Other"), 1000);
    let receipt = tiktok(&bench, |_| ()).publish(&bench.cx(), &other).await.unwrap();
    assert_eq!((receipt.url, receipt.status), (None, PublishStatus::Processing));
    assert!(receipt.id.starts_with("v_pub_file"), "{}", receipt.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktok_drafts_go_to_the_inbox_without_a_question_and_texts() {
    let bench = bench().await;
    let receipt = tiktok(&bench, |to| to.inbox = true).publish(&bench.cx(), &bench.post).await.unwrap();
    assert_eq!((receipt.status, receipt.url), (PublishStatus::Draft, None));
    assert!(bench.model.clips()[0].draft);
    bench.has_one_post("");
    assert_eq!((bench.model.count(CREATOR), bench.model.count(INIT), bench.model.count(INBOX)), (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_on_tiktok_does_not_offer_is_refused_before_any_byte() {
    let bench = bench().await;
    bench.model.account.lock().unwrap().longest = 15;
    let error = bench.publish().await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("15 s"), "{error}");
    {
        let mut account = bench.model.account.lock().unwrap();
        (account.longest, account.privacies) = (300, vec!["FOLLOWER_OF_CREATOR", "SELF_ONLY"]);
    }
    let error = bench.publish().await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("FOLLOWER_OF_CREATOR, SELF_ONLY"), "{error}");
    let unlisted = with(bench.post.clone(), |it| it.privacy = Privacy::Unlisted);
    let error = bench.publisher().publish(&bench.cx(), &unlisted).await.unwrap_err();
    assert!(error.to_string().contains("no unlisted"), "{error}");
    assert_eq!((bench.model.count(INIT), bench.model.count("/video/")), (0, 0));
    // A rule of the platform is looked at before any request.
    let mut slow = plan(10.0, "Slow");
    slow.output.frame_rate = FrameRate::new(12, 1);
    let before = bench.model.server.requests().len();
    let error = bench.publisher().publish(&bench.cx(), &post(bench.desk.path(), 2, &slow, 1000)).await.unwrap_err();
    assert!(error.to_string().contains("23 to 60") && bench.model.server.requests().len() == before, "{error}");
    let followers = tiktok(&bench, |to| to.privacy = Some(TikTokPrivacy::Followers));
    followers.publish(&bench.cx(), &bench.post).await.unwrap();
    bench.has_one_post("for followers");
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_for_which_tiktok_fails_are_typed_and_the_next_attempt_begins_anew() {
    for (reason, kind, action) in [
        ("file_format_check_failed", ErrorKind::InvalidInput, "reencode"),
        ("duration_check_failed", ErrorKind::InvalidInput, "reencode"),
        ("frame_rate_check_failed", ErrorKind::InvalidInput, "reencode"),
        ("picture_size_check_failed", ErrorKind::InvalidInput, "reencode"),
        ("internal", ErrorKind::Network, "retry"),
        ("spam_risk_too_many_posts", ErrorKind::RateLimited, "retry"),
        ("spam_risk_user_banned_from_posting", ErrorKind::Denied, "give_up"),
        ("spam_risk_text", ErrorKind::InvalidInput, "give_up"),
        ("auth_removed", ErrorKind::Denied, "give_up"),
        ("something_new", ErrorKind::InvalidInput, "give_up"),
    ] {
        let bench = bench().await;
        bench.model.account.lock().unwrap().failure = Some(reason);
        let error = bench.publish().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery().action()), (kind, action), "{reason}: {error}");
        assert!(error.to_string().contains(reason) && bench.model.clips().is_empty(), "{error}");
        bench.publish().await.unwrap();
        bench.has_one_post(reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_tiktok_are_those_of_the_table() {
    for (status, code, kind, action) in [
        (401, "access_token_invalid", ErrorKind::Denied, "refresh_credentials"),
        (401, "scope_not_authorized", ErrorKind::Denied, "give_up"),
        (429, "rate_limit_exceeded", ErrorKind::RateLimited, "retry"),
        (403, "spam_risk_too_many_posts", ErrorKind::RateLimited, "retry"),
        (403, "spam_risk_too_many_pending_share", ErrorKind::RateLimited, "retry"),
        (403, "reached_active_user_cap", ErrorKind::RateLimited, "retry"),
        (200, "reached_active_user_cap", ErrorKind::RateLimited, "retry"),
        (403, "spam_risk_user_banned_from_posting", ErrorKind::Denied, "give_up"),
        (403, "unaudited_client_can_only_post_to_private_accounts", ErrorKind::Denied, "give_up"),
        (403, "privacy_level_option_mismatch", ErrorKind::InvalidInput, "give_up"),
        (400, "invalid_params", ErrorKind::InvalidInput, "give_up"),
        (500, "internal_error", ErrorKind::Network, "retry"),
        (503, "", ErrorKind::Network, "retry"),
    ] {
        let server = TikTokServer::with(|_, _| Fault::None, move |asked| (asked.path == INIT).then(|| refusal(status, code)));
        let bench = Bench::new(server).await;
        // A token is renewed once.
        if code == "access_token_invalid" {
            let error = bench.publish().await.unwrap_err();
            assert_eq!((error.kind(), error.recovery().action()), (kind, action), "{error}");
            assert_eq!((bench.model.count(INIT), bench.model.account.lock().unwrap().token_requests), (2, 1));
            continue;
        }
        let error = bench.publish().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery().action()), (kind, action), "{status} {code}: {error}");
        assert!(!format!("{error:?}").contains("hunter2") && bench.model.count("/video/") == 0, "{error:?}");
        assert_eq!(bench.model.count(INIT), 1, "{code}");
    }
    // The wait that the server asks for, and a day without one.
    let server = TikTokServer::with(
        |_, _| Fault::None,
        |asked| (asked.path == CREATOR).then(|| refusal(429, "rate_limit_exceeded").with("Retry-After", "7")),
    );
    let error = Bench::new(server).await.publish().await.unwrap_err();
    assert_eq!(error.recovery(), &Recovery::Retry { after: Some(Duration::from_secs(7)) });
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_that_tiktok_could_not_take_are_sent_again() {
    for status in [500, 503, 429, 416] {
        let refused = Arc::new(AtomicUsize::new(0));
        let count = refused.clone();
        let server = TikTokServer::with(
            |_, _| Fault::None,
            move |asked| {
                let is_first = asked.path == "/video/" && count.fetch_add(1, Ordering::SeqCst) == 0;
                is_first.then(|| Reply::of(status).with("Retry-After", "1"))
            },
        );
        let bench = Bench::new(server).await;
        bench.publish_until_done(&status.to_string()).await;
        bench.has_one_post(&status.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_address_ended_begins_anew() {
    // The first chunk arrives, and the second breaks off again and again.
    let broken = Arc::new(AtomicUsize::new(1));
    let is_broken = broken.clone();
    let faults = move |_: usize, asked: &Asked| match asked.header("content-range") {
        Some(range) if range.starts_with("bytes 5242880-") && is_broken.load(Ordering::SeqCst) == 1 => Fault::Cut(0),
        _ => Fault::None,
    };
    let bench = Bench::new(TikTokServer::with(faults, |_| None)).await;
    let error = bench.publish().await.unwrap_err();
    assert!(matches!(error.recovery(), Recovery::Retry { after: None }), "{error}");
    broken.store(0, Ordering::SeqCst);
    bench.model.expire();
    // The last chunk was tried, so TikTok is asked twice before another upload begins.
    let error = bench.publish().await.unwrap_err();
    assert_eq!(error.recovery(), &Recovery::Retry { after: Some(Duration::from_secs(60)) }, "{error}");
    bench.publish().await.unwrap();
    bench.has_one_post("after the address ended");
    assert_eq!(bench.model.count(INIT), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_tiktok_forgot_is_parked_and_asked_for_and_never_sent_twice() {
    let last = |asked: &Asked| asked.header("content-range").is_some_and(|range| range.starts_with("bytes 5242880-"));
    let bench = Bench::new(TikTokServer::with(move |_, asked| if last(asked) { Fault::LoseAnswer } else { Fault::None }, |_| None)).await;
    let account = bench.model.account.clone();
    let watch = tokio::spawn(async move {
        loop {
            {
                let mut account = account.lock().unwrap();
                if !account.clips.is_empty() {
                    account.forgetful = true;
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    for _ in 0..2 {
        let error = bench.publish().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::Contract, &Recovery::GiveUp), "{error}");
        assert!(error.to_string().contains("unknown") && error.to_string().contains("check by hand"), "{error}");
    }
    watch.await.unwrap();
    bench.has_one_post("parked");
    bench.model.account.lock().unwrap().forgetful = false;
    let receipt = bench.publish().await.unwrap();
    assert_eq!(receipt.id, bench.has_one_post("found"));
    assert_eq!(bench.model.count(INIT), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_does_not_go_on_with_an_upload_to_tiktok() {
    let broken = Arc::new(AtomicUsize::new(1));
    let is_broken = broken.clone();
    let faults = move |_: usize, asked: &Asked| match asked.path.as_str() {
        "/video/" if is_broken.load(Ordering::SeqCst) == 1 => Fault::Cut(0),
        _ => Fault::None,
    };
    let mut bench = Bench::new(TikTokServer::with(faults, |_| None)).await;
    bench.publish().await.unwrap_err();
    broken.store(0, Ordering::SeqCst);
    std::fs::write(&bench.post.files.video, vec![9; 6 << 20]).unwrap();
    bench.post.title = "Encoded again".into();
    bench.publish().await.unwrap();
    bench.has_one_post("another file");
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktoks_refresh_token_is_used_once_by_all_together_and_the_next_is_kept() {
    let bench = bench().await;
    let (account, mut tokens) = TikTokServer::login();
    tokens.access = Some("hunter2-old".into());
    bench.keys.store(&bench.cx(), &account, &tokens).await.unwrap();
    let attempts: Vec<_> = (0..4)
        .map(|n| {
            let (to, cx) = (bench.publisher(), bench.cx());
            let post = post(bench.desk.path(), n, &plan(10.0 + 30.0 * n as f64, "Clip"), 1000 + n);
            tokio::spawn(async move { to.publish(&cx, &post).await })
        })
        .collect();
    for attempt in attempts {
        attempt.await.unwrap().unwrap();
    }
    assert_eq!((bench.model.clips().len(), bench.model.account.lock().unwrap().token_requests), (4, 1));
    let kept = bench.keys.load(&bench.cx(), &account).await.unwrap();
    assert_eq!(kept.refresh.as_ref().map(|token| token.reveal().to_owned()).as_deref(), Some("hunter2-refresh-2"));
    // The environment cannot keep the next one.
    let environment = with(crate::publishers::environment(bench.desk.path()), |it| {
        it.publishers = [("CLIPKIT_TIKTOK_MAIN_REFRESH_TOKEN".to_owned(), "hunter2-refresh-2".to_owned())].into();
    });
    let to = tiktok(&bench, |to| to.credentials = CredentialsConfig::Environment);
    let error =
        to.publish(&crate::publishers::context(&environment), &post(bench.desk.path(), 9, &plan(200.0, "Clip"), 1000)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("clipkit login tiktok"), "{error}");
}

#[tokio::test]
async fn settings_of_tiktok_and_addresses_elsewhere_are_refused() {
    let server = TikTokServer::with(
        |_, _| Fault::None,
        |asked| {
            let data = serde_json::json!({"publish_id": "v_1", "upload_url": "https://eviltiktokapis.com/video/"});
            (asked.path == INIT).then(|| Reply::json(200, serde_json::json!({"data": data, "error": {"code": "ok"}})))
        },
    );
    let bench = Bench::new(server).await;
    let error = bench.publish().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Contract && error.to_string().contains("no upload of its own"), "{error}");
    type Change = (&'static str, fn(&mut TikTok));
    let changes: [Change; 4] = [
        ("chunk", |it| it.chunk_size = 1 << 20),
        ("account", |it| it.account = "../x".into()),
        ("zone", |it| it.schedule = Some(Schedule::tiktok("Nowhere/Here"))),
        ("partnership", |it| (it.paid_partnership, it.privacy) = (true, Some(TikTokPrivacy::OnlyMe))),
    ];
    for (name, change) in changes {
        let error = tiktok(&bench, change).publish(&bench.cx(), &bench.post).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{name}: {error}");
    }
    let config: PublisherConfig =
        serde_json::from_str(r#"{"kind": "tiktok", "account": "main", "privacy": "only_me", "inbox": true}"#).unwrap();
    assert_eq!(serde_json::from_str::<PublisherConfig>(&serde_json::to_string(&config).unwrap()).unwrap(), config);
    assert!(serde_json::from_str::<PublisherConfig>(r#"{"kind": "tiktok", "privacy": "public"}"#).is_err());
}
