//! Where the items stand in an answer.

use serde_json::{Map, Value};

use super::{Repair, Repairs};
use crate::openai::lenient::{self, Found};

/// How deep a list may be wrapped.
const MAX_DEPTH: usize = 4;

/// A JSON value in a text, with the repairs that it took to read it.
pub(super) struct Candidate {
    pub(super) value: Value,
    pub(super) repairs: Repairs,
}

/// The JSON values in a text, in their order. A text that is one string of JSON is read as what the
/// string holds.
pub(super) fn candidates(text: &str) -> Vec<Candidate> {
    let found = |text: &str, base: Repairs| {
        let candidate = |Found { value, start, end, departures, .. }| {
            let mut repairs = base;
            repairs.add(Repair::Syntax, departures);
            let around = [text.get(..start), text.get(end..)].into_iter().flatten().any(|text| !is_fence(text));
            repairs.add(Repair::Around, usize::from(around));
            Candidate { value, repairs }
        };
        lenient::values(text).map(candidate).collect()
    };
    match lenient::read(text) {
        Some(Found { value: Value::String(inner), departures: 0, .. }) => {
            let mut repairs = Repairs::default();
            repairs.add(Repair::Shape, 1);
            found(&inner, repairs)
        }
        _ => found(text, Repairs::default()),
    }
}

/// Whether a text is nothing but white space and the fence of Markdown's code.
fn is_fence(text: &str) -> bool {
    let text = text.trim().trim_matches(['`', '~']).trim();
    text.is_empty() || text.eq_ignore_ascii_case("json") || text.eq_ignore_ascii_case("json5")
}

/// Items in a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Items {
    /// A list, and whether it is where it was asked for.
    List(Vec<Value>, bool),
    /// One object that is an item itself.
    One(Value),
}

/// Finds the items, which are objects, in a value.
///
/// `name` is the field in which they were asked for, `ids` are the ids that they may have,
/// `is_item` tells whether an object is one. `None` if there are none, or in several places.
pub(super) fn items(value: &Value, name: &str, ids: &[&str], is_item: &dyn Fn(&Value) -> bool) -> Option<Items> {
    let search = Search { name, ids, is_item };
    if let Some(Value::Array(list)) = value.get(name) {
        return Some(Items::List(list.clone(), true));
    }
    search.items(value, 0)
}

struct Search<'a> {
    name: &'a str,
    ids: &'a [&'a str],
    is_item: &'a dyn Fn(&Value) -> bool,
}

impl Search<'_> {
    fn items(&self, value: &Value, depth: usize) -> Option<Items> {
        if depth > MAX_DEPTH {
            return None;
        }
        match value {
            Value::Array(list) if list.iter().any(self.is_item) => Some(Items::List(list.clone(), false)),
            Value::Array(list) => match &list[..] {
                [one] => self.items(one, depth + 1),
                _ => None,
            },
            Value::Object(object) => self.in_object(value, object, depth),
            Value::String(text) => lenient::read(text).and_then(|found| self.items(&found.value, depth + 1)),
            _ => None,
        }
    }

    fn in_object(&self, value: &Value, object: &Map<String, Value>, depth: usize) -> Option<Items> {
        let keyed = |(id, item): (&String, &Value)| {
            let mut item = item.as_object().filter(|_| self.ids.contains(&id.as_str()))?.clone();
            // An id inside that differs is not overwritten.
            item.entry("id").or_insert_with(|| Value::String(id.clone()));
            Some(Value::Object(item))
        };
        let by_id: Vec<Value> = object.iter().filter_map(keyed).collect();
        if !by_id.is_empty() {
            return Some(Items::List(by_id, false));
        }
        if (self.is_item)(value) {
            return Some(Items::One(value.clone()));
        }
        if let Some(named) = object.get(self.name).and_then(|inner| self.inner(inner, depth)) {
            return Some(named);
        }
        let mut found = object.values().filter_map(|inner| self.inner(inner, depth));
        let first = found.next()?;
        // Of several lists none is preferred.
        found.next().is_none().then_some(first)
    }

    fn inner(&self, value: &Value, depth: usize) -> Option<Items> {
        match self.items(value, depth + 1)? {
            Items::One(item) => Some(Items::List(vec![item], false)),
            list => Some(list),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_found_wherever_they_stand() {
        let is_item = |value: &Value| value["id"].is_string();
        let found = |value: &Value| items(value, "spans", &["a", "b"], &is_item);
        let item = json!({"id": "a", "x": 1});
        let list = |exact| Some(Items::List(vec![item.clone()], exact));
        assert_eq!(found(&json!({"spans": [item]})), list(true));
        for value in [
            json!([item]),
            json!({"verdicts": [item], "note": "x", "list": [1, 2]}),
            json!({"result": {"spans": [item]}}),
            json!([{"spans": [item]}]),
            json!({"spans": item}),
            json!({"spans": {"a": {"x": 1}}}),
            json!({"a": {"x": 1}}),
            json!({"spans": json!([item]).to_string()}),
            json!({"answer": json!({"spans": [item]}).to_string()}),
        ] {
            let expected = found(&value).unwrap();
            let Items::List(items, exact) = expected else { panic!("{value}") };
            assert!(!exact && items.len() == 1 && items[0]["id"] == "a" && items[0]["x"] == 1, "{value}: {items:?}");
        }
        assert_eq!(found(&item), Some(Items::One(item.clone())));
        for nothing in [json!([]), json!({}), json!([1, 2]), json!({"one": [item], "two": [item]}), json!("text"), json!(5)] {
            assert_eq!(found(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn fences_are_no_text() {
        for text in ["", "```json\n", "\n```", "~~~", " JSON "] {
            assert!(is_fence(text), "{text}");
        }
        assert!(!is_fence("Here:") && !is_fence("```json\nHere"));
    }
}
