//! The table of shapes: where the JSON of each maker has its entries, and by which names an entry
//! has its text, times and speaker.

use serde_json::Value;

use super::Scale;

/// Where a maker's entries are.
pub(super) struct Shape {
    /// The maker, for messages.
    pub(super) maker: &'static str,
    /// A path that the document must have, to tell it from others. Empty: none.
    has: &'static str,
    /// The path of the list of entries. Empty: the document is the list. `*` stands for each item.
    pub(super) list: &'static str,
    /// Whether the entries must have lists of words.
    pub(super) nested: bool,
    /// The unit of numbers whose names do not say it.
    pub(super) scale: Option<Scale>,
}

const fn shape(maker: &'static str, has: &'static str, list: &'static str) -> Shape {
    Shape { maker, has, list, nested: false, scale: None }
}

const fn nested(maker: &'static str, has: &'static str, list: &'static str) -> Shape {
    Shape { nested: true, ..shape(maker, has, list) }
}

const fn scaled(maker: &'static str, has: &'static str, list: &'static str, scale: Scale) -> Shape {
    Shape { scale: Some(scale), ..shape(maker, has, list) }
}

/// The shapes in the order in which they are tried: lists of words before lists of segments.
pub(super) const SHAPES: &[Shape] = &[
    shape("Deepgram's JSON", "", "results.channels.*.alternatives.0.words"),
    shape("Deepgram's JSON", "", "results.utterances"),
    shape("AWS Transcribe's JSON", "", "results.items"),
    shape("Google's JSON", "", "results.*.alternatives.0.words"),
    shape("Google's JSON", "", "response.results.*.alternatives.0.words"),
    shape("IBM Watson's JSON", "", "results.*.alternatives.0.timestamps"),
    shape("Speechmatics' JSON", "", "results"),
    nested("Azure's JSON", "", "recognizedPhrases"),
    shape("Azure's JSON", "", "recognizedPhrases"),
    nested("Azure's JSON", "", "phrases"),
    shape("Azure's JSON", "", "phrases"),
    shape("Azure's JSON", "", "NBest.0.Words"),
    nested("Rev's JSON", "", "monologues"),
    nested("whisper.cpp's JSON", "", "transcription"),
    shape("whisper.cpp's JSON", "", "transcription"),
    shape("JSON of Hugging Face", "", "chunks"),
    nested("Gladia's JSON", "", "result.transcription.utterances"),
    nested("Gladia's JSON", "", "transcription.utterances"),
    shape("Soniox's JSON", "", "tokens"),
    nested("Premiere's JSON", "speakers", "segments"),
    nested("Whisper's JSON", "", "segments"),
    scaled("AssemblyAI's JSON", "audio_duration", "words", Scale::Millis),
    scaled("AssemblyAI's JSON", "audio_url", "words", Scale::Millis),
    shape("ElevenLabs' JSON", "language_probability", "words"),
    shape("JSON", "", "words"),
    shape("ElevenLabs' JSON", "", "transcripts.*.words"),
    shape("Whisper's JSON", "", "segments"),
    shape("WhisperX's JSON", "", "word_segments"),
    shape("Vosk's JSON", "", "result"),
    nested("JSON", "", "transcripts.*.sentences"),
    nested("JSON", "", "sentences"),
    shape("JSON", "", "sentences"),
    nested("JSON", "", "utterances"),
    shape("JSON", "", "utterances"),
    nested("Descript's JSON", "", "transcript.segments"),
    shape("Descript's JSON", "", "transcript.segments"),
    shape("Descript's JSON", "", "transcript.words"),
    nested("JSON", "", "transcript"),
    shape("JSON", "", "transcript"),
    shape("youtube-transcript-api's JSON", "", "snippets"),
    nested("JSON", "", ""),
    shape("JSON", "", ""),
];

impl Shape {
    /// The entries of a document, each with its path. `None` if it has no such list.
    pub(super) fn entries<'a>(&self, document: &'a Value) -> Option<Vec<(String, &'a Value)>> {
        if !self.has.is_empty() && at(document, self.has).is_none() {
            return None;
        }
        let mut lists = vec![(String::new(), document)];
        for step in self.list.split('.').filter(|step| !step.is_empty()) {
            let mut next = Vec::new();
            for (path, value) in lists {
                match (step, value) {
                    ("*", Value::Array(items)) => next.extend(items.iter().enumerate().map(|(n, item)| (format!("{path}[{n}]"), item))),
                    _ => next.extend(at(value, step).map(|item| (joined(&path, step), item))),
                }
            }
            lists = next;
        }
        let items = |(path, list): (String, &'a Value)| {
            let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().enumerate().map(move |(n, item)| (format!("{path}[{n}]"), item)).collect::<Vec<_>>()
        };
        let lists: Vec<Vec<_>> = lists.into_iter().map(items).collect();
        Some(without_summary(lists)).filter(|items| !items.is_empty())
    }
}

/// Joins lists. Google's last result repeats the words of all others, with their speakers.
fn without_summary(mut lists: Vec<Vec<(String, &Value)>>) -> Vec<(String, &Value)> {
    let before: usize = lists.iter().rev().skip(1).map(Vec::len).sum();
    if let Some(last) = lists.last()
        && lists.len() > 1
        && last.len() == before
        && last.iter().all(|(_, item)| item.get("speakerTag").or_else(|| item.get("speakerLabel")).is_some())
    {
        return lists.pop().unwrap_or_default();
    }
    lists.into_iter().flatten().collect()
}

fn joined(path: &str, step: &str) -> String {
    match step.parse::<usize>() {
        Ok(n) => format!("{path}[{n}]"),
        Err(_) if path.is_empty() => step.to_owned(),
        Err(_) => format!("{path}.{step}"),
    }
}

/// The value at a path: `alternatives.0.content`.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, step| match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(items) => step.parse::<usize>().ok().and_then(|n| items.get(n)),
        _ => None,
    })
}

/// The names of an entry's text, the best spelling first.
pub(super) const TEXTS: &[&str] = &[
    "punctuated_word",
    "displayText",
    "DisplayText",
    "text",
    "word",
    "content",
    "alternatives.0.content",
    "value",
    "Word",
    "display",
    "Display",
    "nBest.0.display",
    "NBest.0.Display",
    "transcript",
    "alternatives.0.transcript",
    "sentence",
    "caption",
    "body",
    "line",
    "utf8",
];

/// Where a document has its whole text.
pub(super) const WHOLE_TEXTS: &[&str] = &["text", "transcription", "transcript", "result", "output", "choices.0.message.content"];

/// What servers put an answer into.
pub(super) const WRAPPERS: &[&str] = &["result", "results", "data", "output", "response", "transcription", "transcript", "prediction"];

/// Whether a field of this name may be an entry's text.
pub(super) fn is_name_of_text(name: &str) -> bool {
    TEXTS.iter().any(|path| path.rsplit('.').next() == Some(name))
}

/// The lists of words of an entry.
pub(super) const WORDS: &[&str] = &[
    "words",
    "tokens",
    "elements",
    "nBest.0.displayWords",
    "nBest.0.words",
    "NBest.0.DisplayWords",
    "NBest.0.Words",
    "alternatives.0.words",
    "alternatives.0.timestamps",
    "result",
    "segments",
    "items",
];

/// The names of an entry's start, and the units of their numbers. Without a unit, it is that of the
/// shape, or is found out.
pub(super) const STARTS: &[(&str, Option<Scale>)] = &[
    ("start", None),
    ("start_time", None),
    ("startTime", None),
    ("start_ms", Some(Scale::Millis)),
    ("startMs", Some(Scale::Millis)),
    ("start_timestamp", None),
    ("startTimestamp", None),
    ("begin", None),
    ("begin_time", None),
    ("ts", None),
    ("startOffset", None),
    ("offsetInTicks", Some(Scale::Ticks)),
    ("offsetMilliseconds", Some(Scale::Millis)),
    ("Offset", Some(Scale::Ticks)),
    ("offsets.from", Some(Scale::Millis)),
    ("timestamps.from", None),
    ("timestamp.0", None),
    ("timestamps.0", None),
    ("timestamp.start", None),
    ("time.start", None),
    ("offset", None),
    ("from", None),
    ("time", None),
    ("timestamp", None),
    ("relativeStartTimeInMilliseconds", Some(Scale::Millis)),
];

/// The same for ends.
pub(super) const ENDS: &[(&str, Option<Scale>)] = &[
    ("end", None),
    ("end_time", None),
    ("endTime", None),
    ("end_ms", Some(Scale::Millis)),
    ("endMs", Some(Scale::Millis)),
    ("end_timestamp", None),
    ("endTimestamp", None),
    ("stop", None),
    ("end_ts", None),
    ("endOffset", None),
    ("offsets.to", Some(Scale::Millis)),
    ("timestamps.to", None),
    ("timestamp.1", None),
    ("timestamps.1", None),
    ("timestamp.end", None),
    ("time.end", None),
    ("to", None),
];

/// The same for durations.
pub(super) const LENGTHS: &[(&str, Option<Scale>)] = &[
    ("duration", None),
    ("dur", None),
    ("durationInTicks", Some(Scale::Ticks)),
    ("durationMilliseconds", Some(Scale::Millis)),
    ("Duration", Some(Scale::Ticks)),
    ("duration_ms", Some(Scale::Millis)),
    ("durationMs", Some(Scale::Millis)),
    ("durationInMilliseconds", Some(Scale::Millis)),
];

/// The names of an entry's speaker.
pub(super) const SPEAKERS: &[&str] = &[
    "speaker",
    "speaker_label",
    "speaker_id",
    "speakerTag",
    "speakerLabel",
    "speakerId",
    "speaker_name",
    "speakerName",
    "alternatives.0.speaker",
    "channelTag",
];

/// The names of a document's language.
pub(super) const LANGUAGES: &[&str] = &[
    "language",
    "language_code",
    "languageCode",
    "detected_language",
    "result.language",
    "results.language_code",
    "metadata.language",
    "results.channels.0.detected_language",
    "results.0.languageCode",
    "metadata.transcription_config.language",
    "lang",
    "segments.0.language",
];
