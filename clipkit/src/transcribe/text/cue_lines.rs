//! SRT, WebVTT and SBV, and what people and programs make of them: cues without numbers, without
//! blank lines between them or with some inside, other arrows, broken time lines, blocks of styles
//! and notes anywhere, several files in one.

use super::clock::clock;
use super::count::{Losses, Reason};
use super::{RawCue, RawCues};
use crate::model::Timestamp;
use crate::transcribe::markup::Markup;
use crate::transcribe::words::count_words;

/// The times of a cue: `00:00:01,000 --> 00:00:02,000`.
#[derive(Debug, PartialEq)]
pub(super) struct TimeLine<'a> {
    /// `None`: not understood.
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    /// What follows the times: settings or text.
    rest: &'a str,
    pub(super) is_sbv: bool,
}

/// How far into a line its arrow is searched for, in bytes.
const MAX_ARROW: usize = 60;

/// Reads a line of times. A line that was one, and whose times are broken, has `None` for them.
/// `None` if the line is text.
pub(super) fn time_line(line: &str) -> Option<TimeLine<'_>> {
    let body = line.trim().trim_start_matches(['[', '(']).trim_start();
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
    let is_plain_arrow = body[from..to].contains("--");
    let broken = |text: &str| text.is_empty() && is_plain_arrow || is_like_time(text);
    let token = right.split_whitespace().next().unwrap_or_default();
    match (start, end) {
        (Some(_), Some(_)) => {}
        (Some(_), None) if broken(token) || is_plain_arrow => {}
        (None, Some(_)) if broken(left) => {}
        (None, None) if is_like_time(left) && is_like_time(token) => {}
        _ => return None,
    }
    let rest = match end {
        Some(_) => rest,
        // The broken time is no text.
        None => right.get(token.len()..).unwrap_or_default().trim_start(),
    };
    Some(TimeLine { start, end, rest: rest.trim_start_matches([']', ')']).trim(), is_sbv: false })
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
    let token = text.find(|c: char| c.is_whitespace() || matches!(c, ']' | ')')).unwrap_or(text.len());
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
    let alone = clock(body).filter(|_| body.rsplit_once(['.', ',']).is_some_and(|(_, fraction)| fraction.len() == 3));
    alone.map(|start| TimeLine { start: Some(start), end: None, rest: "", is_sbv: false })
}

/// Whether what follows the times is WebVTT's settings or SRT's coordinates.
fn is_settings(rest: &str) -> bool {
    const KEYS: [&str; 10] = ["position", "line", "align", "size", "vertical", "region", "x1", "x2", "y1", "y2"];
    rest.split_whitespace().all(|token| {
        let key = token.split_once([':', '=']).map(|(key, _)| key.to_ascii_lowercase());
        key.is_some_and(|key| KEYS.contains(&key.as_str()))
    })
}

/// What a line is.
enum Line<'a> {
    Blank,
    Time(TimeLine<'a>),
    /// A number, which may be that of a cue.
    Number(u64),
    /// One run of characters without blanks, which may be a cue's identifier.
    Name,
    Text,
}

/// Reads cues. `webvtt`: the file has WebVTT's blocks.
pub(super) fn read(text: &str, webvtt: bool, losses: &mut Losses) -> RawCues {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    let kinds: Vec<Line<'_>> = lines.iter().map(|line| kind(line)).collect();
    let mut reader = Reader {
        lines: &lines,
        kinds: &kinds,
        webvtt,
        numbered: is_numbered(&kinds),
        identified: is_identified(&kinds, webvtt),
        last_number: 0,
        cues: Vec::new(),
        language: None,
        header: false,
    };
    let mut n = 0;
    while n < lines.len() {
        n = reader.line(n, losses);
    }
    let is_sbv = kinds.iter().any(|kind| matches!(kind, Line::Time(time) if time.is_sbv));
    let format = if webvtt {
        "WebVTT"
    } else if is_sbv {
        "SBV"
    } else {
        "SRT"
    };
    if is_sbv {
        reader.cues.iter_mut().for_each(|cue| cue.text = cue.text.replace("[br]", "\n"));
    }
    RawCues { format, markup: if webvtt { Markup::WebVtt } else { Markup::SubRip }, cues: reader.cues, language: reader.language }
}

fn kind(line: &str) -> Line<'_> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with("```") {
        return Line::Blank;
    }
    if let Some(time) = time_line(line) {
        return Line::Time(time);
    }
    let number = trimmed.trim_start_matches('#').trim_end_matches(['.', ':']);
    match number.parse() {
        Ok(number) if trimmed.len() <= 9 => Line::Number(number),
        _ if !trimmed.contains(char::is_whitespace) => Line::Name,
        _ => Line::Text,
    }
}

/// Whether most cues have a number on the line before their times.
fn is_numbered(kinds: &[Line<'_>]) -> bool {
    let times = kinds.iter().filter(|kind| matches!(kind, Line::Time(_))).count();
    // A number right after times is the text of that cue.
    let numbered = (0..kinds.len()).filter(|n| matches!(kinds[*n], Line::Number(_)) && (*n == 0 || !matches!(kinds[n - 1], Line::Time(_))));
    let numbered = numbered.filter(|n| matches!(kinds[n + 1..], [Line::Time(_), ..] | [Line::Blank, Line::Time(_), ..])).count();
    numbered * 2 >= times.max(1)
}

/// Whether most cues have an identifier, such as `intro-1`, on the line before their times, after a
/// blank line.
/// If no text follows the times, that line is the text.
fn is_identified(kinds: &[Line<'_>], webvtt: bool) -> bool {
    let times = kinds.iter().filter(|kind| matches!(kind, Line::Time(_))).count();
    let before = |four: &&[Line<'_>]| matches!(four, [Line::Blank, Line::Name, Line::Time(_), Line::Text | Line::Name | Line::Number(_)]);
    webvtt && times >= 2 && kinds.windows(4).filter(before).count() * 2 > times
}

struct Reader<'a> {
    lines: &'a [&'a str],
    kinds: &'a [Line<'a>],
    webvtt: bool,
    numbered: bool,
    identified: bool,
    last_number: u64,
    cues: Vec<RawCue>,
    language: Option<String>,
    /// Whether the lines of a WebVTT header are being read.
    header: bool,
}

impl Reader<'_> {
    /// Takes the line `n`. Returns the next one to take.
    fn line(&mut self, n: usize, losses: &mut Losses) -> usize {
        let trimmed = self.lines[n].trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        match &self.kinds[n] {
            Line::Blank => self.header = false,
            Line::Time(time) => self.time(n, time),
            Line::Number(number) if self.is_number_of_a_cue(n, *number) => {
                self.last_number = *number;
                if self.begins_without_times(n) {
                    losses.repair("the time line is missing, and the words are placed between their neighbours", n + 1);
                    self.cues.push(RawCue { line: n + 1, ..RawCue::default() });
                }
            }
            Line::Text | Line::Name if self.webvtt && (trimmed == "WEBVTT" || trimmed.starts_with("WEBVTT ")) && self.is_after_blank(n) => {
                self.header = true
            }
            Line::Text | Line::Name if self.header && trimmed.contains([':', '=']) => {
                let stated = trimmed.strip_prefix("Language:").map(|tag| tag.trim().to_owned());
                self.language = self.language.take().or(stated);
            }
            Line::Text | Line::Name if self.webvtt && self.is_block(n, trimmed) => return self.after_block(n),
            Line::Name
                if self.identified
                    && self.is_after_blank(n)
                    && matches!(self.kinds[n + 1..], [Line::Time(_), Line::Text | Line::Name | Line::Number(_), ..]) => {}
            Line::Number(_) | Line::Name | Line::Text => self.text(n, losses),
        }
        n + 1
    }

    fn time(&mut self, n: usize, time: &TimeLine<'_>) {
        self.header = false;
        let text = if is_settings(time.rest) { String::new() } else { time.rest.to_owned() };
        // The times of one cue on two lines.
        if let Some(cue) = self.cues.last_mut()
            && cue.line == n
            && cue.text.is_empty()
            && cue.end.is_none()
            && (time.start.is_none() || time.end.is_none())
        {
            cue.end = time.end.or(time.start);
            cue.text = text;
            return;
        }
        self.cues.push(RawCue { line: n + 1, start: time.start, end: time.end, text, speaker: None });
    }

    fn is_after_blank(&self, n: usize) -> bool {
        n == 0 || matches!(self.kinds[n - 1], Line::Blank)
    }

    /// Whether a line with a number is the number of a cue, and not spoken.
    fn is_number_of_a_cue(&self, n: usize, number: u64) -> bool {
        if n > 0 && matches!(self.kinds[n - 1], Line::Time(_)) {
            return false;
        }
        let follows = number > self.last_number && number - self.last_number <= 5;
        match self.kinds.get(n + 1) {
            Some(Line::Time(_)) => self.numbered || self.webvtt && self.is_after_blank(n),
            Some(Line::Blank) if matches!(self.kinds.get(n + 2), Some(Line::Time(_))) => {
                self.numbered && (follows || self.is_after_blank(n))
            }
            // A cue without its times.
            _ => self.numbered && follows && self.is_after_blank(n),
        }
    }

    /// Whether the number at `n` is followed by text, without times between.
    fn begins_without_times(&self, n: usize) -> bool {
        matches!(self.kinds.get(n + 1), Some(Line::Text | Line::Name | Line::Number(_)))
    }

    /// Whether a block of WebVTT that is not shown starts here.
    fn is_block(&self, n: usize, line: &str) -> bool {
        let note = line == "NOTE" || line.starts_with("NOTE ") || line.starts_with("NOTE\t");
        let css = || self.lines[n..].iter().skip(1).take(3).any(|line| line.trim_start().starts_with("::cue") || line.contains('{'));
        let styles = matches!(line, "STYLE" | "REGION") && (self.is_after_blank(n) || css());
        note && self.is_after_blank(n) || styles || line.starts_with("::cue") && line.contains('{')
    }

    /// The line after the block that starts at `n`: after a blank line outside braces, or at the
    /// next times.
    fn after_block(&self, n: usize) -> usize {
        let mut open = 0usize;
        for at in n..self.lines.len() {
            match &self.kinds[at] {
                Line::Time(_) => return at,
                Line::Blank if open == 0 => return at,
                _ => {}
            }
            open = (open + self.lines[at].matches('{').count()).saturating_sub(self.lines[at].matches('}').count());
            // An open brace that nothing closes does not hide the rest of the file.
            if at > n + 50 {
                open = 0;
            }
        }
        self.lines.len()
    }

    /// Text belongs to the cue before it, also after a blank line.
    fn text(&mut self, n: usize, losses: &mut Losses) {
        match self.cues.last_mut() {
            Some(cue) => {
                if !cue.text.is_empty() {
                    cue.text.push('\n');
                }
                cue.text.push_str(self.lines[n]);
            }
            None => losses.lose(Reason::BeforeFirstCue, n + 1, count_words(self.lines[n])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, webvtt: bool) -> Vec<String> {
        let time = |time: Option<Timestamp>| time.map_or("?".into(), |time| time.secs().to_string());
        let cues = read(text, webvtt, &mut Losses::default()).cues;
        cues.iter().map(|cue| format!("{}-{} {}", time(cue.start), time(cue.end), cue.text.replace('\n', "|"))).collect()
    }

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
        for (line, start, end) in [
            ("00:00:44.x872 --> 00:00:48,454", None, Some(48.454)),
            ("00:00:44,872 --> 00:00:4x,454", Some(44.872), None),
            ("0x:00:44,872 --> 00:0y:48,454", None, None),
            ("00:00:44,872 -->", Some(44.872), None),
            ("--> 00:00:48,454", None, Some(48.454)),
            ("00:00:44,872", Some(44.872), None),
            ("00;00;44,872 --> 00;00;48,454", None, None),
        ] {
            let time = time_line(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((time.start.map(Timestamp::secs), time.end.map(Timestamp::secs)), (start, end), "{line}");
        }
        for line in
            ["", "42", "Hello", "a -> b", "at 10:30 -> lunch", "10:30", "- 3 --> no", "so --- 5 of them", "1:2", "then 5 -> 6 and so on"]
        {
            assert_eq!(time_line(line), None, "{line}");
        }
    }

    #[test]
    fn numbers_are_spoken_or_not() {
        let text = "1\n00:01 --> 00:02\nforty\n42\n\n2\n00:03 --> 00:04\n7\n\n\n\n3\n00:05 --> 00:06\nend\n4\n00:07 --> 00:08\n1984";
        assert_eq!(shown(text, false), ["1-2 forty|42", "3-4 7", "5-6 end", "7-8 1984"]);
        let bare = "00:01 --> 00:02\n1\n\n00:03 --> 00:04\n2\n00:05 --> 00:06\nx";
        assert_eq!(shown(bare, false), ["1-2 1", "3-4 2", "5-6 x"]);
        let spaced = "1\n\n00:01 --> 00:02\n\nHello\n\n2\n\n00:03 --> 00:04\n\nthere\n";
        assert_eq!(shown(spaced, false), ["1-2 Hello", "3-4 there"]);
    }

    #[test]
    fn nothing_between_cues_is_lost() {
        let text = "1\r\n00:01 --> 00:02\r\na\r\n\r\nstill a\r\n\r\n2\r\nwithout times\r\n\r\n3\r\n00:05 --> 00:06\r\nc";
        assert_eq!(shown(text, false), ["1-2 a||still a".replace("||", "|"), "?-? without times".into(), "5-6 c".into()]);
        let split = "1\n00:01,000 -->\n00:02,500\na\n\n2\n00:00:03,500\n--> 00:04\nb";
        assert_eq!(shown(split, false), ["1-2.5 a", "3.5-4 b"]);
        let same_line = "[00:01.000 --> 00:02.000]  Why do\n[00:02.000 --> 00:03.000]  most";
        assert_eq!(shown(same_line, false), ["1-2 Why do", "2-3 most"]);
    }

    #[test]
    fn blocks_of_webvtt_are_skipped_wherever_they_stand() {
        let text = "WEBVTT - x\nKind: captions\nLanguage: de\n00:01.000 --> 00:02.000 line:0\na\n\nNOTE\nno\n\nSTYLE\n::cue {\n\n  color: red\n}\n\nREGION\nid:x\n\n\
                    intro\n00:03.000 --> 00:04.000\nb\nNOTE of text\n\n00:05.000 --> 00:06.000\nc\n\nWEBVTT\nX-TIMESTAMP-MAP=LOCAL:0\n\n00:07.000 --> 00:08.000\nd";
        let mut losses = Losses::default();
        let read = read(text, true, &mut losses);
        let texts: Vec<&str> = read.cues.iter().map(|cue| cue.text.as_str()).collect();
        assert_eq!((texts, read.language.as_deref(), losses.words()), (vec!["a\nintro", "b\nNOTE of text", "c", "d"], Some("de"), 0));
        let named = "WEBVTT\n\none\n00:01.000 --> 00:02.000\na\n\ntwo\n00:03.000 --> 00:04.000\nb";
        assert_eq!(shown(named, true), ["1-2 a", "3-4 b"]);
    }
}
