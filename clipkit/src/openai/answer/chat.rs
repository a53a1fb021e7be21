//! The words of a model in the response to a chat request.

use serde_json::{Map, Value};

use super::body::{Body, body};
use super::complaint::{Complaint, complaint, one_line, stated, unanswered};

/// The most characters of a response that stand in a message.
const MAX_SHOWN_CHARS: usize = 120;
/// The most texts of one response, and of the parts of one text.
const MAX_TEXTS: usize = 12;

/// What a model said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// Its words wherever they stood, the likeliest place of the answer first. They are not empty.
    pub(crate) texts: Vec<String>,
    /// The model's refusal.
    pub(crate) refusal: Option<String>,
    /// Whether the answer was cut off at the limit on its length.
    pub(crate) cut: bool,
    /// Whether a filter removed it.
    pub(crate) filtered: bool,
    pub(crate) prompt_tokens: Option<u64>,
    pub(crate) completion_tokens: Option<u64>,
    /// If there are no words: what the response is instead.
    pub(crate) instead: String,
}

/// Reads the response to a chat request. An empty answer is no complaint; `instead` describes it.
pub(crate) fn chat(bytes: &[u8]) -> Result<Said, Complaint> {
    match body(bytes) {
        Body::Json(value) => said(&value),
        Body::Events(events) => {
            let whole = joined(&events);
            let said = said(&whole)?;
            // An error may follow the first words.
            let failed = events.iter().find(|event| stated(event).is_some() || event["type"] == "error").and_then(complaint);
            match failed {
                Some(failed) => Err(failed),
                None if said.texts.is_empty() && said.refusal.is_none() && !said.cut && !said.filtered => {
                    Err(unanswered(Body::Events(events)))
                }
                None => Ok(said),
            }
        }
        other => Err(unanswered(other)),
    }
}

fn said(value: &Value) -> Result<Said, Complaint> {
    let choice = &value["choices"][0];
    let message = [&choice["message"], &choice["delta"], &value["message"]].into_iter().find(|it| it.is_object()).unwrap_or(&Value::Null);
    let mut found = Vec::new();
    for place in [&message["content"], &message["parsed"]] {
        found.extend(text(place));
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        found.extend(text(&call["function"]["arguments"]));
    }
    for place in [
        &message["function_call"]["arguments"],
        &choice["text"],
        &message["reasoning_content"],
        &message["reasoning"],
        &message["thinking"],
        &message["reasoning_details"],
        // Other APIs: Responses, Anthropic, Ollama, TGI, Gemini, KoboldCpp.
        &value["output_text"],
        &value["output"],
        &value["content"],
        &value["response"],
        &value["generated_text"],
        &value[0]["generated_text"],
        &value["candidates"][0]["content"]["parts"],
        &value["results"][0]["text"],
        &value["text"],
    ] {
        found.extend(text(place));
    }
    let finish =
        [&choice["finish_reason"], &value["stop_reason"], &value["done_reason"]].into_iter().find_map(Value::as_str).unwrap_or_default();
    let refusal = message["refusal"].as_str().map(str::trim).filter(|refusal| !refusal.is_empty()).map(str::to_owned);
    let failed = stated(choice).map(|_| choice).or_else(|| stated(message).map(|_| message)).or_else(|| stated(value).map(|_| value));
    match failed.and_then(complaint) {
        // What was written before the error is not the whole answer.
        Some(failed) if found.is_empty() || finish == "error" || stated(value).is_none() => return Err(failed),
        _ => {}
    }
    if found.is_empty() && refusal.is_none() && message.is_null() && choice.is_null() {
        if let Some(failed) = Some(value).filter(|value| !value.is_string()).and_then(complaint) {
            return Err(failed);
        }
        // The answer itself, without anything around it.
        let is_envelope = ["choices", "object", "usage", "model"].iter().any(|name| value.get(name).is_some());
        let is_empty =
            matches!(value, Value::Null) || value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if !is_envelope && !is_empty {
            found.push(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }
    let mut texts: Vec<String> = Vec::new();
    for part in found.iter().flat_map(|text| parts(text)) {
        if !texts.contains(&part) && texts.len() < MAX_TEXTS {
            texts.push(part);
        }
    }
    let count = |names: [&str; 2]| names.iter().find_map(|name| value["usage"][*name].as_u64());
    let instead = if texts.is_empty() { instead(value, choice, message) } else { String::new() };
    Ok(Said {
        texts,
        refusal,
        cut: matches!(finish, "length" | "max_tokens" | "MAX_TOKENS"),
        filtered: finish == "content_filter",
        prompt_tokens: count(["prompt_tokens", "input_tokens"]),
        completion_tokens: count(["completion_tokens", "output_tokens"]),
        instead,
    })
}

/// What a response without words is.
fn instead(value: &Value, choice: &Value, message: &Value) -> String {
    let is_empty =
        matches!(value, Value::Null) || value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    if message.is_object() || is_empty || choice["text"].is_string() {
        return "it is empty".into();
    }
    let what = if value["choices"].is_null() {
        "it has no choices"
    } else if choice.is_null() {
        "its list of choices is empty"
    } else {
        "its choice has no message"
    };
    format!("{what}: {}", one_line(&value.to_string()).chars().take(MAX_SHOWN_CHARS).collect::<String>())
}

/// A text, a list of parts with texts, or an object that is the answer as JSON.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.iter().any(is_part) => parts.iter().filter_map(part).collect(),
        Value::Array(parts) if !parts.is_empty() => value.to_string(),
        Value::Object(object) if !object.is_empty() => part(value).unwrap_or_else(|| value.to_string()),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn is_part(part: &Value) -> bool {
    part.is_string() || part["type"].is_string() || part["text"].is_string()
}

/// The text of one part: `".."`, `{"type": "text", "text": ".."}`, `{"text": {"value": ".."}}`, or
/// a message with parts of its own.
fn part(part: &Value) -> Option<String> {
    if let Some(text) = part.as_str() {
        return Some(text.to_owned());
    }
    // Reasoning is not a part of the answer where parts of the answer stand beside it.
    if part["type"].as_str().is_some_and(|kind| kind.contains("thinking") || kind == "reasoning") {
        return None;
    }
    [&part["text"], &part["text"]["value"]].into_iter().find_map(Value::as_str).map(str::to_owned).or_else(|| match &part["content"] {
        Value::Array(inner) => Some(inner.iter().filter_map(|inner| inner["text"].as_str()).collect()),
        Value::String(inner) => Some(inner.clone()),
        _ => None,
    })
}

/// The answer in a text that has reasoning or harmony's channels around it, and then the rest.
fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    if text.contains("<|channel|>") || text.contains("<|message|>") {
        // `<|start|>assistant<|channel|>final<|message|>..<|end|>`
        let mut channels: Vec<(bool, String)> = Vec::new();
        for (n, piece) in text.split("<|message|>").enumerate().skip(1) {
            let head = text.split("<|message|>").nth(n - 1).and_then(|before| before.rsplit("<|channel|>").next()).unwrap_or_default();
            let words = ["<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|channel|>"]
                .iter()
                .fold(piece, |words, end| words.split(end).next().unwrap_or_default());
            channels.push((head.trim_start().starts_with("final"), words.to_owned()));
            if channels.len() == MAX_TEXTS {
                break;
            }
        }
        channels.sort_by_key(|(is_final, _)| !is_final);
        parts.extend(channels.into_iter().map(|(_, words)| words));
    } else {
        const ENDS: [&str; 5] = ["</think>", "</thinking>", "</reasoning>", "[/THINK]", "◁/think▷"];
        match ENDS.iter().filter_map(|end| text.rsplit_once(end)).max_by_key(|(before, _)| before.len()) {
            Some((reasoning, answer)) => parts.extend([answer.to_owned(), reasoning.to_owned()]),
            None => parts.push(text.to_owned()),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The response that a stream of events amounts to.
fn joined(events: &[Value]) -> Value {
    const TEXTS: [&str; 4] = ["content", "reasoning_content", "reasoning", "refusal"];
    let mut message = Map::new();
    let mut add = |name: &str, text: Option<&str>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let so_far = message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            message.insert(name.to_owned(), Value::String(so_far + text));
        }
    };
    let (mut whole, mut finish, mut usage, mut arguments) = (Value::Null, Value::Null, Value::Null, String::new());
    for event in events {
        let choice = &event["choices"][0];
        for place in [&choice["delta"], &event["message"]] {
            TEXTS.iter().for_each(|name| add(name, place[*name].as_str()));
            for call in place["tool_calls"].as_array().into_iter().flatten() {
                arguments.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
            }
        }
        add("content", choice["text"].as_str());
        add("content", event["response"].as_str());
        if event["type"] == "response.output_text.delta" {
            add("content", event["delta"].as_str());
        }
        add("content", event["delta"]["text"].as_str());
        if choice["message"].is_object() {
            whole = event.clone();
        }
        let given = |value: &Value| (!value.is_null()).then(|| value.clone());
        finish = given(&choice["finish_reason"]).or_else(|| given(&event["done_reason"])).unwrap_or(finish);
        usage = given(&event["usage"]).unwrap_or(usage);
    }
    if !whole.is_null() {
        return whole;
    }
    if !arguments.is_empty() {
        message.insert("tool_calls".into(), serde_json::json!([{"function": {"arguments": arguments}}]));
    }
    serde_json::json!({"choices": [{"message": message, "finish_reason": finish}], "usage": usage})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first(value: &Value) -> String {
        chat(value.to_string().as_bytes()).unwrap().texts.first().cloned().unwrap_or_default()
    }

    #[test]
    fn the_words_are_found_wherever_they_stand() {
        let choice = |message: Value| json!({"choices": [{"message": message}], "error": null});
        for value in [
            choice(json!({"content": "{}"})),
            choice(
                json!({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "{"}, {"type": "text", "text": "}"}]}),
            ),
            choice(json!({"content": ["{", "}"]})),
            choice(json!({"content": {"text": "{}"}})),
            choice(json!({"content": null, "reasoning_content": "{}"})),
            choice(json!({"content": "", "reasoning": "{}"})),
            choice(json!({"content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]})),
            choice(json!({"function_call": {"arguments": "{}"}})),
            choice(json!({"content": "<think>{ hm }</think> {}"})),
            choice(json!({"content": "{ hm }</think>\n{}"})),
            choice(
                json!({"content": "<|channel|>analysis<|message|>hm {<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>{}<|return|>"}),
            ),
            json!({"choices": [{"text": "{}"}]}),
            json!({"output": [{"type": "reasoning", "summary": []}, {"type": "message", "content": [{"type": "output_text", "text": "{}"}]}]}),
            json!({"content": [{"type": "text", "text": "{}"}], "stop_reason": "end_turn"}),
            json!({"message": {"role": "assistant", "content": "{}"}, "done": true}),
            json!({"response": "{}", "done": true}),
            json!([{"generated_text": "{}"}]),
            json!({"candidates": [{"content": {"parts": [{"text": "{}"}]}}]}),
            json!("{}"),
        ] {
            assert_eq!(first(&value), "{}", "{value}");
        }
        assert_eq!(first(&choice(json!({"content": {"spans": []}}))), r#"{"spans":[]}"#);
        assert_eq!(first(&json!({"spans": [1]})), r#"{"spans":[1]}"#);
    }

    #[test]
    fn streams_are_joined() {
        let stream = "data: {\"choices\": [{\"delta\": {\"role\": \"assistant\", \"content\": \"{\"}}]}\n\ndata: {\"choices\": [{\"delta\": {\"content\": \"}\"}, \"finish_reason\": \"stop\"}], \"usage\": {\"prompt_tokens\": 5, \"completion_tokens\": 2}}\n\ndata: [DONE]\n\n";
        let said = chat(stream.as_bytes()).unwrap();
        assert_eq!((said.texts, said.prompt_tokens, said.cut), (vec!["{}".to_owned()], Some(5), false));
        let lines = "{\"message\": {\"content\": \"{\"}}\n{\"message\": {\"content\": \"}\"}, \"done_reason\": \"length\"}\n";
        let said = chat(lines.as_bytes()).unwrap();
        assert!(said.texts == ["{}"] && said.cut);
        let broken = "data: {\"choices\": [{\"delta\": {\"content\": \"{\"}}]}\n\ndata: {\"error\": {\"message\": \"Overloaded\"}}\n\n";
        assert_eq!(chat(broken.as_bytes()).unwrap_err().status, Some(503));
        assert_eq!(chat(b"event: error\ndata: worker died\n\n").unwrap_err().words, "worker died");
    }

    #[test]
    fn a_complaint_in_a_200_is_a_complaint_and_only_what_is_empty_is_called_so() {
        let complaint = |value: Value| chat(value.to_string().as_bytes()).unwrap_err();
        assert_eq!(complaint(json!({"error": {"message": "Rate limit reached"}})).status, Some(429));
        assert_eq!(complaint(json!({"choices": null, "error": "no worker"})).words, "no worker");
        assert_eq!(complaint(json!({"choices": [{"error": {"code": 502, "message": "upstream"}, "message": {"content": "{\"a"}, "finish_reason": "error"}]})).status, Some(502));
        assert_eq!(complaint(json!({"object": "error", "message": "bad"})).words, "bad");
        let instead = |value: Value| chat(value.to_string().as_bytes()).unwrap().instead;
        for empty in [
            json!({}),
            json!(null),
            json!([]),
            json!({"choices": [{"message": {"content": " "}}]}),
            json!({"choices": [{"message": {"content": null}}]}),
        ] {
            assert_eq!(instead(empty), "it is empty");
        }
        assert_eq!(instead(json!({"choices": null, "id": "7"})), r#"it has no choices: {"choices":null,"id":"7"}"#);
        assert!(instead(json!({"choices": []})).starts_with("its list of choices is empty"));
        assert!(instead(json!({"choices": [{"finish_reason": "stop"}]})).starts_with("its choice has no message"));
    }
}
