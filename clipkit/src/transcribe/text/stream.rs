//! Text subtitle streams of containers: the bytes of packets in, words out. FFmpeg's decoders are
//! not used: they cap the length of a cue and expect UTF-8.

use super::count::Losses;
use super::{Content, RawCue, RawCues, ReadOptions, ReadTranscript, ass, assemble, decode, ttml};
use crate::error::Result;
use crate::model::Timestamp;
use crate::transcribe::markup::Markup;

/// How a codec stores text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transcribe) enum Coding {
    SubRip,
    WebVtt,
    /// An event of ASS or SSA as Matroska stores it.
    Ass,
    /// 3GPP timed text: a length, the text, then boxes with styles.
    Timed,
    Plain,
    /// Each packet is a document.
    Ttml,
}

impl Coding {
    /// The coding of a codec by its short name in FFmpeg. `None` if the codec stores no text that
    /// is read: pictures, teletext, the captions of line 21.
    pub(in crate::transcribe) fn of_codec(name: &str) -> Option<Self> {
        match name {
            "subrip" | "srt" => Some(Coding::SubRip),
            "webvtt" => Some(Coding::WebVtt),
            "ass" | "ssa" => Some(Coding::Ass),
            "mov_text" => Some(Coding::Timed),
            "text" => Some(Coding::Plain),
            "ttml" => Some(Coding::Ttml),
            _ => None,
        }
    }
}

/// A packet of a stream.
#[derive(Clone, Debug, Default)]
pub(in crate::transcribe) struct Packet {
    /// `None`: the container states no time.
    pub(in crate::transcribe) start: Option<Timestamp>,
    /// `None`: the container states no duration.
    pub(in crate::transcribe) end: Option<Timestamp>,
    pub(in crate::transcribe) data: Vec<u8>,
}

/// Reads the packets of a stream. Losses are counted as those of files.
///
/// # Errors
///
/// As [`read_transcript`](super::read_transcript).
pub(in crate::transcribe) fn read_stream(packets: &[Packet], coding: Coding, options: &ReadOptions) -> Result<ReadTranscript> {
    let parts: Vec<&[u8]> = packets.iter().map(|packet| text_of(&packet.data, coding)).collect();
    let (texts, decoded) = decode::decode_parts(&parts, options.encoding.as_deref())?;
    let mut losses = Losses::default();
    losses.count_entries();
    if let Some(encoding) = decoded.guessed {
        losses.note(format!("the stream is not UTF-8; {encoding} was guessed (name another with --encoding)"));
    }
    if decoded.damaged > 0 {
        losses.note(format!("{} characters could not be decoded and are shown as \u{fffd}", decoded.damaged));
    }
    let cue = |(n, (packet, text)): (usize, (&Packet, String))| {
        // Streams in MP4 fill the time between cues with empty ones.
        let is_filler = text.trim().is_empty();
        (!is_filler).then(|| RawCue { line: n + 1, start: packet.start, end: packet.end, text, speaker: None })
    };
    let cues: Vec<RawCue> = packets.iter().zip(texts).enumerate().filter_map(cue).collect();
    let of = |format, markup, cues| RawCues { format, markup, cues, language: None };
    let read = match coding {
        Coding::SubRip => of("SRT", Markup::SubRip, cues),
        Coding::WebVtt => of("WebVTT", Markup::WebVtt, cues),
        Coding::Ass => ass::of_packets(cues, &mut losses),
        Coding::Timed => of("timed text", Markup::Plain, cues),
        Coding::Plain => of("text", Markup::Plain, cues),
        Coding::Ttml => documents(cues, &mut losses),
    };
    assemble::assemble(Content::Cues(read), losses, options)
}

/// The part of a packet that is text.
fn text_of(data: &[u8], coding: Coding) -> &[u8] {
    match (coding, data.split_first_chunk::<2>()) {
        (Coding::Timed, Some((length, rest))) => &rest[..rest.len().min(usize::from(u16::from_be_bytes(*length)))],
        (Coding::Timed, None) => &[],
        _ => data,
    }
}

/// The cues of documents. Their times are on the track's timeline (ISO/IEC 14496-30).
fn documents(packets: Vec<RawCue>, losses: &mut Losses) -> RawCues {
    let mut all = RawCues { format: "TTML", markup: Markup::Plain, cues: Vec::new(), language: None };
    for packet in packets {
        let read = ttml::read(&packet.text, losses);
        all.markup = read.markup;
        all.language = all.language.take().or(read.language);
        all.cues.extend(read.cues.into_iter().map(|cue| RawCue { line: packet.line, ..cue }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn packet(start: f64, end: f64, data: impl AsRef<[u8]>) -> Packet {
        let time = |at: f64| (at >= 0.0).then(|| Timestamp::from_secs(at));
        Packet { start: time(start), end: time(end), data: data.as_ref().to_owned() }
    }

    fn words(packets: &[Packet], coding: Coding) -> Vec<String> {
        let read = read_stream(packets, coding, &ReadOptions::default()).unwrap();
        let counts = read.counts;
        let known = counts.words_kept + counts.words_unspoken + counts.words_repeated + counts.words_lost;
        assert_eq!(counts.words_seen, known, "{counts:?}");
        read.transcript.words.iter().map(|word| format!("{} {:.1}", word.text, word.start.secs())).collect()
    }

    /// A sample of timed text.
    fn timed(text: &[u8]) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes()[..], text, b"\0\0\0\x0estyl"].concat()
    }

    #[test]
    fn the_text_of_each_codec_is_found() {
        let wide: Vec<u8> = [0xfeff, 0x48, 0x69].into_iter().flat_map(u16::to_be_bytes).collect();
        let samples = [packet(0.0, 1.0, timed(b"")), packet(1.0, 2.0, timed(b"oop boop")), packet(3.0, 4.0, timed(&wide))];
        assert_eq!(words(&samples, Coding::Timed), ["oop 1.0", "boop 1.4", "Hi 3.0"]);
        assert_eq!(words(&[packet(1.0, 2.0, b"\xff\xffx"), packet(2.0, 3.0, b"\0")], Coding::Timed), ["x 1.0"]);
        assert_eq!(words(&[packet(1.0, 2.0, "plain <b> text")], Coding::Plain), ["plain 1.0", "<b> 1.4", "text 1.7"]);
        assert_eq!(words(&[packet(1.0, 2.0, "{\\an8}<i>Yes</i>")], Coding::SubRip), ["Yes 1.0"]);
        assert_eq!(words(&[packet(1.0, 2.0, "a <00:01.500>b")], Coding::WebVtt), ["a 1.0", "b 1.5"]);
        let document =
            r#"<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="00:00:01.000" end="00:00:02.000">Yes</p></div></body></tt>"#;
        assert_eq!(words(&[packet(0.0, 5.0, document)], Coding::Ttml), ["Yes 1.0"]);
    }

    #[test]
    fn signs_of_ass_are_left_out_and_speakers_kept() {
        let events = [
            packet(1.0, 2.0, "0,0,Default,Ann,0,0,0,,Yes, {\\i1}it is"),
            packet(1.0, 2.0, "1,0,Signs,,0,0,0,,TOWN HALL"),
            packet(3.0, 4.0, "2,0,broken"),
            packet(4.0, 5.0, "3,0,Default,,0,0,0,,No"),
        ];
        let read = read_stream(&events, Coding::Ass, &ReadOptions::default()).unwrap();
        let said: Vec<&str> = read.transcript.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(said, ["Yes,", "it", "is", "No"]);
        assert_eq!(read.transcript.words[0].speaker.as_deref(), Some("Ann"));
        assert_eq!((read.counts.words_lost, read.warnings.len()), (3, 2), "{:?}", read.warnings);
        assert!(read.warnings.iter().any(|warning| warning.message.contains("entry 2")), "{:?}", read.warnings);
    }

    #[test]
    fn a_cue_without_times_is_placed_and_long_cues_are_whole() {
        let between = [packet(1.0, 2.0, "a"), packet(-1.0, -1.0, "b"), packet(3.0, -1.0, "c"), packet(9.0, 10.0, "d")];
        assert_eq!(words(&between, Coding::SubRip), ["a 1.0", "b 2.0", "c 3.0", "d 9.0"]);
        let long = "word ".repeat(6000);
        assert_eq!(words(&[packet(0.0, 3000.0, long)], Coding::SubRip).len(), 6000);
    }

    #[test]
    fn other_encodings_are_guessed_over_the_whole_stream() {
        let text = [
            "\u{41f}\u{43e}\u{447}\u{435}\u{43c}\u{443} \u{43c}\u{43e}\u{441}\u{442}\u{44b}",
            "\u{43b}\u{43e}\u{43c}\u{430}\u{44e}\u{442}\u{441}\u{44f} \u{432} \u{43f}\u{435}\u{440}\u{432}\u{443}\u{44e} \u{437}\u{438}\u{43c}\u{443}",
        ];
        let bytes = |text: &str| encoding_rs::WINDOWS_1251.encode(text).0.into_owned();
        let packets = [packet(0.0, 1.0, bytes(text[0])), packet(1.0, 2.0, bytes(text[1]))];
        let read = read_stream(&packets, Coding::SubRip, &ReadOptions::default()).unwrap();
        let said: Vec<&str> = read.transcript.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(said.join(" "), text.join(" "));
        assert!(read.warnings[0].message.contains("windows-1251"), "{:?}", read.warnings);
        let mut unknown = ReadOptions::default();
        unknown.encoding = Some("klingon".into());
        assert_eq!(read_stream(&packets, Coding::SubRip, &unknown).unwrap_err().kind(), ErrorKind::Config);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(data: Vec<u8>, coding in 0..6usize) {
            let coding = [Coding::SubRip, Coding::WebVtt, Coding::Ass, Coding::Timed, Coding::Plain, Coding::Ttml][coding];
            let _ = read_stream(&[packet(1.0, 2.0, data)], coding, &ReadOptions::default());
        }
    }
}
