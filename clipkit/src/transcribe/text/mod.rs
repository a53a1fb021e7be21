//! Transcripts in text files: bytes in, words out. Pure: no input or output, no FFmpeg.
//!
//! The content decides the format, not the file's name. Each reader gives cues or timed entries and
//! says what it could not use; [`assemble`] makes words of them and counts.

mod ass;
mod assemble;
mod clock;
mod count;
mod cue_lines;
mod decode;
mod detect;
mod json;
mod lrc;
mod place;
mod stamped;
mod stream;
mod table;
mod ttml;
mod xml;

pub use count::ReadCounts;
#[cfg(any(test, fuzzing))]
pub(crate) use fuzzing::{check_counts, read_as};
pub(super) use json::{language_of, read_documents, text_without_times, unwrapped};
pub(super) use stream::{Coding, Packet, read_stream};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Limit, Limits, Timestamp, Transcript, Warning};
use count::Losses;
use detect::Format;

use super::markup::Markup;

/// How [`read_transcript`] reads a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The text encoding by its name: `windows-1251`, `gbk`. Default: a byte order mark, UTF-8 or
    /// UTF-16 where the bytes are that, else guessed with a warning.
    pub encoding: Option<String>,
    /// What is added to every time, for a transcript of a video with another start: -3600 s where
    /// all is an hour late. Default: nothing.
    pub offset: Option<Timestamp>,
    /// The video's duration. Cues that run past it end there. Default: not known.
    pub duration: Option<Timestamp>,
    /// How large the transcript may be. Default: [`Limits::default`].
    pub limits: Limits,
}

/// A transcript as it was read from a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReadTranscript {
    /// The words. `language` is as the file states it: a tag, or a name such as `english`.
    pub transcript: Transcript,
    /// The format's name: `SRT`, `WebVTT`, `Deepgram's JSON`.
    pub format: &'static str,
    /// What was lost, repaired or guessed, each with a number, the first line concerned and why.
    pub warnings: Vec<Warning>,
    /// How much was seen and kept.
    pub counts: ReadCounts,
}

/// Reads a transcript: SRT, WebVTT, ASS and SSA, SBV, LRC, TTML and other XML captions, tables
/// (TSV, CSV), text in which each passage has its time, as it is copied from a player, and the JSON
/// of transcription services and programs.
///
/// Nothing is lost in silence: [`ReadCounts`] says what became of every word, and each loss is a
/// warning.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the file is in none of these formats, has no times, or is JSON
/// with a time that is not understood; the message names the reason and the place.
/// [`ErrorKind::Config`] if the encoding's name is not known. [`ErrorKind::TooLarge`] if it exceeds
/// a limit.
pub fn read_transcript(bytes: &[u8], options: &ReadOptions) -> Result<ReadTranscript> {
    options.limits.check(Limit::TranscriptBytes, bytes.len() as u64)?;
    let decoded = decode::decode(bytes, options.encoding.as_deref())?;
    let mut losses = Losses::default();
    if let Some(encoding) = decoded.guessed {
        losses.note(format!("the file does not say its text encoding; {encoding} was guessed (name another with --encoding)"));
    }
    if decoded.damaged > 0 {
        losses.note(format!("{} characters could not be decoded and are shown as \u{fffd}", decoded.damaged));
    }
    let text = decoded.text.trim_start_matches('\u{feff}');
    let content = match detect::format(text)? {
        Format::Json => {
            let part = detect::json_part(text);
            json::lose_prose(&text[..text.len() - part.len()], &mut losses);
            json::read(part, &mut losses)?
        }
        Format::Ass => Content::Cues(ass::read(text, &mut losses)),
        Format::Lrc => Content::Cues(lrc::read(text, &mut losses)),
        Format::Stamped => Content::Cues(stamped::read(text, &mut losses)),
        Format::Xml => Content::Cues(ttml::read(text, &mut losses)),
        Format::Table(separator) => table::read(text, separator, &mut losses)?,
        Format::WebVtt => Content::Cues(cue_lines::read(text, true, &mut losses)),
        Format::SubRip | Format::Sbv => Content::Cues(cue_lines::read(text, false, &mut losses)),
    };
    assemble::assemble(content, losses, options)
}

/// A cue as it stands in a file.
#[derive(Clone, Debug, Default)]
struct RawCue {
    /// The line of the file where it starts, from 1.
    line: usize,
    /// `None`: the time was not understood.
    start: Option<Timestamp>,
    /// `None`: not given, or not understood.
    end: Option<Timestamp>,
    text: String,
    speaker: Option<String>,
}

/// The cues of a file.
#[derive(Debug)]
struct RawCues {
    format: &'static str,
    markup: Markup,
    cues: Vec<RawCue>,
    language: Option<String>,
}

/// What a reader found.
#[derive(Debug)]
enum Content {
    Cues(RawCues),
    /// Words with their times, in the order of the file.
    Timed(json::Timed),
}

/// Sorts the cues of a format in which they may stand in any order. Those without a start stay
/// behind the one before.
fn sort(cues: &mut Vec<RawCue>) {
    let mut last = None;
    let mut keyed: Vec<(Option<Timestamp>, RawCue)> = Vec::with_capacity(cues.len());
    for cue in cues.drain(..) {
        last = cue.start.or(last);
        keyed.push((last, cue));
    }
    keyed.sort_by_key(|(start, _)| *start);
    cues.extend(keyed.into_iter().map(|(_, cue)| cue));
}

/// A time as WebVTT's markup has it.
fn webvtt_time(at: Timestamp) -> String {
    let millis = at.micros().max(0) / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60, millis % 1000)
}

fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

/// Parses a time of the markup: `00:01:02.500`.
pub(super) fn clock(text: &str) -> Option<Timestamp> {
    // Only what looks like one, since most tags do not.
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| clock::clock(text)).flatten()
}

#[cfg(any(test, fuzzing))]
mod fuzzing;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod sample_tests;
