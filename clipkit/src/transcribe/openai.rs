use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_openai::types::audio::{AudioInput, AudioResponseFormat, CreateTranscriptionRequest, TimestampGranularity};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::chunks::{Chunk, Cutting, chunks, stitch};
use super::listen::hear;
use super::punctuate::punctuate;
use super::words::repair;
use super::{Transcriber, json};
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Transcript, Word};
use crate::openai::{Client, OpenAiServer};

const DOING: &str = "transcribe";
/// Ten minutes at 48 kbit/s are 3.6 MB, far below what servers take (25 MB, 25 minutes).
const UPLOADS: Cutting = Cutting { length: 600.0, search: 60.0, overlap: 2.0 };

/// Transcribes by a Whisper-style API: OpenAI's, or any server that speaks it.
///
/// The sound is taken out as mono M4A (about 6 kB a second), cut at pauses into stretches of some ten minutes that overlap, sent a few at a
/// time, and the words are put together again. `whisper-1` and its kin answer with word times; where a model answers with sentences alone,
/// words share a sentence's time by their length, and a warning says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiTranscriber {
    /// The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
    pub server: OpenAiServer,
    /// The model. Default `whisper-1`, the one of OpenAI's with word times.
    pub model: String,
    /// The language as ISO 639-1 (`en`), where known. Default: the server finds out.
    pub language: Option<String>,
    /// Names and terms to spell as given here.
    pub prompt: Option<String>,
    /// How many stretches are sent at once. Default 3.
    pub uploads: usize,
}

impl Default for OpenAiTranscriber {
    fn default() -> Self {
        OpenAiTranscriber { server: OpenAiServer::default(), model: "whisper-1".into(), language: None, prompt: None, uploads: 3 }
    }
}

impl OpenAiTranscriber {
    /// Sends one stretch and answers its words, timed from its start, and the language that the server heard.
    async fn send(&self, cx: &Context, client: &Client, media: &Media, chunk: Chunk) -> Result<(Vec<Word>, Option<String>)> {
        let file = self.extract(cx, media, chunk).await?;
        let request = CreateTranscriptionRequest {
            file: AudioInput::from(&file),
            model: self.model.clone(),
            language: self.language.clone(),
            prompt: self.prompt.clone(),
            response_format: Some(AudioResponseFormat::VerboseJson),
            timestamp_granularities: Some(vec![TimestampGranularity::Word, TimestampGranularity::Segment]),
            ..CreateTranscriptionRequest::default()
        };
        let audio = client.audio();
        let transcription = audio.transcription();
        let answer = tokio::select! {
            answer = transcription.create_raw(request) => answer.map_err(|error| self.server.failed(DOING, error)),
            () = cx.cancelled() => Err(Error::cancelled()),
        };
        // It is in the scratch folder; long videos make many.
        let _ = tokio::fs::remove_file(&file).await;
        let answer = answer?;
        self.server.heard(cx, &self.model, chunk.sent.duration().as_secs_f64());
        let text = std::str::from_utf8(&answer).map_err(|_| self.server.broken_promise(DOING, "it is not text"))?;
        self.read(cx, text)
    }

    async fn extract(&self, cx: &Context, media: &Media, chunk: Chunk) -> Result<PathBuf> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let media = media.clone();
        cx.blocking(move |cx| {
            let path = cx.scratch()?.join(format!("speech-{}.m4a", NEXT.fetch_add(1, Ordering::Relaxed)));
            av::extract_speech(cx, &media, chunk.sent, &path)?;
            Ok(path)
        })
        .await
    }

    /// Reads an answer, with what servers leave out: `usage`, `duration`, word times.
    fn read(&self, cx: &Context, text: &str) -> Result<(Vec<Word>, Option<String>)> {
        let value: Value = serde_json::from_str(text).map_err(|error| self.server.broken_promise(DOING, &error.to_string()))?;
        let said = value.get("text").and_then(Value::as_str).unwrap_or_default();
        let timed = value.get("words").and_then(Value::as_array).is_some_and(|words| !words.is_empty());
        match json::parse(text) {
            Some(document) if timed => Ok((punctuate(document.words, said), document.language)),
            Some(document) if !document.words.is_empty() => {
                let has_words = |segment: &Value| segment.get("words").and_then(Value::as_array).is_some_and(|words| !words.is_empty());
                let segments = value.get("segments").and_then(Value::as_array);
                if !segments.is_some_and(|segments| segments.iter().any(has_words)) {
                    cx.warn(format!("the model {} gives times for sentences only: captions follow words less closely", self.model));
                }
                Ok((document.words, document.language))
            }
            _ if said.trim().is_empty() => Ok((Vec::new(), None)),
            _ => Err(self
                .server
                .broken_promise(DOING, &format!("{} answers without times", self.model))
                .with_advice("use a model with verbose_json, such as whisper-1")),
        }
    }
}

#[async_trait]
impl Transcriber for OpenAiTranscriber {
    fn fingerprint(&self) -> Option<String> {
        Some(format!("openai {} {self:?}", self.server.url()))
    }

    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        // Before minutes of work, since there may be no key; and one for all requests, which share its connections.
        let client = &self.server.client()?;
        if media.audio.is_empty() {
            return Err(Error::new(ErrorKind::NoTranscript, "there is no sound to transcribe")
                .with_path(&media.path)
                .with_advice("give a transcript with --transcript"));
        }
        let _held = self.server.hold_for_sound(cx, &self.model, media.duration.secs())?;
        let sound = media.clone();
        let heard = cx.blocking(move |cx| hear(cx, &sound)).await?;
        let mut chunks = chunks(&heard.restlessness(), media.duration, &UPLOADS);
        // What nobody speaks in costs money, and gets words made up.
        chunks.retain(|chunk| heard.is_worth_hearing(chunk.sent));
        let (count, done) = (chunks.len(), AtomicUsize::new(0));
        let answers: Vec<(Chunk, Vec<Word>, Option<String>)> = futures::stream::iter(chunks)
            .map(|chunk| {
                let done = &done;
                async move {
                    let answer = self.send(cx, client, media, chunk).await;
                    cx.progress((done.fetch_add(1, Ordering::Relaxed) + 1) as f64 / count as f64);
                    let (words, language) = answer.map_err(|error| error.with_path(&media.path).with_time(chunk.kept.start()))?;
                    Ok::<_, Error>((chunk, words, language))
                }
            })
            .buffered(self.uploads.max(1))
            .try_collect()
            .await?;
        let language = self.language.clone().or_else(|| answers.iter().find_map(|(.., language)| language.clone()));
        let words = stitch(answers.into_iter().map(|(chunk, words, _)| (chunk, words)).collect());
        Ok(Transcript { language, origin: format!("{} by API", self.model), words: repair(heard.trim(cx, words), media.duration)? })
    }
}
