//! Fields of an item, also under another name.

use serde_json::Value;

use super::{Repair, Repairs};
use crate::score::openai::verdict::SCORES;

/// The other names of fields, without case, blanks, `_` and `-`.
const OTHER_NAMES: [(&str, &[&str]); 14] = [
    ("id", &["spanid", "clipid", "span", "clip"]),
    ("hook", &["hookscore"]),
    ("completeness", &["completenessscore", "complete"]),
    ("density", &["densityscore"]),
    ("emotion", &["emotionscore", "emotions"]),
    ("fit", &["fitscore", "topicfit"]),
    ("first", &["firstsentence", "from", "start", "startsentence"]),
    ("last", &["lastsentence", "to", "end", "endsentence"]),
    ("quote", &["quotation", "strongest", "strongestsentence", "punchline"]),
    ("hook_line", &["hookline", "hooktext"]),
    ("description", &["caption", "posttext", "summary"]),
    ("tags", &["hashtags", "keywords"]),
    ("reason", &["reasons", "reasoning", "explanation", "why"]),
    ("why", &["reason", "reasons", "reasoning", "explanation"]),
];

/// A field that is not null, also under another name or inside of `scores`.
pub(super) fn field<'v>(item: &'v Value, name: &str, repairs: &mut Repairs) -> Option<&'v Value> {
    if let Some(value) = item.get(name).filter(|value| !value.is_null()) {
        return Some(value);
    }
    let others = OTHER_NAMES.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, others)| others);
    let is_name = |key: &str| {
        let bare: String = key.chars().filter(|letter| !matches!(letter, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect();
        bare == name || others.contains(&bare.as_str())
    };
    let inner = ["scores", "score", "ratings"].iter().filter(|_| SCORES.contains(&name)).filter_map(|inner| item.get(*inner)?.as_object());
    let objects = item.as_object().into_iter().chain(inner);
    let found = objects.flatten().find(|(key, value)| !value.is_null() && is_name(key)).map(|(_, value)| value)?;
    repairs.add(Repair::Name, 1);
    Some(found)
}

/// The text of a field, also a number. `None` if there is none.
pub(super) fn text_of(item: &Value, name: &str, repairs: &mut Repairs) -> Option<String> {
    match field(item, name, repairs)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
