//! Servers whose answers to a scorer are used: one row for each kind.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::scorer::{answer, fair, material, said};

pub(crate) type Respond = Box<dyn Fn(&Value) -> ResponseTemplate + Send + Sync>;

pub(crate) fn body(text: impl Into<String>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_string(text)
}

pub(crate) fn refusal(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {"message": message}}))
}

/// The answer with all verdicts, as JSON.
pub(crate) fn verdicts(asked: &Value) -> Value {
    serde_json::from_str(&answer(asked, fair)).unwrap()
}

/// A server that puts the right answer into a response by `form`.
pub(crate) fn wrapped(form: impl Fn(Value) -> ResponseTemplate + Send + Sync + 'static) -> Respond {
    Box::new(move |asked| form(verdicts(asked)))
}

/// A server that answers with a message that `form` makes from the right answer.
pub(crate) fn message(form: impl Fn(Value) -> Value + Send + Sync + 'static) -> Respond {
    wrapped(move |right| ResponseTemplate::new(200).set_body_json(json!({"choices": [{"message": form(right), "finish_reason": "stop"}]})))
}

/// A server whose content is a text that `form` makes from the right answer.
pub(crate) fn content(form: impl Fn(Value) -> String + Send + Sync + 'static) -> Respond {
    wrapped(move |right| said(&form(right)))
}

/// The right answer with another form for the verdicts.
pub(crate) fn spans(form: impl Fn(Value) -> Value + Send + Sync + 'static) -> Respond {
    content(move |right| if right["spans"].is_array() { form(right["spans"].clone()).to_string() } else { right.to_string() })
}

/// The right answer with another form for the proposals.
pub(crate) fn proposals(form: impl Fn(Value) -> Value + Send + Sync + 'static) -> Respond {
    content(move |right| if right["proposals"].is_array() { form(right["proposals"].clone()).to_string() } else { right.to_string() })
}

/// The right answer, in which each verdict is changed.
pub(crate) fn each(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Respond {
    spans(move |mut spans| {
        spans.as_array_mut().unwrap().iter_mut().for_each(&change);
        json!({ "spans": spans })
    })
}

/// A server that answers with a failure as long as `is_refused`, and rightly otherwise.
pub(crate) fn refusing(is_refused: impl Fn(&Value) -> bool + Send + Sync + 'static, failure: ResponseTemplate) -> Respond {
    Box::new(move |asked| if is_refused(asked) { failure.clone() } else { said(&answer(asked, fair)) })
}

pub(crate) fn scale(factor: f64) -> Respond {
    each(move |verdict| {
        for name in ["hook", "completeness", "density", "emotion"] {
            verdict[name] = json!(verdict[name].as_f64().unwrap() * factor);
        }
    })
}

pub(crate) fn material_len(asked: &Value) -> usize {
    material(asked)["spans"].as_array().map_or(0, Vec::len)
}

/// Servers whose answers are used, and the repair that is counted, if any.
pub(crate) fn served() -> Vec<(&'static str, Respond, Option<&'static str>)> {
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
        ("bare list of proposals", proposals(|proposals| proposals), Some("lists of another shape")),
        ("proposals under another key", proposals(|proposals| json!({"clips": {"moments": proposals}})), Some("lists of another shape")),
        (
            "proposals with other names",
            proposals(|proposals| {
                let renamed = |it: &Value| json!({"start": it["first"], "end": it["last"], "strongest": it["quote"], "reason": it["why"]});
                json!({"proposals": proposals.as_array().unwrap().iter().map(renamed).collect::<Vec<_>>()})
            }),
            Some("fields of another name"),
        ),
        (
            "numbers of sentences as text",
            proposals(|mut proposals| {
                proposals.as_array_mut().unwrap().iter_mut().for_each(|it| it["first"] = json!(it["first"].to_string()));
                json!({ "proposals": proposals })
            }),
            Some("numbers as text"),
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
            "small context for reading",
            refusing(
                |asked| material(asked)["sentences"].as_array().is_some_and(|sentences| sentences.len() > 80),
                refusal(400, "the request exceeds the available context size"),
            ),
            None,
        ),
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
