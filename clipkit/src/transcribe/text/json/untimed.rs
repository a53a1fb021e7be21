//! Answers of servers that have a text and no times, and what they are wrapped in.

use serde_json::Value;

use super::shapes::{SHAPES, WHOLE_TEXTS, WRAPPERS, at};
use super::{is_timed, text_of};

/// How many wrappers are opened.
const MAX_WRAPPERS: usize = 2;

/// What a document wraps: `{"result": {"text": ...}}`, a list of one document.
pub(in super::super::super) fn unwrapped(document: &Value) -> &Value {
    let mut inner = document;
    for _ in 0..MAX_WRAPPERS {
        let next = match inner {
            Value::Array(items) => match &items[..] {
                [one @ Value::Object(_)] if !is_timed(one) => Some(one),
                _ => None,
            },
            Value::Object(fields) if !has_content(inner) => {
                WRAPPERS.iter().filter_map(|name| fields.get(*name)).find(|inner| inner.is_object() || inner.is_array())
            }
            _ => None,
        };
        match next {
            Some(next) => inner = next,
            None => break,
        }
    }
    inner
}

/// Whether a document has a text or a list of entries of its own.
fn has_content(document: &Value) -> bool {
    own_text(document).is_some() || SHAPES.iter().any(|shape| shape.entries(document).is_some())
}

fn own_text(document: &Value) -> Option<&str> {
    WHOLE_TEXTS.iter().find_map(|path| at(document, path).and_then(Value::as_str))
}

/// The text of a document without times: its own, else that of its entries.
pub(in super::super::super) fn text_without_times(document: &Value) -> Option<String> {
    if let Some(text) = document.as_str().or_else(|| own_text(document)) {
        return Some(text.to_owned());
    }
    SHAPES.iter().find_map(|shape| {
        let entries = shape.entries(document)?;
        let texts: Vec<&str> = entries.iter().filter_map(|(_, entry)| text_of(entry)).map(str::trim).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    })
}
