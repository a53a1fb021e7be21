use std::path::PathBuf;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CaptionOffset;
use super::Transcriber;
use super::caption_source::{self, Captioned};
use super::embedded::{describe, streams};
use super::language;
use super::sidecar::{self, Sidecar, Wanted};
use super::text::{ReadOptions, ReadTranscript};
use super::voice_offset;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, Timestamp, Transcript, WarningKind, local_path};
use crate::speech::speech_map;

/// The share of the words outside the video, and their number, from which captions do not fit it,
/// so that the voice is asked.
const MISFIT_SHARE: f64 = 0.02;
const MISFIT_WORDS: usize = 3;

/// Reads the transcript from existing captions: a file beside the video, or subtitles inside it.
///
/// For `talk.mp4` it tries, in this order: `talk.transcript.json`, `talk.words.json`,
/// `talk.word_timings.json`, `talk.json3`, `talk.vtt`, `talk.srt`, `talk.ass`, `talk.ssa`, other
/// endings, `talk.json`; the same names after `talk.mp4`, or with a language, as yt-dlp and others
/// write them (`talk.en.vtt`, `talk.en-dQw4w9WgXcQ.vtt`, `talk.English.srt`): `en-orig` first, then
/// the preferred language, then that of the audio, files made by people before automatic ones; then
/// the text subtitles inside the video: in the preferred language, else the stream that the file
/// marks as default, else in the language of the audio. Streams with signs and foreign speech only
/// (forced ones) and with pictures of text are skipped. A file or stream that cannot be read is
/// skipped with a warning. If there are other captions, a warning says which were taken.
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
    /// The preferred language of captions beside the video and inside it as a BCP 47 tag: `de`.
    /// Default: the language of the sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// What is added to every time of captions, in seconds: -3600 where all is an hour late. With
    /// `"auto"`, what the voice shows. Default: nothing; if words lie outside the video and the
    /// voice shows an offset, a warning names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<CaptionOffset>,
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

    /// Prefers captions in this language: `de`.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = Some(tag.into());
        self
    }

    /// Adds `offset` to every time: a [`Timestamp`], or [`CaptionOffset::Auto`] for what the voice
    /// shows.
    #[must_use]
    pub fn offset(mut self, offset: impl Into<CaptionOffset>) -> Self {
        self.offset = Some(offset.into());
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
        match &self.file {
            Some(path) => self.read(cx, media, Captioned::File(Sidecar::given(path.clone()))).await,
            None => self.automatic(cx, media).await,
        }
    }

    fn reads_captions(&self) -> bool {
        // A voice is looked for in the video.
        self.file.is_none() && self.offset != Some(CaptionOffset::Auto)
    }
}

impl Captions {
    async fn automatic(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let (captions, of) = (self.clone(), media.clone());
        let found = cx.blocking(move |cx| captions.search(cx, &of)).await?;
        for (n, captioned) in found.iter().enumerate() {
            match self.read(cx, media, captioned.clone()).await {
                Ok(transcript) if transcript.words.is_empty() && matches!(captioned, Captioned::Stream { .. }) => {
                    let message = format!("{}: there are no words in it; trying other captions", captioned.name());
                    cx.warn_of(WarningKind::InputLost, message);
                }
                Ok(transcript) => {
                    let others = found[n + 1..].iter().filter(|other| other.differs_from(captioned)).map(Captioned::name).collect();
                    warn_of_others(cx, captioned, others);
                    return Ok(transcript);
                }
                // A wrong setting is no fault of the file.
                Err(error) if !error.is_cancelled() && error.kind() != ErrorKind::Config => {
                    cx.warn_of(WarningKind::InputLost, format!("{error}; trying other captions"));
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::NoTranscript, "there are no captions beside this video or in it")
            .with_path(&media.path)
            .with_advice("give --transcript FILE, or have it transcribed (--transcriber auto, openai or local)"))
    }

    /// The captions in the order to try them: files beside the video, then streams inside it.
    fn search(&self, cx: &Context, media: &Media) -> Result<Vec<Captioned>> {
        // A copy in the media store has no neighbours: the file that it was made from may have.
        let original = local_path(&media.uri);
        let wanted = Wanted { language: self.language.clone(), spoken: spoken_language(cx, media)? };
        let mut files = sidecar::beside(&media.path, &wanted);
        if original != media.path {
            files.extend(sidecar::beside(original, &wanted));
        }
        let streams = streams(media, &wanted);
        if files.is_empty() {
            for stream in &streams.not_text {
                let message = format!(
                    "{} holds no text but pictures or codes, which are not read, and is skipped; give --transcript FILE if it is needed",
                    describe(stream)
                );
                cx.warn_of(WarningKind::InputLost, message);
            }
            if streams.text.is_empty() {
                for stream in &streams.forced {
                    let message = format!("{} has signs and foreign speech only (forced), and is skipped", describe(stream));
                    cx.warn_of(WarningKind::InputLost, message);
                }
            }
        }
        let files = files.into_iter().map(Captioned::File);
        Ok(files.chain(streams.text.into_iter().map(|(stream, coding)| Captioned::Stream { stream: stream.clone(), coding })).collect())
    }

    /// Reads captions. With [`CaptionOffset::Auto`] the voice decides what is added to the times.
    async fn read(&self, cx: &Context, media: &Media, captioned: Captioned) -> Result<Transcript> {
        let (of, from) = (media.clone(), captioned.clone());
        let loaded = std::sync::Arc::new(cx.blocking(move |cx| caption_source::load(cx, &of, &from)).await?);
        let mut options = ReadOptions::default();
        options.encoding.clone_from(&self.encoding);
        options.duration = Some(media.duration);
        options.limits = *cx.limits();
        let parse = |options: &ReadOptions| {
            let (loaded, options) = (loaded.clone(), options.clone());
            cx.blocking(move |_| loaded.parse(&options))
        };
        let mut read = match self.offset {
            Some(CaptionOffset::Fixed(offset)) => {
                options.offset = Some(offset);
                parse(&options).await
            }
            Some(CaptionOffset::Auto) => {
                let free = parse(&ReadOptions { duration: None, ..options.clone() }).await?;
                match self.by_voice(cx, media, &free.transcript).await? {
                    Some(offset) if offset != Timestamp::ZERO => {
                        let seconds = offset.secs();
                        let message = format!(
                            "{}: the voice shows that the times are {:.2} s {}; they are moved (--offset {seconds})",
                            loaded.origin,
                            seconds.abs(),
                            if seconds < 0.0 { "late" } else { "early" }
                        );
                        cx.warn_of(WarningKind::Repaired, message);
                        options.offset = Some(offset);
                    }
                    Some(_) => {}
                    None => cx.warn_of(
                        WarningKind::Repaired,
                        format!("{}: the voice shows no offset of the times clearly; they are used as they are", loaded.origin),
                    ),
                }
                parse(&options).await
            }
            None => parse(&options).await,
        };
        let is_doubtful = read.as_ref().map_or_else(|error| error.kind() == ErrorKind::InvalidInput, |read| read.counts.words_lost > 0);
        if self.offset.is_none() && is_doubtful {
            let free = parse(&ReadOptions { duration: None, ..options.clone() }).await;
            if let Ok(free) = free
                && misfits(&free.transcript, media.duration)
                && let Some(offset) = self.by_voice(cx, media, &free.transcript).await?.filter(|offset| *offset != Timestamp::ZERO)
            {
                let advice = format!("the voice shows that --offset {} (or --offset auto) corrects the times", offset.secs());
                match &mut read {
                    Ok(_) => cx.warn_of(WarningKind::InputLost, format!("{}: words lie outside the video; {advice}", loaded.origin)),
                    Err(error) => *error = error.clone().with_advice(advice),
                }
            }
        }
        Ok(finish(cx, captioned.language(), &loaded.origin, read?))
    }

    /// The offset that the voice shows. A sound that cannot be heard shows none, with a warning.
    async fn by_voice(&self, cx: &Context, media: &Media, transcript: &Transcript) -> Result<Option<Timestamp>> {
        let map = match speech_map(cx, media).await {
            Err(error) if !error.is_cancelled() => {
                cx.warn_once_of(WarningKind::InputLost, format!("the sound could not be searched for voices: {error}"));
                return Ok(None);
            }
            map => map?,
        };
        let said: Vec<Span> = transcript.words.iter().map(|word| Span::between(word.start, word.end)).collect();
        let duration = media.duration;
        cx.blocking(move |_| Ok(voice_offset::find(&said, &map.spans, duration))).await
    }
}

/// Whether more words lie outside the video than inaccurate ends explain.
fn misfits(transcript: &Transcript, duration: Timestamp) -> bool {
    let outside = transcript.words.iter().filter(|word| word.start >= duration || word.end <= Timestamp::ZERO).count();
    outside >= MISFIT_WORDS && outside as f64 >= transcript.words.len() as f64 * MISFIT_SHARE
}

/// Says which captions are used where others would do.
fn warn_of_others(cx: &Context, used: &Captioned, others: Vec<String>) {
    if others.is_empty() {
        return;
    }
    let way = match used {
        Captioned::File(_) => "--transcript takes another",
        Captioned::Stream { .. } => "--language takes another language, --transcript a file",
    };
    cx.warn_of(WarningKind::Track, format!("{} is used; there are also {} ({way})", used.name(), shortened(&others)));
}

/// Passes on the warnings, and names the transcript's origin and language. `language` is that of
/// the file's name or of the stream.
fn finish(cx: &Context, language: Option<String>, origin: &str, read: ReadTranscript) -> Transcript {
    for warning in read.warnings {
        cx.warn_of(warning.kind, format!("{origin}: {}", warning.message));
    }
    let stated = read.transcript.language.as_deref();
    let stated = stated.and_then(|name| if name.len() == 3 { language::of_container(name) } else { language::tag(name) });
    Transcript { language: language.or(stated), origin: origin.to_owned(), ..read.transcript }
}

/// The language of the sound that is heard, else what the platform says.
fn spoken_language(cx: &Context, media: &Media) -> Result<Option<String>> {
    let track = match media.audio_track {
        None if media.audio.len() > 1 && !media.subtitles.is_empty() => av::default_audio_track(cx, media)?,
        track => track,
    };
    let heard = media.audio.get(track.unwrap_or(0)).and_then(|stream| stream.language.as_deref());
    Ok(heard.or(media.about.language.as_deref()).and_then(language::of_container))
}

/// At most five names for a message.
fn shortened(names: &[String]) -> String {
    const MOST: usize = 5;
    let more = names.len().saturating_sub(MOST);
    let listed = names[..names.len() - more].join(", ");
    if more > 0 { format!("{listed} and {more} more") } else { listed }
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
        let moved = |json| serde_json::from_str::<Captions>(json).unwrap();
        assert_eq!(moved(r#"{"offset":-3600}"#), Captions::auto().offset(Timestamp::from_secs(-3600.0)));
        assert_eq!(moved(r#"{"offset":"auto"}"#), Captions::auto().offset(CaptionOffset::Auto));
    }

    #[test]
    fn captions_fit_if_few_words_lie_outside() {
        let words = |starts: &[f64]| {
            let mut transcript = Transcript::default();
            transcript.words = starts.iter().map(|start| crate::model::Word::new("a", *start, start + 0.3)).collect();
            misfits(&transcript, Timestamp::from_secs(10.0))
        };
        assert!(!words(&[1.0, 2.0, 3.0, 11.0, 12.0]));
        assert!(words(&[1.0, 11.0, 12.0, 13.0]));
        assert!(!words(&[]));
    }
}
