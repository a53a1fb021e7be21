//! Verdicts on spans in the texts of an answer.

use std::collections::HashMap;

use serde_json::Value;

use super::number::{Written, number, whole};
use super::shape::{self, Items, candidates};
use super::{Repair, Repairs};
use crate::score::openai::verdict::{Asked, Raw, SCORES, Verdict};
use crate::score::plain::plain;

/// The other names of fields, without case, blanks, `_` and `-`.
const OTHER_NAMES: [(&str, &[&str]); 10] = [
    ("id", &["spanid", "clipid", "span", "clip"]),
    ("hook", &["hookscore"]),
    ("completeness", &["completenessscore", "complete"]),
    ("density", &["densityscore"]),
    ("emotion", &["emotionscore", "emotions"]),
    ("fit", &["fitscore", "topicfit"]),
    ("first", &["firstsentence", "from"]),
    ("last", &["lastsentence", "to"]),
    ("hook_line", &["hookline", "hooktext"]),
    ("reason", &["reasons", "reasoning", "explanation", "why"]),
];

/// The valid verdicts in an answer, by index in `asked`; a description of everything else that is
/// wrong with it, for the model and for users; what was read by its meaning.
pub(in crate::score::openai) fn verdicts(
    texts: &[String],
    asked: &[Asked<'_>],
    with_fit: bool,
) -> (HashMap<usize, Verdict>, Vec<String>, Repairs) {
    let ids: Vec<&str> = asked.iter().map(|asked| asked.id).collect();
    let mut other = None;
    for text in texts {
        // Objects that stand alone, one after the other.
        let (mut alone, mut alone_repairs) = (Vec::new(), Repairs::default());
        for candidate in candidates(text) {
            let mut repairs = candidate.repairs;
            let (items, is_known) = match shape::items(&candidate.value, "spans", &ids, &is_item) {
                Some(Items::List(items, exact)) => {
                    repairs.add(Repair::Shape, usize::from(!exact));
                    let is_known = items.iter().any(|item| names_one_of(item, &ids));
                    (items, is_known)
                }
                Some(Items::One(item)) => {
                    if names_one_of(&item, &ids) {
                        alone.push(item);
                        alone_repairs = repairs;
                        continue;
                    }
                    (vec![item], false)
                }
                None => continue,
            };
            if is_known {
                return judged(items, repairs, asked, with_fit);
            }
            other.get_or_insert((items, repairs));
        }
        if !alone.is_empty() {
            alone_repairs.add(Repair::Shape, 1);
            return judged(alone, alone_repairs, asked, with_fit);
        }
    }
    match other {
        Some((items, repairs)) => judged(items, repairs, asked, with_fit),
        None => (HashMap::new(), vec!["it does not match the schema".into()], Repairs::default()),
    }
}

/// Whether an object may be a verdict: it has an id and a score.
fn is_item(value: &Value) -> bool {
    let mut ignored = Repairs::default();
    let has_id = field(value, "id", &mut ignored).and_then(id).is_some();
    value.is_object() && has_id && SCORES.iter().any(|name| field(value, name, &mut ignored).is_some())
}

fn names_one_of(item: &Value, ids: &[&str]) -> bool {
    field(item, "id", &mut Repairs::default()).and_then(id).is_some_and(|id| ids.contains(&id.as_str()))
}

fn id(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
}

/// A field that is not null, also under another name or inside of `scores`.
fn field<'v>(item: &'v Value, name: &str, repairs: &mut Repairs) -> Option<&'v Value> {
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

/// A verdict before its scores have a scale.
struct Unscaled {
    place: usize,
    scores: [Option<Written>; SCORES.len()],
    raw: Raw,
}

fn judged(items: Vec<Value>, found: Repairs, asked: &[Asked<'_>], with_fit: bool) -> (HashMap<usize, Verdict>, Vec<String>, Repairs) {
    let (mut read, mut wrong, mut repairs) = (Vec::new(), Vec::new(), found);
    let mut seen = vec![0_usize; asked.len()];
    for item in items {
        let mut own = Repairs::default();
        let Some(id) = field(&item, "id", &mut own).and_then(id) else {
            wrong.push("a span does not match the schema: it has no id".to_owned());
            continue;
        };
        let Some(place) = asked.iter().position(|asked| asked.id == id) else {
            wrong.push(format!("it scores a span {} that was not sent", plain(&id, 20)));
            continue;
        };
        own.add(Repair::Number, usize::from(field(&item, "id", &mut Repairs::default()).is_some_and(Value::is_u64)));
        seen[place] += 1;
        match seen[place] {
            1 => {}
            // Neither of two verdicts is preferred.
            2 => {
                wrong.push(format!("it scores span {id} twice"));
                continue;
            }
            _ => continue,
        }
        match unscaled(&item, place, &asked[place], with_fit, &mut own) {
            Ok(verdict) => {
                read.push(verdict);
                repairs.merge(own);
            }
            Err(what) => wrong.push(what),
        }
    }
    let scale = scale(&read);
    let mut verdicts = HashMap::new();
    for Unscaled { place, scores, mut raw } in read.into_iter().filter(|it| seen[it.place] == 1) {
        for (score, written) in raw.scores.iter_mut().zip(scores) {
            *score = written.map(|written| match written {
                Written::Share(share) => share * 10.0,
                // Rounded, so that 0.1 times 70 is 7, and no 10 is above 10.
                Written::Plain(number) if scale != 1.0 => (number * scale * 1000.0).round() / 1000.0,
                Written::Plain(number) => number,
            });
            repairs.add(Repair::Scale, usize::from(scale != 1.0 && matches!(written, Some(Written::Plain(_)))));
        }
        match raw.checked(&asked[place], with_fit) {
            Ok(verdict) => {
                verdicts.insert(place, verdict);
            }
            Err(what) => wrong.push(what),
        }
    }
    let omitted = asked.iter().zip(&seen).filter(|(_, seen)| **seen == 0);
    wrong.extend(omitted.map(|(asked, _)| format!("it omits span {}", asked.id)));
    let repairs = if verdicts.is_empty() { Repairs::default() } else { repairs };
    (verdicts, wrong, repairs)
}

/// The fields of one item. The error says which is missing or unreadable.
fn unscaled(item: &Value, place: usize, asked: &Asked<'_>, with_fit: bool, repairs: &mut Repairs) -> Result<Unscaled, String> {
    let mut scores = [None; SCORES.len()];
    for (score, name) in scores.iter_mut().zip(SCORES) {
        match field(item, name, repairs) {
            Some(value) => {
                let Some((written, is_text)) = number(value) else {
                    return Err(format!("a span does not match the schema: its {name} is no number"));
                };
                repairs.add(Repair::Number, usize::from(is_text));
                *score = Some(written);
            }
            None if name == "fit" && with_fit => return Err(format!("span {} has no fit", asked.id)),
            None if name == "fit" => {}
            None => return Err(format!("a span does not match the schema: it has no {name}")),
        }
    }
    let mut sentence = |name: &str, proposed: usize| match field(item, name, repairs) {
        Some(value) => match whole(value) {
            Some((number, is_text)) => {
                repairs.add(Repair::Number, usize::from(is_text));
                Ok(number)
            }
            None => Err(format!("a span does not match the schema: its {name} is no number of a sentence")),
        },
        None => {
            repairs.add(Repair::Missing, 1);
            Ok(proposed)
        }
    };
    let (first, last) = (sentence("first", asked.proposed.0)?, sentence("last", asked.proposed.1)?);
    let mut text = |name: &str| match field(item, name, repairs) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => {
            repairs.add(Repair::Missing, usize::from(name != "title" && item.get(name).is_none()));
            String::new()
        }
    };
    let (title, hook_line, reason) = (text("title"), text("hook_line"), text("reason"));
    Ok(Unscaled { place, scores, raw: Raw { scores: [None; SCORES.len()], first, last, title, hook_line, reason } })
}

/// The factor that brings an answer's scores to the scale from 0 to 10.
///
/// From 0 to 100: no score is above 100, and more than half are above 10. From 0 to 1: no score is
/// above 1, and at least one lies between. A single score that is out of range changes nothing: it
/// is an error.
fn scale(read: &[Unscaled]) -> f64 {
    const LEAST: usize = 4;
    let plain = |written: &Option<Written>| match written {
        Some(Written::Plain(number)) => Some(*number),
        _ => None,
    };
    let scores: Vec<f64> = read.iter().flat_map(|verdict| verdict.scores.iter().filter_map(plain)).collect();
    let within = |most: f64| scores.len() >= LEAST && scores.iter().all(|score| (0.0..=most).contains(score));
    let above = scores.iter().filter(|score| **score > 10.0).count();
    if within(100.0) && above * 2 > scores.len() {
        0.1
    } else if within(1.0) && scores.iter().any(|score| score.fract() != 0.0) {
        10.0
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::score::openai::verdict::MAX_TITLE_CHARS;

    const ASKED: [Asked<'static>; 2] =
        [Asked { id: "a1", sentences: 4, proposed: (2, 3) }, Asked { id: "b2", sentences: 2, proposed: (1, 2) }];

    fn span(id: &str, change: impl Fn(&mut Value)) -> Value {
        let mut span = json!({
            "id": id, "hook": 5, "completeness": 6.5, "density": 5, "emotion": 4, "first": 1, "last": 2,
            "title": " \"A\ntitle\" ", "hook_line": "", "reason": "r"
        });
        change(&mut span);
        span
    }

    fn good(id: &str) -> Value {
        span(id, |_| {})
    }

    fn read(text: &str) -> (Vec<usize>, String, Repairs) {
        let (verdicts, wrong, repairs) = verdicts(&[text.to_owned()], &ASKED, false);
        let mut places: Vec<usize> = verdicts.into_keys().collect();
        places.sort_unstable();
        (places, wrong.join("; "), repairs)
    }

    fn judged(spans: &[Value]) -> (Vec<usize>, String) {
        let (places, wrong, repairs) = read(&json!({ "spans": spans }).to_string());
        assert!(repairs.is_empty(), "{repairs:?}");
        (places, wrong)
    }

    #[test]
    fn valid_verdicts_are_kept_and_the_rest_is_reported() {
        assert_eq!(judged(&[good("b2"), good("a1")]), (vec![0, 1], String::new()));
        assert_eq!(judged(&[good("a1")]), (vec![0], "it omits span b2".into()));
        assert_eq!(judged(&[good("a1"), good("b2"), good("zz")]), (vec![0, 1], "it scores a span zz that was not sent".into()));
        assert_eq!(judged(&[good("a1"), good("b2"), good("a1")]), (vec![1], "it scores span a1 twice".into()));
        let bad = |change: fn(&mut Value)| judged(&[span("a1", change), good("b2")]);
        for (change, expected) in [
            ((|s| s["hook"] = json!(10.1)) as fn(&mut Value), "not from 0 to 10"),
            (|s| s["hook"] = json!(70), "not from 0 to 10"),
            (|s| s["emotion"] = json!(-1), "not from 0 to 10"),
            (|s| s["last"] = json!(5), "no sentences 1 to 5"),
            (|s| s["first"] = json!(3), "no sentences 3 to 2"),
            (|s| s["first"] = json!(0), "no sentences 0 to 2"),
            (|s| s["title"] = json!("\u{200b} --"), "no title"),
            (|s| s["title"] = json!(null), "no title"),
            (|s| s["title"] = json!("Buy at http://evil.example"), "an address"),
            (|s| s["hook_line"] = json!("www.evil.example"), "an address"),
            (|s| s["hook"] = json!("high"), "does not match"),
            (|s| s["hook"] = json!(null), "does not match the schema: it has no hook"),
            (|s| s["first"] = json!(-1), "does not match"),
            (|s| s["first"] = json!(1.5), "does not match"),
            (|s| s["id"] = json!("A1"), "A1 that was not sent"),
            (|s| s["id"] = json!(null), "it has no id"),
        ] {
            let (places, wrong) = bad(change);
            assert!(places == [1] && wrong.contains(expected), "{wrong}");
        }
        let (found, ..) = verdicts(&[json!({"spans": [good("a1")]}).to_string()], &ASKED, false);
        assert_eq!((found[&0].title.as_str(), found[&0].hook_line.clone(), found[&0].sentences.clone()), ("A title", None, 0..2));
        assert!(verdicts(&[json!({"spans": [good("a1")]}).to_string()], &ASKED, true).1[0].contains("no fit"));
    }

    #[test]
    fn what_has_one_clear_meaning_is_taken_and_counted() {
        let list = json!([good("a1"), good("b2")]);
        let python = list.to_string().replace('"', "'").replace("\\'", "").replace("\\n", " ");
        let keyed = |id: &str| {
            let mut span = good(id);
            span.as_object_mut().unwrap().remove("id");
            span
        };
        let without = |names: &[&str], id: &str| {
            let mut span = good(id);
            names.iter().for_each(|name| drop(span.as_object_mut().unwrap().remove(*name)));
            span
        };
        let nested = |id: &str| {
            let mut span = without(&["hook", "completeness", "density", "emotion"], id);
            span["scores"] = json!({"Hook": 5, "completeness": 6.5, "density": 5, "emotion_score": 4});
            span
        };
        let cases: Vec<(String, &str)> = vec![
            (list.to_string(), "1 lists of another shape"),
            (json!({ "verdicts": list }).to_string(), "1 lists of another shape"),
            (json!({"result": {"spans": list}}).to_string(), "1 lists of another shape"),
            (json!({"a1": keyed("a1"), "b2": keyed("b2")}).to_string(), "1 lists of another shape"),
            (json!({"spans": list.to_string()}).to_string(), "1 lists of another shape"),
            (json!(json!({ "spans": list }).to_string()).to_string(), "1 lists of another shape"),
            (format!("{}\n{}", good("a1"), good("b2")), "1 lists of another shape"),
            (format!("Sure! {}\nDone.", json!({ "spans": list })), "1 texts around the JSON"),
            (format!("{{{}}}", json!({ "spans": list })), "1 texts around the JSON"),
            (format!("{{'spans': {python},}}"), "places that are not JSON"),
            (format!("{{\"spans\": [{}, {},],}}", good("a1"), good("b2")), "2 places that are not JSON"),
            (
                json!({"spans": [span("a1", |s| s["hook"] = json!("5")), span("b2", |s| s["last"] = json!(2.0))]}).to_string(),
                "2 numbers as text",
            ),
            (
                json!({"spans": [span("a1", |s| s["hook"] = json!("5/10")), span("b2", |s| s["hook"] = json!("50%"))]}).to_string(),
                "2 numbers as text",
            ),
            (
                json!({"spans": [without(&["reason", "hook_line"], "a1"), without(&["reason"], "b2")]}).to_string(),
                "3 optional fields left out",
            ),
            (json!({"spans": [nested("a1"), nested("b2")]}).to_string(), "8 fields of another name"),
        ];
        for (text, expected) in cases {
            let (places, wrong, repairs) = read(&text);
            assert_eq!((places, wrong.as_str()), (vec![0, 1], ""), "{text}");
            assert!(repairs.describe().contains(expected), "{text}: {}", repairs.describe());
        }
        // In fences nothing is repaired.
        let (places, _, repairs) = read(&format!("```json\n{}\n```", json!({ "spans": list })));
        assert!(places == [0, 1] && repairs.is_empty());
        // Without sentences the span stays as it was proposed.
        let (found, ..) = verdicts(&[json!({"spans": [without(&["first", "last"], "a1")]}).to_string()], &ASKED, false);
        assert_eq!(found[&0].sentences, 1..3);
        // Of an answer that is cut off, the whole verdicts count.
        let (places, wrong, _) = read(&json!({ "spans": list }).to_string()[..json!({ "spans": list }).to_string().len() - 20]);
        assert_eq!((places, wrong.as_str()), (vec![0], "it omits span b2"));
    }

    #[test]
    fn the_scale_of_scores_is_that_of_the_whole_answer() {
        let scaled = |factor: f64| {
            let change = move |s: &mut Value| {
                for name in ["hook", "completeness", "density", "emotion"] {
                    s[name] = json!(s[name].as_f64().unwrap() * factor);
                }
            };
            json!({"spans": [span("a1", change), span("b2", change)]}).to_string()
        };
        let plain = verdicts(&[scaled(1.0)], &ASKED, false);
        assert!(plain.2.is_empty());
        for factor in [10.0, 0.1] {
            let (found, wrong, repairs) = verdicts(&[scaled(factor)], &ASKED, false);
            assert!(wrong.is_empty() && repairs.describe() == "8 scores on another scale", "{wrong:?} {}", repairs.describe());
            assert!((found[&1].completeness - 6.5).abs() < 1e-9 && (found[&0].hook - plain.0[&0].hook).abs() < 1e-9);
        }
        // One score above 10 is an error, and so is one above 100.
        assert!(verdicts(&[scaled(30.0)], &ASKED, false).0.is_empty());
        assert!(verdicts(&[scaled(2.0)], &ASKED, false).1[0].contains("not from 0 to 10"));
    }

    #[test]
    fn the_first_text_and_the_first_value_that_fit_are_taken() {
        let of = |hook: f64| json!({"spans": [span("a1", |s| s["hook"] = json!(hook)), good("b2")]}).to_string();
        let texts = ["no".to_owned(), "{\"plan\": [1, 2]}".to_owned() + &of(7.0) + &of(8.0), of(9.0)];
        assert_eq!(verdicts(&texts, &ASKED, false).0[&0].hook, 7.0);
        assert_eq!(verdicts(&[], &ASKED, false).1, ["it does not match the schema"]);
        assert_eq!(read("{\"spans\": []}").1, "it omits span a1; it omits span b2");
    }

    proptest! {
        #[test]
        fn any_response_gives_valid_verdicts_or_reports(text in "\\PC*", hook in prop::num::f64::ANY, first in 0..6usize, title in any::<String>()) {
            prop_assert!(!read(&text).1.is_empty());
            let answer = json!({"spans": [span("a1", |s| { s["hook"] = json!(hook); s["first"] = json!(first); s["title"] = json!(title); })]});
            let (verdicts, wrong, _) = verdicts(&[answer.to_string()], &ASKED, false);
            prop_assert!(!wrong.is_empty());
            for verdict in verdicts.values() {
                prop_assert!((0.0..=10.0).contains(&verdict.hook) && verdict.sentences.end <= 4 && !verdict.sentences.is_empty());
                prop_assert!(verdict.title.chars().count() <= MAX_TITLE_CHARS && !verdict.title.chars().any(char::is_control));
            }
        }

        #[test]
        fn a_broken_answer_gives_no_verdict_that_was_not_in_it(cut in 0..400usize, drop in 0..400usize) {
            let whole = json!({"spans": [good("a1"), good("b2")]}).to_string();
            let mut text: String = whole.chars().take(whole.len().saturating_sub(cut)).collect();
            if drop < text.len() {
                text.remove(drop);
            }
            for verdict in verdicts(&[text], &ASKED, false).0.values() {
                prop_assert!((0.0..=10.0).contains(&verdict.completeness) && verdict.sentences.end <= 4);
            }
        }
    }
}
