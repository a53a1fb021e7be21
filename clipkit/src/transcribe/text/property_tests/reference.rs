//! A counter of the words of a file that shares no code with the readers: it knows the structure of
//! the good files, and takes everything else for text.

use super::files::{Kind, tokens};

/// How many words a file has.
pub(super) fn words(kind: Kind, text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    match kind {
        Kind::Srt | Kind::WebVtt | Kind::Sbv | Kind::Bracketed => cue_lines(&lines),
        Kind::Ass => ass(&lines),
        Kind::Lrc => lines.iter().map(|line| runs(behind_tags(line))).sum(),
        Kind::Stamped => lines.iter().filter(|line| !is_piece_of_clock(line)).map(|line| runs(line)).sum(),
        Kind::Tsv => table(&lines, '\t'),
        Kind::Csv => table(&lines, ','),
        Kind::Ttml | Kind::YouTubeXml => runs(&without_tags(text)),
        // Readable JSON has its words in its texts, and nothing else looks like them.
        Kind::JsonLines | Kind::JsonSegments | Kind::JsonWords => tokens(text).len(),
    }
}

/// Runs of characters between white space with a letter or a digit.
fn runs(text: &str) -> usize {
    text.split_whitespace().filter(|run| run.contains(char::is_alphanumeric)).count()
}

/// `0:03`, also broken.
fn is_piece_of_clock(line: &str) -> bool {
    line.contains(':') && line.contains(|c: char| c.is_ascii_digit()) && !line.contains(|c: char| !c.is_ascii_digit() && c != ':')
}

fn digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `h:mm:ss,mmm` or `mm:ss.mmm`, also without a fraction.
fn is_clock(text: &str) -> bool {
    let fields: Vec<&str> = text.trim().split(':').collect();
    let (Some((last, others)), 2..=3) = (fields.split_last(), fields.len()) else { return false };
    let (seconds, fraction) = last.split_once([',', '.']).unwrap_or((last, ""));
    digits(seconds, 2)
        && (fraction.is_empty() || digits(fraction, 9))
        && others.iter().rev().zip([2 + 2 * usize::from(fields.len() == 2), 5]).all(|(field, most)| digits(field, most))
}

fn has_millis(text: &str) -> bool {
    is_clock(text) && text.trim().rsplit_once([',', '.']).is_some_and(|(_, fraction)| fraction.len() == 3)
}

/// The words behind the times of a line. `None` if the line has no times.
fn behind_times(line: &str) -> Option<usize> {
    let body = line.trim().trim_start_matches('[');
    let letters = body.contains(char::is_alphabetic);
    let rest = |text: &str| {
        let text = text.trim().trim_start_matches(']');
        if text.split_whitespace().all(|token| token.starts_with("align:")) { 0 } else { runs(text) }
    };
    if let Some((left, right)) = body.split_once("-->") {
        let end = right.trim_start().split([' ', ']']).next().unwrap_or_default();
        let is_time = !letters && body.contains(|c: char| c.is_ascii_digit())
            || is_clock(left)
            || is_clock(end) && !left.contains(char::is_alphabetic);
        return is_time.then(|| rest(right.trim_start().strip_prefix(end).unwrap_or_default()));
    }
    // One time, with what is left of the arrow.
    let one = body.trim_start_matches(['-', '>', ' ']);
    let time = one.split([' ', ']']).next().unwrap_or_default();
    let behind = &one[time.len()..];
    if has_millis(time) && behind.trim_matches(['-', ' ']).is_empty() {
        return Some(0);
    }
    if has_millis(time) && (behind.trim_start().starts_with("align:") && rest(behind) == 0 || behind.starts_with(']')) {
        return Some(rest(behind));
    }
    // SBV.
    let (start, end) = body.split_once(',')?;
    (is_clock(start) && is_clock(end)).then_some(0)
}

/// SRT, WebVTT, SBV: times and what the good files have around them are no words.
fn cue_lines(lines: &[&str]) -> usize {
    let blank = |n: usize| lines.get(n).is_some_and(|line| line.trim().is_empty());
    let time = |n: usize| lines.get(n).is_some_and(|line| behind_times(line).is_some());
    let number = |n: usize| digits(lines[n].trim().trim_end_matches([':', '.']), 9);
    let after = |n: usize, is: &dyn Fn(usize) -> bool| n > 0 && is(n - 1);
    let before_time = |n: usize| time(n + 1) || blank(n + 1) && time(n + 2);
    let times = (0..lines.len()).filter(|n| time(*n)).count();
    let numbered = (0..lines.len()).filter(|n| number(*n) && !after(*n, &time) && before_time(*n)).count() * 2 >= times.max(1);
    let webvtt = lines.iter().any(|line| line.trim() == "WEBVTT");
    let mut header = false;
    let mut all = 0;
    for (n, line) in lines.iter().enumerate() {
        let opens = n == 0 || blank(n - 1);
        header &= !blank(n) && !time(n);
        all += if let Some(words) = behind_times(line) {
            words
        } else if number(n) && !after(n, &time) && before_time(n) && (numbered && (opens || time(n + 1)) || webvtt && opens && time(n + 1))
        {
            0
        } else if line.trim() == "WEBVTT" && opens {
            header = true;
            0
        } else if header && line.contains(':') && line.contains(char::is_alphabetic) {
            0
        } else {
            runs(line)
        };
    }
    all
}

/// Events have their text in the tenth column. Of a broken one, it is what stands behind two
/// commas.
fn ass(lines: &[&str]) -> usize {
    let part = |line: &str| match line.rsplit_once(",,") {
        Some((_, text)) => runs(text),
        None if line.split(',').any(is_clock) => line.rsplit(',').next().filter(|last| !is_clock(last)).map_or(0, runs),
        None => runs(line),
    };
    let event = |line: &str| {
        let columns: Vec<&str> = line.splitn(10, ',').collect();
        (columns.len() == 10).then(|| (is_clock(columns[1]) && is_clock(columns[2]), runs(columns[9])))
    };
    let mut inside = false;
    let mut all = 0;
    for line in lines.iter().map(|line| line.trim()) {
        let (key, value) = line.split_once(':').unwrap_or(("", line));
        all += match key.trim() {
            _ if line.starts_with('[') && line.ends_with(']') => {
                inside = line == "[Events]";
                0
            }
            "Dialogue" => {
                inside = true;
                event(value).map_or_else(|| part(value), |(_, words)| words)
            }
            "Format" => 0,
            key if inside || value.contains(",,") || key.is_empty() => match event(line) {
                Some((true, words)) if inside || value.contains(",,") => words,
                _ => part(line),
            },
            _ => 0,
        };
    }
    all
}

/// A line of lyrics without the times before it.
fn behind_tags(line: &str) -> &str {
    let mut rest = line.trim();
    while let Some((tag, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if !is_clock(tag) && tag.contains(char::is_alphabetic) {
            break;
        }
        rest = after;
    }
    let is_time = |tag: &str| tag.contains(|c: char| c.is_ascii_digit()) && !tag.contains(|c: char| !"0123456789:.".contains(c));
    match rest.split_once(']') {
        Some((tag, after)) if is_time(tag) => after,
        _ => rest,
    }
}

/// The text of rows stands in the third column. A line that is no row is text.
fn table(lines: &[&str], separator: char) -> usize {
    let rows = lines.iter().filter(|line| !line.trim().is_empty()).enumerate();
    let words = |(n, line): (usize, &&str)| {
        let columns: Vec<&str> = line.splitn(3, separator).collect();
        match columns[..] {
            ["start", "end", "text"] if n == 0 => 0,
            [start, _, text] if start.trim().parse::<f64>().is_ok() => runs(text),
            _ => runs(line),
        }
    };
    rows.map(words).sum()
}

/// XML without its tags. A `<` that no `>` closes before the next is text.
fn without_tags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let mut quoted = false;
        let close = inside.char_indices().take_while(|(_, c)| *c != '<').find(|(_, c)| {
            quoted ^= *c == '"';
            *c == '>' && !quoted
        });
        let is_tag = inside.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic());
        match close.filter(|_| is_tag) {
            Some((length, _)) => {
                out.push(' ');
                rest = &inside[length + 1..];
            }
            None => {
                out.push('<');
                rest = inside;
            }
        }
    }
    out + rest
}
