use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::score::openai::verdict::MAX_TITLE_CHARS;

const ASKED: [Asked<'static>; 2] = [Asked { id: "a1", sentences: 4, proposed: (2, 3) }, Asked { id: "b2", sentences: 2, proposed: (1, 2) }];

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
        (json!({"spans": [without(&["reason", "hook_line"], "a1"), without(&["reason"], "b2")]}).to_string(), "3 optional fields left out"),
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
