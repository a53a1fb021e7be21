//! Verdicts of a model on spans: schema, parsing, validation. Pure.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::score::plain::{has_address, plain};

/// The longest texts of a verdict, in characters; longer ones are cut.
pub(super) const MAX_TITLE_CHARS: usize = 60;
const MAX_HOOK_LINE_CHARS: usize = 80;
const MAX_REASON_CHARS: usize = 300;

/// A span in a request: its id and the number of its sentences.
pub(super) struct Asked<'a> {
    pub(super) id: &'a str,
    pub(super) sentences: usize,
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
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    hook: f64,
    completeness: f64,
    density: f64,
    emotion: f64,
    fit: Option<f64>,
    first: usize,
    last: usize,
    title: String,
    hook_line: Option<String>,
    reason: String,
}

/// The JSON Schema of a response. It allows only the ids that were sent.
pub(super) fn schema(asked: &[Asked<'_>], with_fit: bool) -> Value {
    let (number, text) = (json!({"type": "number"}), json!({"type": "string"}));
    let ids: Vec<&str> = asked.iter().map(|asked| asked.id).collect();
    let mut fields = vec!["id", "hook", "completeness", "density", "emotion", "first", "last", "title", "hook_line", "reason"];
    let mut properties = json!({
        "id": {"type": "string", "enum": ids},
        "hook": number, "completeness": number, "density": number, "emotion": number,
        "first": {"type": "integer"}, "last": {"type": "integer"},
        "title": text, "hook_line": text, "reason": text
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

/// The valid verdicts of a response, by index in `asked`, and a description of everything else that
/// is wrong with it, for the model and for users.
pub(super) fn read(text: &str, asked: &[Asked<'_>], with_fit: bool) -> (HashMap<usize, Verdict>, Vec<String>) {
    #[derive(Deserialize)]
    struct Answer {
        spans: Vec<Value>,
    }
    let answer: Answer = match serde_json::from_str(text) {
        Ok(answer) => answer,
        Err(error) => return (HashMap::new(), vec![format!("it does not match the schema: {}", plain(&error.to_string(), 120))]),
    };
    let (mut verdicts, mut wrong) = (HashMap::new(), Vec::new());
    let mut seen = vec![false; asked.len()];
    for span in answer.spans {
        let raw: Raw = match serde_json::from_value(span) {
            Ok(raw) => raw,
            Err(error) => {
                wrong.push(format!("a span does not match the schema: {}", plain(&error.to_string(), 120)));
                continue;
            }
        };
        let Some(place) = asked.iter().position(|asked| asked.id == raw.id) else {
            wrong.push(format!("it scores a span {} that was not sent", plain(&raw.id, 20)));
            continue;
        };
        if std::mem::replace(&mut seen[place], true) {
            // Neither of two verdicts is preferred.
            verdicts.remove(&place);
            wrong.push(format!("it scores span {} twice", raw.id));
            continue;
        }
        match raw.checked(&asked[place], with_fit) {
            Ok(verdict) => {
                verdicts.insert(place, verdict);
            }
            Err(what) => wrong.push(what),
        }
    }
    let omitted = asked.iter().zip(&seen).filter(|(_, seen)| !**seen);
    wrong.extend(omitted.map(|(asked, _)| format!("it omits span {}", asked.id)));
    (verdicts, wrong)
}

impl Raw {
    fn checked(self, asked: &Asked<'_>, with_fit: bool) -> Result<Verdict, String> {
        let Raw { hook, completeness, density, emotion, first, last, .. } = self;
        let numbers = [hook, completeness, density, emotion, self.fit.unwrap_or(0.0)];
        if numbers.iter().any(|number| !(0.0..=10.0).contains(number)) {
            return Err(format!("a score of span {} is not from 0 to 10", asked.id));
        }
        if with_fit && self.fit.is_none() {
            return Err(format!("span {} has no fit", asked.id));
        }
        if first < 1 || last < first || last > asked.sentences {
            return Err(format!("span {} has no sentences {first} to {last}", asked.id));
        }
        let title = plain(&self.title, MAX_TITLE_CHARS);
        if !title.chars().any(char::is_alphanumeric) {
            return Err(format!("span {} has no title", asked.id));
        }
        let hook_line = plain(self.hook_line.as_deref().unwrap_or_default(), MAX_HOOK_LINE_CHARS);
        if has_address(&title) || has_address(&hook_line) {
            return Err(format!("the title of span {} holds an address", asked.id));
        }
        Ok(Verdict {
            hook,
            completeness,
            density,
            emotion,
            fit: self.fit.filter(|_| with_fit),
            sentences: first - 1..last,
            title,
            hook_line: Some(hook_line).filter(|line| line.chars().any(char::is_alphanumeric)),
            reason: plain(&self.reason, MAX_REASON_CHARS),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ASKED: [Asked<'static>; 2] = [Asked { id: "a1", sentences: 4 }, Asked { id: "b2", sentences: 2 }];

    fn span(id: &str, change: impl Fn(&mut Value)) -> Value {
        let mut span = json!({
            "id": id, "hook": 5, "completeness": 6.5, "density": 5, "emotion": 4, "first": 1, "last": 2,
            "title": " \"A\ntitle\" ", "hook_line": "", "reason": "r"
        });
        change(&mut span);
        span
    }

    fn judged(spans: &[Value]) -> (Vec<usize>, String) {
        let (verdicts, wrong) = read(&json!({ "spans": spans }).to_string(), &ASKED, false);
        let mut places: Vec<usize> = verdicts.into_keys().collect();
        places.sort_unstable();
        (places, wrong.join("; "))
    }

    #[test]
    fn valid_verdicts_are_kept_and_the_rest_is_reported() {
        let good = |id| span(id, |_| {});
        assert_eq!(judged(&[good("b2"), good("a1")]), (vec![0, 1], String::new()));
        assert_eq!(judged(&[good("a1")]), (vec![0], "it omits span b2".into()));
        assert_eq!(judged(&[good("a1"), good("b2"), good("zz")]), (vec![0, 1], "it scores a span zz that was not sent".into()));
        assert_eq!(judged(&[good("a1"), good("b2"), good("a1")]), (vec![1], "it scores span a1 twice".into()));
        let bad = |change: fn(&mut Value)| judged(&[span("a1", change), good("b2")]);
        for (change, expected) in [
            ((|s| s["hook"] = json!(10.1)) as fn(&mut Value), "not from 0 to 10"),
            (|s| s["emotion"] = json!(-1), "not from 0 to 10"),
            (|s| s["last"] = json!(5), "no sentences 1 to 5"),
            (|s| s["first"] = json!(3), "no sentences 3 to 2"),
            (|s| s["first"] = json!(0), "no sentences 0 to 2"),
            (|s| s["title"] = json!("\u{200b} --"), "no title"),
            (|s| s["title"] = json!("Buy at http://evil.example"), "an address"),
            (|s| s["hook_line"] = json!("www.evil.example"), "an address"),
            (|s| s["hook"] = json!("high"), "does not match"),
            (|s| s["first"] = json!(-1), "does not match"),
        ] {
            let (places, wrong) = bad(change);
            assert!(places == [1] && wrong.contains(expected), "{wrong}");
        }
        let (verdicts, _) = read(&json!({"spans": [good("a1")]}).to_string(), &ASKED, false);
        assert_eq!((verdicts[&0].title.as_str(), verdicts[&0].hook_line.clone(), verdicts[&0].sentences.clone()), ("A title", None, 0..2));
        assert!(read(&json!({"spans": [good("a1")]}).to_string(), &ASKED, true).1[0].contains("no fit"));
    }

    proptest! {
        #[test]
        fn any_response_gives_valid_verdicts_or_reports(text in "\\PC*", hook in prop::num::f64::ANY, first in 0..6usize, title in any::<String>()) {
            prop_assert!(!read(&text, &ASKED, false).1.is_empty());
            let answer = json!({"spans": [span("a1", |s| { s["hook"] = json!(hook); s["first"] = json!(first); s["title"] = json!(title); })]});
            let (verdicts, wrong) = read(&answer.to_string(), &ASKED, false);
            prop_assert!(!wrong.is_empty());
            for verdict in verdicts.values() {
                prop_assert!((0.0..=10.0).contains(&verdict.hook) && verdict.sentences.end <= 4 && !verdict.sentences.is_empty());
                prop_assert!(verdict.title.chars().count() <= MAX_TITLE_CHARS && !verdict.title.chars().any(char::is_control));
            }
        }
    }
}
