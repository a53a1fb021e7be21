//! The bodies of the fuzz targets: what reads hostile input, and what must hold for every input.
//!
//! They are compiled for tests and under `cfg(fuzzing)` only. `clipkit/fuzz` has the targets for
//! cargo-fuzz, and `clipkit/fuzz/corpus` small samples, which the tests here cut short at every
//! length and change at random.

#[cfg(test)]
mod tests;

use std::path::{Component, Path};

use crate::context::Environment;
use crate::error::redact_url;
use crate::model::{
    Anchor, CaptionStyle, CaptionTrack, ClipPlan, Cue, CueWord, Hook, HookStyle, Overlay, OverlayPlace, Rect, Span, Timestamp,
};
use crate::plan::caption::{Estimate, PlacedText, document};
use crate::{openai, publish, score, source, store, transcribe, weights};

/// The name of a target, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 16] = [
    ("transcript", transcript),
    ("srt", |bytes| reader("srt", bytes)),
    ("webvtt", |bytes| reader("webvtt", bytes)),
    ("ass", |bytes| reader("ass", bytes)),
    ("lrc", |bytes| reader("lrc", bytes)),
    ("stamped", |bytes| reader("stamped", bytes)),
    ("xml", |bytes| reader("xml", bytes)),
    ("table", |bytes| reader("table", bytes)),
    ("json", |bytes| reader("json", bytes)),
    ("plan", plan),
    ("verdicts", verdicts),
    ("transcription", transcription),
    ("address", address),
    ("name", name),
    ("captions", captions),
    ("checkpoint", weights::read_checkpoint),
];

/// Runs the target with a name. An unknown name does nothing.
pub fn run(name: &str, bytes: &[u8]) {
    if let Some((_, body)) = TARGETS.iter().find(|(known, _)| *known == name) {
        body(bytes);
    }
}

/// A transcript of any format and encoding.
fn transcript(bytes: &[u8]) {
    if let Ok(read) = transcribe::read_transcript(bytes, &transcribe::ReadOptions::default()) {
        transcribe::check_counts(&read);
    }
}

/// One reader, whatever the content looks like.
fn reader(name: &str, bytes: &[u8]) {
    transcribe::read_as(name, &String::from_utf8_lossy(bytes));
}

/// A plan that is read is written and read again as the same.
fn plan(bytes: &[u8]) {
    let Ok(plan) = ClipPlan::from_json(&String::from_utf8_lossy(bytes)) else { return };
    let text = plan.to_json().unwrap_or_default();
    assert_eq!(ClipPlan::from_json(&text).ok(), Some(plan));
}

/// The answer of a model, in the envelope of a server and alone.
fn verdicts(bytes: &[u8]) {
    score::read_answer(&[String::from_utf8_lossy(bytes).into_owned()]);
    if let Ok(said) = openai::answer::chat(bytes) {
        score::read_answer(&said.texts);
    }
    let complaint = openai::answer::refused(500, bytes);
    assert!(!complaint.words.contains(char::is_control));
}

/// The answer to a transcription request.
fn transcription(bytes: &[u8]) {
    if let Ok(heard) = openai::answer::transcription(bytes, &transcribe::read_answer) {
        assert!(heard.words.is_sorted_by(|a, b| a.end <= b.start));
    }
}

/// An address of a medium, a server or a store. What is shown of it has no user, password, query or
/// fragment.
fn address(bytes: &[u8]) {
    let uri = String::from_utf8_lossy(bytes);
    source::sort_address(&uri);
    let _ = (openai::check_address(&uri), store::open_object(&uri, &Environment::default()), crate::model::shown_uri(&uri));
    let shown = redact_url(&uri);
    let host = shown.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    assert!(!shown.contains(['?', '#']) && !host.contains('@'), "{shown}");
}

/// A title and an ending as file names: each is one plain name.
fn name(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in [publish::stem(3, &text), format!("x{}", store::safe_extension(&text))] {
        let mut parts = Path::new(&name).components();
        let is_plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name.as_str());
        assert!(is_plain && name.len() <= 100 && !name.contains(['\\', ':', '\0']), "{name:?}");
    }
}

/// Captions of any words: each line of the events is an event, and no word adds a tag.
fn captions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let style = CaptionStyle::NAMES[bytes.first().map_or(0, |byte| usize::from(*byte)) % CaptionStyle::NAMES.len()];
    let Ok(style) = CaptionStyle::named(style) else { return };
    let span = |n: usize| Span::between(Timestamp::from_secs(n as f64), Timestamp::from_secs(n as f64 + 1.0));
    let words: Vec<&str> = text.split(' ').take(200).collect();
    let cues = words.chunks(4).enumerate().map(|(n, words)| {
        let word = |word: &&str| CueWord::new(*word, span(n));
        Cue::new(span(n), words.iter().map(word).collect())
    });
    let track = CaptionTrack::new(style, Rect::FULL, cues.collect());
    let hook = Hook::new(text.chars().take(100).collect::<String>(), span(0), Rect::FULL, HookStyle::default());
    let card = Overlay::text(text.chars().take(100).collect::<String>(), OverlayPlace::new(Anchor::Bottom));
    let texts: Vec<PlacedText<'_>> = PlacedText::of(&card, (1080, 1920), Timestamp::from_secs(1.0)).into_iter().collect();
    let script = document(Some(&track), Some(&hook), &texts, (1080, 1920), &Estimate).text;
    let events = script.split_once("[Events]\n").map_or("", |(_, events)| events);
    for line in events.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        assert!(line.starts_with("Dialogue: ") || line.starts_with("Format: "), "{line:?}");
    }
}
