//! Columns: Whisper's TSV (milliseconds), labels of Audacity (seconds), CSV with a header.

use super::clock::clock;
use super::json::{Entry, Scale, Timed};
use super::{Content, refuse};
use crate::error::Result;
use crate::transcribe::markup::Markup;
use crate::transcribe::text::count::{Losses, Reason};
use crate::transcribe::words::{count_text, count_words};

/// The separator of the columns. `None` if this is no table with times and text.
pub(super) fn separator(text: &str) -> Option<char> {
    let head: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with("```")).take(20).collect();
    ['\t', ';', ','].into_iter().find(|separator| {
        let named = head.first().is_some_and(|line| Columns::of(&split(line, *separator)).is_some());
        // Without a header: two numbers and a text, as Audacity writes labels.
        let numbers = |line: &&&str| {
            let fields = split(line, *separator);
            *separator == '\t' && fields.len() >= 3 && fields.iter().take(2).all(|field| is_time(field))
        };
        named || !head.is_empty() && head.iter().filter(numbers).count() * 2 > head.len()
    })
}

fn is_time(field: &str) -> bool {
    let field = field.trim();
    field.parse::<f64>().is_ok_and(f64::is_finite) || clock(field).is_some()
}

/// Where the columns are.
struct Columns {
    start: usize,
    end: Option<usize>,
    length: Option<usize>,
    text: usize,
    speaker: Option<usize>,
    scale: Option<Scale>,
}

impl Columns {
    /// The columns of a header.
    fn of(fields: &[String]) -> Option<Self> {
        let names: Vec<String> = fields.iter().map(|field| field.trim().to_ascii_lowercase().replace([' ', '-'], "_")).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let millis = names.iter().any(|name| name.ends_with("_ms") || name.ends_with("(ms)") || name.ends_with("milliseconds"));
        Some(Columns {
            start: place(&[
                "start",
                "start_time",
                "begin",
                "from",
                "start_ms",
                "start_(ms)",
                "starttime",
                "time",
                "timestamp",
                "start_timecode",
                "in",
            ])?,
            end: place(&["end", "end_time", "stop", "to", "end_ms", "end_(ms)", "endtime", "end_timecode", "out"]),
            length: place(&["duration", "dur", "length"]),
            text: place(&["text", "transcript", "word", "caption", "content", "subtitle", "sentence", "utterance"])?,
            speaker: place(&["speaker", "speaker_name", "name"]),
            scale: millis.then_some(Scale::Millis),
        })
    }
}

/// The fields of a line. Quoted fields may contain the separator.
fn split(line: &str, separator: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(field) = fields.last_mut() else { break };
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            letter if letter == separator && !quoted => fields.push(String::new()),
            letter => field.push(letter),
        }
    }
    // A quotation mark that nothing closes is text.
    if quoted { line.split(separator).map(str::to_owned).collect() } else { fields }
}

/// Reads a table.
pub(super) fn read(text: &str, separator: char, losses: &mut Losses) -> Result<Content> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut columns = Columns { start: 0, end: Some(1), length: None, text: 2, speaker: None, scale: None };
    let mut entries: Vec<Entry> = Vec::new();
    let mut is_first = true;
    for (n, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() || line.starts_with("```") {
            continue;
        }
        let fields = split(line, separator);
        if std::mem::take(&mut is_first)
            && let Some(named) = Columns::of(&fields)
        {
            columns = named;
            continue;
        }
        let field = |place: Option<usize>| place.and_then(|place| fields.get(place)).map(|field| field.trim());
        let Some(start) = field(Some(columns.start)).filter(|start| is_time(start) && fields.len() > columns.text) else {
            continuation(&mut entries, line, separator, n + 1, losses);
            continue;
        };
        let mut words = fields.get(columns.text).cloned().unwrap_or_default();
        // The text is the last column, and may contain separators.
        if columns.text + 1 == fields.len()
            || separator != '\t'
                && columns.speaker.is_none_or(|place| place < columns.text)
                && columns.end.is_none_or(|place| place < columns.text)
        {
            words = fields[columns.text..].join(&separator.to_string());
        }
        let mut entry = Entry::new(n + 1, format!("line {}", n + 1), words);
        entry.start = super::json::Time::of_text(start, columns.scale);
        entry.end = field(columns.end).map_or_else(Default::default, |end| super::json::Time::of_text(end, columns.scale));
        entry.length = field(columns.length).map_or_else(Default::default, |length| super::json::Time::of_text(length, columns.scale));
        entry.speaker = field(columns.speaker).filter(|name| !name.is_empty()).map(str::to_owned);
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(refuse("the table has no line with times and text"));
    }
    let format = if separator == '\t' { "TSV" } else { "CSV" };
    Ok(Content::Timed(Timed::of_segments(format, entries)?))
}

/// A line without times belongs to the one before. Numbers before its last column are what is left
/// of times.
fn continuation(entries: &mut [Entry], line: &str, separator: char, number: usize, losses: &mut Losses) {
    let has_letters = |text: &str| text.contains(char::is_alphabetic);
    let text = match line.rsplit_once(separator) {
        // In a line of numbers only, the last is no text either.
        Some((times, text)) if !has_letters(times) => {
            if has_letters(text) || times.trim().is_empty() {
                text.trim()
            } else {
                ""
            }
        }
        _ => line.trim(),
    };
    losses.lose(Reason::BrokenTime, number, count_words(line).saturating_sub(count_words(text)));
    match entries.last_mut() {
        Some(entry) => {
            entry.text.push('\n');
            entry.text.push_str(text);
        }
        None => losses.lose(Reason::BeforeFirstCue, number, count_text(text, Markup::SubRip)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted() {
        assert_eq!(split("1,\"a, \"\"b\"\"\",c", ','), ["1", "a, \"b\"", "c"]);
        assert_eq!(split("1\tsay \"x\"\t\"open", '\t'), ["1", "say \"x\"", "\"open"]);
        assert_eq!(separator("a,b\nc,d"), None);
        assert_eq!(separator("start,end,text\n1,2,x"), Some(','));
        assert_eq!(separator("0.5\t3.25\tx\n"), Some('\t'));
    }
}
