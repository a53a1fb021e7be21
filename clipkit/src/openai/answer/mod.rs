//! What a server's response says: the model's words, the words of a recording, or a complaint.
//! Pure functions from bytes.
//!
//! Servers that speak OpenAI's API differ in what they answer, and some answer errors with the
//! status 200. So a response is read by its meaning:
//!
//! - JSON, also as Python writes it (`NaN`, `-Infinity`); server-sent events and lines of JSON,
//!   whose parts are joined; a web page; plain text; nothing.
//! - The model's words ([`chat`]) stand in `content` (text, a list of parts, or an object), the
//!   arguments of a tool call, `reasoning_content`, `reasoning` or `thinking`, in the older `text`,
//!   or where other APIs have them (`output`, `message`, `response`, `candidates`). Within a text
//!   they stand after `</think>`, and in the `final` channel of the harmony format.
//! - The words of a recording ([`transcription`]) are a text, or what the reader of transcripts
//!   finds in captions, JSON, lines of JSON and streams.
//! - Everything else is a [`Complaint`] in the server's own words. A rate limit or an overload in
//!   it counts as the status 429 or 503, whatever the status of the response.

mod body;
mod chat;
mod complaint;
mod heard;

pub(crate) use chat::{Said, chat};
pub(crate) use complaint::{Complaint, Form, refused};
pub(crate) use heard::{Content, Recording, Times, transcription};

use serde_json::Value;

/// The most models that an error lists, and the longest name of one in characters.
const MAX_MODELS: usize = 12;
const MAX_NAME_CHARS: usize = 60;

/// The names in the response of `GET /models`, in the server's order: the first dozen.
pub(crate) fn models(bytes: &[u8]) -> Vec<String> {
    let body::Body::Json(value) = body::body(bytes) else { return Vec::new() };
    let list = [&value["data"], &value["models"], &value].into_iter().find_map(Value::as_array);
    let name = |item: &Value| {
        let name = [&item["id"], &item["name"], &item["model"], item].into_iter().find_map(Value::as_str)?;
        let name: String = name.chars().filter(|letter| !letter.is_control()).take(MAX_NAME_CHARS).collect();
        (!name.trim().is_empty()).then_some(name)
    };
    list.into_iter().flatten().filter_map(name).take(MAX_MODELS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn models_are_listed_in_several_forms() {
        for (body, expected) in [
            (r#"{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}"#, vec!["a", "b"]),
            (r#"{"models": [{"name": "a:7b"}]}"#, vec!["a:7b"]),
            (r#"["a", "b\n"]"#, vec!["a", "b"]),
            (r#"{"error": "no"}"#, vec![]),
            ("<html>", vec![]),
        ] {
            assert_eq!(models(body.as_bytes()), expected, "{body}");
        }
        let many = serde_json::json!({"data": (0..99).map(|n| n.to_string()).collect::<Vec<_>>()});
        assert_eq!(models(many.to_string().as_bytes()).len(), MAX_MODELS);
    }

    proptest! {
        #[test]
        fn no_body_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "\\PC{0,60}|[\\[\\]{}\":,a1n \n<>|-]{0,60}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let _ = (chat(bytes), transcription(bytes, &|_| None), models(bytes));
                let complaint = refused(500, bytes);
                prop_assert!(!complaint.words.contains(char::is_control));
            }
        }
    }
}
