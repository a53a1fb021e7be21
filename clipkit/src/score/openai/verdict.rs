//! Verdicts of a model on spans: schema and validation. Pure.

use std::ops::Range;

use serde_json::{Value, json};

use crate::score::plain::{has_address, plain};

/// The longest texts of a verdict, in characters; longer ones are cut.
pub(super) const MAX_TITLE_CHARS: usize = 60;
pub(super) const MAX_HOOK_LINE_CHARS: usize = 80;
pub(super) const MAX_REASON_CHARS: usize = 300;
const MAX_DESCRIPTION_CHARS: usize = 300;
/// The most tags, and the longest one in characters.
const MAX_TAGS: usize = 8;
const MAX_TAG_CHARS: usize = 30;

/// A span in a request.
pub(super) struct Asked<'a> {
    pub(super) id: &'a str,
    /// The number of its sentences, with those around it.
    pub(super) sentences: usize,
    /// The first and the last sentence of the clip as proposed, from 1.
    pub(super) proposed: (usize, usize),
}

/// The validated verdict on one span. Scores are from 0 to 10.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) hook: f64,
    pub(super) completeness: f64,
    pub(super) density: f64,
    pub(super) emotion: f64,
    /// How well it fits the wanted topics, if there are any.
    pub(super) fit: Option<f64>,
    /// The sentences to keep, as indexes into those in the request.
    pub(super) sentences: Range<usize>,
    pub(super) title: String,
    pub(super) hook_line: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) reason: String,
}

/// The scores of a verdict. `fit` is asked for where topics are.
pub(super) const SCORES: [&str; 5] = ["hook", "completeness", "density", "emotion", "fit"];

/// A verdict as read, before it is checked.
pub(super) struct Raw {
    /// The scores, in the order of [`SCORES`].
    pub(super) scores: [Option<f64>; SCORES.len()],
    /// The numbers of the first and last sentence, from 1.
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) title: String,
    pub(super) hook_line: String,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) reason: String,
}

/// The JSON Schema of a response. It allows only the ids that were sent.
pub(super) fn schema(asked: &[Asked<'_>], with_fit: bool) -> Value {
    let (number, text) = (json!({"type": "number"}), json!({"type": "string"}));
    let ids: Vec<&str> = asked.iter().map(|asked| asked.id).collect();
    let mut fields =
        vec!["id", "hook", "completeness", "density", "emotion", "first", "last", "title", "hook_line", "description", "tags", "reason"];
    let mut properties = json!({
        "id": {"type": "string", "enum": ids},
        "hook": number, "completeness": number, "density": number, "emotion": number,
        "first": {"type": "integer"}, "last": {"type": "integer"},
        "title": text, "hook_line": text, "description": text, "tags": {"type": "array", "items": text}, "reason": text
    });
    if with_fit {
        fields.push("fit");
        properties["fit"] = number;
    }
    let span = json!({"type": "object", "additionalProperties": false, "required": fields, "properties": properties});
    json!({
        "type": "object", "additionalProperties": false, "required": ["spans"],
        "properties": {"spans": {"type": "array", "items": span}}
    })
}

impl Raw {
    /// # Errors
    ///
    /// What is wrong, for the model and for users.
    pub(super) fn checked(self, asked: &Asked<'_>, with_fit: bool) -> Result<Verdict, String> {
        let Raw { scores, first, last, .. } = self;
        if scores.iter().flatten().any(|score| !(0.0..=10.0).contains(score)) {
            return Err(format!("a score of span {} is not from 0 to 10", asked.id));
        }
        let [Some(hook), Some(completeness), Some(density), Some(emotion), fit] = scores else {
            return Err(format!("a score of span {} is missing", asked.id));
        };
        if with_fit && fit.is_none() {
            return Err(format!("span {} has no fit", asked.id));
        }
        if first < 1 || last < first || last > asked.sentences {
            return Err(format!("span {} has no sentences {first} to {last}", asked.id));
        }
        let title = plain(&self.title, MAX_TITLE_CHARS);
        if !title.chars().any(char::is_alphanumeric) {
            return Err(format!("span {} has no title", asked.id));
        }
        let hook_line = plain(&self.hook_line, MAX_HOOK_LINE_CHARS);
        if has_address(&title) || has_address(&hook_line) {
            return Err(format!("the title of span {} holds an address", asked.id));
        }
        let description = plain(&self.description, MAX_DESCRIPTION_CHARS);
        let is_text = description.chars().any(char::is_alphanumeric) && !has_address(&description) && !description.contains(['@', '#']);
        let tags = self.tags.iter().map(|tag| plain(tag, MAX_TAG_CHARS));
        let tags = tags.filter(|tag| tag.chars().any(char::is_alphanumeric) && !has_address(tag) && !tag.contains('@'));
        Ok(Verdict {
            hook,
            completeness,
            density,
            emotion,
            fit: fit.filter(|_| with_fit),
            sentences: first - 1..last,
            title,
            hook_line: Some(hook_line).filter(|line| line.chars().any(char::is_alphanumeric)),
            description: Some(description).filter(|_| is_text),
            tags: tags.take(MAX_TAGS).collect(),
            reason: plain(&self.reason, MAX_REASON_CHARS),
        })
    }
}
