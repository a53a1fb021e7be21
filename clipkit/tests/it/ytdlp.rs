//! Videos that yt-dlp fetches: with stand-ins for the program, which play YouTube and its failures,
//! and with the real one against a server on loopback.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use clipkit::prelude::*;
use clipkit::store::{MediaLimits, MediaStore};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::media_server::{MediaServer, send};
use crate::support::{ffmpeg, with};

/// An address that needs no name to be resolved. What is there, the stand-in says.
const PAGE: &str = "https://1.1.1.1/watch?v=aBcDeFgHi-_&pp=hunter2";
const YOUTUBE: &str = include_str!("../../src/source/ytdlp/youtube.info.json");
const JSON3: &str = r#"{"events":[{"tStartMs":500,"dDurationMs":900,"segs":[{"utf8":"planes"},{"utf8":" came","tOffsetMs":300}]},
    {"tStartMs":1500,"dDurationMs":400,"segs":[{"utf8":"home."}]}]}"#;

/// A folder with a stand-in for yt-dlp: a shell script that notes its arguments and its
/// environment.
struct Desk(TempDir);

impl Desk {
    /// `answers` are the arms of a `case` over the arguments. In them, `$out` is the template of
    /// `--output`, `$here` the folder, `$n` the number of the call.
    fn new(answers: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk(folder);
        let here = desk.0.path().display();
        ffmpeg(&format!(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=r=48000:d=2 -c:v libx264 -preset ultrafast -c:a aac {here}/video.mp4"
        ));
        std::fs::write(desk.path("info.json"), YOUTUBE).unwrap();
        std::fs::write(desk.path("captions.json3"), JSON3).unwrap();
        let script = format!(
            "#!/bin/sh\nhere='{here}'\nn=$(ls \"$here\" | grep -c '^call')\nprintf '%s\\n' \"$@\" > \"$here/call$n\"\n\
             env > \"$here/env$n\"\nout=\nfor a in \"$@\"; do case \"$a\" in --output=*) out=${{a#--output=}};; esac; done\n\
             case \"$*\" in\n{answers}\n*--version*) echo 2026.10.26;;\n*--dump-single-json*) cat \"$here/info.json\";;\n\
             *--skip-download*) cp \"$here/captions.json3\" \"${{out%captions.*}}captions.en-orig.json3\";;\n\
             *) cp \"$here/video.mp4\" \"$(dirname \"$out\")/137+140.mp4\"; echo '[clipkit] 50 100 NA';;\nesac\n"
        );
        std::fs::write(desk.path("yt-dlp"), script).unwrap();
        std::fs::set_permissions(desk.path("yt-dlp"), std::fs::Permissions::from_mode(0o755)).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn context(&self) -> Context {
        let mut environment = Environment::default();
        environment.programs.insert("PATH".into(), "/usr/bin:/bin".into());
        environment.openai_api_key = Some("hunter2".into());
        context(self.0.path(), environment, Limits::default())
    }

    fn context_within(&self, bytes: u64) -> Context {
        let mut environment = Environment::default();
        environment.programs.insert("PATH".into(), "/usr/bin:/bin".into());
        context(self.0.path(), environment, with(Limits::default(), |it| it.download_bytes = bytes))
    }

    fn source(&self) -> YtDlp {
        with(YtDlp::new(), |it| it.program = Some(self.path("yt-dlp")))
    }

    async fn fetch(&self) -> Result<Media> {
        self.source().fetch(&self.context(), PAGE).await
    }

    /// The arguments of all calls.
    fn calls(&self) -> Vec<String> {
        (0..).map_while(|n| std::fs::read_to_string(self.path(&format!("call{n}"))).ok()).collect()
    }

    fn environment_of(&self, call: usize) -> String {
        std::fs::read_to_string(self.path(&format!("env{call}"))).unwrap()
    }
}

fn context(folder: &Path, environment: Environment, limits: Limits) -> Context {
    let store = MediaStore::open(folder.join("store"), MediaLimits::new(1 << 30).min_free(0)).unwrap();
    Context::builder().media_store(store).environment(environment).limits(limits).build().for_stage(Stage::Source)
}

fn words(transcript: &Transcript) -> Vec<(String, f64)> {
    transcript.words.iter().map(|word| (word.text.clone(), word.start.secs())).collect()
}

#[tokio::test]
async fn metadata_captions_and_media_of_youtube_come_into_the_store() {
    let desk = Desk::new("");
    let media = desk.fetch().await.unwrap();
    assert_eq!(media.id.as_str(), "youtube:aBcDeFgHi-_");
    assert_eq!(media.uri, "https://www.youtube.com/watch?v=aBcDeFgHi-_");
    assert!(std::fs::read(&media.path).unwrap() == std::fs::read(desk.path("video.mp4")).unwrap());
    assert_eq!(media.about.title.as_deref(), Some("Why planes come home"));
    assert_eq!((media.about.chapters.len(), media.about.heatmap.len(), media.about.language.as_deref()), (2, 4, Some("en")));

    let calls = desk.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(calls[0].contains("--dump-single-json") && calls[0].ends_with(&format!("--\n{PAGE}\n")), "{}", calls[0]);
    assert!(calls[1].contains("--sub-langs=en-orig\n--sub-format=json3") && calls[1].contains("--write-auto-subs"), "{}", calls[1]);
    assert!(calls[2].contains("res:1080") && calls[2].contains("--continue") && !calls[2].contains(PAGE), "{}", calls[2]);
    assert!(calls.iter().all(|call| call.contains("--ignore-config")));
    assert!((0..3).all(|call| !desk.environment_of(call).contains("hunter2")), "programs get no keys");

    // The transcriber finds the captions beside the media, without asking anybody.
    let cx = desk.context();
    let transcript = Captions::auto().transcribe(&cx, &media).await.unwrap();
    assert_eq!(words(&transcript), [("planes".to_owned(), 0.5), ("came".to_owned(), 0.8), ("home.".to_owned(), 1.5)]);
    assert_eq!(transcript.language.as_deref(), Some("en"));

    // Another address of the same video needs its metadata only.
    let again = desk.source().fetch(&desk.context(), "https://1.0.0.1/aBcDeFgHi-_").await.unwrap();
    assert_eq!(again, media);
    assert_eq!(desk.calls().len(), 4);
    // A plan's reference finds the file without yt-dlp.
    assert_eq!(desk.context().locate(&media.reference()).unwrap(), media.path);
    assert!(!serde_json::to_string(&media).unwrap().contains("hunter2"));
}

#[tokio::test]
async fn a_section_has_its_own_identity_captions_and_times() {
    let desk = Desk::new("");
    let mut info: Value = serde_json::from_str(YOUTUBE).unwrap();
    info["duration"] = json!(3600);
    std::fs::write(desk.path("info.json"), info.to_string()).unwrap();
    let section = with(desk.source(), |it| it.section = Some(Span::secs(1.0, 9.5).unwrap()));
    let media = section.fetch(&desk.context(), PAGE).await.unwrap();
    assert_eq!(
        (media.id.as_str(), media.uri.as_str()),
        ("youtube:aBcDeFgHi-_:t=1,9.5", "https://www.youtube.com/watch?v=aBcDeFgHi-_#t=1,9.5")
    );
    assert!(desk.calls()[2].contains("--download-sections=*1-9.5\n"), "{}", desk.calls()[2]);
    let transcript = Captions::auto().transcribe(&desk.context(), &media).await.unwrap();
    assert_eq!(words(&transcript), [("home.".to_owned(), 0.5)]);
    assert_eq!(media.about.chapters[0].span, Span::secs(0.0, 8.5).unwrap());
    // The address alone names the section, so another process gets the same.
    let anywhere = with(desk.source(), |it| it.allow_private = vec!["0.0.0.0/0".into(), "::/0".into()]);
    let again = anywhere.fetch(&desk.context(), &media.uri).await.unwrap();
    assert_eq!(again, media);
}

#[tokio::test]
async fn captions_that_fail_are_a_warning() {
    let desk =
        Desk::new("*--skip-download*) echo 'ERROR: Unable to download video subtitles: HTTP Error 429: Too Many Requests' >&2; exit 1;;");
    let cx = desk.context();
    let media = desk.source().fetch(&cx, PAGE).await.unwrap();
    assert!(media.video.is_some());
    let warnings = cx.warnings();
    assert_eq!((warnings.len(), warnings[0].kind), (1, WarningKind::InputLost), "{warnings:?}");
    assert!(warnings[0].message.contains("captions"), "{warnings:?}");
}

const BOT: &str = "echo 'ERROR: [youtube] x: Sign in to confirm you\u{2019}re not a bot. https://h/?t=hunter2' >&2; exit 1";

#[tokio::test]
async fn cookies_come_last_and_are_not_changed() {
    let desk = Desk::new(&format!(
        "*--cookies=*) for a in \"$@\"; do case \"$a\" in --cookies=*) c=${{a#--cookies=}};; esac; done; \
        cp \"$c\" \"$here/jar\"; echo changed >> \"$c\"; cat \"$here/info.json\";;\n*--dump-single-json*) {BOT};;"
    ));
    let error = desk.fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Denied, &Recovery::RefreshCredentials));
    assert!(error.advice().unwrap().contains("cookies") && !error.to_string().contains("hunter2"), "{error}");

    std::fs::write(desk.path("cookies.txt"), "a secret").unwrap();
    let with_cookies = with(desk.source(), |it| it.cookies = Some(desk.path("cookies.txt")));
    // The stand-in answers only metadata with cookies, so the media are missing.
    let error = with_cookies.fetch(&desk.context(), PAGE).await.unwrap_err();
    let calls = desk.calls();
    assert!(!calls[1].contains("--cookies") && calls[2].contains("--cookies="), "anonymous first: {calls:?}");
    assert!(!calls.iter().any(|call| call.contains("cookies.txt\n") && call.contains(desk.path("cookies.txt").to_str().unwrap())));
    assert_eq!(std::fs::read_to_string(desk.path("jar")).unwrap(), "a secret");
    assert_eq!(std::fs::read_to_string(desk.path("cookies.txt")).unwrap(), "a secret", "yt-dlp gets a copy");
    assert!(!format!("{error:?}").contains("cookies.txt"), "{error:?}");
}

#[tokio::test]
async fn the_proxy_serves_metadata_and_all_only_if_it_must() {
    let desk = Desk::new("");
    let proxied = with(desk.source(), |it| it.proxy_metadata = Some("http://me:swordfish@127.0.0.1:9".into()));
    proxied.fetch(&desk.context(), PAGE).await.unwrap();
    let has = |desk: &Desk, call| desk.environment_of(call).contains("https_proxy=http://me:swordfish@127.0.0.1:9");
    assert_eq!([0, 1, 2].map(|call| has(&desk, call)), [true, true, false]);
    assert!(!desk.calls().iter().any(|call| call.contains("swordfish")), "a password is no argument");

    let bound = Desk::new(
        "*--continue*) if [ -z \"$https_proxy\" ]; then echo 'ERROR: unable to download video data: HTTP Error 403: Forbidden' >&2; exit 1; fi; \
        cp \"$here/video.mp4\" \"$(dirname \"$out\")/18.mp4\";;",
    );
    let proxied = with(bound.source(), |it| it.proxy_metadata = Some("http://me:swordfish@127.0.0.1:9".into()));
    let cx = bound.context();
    proxied.fetch(&cx, PAGE).await.unwrap();
    let kinds: Vec<&str> = bound
        .calls()
        .iter()
        .map(|call| {
            if call.contains("--dump") {
                "metadata"
            } else if call.contains("--skip") {
                "captions"
            } else {
                "media"
            }
        })
        .collect();
    assert_eq!(kinds, ["metadata", "captions", "media", "metadata", "media"]);
    assert!(has(&bound, 4) && !has(&bound, 2));
    assert!(cx.warnings()[0].message.contains("proxy"), "{:?}", cx.warnings());
}

#[tokio::test]
async fn a_download_that_breaks_is_continued_in_its_folder() {
    let desk = Desk::new(
        "*--continue*) d=$(dirname \"$out\"); if [ -f \"$d/137.mp4.part\" ]; then rm \"$d/137.mp4.part\"; cp \"$here/video.mp4\" \"$d/137.mp4\"; \
        else echo half > \"$d/137.mp4.part\"; echo 'ERROR: [Errno 104] Connection reset by peer' >&2; exit 1; fi;;",
    );
    let error = desk.fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.recovery().action()), (ErrorKind::Network, "retry"), "{error}");
    assert!(desk.fetch().await.unwrap().video.is_some());
}

#[tokio::test]
async fn what_cannot_be_fetched_is_refused_before_a_download() {
    let begins = SystemTime::now() + Duration::from_secs(7200);
    let seconds = begins.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    for (info, kind, recovery) in [
        (json!({"id": "x", "live_status": "is_live"}), ErrorKind::InvalidInput, Recovery::GiveUp),
        (
            json!({"id": "x", "live_status": "is_upcoming", "release_timestamp": seconds}),
            ErrorKind::InvalidInput,
            Recovery::WaitUntil(until),
        ),
        (
            json!({"_type": "playlist", "entries": [{"url": "https://h/1"}, {"url": "https://h/2"}]}),
            ErrorKind::InvalidInput,
            Recovery::GiveUp,
        ),
        (json!({"_type": "playlist", "entries": [{"url": "http://127.0.0.1/admin"}]}), ErrorKind::Denied, Recovery::GiveUp),
        (json!([1]), ErrorKind::InvalidInput, Recovery::GiveUp),
    ] {
        let desk = Desk::new("");
        std::fs::write(desk.path("info.json"), info.to_string()).unwrap();
        let error = desk.fetch().await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (kind, &recovery), "{error}");
        assert_eq!(desk.calls().len(), 1);
    }
    let desk = Desk::new("");
    for (uri, kind) in [
        ("--exec=touch x", ErrorKind::InvalidInput),
        ("file:///etc/passwd", ErrorKind::InvalidInput),
        ("http://127.0.0.1/a", ErrorKind::Denied),
        ("http://localhost/a", ErrorKind::Denied),
        ("http://[::1]/a", ErrorKind::Denied),
    ] {
        let error = desk.source().fetch(&desk.context(), uri).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{uri}: {error}");
    }
    assert!(desk.calls().is_empty(), "yt-dlp was not run");
}

#[tokio::test]
async fn a_missing_or_broken_program_has_advice() {
    let desk = Desk::new("");
    let cx = desk.context();
    let error = YtDlp::new().fetch(&cx, PAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.advice().unwrap().contains("pip install") && error.advice().unwrap().contains("CLIPKIT_YTDLP"), "{error}");
    let old = Desk::new("*--version*) echo 2021.01.01;;\n*) echo 'yt-dlp: error: no such option: --no-update' >&2; exit 2;;");
    let error = old.fetch().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("2021.01.01, ") && error.to_string().contains("yt-dlp -U"), "{error}");
    let junk = Desk::new("*--continue*) echo junk > \"$(dirname \"$out\")/1.mp4\";;");
    let error = junk.fetch().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let none = Desk::new("*--continue*) ;;");
    assert!(none.fetch().await.unwrap_err().to_string().contains("made no file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn size_time_and_cancellation_end_the_program() {
    let endless = Desk::new("*--continue*) exec tail -c +1 -f \"$here/video.mp4\" /dev/zero > \"$(dirname \"$out\")/1.mp4.part\";;");
    let error = endless.source().fetch(&endless.context_within(1 << 20), PAGE).await.unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && error.to_string().contains("download_bytes"), "{error}");
    let hangs = Desk::new("*--continue*) sleep 30;;");
    let short = with(hangs.source(), |it| it.timeout = Duration::from_millis(400));
    assert_eq!(short.fetch(&hangs.context(), PAGE).await.unwrap_err().kind(), ErrorKind::TimedOut);
    let cx = hangs.context();
    let canceller = cx.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        canceller.cancel();
    });
    let begun = Instant::now();
    assert!(hangs.source().fetch(&cx, PAGE).await.unwrap_err().is_cancelled());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// The program that `.ci/setup` installs.
fn real() -> PathBuf {
    let program =
        std::env::var_os("CLIPKIT_YTDLP").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/yt-dlp"), PathBuf::from);
    assert!(program.is_file(), "yt-dlp is not at {}: run `.ci/setup tests`, or set CLIPKIT_YTDLP", program.display());
    program
}

/// A server with a page, a video with subtitles, and faults by path.
fn site(video: Vec<u8>) -> MediaServer {
    MediaServer::start(move |_, request, stream| match request.path.split('?').next().unwrap() {
        "/page" => {
            let page = b"<html><head><title>A page</title></head><body><video src=\"/talk.mp4\"></video></body></html>";
            send(stream, request, page, "Content-Type: text/html\r\n", usize::MAX);
        }
        "/talk.mp4" | "/talk" => send(stream, request, &video, "Content-Type: video/mp4\r\nETag: \"one\"\r\n", usize::MAX),
        "/forbidden" => crate::media_server::write(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        _ => crate::media_server::write(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    })
}

#[tokio::test]
async fn the_real_yt_dlp_fetches_from_a_page_and_fails_as_classified() {
    let desk = Desk::new("");
    let video = std::fs::read(desk.path("video.mp4")).unwrap();
    let server = site(video.clone());
    let source = with(YtDlp::new(), |it| {
        it.program = Some(real());
        it.allow_private = vec!["127.0.0.1".into()];
    });
    let cx = context(desk.0.path(), Environment::from_process(), Limits::default());
    let media = source.fetch(&cx, &server.url("/page?sig=hunter2")).await.unwrap();
    assert!(std::fs::read(&media.path).unwrap() == video, "the bytes are the server's");
    assert!(media.id.as_str().starts_with("blake3:"), "a page on no platform: {}", media.id);
    assert_eq!((media.uri.as_str(), media.about.platform), (server.url("/page").as_str(), None));
    assert!(media.about.title.is_some());
    for (path, kind) in [("/none", ErrorKind::NotFound), ("/forbidden", ErrorKind::Network)] {
        let error = source.fetch(&cx, &server.url(&format!("{path}?sig=hunter2"))).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let gone = with(MediaServer::start(|_, _, _| {}), |it| it.address.set_port(1));
    let error = source.fetch(&cx, &gone.url("/page")).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery().action()), (ErrorKind::Network, "retry"), "{error}");
}

#[tokio::test]
async fn the_real_yt_dlp_fetches_a_section() {
    let desk = Desk::new("");
    let server = site(std::fs::read(desk.path("video.mp4")).unwrap());
    let auto = with(AutoSource::new(), |it| {
        it.ytdlp.program = Some(real());
        it.section = Some(Span::secs(0.0, 1.0).unwrap());
        it.allow_private = vec!["127.0.0.1".into()];
    });
    let cx = context(desk.0.path(), Environment::from_process(), Limits::default());
    let media = auto.fetch(&cx, &server.url("/talk.mp4")).await.unwrap();
    assert!((0.8..1.4).contains(&media.duration.secs()), "{}", media.duration);
    assert!(media.uri.ends_with("/talk.mp4#t=0,1"), "{}", media.uri);
}

#[tokio::test]
async fn auto_asks_the_server_what_an_address_is() {
    let desk = Desk::new("");
    let server = site(std::fs::read(desk.path("video.mp4")).unwrap());
    let auto = with(AutoSource::new(), |it| {
        it.ytdlp.program = Some(desk.path("yt-dlp"));
        it.allow_private = vec!["127.0.0.1".into()];
    });
    let cx = desk.context();
    for path in ["/talk.mp4?x=1", "/talk?x=1"] {
        let media = auto.fetch(&cx, &server.url(path)).await.unwrap();
        assert!(media.id.as_str().starts_with("blake3:"), "{path}");
    }
    assert!(desk.calls().is_empty());
    let page = auto.fetch(&cx, &server.url("/page")).await.unwrap();
    assert_eq!(page.id.as_str(), "youtube:aBcDeFgHi-_", "a page goes to yt-dlp");
    assert_eq!(auto.fetch(&cx, desk.path("video.mp4").to_str().unwrap()).await.unwrap().path, desk.path("video.mp4"));
    let only_remote = with(auto.clone(), |it| it.local = false);
    assert_eq!(only_remote.fetch(&cx, desk.path("video.mp4").to_str().unwrap()).await.unwrap_err().kind(), ErrorKind::Denied);
    let closed = with(auto, |it| it.allow_private.clear());
    for path in ["/talk.mp4", "/talk", "/page"] {
        assert_eq!(closed.fetch(&cx, &server.url(path)).await.unwrap_err().kind(), ErrorKind::Denied, "{path}");
    }
}

/// A talk of half a minute as YouTube's captions, a word every 0.3 s.
fn talk_json3() -> String {
    let mut at = 500;
    let events: Vec<Value> = crate::cli::TALK
        .split_whitespace()
        .map(|word| {
            let event = json!({"tStartMs": at, "dDurationMs": 280, "segs": [{"utf8": format!("{word} ")}]});
            at += if word.ends_with(['.', '?']) { 600 } else { 300 };
            event
        })
        .collect();
    json!({ "events": events }).to_string()
}

/// The download waits until the words are judged, and fails if they never are.
const WAITS: &str = "*--continue*) i=0; while [ ! -e \"$here/scored\" ]; do i=$((i+1)); [ $i -gt 100 ] && exit 1; sleep 0.1; done; \
    cp \"$here/video.mp4\" \"$(dirname \"$out\")/137+140.mp4\";;";

fn long_video(desk: &Desk, seconds: u32) {
    let sources = format!("-f lavfi -i testsrc2=s=320x180:r=25:d={seconds} -f lavfi -i sine=r=48000:d={seconds}");
    ffmpeg(&format!("{sources} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac {}", desk.path("video.mp4").display()));
    std::fs::write(desk.path("captions.json3"), talk_json3()).unwrap();
}

async fn planned(desk: &Desk, scorer: impl Scorer + 'static) -> (Result<Planned>, Vec<Event>) {
    let events = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (seen, scored) = (events.clone(), desk.path("scored"));
    let listener = move |event: &Event| {
        if matches!(event, Event::Finished { stage: Stage::Score, .. }) {
            std::fs::write(&scored, "").unwrap();
        }
        seen.lock().unwrap().push(event.clone());
    };
    let mut environment = Environment::default();
    environment.programs.insert("PATH".into(), "/usr/bin:/bin".into());
    let store = MediaStore::open(desk.path("store"), MediaLimits::new(1 << 30).min_free(0)).unwrap();
    let cx = Context::builder().media_store(store).environment(environment).on_event(listener).build();
    let options = with(ClipOptions::default(), |it| (it.clips, it.min, it.max) = (2, Duration::from_secs(5), Duration::from_secs(12)));
    let pipeline = Pipeline::builder()
        .source(desk.source())
        .transcriber(Captions::auto())
        .scorer(scorer)
        .tracker(CenterTracker)
        .renderer(FfmpegRenderer::vertical(180, 320))
        .publisher(Folder::new(desk.path("out")))
        .options(options)
        .build()
        .unwrap();
    let planned = pipeline.plan_all_with(&cx, PAGE).await;
    let events = events.lock().unwrap().clone();
    (planned, events)
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_judged_while_the_media_come_in() {
    let desk = Desk::new(WAITS);
    long_video(&desk, 36);
    let (found, events) = planned(&desk, Heuristic::default()).await;
    let found = found.unwrap();
    assert!(!found.plans.is_empty() && found.media.path.exists(), "{found:?}");
    let finished = |stage: Stage| events.iter().position(|event| matches!(event, Event::Finished { stage: of, .. } if *of == stage));
    assert!(finished(Stage::Score) < finished(Stage::Source), "{events:?}");
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Started { stage: Stage::Score, .. })).count(), 1);
    // The same as from media that are there.
    std::fs::remove_file(desk.path("scored")).unwrap();
    let (again, events) = planned(&desk, Heuristic::default()).await;
    assert_eq!(again.unwrap().plans, found.plans);
    assert!(matches!(
        events.iter().find(|event| matches!(event, Event::Finished { .. })),
        Some(Event::Finished { stage: Stage::Source, .. })
    ));

    // A file of another length than the platform says decides anew.
    let other = Desk::new(WAITS);
    long_video(&other, 30);
    let (found, events) = planned(&other, Heuristic::default()).await;
    assert!(found.unwrap().plans.iter().all(|ranked| ranked.plan.span.end().secs() <= 30.1));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Started { stage: Stage::Score, .. })).count(), 2);
}

/// A scorer that looks at the file.
struct Looks;

#[async_trait::async_trait]
impl Scorer for Looks {
    async fn score(&self, _: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        assert!(scoring.media.as_ref().unwrap().path.exists());
        Ok(vec![Candidate::new(Span::secs(1.0, 9.0).unwrap(), Score::of(80.0), "One", "")])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_scorer_has_the_media() {
    let desk = Desk::new("");
    long_video(&desk, 36);
    let (found, _) = planned(&desk, Looks).await;
    assert_eq!(found.unwrap().plans.len(), 1);
}
