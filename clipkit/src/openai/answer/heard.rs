//! What a server heard: its response to a transcription request, or its complaint. The caller reads
//! transcripts ([`Content`]); here it is decided what may be one, and what is an error.

use serde_json::Value;

use super::body::{Body, body};
use super::complaint::{Complaint, Form, complaint, stated, unanswered};
use crate::model::{Warning, Word};

/// The longest plain text that may be an error message, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// What may hold a transcript.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    Json(&'a Value),
    /// The values of a stream, or of lines of JSON.
    Lines(&'a [Value]),
    /// Captions, perhaps. Of a text without times, the reader gives `None`.
    Text(&'a str),
}

/// The words of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recording {
    /// The text, where the response has no times.
    pub(crate) text: String,
    /// The words, where it has times.
    pub(crate) words: Vec<Word>,
    pub(crate) times: Times,
    /// As the server names it.
    pub(crate) language: Option<String>,
    /// What was lost or repaired.
    pub(crate) warnings: Vec<Warning>,
}

/// What has times in a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Times {
    #[default]
    None,
    Segments,
    Words,
}

impl Recording {
    fn of_text(text: String) -> Self {
        Recording { text, ..Recording::default() }
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.text.trim().is_empty()
    }
}

/// Reads the response to a transcription request. `read` gives what a content says, or `None` if it
/// is no transcript.
pub(crate) fn transcription(bytes: &[u8], read: &dyn Fn(Content<'_>) -> Option<Recording>) -> Result<Recording, Complaint> {
    match body(bytes) {
        Body::Json(value) => heard(&value, read),
        Body::Text(text) => plain(text, read),
        Body::Events(events) => streamed(events, read),
        other => Err(unanswered(other)),
    }
}

fn heard(value: &Value, read: &dyn Fn(Content<'_>) -> Option<Recording>) -> Result<Recording, Complaint> {
    // Some servers answer an error with an empty text.
    if let Some(found) = read(Content::Json(value)).filter(|found| !(found.is_empty() && stated(value).is_some())) {
        return Ok(found);
    }
    let mut failed = complaint(value).unwrap_or_else(|| unanswered(Body::Json(value.clone())));
    if failed.form == Form::Other {
        failed.words = format!("it has no text: {}", failed.words);
    }
    Err(failed)
}

/// Captions, plain text, or an error message.
fn plain(text: String, read: &dyn Fn(Content<'_>) -> Option<Recording>) -> Result<Recording, Complaint> {
    match read(Content::Text(&text)) {
        Some(found) => Ok(found),
        None if is_error(&text) => Err(unanswered(Body::Text(text))),
        None => Ok(Recording::of_text(text)),
    }
}

/// Whether a plain text is the message of an error: it begins as such messages do, and is short.
fn is_error(text: &str) -> bool {
    const STARTS: [&str; 22] = [
        "error",
        "internal server error",
        "bad gateway",
        "service unavailable",
        "gateway time",
        "too many requests",
        "rate limit",
        "not found",
        "404 ",
        "500 ",
        "502 ",
        "503 ",
        "504 ",
        "429 ",
        "unauthorized",
        "forbidden",
        "bad request",
        "method not allowed",
        "request entity too large",
        "payload too large",
        "upstream ",
        "no healthy upstream",
    ];
    let text = text.trim().to_lowercase();
    let begins =
        |start: &&&str| text.strip_prefix(**start).is_some_and(|rest| start.ends_with(' ') || !rest.starts_with(char::is_alphabetic));
    text.chars().count() <= MAX_ERROR_CHARS && STARTS.iter().any(|start| begins(&start))
}

/// The words of a stream: its last whole text, else its parts joined.
fn streamed(events: Vec<Value>, read: &dyn Fn(Content<'_>) -> Option<Recording>) -> Result<Recording, Complaint> {
    if let Some(failed) = events.iter().find(|event| stated(event).is_some() || event["type"] == "error").and_then(complaint) {
        return Err(failed);
    }
    if let Some(done) = events.iter().rev().find(|event| event["type"] == "transcript.text.done") {
        return heard(done, read);
    }
    let deltas: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    if !deltas.trim().is_empty() {
        return Ok(Recording::of_text(deltas));
    }
    read(Content::Lines(&events)).ok_or_else(|| unanswered(Body::Events(events)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that knows one form, and no captions.
    fn of(text: &str) -> Result<Recording, Complaint> {
        transcription(text.as_bytes(), &|content| match content {
            Content::Json(value) => value["text"].as_str().map(|text| Recording::of_text(text.to_owned())),
            Content::Lines(values) => values.first()?["text"].as_str().map(|text| Recording::of_text(text.to_owned())),
            Content::Text(_) => None,
        })
    }

    #[test]
    fn a_transcript_is_wherever_the_reader_finds_it() {
        for text in [
            "Hi all",
            r#"{"text": "Hi all", "error": null}"#,
            "data: {\"type\": \"transcript.text.delta\", \"delta\": \"Hi \"}\n\ndata: {\"delta\": \"all\"}\n\n",
            "data: {\"type\": \"transcript.text.delta\", \"delta\": \"Hi \"}\n\ndata: {\"type\": \"transcript.text.done\", \"text\": \"Hi all\"}\n\n",
            "data: {\"text\": \"Hi all\"}\n\n",
        ] {
            assert_eq!(of(text).unwrap(), Recording::of_text("Hi all".into()), "{text}");
        }
        assert_eq!(of(r#"{"text": ""}"#).unwrap(), Recording::default());
    }

    #[test]
    fn errors_are_no_transcripts() {
        for (text, status, words) in [
            ("Internal Server Error", Some(503), "Internal Server Error"),
            ("Error: worker died", None, "Error: worker died"),
            ("503 Service Temporarily Unavailable", Some(503), "503 Service"),
            (r#"{"error": "failed to read WAV file"}"#, None, "failed to read WAV file"),
            (r#"{"text": "", "error": "model is loading"}"#, Some(503), "model is loading"),
            ("{\"text\": \"Hel", None, "{\"text\": \"Hel"),
            ("<html>login</html>", None, "login"),
            ("{}", None, "it has no text"),
            ("null", None, "it has no text"),
            (r#"{"text": 5}"#, None, "it has no text"),
            ("[]", None, "it has no text"),
            ("", None, ""),
        ] {
            let failed = of(text).unwrap_err();
            assert!(failed.status == status && failed.words.starts_with(words), "{text}: {failed:?}");
        }
        assert!(of("Errors happen to all of us.").is_ok());
    }
}
