use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;
use std::sync::Once;

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::util::interrupt;
use ffmpeg_next::{Dictionary, Packet, Rational, Rescale, ffi};

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Span, Timestamp};

/// No talk has more: past this the file is an attempt to fill memory.
const MOST_CUES: usize = 400_000;
const MOST_BYTES: usize = 16 << 20;
const MICROS: Rational = Rational(1, 1_000_000);

/// The text of one subtitle, as it stands in the file, on the source's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subtitle {
    pub(crate) span: Span,
    pub(crate) text: String,
}

/// How a subtitle's text is marked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markup {
    /// WebVTT cue text.
    WebVtt,
    /// SubRip: a little HTML, sometimes ASS overrides.
    SubRip,
    /// The text field of an ASS event.
    Ass,
    /// None.
    Plain,
}

impl Markup {
    /// The markup of a codec, by the short name in `SubtitleStream::codec`; none where subtitles are not text.
    pub(crate) fn of_codec(name: &str) -> Option<Self> {
        match name {
            "subrip" | "srt" => Some(Markup::SubRip),
            "webvtt" => Some(Markup::WebVtt),
            "ass" | "ssa" => Some(Markup::Ass),
            "mov_text" | "text" => Some(Markup::Plain),
            _ => None,
        }
    }

    /// The demuxer that a file of subtitles alone is read with. Naming it keeps the content from choosing another.
    fn demuxer(self) -> &'static CStr {
        match self {
            Markup::WebVtt => c"webvtt",
            Markup::SubRip | Markup::Plain => c"srt",
            Markup::Ass => c"ass",
        }
    }
}

/// Reads a file of subtitles alone.
pub(crate) fn read_file(cx: &Context, path: &Path, markup: Markup) -> Result<Vec<Subtitle>> {
    let mut input = open(cx, path, Some(markup.demuxer()))?;
    read_stream(cx, path, &mut input, 0, markup, 0)
}

/// Reads the text stream `index` of a media file.
pub(crate) fn read_embedded(cx: &Context, path: &Path, index: usize) -> Result<Vec<Subtitle>> {
    let mut input = open(cx, path, None)?;
    // SAFETY: `input` owns a valid open context.
    let start = unsafe { (*input.as_ptr()).start_time };
    let origin = if start == ffi::AV_NOPTS_VALUE { 0 } else { start };
    let not_text = || Error::new(ErrorKind::InvalidInput, format!("stream {index} does not hold subtitles as text")).with_path(path);
    let markup = match input.stream(index).ok_or_else(not_text)?.parameters().id() {
        Id::SUBRIP | Id::SRT => Markup::SubRip,
        Id::WEBVTT => Markup::WebVtt,
        Id::ASS | Id::SSA => Markup::Ass,
        Id::MOV_TEXT | Id::TEXT => Markup::Plain,
        _ => return Err(not_text()),
    };
    read_stream(cx, path, &mut input, index, markup, origin)
}

fn open(cx: &Context, path: &Path, demuxer: Option<&CStr>) -> Result<Input> {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        // It only fails where FFmpeg lacks a component, which opening the file then says.
        let _ = ffmpeg_next::init();
    });
    let name = c_path(path)?;
    let format = match demuxer {
        // SAFETY: the name is a terminated string; the answer is null or static.
        Some(demuxer) => unsafe { ffi::av_find_input_format(demuxer.as_ptr()) },
        None => ptr::null(),
    };
    if demuxer.is_some() && format.is_null() {
        return Err(Error::new(ErrorKind::Unavailable, "this FFmpeg cannot read subtitles of this kind").with_path(path));
    }
    let mut options = Dictionary::new();
    // A playlist in disguise reaches no network.
    options.set("protocol_whitelist", "file");
    let watcher = cx.clone();
    let stop = interrupt::new(Box::new(move || watcher.is_cancelled()));
    let failed = |code: i32| match cx.check() {
        Err(cancelled) => cancelled,
        Ok(()) => unreadable(path, code),
    };
    // SAFETY: every pointer given is valid for its call. `avformat_open_input` frees the context and nulls the pointer where it
    // fails; where it succeeds `Input` takes the context over together with the callback's guard, which it outlives.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(Error::new(ErrorKind::Io, "out of memory").with_path(path));
        }
        (*context).interrupt_callback = stop.interrupt;
        let mut raw_options = options.disown();
        let opened = ffi::avformat_open_input(&mut context, name.as_ptr(), format, &mut raw_options);
        drop(Dictionary::own(raw_options));
        if opened < 0 {
            return Err(failed(opened));
        }
        let input = Input::wrap_with_interrupt(context, stop.guard);
        let found = ffi::avformat_find_stream_info(context, ptr::null_mut());
        if found < 0 {
            return Err(failed(found));
        }
        Ok(input)
    }
}

fn read_stream(cx: &Context, path: &Path, input: &mut Input, index: usize, markup: Markup, origin: i64) -> Result<Vec<Subtitle>> {
    let time_base = input
        .stream(index)
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "there are no subtitles in this file").with_path(path))?
        .time_base();
    for other in 0..input.nb_streams() as usize {
        if other != index {
            // SAFETY: `other` is less than the number of streams of a valid context.
            unsafe { (**(*input.as_mut_ptr()).streams.add(other)).discard = ffi::AVDiscard::AVDISCARD_ALL };
        }
    }
    let mut subtitles = Vec::new();
    let mut bytes = 0;
    let mut packet = Packet::empty();
    loop {
        cx.check()?;
        match packet.read(input) {
            Ok(()) => {}
            Err(ffmpeg_next::Error::Eof) => break,
            // What was read before damage is good.
            Err(error) if subtitles.is_empty() => {
                cx.check()?;
                return Err(unreadable(path, error.into()));
            }
            Err(error) => {
                cx.check()?;
                cx.warn(format!("{}: the subtitles end early: {error}", path.display()));
                break;
            }
        }
        let (Some(data), Some(pts)) = (packet.data(), packet.pts()) else { continue };
        if packet.stream() != index {
            continue;
        }
        let text = text_of(data, markup);
        bytes += text.len();
        if bytes > MOST_BYTES || subtitles.len() >= MOST_CUES {
            return Err(Error::new(ErrorKind::InvalidInput, "there are more subtitles in this file than a video can have").with_path(path));
        }
        let start = Timestamp::from_micros(pts.rescale(time_base, MICROS).saturating_sub(origin));
        let length = Timestamp::from_micros(packet.duration().max(0).rescale(time_base, MICROS));
        subtitles.push(Subtitle { span: Span::between(start, start.offset(length)), text });
    }
    Ok(subtitles)
}

/// The text in a packet, in the way its codec stores it.
fn text_of(data: &[u8], markup: Markup) -> String {
    match markup {
        // A big-endian length, then UTF-8, then styling boxes.
        Markup::Plain => match data.split_first_chunk::<2>() {
            Some((length, rest)) => decode(&rest[..rest.len().min(usize::from(u16::from_be_bytes(*length)))]),
            None => String::new(),
        },
        // ReadOrder, Layer, Style, Name, three margins, Effect, Text. Only the last may hold commas.
        Markup::Ass => decode(data.splitn(9, |byte| *byte == b',').nth(8).unwrap_or_default()),
        Markup::WebVtt | Markup::SubRip => decode(data),
    }
}

/// UTF-8, else Windows-1252, in which most old subtitle files are written.
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

fn unreadable(path: &Path, code: i32) -> Error {
    let cause = ffmpeg_next::Error::from(code);
    Error::new(ErrorKind::InvalidInput, format!("the subtitles cannot be read: {cause}")).with_path(path)
}

/// The path as FFmpeg takes it: `file:` before it, so that no name is taken for an address.
fn c_path(path: &Path) -> Result<CString> {
    let mut bytes = b"file:".to_vec();
    // On Windows, FFmpeg takes UTF-8, which this encoding is for every name that has one.
    bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
    CString::new(bytes).map_err(|_| Error::new(ErrorKind::InvalidInput, "the path holds a zero byte").with_path(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_text_is_found_in_each_codecs_way() {
        assert_eq!(text_of(b"\x00\x03oop\x00\x00\x00\x0estyl", Markup::Plain), "oop");
        assert_eq!(text_of(b"\xff\xffx", Markup::Plain), "x");
        assert_eq!(text_of(b"\x00", Markup::Plain), "");
        assert_eq!(text_of(b"0,0,Default,,0,0,0,,One, {\\i1}two", Markup::Ass), "One, {\\i1}two");
        assert_eq!(text_of(b"0,0", Markup::Ass), "");
        assert_eq!(text_of(b"caf\xe9 \x96 \x93x\x94", Markup::SubRip), "caf\u{e9} \u{2013} \u{201c}x\u{201d}");
    }

    #[test]
    fn a_forced_demuxer_reads_only_its_own_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b.vtt");
        std::fs::write(&path, "WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.500 line:0\n<v Bob>Hi &amp; bye\nthere\n").unwrap();
        let subtitles = read_file(&Context::new(), &path, Markup::WebVtt).unwrap();
        let span = Span::secs(1.0, 2.5).unwrap();
        assert_eq!(subtitles, [Subtitle { span, text: "<v Bob>Hi &amp; bye\nthere".into() }]);

        let playlist = folder.path().join("list.srt");
        std::fs::write(&playlist, "#EXTM3U\n#EXTINF:1,\n/etc/hostname\n").unwrap();
        assert!(read_file(&Context::new(), &playlist, Markup::SubRip).is_ok_and(|list| list.is_empty()));
    }

    #[test]
    fn cancelled_reading_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.srt");
        std::fs::write(&path, "1\n00:00:01,000 --> 00:00:02,000\nhi\n").unwrap();
        let cx = Context::new();
        cx.cancel();
        assert!(read_file(&cx, &path, Markup::SubRip).is_err_and(|error| error.is_cancelled()));
    }
}
