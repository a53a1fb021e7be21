//! SRT, WebVTT and SBV, and what people and programs make of them: cues without numbers, without
//! blank lines between them or with some inside, other arrows, broken time lines, blocks of styles
//! and notes anywhere, several files in one.

mod time_line;

pub(super) use time_line::time_line;

use super::count::{Losses, Reason};
use super::{RawCue, RawCues};
use crate::transcribe::markup::Markup;
use crate::transcribe::words::{count_text, count_words};
use time_line::{TimeLine, half_line, is_settings};

/// What a line is.
enum Line<'a> {
    Blank,
    Time(TimeLine<'a>),
    /// A number, which may be that of a cue.
    Number(u64),
    /// What may be a piece of a broken time: digits with colons or a part of an arrow.
    Fragment,
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
    RawCues { format, markup: reader.markup(), cues: reader.cues, language: reader.language }
}

fn kind(line: &str) -> Line<'_> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with("```") {
        return Line::Blank;
    }
    if let Some(time) = time_line(line).or_else(|| half_line(line)) {
        return Line::Time(time);
    }
    let number = trimmed.trim_start_matches('#').trim_end_matches(['.', ':']);
    match number.parse() {
        Ok(number) if trimmed.len() <= 9 => Line::Number(number),
        _ if is_fragment(trimmed) => Line::Fragment,
        _ if !trimmed.contains(char::is_whitespace) => Line::Name,
        _ => Line::Text,
    }
}

/// Whether a line without letters looks like a piece of a time: `00:0`, `,500 --`.
fn is_fragment(line: &str) -> bool {
    !line.contains(char::is_alphabetic)
        && line.contains(|c: char| c.is_ascii_digit())
        && (line.contains([':', '>']) || line.contains("--") || line.starts_with([',', '.']))
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
            Line::Number(number) if self.is_number_of_a_cue(n) => self.last_number = *number,
            Line::Number(number) if self.is_number_without_times(n, *number) => {
                self.last_number = *number;
                losses.lose(Reason::NumberWithoutTimes, n + 1, 1);
                if matches!(self.kinds.get(n + 1), Some(Line::Text | Line::Name)) {
                    losses.repair("the time line is missing, and the words are placed between their neighbours", n + 1);
                    self.cues.push(RawCue { line: n + 1, ..RawCue::default() });
                }
            }
            Line::Fragment if !self.is_spoken(n) => losses.lose(Reason::BrokenTime, n + 1, count_words(trimmed)),
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
            Line::Number(_) | Line::Fragment | Line::Name | Line::Text => self.text(n, losses),
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

    fn is_time(&self, n: usize) -> bool {
        matches!(self.kinds.get(n), Some(Line::Time(_)))
    }

    /// Whether a line with a number is the number of the cue whose times follow.
    fn is_number_of_a_cue(&self, n: usize) -> bool {
        let after_blank = self.is_after_blank(n);
        match self.kinds.get(n + 1) {
            // A number right after times is the text of that cue.
            _ if n > 0 && self.is_time(n - 1) => false,
            Some(Line::Time(_)) => self.numbered || self.webvtt && after_blank,
            Some(Line::Blank) if self.is_time(n + 2) => self.numbered && after_blank,
            _ => false,
        }
    }

    /// Whether a line with a number stands where a cue's number does, and continues the numbers,
    /// but no times follow.
    fn is_number_without_times(&self, n: usize, number: u64) -> bool {
        let follows = number > self.last_number && number - self.last_number <= 5;
        let before_blank = matches!(self.kinds.get(n + 1), Some(Line::Blank)) && self.is_time(n + 2);
        self.numbered && follows && !(n > 0 && self.is_time(n - 1)) && (self.is_after_blank(n) || before_blank)
    }

    /// Whether what may be a piece of a time is text: a line of a cue in which someone says
    /// `10:30`.
    fn is_spoken(&self, n: usize) -> bool {
        let continues_time = self.lines[n].trim_start().starts_with([':', ',', '.', '-', '>']);
        let in_cue = match n.checked_sub(1).and_then(|before| self.kinds.get(before)) {
            Some(Line::Text | Line::Name) => true,
            Some(Line::Time(time)) => time.start.is_some() && time.end.is_some() && !continues_time,
            _ => false,
        };
        in_cue && !matches!(self.kinds.get(n + 1), Some(Line::Time(_) | Line::Fragment))
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

    fn markup(&self) -> Markup {
        if self.webvtt { Markup::WebVtt } else { Markup::SubRip }
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
            None => losses.lose(Reason::BeforeFirstCue, n + 1, count_text(self.lines[n], self.markup())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn shown(text: &str, webvtt: bool) -> Vec<String> {
        let time = |time: Option<Timestamp>| time.map_or("?".into(), |time| time.secs().to_string());
        let cues = read(text, webvtt, &mut Losses::default()).cues;
        cues.iter().map(|cue| format!("{}-{} {}", time(cue.start), time(cue.end), cue.text.replace('\n', "|"))).collect()
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
