//! The words of a recording in the response to a transcription request.

use serde_json::{Map, Value, json};

use super::body::{Body, body};
use super::complaint::{Complaint, Form, complaint, stated, unanswered};

/// The longest plain text that may be an error message, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// Reads the response to a transcription request. The result has the form of OpenAI's
/// `verbose_json`: `text` if there is any, `language`, and `segments` and `words` if they have
/// times. Times are numbers of seconds, or null where one is missing.
pub(crate) fn transcription(bytes: &[u8]) -> Result<Value, Complaint> {
    match body(bytes) {
        Body::Json(value) => heard(&value),
        Body::Text(text) => plain(text),
        Body::Events(events) => streamed(events),
        other => Err(unanswered(other)),
    }
}

fn heard(value: &Value) -> Result<Value, Complaint> {
    if let Some(found) = found(value, 0) {
        // Some servers answer an error with an empty text.
        let is_empty = found["text"].as_str().is_none_or(|text| text.trim().is_empty())
            && found.get("segments").is_none()
            && found.get("words").is_none();
        if !(is_empty && stated(value).is_some()) {
            return Ok(found);
        }
    }
    let mut failed = complaint(value).unwrap_or_else(|| unanswered(Body::Json(value.clone())));
    if failed.form == Form::Other {
        failed.words = format!("it has no text: {}", failed.words);
    }
    Err(failed)
}

/// Plain text, captions, or an error message.
fn plain(text: String) -> Result<Value, Complaint> {
    let cues = cues(&text);
    if !cues.is_empty() {
        return Ok(json!({ "segments": cues }));
    }
    match is_error(&text) {
        true => Err(unanswered(Body::Text(text))),
        false => Ok(json!({ "text": text })),
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
fn streamed(events: Vec<Value>) -> Result<Value, Complaint> {
    if let Some(failed) = events.iter().find(|event| stated(event).is_some() || event["type"] == "error").and_then(complaint) {
        return Err(failed);
    }
    if let Some(done) = events.iter().rev().find(|event| event["type"] == "transcript.text.done") {
        return heard(done);
    }
    let deltas: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    if !deltas.trim().is_empty() {
        return Ok(json!({ "text": deltas }));
    }
    let timed: Vec<Value> = events.iter().filter_map(|event| entry(event, "text")).collect();
    let segments: Vec<Value> = events.iter().flat_map(|event| list(event, &["segments"], "text")).collect();
    let segments = if segments.is_empty() { timed } else { segments };
    if has_times(&segments) {
        return Ok(json!({ "segments": segments }));
    }
    let texts: Vec<&str> =
        events.iter().filter_map(|event| event["text"].as_str()).map(str::trim).filter(|text| !text.is_empty()).collect();
    match texts.is_empty() {
        true => Err(unanswered(Body::Events(events))),
        false => Ok(json!({"text": texts.join(" ")})),
    }
}

/// The transcript in a value, or in what it wraps.
fn found(value: &Value, depth: usize) -> Option<Value> {
    match value {
        Value::String(text) => Some(json!({ "text": text })),
        Value::Array(items) => {
            let segments = list(&json!({ "segments": items }), &["segments"], "text");
            if has_times(&segments) {
                return Some(json!({ "segments": segments }));
            }
            // A batch of one.
            match &items[..] {
                [one @ Value::Object(_)] if depth < 2 => found(one, depth + 1),
                _ => None,
            }
        }
        Value::Object(object) => own(value).or_else(|| {
            const WRAPPERS: [&str; 8] = ["result", "results", "data", "output", "response", "transcription", "transcript", "prediction"];
            let inner = WRAPPERS.iter().filter_map(|name| object.get(*name));
            inner.filter(|inner| depth < 2 && !inner.is_string()).find_map(|inner| found(inner, depth + 1))
        }),
        _ => None,
    }
}

fn own(value: &Value) -> Option<Value> {
    let places = [
        &value["text"],
        &value["transcription"],
        &value["transcript"],
        &value["result"],
        &value["output"],
        &value["choices"][0]["message"]["content"],
    ];
    let text = places.into_iter().find_map(Value::as_str);
    let words = list(value, &["words", "word_segments"], "word");
    let segments = list(value, &["segments", "chunks", "transcription"], "text");
    let mut out = Map::new();
    for (name, entries) in [("words", words), ("segments", segments)] {
        if has_times(&entries) {
            out.insert(name.into(), Value::Array(entries));
        } else if text.is_none() && !entries.is_empty() {
            let joined: Vec<&str> =
                entries.iter().filter_map(|entry| entry["word"].as_str().or(entry["text"].as_str())).map(str::trim).collect();
            out.insert("text".into(), Value::String(joined.join(" ")));
        }
    }
    if let Some(text) = text {
        out.insert("text".into(), text.into());
    }
    if out.is_empty() {
        return None;
    }
    if let Some(language) = [&value["language"], &value["detected_language"]].into_iter().find_map(Value::as_str) {
        out.insert("language".into(), language.into());
    }
    Some(Value::Object(out))
}

/// The entries of the first of these lists that has any.
fn list(value: &Value, names: &[&str], text: &str) -> Vec<Value> {
    let entries = |name: &&str| value[*name].as_array().map(|items| items.iter().filter_map(|item| entry(item, text)).collect::<Vec<_>>());
    names.iter().filter_map(entries).find(|entries| !entries.is_empty()).unwrap_or_default()
}

fn has_times(entries: &[Value]) -> bool {
    entries.iter().any(|entry| entry["start"].is_number() || entry.get("words").is_some())
}

/// A word or a segment: an object, or a list of text, start and end. `None` if it has no text.
fn entry(item: &Value, text: &str) -> Option<Value> {
    if let Some([Value::String(word), start, end, ..]) = item.as_array().map(Vec::as_slice) {
        return Some(json!({text: word, "start": start.as_f64(), "end": end.as_f64()}));
    }
    let found = ["word", "text", "punctuated_word"].iter().find_map(|name| item[*name].as_str())?;
    let (start, end) = (time(item, 0), time(item, 1));
    let mut out = json!({text: found, "start": start, "end": end});
    let words = list(item, &["words"], "word");
    if has_times(&words) {
        out["words"] = Value::Array(words);
    }
    if let Some(speaker) = item["speaker"].as_str() {
        out["speaker"] = speaker.into();
    }
    Some(out)
}

/// The start (0) or the end (1) of an entry in seconds: `start` and `end`, `timestamp` as a pair
/// (Hugging Face), `offsets` in milliseconds (whisper.cpp).
fn time(item: &Value, which: usize) -> Option<f64> {
    let (name, offset) = [("start", "from"), ("end", "to")][which];
    let seconds = |value: &Value| match value {
        Value::String(text) => text.trim().trim_end_matches(['s', ' ']).parse().ok().filter(|seconds: &f64| seconds.is_finite()),
        value => value.as_f64(),
    };
    [&item[name], &item["timestamp"][which]].into_iter().find_map(seconds).or_else(|| Some(item["offsets"][offset].as_f64()? / 1000.0))
}

/// The cues of WebVTT, SRT, or whisper.cpp's `[00:00:00.000 --> 00:00:02.000]  Text`.
fn cues(text: &str) -> Vec<Value> {
    let mut cues: Vec<(f64, f64, Vec<&str>)> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if let Some((start, end, rest)) = cue_line(line) {
            cues.push((start, end, Vec::new()));
            is_open = true;
            if let Some((_, _, words)) = cues.last_mut().filter(|_| !rest.is_empty()) {
                words.push(rest);
            }
        } else if line.is_empty() {
            is_open = false;
        } else if let Some((_, _, words)) = cues.last_mut().filter(|_| is_open) {
            words.push(line);
        }
    }
    let segment = |(start, end, words): (f64, f64, Vec<&str>)| json!({"start": start, "end": end, "text": words.join(" ")});
    cues.into_iter().filter(|(.., words)| !words.is_empty()).map(segment).collect()
}

/// The times of a cue, and the text behind them in the same line.
fn cue_line(line: &str) -> Option<(f64, f64, &str)> {
    let (start, rest) = line.split_once("-->")?;
    let (end, rest) = match line.starts_with('[') {
        true => rest.split_once(']')?,
        // Behind the times of WebVTT stand settings.
        false => (rest.split_whitespace().next()?, ""),
    };
    Some((clock(start.trim_start_matches('['))?, clock(end)?, rest.trim()))
}

/// `[hh:]mm:ss.mmm` in seconds.
fn clock(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".");
    let mut seconds = 0.0;
    for part in text.split(':') {
        if !part.starts_with(|digit: char| digit.is_ascii_digit()) {
            return None;
        }
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    (text.contains(':') && seconds.is_finite()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Value {
        transcription(text.as_bytes()).unwrap_or_else(|complaint| panic!("{text}: {complaint:?}"))
    }

    #[test]
    fn transcripts_of_many_forms_become_one() {
        let words = json!({"text": "Hi all", "language": "en", "words": [{"word": "Hi", "start": 0.5, "end": 1.0}, {"word": "all", "start": null, "end": null}]});
        assert_eq!(of(&words.to_string()), words);
        let wrapped = json!({"result": words, "task": "x"});
        assert_eq!(of(&wrapped.to_string()), words);
        let strings = r#"{"text": "Hi all", "language": "en", "words": [{"word": "Hi", "start": "0.5", "end": "1.0s"}, null, {"word": "all"}], "segments": null}"#;
        assert_eq!(of(strings), words);
        let segment = json!({"segments": [{"start": 0.0, "end": 1.5, "text": " Hi"}]});
        for text in [
            r#"[{"start": 0, "end": 1.5, "text": " Hi"}]"#,
            r#"{"chunks": [{"timestamp": [0.0, 1.5], "text": " Hi"}]}"#,
            r#"{"transcription": [{"offsets": {"from": 0, "to": 1500}, "text": " Hi"}]}"#,
            r#"{"segments": [{"start": 0.0, "end": 1.5, "text": " Hi", "avg_logprob": -Infinity, "words": null}], "words": []}"#,
            "data: {\"start\": 0, \"end\": 1.5, \"text\": \" Hi\"}\n\n",
        ] {
            let mut found = of(text);
            found["segments"][0]["start"] = json!(found["segments"][0]["start"].as_f64());
            assert_eq!(found, segment, "{text}");
        }
        for text in ["Hi\nall", "\"Hi\\nall\"", r#"{"text": "Hi\nall", "words": null}"#, r#"{"data": {"transcript": "Hi\nall"}}"#] {
            assert_eq!(of(text), json!({"text": "Hi\nall"}), "{text}");
        }
        assert_eq!(
            of("data: {\"type\": \"transcript.text.delta\", \"delta\": \"Hi \"}\n\ndata: {\"delta\": \"all\"}\n\n"),
            json!({"text": "Hi all"})
        );
        assert_eq!(
            of(r#"{"text": "", "words": [["Hi", 0.5, 1]]}"#),
            json!({"text": "", "words": [{"word": "Hi", "start": 0.5, "end": 1.0}]})
        );
        // Words without any time are text: none stands at the start.
        assert_eq!(of(r#"{"words": [{"word": "Hi"}, {"word": "all", "start": "soon"}]}"#), json!({"text": "Hi all"}));
        assert_eq!(of(r#"{"text": "", "words": []}"#), json!({"text": ""}));
    }

    #[test]
    fn captions_are_never_spoken() {
        let cues = json!({"segments": [{"start": 1.0, "end": 2.5, "text": "Hi all"}, {"start": 62.0, "end": 3600.0, "text": "Bye"}]});
        for text in [
            "1\n00:00:01,000 --> 00:00:02,500\nHi\nall\n\n2\n00:01:02,000 --> 01:00:00,000\nBye\n",
            "WEBVTT\n\n00:01.000 --> 00:02.500 align:left\nHi all\n\n01:02.000 --> 1:00:00.000\nBye",
            "[00:00:01.000 --> 00:00:02.500]   Hi all\n[00:01:02.000 --> 01:00:00.000]   Bye\n",
        ] {
            assert_eq!(of(text), cues, "{text}");
        }
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
            let failed = transcription(text.as_bytes()).unwrap_err();
            assert!(failed.status == status && failed.words.starts_with(words), "{text}: {failed:?}");
        }
        assert!(transcription(b"Errors happen to all of us.").is_ok());
    }
}
