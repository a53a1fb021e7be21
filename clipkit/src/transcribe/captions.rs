use std::path::PathBuf;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transcriber;
use super::sidecar::{self, Sidecar, Wanted};
use super::text::{self, ReadOptions, ReadTranscript};
use super::{language, markup};
use crate::av::subtitle::{self, Markup};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Limit, Media, SubtitleStream, Timestamp, Transcript, WarningKind, local_path};

/// Reads the transcript from existing captions: a file beside the video, or subtitles inside it.
///
/// For `talk.mp4` it tries, in this order: `talk.transcript.json`, `talk.words.json`,
/// `talk.word_timings.json`, `talk.json3`, `talk.vtt`, `talk.srt`, `talk.ass`, `talk.ssa`, other
/// endings, `talk.json`; the same names after `talk.mp4`, or with a language, as yt-dlp and others
/// write them (`talk.en.vtt`, `talk.en-dQw4w9WgXcQ.vtt`, `talk.English.srt`): `en-orig` first, then
/// the preferred language, then that of the audio, files made by people before automatic ones; then
/// the text subtitles inside the video, those in the language of its audio first. A file or stream
/// that cannot be read is skipped with a warning. If there are captions in other languages, a
/// warning says which were taken.
///
/// A file's content decides its format, not its name. Word times in WebVTT, ASS, json3 and JSON are
/// kept. If only cues have times, a cue's time is divided among its words by length. Repeated lines
/// of roll-up captions, such as YouTube's automatic ones, are removed. Descriptions of sounds
/// (`[Music]`) become [`Transcript::events`], names of speakers become [`Word::speaker`]. What of a
/// file cannot be used is a warning with the number of words, the first line and the reason.
///
/// [`Word::speaker`]: crate::model::Word::speaker
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "CaptionsOptions")]
pub struct Captions {
    /// The file to read. Default: searched for beside the video and inside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// The file's text encoding by its name: `windows-1251`, `gbk`. Default: what the file's bytes
    /// show, else guessed with a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    /// The preferred language of caption files beside the video as a BCP 47 tag: `de`. Default: the
    /// language of the sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// What is added to every time of a caption file, in seconds: -3600 where all is an hour late.
    /// Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<Timestamp>,
}

impl Captions {
    /// Searches beside the video, then inside it. If there are no captions, the error is
    /// [`ErrorKind::NoTranscript`].
    pub fn auto() -> Self {
        Captions::default()
    }

    /// Reads `path` in any format of [`read_transcript`](crate::stage::read_transcript): SRT,
    /// WebVTT, ASS, SBV, LRC, TTML, TSV, YouTube's json3, or words with times in JSON (a
    /// [`Transcript`], `[[word, start, end], ...]`, or that of a transcription service). For a file
    /// in none of these formats, the error is [`ErrorKind::InvalidInput`].
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Captions { file: Some(path.into()), ..Captions::default() }
    }

    /// Prefers caption files beside the video in this language: `de`.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = Some(tag.into());
        self
    }

    /// Adds `offset` to every time of caption files beside the video.
    #[must_use]
    pub fn offset(mut self, offset: Timestamp) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Captions::default()
    }

    /// Decodes caption files beside the video with this encoding: `windows-1251`, `gbk`. A byte
    /// order mark in a file takes precedence. An unknown name is an error of the kind
    /// [`ErrorKind::Config`] when a file is read.
    #[must_use]
    pub fn encoding(mut self, label: impl Into<String>) -> Self {
        self.encoding = Some(label.into());
        self
    }
}

#[async_trait]
impl Transcriber for Captions {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let (captions, media) = (self.clone(), media.clone());
        cx.blocking(move |cx| match &captions.file {
            Some(path) => captions.read(cx, &Sidecar::given(path.clone()), &media),
            None => captions.automatic(cx, &media),
        })
        .await
    }
}

impl Captions {
    fn automatic(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        // A copy in the media store has no neighbours: the file that it was made from may have.
        let original = local_path(&media.uri);
        let wanted = Wanted { language: self.language.clone(), spoken: spoken_language(media) };
        let mut found = sidecar::beside(&media.path, &wanted);
        if original != media.path {
            found.extend(sidecar::beside(original, &wanted));
        }
        for (n, sidecar) in found.iter().enumerate() {
            match self.read(cx, sidecar, media) {
                Ok(transcript) => {
                    let others: Vec<String> =
                        found[n + 1..].iter().filter(|other| other.differs_from(sidecar)).map(Sidecar::name).collect();
                    if !others.is_empty() {
                        cx.warn(format!("{} is used; there are also {} (--transcript takes another)", sidecar.name(), shortened(&others)));
                    }
                    return Ok(transcript);
                }
                // A wrong setting is no fault of the file.
                Err(error) if !error.is_cancelled() && error.kind() != ErrorKind::Config => {
                    cx.warn_of(WarningKind::InputLost, format!("{error}; trying other captions"));
                }
                Err(error) => return Err(error),
            }
        }
        for stream in text_streams(media) {
            match embedded(cx, media, stream) {
                Ok(transcript) if transcript.words.is_empty() => {}
                Err(error) if !error.is_cancelled() => cx.warn_of(WarningKind::InputLost, format!("{error}; trying other captions")),
                answer => return answer,
            }
        }
        Err(Error::new(ErrorKind::NoTranscript, "there are no captions beside this video or in it")
            .with_path(&media.path)
            .with_advice("give --transcript FILE, or have it transcribed (--transcriber auto, openai or local)"))
    }

    fn read(&self, cx: &Context, sidecar: &Sidecar, media: &Media) -> Result<Transcript> {
        let limits = *cx.limits();
        let bytes = cx.read_within(&sidecar.path, "read", limits.transcript_bytes, Limit::TranscriptBytes)?;
        cx.check()?;
        let mut options = ReadOptions::default();
        options.encoding.clone_from(&self.encoding);
        options.offset = self.offset;
        options.duration = Some(media.duration);
        options.limits = limits;
        let read = text::read_transcript(&bytes, &options).map_err(|error| error.with_path(&sidecar.path))?;
        let origin = sidecar.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(finish(cx, sidecar.language.clone(), origin, read))
    }
}

fn embedded(cx: &Context, media: &Media, stream: &SubtitleStream) -> Result<Transcript> {
    let markup = match Markup::of_codec(&stream.codec) {
        Some(Markup::WebVtt) => markup::Markup::WebVtt,
        Some(Markup::SubRip) => markup::Markup::SubRip,
        Some(Markup::Ass) => markup::Markup::Ass,
        // `text_streams` returns streams with a known markup only.
        Some(Markup::Plain) | None => markup::Markup::Plain,
    };
    let subtitles = subtitle::read_embedded(cx, &media.path, stream.index)?;
    let language = stream.language.as_deref().and_then(bcp47);
    let origin = format!("{} subtitles, stream {}", stream.codec, stream.index);
    let cues = subtitles.into_iter().map(|subtitle| (subtitle.span, subtitle.text)).collect();
    let read = text::read_stream(cues, markup, media.duration, *cx.limits()).map_err(|error| error.with_path(&media.path))?;
    Ok(finish(cx, language, origin, read))
}

/// Passes on the warnings, and names the transcript's origin and language. `language` is that of
/// the file's name or of the stream.
fn finish(cx: &Context, language: Option<String>, origin: String, read: ReadTranscript) -> Transcript {
    for warning in read.warnings {
        cx.warn_of(warning.kind, format!("{origin}: {}", warning.message));
    }
    let stated = read.transcript.language.as_deref().and_then(|name| if name.len() == 3 { bcp47(name) } else { language::tag(name) });
    Transcript { language: language.or(stated), origin, ..read.transcript }
}

/// The language of the sound.
fn spoken_language(media: &Media) -> Option<String> {
    media.audio.first().and_then(|stream| stream.language.as_deref()).and_then(bcp47)
}

/// At most five names for a message.
fn shortened(names: &[String]) -> String {
    const MOST: usize = 5;
    let more = names.len().saturating_sub(MOST);
    let listed = names[..names.len() - more].join(", ");
    if more > 0 { format!("{listed} and {more} more") } else { listed }
}

/// Subtitle streams that contain text, those in the language of the audio first.
fn text_streams(media: &Media) -> Vec<&SubtitleStream> {
    let spoken = spoken_language(media);
    let mut streams: Vec<&SubtitleStream> = media.subtitles.iter().filter(|stream| Markup::of_codec(&stream.codec).is_some()).collect();
    streams.sort_by_key(|stream| spoken.is_none() || stream.language.as_deref().and_then(bcp47) != spoken);
    streams
}

/// The BCP 47 tag of a container's language (ISO 639-2, such as `eng`). `None` for `und` and for
/// codes that name no language.
fn bcp47(name: &str) -> Option<String> {
    const KNOWN: [(&str, &str); 34] = [
        ("eng", "en"),
        ("spa", "es"),
        ("fra", "fr"),
        ("fre", "fr"),
        ("deu", "de"),
        ("ger", "de"),
        ("por", "pt"),
        ("ita", "it"),
        ("nld", "nl"),
        ("dut", "nl"),
        ("rus", "ru"),
        ("ukr", "uk"),
        ("pol", "pl"),
        ("ces", "cs"),
        ("cze", "cs"),
        ("swe", "sv"),
        ("nor", "no"),
        ("dan", "da"),
        ("fin", "fi"),
        ("ell", "el"),
        ("gre", "el"),
        ("tur", "tr"),
        ("ara", "ar"),
        ("heb", "he"),
        ("hin", "hi"),
        ("tha", "th"),
        ("vie", "vi"),
        ("ind", "id"),
        ("zho", "zh"),
        ("chi", "zh"),
        ("jpn", "ja"),
        ("kor", "ko"),
        ("ron", "ro"),
        ("hun", "hu"),
    ];
    let name = name.to_ascii_lowercase();
    match KNOWN.iter().find(|(long, _)| *long == name) {
        Some((_, short)) => Some((*short).to_owned()),
        None => (sidecar::is_language(&name) && !matches!(name.as_str(), "und" | "mul" | "zxx" | "mis")).then_some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_no_empty_fields_and_rejects_unknown_ones() {
        assert_eq!(serde_json::to_string(&Captions::auto()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Captions>(r#"{"file":"a.srt"}"#).unwrap(), Captions::file("a.srt"));
        assert!(serde_json::from_str::<Captions>(r#"{"fil":"a.srt"}"#).is_err());
        let encoded = serde_json::from_str::<Captions>(r#"{"file":"a.srt","encoding":"gbk"}"#).unwrap();
        assert_eq!(encoded, Captions::file("a.srt").encoding("gbk"));
    }

    #[test]
    fn languages_of_containers_become_tags() {
        assert_eq!(bcp47("eng").as_deref(), Some("en"));
        assert_eq!(bcp47("EN-us").as_deref(), Some("en-us"));
        assert_eq!(bcp47("und"), None);
    }
}
