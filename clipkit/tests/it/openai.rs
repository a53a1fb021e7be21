//! Transcription by API, against local test servers.

use crate::support::with;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clipkit::layer::{LayerConfig, RateLimit, Retry};
use clipkit::model::{Media, Timestamp};
use clipkit::stage::{FileSource, OpenAiServer, OpenAiTranscriber, Source, StageExt, Transcriber};
use clipkit::{Context, Environment, ErrorKind, Event, Recovery};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::api::{KEY, at, dripping, faults, nobody, on};
use crate::layers::listening;
use crate::support::ffmpeg;

pub(crate) async fn sound(folder: &tempfile::TempDir, seconds: u32) -> Media {
    tone(folder, seconds, "1").await
}

/// A tone while `gate`, an ffmpeg expression, is not 0.
async fn tone(folder: &tempfile::TempDir, seconds: u32, gate: &str) -> Media {
    let file = folder.path().join("sound.mp4");
    ffmpeg(&format!(
        "-f lavfi -i color=blue:s=64x64:r=1:d={seconds} -f lavfi -i aevalsrc='0.2*sin(1257*t)*{gate}':s=16000:d={seconds} -c:v libx264 -c:a mp2 {}",
        file.display()
    ));
    FileSource::new().fetch(&Context::new(), &file.to_string_lossy()).await.unwrap()
}

async fn serving(respond: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/audio/transcriptions")).respond_with(respond).mount(&server).await;
    server
}

async fn answering(answer: Value) -> MockServer {
    serving(move |_| ResponseTemplate::new(200).set_body_json(answer.clone())).await
}

fn one_word() -> Value {
    json!({"language": "english", "text": "One", "words": [{"word": "One", "start": 5.0, "end": 5.5}]})
}

fn transcriber(server: &MockServer) -> OpenAiTranscriber {
    with(OpenAiTranscriber::default(), |it| it.server = on(server))
}

/// The fields of a form; for a file, its name.
pub(crate) fn fields(request: &Request) -> Vec<(String, String)> {
    let body = String::from_utf8_lossy(&request.body);
    let boundary = request.headers["content-type"].to_str().unwrap().split("boundary=").nth(1).unwrap().to_owned();
    let border = format!("--{boundary}");
    let parts = body.split(border.as_str()).filter_map(|part| part.split_once("\r\n\r\n"));
    let after = |head: &str, key: &str| Some(head.split_once(&format!("{key}=\""))?.1.split('"').next()?.to_owned());
    parts
        .map(|(head, value)| {
            let value = after(head, "filename").unwrap_or_else(|| value.trim_end_matches("\r\n").to_owned());
            (after(head, " name").unwrap(), value)
        })
        .collect()
}

fn warned(cx: &Context) -> String {
    cx.warnings().into_iter().map(|warning| warning.message).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn speech_goes_out_compact_and_words_come_back_written() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 4).await;
    // Without `usage`, as in the responses of many servers.
    let server = answering(json!({
        "task": "transcribe", "language": "en", "duration": 4.0, "text": "Hello there. This is it!",
        "words": [
            {"word": "Hello", "start": 0.5, "end": 0.9}, {"word": "there", "start": 0.9, "end": 1.2}, {"word": "This", "start": 2.0, "end": 2.2},
            {"word": "is", "start": 2.2, "end": 2.4}, {"word": "it", "start": 2.4, "end": 2.6}
        ]
    }))
    .await;
    let cx = Context::builder().scratch_in(folder.path().join("scratch")).build();
    let organized = with(on(&server), |it| it.organization = Some("org-1".into()));
    let (language, prompt) = (Some("en".to_owned()), Some("Clipkit, Łódź".to_owned()));
    let asking = with(OpenAiTranscriber::default(), |it| {
        it.server = organized;
        it.language = language;
        it.prompt = prompt;
    });
    let transcript = asking.transcribe(&cx, &media).await.unwrap();
    let texts: Vec<&str> = transcript.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(texts, ["Hello", "there.", "This", "is", "it!"]);
    assert_eq!((transcript.words[1].start.secs(), transcript.language.as_deref()), (0.9, Some("en")));

    // The request follows the API.
    let [request] = &server.received_requests().await.unwrap()[..] else { panic!() };
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request.headers["openai-organization"], "org-1");
    let mut fields = fields(request);
    assert!(fields[0].0 == "file" && fields[0].1.ends_with(".m4a"), "{fields:?}");
    assert_eq!(request.headers["content-length"], request.body.len().to_string(), "some servers want to know");
    fields.remove(0);
    let expected = [
        ("model", "whisper-1"),
        ("language", "en"),
        ("prompt", "Clipkit, Łódź"),
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(request.body.len() < 4 * 10_000, "{} bytes for 4 s", request.body.len());
    let [usage] = &cx.usage()[..] else { panic!("{:?}", cx.usage()) };
    // Only OpenAI's own models have a known price.
    assert!((usage.audio_seconds - 4.0).abs() < 0.1 && usage.requests == 1 && usage.cost_usd.is_none(), "{usage:?}");
    assert!(cx.warnings().is_empty(), "{:?}", cx.warnings());
}

#[tokio::test]
async fn a_long_recording_is_sent_in_stretches_and_one_that_fails_is_sent_again_alone() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 1190).await;
    let calls = AtomicUsize::new(0);
    let server = serving(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        1 => ResponseTemplate::new(429).insert_header("retry-after", "1"),
        _ => ResponseTemplate::new(200).set_body_json(json!({
            "text": "One two", "words": [{"word": "One", "start": 5.0, "end": 5.5}, {"word": "two", "start": 500.0, "end": 500.5}]
        })),
    })
    .await;
    let (cx, heard) = listening();
    let transcript = transcriber(&server).transcribe(&cx, &media).await.unwrap();
    let starts: Vec<f64> = transcript.words.iter().map(|word| word.start.secs()).collect();
    assert!(starts.len() == 4 && starts.is_sorted() && starts[2] > 540.0, "{starts:?}");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.body.len() < 25_000_000 / 4));
    // Waits as long as the server asked for, and reports it.
    let waits: Vec<f64> = heard
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            Event::Waiting { seconds, .. } => Some(*seconds),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [1.0]);
    let usage = &cx.usage()[0];
    // Both segments and their overlap, each shorter than 25 minutes.
    assert!(usage.requests == 2 && (1190.0..1196.0).contains(&usage.audio_seconds), "{usage:?}");
}

#[tokio::test]
async fn silence_is_not_sent_and_languages_become_tags() {
    let folder = tempfile::tempdir().unwrap();
    let media = tone(&folder, 1800, "lt(t,20)").await;
    let server = answering(one_word()).await;
    let transcript = transcriber(&server).transcribe(&Context::new(), &media).await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "of three stretches two are silent");
    assert_eq!((transcript.words.len(), transcript.language.as_deref()), (1, Some("en")));
}

#[tokio::test]
async fn sentences_alone_are_spread_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 4).await;
    let sentences = json!({"text": "Hello there.", "segments": [{"id": 0, "start": 1.0, "end": 2.0, "text": " Hello there."}]});
    let server = answering(sentences.clone()).await;
    let cx = Context::new();
    let transcript = transcriber(&server).transcribe(&cx, &media).await.unwrap();
    assert_eq!(transcript.words.len(), 2);
    assert!(warned(&cx).contains("sentences only"), "{}", warned(&cx));

    // If a server rejects word timestamps, segment timestamps are requested.
    let server = serving(move |request| match fields(request).iter().any(|(name, _)| name.starts_with("timestamp")) {
        true => ResponseTemplate::new(400).set_body_json(json!({"detail": "unknown field: timestamp_granularities"})),
        false => ResponseTemplate::new(200).set_body_json(sentences.clone()),
    })
    .await;
    assert_eq!(transcriber(&server).transcribe(&Context::new(), &media).await.unwrap(), transcript);
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

/// `gpt-4o-transcribe` is known to return no timestamps. For other models it is detected from a
/// rejected request or a response without timestamps.
#[tokio::test]
async fn where_there_are_no_times_words_are_put_where_the_voice_is() {
    let folder = tempfile::tempdir().unwrap();
    // Six seconds of audio, four of silence.
    let media = tone(&folder, 60, "lt(mod(t,10),6)").await;
    let text = || ResponseTemplate::new(200).set_body_json(json!({"text": "So it goes on.", "usage": {"type": "tokens"}}));
    let refusing = serving(move |request| match fields(request).contains(&("response_format".into(), "json".into())) {
        true => text(),
        false => {
            ResponseTemplate::new(400).set_body_json(json!({"error": {"message": "response_format 'verbose_json' is not compatible"}}))
        }
    })
    .await;
    let ignoring = serving(move |_| text()).await;
    for (server, model, found_out) in [(&refusing, "gpt-4o-mini-transcribe", 0), (&refusing, "mine", 2), (&ignoring, "mine", 1)] {
        let before = server.received_requests().await.unwrap().len() + found_out;
        let cx = Context::new();
        let asking = with(transcriber(server), |it| {
            it.model = model.into();
            it.uploads = 1;
        });
        let transcript = asking.transcribe(&cx, &media).await.unwrap();
        let uploads = server.received_requests().await.unwrap().len() - before;
        assert!((3..=7).contains(&uploads) && transcript.words.len() == uploads * 4, "{uploads} uploads, {:?}", transcript.words);
        assert!(transcript.words.is_sorted_by_key(|word| word.start) && transcript.words.iter().all(|word| word.end <= media.duration));
        assert!(transcript.words.iter().any(|word| word.start > Timestamp::from_secs(40.0)), "{transcript:?}");
        assert!(warned(&cx).contains("gives no times") && cx.warnings().len() == 1, "{}", warned(&cx));
    }
}

#[tokio::test]
async fn failures_say_what_to_do_and_keep_the_key_secret() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 2).await;
    for fault in faults() {
        let server = serving(move |_| fault.response.clone()).await;
        let (cx, heard) = listening();
        let transcriber = transcriber(&server);
        let error = transcriber.transcribe(&cx, &media).await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (fault.kind, &fault.recovery), "{error}");
        assert!(error.to_string().contains("sound.mp4"), "{error}");
        assert_eq!(server.received_requests().await.unwrap().len(), fault.tries, "{error}");
        let told = format!("{:?} {:?}", heard.lock().unwrap(), cx.usage());
        for text in
            [error.to_string(), format!("{error:?}"), format!("{transcriber:?}"), serde_json::to_string(&transcriber).unwrap(), told]
        {
            assert!(!text.contains("sk-test"), "{text}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_no_transcript_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 6).await;
    for wrong in [json!({}), json!([]), json!({"text": 5}), json!({"words": "none"}), json!(null)] {
        let server = answering(wrong.clone()).await;
        let error = transcriber(&server).transcribe(&Context::new(), &media).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Contract && error.to_string().contains("has no text"), "{wrong}: {error}");
        assert_eq!(server.received_requests().await.unwrap().len(), 3, "{wrong}");
    }
    // An empty transcript is a valid result.
    let server = answering(json!({"text": "", "words": []})).await;
    assert_eq!(transcriber(&server).transcribe(&Context::new(), &media).await.unwrap().words, []);
    // Impossible times are corrected.
    let odd = json!({"text": "One two", "words": [{"word": "One", "start": -5.0, "end": 1e9}, {"word": "two", "start": "x", "end": null}]});
    let words = transcriber(&answering(odd).await).transcribe(&Context::new(), &media).await.unwrap().words;
    assert!(words.iter().all(|word| word.start >= Timestamp::ZERO && word.end <= media.duration), "{words:?}");
}

#[tokio::test]
async fn a_server_that_is_busy_for_a_moment_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 6).await;
    let calls = AtomicUsize::new(0);
    let server = serving(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => ResponseTemplate::new(429).insert_header("retry-after", "0"),
        1 => ResponseTemplate::new(502),
        _ => ResponseTemplate::new(200).set_body_json(one_word()),
    })
    .await;
    let cx = Context::new();
    assert_eq!(transcriber(&server).transcribe(&cx, &media).await.unwrap().words.len(), 1);
    assert!(cx.warnings().is_empty(), "{}", warned(&cx));
}

#[tokio::test]
async fn a_server_that_does_not_answer_can_be_left() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 2).await;
    let silent = serving(|_| ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).await;
    for uri in [silent.uri(), dripping().await] {
        let cx = Context::new();
        let begun = Instant::now();
        let slow = with(OpenAiTranscriber::default(), |it| {
            it.server = at(&uri);
            it.timeout_secs = 1;
        });
        let error = slow.transcribe(&cx, &media).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Network && error.to_string().contains("longer than 1 s"), "{error}");
        assert!((3..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        // The server may have processed the audio, and may charge for it.
        let usage = &cx.usage()[0];
        assert!(usage.estimated && usage.requests == 3, "{usage:?}");
    }
    let error = with(OpenAiTranscriber::default(), |it| it.server = at(&nobody())).transcribe(&Context::new(), &media).await;
    let error = error.unwrap_err();
    assert!(error.kind() == ErrorKind::Network && error.to_string().contains("cannot be reached"), "{error}");

    let cx = Context::new();
    let token = cx.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        token.cancel();
    });
    let begun = Instant::now();
    assert!(transcriber(&silent).transcribe(&cx, &media).await.unwrap_err().is_cancelled());
    assert!(begun.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn requests_are_tried_again_by_one_thing_only() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 2).await;
    let server = serving(|_| ResponseTemplate::new(500)).await;
    let seen = std::cell::Cell::new(0);
    let sent = async || {
        let all = server.received_requests().await.unwrap().len();
        all - seen.replace(all)
    };
    let retry = |attempts| Retry::times(attempts).first(Duration::from_millis(1));
    let bare = with(OpenAiTranscriber::default(), |it| it.server = with(on(&server), |it| it.layers = Vec::new()));
    bare.transcribe(&Context::new(), &media).await.unwrap_err();
    assert_eq!(sent().await, 1, "without layers, once");
    bare.clone().layer(retry(2)).transcribe(&Context::new(), &media).await.unwrap_err();
    assert_eq!(sent().await, 2);
    // Each request is already tried three times, so `retry(3)` around the stage adds no attempts,
    // and `retry(6)` adds three.
    transcriber(&server).layer(retry(3)).transcribe(&Context::new(), &media).await.unwrap_err();
    assert_eq!(sent().await, 3);
    transcriber(&server).layer(retry(6)).transcribe(&Context::new(), &media).await.unwrap_err();
    assert_eq!(sent().await, 6);
}

#[tokio::test]
async fn a_servers_layers_count_requests_for_all_who_ask_it() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 700).await;
    let server = answering(one_word()).await;
    let limited = with(on(&server), |it| it.layers = vec![LayerConfig::RateLimit(RateLimit::per_day(3))]);
    let asking = with(OpenAiTranscriber::default(), |it| it.server = limited.clone());
    asking.transcribe(&Context::new(), &media).await.unwrap();
    // All stages with this server and key share the limit: of two uploads, one is left.
    let another = with(OpenAiTranscriber::default(), |it| {
        it.server = limited;
        it.model = "other".into();
        it.uploads = 1;
    });
    let error = another.transcribe(&Context::new(), &media).await.unwrap_err();
    assert!(error.kind() == ErrorKind::RateLimited && matches!(error.recovery(), Recovery::WaitUntil(_)), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
    // Another account has its own limit.
    let of_another = with(another.server.clone(), |it| it.api_key = Some("sk-another".into()));
    with(another.clone(), |it| it.server = of_another).transcribe(&Context::new(), &media).await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 5);

    let cached: OpenAiServer = serde_json::from_str(r#"{"base_url": "http://localhost:1/v1", "layers": [{"cache": {}}]}"#).unwrap();
    let error = with(OpenAiTranscriber::default(), |it| it.server = cached).transcribe(&Context::new(), &media).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("around the stage"), "{error}");
}

#[tokio::test]
async fn a_budget_that_cannot_be_held_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 2).await;
    let server = serving(|_| ResponseTemplate::new(500)).await;
    let cx = Context::builder().max_cost(1.0).build();
    let error = transcriber(&server).transcribe(&cx, &media).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("--max-cost"), "{error}");
    assert!(server.received_requests().await.unwrap().is_empty());
    // OpenAI's own model has a price above 0, so no request is sent.
    let own = with(at(""), |it| it.base_url = Some("https://api.openai.com/v1".into()));
    let cx = Context::builder().max_cost(0.0001).build();
    let error = with(OpenAiTranscriber::default(), |it| it.server = own).transcribe(&cx, &media).await.unwrap_err();
    assert!(error.to_string().contains("more than the budget") && cx.usage().is_empty(), "{error}");
}

#[tokio::test]
async fn unset_fields_of_a_server_come_from_the_contexts_environment() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 6).await;
    let server = answering(one_word()).await;
    let mut environment = Environment::default();
    environment.openai_base_url = Some(format!("{}/v1/", server.uri()));
    environment.openai_api_key = Some(KEY.into());
    environment.openai_organization = Some("org-2".into());
    let cx = Context::builder().environment(environment).build();
    OpenAiTranscriber::default().transcribe(&cx, &media).await.unwrap();
    let [request] = &server.received_requests().await.unwrap()[..] else { panic!() };
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request.headers["openai-organization"], "org-2");

    // An empty environment has no key, even if the process has one.
    let cx = Context::builder().environment(Environment::default()).build();
    let error = OpenAiTranscriber::default().transcribe(&cx, &media).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Unavailable && error.to_string().contains("OPENAI_API_KEY"), "{error}");
}
