//! A tolerant reader of JSON, for what servers and models write in its place. Pure.
//!
//! It reads every JSON text as `serde_json` does, and besides: trailing, doubled and missing commas
//! (the latter between lines and between objects), comments, single, typographic and unescaped
//! inner quotes, bare keys, Python's `None`, `True` and `False`, `NaN` and `Infinity` (as null),
//! numbers such as `.5` and `+1`, and line breaks in strings. It never completes what is cut off:
//! a value without its end is no value. Crates that repair JSON do complete it, and guess.

use serde_json::{Map, Value};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// A value in a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) value: Value,
    /// Where it stands in the text, in bytes.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The number of places that are not JSON.
    pub(crate) departures: usize,
    /// The number of places whose meaning is guessed, as in damaged files: all but trailing commas,
    /// Python's quotes and names, and numbers such as `.5`. Of two values of one name the last
    /// counts, as in `serde_json`; that is a guess, too.
    pub(crate) guesses: usize,
}

/// The one value of which a text consists, apart from white space. `None` if it is cut off, or if
/// there is something else in the text.
pub(crate) fn read(text: &str) -> Option<Found> {
    let mut reader = Reader::at(text, 0);
    reader.skip_space()?;
    let start = reader.at;
    let value = reader.value(0)?;
    let end = reader.at;
    reader.skip_space()?;
    (reader.at == text.len()).then_some(Found { value, start, end, departures: reader.departures, guesses: reader.guesses })
}

/// The objects and lists in a text, in their order. Those inside of others are not returned, unless
/// the outer one is cut off or broken.
pub(crate) fn values(text: &str) -> impl Iterator<Item = Found> {
    let mut at = 0;
    // Each bracket of a broken text starts an attempt that may read to the end of the text.
    let mut budget = text.len().saturating_mul(8).saturating_add(1 << 16);
    std::iter::from_fn(move || {
        loop {
            let start = at + text.get(at..)?.find(['{', '['])?;
            let mut reader = Reader::at(text, start);
            let value = reader.value(0);
            budget = budget.checked_sub(reader.at - start)?;
            match value {
                Some(value) => {
                    at = reader.at;
                    return Some(Found { value, start, end: at, departures: reader.departures, guesses: reader.guesses });
                }
                None => at = start + 1,
            }
        }
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    departures: usize,
    guesses: usize,
}

impl<'a> Reader<'a> {
    fn at(text: &'a str, at: usize) -> Self {
        Reader { text, at, departures: 0, guesses: 0 }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn take(&mut self, text: &str) -> bool {
        let taken = self.rest().starts_with(text);
        self.at += if taken { text.len() } else { 0 };
        taken
    }

    /// Skips white space and comments. `None` if a comment has no end.
    fn skip_space(&mut self) -> Option<()> {
        loop {
            let rest = self.rest();
            let bare = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
            let skipped = rest.len() - bare.len();
            let comment = if bare.starts_with("/*") {
                bare.find("*/")? + 2
            } else if bare.starts_with("//") || bare.starts_with('#') {
                bare.find('\n').unwrap_or(bare.len())
            } else {
                self.at += skipped;
                return Some(());
            };
            self.departures += 1;
            self.guesses += 1;
            self.at += skipped + comment;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_space()?;
        match self.peek()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            letter if closing(letter).is_some() => self.string().map(Value::String),
            letter if letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.') => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.next()?;
        let mut object = Map::new();
        while self.another('}', object.is_empty())? {
            let key = match self.peek()? {
                letter if closing(letter).is_some() => self.string()?,
                _ => self.bare_key()?,
            };
            self.skip_space()?;
            if !self.take(":") {
                return None;
            }
            self.guesses += usize::from(object.insert(key, self.value(depth + 1)?).is_some());
        }
        Some(Value::Object(object))
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.next()?;
        let mut list = Vec::new();
        while self.another(']', list.is_empty())? {
            list.push(self.value(depth + 1)?);
        }
        Some(Value::Array(list))
    }

    /// Goes to the next item of an object or a list. False at its end.
    fn another(&mut self, end: char, first: bool) -> Option<bool> {
        let before = self.at;
        self.skip_space()?;
        let mut commas = 0;
        while self.take(",") {
            commas += 1;
            self.skip_space()?;
        }
        let ended = self.peek()? == end;
        if first || ended {
            self.departures += commas;
        } else if commas == 0 {
            // A missing comma: between lines, or after a bracket.
            let gap = self.text.get(before..self.at)?;
            if !gap.contains('\n') && !self.text.get(..before)?.ends_with(['}', ']']) {
                return None;
            }
            self.departures += 1;
            self.guesses += 1;
        } else {
            self.departures += commas - 1;
        }
        if ended {
            self.next()?;
        }
        Some(!ended)
    }

    fn bare_key(&mut self) -> Option<String> {
        let name: String = self.rest().chars().take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '-')).collect();
        self.at += name.len();
        self.departures += 1;
        self.guesses += 1;
        (!name.is_empty()).then_some(name)
    }

    fn number(&mut self) -> Option<Value> {
        let length = self.rest().find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '-' | '+' | '.' | 'e' | 'E'));
        let token = self.rest().get(..length.unwrap_or(self.rest().len()))?.to_owned();
        if token == "-" || token == "+" {
            // `-Infinity`
            self.next()?;
            return self.word();
        }
        self.at += token.len();
        if let Ok(value) = serde_json::from_str(&token) {
            return Some(value);
        }
        self.departures += 1;
        let number: f64 = token.parse().ok()?;
        // A number too large for a float has no value.
        Some(serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn word(&mut self) -> Option<Value> {
        let word: String = self.rest().chars().take_while(|letter| letter.is_ascii_alphabetic()).collect();
        let value = match word.as_str() {
            "true" => return self.take("true").then_some(Value::Bool(true)),
            "false" => return self.take("false").then_some(Value::Bool(false)),
            "null" => return self.take("null").then_some(Value::Null),
            "True" | "TRUE" => Value::Bool(true),
            "False" | "FALSE" => Value::Bool(false),
            "None" | "NULL" | "Null" | "NaN" | "nan" | "Infinity" | "inf" | "undefined" => Value::Null,
            _ => return None,
        };
        self.at += word.len();
        self.departures += 1;
        Some(value)
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.next()?;
        let end = closing(quote)?;
        self.departures += usize::from(quote != '"');
        let mut out = String::new();
        loop {
            match self.next()? {
                letter if letter == end => {
                    // A quote that nothing follows that may follow a string is a part of it.
                    let after = self.rest().trim_start_matches([' ', '\t']);
                    if after.is_empty() || after.starts_with([',', ':', '}', ']', '\n', '\r']) {
                        return Some(out);
                    }
                    self.departures += 1;
                    self.guesses += 1;
                    out.push(letter);
                }
                '\\' => self.escape(&mut out)?,
                letter => {
                    self.departures += usize::from(letter < ' ');
                    self.guesses += usize::from(letter < ' ');
                    out.push(letter);
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Option<()> {
        let letter = match self.next()? {
            letter @ ('"' | '\\' | '/') => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode(),
            '\n' => return Some(()),
            letter => {
                self.departures += 1;
                letter
            }
        };
        out.push(letter);
        Some(())
    }

    /// The character of `\uXXXX`, or of two such that are a surrogate pair.
    fn unicode(&mut self) -> char {
        let first = self.hex();
        let code = match first {
            Some(high @ 0xd800..=0xdbff) if self.take("\\u") => {
                self.hex().filter(|low| (0xdc00..=0xdfff).contains(low)).map(|low| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            }
            code => code,
        };
        code.and_then(char::from_u32).unwrap_or_else(|| {
            self.departures += 1;
            self.guesses += 1;
            char::REPLACEMENT_CHARACTER
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }
}

/// The quote that ends a string which begins with `quote`.
fn closing(quote: char) -> Option<char> {
    match quote {
        '"' | '\'' => Some(quote),
        '\u{201c}' => Some('\u{201d}'),
        '\u{2018}' => Some('\u{2019}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_nearly_json_is_read_and_counted() {
        for (text, expected, departures) in [
            (r#"{"a": [1, 2.5, -3e2, "x\n\u00e9\ud83d\ude00"], "b": null}"#, json!({"a": [1, 2.5, -300.0, "x\né😀"], "b": null}), 0),
            ("{'a': None, 'b': True, 'c': False}", json!({"a": null, "b": true, "c": false}), 6),
            (r#"{"a": [1, 2,], "b": 3,}"#, json!({"a": [1, 2], "b": 3}), 2),
            (r#"[NaN, -Infinity, Infinity, .5, +1]"#, json!([null, null, null, 0.5, 1.0]), 5),
            ("{a: 1, // one\n b: 2 /* two */}", json!({"a": 1, "b": 2}), 4),
            ("{\"a\": \"x\"\n\"b\": [{} {}]}", json!({"a": "x", "b": [{}, {}]}), 2),
            (r#"{"a": "say "hi" now", "b": 'it's'}"#, json!({"a": "say \"hi\" now", "b": "it's"}), 4),
            ("{“a”: “b”}", json!({"a": "b"}), 2),
            ("[\"a\nb\", \"\\'\", \"\\ud800\"]", json!(["a\nb", "'", "\u{fffd}"]), 3),
            ("[1e999]", json!([null]), 1),
        ] {
            let found = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.value, found.departures), (expected, departures), "{text}");
        }
    }

    #[test]
    fn what_is_cut_off_or_means_nothing_is_no_value() {
        for text in ["", "{", r#"{"a": "#, r#"{"a": 1"#, "[1, 2", "[Music]", "{a}", r#"{"a" 1}"#, "[1 2]", "/*", "\"open", "[1] [2]", "nul"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"[".repeat(100_000)), None);
        assert_eq!(read(&format!("{}1{}", "[".repeat(100), "]".repeat(100))), None);
    }

    #[test]
    fn values_are_found_in_prose_and_inside_of_what_is_cut_off() {
        let found = |text: &str| values(text).map(|found| found.value).collect::<Vec<_>>();
        assert_eq!(found("Here [Music]: {\"a\": 1} and {'b': [2]}."), [json!({"a": 1}), json!({"b": [2]})]);
        assert_eq!(found("{\"spans\": [{\"a\": 1}, {\"a\": 2}, {\"a\""), [json!({"a": 1}), json!({"a": 2})]);
        assert_eq!(found("{{\"a\": 1}}"), [json!({"a": 1})]);
        assert!(found(&"{\"a\": ".repeat(50_000)).is_empty());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_positions_are_in_it(text in "[\\[\\]{}\"':,a1 \\\\\n/*#N.-]{0,60}|\\PC{0,40}") {
            let _ = read(&text);
            for found in values(&text) {
                prop_assert!(text.get(found.start..found.end).is_some());
            }
        }

        #[test]
        fn json_is_read_as_json(key in "\\PC{0,8}", text in any::<String>(), number in any::<f64>(), whole in any::<i64>()) {
            let value = json!({key: [text, number, whole, true, null, {}]});
            for written in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let found = read(&written).unwrap();
                prop_assert_eq!(&found.value, &serde_json::from_str::<Value>(&written).unwrap());
                prop_assert_eq!(found.departures, 0);
            }
        }
    }
}
