//! Scoring and transcription against servers of the kinds that people report: answers in other
//! forms and places, errors with the status 200, refusals of parts of a request, wrong settings.
//! Each kind is a row of a table, and each row is tried against a server on the loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clipkit::model::{Media, WarningKind};
use clipkit::stage::{OpenAiScorer, OpenAiTranscriber, Price, Scorer, Transcriber};
use clipkit::{Context, Environment, ErrorKind};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::api::{KEY, at};
use crate::openai::{fields, sound};
use crate::scorer::{answer, fair, material, said, talk, warned};
use crate::support::with;

type Respond = Box<dyn Fn(&Value) -> ResponseTemplate + Send + Sync>;

fn body(text: impl Into<String>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_string(text)
}

fn refusal(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {"message": message}}))
}

/// The answer with all verdicts, as JSON.
fn verdicts(asked: &Value) -> Value {
    serde_json::from_str(&answer(asked, fair)).unwrap()
}

/// A server that puts the right answer into a response by `form`.
fn wrapped(form: impl Fn(Value) -> ResponseTemplate + Send + Sync + 'static) -> Respond {
    Box::new(move |asked| form(verdicts(asked)))
}

/// A server that answers with a message that `form` makes from the right answer.
fn message(form: impl Fn(Value) -> Value + Send + Sync + 'static) -> Respond {
    wrapped(move |right| ResponseTemplate::new(200).set_body_json(json!({"choices": [{"message": form(right), "finish_reason": "stop"}]})))
}

/// A server whose content is a text that `form` makes from the right answer.
fn content(form: impl Fn(Value) -> String + Send + Sync + 'static) -> Respond {
    wrapped(move |right| said(&form(right)))
}

/// The right answer with another form for the verdicts.
fn spans(form: impl Fn(Value) -> Value + Send + Sync + 'static) -> Respond {
    content(move |right| if right["spans"].is_array() { form(right["spans"].clone()).to_string() } else { right.to_string() })
}

/// The right answer, in which each verdict is changed.
fn each(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Respond {
    spans(move |mut spans| {
        spans.as_array_mut().unwrap().iter_mut().for_each(&change);
        json!({ "spans": spans })
    })
}

/// A server that answers with a failure as long as `is_refused`, and rightly otherwise.
fn refusing(is_refused: impl Fn(&Value) -> bool + Send + Sync + 'static, failure: ResponseTemplate) -> Respond {
    Box::new(move |asked| if is_refused(asked) { failure.clone() } else { said(&answer(asked, fair)) })
}

fn scale(factor: f64) -> Respond {
    each(move |verdict| {
        for name in ["hook", "completeness", "density", "emotion"] {
            verdict[name] = json!(verdict[name].as_f64().unwrap() * factor);
        }
    })
}

async fn chat_server(respond: Respond) -> MockServer {
    let server = MockServer::start().await;
    let respond = move |request: &Request| respond(&request.body_json().unwrap());
    Mock::given(method("POST")).and(path("/v1/chat/completions")).respond_with(respond).mount(&server).await;
    let models = json!({"data": [{"id": "llama3:8b"}, {"id": "qwen3:4b"}]});
    Mock::given(method("GET")).and(path("/v1/models")).respond_with(ResponseTemplate::new(200).set_body_json(models)).mount(&server).await;
    server
}

fn scorer(server: &MockServer) -> OpenAiScorer {
    with(OpenAiScorer::default(), |it| {
        it.server = at(&server.uri());
        it.requests = 1;
    })
}

async fn questions(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.method.as_str() == "POST").map(|request| request.body_json().unwrap()).collect()
}

/// No chat template is asked for two turns of one role.
fn alternates(question: &Value) -> bool {
    let roles: Vec<&str> = question["messages"].as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect();
    roles.windows(2).all(|pair| pair[0] != pair[1]) && roles.last() == Some(&"user")
}

/// Servers whose answers are used, and the repair that is counted, if any.
fn served() -> Vec<(&'static str, Respond, Option<&'static str>)> {
    let stream = |right: Value| {
        let text = right.to_string();
        let (head, tail) = text.split_at(text.len() / 2);
        let chunk = |text: &str| format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}}]}));
        body(format!(": ping\n\n{}{}data: [DONE]\n\n", chunk(head), chunk(tail)))
    };
    vec![
        ("content parts", message(|right| json!({"content": [{"type": "text", "text": right.to_string()}]})), None),
        ("content as an object", message(|right| json!({ "content": right })), None),
        ("reasoning_content", message(|right| json!({"content": null, "reasoning_content": format!("hm {{}} {right}")})), Some("around")),
        ("reasoning", message(|right| json!({"content": "", "reasoning": right.to_string()})), None),
        ("tool call", message(|right| json!({"content": null, "tool_calls": [{"function": {"arguments": right.to_string()}}]})), None),
        (
            "harmony",
            content(|right| {
                format!("<|channel|>analysis<|message|>{{?<|end|><|start|>assistant<|channel|>final<|message|>{right}<|return|>")
            }),
            None,
        ),
        ("after think", content(|right| format!("<think>{{\"spans\": []}} hm</think>\n{right}")), None),
        ("fences", content(|right| format!("```json\n{right}\n```")), None),
        ("legacy text", wrapped(|right| ResponseTemplate::new(200).set_body_json(json!({"choices": [{"text": right.to_string()}]}))), None),
        ("stream", wrapped(stream), None),
        (
            "lines",
            wrapped(|right| body(format!("{}\n{}\n", json!({"message": {"content": right.to_string()}}), json!({"done": true})))),
            None,
        ),
        ("no envelope", wrapped(|right| body(right.to_string())), None),
        (
            "NaN in the envelope",
            wrapped(|right| {
                body(format!("{{\"choices\": [{{\"message\": {{\"content\": {}}}, \"logprob\": NaN}}]}}", json!(right.to_string())))
            }),
            None,
        ),
        (
            "error: null beside it",
            wrapped(|right| body(json!({"error": null, "choices": [{"message": {"content": right.to_string()}}]}).to_string())),
            None,
        ),
        ("prose", content(|right| format!("Sure, [here] it is: {right} Tell me more!")), Some("texts around the JSON")),
        ("double braces", content(|right| format!("{{{right}}}")), Some("texts around the JSON")),
        ("bare list", spans(|spans| spans), Some("lists of another shape")),
        ("another key", spans(|spans| json!({ "verdicts": spans })), Some("lists of another shape")),
        ("wrapped", spans(|spans| json!({"response": {"spans": spans}})), Some("lists of another shape")),
        ("twice encoded", spans(|spans| json!(json!({ "spans": spans }).to_string())), Some("lists of another shape")),
        (
            "keyed by id",
            spans(|spans| {
                spans
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|span| (span["id"].as_str().unwrap().to_owned(), span.clone()))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
            Some("lists of another shape"),
        ),
        (
            "objects alone",
            content(|right| match right["spans"].as_array() {
                Some(spans) => spans.iter().map(|span| format!("{span}\n")).collect(),
                None => right.to_string(),
            }),
            Some("lists of another shape"),
        ),
        ("trailing commas", content(|right| right.to_string().replace(']', ",]")), Some("places that are not JSON")),
        ("Python", content(|right| right.to_string().replace('"', "'").replace("\\n", " ")), Some("places that are not JSON")),
        ("None", each(|verdict| verdict["hook_line"] = json!(null)), None),
        ("numbers as text", each(|verdict| verdict["hook"] = json!("7")), Some("numbers as text")),
        ("shares", each(|verdict| verdict["density"] = json!("5/10")), Some("numbers as text")),
        ("floats", each(|verdict| verdict["first"] = json!(verdict["first"].as_f64().unwrap())), Some("numbers as text")),
        ("0 to 100", scale(10.0), Some("scores on another scale")),
        ("0 to 1", scale(0.1), Some("scores on another scale")),
        (
            "no optional fields",
            each(|verdict| {
                for name in ["reason", "hook_line", "first", "last"] {
                    verdict.as_object_mut().unwrap().remove(name);
                }
            }),
            Some("optional fields left out"),
        ),
        (
            "order as objects",
            content(|right| match right["order"].as_array() {
                Some(order) => json!({"order": order.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>()}).to_string(),
                None => right.to_string(),
            }),
            Some("lists of another shape"),
        ),
        ("no system role", refusing(|asked| asked["messages"][0]["role"] == "system", refusal(400, "System role not supported")), None),
        (
            "strict template",
            refusing(
                |asked| asked["messages"].as_array().unwrap().len() > 1,
                refusal(500, "Conversation roles must alternate user/assistant/user/assistant/..."),
            ),
            None,
        ),
        (
            "invalid JSON of a model",
            {
                let calls = AtomicUsize::new(0);
                refusing(
                    move |_| calls.fetch_add(1, Ordering::SeqCst) == 0,
                    refusal(400, "Failed to generate JSON. Please adjust your prompt."),
                )
            },
            None,
        ),
        ("no grammar", refusing(|asked| asked["response_format"].is_object(), refusal(500, "failed to parse grammar")), None),
        ("grammar error in a 200", refusing(|asked| asked["response_format"].is_object(), refusal(200, "Invalid grammar request")), None),
        ("no schema", refusing(|asked| asked["response_format"]["type"] == "json_schema", refusal(422, "json_schema: unknown")), None),
        (
            "small body",
            refusing(|asked| material_len(asked) > 4, ResponseTemplate::new(413).set_body_string("<h1>413 Request Entity Too Large</h1>")),
            None,
        ),
        ("small context", refusing(|asked| material_len(asked) > 4, refusal(400, "the request exceeds the available context size")), None),
        (
            "small context in a 200",
            refusing(|asked| material_len(asked) > 4, refusal(200, "This model's maximum context length is 2048 tokens")),
            None,
        ),
        (
            "busy for a moment in a 200",
            {
                let calls = AtomicUsize::new(0);
                refusing(move |_| calls.fetch_add(1, Ordering::SeqCst) == 0, refusal(200, "Rate limit reached, try again"))
            },
            None,
        ),
    ]
}

#[tokio::test]
async fn answers_of_many_kinds_are_used_without_another_request() {
    let baseline = {
        let server = chat_server(content(|right| right.to_string())).await;
        let chosen = scorer(&server).score(&Context::new(), &talk()).await.unwrap();
        (chosen, questions(&server).await.len())
    };
    let mut wrong = Vec::new();
    for (name, respond, repair) in served() {
        let server = chat_server(respond).await;
        let cx = Context::new();
        let chosen = match scorer(&server).score(&cx, &talk()).await {
            Ok(chosen) => chosen,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let asked = questions(&server).await;
        if !asked.iter().all(alternates) {
            wrong.push(format!("{name}: two turns of one role"));
        }
        let count = asked.len();
        let is_refusing =
            ["system", "template", "invalid JSON", "grammar", "schema", "small", "busy"].iter().any(|part| name.contains(part));
        if is_refusing != (count > baseline.1) || count < baseline.1 {
            wrong.push(format!("{name}: {count} requests, not {}", baseline.1));
        }
        if chosen.iter().any(|clip| !clip.title.starts_with("Title")) || chosen.len() != baseline.0.len() {
            wrong.push(format!("{name}: {} of {} clips {:?}", chosen.len(), baseline.0.len(), warned(&cx)));
        }
        if !name.contains("numbers") && !name.contains("optional") && !is_refusing && chosen[0].score != baseline.0[0].score {
            wrong.push(format!("{name}: {:?}, not {:?}", chosen[0].score, baseline.0[0].score));
        }
        match (repair, &cx.warnings()[..]) {
            (None, []) => {}
            (Some(expected), [one]) if one.kind == WarningKind::Repaired && one.message.contains(expected) => {}
            (_, warnings) => wrong.push(format!("{name}: {warnings:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Servers whose answers cannot be used: the error's kind and words, and the number of requests.
#[tokio::test]
async fn errors_in_any_form_are_shown_in_the_servers_words() {
    let always = |response: ResponseTemplate| -> Respond { Box::new(move |_| response.clone()) };
    let json_body = |value: Value| ResponseTemplate::new(200).set_body_json(value);
    let rows: Vec<(&str, Respond, ErrorKind, &str, usize)> = vec![
        ("error in a 200", always(refusal(200, "The flux capacitor is cold")), ErrorKind::Contract, "The flux capacitor is cold", 3),
        ("limit in a 200", always(refusal(200, "Rate limit reached for model")), ErrorKind::RateLimited, "Rate limit reached", 3),
        (
            "overload in a 200",
            always(json_body(json!({"choices": null, "error": {"code": 503, "message": "No workers"}}))),
            ErrorKind::Network,
            "No workers",
            3,
        ),
        (
            "error in a choice",
            always(json_body(json!({"choices": [{"error": {"code": 502, "message": "upstream died"}, "message": {"content": ""}}]}))),
            ErrorKind::Network,
            "upstream died",
            3,
        ),
        (
            "no credit in a 200",
            always(json_body(json!({"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}))),
            ErrorKind::Denied,
            "no credit left",
            1,
        ),
        (
            "bad key in a 200",
            always(json_body(json!({"error": {"code": "invalid_api_key", "message": format!("Incorrect API key: {KEY}")}}))),
            ErrorKind::Denied,
            "OPENAI_API_KEY",
            1,
        ),
        (
            "page",
            always(body("<!DOCTYPE html><html><title>Sign in</title><p>Welcome</p></html>")),
            ErrorKind::Config,
            "a web page: Sign in Welcome",
            1,
        ),
        (
            "page of a proxy",
            always(body("<html>The server is temporarily unavailable</html>")),
            ErrorKind::Network,
            "temporarily unavailable",
            3,
        ),
        ("plain text", always(body("Hello, I am Ollama")), ErrorKind::Contract, "plain text: Hello, I am Ollama", 3),
        (
            "stream with an error",
            always(body("data: {\"error\": {\"message\": \"CUDA out of memory\"}}\n\n")),
            ErrorKind::Network,
            "CUDA out of memory",
            3,
        ),
        ("nothing", always(body("")), ErrorKind::Contract, "nothing", 3),
        ("cut off", always(body("{\"choices\": [{\"mess")), ErrorKind::Contract, "cut off or broken: {\"choices\"", 3),
        (
            "unknown model",
            always(refusal(404, "model \"gpt-4o-mini\" not found, try pulling it first")),
            ErrorKind::Config,
            "it offers llama3:8b, qwen3:4b",
            1,
        ),
        ("unknown model in a 200", always(refusal(200, "The model `gpt-4o-mini` does not exist")), ErrorKind::Config, "--scorer-model", 1),
        (
            "detail",
            always(ResponseTemplate::new(422).set_body_json(json!({"detail": [{"msg": "field required", "loc": ["x"]}]}))),
            ErrorKind::Config,
            "field required",
            1,
        ),
        ("context of nothing", always(refusal(400, "maximum context length is 16 tokens")), ErrorKind::Config, "maximum context length", 3),
    ];
    let mut wrong = Vec::new();
    for (name, respond, kind, expected, tries) in rows {
        let server = chat_server(respond).await;
        let mut scoring = talk();
        scoring.options.max_clips = 2;
        let error = scorer(&server).score(&Context::new(), &scoring).await.unwrap_err();
        let text = error.to_string();
        let sent = questions(&server).await.len();
        if error.kind() != kind || !text.contains(expected) || sent != tries || text.contains(KEY) || text.contains("column") {
            wrong.push(format!("{name}: {:?} {sent} requests: {text}", error.kind()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn only_what_is_empty_is_called_empty() {
    let choices = |value: Value| ResponseTemplate::new(200).set_body_json(json!({ "choices": value }));
    for (response, expected) in [
        (choices(json!(null)), "it has no choices"),
        (choices(json!([])), "its list of choices is empty"),
        (choices(json!([{"message": {"content": ""}}])), "it is empty"),
        (choices(json!([{"message": {"content": "I would rather not."}}])), "it does not match the schema"),
    ] {
        let server = chat_server(Box::new(move |_| response.clone())).await;
        let cx = Context::new();
        with(scorer(&server), |it| it.rerank = false).score(&cx, &talk()).await.unwrap();
        assert!(warned(&cx).contains(expected) && warned(&cx).contains("empty") == expected.contains("empty"), "{}", warned(&cx));
        assert!(questions(&server).await.iter().all(alternates));
    }
}

/// A refused request, of whatever kind, leaves the verdicts of the others as they are.
#[tokio::test]
async fn a_refused_request_drops_no_verdict_that_was_paid_for() {
    for failure in [refusal(400, "content policy"), refusal(401, "key revoked"), refusal(402, "no credit"), refusal(200, "odd")] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let server = chat_server(Box::new(move |asked| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => said(&answer(asked, |n, span| {
                let mut best = fair(n, span);
                ["hook", "completeness", "density", "emotion"].iter().for_each(|name| best[*name] = json!(10));
                best
            })),
            _ => failure.clone(),
        }))
        .await;
        let cx = Context::new();
        let chosen = with(scorer(&server), |it| it.rerank = false).score(&cx, &talk()).await.unwrap();
        assert!(chosen.iter().any(|clip| clip.title.starts_with("Title")), "{}", warned(&cx));
        assert!(warned(&cx).contains("the heuristic's scores are used"), "{}", warned(&cx));
    }
}

#[tokio::test]
async fn halved_requests_stay_within_the_budget_and_are_remembered() {
    let server = chat_server(refusing(|asked| material_len(asked) > 3, refusal(413, "too large"))).await;
    let cx = Context::builder().max_cost(5.0).build();
    let cheap = with(scorer(&server), |it| {
        it.rerank = false;
        it.price = Some(Price::new(0.1, 0.1));
    });
    let chosen = cheap.score(&cx, &talk()).await.unwrap();
    assert!(chosen.iter().all(|clip| clip.title.starts_with("Title")) && cx.warnings().is_empty(), "{}", warned(&cx));
    let sizes: Vec<usize> = questions(&server).await.iter().map(material_len).collect();
    // Eight, four, and then twos: later batches begin with what fits.
    assert_eq!(sizes.iter().filter(|size| **size > 3).count(), 2, "{sizes:?}");
}

fn material_len(asked: &Value) -> usize {
    material(asked)["spans"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn wrong_addresses_name_their_setting() {
    let server = chat_server(content(|right| right.to_string())).await;
    let unexpected = ResponseTemplate::new(200).set_body_json(json!({"error": "Unexpected endpoint or method. (POST /chat/completions)"}));
    Mock::given(method("POST")).and(path("/chat/completions")).respond_with(unexpected).mount(&server).await;
    let uri = server.uri();
    for (address, expected) in [
        (uri.clone(), format!("the address has no /v1: try {uri}/v1 (OPENAI_BASE_URL")),
        (format!("{uri}/other"), format!("try {uri}/other/v1 (OPENAI_BASE_URL")),
        (format!("{uri}/v1/chat/completions"), format!("such as {uri}/v1 (OPENAI_BASE_URL")),
        (format!("\"{uri}/v1\""), "OPENAI_BASE_URL (`base_url`) has quotation marks in it".into()),
        ("localhost:1234/v1".into(), "try http://localhost:1234/v1".into()),
        ("http://".into(), "OPENAI_BASE_URL".into()),
        (format!("{uri}/v2/"), "check the address (OPENAI_BASE_URL".into()),
    ] {
        let mut environment = Environment::default();
        environment.openai_base_url = Some(address.clone());
        let cx = Context::builder().environment(environment).build();
        let error = OpenAiScorer::default().score(&cx, &talk()).await.unwrap_err();
        let text = error.to_string();
        assert!(error.kind() == ErrorKind::Config && text.contains(&expected) && !text.contains("builder"), "{address}: {text}");
    }
}

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
