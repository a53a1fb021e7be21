//! The format of a file by its content. Names lie: an SRT file is often called `.vtt`.

use super::cue_lines::time_line;
use super::stamped::Stamps;
use super::{clock, refuse};
use crate::error::{Error, Result};
use crate::transcribe::words::count_words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    SubRip,
    WebVtt,
    Sbv,
    Ass,
    Lrc,
    /// Text with the time of each passage.
    Stamped,
    Xml,
    Json,
    /// Columns, with their separator.
    Table(char),
}

/// How many lines are looked at.
const HEAD_LINES: usize = 20_000;

/// Finds the format.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if there is none; the message says
/// what the text looks like.
pub(super) fn format(text: &str) -> Result<Format> {
    let json = json_part(text);
    if is_json(json) {
        return Ok(Format::Json);
    }
    let lines = || {
        text.lines()
            .flat_map(|line| line.split('\r'))
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("```"))
            .take(HEAD_LINES)
    };
    let first = lines().next().unwrap_or_default();
    if is_signature(first) {
        return Ok(Format::WebVtt);
    }
    let starts = |line: &str, head: &str| line.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head));
    if starts(first, "[Script Info]") || lines().any(|line| starts(line, "Dialogue:") || starts(line, "[Events]")) {
        return Ok(Format::Ass);
    }
    if first.starts_with('<')
        && !first.starts_with("<v ")
        && ["<?xml", "<tt", "<transcript", "<timedtext", "<sami", "<!--", "<p ", "<text"].iter().any(|head| starts(first, head))
    {
        return Ok(Format::Xml);
    }
    let mut signature = lines().filter(|line| is_signature(line));
    let mut times = lines().filter_map(time_line);
    if let Some(time) = times.next() {
        let webvtt = signature.next().is_some() || lines().any(|line| line == "STYLE" || line == "REGION" || line.starts_with("::cue"));
        return Ok(if webvtt {
            Format::WebVtt
        } else if time.is_sbv {
            Format::Sbv
        } else {
            Format::SubRip
        });
    }
    if lines().any(super::lrc::is_timed) {
        return Ok(Format::Lrc);
    }
    if let Some(separator) = super::table::separator(text) {
        return Ok(Format::Table(separator));
    }
    let stamps = super::stamped::stamps(text);
    if stamps == Stamps::Speech {
        return Ok(Format::Stamped);
    }
    Err(no_format(text, first, stamps))
}

fn is_signature(line: &str) -> bool {
    line.strip_prefix("WEBVTT").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '-', ':']))
}

fn no_format(text: &str, first: &str, stamps: Stamps) -> Error {
    let words = count_words(text);
    let frames = first
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
        .is_some_and(|(frame, _)| !frame.is_empty() && frame.bytes().all(|byte| byte.is_ascii_digit()));
    let message = if frames {
        "these are MicroDVD subtitles, whose times are numbers of frames".to_owned()
    } else if is_signature(first) || words == 0 && !text.trim().is_empty() {
        "there are no captions in this file".to_owned()
    } else if text.trim().is_empty() {
        "the file is empty".to_owned()
    } else if text.contains('\u{fffd}') && text.chars().filter(|c| c.is_control() || *c == '\u{fffd}').count() * 20 > text.chars().count() {
        "this is no text".to_owned()
    } else if let Stamps::Sparse(times) = stamps {
        format!("this is text with {times} times, and too few words between them for speech; a list of chapters is no transcript")
    } else if text.lines().take(200).any(|line| clock(line).is_some()) {
        format!("this is text ({words} words) with times that have no end and no markup")
    } else {
        format!("this is plain text without times ({words} words); a transcript needs the time of each word or line")
    };
    refuse(message).with_advice(
        "expected SRT, WebVTT, ASS, SBV, LRC, TTML, TSV, text with a time before each passage, or words with times in JSON; or leave it out and have the video transcribed",
    )
}

/// Whether the text begins as JSON does. `[00:12.34]` begins LRC, `[Music]` a cue, `{1}` MicroDVD.
fn is_json(text: &str) -> bool {
    let inside = |rest: &str| rest.trim_start().chars().next();
    match text.chars().next() {
        Some('{') => matches!(inside(&text[1..]), Some('"' | '}') | None),
        Some('[') => matches!(inside(&text[1..]), Some('{' | '[' | '"' | ']') | None),
        _ => false,
    }
}

/// The text from its first JSON value on: prose and a Markdown fence may stand before it.
pub(super) fn json_part(text: &str) -> &str {
    let start = text.trim_start();
    if is_json(start) {
        return start;
    }
    match start.find("```") {
        // A fence of JSON: the rest of its line is the language's name.
        Some(fence) => {
            let after = &start[fence + 3..];
            let inside = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim_start();
            if is_json(inside) { inside } else { start }
        }
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides_the_format() {
        for (text, expected) in [
            ("1\n00:00:01,000 --> 00:00:02,000\nHi", Format::SubRip),
            ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi", Format::WebVtt),
            ("```srt\n1\n00:00:01,000 --> 00:00:02,000\nHi\n```", Format::SubRip),
            ("Here it is:\n```vtt\nWEBVTT\n\n00:01.000 --> 00:02.000\nHi\n```", Format::WebVtt),
            ("[Script Info]\n\n[Events]\n", Format::Ass),
            ("Dialogue: 0,0:00:00.50,0:00:03.25,Default,,0,0,0,,Hi", Format::Ass),
            ("0:00:00.500,0:00:03.253\nHi", Format::Sbv),
            ("[ti:Talk]\n[00:12.34]Hi", Format::Lrc),
            ("[00:12.34]Hi", Format::Lrc),
            ("[00:00.000 --> 00:03.000]  Hi", Format::SubRip),
            ("<?xml version=\"1.0\"?><tt><body/></tt>", Format::Xml),
            ("<transcript><text start=\"1\" dur=\"2\">Hi</text></transcript>", Format::Xml),
            ("start\tend\ttext\n500\t3253\tHi", Format::Table('\t')),
            ("{\"words\": []}", Format::Json),
            (" [[\"a\", 1, 2]]", Format::Json),
            ("Sure!\n```json\n[{\"start\": 1}]\n```", Format::Json),
            ("0:00\nHi there\n0:03\nHi", Format::Stamped),
            ("Speaker 1  0:00\nHi there\n\nAnn  0:02\nHi", Format::Stamped),
            ("[Music]\n\n1\n00:01 --> 00:02\nHi", Format::SubRip),
        ] {
            assert_eq!(format(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_has_no_times_is_refused_by_what_it_is() {
        for (text, expected) in [
            ("", "empty"),
            (" \n", "empty"),
            ("Just a text.", "plain text without times (3 words)"),
            ("{1}{25}Hello", "frames"),
            ("WEBVTT", "no captions"),
            ("Ann\n0:05\nHello\n", "have no end"),
            ("0:00 Intro\n5:20 The bridge\n", "2 times, and too few words"),
        ] {
            match format(text) {
                Err(error) => assert!(error.to_string().contains(expected), "{text}: {error}"),
                Ok(format) => assert_eq!((text, format), ("WEBVTT", Format::WebVtt)),
            }
        }
    }
}
