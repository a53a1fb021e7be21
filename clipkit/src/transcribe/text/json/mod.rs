//! Transcripts in JSON: one table of shapes, one reader.

mod document;
mod events;
mod missing;
mod shapes;
mod timed;
mod untimed;
mod values;

pub(super) use timed::{Entry, Piece, Run, Timed};
pub(in super::super) use untimed::{text_without_times, unwrapped};
pub(super) use values::{Scale, Time};

use serde_json::Value;

use super::count::{Losses, Reason};
use super::{Content, ReadOptions, ReadTranscript, refuse};
use crate::error::{Error, Result};
use crate::openai::lenient::{self, Found};
use crate::transcribe::words::count_words;
use document::Document;
use shapes::{ENDS, LANGUAGES, LENGTHS, SHAPES, SPEAKERS, STARTS, Shape, TEXTS, WORDS, at};

/// How deep a list of an unknown maker is searched for.
const MAX_DEPTH: usize = 6;

/// Reads JSON text: one document, or several (JSON lines).
pub(super) fn read(text: &str, losses: &mut Losses) -> Result<Content> {
    let text = values::without_nan(text);
    let mut documents = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<Document>();
    loop {
        let place = stream.byte_offset();
        match stream.next() {
            Some(Ok(document)) => {
                losses.lose(Reason::Twice, 0, document.replaced);
                documents.push(document.value);
            }
            // A Markdown fence, or prose after the document.
            Some(Err(_)) if !documents.is_empty() && !text[place..].contains(['{', '[', '"']) => {
                lose_prose(&text[place..], losses);
                break;
            }
            Some(Err(error)) => {
                let Some(found) = nearly_json(&text).filter(|_| documents.is_empty() && !error.is_eof()) else {
                    return Err(damaged(&error));
                };
                losses.note(format!("the JSON has errors in {} places, the first: {error}; it is read as it is meant", found.departures));
                lose_prose(&text[found.end..], losses);
                documents.push(found.value);
                break;
            }
            None => break,
        }
    }
    read_all(&documents)
}

/// Counts the words of prose around the JSON.
pub(super) fn lose_prose(text: &str, losses: &mut Losses) {
    let words = text.lines().filter(|line| !line.starts_with("```")).map(count_words).sum();
    losses.lose(Reason::Outside, 0, words);
}

/// The one value of a text that is nearly JSON: with trailing commas, or as Python prints it.
fn nearly_json(text: &str) -> Option<Found> {
    let found = lenient::values(text).next()?;
    let is_whole = text[..found.start].trim().is_empty() && !text[found.end..].contains(['{', '[']);
    // The words of damaged places could not be counted.
    (is_whole && found.guesses == 0).then_some(found)
}

fn damaged(error: &serde_json::Error) -> Error {
    let what = if error.is_eof() { "the JSON ends early" } else { "the JSON is damaged" };
    refuse(format!("{what}: {error}")).with_advice("save the whole answer again")
}

/// Reads the documents of a server's answer, and says whether words have times of their own. `None`
/// if there are no words with times, or a time is not understood.
pub(in super::super) fn read_documents(documents: &[Value]) -> Option<(ReadTranscript, bool)> {
    let content = read_all(documents).ok()?;
    let has_word_times = matches!(&content, Content::Timed(timed) if timed.runs.iter().any(|run| matches!(run, Run::Words(_))));
    let read = super::assemble::assemble(content, Losses::default(), &ReadOptions::default()).ok()?;
    Some((read, has_word_times))
}

fn read_all(documents: &[Value]) -> Result<Content> {
    match documents {
        [] => Err(refuse("there is no JSON in this file")),
        // The only line may be an entry.
        [document] => match read_document(document) {
            Err(_) if is_timed(document) => read_document(&Value::Array(documents.to_vec())),
            read => read,
        },
        documents => read_lines(documents),
    }
}

fn read_document(document: &Value) -> Result<Content> {
    if let Some(cues) = document.get("events").and_then(Value::as_array).and_then(|events| events::read(events)) {
        return Ok(Content::Cues(cues));
    }
    Ok(Content::Timed(find(document)?))
}

/// JSON lines: each is an entry, or a document with entries.
fn read_lines(documents: &[Value]) -> Result<Content> {
    let all = Value::Array(documents.to_vec());
    if let Some(n) = documents.iter().position(|document| !document.is_object() && !document.is_array()) {
        return Err(refuse(format!("the JSON is damaged: value {} of {} is no entry", n + 1, documents.len()))
            .with_advice("save the whole answer again"));
    }
    if documents.iter().filter(|document| is_timed(document)).count() * 2 > documents.len() {
        return Ok(Content::Timed(find(&all)?));
    }
    let mut joined: Option<Timed> = None;
    for (n, document) in documents.iter().enumerate() {
        // Vosk writes an empty result for silence.
        if texts_in(document, 0) == 0 {
            continue;
        }
        let timed = find(document).map_err(|error| refuse(format!("document {}: {error}", n + 1)))?;
        match &mut joined {
            Some(all) => all.append(timed),
            None => joined = Some(timed),
        }
    }
    joined.map(Content::Timed).ok_or_else(|| no_shape(&all))
}

/// Finds the entries by the table, else the largest list of entries anywhere.
fn find(document: &Value) -> Result<Timed> {
    let found = SHAPES.iter().find_map(|shape| {
        let items = shape.entries(document)?;
        let has_words = |item: &Value| list_of_words(item).is_some_and(|words| words.iter().any(is_timed));
        let is_readable =
            if shape.nested { items.iter().any(|(_, item)| has_words(item)) } else { items.iter().any(|(_, item)| is_timed(item)) };
        is_readable.then_some((shape, items))
    });
    let (shape, items) = match found {
        Some(found) => found,
        None => largest(document, 0).and_then(|list| Some((SHAPES.last()?, whole().entries(list)?))).ok_or_else(|| no_shape(document))?,
    };
    let names = Names::of(document);
    let mut entries = Vec::with_capacity(items.len());
    for (path, item) in &items {
        entries.push(entry(item, path, shape, &names));
    }
    let written = document.get("text").and_then(Value::as_str).map(str::to_owned);
    Timed::new(shape.maker, language_of(document), entries, written)
}

/// The language that a document names.
pub(in super::super) fn language_of(document: &Value) -> Option<String> {
    LANGUAGES.iter().find_map(|path| at(document, path)).and_then(Value::as_str).map(str::to_owned)
}

/// The shape of a list that stands alone.
fn whole() -> &'static Shape {
    &SHAPES[SHAPES.len() - 1]
}

/// The list with the most entries anywhere in a document.
fn largest(value: &Value, depth: usize) -> Option<&Value> {
    let size = |value: &Value| value.as_array().map_or(0, |items| items.iter().filter(|item| is_timed(item)).count());
    let below: Vec<&Value> = match value {
        _ if depth >= MAX_DEPTH => Vec::new(),
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    let best = below.into_iter().filter_map(|value| largest(value, depth + 1)).max_by_key(|value| size(value));
    [Some(value), best].into_iter().flatten().filter(|value| size(value) > 0).max_by_key(|value| size(value))
}

/// Whether a value is an entry: it has a text and a time.
fn is_timed(item: &Value) -> bool {
    match item {
        Value::Array(_) => of_array(item).is_some(),
        Value::Object(_) => {
            let stated =
                |names: &[(&str, Option<Scale>)]| names.iter().any(|(path, _)| at(item, path).is_some_and(|value| !value.is_null()));
            text_of(item).is_some() && (stated(STARTS) || stated(ENDS))
        }
        _ => false,
    }
}

/// The fields of `["word", 0.1, 0.4, ...]` or `[0.1, 0.4, "text"]`.
fn of_array(item: &Value) -> Option<(&str, &Value, &Value)> {
    match item.as_array()?.as_slice() {
        [Value::String(text), start, end, ..] | [start @ Value::Number(_), end, Value::String(text), ..] => Some((text, start, end)),
        _ => None,
    }
}

fn text_of(item: &Value) -> Option<&str> {
    TEXTS.iter().find_map(|path| at(item, path).and_then(Value::as_str))
}

fn list_of_words(item: &Value) -> Option<&Vec<Value>> {
    WORDS.iter().filter_map(|path| at(item, path).and_then(Value::as_array)).find(|list| !list.is_empty())
}

/// Names that stand apart from the entries.
struct Names {
    /// Premiere and others name speakers by ids.
    of_ids: Vec<(String, String)>,
    /// AWS gives the speakers of words by their starts.
    of_starts: std::collections::HashMap<String, String>,
}

impl Names {
    fn of(document: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()));
        let listed = document.get("speakers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let of_ids = listed.iter().filter_map(|speaker| Some((text(speaker.get("id")?)?, text(speaker.get("name")?)?))).collect();
        let turns = at(document, "results.speaker_labels.segments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let words = turns.iter().filter_map(|turn| turn.get("items").and_then(Value::as_array)).flatten();
        let of_starts = words.filter_map(|word| Some((text(word.get("start_time")?)?, text(word.get("speaker_label")?)?))).collect();
        Names { of_ids, of_starts }
    }

    fn speaker(&self, item: &Value) -> Option<String> {
        let stated = SPEAKERS.iter().find_map(|path| at(item, path)).filter(|value| !value.is_null());
        let label = match stated {
            Some(Value::String(name)) => name.clone(),
            Some(Value::Number(number)) => {
                let known = self.of_ids.iter().find(|(id, _)| *id == number.to_string());
                return Some(known.map_or_else(|| format!("speaker {number}"), |(_, name)| name.clone()));
            }
            Some(Value::Object(fields)) => {
                fields.get("name").or_else(|| fields.get("id")).or_else(|| fields.get("label"))?.as_str()?.to_owned()
            }
            _ => self.of_starts.get(item.get("start_time")?.as_str()?)?.clone(),
        };
        let name = self.of_ids.iter().find(|(id, _)| *id == label).map_or(label, |(_, name)| name.clone());
        Some(name).filter(|name| !name.trim().is_empty())
    }
}

/// Reads an entry and its words.
fn entry(item: &Value, path: &str, shape: &Shape, names: &Names) -> Entry {
    if let Some((text, start, end)) = of_array(item) {
        let mut entry = Entry::new(0, path.to_owned(), text.to_owned());
        (entry.start, entry.end) = (Time::of(start, shape.scale), Time::of(end, shape.scale));
        entry.speaker = item.get(3).and_then(Value::as_str).map(str::to_owned);
        return entry;
    }
    let time = |keys: &[(&str, Option<Scale>)]| {
        let stated = keys.iter().find_map(|(path, scale)| at(item, path).filter(|value| !value.is_null()).map(|value| (value, *scale)));
        // `timestamp` may be a pair, which stands under its own names.
        stated.filter(|(value, _)| !value.is_array()).map_or(Time::Missing, |(value, scale)| Time::of(value, scale.or(shape.scale)))
    };
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let bare = item.as_str().or_else(|| item.as_array()?.iter().find_map(Value::as_str));
    let mut entry = Entry::new(0, path.to_owned(), text_of(item).or(bare).unwrap_or_default().to_owned());
    entry.is_event = kind.contains("event");
    entry.is_spacing = kind == "spacing";
    (entry.start, entry.end, entry.length) = (time(STARTS), time(ENDS), time(LENGTHS));
    entry.speaker = names.speaker(item);
    if let Some(words) = list_of_words(item) {
        entry.words = words.iter().enumerate().map(|(n, word)| self::entry(word, &format!("{path}.words[{n}]"), shape, names)).collect();
        entry.words.retain(|word| !is_token_of_a_model(&word.text));
    }
    entry
}

/// Whether this is a special token of whisper.cpp: `[_BEG_]`, `[_TT_150]`.
fn is_token_of_a_model(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("[_") && text.ends_with(']') && text.len() < 20 && !text.contains(' ')
        || text.starts_with("<|") && text.ends_with("|>")
}

/// How many words the texts of a value have.
fn texts_in(value: &Value, depth: usize) -> usize {
    match value {
        _ if depth > MAX_DEPTH => 0,
        Value::String(text) => count_words(text),
        Value::Array(items) => items.iter().map(|item| texts_in(item, depth + 1)).sum(),
        Value::Object(fields) => fields.values().map(|item| texts_in(item, depth + 1)).sum(),
        _ => 0,
    }
}

/// The error for JSON without entries. It says what is there.
fn no_shape(document: &Value) -> Error {
    let keys: Vec<&str> = document.as_object().map(|fields| fields.keys().take(8).map(String::as_str).collect()).unwrap_or_default();
    let has_text =
        document.get("text").or_else(|| document.get("transcript")).and_then(Value::as_str).map(count_words).filter(|words| *words > 0);
    let message = match (has_text, keys.is_empty()) {
        (Some(words), _) => format!("this JSON has a text ({words} words) and no times"),
        (None, true) => "this JSON has no words with times".to_owned(),
        (None, false) => format!("this JSON has no words with times (it has {})", keys.join(", ")),
    };
    refuse(message).with_advice(
        "expected words with times: a clipkit transcript, [[word, start, end], ...], YouTube's json3, or the JSON of Whisper or a transcription service",
    )
}
