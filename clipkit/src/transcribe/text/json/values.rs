//! Times in JSON: numbers in several units, texts, objects.

use serde_json::Value;

use super::super::clock::{bounded, clock, duration};
use crate::model::Timestamp;

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Scale {
    Seconds,
    Millis,
    Micros,
    /// 100 nanoseconds.
    Ticks,
    Nanos,
}

impl Scale {
    pub(super) fn seconds(self) -> f64 {
        match self {
            Scale::Seconds => 1.0,
            Scale::Millis => 1e-3,
            Scale::Micros => 1e-6,
            Scale::Ticks => 1e-7,
            Scale::Nanos => 1e-9,
        }
    }

    /// The unit of numbers by how long a word lasts in them: about 0.3 s. Whole numbers are seldom
    /// seconds.
    pub(super) fn of_word(length: f64, whole: bool) -> Self {
        let most_seconds = if whole { 25.0 } else { 120.0 };
        match length {
            length if length < most_seconds => Scale::Seconds,
            length if length < 25e3 => Scale::Millis,
            length if length < 1.2e6 => Scale::Micros,
            length if length < 4e7 => Scale::Ticks,
            _ => Scale::Nanos,
        }
    }
}

/// A time as an entry states it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) enum Time {
    #[default]
    Missing,
    /// A value that is no time.
    Unclear(String),
    At(Timestamp),
    /// A number whose unit is not known.
    Number(f64),
}

impl Time {
    /// Reads a JSON value. `null` is no time, and no error: aligners write it.
    pub(super) fn of(value: &Value, scale: Option<Scale>) -> Self {
        match value {
            Value::Null => Time::Missing,
            Value::Number(number) => Time::of_number(number.as_f64().unwrap_or(f64::NAN), scale),
            Value::String(text) => Time::of_text(text, scale),
            // Protocol buffers.
            Value::Object(fields) if fields.contains_key("seconds") || fields.contains_key("nanos") => {
                let number = |name: &str| match fields.get(name) {
                    Some(Value::String(text)) => text.parse().ok(),
                    Some(value) => value.as_f64(),
                    None => Some(0.0),
                };
                let time = number("seconds").zip(number("nanos")).and_then(|(seconds, nanos)| bounded(seconds + nanos * 1e-9));
                time.map_or_else(|| Time::unclear(&value.to_string()), Time::At)
            }
            value => Time::unclear(&value.to_string()),
        }
    }

    /// Reads a text: a number, a clock, or a duration with its unit.
    pub(in super::super) fn of_text(text: &str, scale: Option<Scale>) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() || matches!(trimmed.to_ascii_lowercase().as_str(), "nan" | "none" | "null") {
            return Time::Missing;
        }
        if let Some(time) = clock(trimmed).or_else(|| duration(trimmed)) {
            return Time::At(time);
        }
        match trimmed.parse::<f64>() {
            Ok(number) => Time::of_number(number, scale),
            Err(_) => Time::unclear(text),
        }
    }

    fn of_number(number: f64, scale: Option<Scale>) -> Self {
        match scale {
            _ if !number.is_finite() => Time::unclear(&number.to_string()),
            None => Time::Number(number),
            Some(scale) => bounded(number * scale.seconds()).map_or_else(|| Time::unclear(&number.to_string()), Time::At),
        }
    }

    fn unclear(text: &str) -> Self {
        Time::Unclear(text.chars().take(40).collect())
    }

    /// The number, if its unit is not known.
    pub(super) fn number(&self) -> Option<f64> {
        if let Time::Number(number) = self { Some(*number) } else { None }
    }

    /// Gives a number its unit.
    pub(super) fn scaled(&self, scale: Scale) -> Self {
        self.number().map_or_else(|| self.clone(), |number| Time::of_number(number, Some(scale)))
    }

    pub(super) fn at(&self) -> Option<Timestamp> {
        if let Time::At(time) = self { Some(*time) } else { None }
    }
}

/// JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` outside of texts become `null`.
pub(super) fn without_nan(text: &str) -> String {
    const NAMES: [&str; 4] = ["-Infinity", "Infinity", "-NaN", "NaN"];
    if !NAMES.iter().any(|name| text.contains(name)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if !in_text && let Some(name) = NAMES.iter().find(|name| rest.starts_with(**name)) {
            out.push_str("null");
            rest = &rest[name.len()..];
            continue;
        }
        in_text ^= letter == '"' && !escaped;
        escaped = in_text && letter == '\\' && !escaped;
        out.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_have_many_forms() {
        let at = |seconds: f64| Time::At(Timestamp::from_secs(seconds));
        for (value, scale, expected) in [
            (json!(1.5), None, Time::Number(1.5)),
            (json!(1500), Some(Scale::Millis), at(1.5)),
            (json!(15_000_000), Some(Scale::Ticks), at(1.5)),
            (json!("1.5"), None, Time::Number(1.5)),
            (json!("1.5s"), None, at(1.5)),
            (json!("PT1.5S"), None, at(1.5)),
            (json!("00:00:01,500"), None, at(1.5)),
            (json!({"seconds": "1", "nanos": 500_000_000}), None, at(1.5)),
            (json!(null), None, Time::Missing),
            (json!("soon"), None, Time::Unclear("soon".into())),
            (json!([1]), None, Time::Unclear("[1]".into())),
            (json!(1e300), Some(Scale::Seconds), Time::Unclear("1".to_owned() + &"0".repeat(39))),
        ] {
            assert_eq!(Time::of(&value, scale), expected, "{value}");
        }
    }

    #[test]
    fn numbers_of_python_are_null() {
        assert_eq!(
            without_nan(r#"{"a": NaN, "b": "NaN \" NaN", "c": [-Infinity, Infinity]}"#),
            r#"{"a": null, "b": "NaN \" NaN", "c": [null, null]}"#
        );
    }
}
