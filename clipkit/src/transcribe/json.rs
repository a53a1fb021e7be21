//! Transcripts in JSON: clipkit's own, lists of words, Whisper's, YouTube's json3. The contents
//! decide the format.

use serde_json::Value;

use super::markup::{Speakers, TimedChar, lines, printable};
use super::rolling::Cue;
use super::words::words_of;
use crate::av::subtitle::Markup;
use crate::model::{Span, Timestamp, Word};

/// The formats that this module reads, for error messages.
pub(super) const EXPECTED: &str = "a clipkit transcript, a list of [word, start, end], Whisper's JSON or YouTube's json3";

/// A transcript as read from a document, before [`repair`](super::words::repair).
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) language: Option<String>,
    pub(super) words: Vec<Word>,
}

/// Parses JSON text. `None` if it is not JSON, or in none of the formats.
pub(super) fn parse(text: &str) -> Option<Document> {
    read(&serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?)
}

/// The same for JSON that is parsed already.
pub(super) fn read(value: &Value) -> Option<Document> {
    match value {
        Value::Array(items) => timed_list(items).map(|words| Document { language: None, words }),
        Value::Object(object) => {
            let list = |key: &str| object.get(key).and_then(Value::as_array);
            let words = if let Some(events) = list("events") {
                json3(events)?
            } else if let Some(items) = list("words") {
                timed_list(items)?
            } else {
                segments(list("segments")?)?
            };
            let language = object.get("language").and_then(Value::as_str).and_then(super::language::tag);
            Some(Document { language, words })
        }
        _ => None,
    }
}

/// Reads `[["word", 0.1, 0.4], ...]` or `[{"word": "word", "start": 0.1, "end": 0.4}, ...]`, with
/// times in seconds. `None` if the list contains anything else.
fn timed_list(items: &[Value]) -> Option<Vec<Word>> {
    let mut timed: Vec<Word> = Vec::with_capacity(items.len());
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        parts.push(match item {
            Value::Array(fields) => match fields.as_slice() {
                [Value::String(text), start, end, ..] => (text.as_str(), number(start), number(end), None),
                _ => return None,
            },
            Value::Object(_) => {
                let text = item.get("text").or_else(|| item.get("word")).and_then(Value::as_str)?;
                (text, item.get("start").and_then(number), item.get("end").and_then(number), item.get("speaker").and_then(Value::as_str))
            }
            _ => return None,
        });
    }
    // If most items start with a space, one without it continues the word before: " three",
    // "-dimensional".
    let leading = parts.iter().filter(|(text, ..)| text.starts_with(' ')).count() * 2 > parts.len();
    for (text, start, end, speaker) in parts {
        // Aligners give no times for numbers; such a word starts where the one before ends.
        let previous = timed.last().map_or(Timestamp::ZERO, |word| word.end);
        let start = start.unwrap_or(previous);
        let end = end.unwrap_or(start);
        match timed.last_mut() {
            Some(before) if leading && !text.starts_with(char::is_whitespace) => {
                before.text.push_str(text);
                before.end = before.end.max(end);
            }
            _ => timed.push(Word { text: text.to_owned(), start, end, speaker: speaker.map(str::to_owned) }),
        }
    }
    Some(plain_words(timed))
}

/// Removes sound descriptions from timed texts, and splits those that contain several words.
fn plain_words(timed: Vec<Word>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::with_capacity(timed.len());
    for item in timed {
        let mut speakers = Speakers::default();
        let cue = Cue { span: Span::between(item.start, item.end), lines: lines(&item.text, Markup::Plain, &mut speakers) };
        let found = words_of(vec![cue], &speakers);
        match (found.as_slice(), words.last_mut()) {
            ([], Some(before)) if item.text.trim().chars().all(|c| c.is_ascii_punctuation()) && item.text.trim().len() <= 3 => {
                before.text.push_str(item.text.trim().trim_matches(['-', '[', ']', '(', '*']));
            }
            // A single word keeps its times.
            ([one], _) => words.push(Word { text: one.text.clone(), ..item }),
            _ => words.extend(found.into_iter().map(|word| Word { speaker: item.speaker.clone(), ..word })),
        }
    }
    words
}

/// Reads Whisper's `segments`, with their words if they have any.
fn segments(items: &[Value]) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    for item in items {
        match item.get("words").and_then(Value::as_array) {
            Some(list) if !list.is_empty() => words.extend(timed_list(list)?),
            _ => words.extend(timed_list(std::slice::from_ref(item))?),
        }
    }
    Some(words)
}

/// Reads YouTube's json3: events with a start time, and segments with offsets, in milliseconds.
fn json3(events: &[Value]) -> Option<Vec<Word>> {
    if !events.iter().any(|event| event.get("tStartMs").is_some()) {
        return None;
    }
    let millis = |value: Option<&Value>| value.and_then(Value::as_f64).filter(|ms| ms.is_finite() && ms.abs() < 1e12);
    let mut speakers = Speakers::default();
    let mut cues = Vec::new();
    for event in events {
        let (Some(start), Some(parts)) = (millis(event.get("tStartMs")), event.get("segs").and_then(Value::as_array)) else { continue };
        let length = millis(event.get("dDurationMs")).unwrap_or(0.0).max(0.0);
        // The event's text is joined first, since brackets may extend over several segments. Then
        // the segments' times are assigned.
        let mut text = String::new();
        let mut times: Vec<(usize, Timestamp)> = Vec::new();
        let mut letters = 0;
        for part in parts {
            if let Some(offset) = millis(part.get("tOffsetMs")) {
                times.push((letters, Timestamp::from_secs((start + offset) / 1000.0)));
            }
            let part_text = part.get("utf8").and_then(Value::as_str).unwrap_or_default();
            text.push_str(part_text);
            letters += part_text.chars().filter_map(printable).filter(|letter| !letter.is_whitespace()).count();
        }
        let mut found = lines(&text, Markup::Plain, &mut speakers);
        set_times(&mut found, &times);
        let start = Timestamp::from_secs(start / 1000.0);
        cues.push(Cue { span: Span::between(start, start.plus(length / 1000.0)), lines: found });
    }
    Some(words_of(cues, &speakers))
}

/// Assigns times to characters. Each time comes with the number of visible characters before it.
fn set_times(lines: &mut [Vec<TimedChar>], times: &[(usize, Timestamp)]) {
    let mut times = times.iter().peekable();
    let visible = lines.iter_mut().flatten().filter(|character| !character.letter.is_whitespace());
    for (n, character) in visible.enumerate() {
        while let Some((_, at)) = times.next_if(|(place, _)| *place <= n) {
            character.at = Some(*at);
        }
    }
}

/// A time in seconds.
fn number(value: &Value) -> Option<Timestamp> {
    // More than a thousand years is not a time.
    value.as_f64().filter(|seconds| seconds.is_finite() && seconds.abs() < 3.2e10).map(Timestamp::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<Vec<String>> {
        let words = parse(text)?.words;
        Some(words.iter().map(|word| format!("{} {:.2}-{:.2}", word.text, word.start.secs(), word.end.secs())).collect())
    }

    #[test]
    fn word_lists_of_several_formats_are_read() {
        let list = r#"[[" Some", 0, 0.3], [" three", 0.3, 0.6], ["-way", 0.6, 0.9], [" [Music]", 1, 2], [" street.", 2, 2.4]]"#;
        assert_eq!(shown(list).unwrap(), ["Some 0.00-0.30", "three-way 0.30-0.90", "street. 2.00-2.40"]);
        let ours = r#"{"language":"en","origin":"x","words":[{"text":"Hi","start":1.0,"end":1.5,"speaker":"Ann"}]}"#;
        let document = parse(ours).unwrap();
        assert_eq!(document.language.as_deref(), Some("en"));
        assert_eq!(document.words[0].speaker.as_deref(), Some("Ann"));
        let whisper = r#"{"text":"","segments":[{"text":" A b.","start":0,"end":1,"words":[{"word":" A","start":0,"end":0.4},
            {"word":" b.","start":0.5,"end":1}]},{"text":" Only text","start":2,"end":3}],"language":"en"}"#;
        assert_eq!(shown(whisper).unwrap(), ["A 0.00-0.40", "b. 0.50-1.00", "Only 2.00-2.50", "text 2.50-3.00"]);
    }

    #[test]
    fn json3_offsets_are_word_times() {
        let text = r#"{"wireMagic":"pb3","events":[{"tStartMs":0,"dDurationMs":9000,"id":1},
            {"tStartMs":80,"dDurationMs":4000,"segs":[{"utf8":"so"},{"utf8":" here","tOffsetMs":240},{"utf8":" [Music]","tOffsetMs":900}]},
            {"tStartMs":2000,"dDurationMs":2000,"aAppend":1,"segs":[{"utf8":"\n"}]},
            {"tStartMs":2010,"dDurationMs":2000,"segs":[{"utf8":"we"},{"utf8":" go","tOffsetMs":400}]}]}"#;
        assert_eq!(shown(text).unwrap(), ["so 0.08-0.32", "here 0.32-0.98", "we 2.01-2.41", "go 2.41-3.11"]);
    }

    #[test]
    fn other_json_is_not_a_transcript() {
        for text in
            ["", "{}", "[1]", r#"{"title":"x"}"#, r#"{"events":[]}"#, r#"{"words":3}"#, r#"{"words":[{"a":1}]}"#, "[[\"a\"]]", "nul"]
        {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_none());
        assert_eq!(shown(r#"[["a",1e300,-4],["b",null,"x"]]"#).unwrap().len(), 2);
    }
}
