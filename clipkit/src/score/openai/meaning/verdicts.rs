//! Verdicts on spans in the texts of an answer.

use std::collections::HashMap;

use serde_json::Value;

use super::field::{field, text_of};
use super::number::{Written, number, whole};
use super::shape::{self, Items, candidates};
use super::{Repair, Repairs};
use crate::score::openai::verdict::{Asked, Raw, SCORES, Verdict};
use crate::score::plain::plain;

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
    let title = text_of(item, "title", repairs).unwrap_or_default();
    let mut optional = |name: &str| {
        text_of(item, name, repairs).unwrap_or_else(|| {
            repairs.add(Repair::Missing, usize::from(item.get(name).is_none()));
            String::new()
        })
    };
    let (hook_line, reason) = (optional("hook_line"), optional("reason"));
    // Without them, words of the transcript describe the clip.
    let description = field(item, "description", repairs).and_then(Value::as_str).unwrap_or_default().to_owned();
    let tags = tags(field(item, "tags", repairs));
    Ok(Unscaled { place, scores, raw: Raw { scores: [None; SCORES.len()], first, last, title, hook_line, description, tags, reason } })
}

/// Tags in a list, or in a text with commas, blanks or `#` between them.
fn tags(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(tags)) => tags.iter().filter_map(Value::as_str).map(|tag| tag.trim_start_matches('#').to_owned()).collect(),
        Some(Value::String(text)) => {
            let separator = |letter: char| if text.contains(',') { letter == ',' } else { letter.is_whitespace() };
            text.split(separator).map(|tag| tag.trim().trim_start_matches('#').to_owned()).filter(|tag| !tag.is_empty()).collect()
        }
        _ => Vec::new(),
    }
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
#[path = "verdicts_tests.rs"]
mod tests;
