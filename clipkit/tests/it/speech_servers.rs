//! Transcription against servers of the kinds that people report: answers in other forms, errors
//! with the status 200, refusals of the audio's format and size. Each kind is a row of a table, and
//! each row is tried against a server on the loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clipkit::model::Media;
use clipkit::stage::{OpenAiTranscriber, Transcriber};
use clipkit::{Context, ErrorKind};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::api::at;
use crate::openai::{fields, sound};
use crate::served_answers::{body, refusal};
use crate::support::with;

type Heard = Box<dyn Fn(&[(String, String)]) -> ResponseTemplate + Send + Sync>;

async fn speech_server(respond: Heard) -> MockServer {
    let server = MockServer::start().await;
    let respond = move |request: &Request| respond(&fields(request));
    Mock::given(method("POST")).and(path("/v1/audio/transcriptions")).respond_with(respond).mount(&server).await;
    let models = json!({"models": [{"name": "large-v3"}]});
    Mock::given(method("GET")).and(path("/v1/models")).respond_with(ResponseTemplate::new(200).set_body_json(models)).mount(&server).await;
    server
}

fn transcriber(server: &MockServer) -> OpenAiTranscriber {
    with(OpenAiTranscriber::default(), |it| it.server = at(&server.uri()))
}

fn is_wav(form: &[(String, String)]) -> bool {
    form.iter().any(|(name, file)| name == "file" && file == "speech.wav")
}

async fn transcribed(server: &MockServer, media: &Media) -> Result<String, clipkit::Error> {
    let transcript = transcriber(server).transcribe(&Context::new(), media).await?;
    Ok(transcript.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn transcripts_of_many_kinds_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 8).await;
    let words = json!([{"word": "Hello", "start": 1.0, "end": 1.5}, {"word": "there.", "start": 1.5, "end": 2.0}]);
    let segment = json!([{"start": 1.0, "end": 2.0, "text": " Hello there."}]);
    let always = |text: String| -> Heard { Box::new(move |_| body(text.clone())) };
    let reading_wav = |failure: ResponseTemplate| -> Heard {
        Box::new(move |form| if is_wav(form) { body(r#"{"text": "Hello there."}"#) } else { failure.clone() })
    };
    let rows: Vec<(&str, Heard)> = vec![
        ("plain text", always("Hello there.\n".into())),
        ("JSON string", always("\"Hello there.\"".into())),
        ("WebVTT", always("WEBVTT\n\n00:01.000 --> 00:02.000\nHello there.\n".into())),
        ("SRT", always("1\n00:00:01,000 --> 00:00:02,000\nHello there.\n".into())),
        ("whisper.cpp's lines", always("\n[00:00:01.000 --> 00:00:02.000]   Hello there.\n".into())),
        ("words null", always(json!({"text": "Hello there.", "words": null, "segments": null}).to_string())),
        ("no words, but segments", always(json!({"text": "Hello there.", "words": [], "segments": segment}).to_string())),
        ("NaN", always(format!("{{\"text\": \"Hello there.\", \"avg_logprob\": -Infinity, \"no_speech_prob\": NaN, \"words\": {words}}}"))),
        ("times as text", always(json!({"text": "Hello there.", "words": [{"word": "Hello", "start": "1.0", "end": "1.5"}, {"word": "there.", "start": "1.5", "end": "2"}]}).to_string())),
        ("null among words", always(json!({"text": "Hello there.", "words": [null, words[0], words[1]]}).to_string())),
        ("wrapped", always(json!({"result": {"text": "Hello there.", "words": words}}).to_string())),
        ("list of segments", always(segment.to_string())),
        ("chunks", always(json!({"text": "Hello there.", "chunks": [{"timestamp": [1.0, 2.0], "text": "Hello there."}]}).to_string())),
        ("stream", always("data: {\"type\": \"transcript.text.delta\", \"delta\": \"Hello\"}\n\ndata: {\"type\": \"transcript.text.done\", \"text\": \"Hello there.\"}\n\n".into())),
        ("WAV only", reading_wav(refusal(400, "failed to read WAV file"))),
        ("WAV only in a 200", reading_wav(ResponseTemplate::new(200).set_body_json(json!({"error": "failed to read audio data"})))),
        ("WAV only, 415", reading_wav(ResponseTemplate::new(415))),
        ("WAV only, 500", reading_wav(refusal(500, "Error opening file: Format not recognised."))),
    ];
    let mut wrong = Vec::new();
    for (name, respond) in rows {
        let server = speech_server(respond).await;
        match transcribed(&server, &media).await {
            Ok(text) if text == "Hello there." => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_wav_upload_is_one_and_comes_after_one_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 8).await;
    let server = speech_server(Box::new(|form| match is_wav(form) {
        true => body(json!({"text": "One", "words": [{"word": "One", "start": 1.0, "end": 2.0}]}).to_string()),
        false => refusal(400, "Only WAV files are supported"),
    }))
    .await;
    assert_eq!(transcribed(&server, &media).await.unwrap(), "One");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    let upload = &requests[1].body;
    let at = upload.windows(4).position(|four| four == b"RIFF").unwrap();
    let number = |from: usize| u32::from_le_bytes(upload[at + from..at + from + 4].try_into().unwrap());
    assert_eq!((&upload[at + 8..at + 16], number(24)), (&b"WAVEfmt "[..], 16_000));
    // Eight seconds of two bytes a sample, all of which are there.
    assert!((7.5..8.5).contains(&(f64::from(number(40)) / 32_000.0)) && upload.len() > at + 44 + number(40) as usize, "{}", number(40));
}

#[tokio::test]
async fn uploads_that_are_too_large_become_two() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 200).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let server = MockServer::start().await;
    // Nginx's limit, in small: about a minute of sound.
    let respond = move |request: &Request| match request.body.len() {
        300_000.. => ResponseTemplate::new(413).set_body_string("<html><h1>413 Request Entity Too Large</h1></html>"),
        _ => {
            let n = seen.fetch_add(1, Ordering::SeqCst);
            body(json!({"text": format!("Word{n}"), "words": [{"word": format!("Word{n}"), "start": 10.0, "end": 11.0}]}).to_string())
        }
    };
    Mock::given(method("POST")).and(path("/v1/audio/transcriptions")).respond_with(respond).mount(&server).await;
    let transcript = transcriber(&server).transcribe(&Context::new(), &media).await.unwrap();
    let starts: Vec<f64> = transcript.words.iter().map(|word| word.start.secs()).collect();
    let uploads = server.received_requests().await.unwrap();
    let refused = uploads.iter().filter(|request| request.body.len() >= 300_000).count();
    assert!(refused >= 1 && uploads.len() > 2, "{} of {}", refused, uploads.len());
    assert!(starts.len() == uploads.len() - refused && starts.is_sorted() && starts[starts.len() - 1] > 100.0, "{starts:?}");
}

#[tokio::test]
async fn transcription_errors_say_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 8).await;
    let rows: Vec<(&str, ResponseTemplate, ErrorKind, &str)> = vec![
        ("no format", refusal(400, "failed to read audio data"), ErrorKind::Config, "--convert"),
        ("no format in a 200", refusal(200, "failed to read WAV file"), ErrorKind::Contract, "--convert"),
        (
            "no path",
            ResponseTemplate::new(404).set_body_string("File Not Found (/v1/audio/transcriptions)"),
            ErrorKind::Config,
            "--inference-path /v1/audio/transcriptions",
        ),
        ("unknown model", refusal(404, "Model 'whisper-1' is not installed locally"), ErrorKind::Config, "it offers large-v3"),
        ("busy in a 200", refusal(200, "the server is busy"), ErrorKind::Network, "the server is busy"),
        ("text of an error", body("Internal Server Error"), ErrorKind::Network, "Internal Server Error"),
        ("page", body("<html><body>Please sign in</body></html>"), ErrorKind::Config, "Please sign in"),
        ("no text", body("{\"task\": \"transcribe\"}"), ErrorKind::Contract, "it has no text: {\"task\""),
    ];
    let mut wrong = Vec::new();
    for (name, response, kind, expected) in rows {
        let server = speech_server(Box::new(move |_| response.clone())).await;
        let error = transcribed(&server, &media).await.unwrap_err();
        if error.kind() != kind || !error.to_string().contains(expected) {
            wrong.push(format!("{name}: {:?} {error}", error.kind()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
