//! Proposals for clips in the texts of an answer.

use serde_json::Value;

use super::field::{field, text_of};
use super::number::whole;
use super::shape::{self, Items, candidates};
use super::{Repair, Repairs};
use crate::score::openai::proposal::{Proposal, Raw};

/// The valid proposals in an answer, in their order; a description of each that is not valid, for
/// the model and for users; what was read by its meaning. `sentences` is the number of those that
/// were sent.
///
/// # Errors
///
/// What is wrong if the answer has no list of proposals. An empty list is one.
pub(in crate::score::openai) fn proposals(texts: &[String], sentences: usize) -> Result<(Vec<Proposal>, Vec<String>, Repairs), String> {
    let mut is_empty = false;
    for text in texts {
        // Objects that stand alone, one after the other.
        let (mut alone, mut alone_repairs) = (Vec::new(), Repairs::default());
        for candidate in candidates(text) {
            let mut repairs = candidate.repairs;
            match shape::items(&candidate.value, "proposals", &[], &is_item) {
                Some(Items::List(items, exact)) if items.iter().any(is_item) => {
                    repairs.add(Repair::Shape, usize::from(!exact));
                    return Ok(read(items, repairs, sentences));
                }
                Some(Items::List(items, _)) => is_empty |= items.is_empty(),
                Some(Items::One(item)) => {
                    alone.push(item);
                    alone_repairs = repairs;
                }
                None => {}
            }
        }
        if !alone.is_empty() {
            alone_repairs.add(Repair::Shape, 1);
            return Ok(read(alone, alone_repairs, sentences));
        }
    }
    if is_empty { Ok((Vec::new(), Vec::new(), Repairs::default())) } else { Err("it does not match the schema".into()) }
}

/// Whether an object may be a proposal: it has sentences and a quote.
fn is_item(value: &Value) -> bool {
    let mut ignored = Repairs::default();
    value.is_object() && ["first", "last", "quote"].iter().all(|name| field(value, name, &mut ignored).is_some())
}

fn read(items: Vec<Value>, found: Repairs, sentences: usize) -> (Vec<Proposal>, Vec<String>, Repairs) {
    let (mut proposals, mut wrong, mut repairs) = (Vec::new(), Vec::new(), found);
    for item in items {
        let mut own = Repairs::default();
        match raw(&item, &mut own).and_then(|raw| raw.checked(sentences)) {
            Ok(proposal) => {
                proposals.push(proposal);
                repairs.merge(own);
            }
            Err(what) => wrong.push(what),
        }
    }
    let repairs = if proposals.is_empty() { Repairs::default() } else { repairs };
    (proposals, wrong, repairs)
}

/// The fields of one item. The error says which is missing or unreadable.
fn raw(item: &Value, repairs: &mut Repairs) -> Result<Raw, String> {
    let mut sentence = |name: &str| {
        let number = field(item, name, repairs).and_then(whole);
        let (number, is_text) =
            number.ok_or_else(|| format!("a proposal does not match the schema: its {name} is no number of a sentence"))?;
        repairs.add(Repair::Number, usize::from(is_text));
        Ok::<_, String>(number)
    };
    let (first, last) = (sentence("first")?, sentence("last")?);
    let quote = text_of(item, "quote", repairs).ok_or("a proposal does not match the schema: it has no quote")?;
    let mut optional = |name: &str| {
        text_of(item, name, repairs).unwrap_or_else(|| {
            repairs.add(Repair::Missing, usize::from(item.get(name).is_none()));
            String::new()
        })
    };
    let (why, hook_line) = (optional("why"), optional("hook_line"));
    Ok(Raw { first, last, quote, why, hook_line })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn good(first: usize, last: usize) -> Value {
        json!({"first": first, "last": last, "quote": "Noon was a treaty.", "why": "w", "hook_line": "h"})
    }

    fn of(text: &str) -> Result<(Vec<Proposal>, Vec<String>, Repairs), String> {
        proposals(&[text.to_owned()], 9)
    }

    #[test]
    fn proposals_of_many_forms_are_read_and_counted() {
        let list = json!([good(1, 4), good(5, 9)]);
        let (exact, wrong, repairs) = of(&json!({ "proposals": list }).to_string()).unwrap();
        assert!(wrong.is_empty() && repairs.is_empty());
        assert_eq!(exact.iter().map(|it| it.sentences.clone()).collect::<Vec<_>>(), [0..4, 4..9]);
        assert_eq!((exact[0].quote.as_str(), exact[0].why.as_str(), exact[0].hook_line.as_deref()), ("Noon was a treaty.", "w", Some("h")));
        let renamed = |first: usize, last: usize| json!({"start_sentence": first, "End": last, "Strongest Sentence": "Noon was a treaty.", "reason": "w", "hookLine": "h"});
        let text = json!([{"first": "1", "last": 4.0, "quote": "Noon was a treaty.", "why": "w", "hook_line": "h"}, good(5, 9)]);
        for (text, expected) in [
            (list.to_string(), "1 lists of another shape"),
            (json!({"moments": list}).to_string(), "1 lists of another shape"),
            (json!({"result": {"proposals": list}}).to_string(), "1 lists of another shape"),
            (format!("{}\n{}", good(1, 4), good(5, 9)), "1 lists of another shape"),
            (json!({"proposals": [renamed(1, 4), renamed(5, 9)]}).to_string(), "10 fields of another name"),
            (json!({ "proposals": text }).to_string(), "2 numbers as text"),
            (format!("Here: {} Good?", json!({ "proposals": list })), "1 texts around the JSON"),
            (json!({ "proposals": list }).to_string().replace('"', "'"), "places that are not JSON"),
        ] {
            let (found, wrong, repairs) = of(&text).unwrap();
            assert!(found == exact && wrong.is_empty(), "{text}: {found:?} {wrong:?}");
            assert!(repairs.describe().contains(expected), "{text}: {}", repairs.describe());
        }
        let bare = of(&json!({"proposals": [{"first": 1, "last": 4, "quote": "x"}]}).to_string()).unwrap();
        assert!(bare.0[0].why.is_empty() && bare.0[0].hook_line.is_none() && bare.2.describe() == "2 optional fields left out");
        // Of an answer that is cut off, the whole proposals count.
        let whole = json!({ "proposals": list }).to_string();
        assert_eq!(of(&whole[..whole.len() - 20]).unwrap().0, exact[..1]);
    }

    #[test]
    fn numbers_of_sentences_are_checked_strictly() {
        for (first, last) in [(0, 3), (4, 3), (1, 10), (900, 901)] {
            let (found, wrong, _) = of(&json!({"proposals": [good(first, last), good(1, 2)]}).to_string()).unwrap();
            assert_eq!((found.len(), wrong), (1, vec![format!("it proposes sentences {first} to {last}, of 9")]));
        }
        for number in [json!("one"), json!(1.5), json!(-1), json!("1/2"), json!([1])] {
            let mut bad = good(1, 4);
            bad["first"] = number;
            let (found, wrong, _) = of(&json!({ "proposals": [bad] }).to_string()).unwrap();
            assert!(found.is_empty() && wrong[0].contains("its first is no number"), "{wrong:?}");
        }
        assert_eq!(of("{\"proposals\": []}").unwrap().0, []);
        for text in ["", "no", "[]", "{}", "{\"proposals\": 5}", "{\"proposals\": [1, 2]}", "{\"spans\": []}"] {
            assert!(of(text).is_err(), "{text}");
        }
        let evil =
            json!({"proposals": [{"first": 1, "last": 2, "quote": "x", "why": "a\u{202e}\nb", "hook_line": "see www.evil.example"}]});
        let (found, ..) = of(&evil.to_string()).unwrap();
        assert!(found[0].why == "a b" && found[0].hook_line.is_none(), "{found:?}");
    }

    proptest! {
        #[test]
        fn any_answer_gives_sentences_that_were_sent(text in "[\\[\\]{}\"':, 0-9a-z_]{0,80}|\\PC{0,60}", first in 0..20usize, last in any::<u64>(), sentences in 0..12usize) {
            let answer = json!({"proposals": [{"first": first, "last": last, "quote": &text, "why": &text, "hook_line": &text}]}).to_string();
            for text in [text, answer] {
                for proposal in proposals(&[text], sentences).map(|found| found.0).unwrap_or_default() {
                    prop_assert!(!proposal.sentences.is_empty() && proposal.sentences.end <= sentences);
                }
            }
        }
    }
}
