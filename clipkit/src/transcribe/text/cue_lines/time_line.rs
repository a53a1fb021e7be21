//! The line with a cue's times, as people and programs write it, and what damage leaves of it.

use crate::model::Timestamp;
use crate::transcribe::text::clock::clock;

/// The times of a cue: `00:00:01,000 --> 00:00:02,000`.
#[derive(Debug, PartialEq)]
pub(in super::super) struct TimeLine<'a> {
    /// `None`: not understood.
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    /// What follows the times: settings or text.
    pub(super) rest: &'a str,
    pub(in super::super) is_sbv: bool,
}

/// How far into a line its arrow is searched for, in bytes.
const MAX_ARROW: usize = 60;
/// What opens and closes times in brackets.
const OPENING: [char; 2] = ['[', '('];
const CLOSING: [char; 2] = [']', ')'];

/// Reads a line of times. A line that was one, and whose times are broken, has `None` for them.
/// `None` if the line is text.
pub(in super::super) fn time_line(line: &str) -> Option<TimeLine<'_>> {
    let body = line.trim().trim_start_matches(OPENING).trim_start();
    if !body.bytes().any(|byte| byte.is_ascii_digit()) && !body.contains(|c| ('\u{ff10}'..='\u{ff19}').contains(&c)) {
        return None;
    }
    let Some((from, to)) = arrow(body) else { return without_arrow(body) };
    let (left, right) = (body[..from].trim(), body[to..].trim_start());
    let start = clock(left).or_else(|| {
        let (number, time) = left.rsplit_once(char::is_whitespace)?;
        number.trim().bytes().all(|byte| byte.is_ascii_digit()).then(|| clock(time)).flatten()
    });
    let (end, rest) = leading_clock(right);
    let token = &right[..right.find(|c: char| c.is_whitespace() || CLOSING.contains(&c)).unwrap_or(right.len())];
    let is_full_arrow = body[from..to].contains("--") && (body[from..to].contains(['>', '\u{ff1e}']) || body[from..to].contains("&gt;"));
    let has_letters = |text: &str| text.contains(char::is_alphabetic);
    match (start, end) {
        (Some(_), Some(_)) => {}
        (Some(_), None) if is_full_arrow || is_like_time(token) || token.is_empty() && has_millis(left) => {}
        (None, Some(_)) if is_full_arrow && !has_letters(left) || is_like_time(left) || left.is_empty() && has_millis(token) => {}
        (None, None) if is_full_arrow && (!has_letters(body) || is_like_time(left) && is_like_time(token)) => {}
        (None, None) if !has_letters(body) && is_like_time(left) && is_like_time(token) => {}
        _ => return None,
    }
    let rest = match end {
        Some(_) => rest,
        // The broken time is no text, but a word is.
        None if is_like_time(token) || !has_letters(token) => &right[token.len()..],
        None => right,
    };
    Some(TimeLine { start, end, rest: rest.trim().trim_start_matches(CLOSING).trim(), is_sbv: false })
}

/// Reads the second half of a line of times that was broken behind its arrow: a time with its
/// milliseconds, and then settings, or the bracket that closes.
pub(super) fn half_line(line: &str) -> Option<TimeLine<'_>> {
    let body = line.trim().trim_start_matches(OPENING);
    let length = body.find(|c: char| c.is_whitespace() || CLOSING.contains(&c))?;
    let (time, rest) = body.split_at(length);
    let start = clock(time).filter(|_| has_millis(time) && (rest.starts_with(CLOSING) || is_settings(rest)))?;
    Some(TimeLine { start: Some(start), end: None, rest: rest.trim_start_matches(CLOSING).trim(), is_sbv: false })
}

/// Whether a text ends in the fraction of a time: `,500`.
fn has_millis(text: &str) -> bool {
    let fraction = text.trim().rsplit_once(['.', ',']).map(|(_, fraction)| fraction);
    fraction.is_some_and(|fraction| fraction.len() == 3 && fraction.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The place of the arrow: `-->`, `->`, `=>`, a Unicode arrow, `-- >`, `--&gt;`, `--`.
fn arrow(body: &str) -> Option<(usize, usize)> {
    let is_part =
        |c: char| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '=' | '>' | '\u{ff1e}' | '\u{2192}' | '\u{21d2}' | '\u{27f6}' | '~');
    let mut search = 0;
    loop {
        let from = search + body[search..].find(is_part)?;
        if from > MAX_ARROW {
            return None;
        }
        let mut to = from;
        loop {
            let tail = &body[to..];
            let space = tail.len() - tail.trim_start().len();
            if let Some(part) = tail.chars().next().filter(|c| is_part(*c)) {
                to += part.len_utf8();
            } else if tail.starts_with("&gt;") {
                to += 4;
            } else if space > 0
                && (tail.trim_start().starts_with(is_part) || tail.trim_start().starts_with("&gt;"))
                && !is_negative(tail.trim_start())
            {
                to += space;
            } else {
                break;
            }
        }
        let found = &body[from..to];
        if found.contains(['>', '\u{ff1e}', '\u{2192}', '\u{21d2}', '\u{27f6}']) || found.contains("&gt;") || found.contains("--") {
            return Some((from, to));
        }
        search = to;
    }
}

fn is_negative(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The time at the start of `text`, and what follows it.
fn leading_clock(text: &str) -> (Option<Timestamp>, &str) {
    let token = text.find(|c: char| c.is_whitespace() || CLOSING.contains(&c)).unwrap_or(text.len());
    let (first, rest) = text.split_at(token);
    if let Some(time) = clock(first)
        && !rest.trim_start().starts_with([',', '.'])
    {
        return (Some(time), rest);
    }
    // `00: 00: 03, 253`, as machine translation writes it.
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | ' ' | '-' | '\u{ff1a}' | '\u{ff0c}');
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let ends = text[length..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    (clock(&text[..length]).filter(|_| ends), &text[length..])
}

/// Whether a text is a damaged time: digits and separators mostly.
fn is_like_time(text: &str) -> bool {
    let (mut digits, mut separators, mut all) = (0, 0, 0);
    for letter in text.chars().take(40) {
        all += 1;
        digits += usize::from(letter.is_ascii_digit());
        separators += usize::from(matches!(letter, ':' | '.' | ',' | ';' | '-' | ' ' | '\u{ff1a}'));
    }
    digits >= 2 && (digits + separators) * 10 >= all * 6
}

/// SBV's `0:00:01.000,0:00:02.000`, two times without an arrow, or one with its fraction.
fn without_arrow(body: &str) -> Option<TimeLine<'_>> {
    // Of a broken arrow, a dash may be left.
    let body = body.trim_end_matches(['-', ' ']);
    if body.len() > 60 || !body.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b',' | b' ' | b'\t')) {
        return None;
    }
    let pairs = body.char_indices().filter(|(_, c)| matches!(c, ',' | ' ' | '\t')).map(|(at, _)| (&body[..at], &body[at + 1..]));
    let has_fraction = |text: &str| text.trim().rsplit_once(['.', ',']).is_some_and(|(_, fraction)| fraction.len() >= 2);
    for (left, right) in pairs {
        if let (Some(start), Some(end)) = (clock(left), clock(right))
            && right.contains(':')
            && (has_fraction(left) || has_fraction(right) || left.matches(':').count() == 2)
        {
            return Some(TimeLine { start: Some(start), end: Some(end), rest: "", is_sbv: true });
        }
    }
    clock(body).filter(|_| has_millis(body)).map(|start| TimeLine { start: Some(start), end: None, rest: "", is_sbv: false })
}

/// Whether what follows the times is WebVTT's settings or SRT's coordinates.
pub(super) fn is_settings(rest: &str) -> bool {
    const KEYS: [&str; 10] = ["position", "line", "align", "size", "vertical", "region", "x1", "x2", "y1", "y2"];
    rest.split_whitespace().all(|token| {
        let key = token.split_once([':', '=']).map(|(key, _)| key.to_ascii_lowercase());
        key.is_some_and(|key| KEYS.contains(&key.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (line, start, end) in [
            ("00:00:01,000 --> 00:00:02,500", 1.0, 2.5),
            ("00:01.000 --> 00:02.500 align:start position:0%", 1.0, 2.5),
            ("0:01 -> 0:02.5", 1.0, 2.5),
            ("00:00:01.000 \u{2192} 00:00:02.500", 1.0, 2.5),
            ("00:00:01:000 --> 00:00:02:500", 1.0, 2.5),
            ("00: 00: 01, 000 -> 00: 00: 02, 500", 1.0, 2.5),
            ("00:00:01,000 --&gt; 00:00:02,500", 1.0, 2.5),
            ("00:00:01,000 -- > 00:00:02,500", 1.0, 2.5),
            ("00:00:01,000-->00:00:02,500", 1.0, 2.5),
            ("0:00:01.000,0:00:02.500", 1.0, 2.5),
            ("00:00:01,000 00:00:02,500", 1.0, 2.5),
            ("[00:01.000 --> 00:02.500]", 1.0, 2.5),
            ("1 00:00:01,000 --> 00:00:02,500", 1.0, 2.5),
            ("-00:00:01,000 --> 00:00:02,500", -1.0, 2.5),
            ("-00:00:03,000 --> -00:00:02,500", -3.0, -2.5),
            ("99:00:01,000 --> 99:00:02,500", 356_401.0, 356_402.5),
        ] {
            let time = time_line(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((time.start.map(Timestamp::secs), time.end.map(Timestamp::secs)), (Some(start), Some(end)), "{line}");
        }
    }

    #[test]
    fn broken_times_are_times() {
        for (line, start, end) in [
            ("00:00:44.x872 --> 00:00:48,454", None, Some(48.454)),
            ("00:00:44,872 --> 00:00:4x,454", Some(44.872), None),
            ("0x:00:44,872 --> 00:0y:48,454", None, None),
            ("00:00:44,872 -->", Some(44.872), None),
            ("00:00:44,872 --", Some(44.872), None),
            ("00:00:44,872 -", Some(44.872), None),
            ("--> 00:00:48,454", None, Some(48.454)),
            ("-> 00:00:48,454", None, Some(48.454)),
            ("> 00:00:48,454", None, Some(48.454)),
            ("0 --> 00:00:48,454", None, Some(48.454)),
            ("0 --> 4", None, None),
            ("00:00:44,872", Some(44.872), None),
            ("00;00;44,872 --> 00;00;48,454", None, None),
        ] {
            let time = time_line(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((time.start.map(Timestamp::secs), time.end.map(Timestamp::secs)), (start, end), "{line}");
        }
        for (line, start, rest) in [
            ("00:00:48.454 align:start", 48.454, "align:start"),
            ("00:00:48.454]  Why do", 48.454, "Why do"),
            ("[00:48.454] Why", 48.454, "Why"),
        ] {
            let time = half_line(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((time.start.map(Timestamp::secs), time.end, time.rest), (Some(start), None, rest), "{line}");
        }
    }

    #[test]
    fn text_with_numbers_and_arrows_is_text() {
        for line in [
            "",
            "42",
            "Hello",
            "a -> b",
            "at 10:30 -> lunch",
            "10:30",
            "10:30 -- we go",
            "- 3 --> no",
            "so --- 5 of them",
            "1:2",
            "-- 42",
            ">> 10:30 is late",
            "then 5 -> 6 and so on",
            "<p begin=\"00:00:00.500\" end=\"00:00:02.500\">w000 w001",
        ] {
            assert_eq!((time_line(line), half_line(line)), (None, None), "{line}");
        }
        // A word behind the arrow is not lost.
        assert_eq!(time_line("10:30 --> lunch").map(|time| time.rest), Some("lunch"));
    }
}
