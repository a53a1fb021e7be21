//! Media over HTTP, against a server on loopback with faults.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clipkit::prelude::*;
use clipkit::store::{MediaLimits, MediaStore};
use tempfile::TempDir;

use crate::media_server::{MediaServer, Request, send, write};
use crate::support::{ffmpeg, with};

/// A folder for a media store, and a small video.
struct Bench {
    folder: TempDir,
    video: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("talk.mp4");
        ffmpeg(&format!(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=r=48000:d=2 -c:v libx264 -preset ultrafast -c:a aac \
             -metadata title=Planes -metadata artist=Ann {}",
            file.display()
        ));
        Bench { video: std::fs::read(file).unwrap(), folder }
    }

    fn store(&self) -> MediaStore {
        MediaStore::open(self.folder.path().join("store"), MediaLimits::new(1 << 30).min_free(0)).unwrap()
    }

    fn context(&self) -> Context {
        Context::builder().media_store(self.store()).environment(Environment::default()).build().for_stage(Stage::Source)
    }

    fn context_within(&self, bytes: u64) -> Context {
        let limits = with(Limits::default(), |it| it.download_bytes = bytes);
        let builder = Context::builder().media_store(self.store()).environment(Environment::default());
        builder.limits(limits).build().for_stage(Stage::Source)
    }

    async fn fetch(&self, url: &str) -> Result<Media> {
        source().fetch(&self.context(), url).await
    }

    fn holds(&self, media: &Media) {
        assert!(std::fs::read(&media.path).unwrap() == self.video, "the file differs");
        assert_eq!(media.id.as_str(), format!("blake3:{}", blake3_of(&self.video)));
        assert!(media.path.starts_with(self.folder.path().join("store")) && media.stamp.is_none());
    }

    /// The names and contents of all small files in the store.
    fn written(&self) -> String {
        fn list(folder: &Path, text: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                text.push_str(&path.to_string_lossy());
                if path.is_dir() {
                    list(&path, text);
                } else if path.extension().is_some_and(|ending| ending == "json") {
                    text.push_str(&std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut text = String::new();
        list(&self.folder.path().join("store"), &mut text);
        text
    }
}

fn blake3_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    std::fs::write(&file, bytes).unwrap();
    let (id, _) = clipkit::store::identify(&Context::new(), &file).unwrap();
    id.as_str().trim_start_matches("blake3:").to_owned()
}

fn source() -> HttpSource {
    with(HttpSource::new(), |it| it.allow_private = vec!["127.0.0.1".into()])
}

const TAG: &str = "ETag: \"one\"\r\nContent-Type: video/mp4\r\n";

#[tokio::test]
async fn a_file_comes_into_the_store_once_and_its_query_stays_secret() {
    let bench = Bench::new();
    let server = MediaServer::with_file(bench.video.clone(), TAG);
    let url = server.url("/a/talk.mp4?X-Amz-Signature=hunter2#part");
    let media = bench.fetch(&url).await.unwrap();
    bench.holds(&media);
    assert_eq!(media.uri, server.url("/a/talk.mp4"));
    assert_eq!((media.about.title.as_deref(), media.about.uploader.as_deref()), (Some("Planes"), Some("Ann")));
    assert!(media.path.extension().is_some_and(|ending| ending == "mp4") && media.video.is_some());
    let again = bench.fetch(&url).await.unwrap();
    assert_eq!(again, media);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].header("if-none-match"), Some("\"one\""), "the second one asks for changes only");
    assert!(requests.iter().all(|request| request.path.contains("hunter2") && request.header("referer").is_none()));
    let written = format!("{}{}", serde_json::to_string(&media).unwrap(), bench.written());
    assert!(!written.contains("hunter2"), "{written}");
}

#[tokio::test]
async fn a_file_that_changed_is_downloaded_again() {
    let bench = Bench::new();
    let (first, second) = (bench.video.clone(), [bench.video.clone(), vec![0; 9]].concat());
    let server = MediaServer::start(move |number, request, stream| match number {
        0 => send(stream, request, &first, TAG, usize::MAX),
        _ => send(stream, request, &second, "ETag: \"two\"\r\n", usize::MAX),
    });
    let one = bench.fetch(&server.url("/talk.mp4")).await.unwrap();
    let two = bench.fetch(&server.url("/talk.mp4")).await.unwrap();
    assert_ne!(one.id, two.id);
}

/// The requests of a download whose first connection breaks after `most` bytes.
async fn broken(bench: &Bench, most: usize, later: impl Fn(&Request, &mut std::net::TcpStream) + Send + Sync + 'static) -> Vec<Request> {
    let video = bench.video.clone();
    let server = MediaServer::start(move |number, request, stream| match number {
        0 => send(stream, request, &video, TAG, most),
        _ => later(request, stream),
    });
    let media = bench.fetch(&server.url("/talk.mp4")).await.unwrap();
    bench.holds(&media);
    server.requests()
}

#[tokio::test]
async fn a_connection_that_breaks_is_continued_where_it_broke() {
    let bench = Bench::new();
    let video = bench.video.clone();
    let requests = broken(&bench, 10_000, move |request, stream| send(stream, request, &video, TAG, usize::MAX)).await;
    assert_eq!(requests.len(), 2);
    assert_eq!((requests[1].from(), requests[1].header("if-range")), (Some(10_000), Some("\"one\"")));
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_again() {
    let bench = Bench::new();
    let video = bench.video.clone();
    let requests = broken(&bench, 10_000, move |request, stream| {
        let without = with(request.clone(), |it| {
            it.headers.remove("range");
        });
        send(stream, &without, &video, TAG, usize::MAX);
    })
    .await;
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn a_wrong_range_is_not_appended() {
    let bench = Bench::new();
    let video = bench.video.clone();
    let requests = broken(&bench, 10_000, move |request, stream| {
        let wrong = with(request.clone(), |it| {
            it.headers.entry("range".into()).and_modify(|range| *range = "bytes=20000-".into());
        });
        send(stream, &wrong, &video, TAG, usize::MAX);
    })
    .await;
    assert_eq!(requests.len(), 3, "the third one asks for the whole file");
    assert_eq!((requests[1].from(), requests[2].from()), (Some(10_000), None));
}

#[tokio::test]
async fn another_file_under_the_same_address_is_not_mixed_in() {
    let bench = Bench::new();
    // The first bytes are of an older file with another tag.
    let (old, video) = (vec![7; bench.video.len()], bench.video.clone());
    let server = MediaServer::start(move |number, request, stream| match number {
        0 => send(stream, request, &old, "ETag: \"old\"\r\n", 10_000),
        // Heeds `If-Range`: the whole new file.
        _ => send(stream, request, &video, TAG, usize::MAX),
    });
    bench.holds(&bench.fetch(&server.url("/a.mp4")).await.unwrap());
    assert_eq!(server.requests().len(), 2);

    let (old, video) = (vec![7; bench.video.len()], bench.video.clone());
    let careless = MediaServer::start(move |number, request, stream| match number {
        0 => send(stream, request, &old, "ETag: \"old\"\r\n", 10_000),
        // Does not: a range of the new file.
        _ => {
            let always = with(request.clone(), |it| {
                it.headers.remove("if-range");
            });
            send(stream, &always, &video, TAG, usize::MAX);
        }
    });
    bench.holds(&bench.fetch(&careless.url("/b.mp4")).await.unwrap());
    assert_eq!(careless.requests().len(), 3);
}

#[tokio::test]
async fn a_later_run_continues_what_an_earlier_one_left() {
    let bench = Bench::new();
    let (video, broken) = (bench.video.clone(), Arc::new(AtomicUsize::new(0)));
    let server = MediaServer::start(move |_, request, stream| {
        // One connection brings something, the next ones nothing.
        match broken.fetch_add(1, Ordering::SeqCst) {
            0 => send(stream, request, &video, TAG, 10_000),
            1..=3 => send(stream, request, &video, TAG, 0),
            _ => send(stream, request, &video, TAG, usize::MAX),
        }
    });
    let url = server.url("/talk.mp4?key=hunter2");
    let error = bench.fetch(&url).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Network, &Recovery::Retry { after: None }));
    assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    let before = server.requests().len();
    bench.holds(&bench.fetch(&url).await.unwrap());
    let requests = server.requests();
    assert_eq!(requests.len(), before + 1);
    assert_eq!(requests[before].from(), Some(10_000));
}

#[tokio::test]
async fn private_addresses_are_refused_in_urls_names_and_redirects() {
    let bench = Bench::new();
    let target = MediaServer::with_file(bench.video.clone(), TAG);
    let port = target.address.port();
    let cx = bench.context();
    for url in
        [format!("http://127.0.0.1:{port}/a.mp4"), format!("http://localhost:{port}/a.mp4"), format!("http://[::ffff:7f00:1]:{port}/a.mp4")]
    {
        let error = HttpSource::new().fetch(&cx, &url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{url}: {error}");
        assert!(error.advice().unwrap().contains("allow_private"), "{error}");
    }
    assert_eq!(target.requests().len(), 0, "no connection was made");

    // Only 127.0.0.1 is allowed; the redirect leads to a neighbour, by address and by name.
    for to in
        [format!("http://127.0.0.2:{port}/a.mp4?k=hunter2"), "http://169.254.169.254/latest/meta-data".into(), "file:///etc/passwd".into()]
    {
        let location = to.clone();
        let server = MediaServer::start(move |_, _, stream| {
            write(stream, &format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
        });
        let error = bench.fetch(&server.url("/a.mp4")).await.unwrap_err();
        let expected = if to.starts_with("file") { ErrorKind::InvalidInput } else { ErrorKind::Denied };
        assert_eq!(error.kind(), expected, "{to}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(target.requests().len(), 0);

    let location = target.url("/a.mp4");
    let server = MediaServer::start(move |_, _, stream| {
        write(stream, &format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    });
    bench.holds(&bench.fetch(&server.url("/b.mp4?sig=hunter2")).await.unwrap());
    assert!(target.requests()[0].header("referer").is_none());
}

#[tokio::test]
async fn endless_redirects_and_bodies_end() {
    let bench = Bench::new();
    let circle = MediaServer::start(|_, request, stream| {
        write(stream, &format!("HTTP/1.1 302 Found\r\nLocation: {}x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", request.path));
    });
    let error = bench.fetch(&circle.url("/a.mp4")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(circle.requests().len() <= 12);

    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let endless = MediaServer::start(move |_, _, stream| {
        write(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: video/mp4\r\n\r\n");
        let chunk = [b"10000\r\n".to_vec(), vec![0; 0x10000], b"\r\n".to_vec()].concat();
        while stream.write_all(&chunk).is_ok() {
            counter.fetch_add(0x10000, Ordering::SeqCst);
        }
    });
    let error = source().fetch(&bench.context_within(1 << 20), &endless.url("/a.mp4")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("1048576"), "{error}");
    assert!(sent.load(Ordering::SeqCst) < 64 << 20);
    let kept: u64 = walk(&bench.folder.path().join("store/partial"));
    assert_eq!(kept, 0, "what cannot be used is removed");

    // A length that is announced is refused before any byte.
    let large = MediaServer::start(|_, _, stream| write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"));
    let error = source().fetch(&bench.context_within(1 << 20), &large.url("/a.mp4")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && error.to_string().contains("download_bytes"), "{error}");
}

fn walk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { std::fs::metadata(path).unwrap().len() }).sum()
}

#[tokio::test]
async fn slow_servers_meet_the_time_limits() {
    let bench = Bench::new();
    let silent = MediaServer::start(|_, _, stream| {
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: \"x\"\r\n\r\nabc");
        std::thread::sleep(Duration::from_secs(20));
    });
    let idle = with(source(), |it| it.idle_timeout = Duration::from_millis(200));
    let begun = Instant::now();
    let error = idle.fetch(&bench.context(), &silent.url("/a.mp4")).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery().action()), (ErrorKind::TimedOut, "retry"), "{error}");
    let drip = MediaServer::start(|_, _, stream| {
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        for _ in 0..1000 {
            write(stream, "x");
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let short = with(source(), |it| it.timeout = Duration::from_millis(500));
    let error = short.fetch(&bench.context(), &drip.url("/a.mp4")).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery().action()), (ErrorKind::TimedOut, "retry"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn refusals_are_typed() {
    let bench = Bench::new();
    for (status, headers, kind, action) in [
        (401, "", ErrorKind::Denied, "refresh_credentials"),
        (403, "", ErrorKind::Denied, "refresh_credentials"),
        (404, "", ErrorKind::NotFound, "give_up"),
        (410, "", ErrorKind::NotFound, "give_up"),
        (416, "", ErrorKind::InvalidInput, "give_up"),
        (429, "Retry-After: 7\r\n", ErrorKind::RateLimited, "retry"),
        (500, "", ErrorKind::Network, "retry"),
        (503, "Retry-After: 3\r\n", ErrorKind::Network, "retry"),
    ] {
        let server =
            MediaServer::start(move |_, _, stream| write(stream, &format!("HTTP/1.1 {status} No\r\n{headers}Content-Length: 0\r\n\r\n")));
        let error = bench.fetch(&server.url("/a.mp4?sig=hunter2")).await.unwrap_err();
        assert_eq!((error.kind(), error.recovery().action()), (kind, action), "{status}: {error}");
        assert!(error.to_string().contains(&status.to_string()) && !error.to_string().contains("hunter2"), "{error}");
        if let Recovery::Retry { after: Some(after) } = error.recovery() {
            assert!(headers.contains(&after.as_secs().to_string()), "{after:?}");
        }
    }
    let gone = with(MediaServer::with_file(Vec::new(), ""), |it| it.address.set_port(1));
    let error = bench.fetch(&gone.url("/a.mp4")).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery().action()), (ErrorKind::Network, "retry"), "{error}");
}

#[tokio::test]
async fn what_is_no_media_is_refused_and_not_kept() {
    let bench = Bench::new();
    let page = MediaServer::with_file(b"<html>".to_vec(), "Content-Type: text/html\r\n");
    let error = bench.fetch(&page.url("/a.mp4")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("web page"), "{error}");
    let junk = MediaServer::with_file(vec![42; 5000], TAG);
    for _ in 0..2 {
        let error = bench.fetch(&junk.url("/a.mp4?k=hunter2")).await.unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::InvalidInput, None), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(junk.requests().len(), 2);
    for invalid in ["talk.mp4", "ftp://host/a.mp4", "http://", "file:///etc/passwd"] {
        assert_eq!(bench.fetch(invalid).await.unwrap_err().kind(), ErrorKind::InvalidInput, "{invalid}");
    }
}

#[tokio::test]
async fn cancelling_ends_a_download_within_a_second() {
    let bench = Bench::new();
    for head in ["", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabc"] {
        let server = MediaServer::start(move |_, _, stream| {
            write(stream, head);
            std::thread::sleep(Duration::from_secs(20));
        });
        let cx = bench.context();
        let canceller = cx.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            canceller.cancel();
        });
        let begun = Instant::now();
        let error = source().fetch(&cx, &server.url("/a.mp4")).await.unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        assert!(begun.elapsed() < Duration::from_millis(1300), "{:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_address_is_downloaded_once_at_a_time_and_progress_is_told() {
    let bench = Bench::new();
    let video = bench.video.clone();
    let server = MediaServer::start(move |_, request, stream| {
        std::thread::sleep(Duration::from_millis(300));
        send(stream, request, &video, TAG, usize::MAX);
    });
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = events.clone();
    let cx = Context::builder().media_store(bench.store()).environment(Environment::default());
    let cx = cx.on_event(move |event| heard.lock().unwrap().push(event.clone())).build().for_stage(Stage::Source);
    let other = bench.context();
    let url = server.url("/talk.mp4");
    let (http, again) = (source(), source());
    let (one, two) = tokio::join!(http.fetch(&cx, &url), again.fetch(&other, &url));
    assert_eq!(one.unwrap().id, two.unwrap().id);
    let bodies = server.requests().iter().filter(|request| request.header("if-none-match").is_none()).count();
    assert_eq!(bodies, 1, "{:?}", server.requests());
    let fractions: Vec<f32> = events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            Event::Progress { fraction, .. } => Some(*fraction),
            _ => None,
        })
        .collect();
    assert!(fractions.iter().any(|fraction| *fraction > 0.9), "{fractions:?}");
}

#[tokio::test]
async fn a_full_store_refuses_before_any_byte() {
    let bench = Bench::new();
    let server = MediaServer::with_file(bench.video.clone(), TAG);
    let store = MediaStore::open(bench.folder.path().join("small"), MediaLimits::new(1000).min_free(0)).unwrap();
    let cx = Context::builder().media_store(store).environment(Environment::default()).build();
    let error = source().fetch(&cx, &server.url("/a.mp4")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert_eq!(walk(&bench.folder.path().join("small/files")), 0);
}

#[tokio::test]
async fn objects_are_fetched_and_continued() {
    let bench = Bench::new();
    let file = bench.folder.path().join("talk.mp4");
    let url = format!("file://{}", file.display());
    let media = ObjectStoreSource::new().fetch(&bench.context(), &url).await.unwrap();
    bench.holds(&media);
    assert_eq!(media.uri, url);
    let missing = ObjectStoreSource::new().fetch(&bench.context(), &format!("{url}.gone")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    for invalid in ["talk.mp4", "http://host/a.mp4", "s3://", "s3://bucket"] {
        let error = ObjectStoreSource::new().fetch(&bench.context(), invalid).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{invalid}: {error}");
    }
    assert_eq!(ObjectStoreSource::new().fetch(&bench.context_within(10), &url).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[cfg(feature = "s3")]
#[tokio::test]
async fn a_bucket_is_read_with_the_environments_endpoint() {
    let bench = Bench::new();
    let large = [bench.video.clone(), vec![0; 9 << 20]].concat();
    let served = large.clone();
    let server = MediaServer::start(move |_, request, stream| {
        let headers = "ETag: \"one\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
        match request.path.as_str() {
            "/bucket/a/talk.mp4" => send(stream, request, &served, headers, usize::MAX),
            "/bucket/denied.mp4" => write(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
            _ => write(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        }
    });
    let mut environment = Environment::default();
    for (name, value) in [
        ("AWS_ENDPOINT", server.url("")),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "hunter2".to_owned()),
        ("AWS_REGION", "auto".to_owned()),
    ] {
        environment.object_store.insert(name.to_owned(), value);
    }
    let cx = Context::builder().media_store(bench.store()).environment(environment).build();
    let media = ObjectStoreSource::new().fetch(&cx, "s3://bucket/a/talk.mp4").await.unwrap();
    assert!(std::fs::read(&media.path).unwrap() == large);
    let gets = |server: &MediaServer| server.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(gets(&server), 2, "in parts");
    assert_eq!(ObjectStoreSource::new().fetch(&cx, "s3://bucket/a/talk.mp4").await.unwrap(), media);
    assert_eq!(gets(&server), 2, "the store has it");
    for (url, kind) in [("s3://bucket/none.mp4", ErrorKind::NotFound), ("s3://bucket/denied.mp4", ErrorKind::Denied)] {
        let error = ObjectStoreSource::new().fetch(&cx, url).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

/// The command, with the address and the private network as its arguments.
#[cfg(feature = "cli")]
#[test]
fn the_command_makes_clips_of_an_address_and_shows_no_query() {
    let desk = crate::cli::Desk::with_talk(36);
    let server = MediaServer::with_file(std::fs::read(desk.path("talk.mp4")).unwrap(), TAG);
    let url = server.url("/a/talk.mp4?sig=hunter2");
    let (out, words, media) = (desk.path("out"), desk.path("talk.words.json"), desk.path("media"));
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clipkit"));
        command.args(arguments).env("CLIPKIT_MEDIA", &media).env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL");
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    };
    let (code, text) = run(&["step", "fetch", &url]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("--allow-private") && !text.contains("hunter2"), "{text}");
    let allowed = ["--allow-private", "127.0.0.1", "--transcript", &words, "--no-cache", "--json"];
    let (code, text) = run(&[&["clip"], &crate::cli::quick(&url, &out)[1..], &allowed[..]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("hunter2") && text.contains("\"manifest\""), "{text}");
    let plans: Vec<_> = desk.files("out").into_iter().filter(|name| name.ends_with(".plan.json")).collect();
    let plan = std::fs::read_to_string(Path::new(&out).join(&plans[0])).unwrap();
    assert!(plan.contains(&server.url("/a/talk.mp4")) && !plan.contains("hunter2"), "{plan}");
    // The plan finds its media in the store.
    let again = desk.path("again");
    let (code, text) = run(&["render", Path::new(&out).join(&plans[0]).to_str().unwrap(), "--out", &again]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(&["doctor", "--json"]);
    let diagnosis: clipkit::Diagnosis = serde_json::from_str(&text).unwrap();
    assert!(code == Some(0) && diagnosis.checks.iter().any(|check| check.name == "yt-dlp"), "{text}");
}
