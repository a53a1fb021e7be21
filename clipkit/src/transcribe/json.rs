//! Words with times in the answers of servers.

use serde_json::Value;

use super::text::read_value;
use crate::model::Word;

/// The words of an answer.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) language: Option<String>,
    pub(super) words: Vec<Word>,
}

/// Reads an answer. `None` if it has no words with times.
pub(super) fn read(value: &Value) -> Option<Document> {
    let read = read_value(value)?;
    Some(Document { language: read.language.as_deref().and_then(super::language::tag), words: read.words })
}
