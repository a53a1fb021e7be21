//! The form of a response's body.

use serde_json::Value;

use crate::openai::lenient;

/// A body, by its form.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    Empty,
    Json(Value),
    /// Server-sent events, or lines of JSON. Events that are not JSON are strings.
    Events(Vec<Value>),
    /// HTML or XML.
    Page(String),
    /// JSON that is cut off or broken.
    Broken(String),
    Text(String),
}

pub(super) fn body(bytes: &[u8]) -> Body {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    if text.is_empty() {
        return Body::Empty;
    }
    if let Ok(value) = serde_json::from_str(text) {
        return Body::Json(value);
    }
    if is_page(text) {
        return Body::Page(text.to_owned());
    }
    if let Some(events) = events(text) {
        return Body::Events(events);
    }
    match begins_as_json(text) {
        true => lenient::read(text).map_or_else(|| Body::Broken(text.to_owned()), |found| Body::Json(found.value)),
        false => Body::Text(text.to_owned()),
    }
}

/// Whether a text begins like JSON, and not like `[Music] Hello` or `[00:00.000 --> 00:02.000]`.
fn begins_as_json(text: &str) -> bool {
    let inside = |text: &str| text.trim_start().chars().next();
    match text.split_at_checked(1) {
        Some(("{", _)) => true,
        Some(("[", rest)) => {
            let is_item = |letter: char| letter.is_ascii_digit() || matches!(letter, '{' | '[' | ']' | '"' | '\'' | '-');
            inside(rest).is_none_or(is_item) && !text.contains("-->")
        }
        _ => false,
    }
}

fn is_page(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next() == Some('<') && letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || matches!(letter, '!' | '?'))
}

/// The data of server-sent events, or the values of several lines of JSON. `None` if the text is
/// neither. <https://html.spec.whatwg.org/multipage/server-sent-events.html>
fn events(text: &str) -> Option<Vec<Value>> {
    let field = |line: &str, name: &str| line.strip_prefix(name).map(|rest| rest.trim().to_owned());
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with(':'))?;
    if ["data:", "event:", "id:", "retry:"].iter().any(|name| first.starts_with(name)) && text.lines().any(|line| line.starts_with("data:"))
    {
        let mut events = Vec::new();
        for block in text.replace("\r\n", "\n").split("\n\n") {
            let data: Vec<String> = block.lines().filter_map(|line| field(line, "data:")).collect();
            // Some servers leave out the blank lines: then each line is an event.
            let whole = data.join("\n");
            match lenient::read(&whole) {
                Some(found) => events.push(found.value),
                None => events.extend(
                    data.into_iter()
                        .filter(|line| !line.is_empty() && line != "[DONE]")
                        .map(|line| lenient::read(&line).map_or(Value::String(line), |found| found.value)),
                ),
            }
        }
        return Some(events);
    }
    let lines: Option<Vec<Value>> =
        text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).ok().filter(Value::is_object)).collect();
    lines.filter(|lines| lines.len() > 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_are_told_apart() {
        for (text, expected) in [
            (" \n", Body::Empty),
            ("{\"a\": NaN}", Body::Json(json!({"a": null}))),
            ("\u{feff}{\"a\": 1}", Body::Json(json!({"a": 1}))),
            ("\"Hello\"", Body::Json(json!("Hello"))),
            ("{\"a\": ", Body::Broken("{\"a\":".into())),
            ("<!DOCTYPE html><p>x", Body::Page("<!DOCTYPE html><p>x".into())),
            ("<|x|> said", Body::Text("<|x|> said".into())),
            ("Hello: there", Body::Text("Hello: there".into())),
            ("[Music] \"Oh\"", Body::Text("[Music] \"Oh\"".into())),
            ("\"Oh,\" she said", Body::Text("\"Oh,\" she said".into())),
            (
                ": ping\n\ndata: {\"a\": 1}\n\ndata: {\"a\": 2}\ndata: oh\n\ndata: [DONE]",
                Body::Events(vec![json!({"a": 1}), json!({"a": 2}), json!("oh")]),
            ),
            ("{\"a\": 1}\n{\"a\": 2}\n", Body::Events(vec![json!({"a": 1}), json!({"a": 2})])),
        ] {
            assert_eq!(body(text.as_bytes()), expected, "{text}");
        }
    }
}
