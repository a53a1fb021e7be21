//! Proposals of a model for clips: schema and validation. Pure.

use std::ops::Range;

use serde_json::{Value, json};

use super::verdict::{MAX_HOOK_LINE_CHARS, MAX_REASON_CHARS};
use crate::score::plain::{has_address, plain};

/// The longest quote in characters; a longer one is cut between words.
const MAX_QUOTE_CHARS: usize = 400;

/// A proposal with valid sentences. Whether the quote is said is not known yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proposal {
    /// The sentences of the clip, as indexes into those in the request.
    pub(super) sentences: Range<usize>,
    /// What the model takes for the strongest sentence.
    pub(super) quote: String,
    pub(super) why: String,
    pub(super) hook_line: Option<String>,
}

/// A proposal as read, before it is checked.
pub(super) struct Raw {
    /// The numbers of the first and last sentence, from 1.
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) quote: String,
    pub(super) why: String,
    pub(super) hook_line: String,
}

/// The JSON Schema of a response.
pub(super) fn schema() -> Value {
    let (number, text) = (json!({"type": "integer"}), json!({"type": "string"}));
    let proposal = json!({
        "type": "object", "additionalProperties": false, "required": ["first", "last", "quote", "why", "hook_line"],
        "properties": {"first": number, "last": number, "quote": text, "why": text, "hook_line": text}
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["proposals"],
        "properties": {"proposals": {"type": "array", "items": proposal}}
    })
}

impl Raw {
    /// `sentences` is the number of those in the request.
    ///
    /// # Errors
    ///
    /// What is wrong, for the model and for users.
    pub(super) fn checked(self, sentences: usize) -> Result<Proposal, String> {
        let Raw { first, last, quote, .. } = self;
        if first < 1 || last < first || last > sentences {
            return Err(format!("it proposes sentences {first} to {last}, of {sentences}"));
        }
        let hook_line = plain(&self.hook_line, MAX_HOOK_LINE_CHARS);
        let is_line = hook_line.chars().any(char::is_alphanumeric) && !has_address(&hook_line);
        Ok(Proposal {
            sentences: first - 1..last,
            quote: plain(&quote, MAX_QUOTE_CHARS),
            why: plain(&self.why, MAX_REASON_CHARS),
            hook_line: Some(hook_line).filter(|_| is_line),
        })
    }
}
