use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::document::{ArtifactKind, Document};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, Transcript};

/// The key of an artifact: what kind of document it is, and a hash of everything that decides its
/// content.
///
/// The hash is BLAKE3 over a list of named inputs. Name and value of each input are preceded by
/// their lengths and the value by its type, so that different lists never give the same bytes.
/// Times are hashed as integer microseconds and options as JSON with sorted keys, so that a key is
/// the same in every process, on every machine and in every version of this crate. Nothing of the
/// inputs can be read from a key.
///
/// ```
/// use clipkit::prelude::*;
/// use clipkit::store::ArtifactKey;
///
/// let id = ContentId::new("blake3", "9f86d0");
/// let key = ArtifactKey::of::<Tracks>()
///     .text("media", id.as_str())
///     .span("span", Span::secs(10.0, 40.0)?)
///     .fingerprint("yunet 2023mar, 1");
/// assert!(key.to_string().starts_with("tracks/"));
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ArtifactKey {
    kind: ArtifactKind,
    hasher: blake3::Hasher,
}

impl ArtifactKey {
    /// A key without inputs, for a kind of document and the version of its format.
    pub fn new(kind: ArtifactKind, document_version: u32) -> Self {
        let key = ArtifactKey { kind, hasher: blake3::Hasher::new() };
        key.text("kind", kind.name()).number("version", i64::from(document_version))
    }

    /// A key without inputs, for the document type `D`.
    pub fn of<D: Document>() -> Self {
        ArtifactKey::new(D::KIND, D::VERSION)
    }

    /// Adds the fingerprint of the stage that makes the document.
    #[must_use]
    pub fn fingerprint(self, fingerprint: &str) -> Self {
        self.text("fingerprint", fingerprint)
    }

    /// Adds an input that is a text, such as a content id.
    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        self.add(name, b"text", value.as_bytes())
    }

    /// Adds a medium as the stages see and hear it: its content, and its audio track if that is not
    /// the default one, so that keys of media with the default track stay as they were.
    #[must_use]
    pub(crate) fn media(self, media: &Media) -> Self {
        let track = media.audio_track.map(|track| track.to_string());
        self.text("media", media.id.as_str()).optional("audio track", track.as_deref())
    }

    /// Adds an input that is an integer, such as a time in microseconds.
    #[must_use]
    pub fn number(self, name: &str, value: i64) -> Self {
        self.add(name, b"number", &value.to_le_bytes())
    }

    /// Adds a span by its two ends.
    #[must_use]
    pub fn span(self, name: &str, span: Span) -> Self {
        self.number(name, span.start().micros()).number(name, span.end().micros())
    }

    /// Adds a transcript by its language and words. Where it comes from ([`Transcript::origin`]) is
    /// not part of the key.
    #[must_use]
    pub fn transcript(self, name: &str, transcript: &Transcript) -> Self {
        let words = i64::try_from(transcript.words.len()).unwrap_or(i64::MAX);
        let key = self.number(name, words).optional("language", transcript.language.as_deref());
        transcript.words.iter().fold(key, |key, word| {
            let key = key.text("word", &word.text).number("start", word.start.micros()).number("end", word.end.micros());
            key.optional("speaker", word.speaker.as_deref())
        })
    }

    /// Adds an input that is written as JSON, such as options.
    ///
    /// Fails with `ErrorKind::Contract` if `value` has no JSON form.
    pub fn json(self, name: &str, value: &impl Serialize) -> Result<Self> {
        let value = serde_json::to_value(value)
            .map_err(|error| Error::new(ErrorKind::Contract, format!("{name} cannot be written as JSON: {error}")))?;
        let mut text = String::new();
        write_canonical(&value, &mut text);
        Ok(self.add(name, b"json", text.as_bytes()))
    }

    /// The kind of document.
    pub fn kind(&self) -> ArtifactKind {
        self.kind
    }

    fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    fn add(mut self, name: &str, kind: &[u8], value: &[u8]) -> Self {
        for part in [name.as_bytes(), kind, value] {
            self.hasher.update(&(part.len() as u64).to_le_bytes());
            self.hasher.update(part);
        }
        self
    }
}

impl fmt::Display for ArtifactKey {
    /// `tracks/5f0c...`: the kind and 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.hasher.finalize().to_hex())
    }
}

impl PartialEq for ArtifactKey {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.hasher.finalize() == other.hasher.finalize()
    }
}

impl Eq for ArtifactKey {}

/// JSON without white space, with the keys of objects in order, whichever map `serde_json` was
/// compiled with.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            out.push('{');
            for (n, (name, field)) in fields.into_iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(field, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ArtifactKey {
        ArtifactKey::new(ArtifactKind::Tracks, 1)
    }

    #[test]
    fn inputs_do_not_run_together() {
        let all = [
            key(),
            key().text("a", "bc"),
            key().text("ab", "c"),
            key().text("a", "b").text("c", ""),
            key().text("a", "").text("b", "c"),
            key().number("a", 1),
            key().text("a", "\u{1}\0\0\0\0\0\0\0"),
            key().json("a", &1).unwrap(),
            key().json("a", &"1").unwrap(),
            key().fingerprint("x"),
            ArtifactKey::new(ArtifactKind::Tracks, 2),
            ArtifactKey::new(ArtifactKind::Receipt, 1),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(one), "{n}");
            assert_eq!(one, &one.clone());
        }
    }

    #[test]
    fn json_is_canonical() {
        let canonical = |text: &str| {
            let mut out = String::new();
            write_canonical(&serde_json::from_str(text).unwrap(), &mut out);
            out
        };
        assert_eq!(canonical(r#"{"b": [1, {"d": "\"", "c": null}], "a": 0.5}"#), r#"{"a":0.5,"b":[1,{"c":null,"d":"\""}]}"#);
        assert_eq!(canonical("[]"), "[]");
        let options = |text: &str| key().json("options", &serde_json::from_str::<Value>(text).unwrap()).unwrap();
        assert_eq!(options(r#"{"a": 1, "b": 2}"#), options(r#"{"b": 2, "a": 1}"#));
    }

    /// Keys are found again by later versions of this crate, so they must not change by accident.
    #[test]
    fn keys_stay_what_they_are() {
        let key = key().text("media", "blake3:00").span("span", Span::secs(1.0, 2.5).unwrap()).fingerprint("center 1");
        assert_eq!(key.to_string(), "tracks/27d7974ddb1a009149ebbb4f8b28f10c606459ae40895e6e6d115496ef0d0f49");
    }
}
