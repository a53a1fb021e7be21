//! Scoring against servers of the kinds that people report: answers in other
//! forms and places, errors with the status 200, refusals of parts of a request, wrong settings.
//! Each kind is a row of a table, and each row is tried against a server on the loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clipkit::model::WarningKind;
use clipkit::stage::{OpenAiScorer, Price, Scorer};
use clipkit::{Context, Environment, ErrorKind};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::api::{KEY, at};
use crate::scorer::{answer, fair, said, talk, warned};
use crate::served_answers::{Respond, body, content, material_len, refusal, refusing, served};
use crate::support::with;

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
        if chosen.iter().any(|clip| !clip.title.starts_with("Take")) || chosen.len() != baseline.0.len() {
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
        ("context of nothing", always(refusal(400, "maximum context length is 16 tokens")), ErrorKind::Config, "maximum context length", 5),
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
            // What is read, and one batch of verdicts.
            0 | 1 => said(&answer(asked, |n, span| {
                let mut best = fair(n, span);
                ["hook", "completeness", "density", "emotion"].iter().for_each(|name| best[*name] = json!(10));
                best
            })),
            _ => failure.clone(),
        }))
        .await;
        let cx = Context::new();
        let chosen = with(scorer(&server), |it| it.rerank = false).score(&cx, &talk()).await.unwrap();
        assert!(chosen.iter().any(|clip| clip.title.starts_with("Take")), "{}", warned(&cx));
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
    assert!(chosen.iter().all(|clip| clip.title.starts_with("Take")) && cx.warnings().is_empty(), "{}", warned(&cx));
    let sizes: Vec<usize> = questions(&server).await.iter().map(material_len).collect();
    // Eight, four, and then twos: later batches begin with what fits.
    assert_eq!(sizes.iter().filter(|size| **size > 3).count(), 2, "{sizes:?}");
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
