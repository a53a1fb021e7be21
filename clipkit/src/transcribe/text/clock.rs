//! Times in text, as people and programs write them: `01:02:03,500`, `2:03.5`, `75:30`,
//! `00: 00: 01. 5`, `00:00:01:500`, `1.5s`, `1500ms`, `PT1M2.5S`.

use crate::model::Timestamp;

/// The longest text that can be a time.
const MAX_CHARS: usize = 40;
/// No time of a video is later: a year.
const MAX_SECS: f64 = 366.0 * 86_400.0;

/// Parses a clock time with at least one colon: `h:mm:ss.mmm`, `mm:ss.mmm`, with a comma, point or
/// colon before the fraction, and a sign. Spaces beside separators are ignored.
pub(super) fn clock(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > MAX_CHARS {
        return None;
    }
    let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // Blanks stand beside separators, not between digits.
    let digits = |c: &char| c.is_ascii_digit();
    let mut parts = text.split_whitespace().peekable();
    while let (Some(part), Some(next)) = (parts.next(), parts.peek()) {
        if part.chars().next_back().as_ref().is_some_and(digits) && next.chars().next().as_ref().is_some_and(digits) {
            return None;
        }
    }
    let text: String = text.chars().filter_map(separator).collect();
    let mut fields: Vec<&str> = text.split(':').collect();
    if !(2..=4).contains(&fields.len()) {
        return None;
    }
    let last = fields.pop()?;
    // `00:00:01:500`: the fraction stands after a colon. Two digits there are frames or hundredths.
    let (seconds, fraction) = match last.split_once(['.', ',']) {
        Some((seconds, fraction)) => (seconds, fraction),
        None if fields.len() == 3 || fields.len() == 2 && last.len() == 3 => (fields.pop()?, last),
        None => (last, ""),
    };
    let whole = |field: &str, most: usize| match field.len() {
        1.. if field.len() <= most && field.bytes().all(|byte| byte.is_ascii_digit()) => field.parse::<u32>().ok().map(f64::from),
        _ => None,
    };
    let fraction = match fraction {
        "" => 0.0,
        _ if fraction.bytes().all(|byte| byte.is_ascii_digit()) => format!("0.{fraction}").parse().ok()?,
        _ => return None,
    };
    let with_hours = fields.len() == 2;
    let hours = if with_hours { whole(fields.remove(0), 5)? } else { 0.0 };
    let minutes = whole(fields.first()?, if with_hours { 2 } else { 4 })?;
    let value = hours * 3600.0 + minutes * 60.0 + whole(seconds, 2)? + fraction;
    bounded(if negative { -value } else { value })
}

/// Keeps what a time consists of; full-width separators become ASCII ones. Another character stays,
/// so that the text is no time.
fn separator(letter: char) -> Option<char> {
    match letter {
        ' ' | '\t' | '\u{a0}' | '\u{3000}' => None,
        '\u{ff1a}' | '\u{2236}' => Some(':'),
        '\u{ff0c}' | '\u{ff0e}' => Some('.'),
        '\u{ff10}'..='\u{ff19}' => char::from_digit(u32::from(letter) - 0xff10, 10),
        letter => Some(letter),
    }
}

/// Seconds as a time. `None` if they are more than a year, or no number.
pub(super) fn bounded(seconds: f64) -> Option<Timestamp> {
    (seconds.abs() <= MAX_SECS).then(|| Timestamp::from_secs(seconds))
}

/// Parses a duration with its unit: `1.5s`, `1500ms`, `2m`, `1.5h`, `1m2.5s`, `PT1M2.5S`.
pub(super) fn duration(text: &str) -> Option<Timestamp> {
    let lower = text.trim().to_ascii_lowercase();
    if lower.len() > MAX_CHARS {
        return None;
    }
    let mut rest = lower.strip_prefix("pt").unwrap_or(&lower);
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        let scale = match unit {
            "h" => 3600.0,
            "m" | "min" => 60.0,
            "s" | "sec" => 1.0,
            "ms" => 1e-3,
            "us" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = next;
    }
    bounded(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_every_kind_are_read() {
        for (text, seconds) in [
            ("00:00:01,500", 1.5),
            ("1:02:03.5", 3723.5),
            ("2:03", 123.0),
            ("75:30.250", 4530.25),
            ("00:00:01:500", 1.5),
            ("00:01:500", 1.5),
            ("00: 00: 01 , 500", 1.5),
            ("100:00:00,000", 360_000.0),
            ("00:00:01,5000", 1.5),
            ("-00:00:01,000", -1.0),
            ("00\u{ff1a}00\u{ff1a}01\u{ff0c}5", 1.5),
        ] {
            assert_eq!(clock(text), Some(Timestamp::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "12", "1.5", "a:b", "00:00:4x,5", "00:00:44.x872", "1:2:3:4:5", "::", "00:000:01", "99999999:00:00", "1:", ":1", "0:1 a"]
        {
            assert_eq!(clock(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [("1.2s", 1.2), ("500ms", 0.5), ("PT0.5S", 0.5), ("PT1M2.5S", 62.5), ("1.5h", 5400.0), ("2m", 120.0)] {
            assert_eq!(duration(text), Some(Timestamp::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "1", "1x", "1.5", "..s", "PT", "-1s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
