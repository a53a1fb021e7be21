//! Uploads of Reels to a model of Instagram on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use clipkit::model::WarningKind;
use clipkit::prelude::*;
use clipkit::publishing::{Account, Credentials, CredentialsConfig, Schedule, Tokens};

use crate::instagram_server::{InstagramServer, USER, link, media, publish, refusal};
use crate::loopback::{Asked, Fault, Reply};
use crate::publishers::{plan, post};
use crate::support::with;
use crate::uploads::{self, Bench, Faults, Model};

impl Model for InstagramServer {
    const SIZE: usize = 1_000_000;

    fn model(faults: Faults) -> Self {
        InstagramServer::with(faults, |_| None)
    }

    fn requests(&self) -> Vec<Asked> {
        self.server.requests()
    }

    fn posts(&self) -> Vec<(String, Vec<u8>)> {
        self.reels().into_iter().map(|reel| (reel.id, reel.bytes)).collect()
    }

    fn complaints(&self) -> Vec<String> {
        self.profile.lock().unwrap().complaints.clone()
    }

    fn config(&self, credentials: CredentialsConfig) -> PublisherConfig {
        PublisherConfig::Instagram(with(Instagram::new("main"), |it| {
            it.api_url = Some(self.server.url("/v25.0/"));
            it.credentials = credentials;
        }))
    }

    fn login() -> (Account, Tokens) {
        let mut tokens = Tokens::new();
        (tokens.access, tokens.user) = (Some("hunter2-access-1".into()), Some(USER.into()));
        (tokens.client_id, tokens.client_secret) = (Some("id".into()), Some("hunter2-app".into()));
        (Account::new("instagram", "main").unwrap(), tokens)
    }
}

fn is_upload(asked: &Asked) -> bool {
    asked.path.starts_with("/ig-api-upload/")
}

async fn bench() -> Bench<InstagramServer> {
    Bench::new(InstagramServer::start()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_keeps_the_contract() {
    uploads::a_platform_keeps_the_contract::<InstagramServer>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_has_one_post_after_every_fault_at_every_request() {
    uploads::every_fault_leads_to_one_post::<InstagramServer>().await;
}

#[cfg(all(feature = "cli", unix))]
#[tokio::test(flavor = "multi_thread")]
async fn instagram_has_one_post_after_a_kill_at_any_request() {
    uploads::a_killed_process_publishes_once::<InstagramServer>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_uploads_stop_when_cancelled_and_go_on() {
    uploads::a_cancelled_upload_goes_on::<InstagramServer>(is_upload).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_clips_wait_for_their_time() {
    uploads::a_clip_waits_for_its_time::<InstagramServer>(|config| {
        let PublisherConfig::Instagram(to) = config else { panic!() };
        to.schedule = Some(Schedule::reels("Europe/Berlin"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reel_is_uploaded_waited_for_published_and_linked() {
    let bench = bench().await;
    bench.model.profile.lock().unwrap().busy = 2;
    let tagged = with(bench.post.clone(), |it| it.tags = vec!["time".into()]);
    let receipt = bench.publisher().publish(&bench.cx(), &tagged).await.unwrap();
    let id = bench.has_one_post("");
    assert_eq!((receipt.url, receipt.status, receipt.id.as_str()), (Some(link(&id)), PublishStatus::Published, id.as_str()));
    let form = &bench.model.reels()[0].form;
    assert_eq!(form["caption"], "Why clocks lie\n\nAbout time.\n\n#time");
    assert_eq!(form["share_to_feed"], "true");
    let requests = bench.model.server.requests();
    let upload = requests.iter().find(|asked| is_upload(asked)).unwrap();
    assert_eq!((upload.header("offset"), upload.header("file_size")), (Some("0"), Some("1000000")));
    // Numbers of posts and mentions that are too high are made to fit, and said.
    let cx = bench.cx();
    let crowd = with(post(bench.desk.path(), 2, &plan(50.0, "Other"), 1000), |it| {
        it.tags = (0..40).map(|n| format!("t{n}")).collect();
        it.description = (0..25).map(|n| format!("@u{n} ")).collect();
        it.synthetic = true;
    });
    bench.publisher().publish(&cx, &crowd).await.unwrap();
    for expected in ["10 of 40 tags", "20 mentions", "synthetic media"] {
        let found = cx.warnings().iter().any(|warning| warning.message.contains(expected) && warning.kind == WarningKind::Publish);
        assert!(found, "{expected}: {:?}", cx.warnings());
    }
    assert_eq!(bench.model.complaints(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reel_that_breaks_off_goes_on_where_instagram_has_it() {
    let broken = Arc::new(AtomicUsize::new(0));
    let count = broken.clone();
    let faults = move |_: usize, asked: &Asked| {
        if is_upload(asked) && count.fetch_add(1, Ordering::SeqCst) < 2 { Fault::Cut(300_000) } else { Fault::None }
    };
    let bench = Bench::new(InstagramServer::with(faults, |_| None)).await;
    bench.publish().await.unwrap();
    bench.has_one_post("");
    let requests = bench.model.server.requests();
    let offsets: Vec<&str> = requests.iter().filter(|asked| is_upload(asked)).filter_map(|asked| asked.header("offset")).collect();
    assert_eq!(offsets, ["0", "300000", "600000"]);
    assert_eq!(bench.model.count(&media()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_instagram_does_not_take_is_refused_before_any_byte() {
    let bench = bench().await;
    let hidden = with(bench.post.clone(), |it| it.privacy = Privacy::Private);
    let error = bench.publisher().publish(&bench.cx(), &hidden).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("not public"), "{error}");
    let mut wide = plan(10.0, "Wide");
    (wide.output.width, wide.output.height) = (2160, 3840);
    let error = bench.publisher().publish(&bench.cx(), &post(bench.desk.path(), 2, &wide, 1000)).await.unwrap_err();
    assert!(error.to_string().contains("1920") && *error.recovery() == Recovery::Reencode, "{error}");
    assert!(bench.model.server.requests().is_empty());
    bench.model.profile.lock().unwrap().quota = (50, 50);
    let error = bench.publish().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.recovery()),
        (ErrorKind::RateLimited, &Recovery::Retry { after: Some(Duration::from_secs(3600)) }),
        "{error}"
    );
    assert_eq!(bench.model.count(&media()), 0);
    bench.model.profile.lock().unwrap().quota = (49, 50);
    bench.publish().await.unwrap();
    bench.has_one_post("the last of the day");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_instagram_are_those_of_the_table() {
    for (status, code, subcode, kind, action) in [
        (400, 190, 463, ErrorKind::Denied, "refresh_credentials"),
        (403, 10, 0, ErrorKind::Denied, "give_up"),
        (403, 200, 0, ErrorKind::Denied, "give_up"),
        (403, 9, 2_207_042, ErrorKind::RateLimited, "retry"),
        (400, 4, 2_207_051, ErrorKind::RateLimited, "retry"),
        (400, 4, 0, ErrorKind::RateLimited, "retry"),
        (400, 25, 2_207_050, ErrorKind::Denied, "give_up"),
        (400, -1, 2_207_001, ErrorKind::Network, "retry"),
        (400, -1, 2_207_032, ErrorKind::Network, "retry"),
        (400, -1, 2_207_053, ErrorKind::Network, "retry"),
        (400, 352, 2_207_026, ErrorKind::InvalidInput, "reencode"),
        (400, 36_004, 2_207_010, ErrorKind::InvalidInput, "give_up"),
        (400, 100, 1, ErrorKind::InvalidInput, "give_up"),
        (500, 2, 0, ErrorKind::Network, "retry"),
        (429, 999, 0, ErrorKind::RateLimited, "retry"),
    ] {
        let server =
            InstagramServer::with(|_, _| Fault::None, move |asked| (asked.path == media()).then(|| refusal(status, code, subcode)));
        let bench = Bench::new(server).await;
        let error = bench.publish().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery().action()), (kind, action), "{status} {code}/{subcode}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(!bench.model.server.requests().iter().any(is_upload));
        assert_eq!(bench.model.count(&media()), if code == 190 { 2 } else { 1 }, "{code}: only a token is renewed at once");
    }
    // The server of uploads has errors of another form: a file that it cannot read.
    let server = InstagramServer::with(
        |_, _| Fault::None,
        |asked| {
            let body = serde_json::json!({"debug_info": {"retriable": false, "type": "ProcessingFailedError", "message": "no"}});
            is_upload(asked).then(|| Reply::json(400, body))
        },
    );
    let error = Bench::new(server).await.publish().await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::InvalidInput, &Recovery::Reencode), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_instagram_cannot_process_is_encoded_again_and_uploaded_anew() {
    for (text, kind, action) in [
        ("Error: Media upload has failed with error code 2207026", ErrorKind::InvalidInput, "reencode"),
        ("Error: Media upload has failed with error code 2207053", ErrorKind::Network, "retry"),
        ("Error: something", ErrorKind::InvalidInput, "reencode"),
    ] {
        let mut bench = bench().await;
        bench.model.profile.lock().unwrap().failure = Some(text);
        let error = bench.publish().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery().action()), (kind, action), "{text}: {error}");
        std::fs::write(&bench.post.files.video, vec![9; 2000]).unwrap();
        bench.post.title = "Encoded again".into();
        bench.publish().await.unwrap();
        bench.has_one_post(text);
        assert_eq!(bench.model.count(&media()), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_expired_was_not_published_and_another_follows() {
    // Publishing fails for hours.
    let closed = Arc::new(AtomicUsize::new(1));
    let is_closed = closed.clone();
    let server = InstagramServer::with(
        |_, _| Fault::None,
        move |asked| (asked.path == publish() && is_closed.load(Ordering::SeqCst) == 1).then(|| refusal(400, 4, 0)),
    );
    let bench = Bench::new(server).await;
    let error = bench.publish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    bench.model.expire();
    closed.store(0, Ordering::SeqCst);
    bench.publish().await.unwrap();
    bench.has_one_post("after a day");
    assert_eq!(bench.model.count(&media()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_answer_was_lost_is_found_or_parked_and_never_published_twice() {
    let bench =
        Bench::new(InstagramServer::with(|_, asked| if asked.path == publish() { Fault::LoseAnswer } else { Fault::None }, |_| None)).await;
    let profile = bench.model.profile.clone();
    let watch = tokio::spawn(async move {
        loop {
            {
                let mut profile = profile.lock().unwrap();
                if !profile.reels.is_empty() {
                    (profile.forgetful, profile.unlisted) = (true, true);
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    for lookup in 1..=3 {
        let error = bench.publish().await.unwrap_err();
        assert_eq!(error.recovery(), &Recovery::Retry { after: Some(Duration::from_secs(60)) }, "{lookup}: {error:?}");
    }
    watch.await.unwrap();
    for _ in 0..2 {
        let error = bench.publish().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::Contract, &Recovery::GiveUp), "{error}");
        assert!(error.to_string().contains("unknown") && error.to_string().contains("check by hand"), "{error}");
    }
    bench.has_one_post("parked");
    bench.model.profile.lock().unwrap().unlisted = false;
    let receipt = bench.publish().await.unwrap();
    assert_eq!((receipt.id.clone(), receipt.url), (bench.has_one_post("found"), Some(link(&receipt.id))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_cannot_be_told_from_others_has_a_receipt_and_a_warning() {
    let bench =
        Bench::new(InstagramServer::with(|_, asked| if asked.path == publish() { Fault::LoseAnswer } else { Fault::None }, |_| None)).await;
    bench.model.profile.lock().unwrap().unlisted = true;
    let cx = bench.cx();
    let receipt = bench.publisher().publish(&cx, &bench.post).await.unwrap();
    assert!(receipt.id.starts_with("1788") && receipt.url.is_none(), "{receipt:?}");
    assert!(cx.warnings().iter().any(|warning| warning.message.contains("not known which")), "{:?}", cx.warnings());
    bench.has_one_post("");
    assert_eq!(bench.publish().await.unwrap().id, receipt.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_or_ends_soon_is_exchanged_once_and_kept() {
    let (account, _) = InstagramServer::login();
    for ends in [None, Some(Duration::from_secs(3 * 24 * 3600))] {
        let bench = bench().await;
        let (_, mut tokens) = InstagramServer::login();
        if let Some(ends) = ends {
            tokens.expires_at = Some(SystemTime::now() + ends);
        } else {
            bench.model.profile.lock().unwrap().tokens = 2;
        }
        bench.keys.store(&bench.cx(), &account, &tokens).await.unwrap();
        let attempts: Vec<_> = (0..3)
            .map(|n| {
                let (to, cx) = (bench.publisher(), bench.cx());
                let post = post(bench.desk.path(), n, &plan(10.0 + 30.0 * n as f64, &format!("Clip {n}")), 1000 + n);
                tokio::spawn(async move { to.publish(&cx, &post).await })
            })
            .collect();
        for attempt in attempts {
            attempt.await.unwrap().unwrap();
        }
        assert_eq!((bench.model.reels().len(), bench.model.profile.lock().unwrap().token_requests), (3, 1), "{ends:?}");
        let kept = bench.keys.load(&bench.cx(), &account).await.unwrap();
        assert!(kept.expires_at.is_some_and(|end| end > SystemTime::now() + Duration::from_secs(50 * 24 * 3600)), "{ends:?}");
        assert_eq!(kept.user.as_deref(), Some(USER));
    }
}

#[tokio::test]
async fn settings_of_instagram_and_addresses_elsewhere_are_refused() {
    let server = InstagramServer::with(
        |_, _| Fault::None,
        |asked| {
            let body = serde_json::json!({"id": "1", "uri": "https://rupload.facebook.com.evil.test/ig-api-upload/1"});
            (asked.path == media()).then(|| Reply::json(200, body))
        },
    );
    let bench = Bench::new(server).await;
    let error = bench.publish().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Contract && error.to_string().contains("no address of its own"), "{error}");
    let (account, mut tokens) = InstagramServer::login();
    tokens.user = None;
    bench.keys.store(&bench.cx(), &account, &tokens).await.unwrap();
    let error = bench.publish().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("clipkit login instagram"), "{error}");
    let config: PublisherConfig = serde_json::from_str(r#"{"kind": "instagram", "account": "main", "share_to_feed": false}"#).unwrap();
    assert_eq!(serde_json::from_str::<PublisherConfig>(&serde_json::to_string(&config).unwrap()).unwrap(), config);
    let wrong: PublisherConfig = serde_json::from_str(r#"{"kind": "instagram", "account": "../x"}"#).unwrap();
    assert_eq!(wrong.build(None).err().unwrap().kind(), ErrorKind::Config);
}
