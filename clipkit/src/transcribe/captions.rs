use std::path::PathBuf;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transcriber;
use super::json::Document;
use super::sidecar::{self, Sidecar};
use super::words::repair;
use crate::av::subtitle::{self, Markup};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, SubtitleStream, Timestamp, Transcript, WarningKind, Word, local_path};

/// Reads the transcript from existing captions: a file beside the video, or subtitles inside it.
///
/// For `talk.mp4` it tries, in this order: `talk.transcript.json`, `talk.words.json`,
/// `talk.word_timings.json`, `talk.json3`, `talk.vtt`, `talk.srt`, `talk.ass`, `talk.ssa`,
/// `talk.json`; the same names with a language, as yt-dlp writes them (`talk.en.vtt`; languages in
/// alphabetical order); then the text subtitles inside the video, those in the language of its
/// audio first. A file or stream that cannot be read is skipped with a warning.
///
/// Word times in WebVTT, json3 and JSON are kept. If only cues have times, a cue's time is divided
/// among its words by length. Repeated lines of roll-up captions, such as YouTube's automatic ones,
/// are removed, and so are sound descriptions (`[Music]`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Captions {
    /// The file to read. Default: searched for beside the video and inside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

impl Captions {
    /// Searches beside the video, then inside it. If there are no captions, the error is
    /// [`ErrorKind::NoTranscript`].
    pub fn auto() -> Self {
        Captions { file: None }
    }

    /// Reads `path`: SRT, WebVTT, ASS, YouTube's json3, or JSON with word times (a [`Transcript`],
    /// `[[word, start, end], ...]` with seconds, or Whisper's). For a file in none of these
    /// formats, the error is [`ErrorKind::InvalidInput`].
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Captions { file: Some(path.into()) }
    }
}

#[async_trait]
impl Transcriber for Captions {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let (captions, media) = (self.clone(), media.clone());
        cx.blocking(move |cx| match &captions.file {
            Some(path) => from_file(cx, &Sidecar { path: path.clone(), language: None }, &media),
            None => automatic(cx, &media),
        })
        .await
    }
}

fn automatic(cx: &Context, media: &Media) -> Result<Transcript> {
    // A copy in the media store has no neighbours: the file that it was made from may have some.
    let original = local_path(&media.uri);
    let elsewhere = if original == media.path { Vec::new() } else { sidecar::beside(original) };
    for sidecar in sidecar::beside(&media.path).into_iter().chain(elsewhere) {
        match from_file(cx, &sidecar, media) {
            Err(error) if !error.is_cancelled() => cx.warn_of(WarningKind::InputLost, format!("{error}; trying other captions")),
            answer => return answer,
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

fn from_file(cx: &Context, sidecar: &Sidecar, media: &Media) -> Result<Transcript> {
    let Document { language, words } = sidecar::read(cx, &sidecar.path)?;
    let origin = sidecar.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    finish(cx, media, sidecar.language.clone().or(language), origin, words).map_err(|error| error.with_path(&sidecar.path))
}

fn embedded(cx: &Context, media: &Media, stream: &SubtitleStream) -> Result<Transcript> {
    // `text_streams` returns streams with a known markup only.
    let markup = Markup::of_codec(&stream.codec).unwrap_or(Markup::Plain);
    let subtitles = subtitle::read_embedded(cx, &media.path, stream.index)?;
    let language = stream.language.as_deref().and_then(bcp47);
    let origin = format!("{} subtitles, stream {}", stream.codec, stream.index);
    finish(cx, media, language, origin, sidecar::words_in(&subtitles, markup)).map_err(|error| error.with_path(&media.path))
}

/// Subtitle streams that contain text, those in the language of the audio first.
fn text_streams(media: &Media) -> Vec<&SubtitleStream> {
    let spoken = media.audio.first().and_then(|stream| stream.language.as_deref()).and_then(bcp47);
    let mut streams: Vec<&SubtitleStream> = media.subtitles.iter().filter(|stream| Markup::of_codec(&stream.codec).is_some()).collect();
    streams.sort_by_key(|stream| spoken.is_none() || stream.language.as_deref().and_then(bcp47) != spoken);
    streams
}

/// Makes the transcript, with a warning if more than 5 % of the words start after the video's end.
fn finish(cx: &Context, media: &Media, language: Option<String>, origin: String, words: Vec<Word>) -> Result<Transcript> {
    let late = words.iter().filter(|word| word.start >= media.duration).count();
    if media.duration > Timestamp::ZERO && late > 0 && late * 20 > words.len() {
        let last = words.iter().map(|word| word.end).max().unwrap_or_default();
        cx.warn_of(
            WarningKind::InputLost,
            format!("{origin}: the captions continue to {last}, but the video ends at {}; they may belong to another cut", media.duration),
        );
    }
    Ok(Transcript { language, origin, words: repair(words, media.duration)? })
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
    }

    #[test]
    fn languages_of_containers_become_tags() {
        assert_eq!(bcp47("eng").as_deref(), Some("en"));
        assert_eq!(bcp47("EN-us").as_deref(), Some("en-us"));
        assert_eq!(bcp47("und"), None);
    }
}
