//! Captions as files of their own.

use std::fmt::Write;

use serde::Serialize;

use super::ExportFormat;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Cue, Span, Timestamp};

/// The captions of plans as a file beside the rendered clip, on the timeline of that: the captions
/// of a clip with an intro are so much later. Several plans are one file, one after the other, each
/// with its intro and outro. `None` if no plan has captions.
///
/// A plan whose intro is a whole video of unknown length is an error of the kind
/// [`ErrorKind::InvalidPlan`] ([`ClipPlan::parts`]); `stage::export` measures it.
///
/// Line breaks and other control characters in a word are replaced by spaces, so that no word ends
/// its cue. Cues without a visible character are left out.
///
/// The formats are `srt`, `vtt`, `txt` and `json`; another one is an error of the kind
/// [`ErrorKind::Config`]. For `ass`, which needs fonts, use `ClipPlan::to_ass`.
pub fn captions(plans: &[&ClipPlan], format: ExportFormat) -> Result<Option<String>> {
    let write = match format {
        ExportFormat::Srt => srt,
        ExportFormat::Vtt => vtt,
        ExportFormat::Txt => txt,
        ExportFormat::Json => json,
        format => {
            return Err(Error::new(ErrorKind::Config, format!("{format} is no format of captions without fonts"))
                .with_advice("use srt, vtt, txt or json"));
        }
    };
    if plans.iter().all(|plan| plan.captions.is_none()) {
        return Ok(None);
    }
    let mut start = Timestamp::ZERO;
    let mut lines = Vec::new();
    for plan in plans {
        let parts = plan.parts()?;
        let cues = plan.captions.iter().flat_map(|track| &track.cues);
        let clip_start = start.offset(parts.clip_start());
        lines.extend(cues.map(|cue| Line::of(cue, clip_start)).filter(|line| !line.words.is_empty()));
        start = start.offset(parts.end());
    }
    Ok(Some(write(&lines)))
}

/// The words of a cue as one line, on the timeline of all plans' files.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) span: Span,
    words: Vec<(String, Span)>,
}

impl Line {
    pub(super) fn of(cue: &Cue, start: Timestamp) -> Self {
        let moved = |span: Span| Span::between(span.start().offset(start), span.end().offset(start));
        let words = cue.words.iter().map(|word| (word.text.replace(char::is_control, " ").trim().to_owned(), moved(word.span)));
        Line { span: moved(cue.span), words: words.filter(|(text, _)| !text.is_empty()).collect() }
    }

    pub(super) fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|(text, _)| text.as_str()).collect();
        words.join(" ")
    }
}

fn srt(lines: &[Line]) -> String {
    let mut out = String::new();
    for (n, line) in lines.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{}\n{} --> {}\n{}\n\n", n + 1, clock(line.span.start(), ','), clock(line.span.end(), ','), line.text());
    }
    out
}

fn vtt(lines: &[Line]) -> String {
    let mut out = String::from("WEBVTT\n");
    for line in lines {
        let text = line.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(out, "\n{} --> {}\n{text}\n", clock(line.span.start(), '.'), clock(line.span.end(), '.'));
    }
    out
}

/// A sentence a line, as its marks say.
fn txt(lines: &[Line]) -> String {
    let mut out = String::new();
    for (word, _) in lines.iter().flat_map(|line| &line.words) {
        if !(out.is_empty() || out.ends_with('\n')) {
            out.push(' ');
        }
        out.push_str(word);
        let bare = word.trim_end_matches(['"', '\'', ')', ']', '\u{201d}', '\u{2019}', '\u{00bb}']);
        if bare.ends_with(['.', '?', '!', '\u{2026}', '\u{3002}', '\u{ff1f}', '\u{ff01}', '\u{061f}', '\u{0964}']) {
            out.push('\n');
        }
    }
    if !(out.is_empty() || out.ends_with('\n')) {
        out.push('\n');
    }
    out
}

fn json(lines: &[Line]) -> String {
    #[derive(Serialize)]
    struct Document {
        text: String,
        segments: Vec<Segment>,
    }
    #[derive(Serialize)]
    struct Segment {
        id: usize,
        start: Timestamp,
        end: Timestamp,
        text: String,
        words: Vec<TimedWord>,
    }
    #[derive(Serialize)]
    struct TimedWord {
        word: String,
        start: Timestamp,
        end: Timestamp,
    }
    let word = |(text, span): &(String, Span)| TimedWord { word: text.clone(), start: span.start(), end: span.end() };
    let segments = lines.iter().enumerate().map(|(id, line)| Segment {
        id,
        start: line.span.start(),
        end: line.span.end(),
        text: line.text(),
        words: line.words.iter().map(word).collect(),
    });
    let text: Vec<String> = lines.iter().map(Line::text).collect();
    let document = Document { text: text.join(" "), segments: segments.collect() };
    // Plain data with string keys always serializes.
    let mut out = serde_json::to_string_pretty(&document).unwrap_or_default();
    out.push('\n');
    out
}

/// `01:02:03,500`, with another mark before the milliseconds in WebVTT.
fn clock(at: Timestamp, mark: char) -> String {
    let millis = at.micros().max(0).saturating_add(500) / 1000;
    let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{:03}", millis % 1000)
}
