use std::path::Path;

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;

use super::input::Input;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Limit, Span};

/// The text of one cue as stored in the file, and its span on the source's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subtitle {
    pub(crate) span: Span,
    pub(crate) text: String,
}

/// The markup of a cue's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markup {
    /// WebVTT cue text.
    WebVtt,
    /// SubRip: a subset of HTML, sometimes with ASS override tags.
    SubRip,
    /// The text field of an ASS event.
    Ass,
    /// No markup.
    Plain,
}

impl Markup {
    /// The markup of a codec, by the short name in `SubtitleStream::codec`. `None` if the codec
    /// stores pictures.
    pub(crate) fn of_codec(name: &str) -> Option<Self> {
        match name {
            "subrip" | "srt" => Some(Markup::SubRip),
            "webvtt" => Some(Markup::WebVtt),
            "ass" | "ssa" => Some(Markup::Ass),
            "mov_text" | "text" => Some(Markup::Plain),
            _ => None,
        }
    }
}

/// Reads the text stream `index` of a media file.
pub(crate) fn read_embedded(cx: &Context, path: &Path, index: usize) -> Result<Vec<Subtitle>> {
    let input = Input::open(cx, path)?;
    let not_text = || Error::new(ErrorKind::InvalidInput, format!("stream {index} does not contain text subtitles")).with_path(path);
    let markup = match input.demuxer.stream(index).ok_or_else(not_text)?.parameters().id() {
        Id::SUBRIP | Id::SRT => Markup::SubRip,
        Id::WEBVTT => Markup::WebVtt,
        Id::ASS | Id::SSA => Markup::Ass,
        Id::MOV_TEXT | Id::TEXT => Markup::Plain,
        _ => return Err(not_text()),
    };
    read_stream(input, index, markup)
}

fn read_stream(mut input: Input, index: usize, markup: Markup) -> Result<Vec<Subtitle>> {
    let failure = |what: &str, input: &Input| Error::new(ErrorKind::InvalidInput, what).with_path(input.path());
    let Some(base) = input.demuxer.stream(index).map(|stream| stream.time_base()) else {
        return Err(failure("the file contains no subtitles", &input));
    };
    input.keep_only(index);
    let mut subtitles = Vec::new();
    let mut bytes = 0;
    let mut packet = Packet::empty();
    while input.read(&mut packet)? {
        let (Some(data), Some(pts)) = (packet.data(), packet.pts()) else { continue };
        if packet.stream() != index {
            continue;
        }
        let text = text_of(data, markup);
        bytes += text.len() as u64;
        let limits = input.context().limits();
        let checked =
            limits.check(Limit::TranscriptBytes, bytes).and_then(|()| limits.check(Limit::TranscriptCues, subtitles.len() as u64 + 1));
        checked.map_err(|error| error.with_path(input.path()))?;
        let start = input.timestamp(pts, base);
        let end = input.timestamp(pts.saturating_add(packet.duration().max(0)), base);
        subtitles.push(Subtitle { span: Span::between(start, end), text });
    }
    Ok(subtitles)
}

/// Extracts the text of a packet in its codec's format.
fn text_of(data: &[u8], markup: Markup) -> String {
    match markup {
        // A big-endian length, then UTF-8, then styling boxes.
        Markup::Plain => match data.split_first_chunk::<2>() {
            Some((length, rest)) => decode(&rest[..rest.len().min(usize::from(u16::from_be_bytes(*length)))]),
            None => String::new(),
        },
        // ReadOrder, Layer, Style, Name, three margins, Effect, Text. Only the text may contain
        // commas.
        Markup::Ass => decode(data.splitn(9, |byte| *byte == b',').nth(8).unwrap_or_default()),
        Markup::WebVtt | Markup::SubRip => decode(data),
    }
}

/// Decodes UTF-8, else Windows-1252, the encoding of most old subtitle files.
pub(crate) fn decode(data: &[u8]) -> String {
    let punctuation = ['\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}'];
    match std::str::from_utf8(data) {
        Ok(text) => text.to_owned(),
        Err(_) => data
            .iter()
            .map(|byte| match byte {
                0x80 => '\u{20ac}',
                0x85 => '\u{2026}',
                0x91..=0x97 => punctuation[usize::from(byte - 0x91)],
                _ => char::from(*byte),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_text_is_extracted_for_each_codec() {
        assert_eq!(text_of(b"\x00\x03oop\x00\x00\x00\x0estyl", Markup::Plain), "oop");
        assert_eq!(text_of(b"\xff\xffx", Markup::Plain), "x");
        assert_eq!(text_of(b"\x00", Markup::Plain), "");
        assert_eq!(text_of(b"0,0,Default,,0,0,0,,One, {\\i1}two", Markup::Ass), "One, {\\i1}two");
        assert_eq!(text_of(b"0,0", Markup::Ass), "");
        assert_eq!(text_of(b"caf\xe9 \x96 \x93x\x94", Markup::SubRip), "caf\u{e9} \u{2013} \u{201c}x\u{201d}");
    }
}
