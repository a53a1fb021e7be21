//! An order of clips in the texts of an answer.

use serde_json::Value;

use super::shape::candidates;
use super::{Repair, Repairs};
use crate::score::plain::plain;

/// The order in an answer: indexes into `ids`, best first, and what was read by its meaning. The
/// error says what is wrong.
pub(in crate::score::openai) fn order(texts: &[String], ids: &[&str]) -> Result<(Vec<usize>, Repairs), String> {
    let mut other = None;
    for candidate in texts.iter().flat_map(|text| candidates(text)) {
        let mut repairs = candidate.repairs;
        let Some(named) = named(&candidate.value, ids, &mut repairs, 0) else { continue };
        if named.iter().any(|id| ids.contains(&id.as_str())) {
            return checked(&named, ids).map(|order| (order, repairs));
        }
        other.get_or_insert(named);
    }
    match other {
        Some(named) => checked(&named, ids).map(|order| (order, Repairs::default())),
        None => Err("it does not match the schema".into()),
    }
}

fn checked(named: &[String], ids: &[&str]) -> Result<Vec<usize>, String> {
    let mut order = Vec::new();
    for id in named {
        let Some(place) = ids.iter().position(|known| known == id) else {
            return Err(format!("it names a clip {} that was not sent", plain(id, 20)));
        };
        if order.contains(&place) {
            return Err(format!("it names the clip {id} twice"));
        }
        order.push(place);
    }
    if order.len() < ids.len() { Err("it omits clips".into()) } else { Ok(order) }
}

/// The ids that a value names, best first. `None` if it names none, or in several places.
fn named(value: &Value, ids: &[&str], repairs: &mut Repairs, depth: usize) -> Option<Vec<String>> {
    const MAX_DEPTH: usize = 4;
    if depth > MAX_DEPTH {
        return None;
    }
    match value {
        Value::Array(list) => {
            repairs.add(Repair::Shape, usize::from(depth == 0));
            listed(list, repairs)
        }
        Value::Object(object) => {
            if let Some(Value::Array(list)) = object.get("order").filter(|_| depth == 0) {
                return listed(list, repairs);
            }
            if object.keys().any(|key| ids.contains(&key.as_str())) {
                repairs.add(Repair::Shape, 1);
                let ranked: Option<Vec<(u64, String)>> = object.iter().map(|(id, rank)| Some((rank.as_u64()?, id.clone()))).collect();
                return by_rank(ranked?);
            }
            repairs.add(Repair::Shape, usize::from(depth == 0));
            if let Some(found) = object.get("order").and_then(|inner| named(inner, ids, repairs, depth + 1)) {
                return Some(found);
            }
            let mut found = object.values().filter(|inner| inner.is_array() || inner.is_object());
            let (first, more) = (found.next()?, found.next());
            more.is_none().then(|| named(first, ids, repairs, depth + 1))?
        }
        // `"a, b, c"` or `"a > b > c"`
        Value::String(text) => {
            let parts = text.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '>' | ';' | '[' | ']' | '"' | '\''));
            let parts: Vec<String> = parts.filter(|part| !part.is_empty()).map(str::to_owned).collect();
            (!parts.is_empty()).then_some(parts)
        }
        _ => None,
    }
}

/// The ids in a list of ids, or of objects with ids.
fn listed(list: &[Value], repairs: &mut Repairs) -> Option<Vec<String>> {
    let mut ranks = Vec::new();
    let mut ids = Vec::new();
    for item in list {
        let id = if item.is_object() {
            let rank = ["rank", "position", "place"].iter().find_map(|name| item[*name].as_u64());
            ranks.extend(rank);
            ["id", "clip_id", "clip"].iter().find_map(|name| item[*name].as_str()).map(str::to_owned)
        } else {
            item.as_str().map(str::to_owned).or_else(|| item.as_u64().map(|number| number.to_string()))
        };
        repairs.add(Repair::Number, usize::from(item.is_u64()));
        repairs.add(Repair::Shape, usize::from(item.is_object()));
        ids.push(id?);
    }
    // Ranks that contradict the order have no clear meaning.
    (ranks.is_empty() || ranks.len() == list.len() && ranks.is_sorted_by(|a, b| a < b)).then_some(ids)
}

/// Ids by ranks from 1, each once.
fn by_rank(mut ranked: Vec<(u64, String)>) -> Option<Vec<String>> {
    ranked.sort();
    let is_ranking = ranked.iter().zip(1..).all(|((rank, _), expected)| *rank == expected);
    is_ranking.then(|| ranked.into_iter().map(|(_, id)| id).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IDS: [&str; 3] = ["a1", "b2", "77"];

    fn of(text: &str) -> Result<Vec<usize>, String> {
        order(&[text.to_owned()], &IDS).map(|(order, _)| order)
    }

    #[test]
    fn orders_of_many_forms_are_read_and_counted() {
        let exact = order(&[r#"{"order": ["b2", "a1", "77"]}"#.to_owned()], &IDS).unwrap();
        assert_eq!(exact, (vec![1, 0, 2], Repairs::default()));
        for text in [
            r#"["b2", "a1", 77]"#,
            r#"{"ranking": ["b2", "a1", "77"]}"#,
            r#"{"result": {"order": ["b2", "a1", "77"]}}"#,
            r#"{"order": [{"id": "b2", "rank": 1}, {"id": "a1", "rank": 2}, {"id": "77", "rank": 3}]}"#,
            r#"{"order": "b2 > a1 > 77"}"#,
            r#"{"a1": 2, "b2": 1, "77": 3}"#,
            "The order is: {'order': ['b2', 'a1', '77',]}. Done.",
        ] {
            let (found, repairs) = order(&[text.to_owned()], &IDS).unwrap();
            assert!(found == [1, 0, 2] && !repairs.is_empty(), "{text}");
        }
        let later = order(&["no".into(), r#"{"order": ["b2", "a1", "77"]}"#.into()], &IDS).unwrap();
        assert_eq!(later.0, [1, 0, 2]);
    }

    #[test]
    fn ids_are_checked_strictly() {
        for (text, expected) in [
            (r#"{"order": ["b2", "a1"]}"#, "omits clips"),
            (r#"{"order": ["b2", "a1", "zz"]}"#, "zz that was not sent"),
            (r#"{"order": ["b2", "b2", "77"]}"#, "b2 twice"),
            (r#"{"order": ["x"]}"#, "was not sent"),
            (r#"{"order": [{"id": "b2", "rank": 3}, {"id": "a1", "rank": 2}, {"id": "77", "rank": 1}]}"#, "does not match"),
            (r#"{"a1": 9, "b2": 7, "77": 8}"#, "does not match"),
            (r#"{"order": 5}"#, "does not match"),
            ("b2", "does not match"),
            ("", "does not match"),
        ] {
            assert!(of(text).unwrap_err().contains(expected), "{text}: {:?}", of(text));
        }
    }

    proptest! {
        #[test]
        fn an_order_has_each_clip_once(text in "[\\[\\]{}\"':,a1b27 order]{0,60}|\\PC{0,40}") {
            if let Ok(mut order) = of(&text) {
                order.sort_unstable();
                prop_assert_eq!(order, [0, 1, 2]);
            }
        }
    }
}
