//! Transcripts by API, against a server on this machine.

use std::time::{Duration, Instant};

use clipkit::{Context, ErrorKind, FileSource, Media, OpenAiServer, OpenAiTranscriber, Recovery, Source, Transcriber};
use serde_json::json;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::ffmpeg;

const KEY: &str = "sk-test-4f9c";

fn at(server: &MockServer) -> OpenAiServer {
    OpenAiServer { base_url: Some(format!("{}/v1", server.uri())), organization: None, api_key: Some(KEY.into()) }
}

async fn sound(folder: &tempfile::TempDir, seconds: u32) -> Media {
    let file = folder.path().join("sound.mp4");
    ffmpeg(&format!(
        "-f lavfi -i color=blue:s=64x64:r=1:d={seconds} -f lavfi -i sine=f=200:r=16000:d={seconds} -c:v libx264 -c:a mp2 {}",
        file.display()
    ));
    FileSource::new().fetch(&Context::new(), &file.to_string_lossy()).await.unwrap()
}

async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/audio/transcriptions")).respond_with(response).mount(&server).await;
    server
}

#[tokio::test]
async fn speech_goes_out_compact_and_words_come_back_written() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 4).await;
    // No `usage`, as many servers answer.
    let answer = json!({
        "task": "transcribe", "language": "en", "duration": 4.0, "text": "Hello there. This is it!",
        "words": [
            {"word": "Hello", "start": 0.5, "end": 0.9}, {"word": "there", "start": 0.9, "end": 1.2}, {"word": "This", "start": 2.0, "end": 2.2},
            {"word": "is", "start": 2.2, "end": 2.4}, {"word": "it", "start": 2.4, "end": 2.6}
        ]
    });
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/audio/transcriptions"))
        .and(header("authorization", format!("Bearer {KEY}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .expect(1)
        .mount(&server)
        .await;
    let cx = Context::builder().scratch_in(folder.path().join("scratch")).build();
    let transcriber = OpenAiTranscriber { server: at(&server), prompt: Some("Clipkit".into()), ..OpenAiTranscriber::default() };
    let transcript = transcriber.transcribe(&cx, &media).await.unwrap();
    let texts: Vec<&str> = transcript.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(texts, ["Hello", "there.", "This", "is", "it!"]);
    assert_eq!((transcript.words[1].start.secs(), transcript.language.as_deref()), (0.9, Some("en")));

    let request = &server.received_requests().await.unwrap()[0];
    let body = String::from_utf8_lossy(&request.body);
    for part in ["whisper-1", "verbose_json", "timestamp_granularities[]", "Clipkit", ".m4a"] {
        assert!(body.contains(part), "{part} is missing");
    }
    assert!(request.body.len() < 4 * 10_000, "{} bytes for 4 s", request.body.len());
    let [usage] = &cx.usage()[..] else { panic!("{:?}", cx.usage()) };
    // No price is known of a server that is not OpenAI's.
    assert!((usage.audio_seconds - 4.0).abs() < 0.1 && usage.requests == 1 && usage.cost_usd.is_none(), "{usage:?}");
    assert!(cx.warnings().is_empty(), "{:?}", cx.warnings());
}

#[tokio::test]
async fn a_long_recording_is_sent_in_stretches() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 1190).await;
    let answer =
        json!({"text": "One two", "words": [{"word": "One", "start": 5.0, "end": 5.5}, {"word": "two", "start": 500.0, "end": 500.5}]});
    let server = answering(ResponseTemplate::new(200).set_body_json(answer)).await;
    let cx = Context::builder().scratch_in(folder.path().join("scratch")).build();
    let transcript = OpenAiTranscriber { server: at(&server), ..OpenAiTranscriber::default() }.transcribe(&cx, &media).await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
    let starts: Vec<f64> = transcript.words.iter().map(|word| word.start.secs()).collect();
    assert!(starts.len() == 4 && starts.is_sorted() && starts[2] > 540.0, "{starts:?}");
}

#[tokio::test]
async fn silence_is_not_sent_and_languages_become_tags() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mostly-silent.mp4");
    ffmpeg(&format!(
        "-f lavfi -i color=blue:s=64x64:r=1:d=1800 -f lavfi -i aevalsrc='sin(440*2*PI*t)*lt(t,20)':s=16000:d=1800 -c:v libx264 -c:a mp2 {}",
        file.display()
    ));
    let media = FileSource::new().fetch(&Context::new(), &file.to_string_lossy()).await.unwrap();
    let answer = json!({"language": "english", "text": "One", "words": [{"word": "One", "start": 5.0, "end": 5.5}]});
    let server = answering(ResponseTemplate::new(200).set_body_json(answer)).await;
    let cx = Context::builder().scratch_in(folder.path().join("scratch")).build();
    let transcript = OpenAiTranscriber { server: at(&server), ..OpenAiTranscriber::default() }.transcribe(&cx, &media).await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "of three stretches two are silent");
    assert_eq!((transcript.words.len(), transcript.language.as_deref()), (1, Some("en")));
}

#[tokio::test]
async fn sentences_alone_are_spread_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 4).await;
    let answer = json!({"text": "Hello there.", "segments": [{"id": 0, "start": 1.0, "end": 2.0, "text": " Hello there."}]});
    let server = answering(ResponseTemplate::new(200).set_body_json(answer)).await;
    let cx = Context::new();
    let transcript = OpenAiTranscriber { server: at(&server), ..OpenAiTranscriber::default() }.transcribe(&cx, &media).await.unwrap();
    assert_eq!(transcript.words.len(), 2);
    assert!(cx.warnings()[0].message.contains("sentences only"), "{:?}", cx.warnings());
}

#[tokio::test]
async fn failures_say_what_to_do_and_keep_the_key_secret() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 2).await;
    let api_error = |status: u16, code: &str| {
        let message = format!("Incorrect API key provided: {KEY}");
        ResponseTemplate::new(status).set_body_json(json!({"error": {"message": message, "type": "x", "param": null, "code": code}}))
    };
    for (response, kind, recovery) in [
        (api_error(401, "invalid_api_key"), ErrorKind::Denied, Recovery::RefreshCredentials),
        (api_error(429, "insufficient_quota"), ErrorKind::Denied, Recovery::GiveUp),
        (api_error(400, "bad"), ErrorKind::Config, Recovery::GiveUp),
        (ResponseTemplate::new(200).set_body_string("{\"text\": \"Hel"), ErrorKind::Contract, Recovery::Retry { after: None }),
        (
            ResponseTemplate::new(200).set_body_json(json!({"text": "No times at all."})),
            ErrorKind::Contract,
            Recovery::Retry { after: None },
        ),
    ] {
        let server = answering(response).await;
        let transcriber = OpenAiTranscriber { server: at(&server), ..OpenAiTranscriber::default() };
        let error = transcriber.transcribe(&Context::new(), &media).await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (kind, &recovery), "{error}");
        assert!(error.to_string().contains("sound.mp4"), "{error}");
        for text in [error.to_string(), format!("{error:?}"), format!("{transcriber:?}"), serde_json::to_string(&transcriber).unwrap()] {
            assert!(!text.contains(KEY), "{text}");
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_can_be_left() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 2).await;
    let server = answering(ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).await;
    let cx = Context::new();
    let token = cx.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        token.cancel();
    });
    let begun = Instant::now();
    let transcriber = OpenAiTranscriber { server: at(&server), ..OpenAiTranscriber::default() };
    assert!(transcriber.transcribe(&cx, &media).await.unwrap_err().is_cancelled());
    assert!(begun.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn a_budget_that_cannot_be_held_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 2).await;
    let server = answering(ResponseTemplate::new(500)).await;
    let cx = Context::builder().max_cost(1.0).build();
    let error = OpenAiTranscriber { server: at(&server), ..OpenAiTranscriber::default() }.transcribe(&cx, &media).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("--max-cost"), "{error}");
    assert!(server.received_requests().await.unwrap().is_empty());
}
