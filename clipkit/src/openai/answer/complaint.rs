//! What a server complains of, in its own words.

use serde_json::Value;

use super::body::{Body, body};

/// The longest page or plain text that is taken for an error message, in characters.
const MAX_MESSAGE_CHARS: usize = 400;

/// A response without what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Complaint {
    pub(crate) form: Form,
    /// The HTTP status, or for a response with the status 200 the one that its words mean.
    pub(crate) status: Option<u16>,
    /// The server's name for the error, such as `model_not_found`.
    pub(crate) code: String,
    /// The server's words, as one line of any length. They may repeat the key and the request.
    pub(crate) words: String,
}

/// The form of a response that has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Error,
    Empty,
    Page,
    Text,
    Events,
    Broken,
    /// JSON that holds neither an answer nor an error.
    Other,
}

impl Complaint {
    /// Whether the words are the server's message. Otherwise they may be a model's, or a speaker's,
    /// and mean nothing for the request.
    pub(crate) fn is_message(&self) -> bool {
        match self.form {
            Form::Error => true,
            Form::Page | Form::Text => self.words.chars().count() <= MAX_MESSAGE_CHARS,
            Form::Empty | Form::Events | Form::Broken | Form::Other => false,
        }
    }
}

impl Form {
    /// The form as the object of a sentence.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Form::Error => "an error",
            Form::Empty => "nothing",
            Form::Page => "a web page",
            Form::Text => "plain text",
            Form::Events => "events without an answer",
            Form::Broken => "JSON that is cut off or broken",
            Form::Other => "JSON without an answer",
        }
    }
}

/// The complaint of a response with an error status.
pub(crate) fn refused(status: u16, bytes: &[u8]) -> Complaint {
    let mut complaint = unanswered(body(bytes));
    complaint.status = Some(status);
    complaint
}

/// The complaint of a body in which no answer was found.
pub(super) fn unanswered(body: Body) -> Complaint {
    let of = |form, words: &str| {
        let mut complaint = Complaint { form, status: None, code: String::new(), words: one_line(words) };
        complaint.status = if complaint.is_message() { meant_status("", &complaint.words) } else { None };
        complaint
    };
    match body {
        Body::Empty => of(Form::Empty, ""),
        Body::Page(page) => of(Form::Page, &visible(&page)),
        Body::Text(text) => of(Form::Text, &text),
        Body::Broken(text) => of(Form::Broken, &text),
        Body::Json(value) => complaint(&value).unwrap_or_else(|| of(Form::Other, &value.to_string())),
        Body::Events(events) => events.iter().find_map(complaint).unwrap_or_else(|| {
            let words = events.iter().map(|event| event.as_str().map_or_else(|| event.to_string(), str::to_owned));
            of(Form::Events, &words.collect::<Vec<_>>().join(" "))
        }),
    }
}

/// The complaint that a value states, in the forms that servers use: `{"error": {"message": ..,
/// "code": ..}}`, `{"error": ".."}`, `{"errors": [..]}`, `{"message": ..}`, `{"detail": ..}`,
/// `{"msg": ..}`, `{"error_msg": ..}`.
pub(super) fn complaint(value: &Value) -> Option<Complaint> {
    let error = stated(value).unwrap_or(value);
    let words = words(error).or_else(|| words(value)).or_else(|| stated(value).map(Value::to_string))?;
    let code = [error, value].into_iter().find_map(code).unwrap_or_default();
    let words = one_line(&words);
    Some(Complaint { form: Form::Error, status: meant_status(&code, &words), code, words })
}

/// The error that a value states explicitly. Many servers add `"error": null` to every answer.
pub(super) fn stated(value: &Value) -> Option<&Value> {
    let given = |error: &&Value| match error {
        Value::Null | Value::Bool(_) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Number(_) => true,
    };
    let error = [&value["error"], &value["errors"]].into_iter().find(given)?;
    Some(error.get(0).unwrap_or(error))
}

fn words(error: &Value) -> Option<String> {
    if let Some(text) = error.as_str() {
        return Some(text.to_owned());
    }
    const NAMES: [&str; 6] = ["message", "detail", "msg", "error_msg", "error_message", "error_description"];
    let own = NAMES.iter().find_map(|name| match &error[*name] {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        // FastAPI: `{"detail": [{"loc": [..], "msg": ".."}]}`
        Value::Array(list) => list.first().and_then(words),
        inner @ Value::Object(_) => words(inner),
        _ => None,
    })?;
    // OpenRouter puts the words of the provider behind its own.
    match error["metadata"]["raw"].as_str() {
        Some(raw) if !own.contains(raw) => Some(format!("{own}: {raw}")),
        _ => Some(own),
    }
}

fn code(error: &Value) -> Option<String> {
    ["code", "type", "error_code", "status"].iter().find_map(|name| match &error[*name] {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The status that a code or words mean. `None` if they mean none.
fn meant_status(code: &str, words: &str) -> Option<u16> {
    const CODES: [(u16, &[&str]); 5] = [
        (402, &["insufficient_quota", "billing", "insufficient_balance", "insufficient_credits"]),
        (429, &["rate_limit", "ratelimit", "too_many_requests", "throttl", "resource_exhausted"]),
        (503, &["overloaded", "unavailable", "server_error", "server_is_busy", "timeout"]),
        (401, &["invalid_api_key", "authentication", "unauthorized", "permission"]),
        (404, &["model_not_found", "not_found_error"]),
    ];
    const WORDS: [(u16, &[&str]); 5] = [
        (402, &["insufficient balance", "insufficient credit", "insufficient_quota", "exceeded your current quota", "no credit"]),
        (429, &["rate limit", "rate-limit", "ratelimit", "too many requests", "requests per minute", "tokens per minute"]),
        (
            503,
            &[
                "overloaded",
                "busy",
                "at capacity",
                "over capacity",
                "out of capacity",
                "no capacity",
                "loading",
                "temporarily",
                "service unavailable",
                "try again later",
                "bad gateway",
                "gateway time-out",
                "gateway timeout",
                "internal server error",
                "timed out",
                "just a moment",
                "no available",
                "out of memory",
            ],
        ),
        (401, &["unauthorized", "api key", "api_key", "authentication"]),
        (404, &["unexpected endpoint", "not found", "no such route"]),
    ];
    let has = |text: &str, table: &[(u16, &[&str])]| {
        let text = text.to_lowercase();
        table.iter().find(|(_, names)| names.iter().any(|name| text.contains(name))).map(|(status, _)| *status)
    };
    let number = code.parse().ok().filter(|status| (400..600).contains(status));
    number.or_else(|| has(code, &CODES)).or_else(|| has(words, &WORDS))
}

/// White space and control characters become single blanks.
pub(super) fn one_line(text: &str) -> String {
    let parts = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The visible text of a page, title first.
fn visible(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        out.push(' ');
        let hidden = ["script", "style"].iter().find(|name| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        let end = match hidden {
            Some(name) => tag.find(&format!("</{name}")).unwrap_or(tag.len()),
            None => 0,
        };
        let tag = tag.get(end..).unwrap_or_default();
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let text = one_line(&out);
    if text.is_empty() { one_line(page) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_read_in_all_forms() {
        for (body, code, words) in [
            (r#"{"error": {"message": "no\nsuch model", "code": "model_not_found"}}"#, "model_not_found", "no such model"),
            (r#"{"error": "model is loading"}"#, "", "model is loading"),
            (
                r#"{"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": "slow down"}}}"#,
                "429",
                "Provider returned error: slow down",
            ),
            (r#"{"errors": [{"message": "bad"}], "success": false}"#, "", "bad"),
            (r#"{"error": {"message": {"detail": "deep"}}}"#, "", "deep"),
            (r#"{"error": {"x": 1}}"#, "", r#"{"x":1}"#),
            (r#"{"object": "error", "message": "bad"}"#, "", "bad"),
            (r#"{"detail": "nope"}"#, "", "nope"),
            (r#"{"detail": [{"loc": ["body"], "msg": "field required"}]}"#, "", "field required"),
            (r#"{"error_code": 18, "error_msg": "Open api qps request limit reached"}"#, "18", "Open api qps request limit reached"),
            ("<html><head><title>502</title><style>a{}</style></head>Bad  Gateway</html>", "", "502 Bad Gateway"),
            ("data: {\"error\": {\"message\": \"boom\"}}\n\n", "", "boom"),
            ("Bad\nthing", "", "Bad thing"),
            ("", "", ""),
        ] {
            let found = refused(500, body.as_bytes());
            assert_eq!((found.code.as_str(), found.words.as_str(), found.status), (code, words, Some(500)), "{body}");
        }
    }

    #[test]
    fn a_models_words_mean_no_status() {
        for text in ["{\"text\": \"the api key was not found, the server is busy", "{\"said\": \"rate limit\"}"] {
            let found = unanswered(body(text.as_bytes()));
            assert!(found.status.is_none() && !found.is_message(), "{found:?}");
        }
        let talk = "they were busy. ".repeat(40);
        assert_eq!(unanswered(body(talk.as_bytes())).status, None);
    }

    #[test]
    fn codes_and_words_mean_a_status() {
        for (code, words, expected) in [
            ("429", "", Some(429)),
            ("rate_limit_exceeded", "x", Some(429)),
            ("insufficient_quota", "You exceeded your current quota", Some(402)),
            ("", "You exceeded your current quota, please check your plan", Some(402)),
            ("overloaded_error", "Overloaded", Some(503)),
            ("", "Model is currently loading", Some(503)),
            ("", "Too Many Requests", Some(429)),
            ("", "Unexpected endpoint or method. (POST /chat/completions)", Some(404)),
            ("invalid_api_key", "", Some(401)),
            ("18", "odd", None),
            ("", "odd", None),
        ] {
            assert_eq!(meant_status(code, words), expected, "{code} {words}");
        }
    }
}
