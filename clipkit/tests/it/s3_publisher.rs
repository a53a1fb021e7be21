//! Publishing into a bucket on loopback that checks signatures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clipkit::prelude::*;

use crate::loopback::Fault;
use crate::publishers::{Stand, context, environment, keeps_the_contract, plan, post};
use crate::s3_server::{S3, SECRET};
use crate::support::with;

const MIB: usize = 1 << 20;

struct Bench {
    s3: S3,
    desk: tempfile::TempDir,
    environment: Environment,
}

impl Bench {
    fn new(s3: S3) -> Self {
        let desk = tempfile::tempdir().unwrap();
        let mut environment = environment(desk.path());
        environment.object_store = s3.variables().into_iter().collect();
        Bench { s3, desk, environment }
    }

    fn post(&self, bytes: usize) -> Post {
        post(self.desk.path(), 3, &plan(10.0, "Why clocks lie!"), bytes)
    }

    fn cx(&self) -> Context {
        context(&self.environment)
    }
}

fn bucket() -> ObjectStorePublisher {
    ObjectStorePublisher::new("s3://bucket/clips")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_the_contract() {
    let bench = Bench::new(S3::start());
    let held = bench.s3.bucket.clone();
    let stand = Stand {
        publisher: Box::new(|| Arc::new(bucket())),
        environment: bench.environment.clone(),
        published: Box::new(move || held.lock().unwrap().objects.keys().filter(|key| key.ends_with(".mp4")).cloned().collect()),
        secrets: vec![SECRET.into(), "hunter2".into()],
    };
    keeps_the_contract(&stand, 3 * MIB).await;
    keeps_nothing_of_uploads(&bench);
}

fn keeps_nothing_of_uploads(bench: &Bench) {
    assert!(bench.s3.bucket.lock().unwrap().uploads.is_empty(), "parts of an upload stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_clip_is_sent_in_parts_with_types_metadata_and_a_link_for_everybody() {
    let bench = Bench::new(S3::start());
    let publisher = with(bucket(), |it| {
        it.cache_control = Some("public, max-age=86400".into());
        it.metadata = [("project".to_owned(), "spring".to_owned())].into();
        it.link = Some(Duration::from_secs(60));
        it.part_size = 5 * MIB as u64;
    });
    let post = bench.post(17 * MIB + 123);
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let fractions = seen.clone();
    let listener = move |event: &Event| {
        if let Event::Progress { fraction, .. } = event {
            fractions.lock().unwrap().push(*fraction);
        }
    };
    let cx = Context::builder().environment(bench.environment.clone()).on_event(listener).build().for_stage(Stage::Publish);
    let receipt = publisher.publish(&cx, &post).await.unwrap();
    let stem = format!("clips/{}/03-why-clocks-lie", post.clip);
    assert_eq!((receipt.target.as_str(), receipt.account.as_deref()), ("s3", Some("bucket/clips")));
    assert_eq!(receipt.id, format!("{stem}.mp4"));
    let files = receipt.files.as_ref().unwrap();
    assert_eq!((files.plan.as_ref(), files.cover.as_ref()), (Some(&format!("{stem}.plan.json")), Some(&format!("{stem}.jpg"))));
    let expected = ["jpg", "mp4", "plan.json", "srt"].map(|extension| format!("/bucket/{stem}.{extension}"));
    assert_eq!(bench.s3.keys(), expected);
    {
        let held = bench.s3.bucket.lock().unwrap();
        let video = &held.objects[&format!("/bucket/{stem}.mp4")];
        assert!(video.bytes == std::fs::read(&post.files.video).unwrap());
        let header = |name: &str| video.headers.get(name).map(String::as_str);
        assert_eq!((header("content-type"), header("cache-control")), (Some("video/mp4"), Some("public, max-age=86400")));
        assert_eq!((header("x-amz-meta-project"), header("x-amz-meta-clipkit-clip")), (Some("spring"), Some(post.clip.as_str())));
        assert_eq!(header("x-amz-meta-clipkit-key"), Some(publisher.target().idempotency_key(&post.clip).as_str()));
        assert_eq!(held.objects[&format!("/bucket/{stem}.jpg")].headers["content-type"], "image/jpeg");
    }
    let parts = bench.s3.server.requests().iter().filter(|asked| asked.query.contains("partNumber=")).count();
    assert_eq!(parts, 4);
    let seen = seen.lock().unwrap().clone();
    assert!(seen.is_sorted() && seen.len() > 4 && seen.last() == Some(&1.0), "{seen:?}");

    // The link needs no credentials, and is for this object only.
    let link = receipt.url.unwrap();
    assert!(link.contains("X-Amz-Expires=60") && !link.contains("hunter2"), "{link}");
    let get = async |url: &str| {
        let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().len())
    };
    assert_eq!(get(&link).await, (200, 17 * MIB + 123));
    assert_eq!(get(&link.replace(".mp4", ".jpg")).await.0, 403);
    assert_eq!(get(link.split('?').next().unwrap()).await.0, 403);
    keeps_nothing_of_uploads(&bench);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_broke_off_is_continued_under_its_names_and_sends_nothing_twice() {
    // The answers to the requests that put the plan and the video are lost, and the video's first.
    let failing = Arc::new(AtomicUsize::new(0));
    let left = failing.clone();
    let s3 = S3::with_faults(move |_, asked| {
        let is_video = asked.method == "PUT" && asked.path.ends_with(".mp4");
        if is_video && left.load(Ordering::SeqCst) > 0 { Fault::Cut(1000) } else { Fault::None }
    });
    let mut bench = Bench::new(s3);
    // One attempt each, so that the test does not wait.
    bench.environment.object_store.insert("AWS_TIMEOUT".into(), "5 seconds".into());
    failing.store(1, Ordering::SeqCst);
    let first = bench.post(MIB);
    let cx = bench.cx();
    let stopped = cx.child();
    let attempt = tokio::spawn({
        let (stopped, first) = (stopped.clone(), first.clone());
        async move { bucket().publish(&stopped, &first).await }
    });
    // All but the video is there; then the process dies.
    while bench.s3.keys().len() < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    attempt.abort();
    let _ = attempt.await;
    failing.store(0, Ordering::SeqCst);
    let puts = bench.s3.bucket.lock().unwrap().puts;
    let renamed = with(first, |it| (it.rank, it.title) = (1, "Another title".into()));
    let receipt = bucket().publish(&cx, &renamed).await.unwrap();
    assert!(receipt.id.ends_with("/03-why-clocks-lie.mp4"), "{receipt:?}");
    assert_eq!(bench.s3.bucket.lock().unwrap().puts, puts + 1, "only the video was missing");
    assert_eq!(bench.s3.keys().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_upload_stops_within_a_second_and_leaves_no_parts() {
    let bench = Bench::new(S3::start());
    let publisher = with(bucket(), |it| it.part_size = 5 * MIB as u64);
    let post = bench.post(40 * MIB);
    let cx = bench.cx();
    let (under, held) = (cx.child(), bench.s3.bucket.clone());
    let attempt = tokio::spawn({
        let (under, post) = (under.clone(), post.clone());
        async move { publisher.publish(&under, &post).await }
    });
    while !held.lock().unwrap().uploads.values().any(|(_, parts)| !parts.is_empty()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    under.cancel();
    let begun = Instant::now();
    let result = attempt.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    if let Err(error) = result {
        assert!(error.is_cancelled(), "{error}");
        assert!(!bench.s3.keys().iter().any(|key| key.ends_with(".mp4")));
    }
    // The server may still store a part that was under way, of an upload that is gone.
    tokio::time::sleep(Duration::from_millis(200)).await;
    keeps_nothing_of_uploads(&bench);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clip_with_the_same_key_is_refused_and_a_public_address_is_in_the_receipt() {
    let bench = Bench::new(S3::start());
    let publisher = with(bucket(), |it| {
        it.key = "{slug}".into();
        it.public_url = Some("https://cdn.example.com/spring clips/".into());
    });
    let (first, second) = (bench.post(100), post(bench.desk.path(), 1, &plan(50.0, "Why clocks lie!"), 100));
    let receipt = publisher.publish(&bench.cx(), &first).await.unwrap();
    assert_eq!(receipt.url.as_deref(), Some("https://cdn.example.com/spring%20clips/why-clocks-lie.mp4"));
    let error = publisher.publish(&bench.cx(), &second).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("{id}"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_and_buckets_are_errors_without_secrets() {
    let bench = Bench::new(S3::start());
    let post = bench.post(100);
    let mut environment = bench.environment.clone();
    environment.object_store.insert("AWS_SECRET_ACCESS_KEY".into(), "hunter3".into());
    let error = bucket().publish(&context(&environment), &post).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Denied, &Recovery::RefreshCredentials), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
    let error = ObjectStorePublisher::new("s3://other/clips").publish(&bench.cx(), &post).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    for (name, change) in [
        ("key", Box::new(|it: &mut ObjectStorePublisher| it.key = "{title}".into()) as Box<dyn Fn(&mut ObjectStorePublisher)>),
        ("part", Box::new(|it: &mut ObjectStorePublisher| it.part_size = 1)),
        ("link", Box::new(|it: &mut ObjectStorePublisher| it.link = Some(Duration::from_secs(8 * 24 * 3600)))),
        ("metadata", Box::new(|it: &mut ObjectStorePublisher| it.metadata = [("clipkit-key".to_owned(), "x".to_owned())].into())),
        ("header", Box::new(|it: &mut ObjectStorePublisher| it.cache_control = Some("a\r\nb".into()))),
        ("url", Box::new(|it: &mut ObjectStorePublisher| it.url = "https://host/a".into())),
    ] {
        let error = with(bucket(), |it| change(it)).publish(&bench.cx(), &post).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{name}: {error}");
    }
    assert!(bench.s3.keys().is_empty());
}

/// The command, with the address and the length of the link as its arguments.
#[cfg(feature = "cli")]
#[test]
fn the_command_publishes_to_a_bucket() {
    let (desk, s3) = (crate::cli::Desk::with_talk(36), S3::start());
    let (input, words, out) = (desk.path("talk.mp4"), desk.path("talk.words.json"), desk.path("out"));
    let arguments =
        [&crate::cli::quick(&input, &out)[..], &["--transcript", &words, "--publish", "s3://bucket/a", "--link", "1h", "--json"]];
    let run = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clipkit"));
        command.args(arguments.concat()).env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL");
        command.env("XDG_CACHE_HOME", desk.path("cache")).envs(s3.variables());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, stdout, stderr) = run();
    assert_eq!(code, Some(0), "{stderr}");
    let manifest: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let receipts = manifest["clips"][0]["receipts"].as_array().unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt["target"].as_str().unwrap()).collect::<Vec<_>>(), ["folder", "s3"]);
    assert!(receipts[1]["url"].as_str().unwrap().contains("X-Amz-Signature="), "{receipts:?}");
    assert!(!(stdout + &stderr).contains("hunter2"));
    assert_eq!(s3.keys().len(), 4, "{:?}", s3.keys());
    let puts = s3.bucket.lock().unwrap().puts;
    assert_eq!((run().0, s3.bucket.lock().unwrap().puts), (Some(0), puts), "nothing is sent again");
}
