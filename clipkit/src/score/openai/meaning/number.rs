//! Numbers, also as text.

use serde_json::Value;

/// A number as a model writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Written {
    /// A number, whose scale only the whole answer shows.
    Plain(f64),
    /// A share from 0 to 1 that names its scale: `7/10`, `70%`.
    Share(f64),
}

/// A number, and whether it was text. `None` if it is no number.
pub(super) fn number(value: &Value) -> Option<(Written, bool)> {
    match value {
        Value::Number(number) => Some((Written::Plain(number.as_f64()?), false)),
        Value::String(text) => Some((written(text.trim())?, true)),
        _ => None,
    }
}

fn written(text: &str) -> Option<Written> {
    if let Some(percent) = text.strip_suffix('%') {
        return Some(Written::Share(float(percent.trim())? / 100.0));
    }
    if let Some((score, of)) = text.split_once('/') {
        let (score, of) = (float(score.trim())?, float(of.trim())?);
        return (of > 0.0).then_some(Written::Share(score / of));
    }
    float(text).map(Written::Plain)
}

fn float(text: &str) -> Option<f64> {
    // A comma is a decimal separator in many languages.
    let text = if text.matches(',').count() == 1 && !text.contains('.') { text.replace(',', ".") } else { text.to_owned() };
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
    text.parse().ok().filter(|number: &f64| is_number && number.is_finite())
}

/// A whole number, and whether it was not written as one. `None` if it is none.
pub(super) fn whole(value: &Value) -> Option<(usize, bool)> {
    if let Some(whole) = value.as_u64() {
        return usize::try_from(whole).ok().map(|whole| (whole, false));
    }
    match number(value)?.0 {
        Written::Plain(number) if number.fract() == 0.0 && (0.0..1e9).contains(&number) => Some((number as usize, true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_from_text() {
        for (value, expected) in [
            (json!(7), Some((Written::Plain(7.0), false))),
            (json!(" 7.5 "), Some((Written::Plain(7.5), true))),
            (json!("7,5"), Some((Written::Plain(7.5), true))),
            (json!("7 / 10"), Some((Written::Share(0.7), true))),
            (json!("85%"), Some((Written::Share(0.85), true))),
            (json!("7/0"), None),
            (json!("high"), None),
            (json!("inf"), None),
            (json!("NaN"), None),
            (json!("1,000,000"), None),
            (json!(null), None),
            (json!(true), None),
        ] {
            assert_eq!(number(&value), expected, "{value}");
        }
        for (value, expected) in [
            (json!(3), Some((3, false))),
            (json!(3.0), Some((3, true))),
            (json!("3"), Some((3, true))),
            (json!(3.5), None),
            (json!(-1), None),
            (json!("1/2"), None),
        ] {
            assert_eq!(whole(&value), expected, "{value}");
        }
    }
}
