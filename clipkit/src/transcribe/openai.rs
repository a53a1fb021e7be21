use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_openai::types::audio::{AudioInput, AudioResponseFormat, CreateTranscriptionRequest, TimestampGranularity};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chunks::{Chunk, Cutting, chunks, stitch};
use super::listen::{Heard, hear};
use super::punctuate::punctuate;
use super::words::repair;
use super::{Transcriber, json};
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, Timestamp, Transcript, Word};
use crate::openai::{Client, OpenAiServer};

/// What fails when a request does.
const DOING: &str = "transcribe";
/// Eleven minutes at 48 kbit/s are 4 MB, far below what servers take (25 MB, 25 minutes).
const UPLOADS: Cutting = Cutting { length: 600.0, search: 60.0, overlap: 2.0 };
/// For a model that says no times: a stretch has no more words than can be put in place by ear.
const SHORT_UPLOADS: Cutting = Cutting { length: 15.0, search: 6.0, overlap: 0.0 };
/// What servers name when they refuse to give times.
const TIMES: [&str; 4] = ["timestamp_granularities", "verbose_json", "response_format", "timestamps"];

/// Transcribes by a Whisper-style API: OpenAI's, or any server that speaks it.
///
/// The sound is taken out as mono M4A (about 6 kB a second), cut at pauses into stretches of some ten minutes that overlap, sent a few at a
/// time, and the words are put together again. Stretches that nobody speaks in are not sent.
///
/// `whisper-1` and its kin answer with word times. Where a model answers with sentences alone, words share a sentence's time by their length;
/// where it gives no times at all (`gpt-4o-transcribe` and its kin), it is sent a few seconds at a time, from pause to pause, and words are put
/// where the voice is. A warning says so either way.
///
/// Each request is made inside the server's layers ([`OpenAiServer::layers`]): one that fails is sent again alone, not all of the video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "OpenAiTranscriberOptions")]
pub struct OpenAiTranscriber {
    /// The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
    pub server: OpenAiServer,
    /// The model. Default `whisper-1`, the one of OpenAI's with word times.
    pub model: String,
    /// The language as ISO 639-1 (`en`), where known. Default: the server finds out.
    pub language: Option<String>,
    /// Names and terms to spell as given here, or a sentence in the style to write in. `whisper-1` heeds the last 224 tokens.
    pub prompt: Option<String>,
    /// How many stretches are sent at once. Default 3.
    pub uploads: usize,
    /// How long the answer to one stretch may take, in seconds; then it is sent again, as the server's layers say. Default 600.
    pub timeout_secs: u64,
}

impl Default for OpenAiTranscriber {
    fn default() -> Self {
        let (server, model) = (OpenAiServer::default(), "whisper-1".to_owned());
        OpenAiTranscriber { server, model, language: None, prompt: None, uploads: 3, timeout_secs: 600 }
    }
}

/// What a model says of when words were said, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Times {
    /// Of each word, or at least of each sentence.
    Words,
    /// Of each sentence.
    Sentences,
    None,
}

impl Times {
    /// Of OpenAI's models it is known; of others it is found out.
    fn of(model: &str) -> Self {
        if model.starts_with("gpt-4o") { Times::None } else { Times::Words }
    }

    fn less(self) -> Self {
        if self == Times::Words { Times::Sentences } else { Times::None }
    }
}

/// The words of a stretch, timed from its start, and the language that the server heard.
type Answer = (Vec<Word>, Option<String>);

/// What came of an upload.
enum Reply {
    Answer(Value),
    /// The server gives no such times.
    NoSuchTimes,
}

/// One transcript in the making.
struct Work<'a> {
    transcriber: &'a OpenAiTranscriber,
    client: Client,
    media: &'a Media,
    heard: Heard,
    /// What the model has turned out to say; the same for all stretches.
    times: Mutex<Times>,
}

impl Work<'_> {
    fn times(&self) -> Times {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that `tried` is more than the model says.
    fn settle_for_less(&self, tried: Times) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        *times = (*times).max(tried.less());
    }

    /// The words of one stretch, timed from the start of what is sent.
    async fn stretch(&self, cx: &Context, chunk: Chunk) -> Result<Answer> {
        loop {
            let times = self.times();
            if times == Times::None {
                return self.by_ear(cx, chunk).await;
            }
            match self.upload(cx, chunk.sent, times).await? {
                Reply::Answer(answer) => match self.read(cx, &answer) {
                    Some(answer) => return Ok(answer),
                    None => self.settle_for_less(Times::Sentences),
                },
                Reply::NoSuchTimes => self.settle_for_less(times),
            }
        }
    }

    /// The same of a model that says no times: from pause to pause, the words of each piece put where the voice is.
    async fn by_ear(&self, cx: &Context, chunk: Chunk) -> Result<Answer> {
        let model = &self.transcriber.model;
        cx.warn_once(format!("the model {model} gives no times: words are put where the voice is, and captions follow them less closely"));
        let (mut words, mut language) = (Vec::new(), None);
        for Chunk { sent, .. } in chunks(&self.heard.restlessness(), chunk.kept, &SHORT_UPLOADS) {
            if !self.heard.is_worth_hearing(sent) {
                continue;
            }
            let Reply::Answer(answer) = self.upload(cx, sent, Times::None).await? else { continue };
            let text = answer["text"].as_str().unwrap_or_default();
            let spoken =
                json!({"segments": [{"start": 0.0, "end": self.heard.voiced(sent), "text": text}], "language": answer["language"]});
            let document = json::read(&spoken).unwrap_or_default();
            words.extend(self.heard.place(document.words, sent));
            language = language.or(document.language);
        }
        let origin = chunk.sent.start();
        let words = words.into_iter().map(|word| Word { start: word.start.since(origin), end: word.end.since(origin), ..word });
        Ok((words.collect(), language))
    }

    /// Sends one stretch and answers what the server makes of it.
    async fn upload(&self, cx: &Context, stretch: Span, times: Times) -> Result<Reply> {
        let sound = self.extract(cx, stretch).await?;
        let (this, client, seconds) = (self.transcriber.clone(), self.client.clone(), stretch.duration().as_secs_f64());
        let request = this.request(sound, times);
        let attempt = move |cx: Context| {
            let (this, client, request) = (this.clone(), client.clone(), request.clone());
            async move {
                let held = this.server.hold_for_sound(&cx, &this.model, seconds)?;
                match client.transcription(&cx, request).await {
                    Ok(answer) => {
                        this.server.heard(&cx, held, &this.model, seconds, false);
                        match answer["text"].is_string() || json::read(&answer).is_some_and(|document| !document.words.is_empty()) {
                            true => Ok(Reply::Answer(answer)),
                            false => Err(this.server.broken_promise(DOING, "it has no text")),
                        }
                    }
                    Err(refused) if times != Times::None && refused.is_about(&TIMES) => Ok(Reply::NoSuchTimes),
                    Err(refused) => {
                        if refused.ran {
                            this.server.heard(&cx, held, &this.model, seconds, true);
                        }
                        Err(refused.error)
                    }
                }
            }
        };
        self.transcriber.server.ask(cx, attempt).await.map_err(|error| error.with_path(&self.media.path).with_time(stretch.start()))
    }

    /// The stretch's sound as a file's bytes: some 6 kB a second, whose length a request can state, as some servers want.
    async fn extract(&self, cx: &Context, stretch: Span) -> Result<Vec<u8>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let media = self.media.clone();
        cx.blocking(move |cx| {
            let path = cx.scratch()?.join(format!("speech-{}.m4a", NEXT.fetch_add(1, Ordering::Relaxed)));
            av::extract_speech(cx, &media, stretch, &path)?;
            let sound = std::fs::read(&path).map_err(|error| Error::io(&path, "read the sound", error));
            // Long videos make many.
            let _ = std::fs::remove_file(&path);
            sound
        })
        .await
    }

    /// Reads an answer, with what servers leave out: `usage`, `duration`, word times. None where it has words and no times.
    fn read(&self, cx: &Context, answer: &Value) -> Option<Answer> {
        let said = answer["text"].as_str().unwrap_or_default();
        let timed = answer["words"].as_array().is_some_and(|words| !words.is_empty());
        match json::read(answer) {
            Some(document) if timed => Some((punctuate(document.words, said), document.language)),
            Some(document) if !document.words.is_empty() => {
                let has_words = |segment: &Value| segment["words"].as_array().is_some_and(|words| !words.is_empty());
                if !answer["segments"].as_array().is_some_and(|segments| segments.iter().any(has_words)) {
                    let model = &self.transcriber.model;
                    cx.warn_once(format!("the model {model} gives times for sentences only: captions follow words less closely"));
                }
                Some((document.words, document.language))
            }
            _ if said.trim().is_empty() => Some((Vec::new(), None)),
            _ => None,
        }
    }
}

impl OpenAiTranscriber {
    fn request(&self, sound: Vec<u8>, times: Times) -> CreateTranscriptionRequest {
        let (format, granularities) = match times {
            Times::Words => (AudioResponseFormat::VerboseJson, Some(vec![TimestampGranularity::Word, TimestampGranularity::Segment])),
            Times::Sentences => (AudioResponseFormat::VerboseJson, None),
            Times::None => (AudioResponseFormat::Json, None),
        };
        CreateTranscriptionRequest {
            file: AudioInput::from_vec_u8("speech.m4a".into(), sound),
            model: self.model.clone(),
            language: self.language.clone(),
            prompt: self.prompt.clone(),
            response_format: Some(format),
            timestamp_granularities: granularities,
            ..CreateTranscriptionRequest::default()
        }
    }
}

#[async_trait]
impl Transcriber for OpenAiTranscriber {
    /// What decides what is heard; not how it is asked for.
    fn fingerprint(&self) -> Option<String> {
        let OpenAiTranscriber { server, model, language, prompt, .. } = self;
        let organization = server.organization.as_deref().unwrap_or_default();
        Some(format!("openai 1 {} {organization} {model} {language:?} {prompt:?}", server.url()))
    }

    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        // Before minutes of work, since there may be no key; and one for all requests, which share its connections.
        let client = self.server.client(DOING, Duration::from_secs(self.timeout_secs.max(1)))?;
        if media.audio.is_empty() {
            return Err(Error::new(ErrorKind::NoTranscript, "there is no sound to transcribe")
                .with_path(&media.path)
                .with_advice("give a transcript with --transcript"));
        }
        // Nothing is sent of what cannot be paid to its end; without a price, nothing is listened to either.
        self.server.affords_sound(cx, &self.model, 0.0)?;
        let sound = media.clone();
        let heard = cx.blocking(move |cx| hear(cx, &sound)).await?;
        let mut chunks = chunks(&heard.restlessness(), Span::between(Timestamp::ZERO, media.duration), &UPLOADS);
        // What nobody speaks in costs money, and gets words made up.
        chunks.retain(|chunk| heard.is_worth_hearing(chunk.sent));
        self.server.affords_sound(cx, &self.model, chunks.iter().map(|chunk| chunk.sent.duration().as_secs_f64()).sum())?;

        let work = &Work { transcriber: self, client, media, heard, times: Mutex::new(Times::of(&self.model)) };
        let (count, done) = (chunks.len(), &AtomicUsize::new(0));
        let answers: Vec<(Chunk, Answer)> = futures::stream::iter(chunks)
            .map(|chunk| async move {
                let answer = work.stretch(cx, chunk).await?;
                cx.progress((done.fetch_add(1, Ordering::Relaxed) + 1) as f64 / count as f64);
                Ok::<_, Error>((chunk, answer))
            })
            .buffered(self.uploads.max(1))
            .try_collect()
            .await?;
        let language = self.language.clone().or_else(|| answers.iter().find_map(|(_, (_, language))| language.clone()));
        let words = stitch(answers.into_iter().map(|(chunk, (words, _))| (chunk, words)).collect());
        Ok(Transcript { language, origin: format!("{} by API", self.model), words: repair(work.heard.trim(cx, words), media.duration)? })
    }
}
