//! The four ways to a transcript, through the command: captions, an API, a local model, and none.
//! The tests count requests to servers.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use clipkit::model::{ClipPlan, Manifest};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::api::KEY;
use crate::cli::{Desk, TALK, quick};
use crate::local::write_ctc_model;
use crate::scorer::{answer, fair, said};
use crate::support::ffmpeg;

/// The command's environment variables. The user's own are removed.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clipkit"));
    for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "CLIPKIT_MODELS", "CLIPKIT_CACHE"] {
        command.env_remove(name);
    }
    let output = command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

async fn serving(respond: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}

/// A server that transcribes any audio as the talk and gives every span the same scores.
fn speaks(request: &Request) -> ResponseTemplate {
    if request.url.path().ends_with("/audio/transcriptions") {
        let words: Vec<Value> = TALK
            .split_whitespace()
            .enumerate()
            .map(|(n, word)| json!({"word": word, "start": 0.5 + n as f64 * 0.35, "end": 0.8 + n as f64 * 0.35}))
            .collect();
        return ResponseTemplate::new(200).set_body_json(json!({"text": TALK, "language": "english", "words": words}));
    }
    said(&answer(&request.body_json().unwrap(), fair))
}

async fn count(server: &MockServer, path: &str) -> usize {
    server.received_requests().await.unwrap().iter().filter(|request| request.url.path().ends_with(path)).count()
}

fn manifest(desk: &Desk, out: &str) -> Manifest {
    serde_json::from_str(&fs::read_to_string(desk.path(&format!("{out}/clips.json"))).unwrap()).unwrap()
}

#[tokio::test]
async fn captions_come_first_and_nobody_is_asked() {
    let desk = Desk::with_talk(40);
    let server = serving(speaks).await;
    let (input, out, cache) = (desk.path("talk.mp4"), desk.path("out"), desk.path("cache"));
    let environment = [("OPENAI_BASE_URL", server.uri()), ("XDG_CACHE_HOME", cache)];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (code, _, stderr) = run(&[&quick(&input, &out)[..], &["--scorer", "heuristic"]].concat(), &environment);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(manifest(&desk, "out").clips.len(), 1);
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_api_transcribes_and_judges_and_a_second_run_makes_no_request() {
    let desk = Desk::new();
    desk.video("talk.mp4", 40);
    let server = serving(speaks).await;
    let (input, cache, url) = (desk.path("talk.mp4"), desk.path("cache"), format!("{}/v1", server.uri()));
    let environment = [("OPENAI_BASE_URL", url.as_str()), ("OPENAI_API_KEY", KEY), ("XDG_CACHE_HOME", &cache)];
    let hints = ["--language", "en", "--vocabulary", "bullet holes"];
    let made = |out: &str| {
        let out = desk.path(out);
        run(&[&quick(&input, &out)[..], &hints].concat(), &environment)
    };
    let (code, stdout, stderr) = made("first");
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("whisper-1: 1 request, 0.7 minutes of sound, price not known"), "{stdout}");
    let (heard, judged) = (count(&server, "/audio/transcriptions").await, count(&server, "/chat/completions").await);
    assert!(heard == 1 && judged >= 1, "{heard} {judged}");
    let body = String::from_utf8_lossy(&server.received_requests().await.unwrap()[0].body).into_owned();
    assert!(body.contains("bullet holes") && body.contains("name=\"language\"\r\n\r\nen"), "the hints are sent");

    let (code, _, stderr) = made("second");
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(server.received_requests().await.unwrap().len(), heard + judged, "nothing is asked twice");
    let (first, second) = (manifest(&desk, "first"), manifest(&desk, "second"));
    assert!(first.clips[0].title.starts_with("Take") && first.clips[0].title == second.clips[0].title);
    assert!(!first.usage.is_empty() && second.usage.is_empty(), "{:?}", second.usage);
    let written = [desk.files("first"), desk.files("second")].concat();
    assert!(!written.is_empty() && !stdout.contains(KEY) && !fs::read_to_string(desk.path("first/clips.json")).unwrap().contains(KEY));
}

/// "ab ba ab ba", with a pause after sixteen words, as the tones that the test model recognises.
fn talk_in_tones(desk: &Desk) {
    let part = |tone: u32, from: f64, to: f64| format!("sin({tone}*2*PI*t)*between(mod(t,0.8),{from},{to})");
    let word = [part(500, 0.0, 0.1), part(1000, 0.13, 0.23), part(2000, 0.27, 0.36)];
    let other = [part(1000, 0.4, 0.5), part(500, 0.53, 0.63), part(2000, 0.67, 0.76)];
    let sound = format!("0.5*lt(mod(t,8),6.4)*({})", [word, other].concat().join("+"));
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=320x180:r=10:d=48 -f lavfi -i aevalsrc='{sound}':s=48000:d=48 -c:v libx264 -preset ultrafast \
         -pix_fmt yuv420p -c:a aac -b:a 192k {}",
        desk.path("talk.mp4")
    ));
    fs::create_dir_all(desk.path("models/speech")).unwrap();
    write_ctc_model(desk.path("models/speech").as_ref());
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"] // And the ONNX Runtime, which comes with it.
async fn a_model_on_this_machine_transcribes_and_steps_in_where_the_api_fails() {
    let desk = Desk::new();
    talk_in_tones(&desk);
    let (input, cache, models) = (desk.path("talk.mp4"), desk.path("cache"), desk.path("models"));
    let made = |out: &str, url: &str| {
        let out = desk.path(out);
        let mut environment = vec![("CLIPKIT_MODELS", models.as_str()), ("XDG_CACHE_HOME", cache.as_str())];
        if !url.is_empty() {
            environment.push(("OPENAI_BASE_URL", url));
        }
        run(&[&quick(&input, &out)[..], &["--scorer", "heuristic"]].concat(), &environment)
    };
    let (code, _, stderr) = made("alone", "");
    assert_eq!((code, stderr.contains("warning")), (0, false), "{stderr}");
    let plan = desk.files("alone").into_iter().find(|name| name.ends_with(".plan.json")).unwrap();
    let plan = ClipPlan::from_json(&fs::read_to_string(desk.path(&format!("alone/{plan}"))).unwrap()).unwrap();
    let said: Vec<String> = plan.captions.unwrap().cues.iter().flat_map(|cue| &cue.words).map(|word| word.text.to_lowercase()).collect();
    assert!(said.len() > 20 && said.iter().all(|word| ["ab", "ba"].contains(&word.as_str())), "{said:?}");

    let server = serving(|_| ResponseTemplate::new(401)).await;
    let (code, _, stderr) = made("instead", &server.uri());
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("answers 401") && stderr.contains("the speech model on this machine transcribes"), "{stderr}");
    assert_eq!(manifest(&desk, "instead").clips[0].span, manifest(&desk, "alone").clips[0].span);
}

#[tokio::test]
async fn without_any_way_the_error_lists_all_four() {
    let desk = Desk::new();
    desk.video("my-talk.mp4", 20);
    let (input, out, cache) = (desk.path("my-talk.mp4"), desk.path("out"), desk.path("cache"));
    let (code, _, stderr) = run(&quick(&input, &out), &[("XDG_CACHE_HOME", &cache)]);
    assert_eq!((code, stderr.trim_end().lines().filter(|line| line.contains("error: ")).count()), (3, 1), "{stderr}");
    for way in
        ["--transcript FILE", "my-talk.srt", "yt-dlp --write-auto-subs", "OPENAI_API_KEY", "clipkit models fetch parakeet-tdt-0.6b-v3"]
    {
        assert!(stderr.contains(way), "{way}: {stderr}");
    }
    assert!(!fs::exists(out).unwrap());
}

#[tokio::test]
async fn a_server_that_fails_ends_in_clips_or_in_one_clear_line() {
    let desk = Desk::with_talk(40);
    let (spoken, cache) = (desk.path("talk.mp4"), desk.path("cache"));
    desk.video("bare.mp4", 20);
    let bare = desk.path("bare.mp4");
    let busy = |status| ResponseTemplate::new(status).insert_header("retry-after", "0").set_body_string(format!("busy {KEY}"));
    for (n, status) in [401, 429, 500].into_iter().enumerate() {
        let server = serving(move |_| busy(status)).await;
        let url = server.uri();
        let environment = [("OPENAI_BASE_URL", url.as_str()), ("OPENAI_API_KEY", KEY), ("XDG_CACHE_HOME", &cache)];
        let tries = if status == 401 { 1 } else { 3 };
        // If the scorer fails, the heuristic chooses.
        let out = format!("clips-{n}");
        // One full run; plans alone suffice for the others.
        let how: &[&str] = if n == 0 { &[] } else { &["--plan-only"] };
        let (code, _, stderr) = run(&[&quick(&spoken, &desk.path(&out)), how].concat(), &environment);
        assert_eq!(code, 0, "{stderr}");
        assert!(stderr.contains(&format!("answers {status}")) && stderr.contains("the heuristic chooses the spans"), "{stderr}");
        assert_eq!(desk.files(&out).iter().filter(|name| name.ends_with(".plan.json")).count(), 1);
        let asked = server.received_requests().await.unwrap().len();
        // If the transcriber fails, there is nothing to choose from.
        let out = desk.path(&format!("none-{n}"));
        let (code, _, failed) = run(&quick(&bare, &out), &environment);
        assert_eq!((code, failed.lines().filter(|line| line.contains("error: ")).count()), (1, 1), "{failed}");
        assert!(failed.contains("bare.mp4") && failed.contains(&format!("answers {status}")), "{failed}");
        assert_eq!(server.received_requests().await.unwrap().len() - asked, tries);
        assert!(![stderr, failed].concat().contains("sk-test") && !fs::exists(out).unwrap());
    }
}

#[tokio::test]
async fn a_transcript_alone_has_a_budget_and_says_what_it_took() {
    let desk = Desk::new();
    desk.video("talk.mp4", 20);
    let server = serving(speaks).await;
    let (input, cache, url) = (desk.path("talk.mp4"), desk.path("cache"), server.uri());
    let environment = [("OPENAI_BASE_URL", url.as_str()), ("XDG_CACHE_HOME", &cache)];
    let (code, _, stderr) = run(&["transcribe", &input, "--max-cost", "1"], &environment);
    assert!(code == 2 && stderr.contains("price of the model whisper-1 is not known"), "{stderr}");
    assert!(server.received_requests().await.unwrap().is_empty());
    let (code, stdout, stderr) = run(&["transcribe", &input, "--language", "en"], &environment);
    assert!(code == 0 && stderr.contains("whisper-1: 1 request"), "{stderr}");
    assert!(serde_json::from_str::<Value>(&stdout).unwrap()["words"].as_array().unwrap().len() > 20, "{stdout}");
}

/// The part of the S3 protocol that a cache uses, for signed requests only.
fn s3(held: &Mutex<HashMap<String, Vec<u8>>>, request: &Request) -> ResponseTemplate {
    let error = |status: u16, code: &str| ResponseTemplate::new(status).set_body_string(format!("<Error><Code>{code}</Code></Error>"));
    let signed = request.headers.get("authorization").is_some_and(|value| value.to_str().unwrap().starts_with("AWS4-HMAC-SHA256 "));
    let key = request.url.path().to_owned();
    let mut held = held.lock().unwrap();
    match request.method.as_str() {
        _ if !signed => error(403, "AccessDenied"),
        "PUT" => {
            held.insert(key, request.body.clone());
            ResponseTemplate::new(200).insert_header("ETag", "\"1\"")
        }
        "GET" if request.url.query().is_some_and(|query| query.contains("list-type=2")) => ResponseTemplate::new(200)
            .set_body_string("<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"),
        "GET" => match held.get(&key) {
            Some(bytes) => ResponseTemplate::new(200)
                .insert_header("ETag", "\"1\"")
                .insert_header("Last-Modified", httpdate::fmt_http_date(std::time::SystemTime::now()).as_str())
                .set_body_bytes(bytes.clone()),
            None => error(404, "NoSuchKey"),
        },
        _ => error(405, "MethodNotAllowed"),
    }
}

#[cfg(feature = "s3")]
#[tokio::test]
async fn machines_that_share_a_bucket_transcribe_once() {
    let desk = Desk::new();
    desk.video("talk.mp4", 40);
    let held = Arc::new(Mutex::new(HashMap::new()));
    let (api, keep) = (serving(speaks).await, held.clone());
    let bucket = serving(move |request| s3(&keep, request)).await;
    let (input, url, endpoint) = (desk.path("talk.mp4"), api.uri(), bucket.uri());
    let made = |machine: &str| {
        let (home, out) = (desk.path(machine), desk.path(&format!("{machine}-out")));
        let environment = [
            ("OPENAI_BASE_URL", url.as_str()),
            ("XDG_CACHE_HOME", &home),
            ("CLIPKIT_CACHE", "s3://bucket/clip kit"),
            ("AWS_ENDPOINT", &endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        run(&[&quick(&input, &out)[..], &["--plan-only"]].concat(), &environment)
    };
    let (code, stdout, stderr) = made("one");
    assert_eq!((code, stderr.contains("warning")), (0, false), "{stderr}");
    let out = desk.path("one-out");
    assert!(stdout.contains(&format!("clipkit render {out}/*.plan.json --out {out}")), "{stdout}");
    let asked = api.received_requests().await.unwrap().len();
    assert!(held.lock().unwrap().keys().all(|key| key.starts_with("/bucket/clip%20kit/v2/")), "{:?}", held.lock().unwrap().keys());
    assert_eq!(held.lock().unwrap().len(), 3, "a transcript, a speech map and scores");
    let (code, _, stderr) = made("another");
    assert_eq!((code, stderr.contains("warning")), (0, false), "{stderr}");
    assert_eq!(api.received_requests().await.unwrap().len(), asked);
    assert!(!fs::exists(desk.path("one/clipkit/artifacts")).unwrap(), "nothing is kept beside the bucket");
}
