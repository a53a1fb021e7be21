//! A tolerant reader of XML and HTML tags: what is not well formed is text.

use crate::transcribe::markup::entity;

/// A part of a document.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'a> {
    /// The name without its prefix, in lower case, and the attributes' text.
    Open {
        name: String,
        attributes: &'a str,
        is_empty: bool,
        at: usize,
    },
    Close(String),
    /// Text with its entities resolved, and where it starts.
    Text(String, usize),
}

/// The parts of a document in order. Comments, declarations and instructions are left out.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = if let Some(body) = rest.strip_prefix("<!--") {
            body.find("-->").map_or(rest.len(), |end| end + 7)
        } else if let Some(body) = rest.strip_prefix("<![CDATA[") {
            let end = body.find("]]>");
            parts.push(Part::Text(body[..end.unwrap_or(body.len())].to_owned(), at));
            end.map_or(rest.len(), |end| end + 12)
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            rest.find('>').map_or(rest.len(), |end| end + 1)
        } else if let Some((part, length)) = tag(rest, at) {
            parts.push(part);
            length
        } else {
            // At least one character, also where it is a `<` that starts no tag.
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let end = rest[first..].find('<').map_or(rest.len(), |end| first + end);
            parts.push(Part::Text(resolved(&rest[..end]), at));
            end
        };
        at += length;
    }
    parts
}

/// The tag at the start of `rest`, and its length.
fn tag(rest: &str, at: usize) -> Option<(Part<'_>, usize)> {
    const MAX_BYTES: usize = 4096;
    rest.strip_prefix('<').filter(|name| name.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let mut quote = None;
    // Attributes contain no `<`, so a tag that is not closed ends there.
    let bytes = rest.bytes().enumerate().take(MAX_BYTES).skip(1).take_while(|(_, byte)| *byte != b'<');
    let end = bytes.into_iter().find_map(|(n, byte)| match (quote, byte) {
        (None, b'>') => Some(n),
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            None
        }
        (Some(open), byte) if open == byte => {
            quote = None;
            None
        }
        _ => None,
    })?;
    let inside = rest.strip_prefix('<')?.get(..end - 1)?;
    let (closing, inside) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
    let length = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(length);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    let part =
        if closing { Part::Close(name) } else { Part::Open { name, attributes, is_empty: attributes.trim_end().ends_with('/'), at } };
    Some((part, end + 1))
}

/// The value of an attribute, by its name without a prefix.
pub(super) fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some(equals) = rest.find('=') {
        let name = rest[..equals].trim_end().rsplit(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        let value = rest[equals + 1..].trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        if name.rsplit(':').next() == Some(wanted) || name.eq_ignore_ascii_case(wanted) {
            return Some(resolved(value));
        }
        rest = after;
    }
    None
}

/// Text with its entities resolved.
pub(super) fn resolved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (letter, length) = entity(&rest[at..]).unwrap_or(('&', 1));
        out.push(letter);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_text_and_attributes_are_told_apart() {
        let text = "<?xml version='1'?><!-- <p> --><tt:p begin=\"1s\" tts:x='>'>a &amp;amp; <br/>b < c</tt:p><![CDATA[x<y]]>";
        let found: Vec<String> = parts(text)
            .iter()
            .map(|part| match part {
                Part::Open { name, attributes, is_empty, .. } => format!("+{name} {:?} {is_empty}", attribute(attributes, "begin")),
                Part::Close(name) => format!("-{name}"),
                Part::Text(text, _) => text.clone(),
            })
            .collect();
        assert_eq!(found, ["+p Some(\"1s\") false", "a & ", "+br None true", "b ", "< c", "-p", "x<y"]);
        assert_eq!(attribute(" a=1 xml:id='x' end = \"2\"", "end").as_deref(), Some("2"));
    }
}
