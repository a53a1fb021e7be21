use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chunks::{Chunk, ChunkOptions, chunks, merge};
use super::speech_activity::{SpeechActivity, detect_speech};
use super::text::{Coding, Packet, ReadOptions};
use super::words::repair;
use super::{Transcriber, answer, language, text, wav};
use crate::av;
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{Media, Span, Timestamp, Transcript, WarningKind, Word};
use crate::openai::answer::{Recording, Times};
use crate::openai::{AudioFile, AudioFormat, Client, OpenAiServer, TranscriptionRequest};

/// What fails when a request does, for error messages.
const OPERATION: &str = "transcribe";
/// Uploads: eleven minutes at 48 kbit/s are 4 MB, far below OpenAI's limits of 25 MB and 25
/// minutes.
const UPLOADS: ChunkOptions = ChunkOptions { length: 600.0, search: 60.0, overlap: 2.0 };
/// Uploads to a model without timestamps: short, so that the words can be aligned to detected
/// speech.
const UNTIMED_UPLOADS: ChunkOptions = ChunkOptions { length: 15.0, search: 6.0, overlap: 0.0 };
/// The shortest upload that becomes two if it is too large for the server, in seconds.
const MIN_UPLOAD_SECS: f64 = 40.0;
/// Words in the messages of servers that reject a request for timestamps.
const TIMESTAMP_TERMS: [&str; 4] = ["timestamp_granularities", "verbose_json", "response_format", "timestamps"];

/// Transcribes with a Whisper-style API: OpenAI's, or any server that speaks it.
///
/// The audio is extracted as mono M4A (about 6 kB a second) and split at pauses into chunks of
/// about ten minutes that overlap by a few seconds. Chunks are uploaded concurrently, and their
/// words are merged. Chunks without speech are not uploaded.
///
/// `whisper-1` and compatible models return word timestamps. If a model returns segment timestamps
/// only, each segment's time is divided among its words by length. If it returns no timestamps
/// (`gpt-4o-transcribe` and its variants), chunks of about 15 seconds are uploaded and their words
/// are aligned to the detected speech. Both cases leave a warning.
///
/// A server that cannot read M4A gets the same audio as WAV (32 kB a second), for example
/// whisper.cpp's without `--convert`. An upload that is too large for a server becomes two.
/// Responses are read in many forms: plain text, a JSON string, captions, a stream, `segments` or
/// `chunks`, one level inside of another object, with `NaN` or null in them. Words without any time
/// count as text. An error with the status 200 is an error.
///
/// Each request runs inside the server's layers ([`OpenAiServer::layers`]), so one that fails is
/// sent again alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "OpenAiTranscriberOptions")]
#[non_exhaustive]
pub struct OpenAiTranscriber {
    /// The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
    pub server: OpenAiServer,
    /// The model. Default `whisper-1`, OpenAI's model with word timestamps.
    pub model: String,
    /// The spoken language as ISO 639-1 (`en`). Default: the server detects it.
    pub language: Option<String>,
    /// Names and terms whose spelling the model should follow, or a sentence in the wanted style.
    /// `whisper-1` uses the last 224 tokens.
    pub prompt: Option<String>,
    /// How many chunks are uploaded concurrently. Default 3; 0 counts as 1.
    pub uploads: usize,
    /// The time limit of one request, in seconds. A request that exceeds it is sent again, as the
    /// server's layers say. Default 600; 0 counts as 1.
    pub timeout_secs: u64,
}

impl Default for OpenAiTranscriber {
    fn default() -> Self {
        let (server, model) = (OpenAiServer::default(), "whisper-1".to_owned());
        OpenAiTranscriber { server, model, language: None, prompt: None, uploads: 3, timeout_secs: 600 }
    }
}

/// The timestamps that a model returns, the most detailed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timestamps {
    /// Of each word, or at least of each segment.
    Words,
    Segments,
    None,
}

impl Timestamps {
    /// What to ask a model for first. OpenAI's models are known; other models are tried.
    fn expected_of(model: &str) -> Self {
        if model.starts_with("gpt-4o") { Timestamps::None } else { Timestamps::Words }
    }

    fn less_detailed(self) -> Self {
        if self == Timestamps::Words { Timestamps::Segments } else { Timestamps::None }
    }
}

/// The words of a chunk, timed from its start, and the language that the server detected.
type ChunkTranscript = (Vec<Word>, Option<String>);

/// The outcome of an upload.
enum UploadOutcome {
    Response(Recording),
    /// The server rejects the request for timestamps.
    TimestampsRejected,
    /// The server cannot read the format of the audio.
    FormatRejected(Error),
    /// The upload is larger than the server allows.
    TooLarge(Error),
}

/// The transcription of one video.
struct Transcription<'a> {
    /// With its server resolved.
    transcriber: &'a OpenAiTranscriber,
    client: Client,
    media: &'a Media,
    activity: SpeechActivity,
    /// What the model has turned out to return; shared by all chunks.
    timestamps: Mutex<Timestamps>,
    /// Whether the server has turned out not to read M4A; shared by all chunks.
    wants_wav: AtomicBool,
}

impl Transcription<'_> {
    fn timestamps(&self) -> Timestamps {
        *self.timestamps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the model does not return `tried`.
    fn lower_timestamps(&self, tried: Timestamps) {
        let mut timestamps = self.timestamps.lock().unwrap_or_else(PoisonError::into_inner);
        *timestamps = (*timestamps).max(tried.less_detailed());
    }

    /// The words of one chunk, timed from the start of its upload. An upload that is too large for
    /// the server becomes two.
    async fn chunk(&self, cx: &Context, chunk: Chunk) -> Result<ChunkTranscript> {
        let (mut parts, mut done, mut language) = (vec![chunk], Vec::new(), None);
        while let Some(part) = parts.pop() {
            match self.part(cx, part).await? {
                Ok((words, detected)) => {
                    language = language.or(detected);
                    done.push((part, words));
                }
                Err(too_large) => {
                    let seconds = part.sent.duration().as_secs_f64();
                    if seconds < MIN_UPLOAD_SECS {
                        return Err(too_large);
                    }
                    let halves = ChunkOptions { length: seconds / 2.0, search: seconds / 8.0, overlap: UPLOADS.overlap };
                    let halves = chunks(&self.activity.cut_costs(), part.sent, &halves).into_iter().rev();
                    parts.extend(halves.filter(|half| self.activity.may_contain_speech(half.sent)));
                }
            }
        }
        let origin = chunk.sent.start();
        let words = merge(done).into_iter().map(|word| Word { start: word.start.since(origin), end: word.end.since(origin), ..word });
        Ok((words.collect(), language))
    }

    /// The words of one upload, or the error of a server for which it is too large.
    async fn part(&self, cx: &Context, part: Chunk) -> Result<Result<ChunkTranscript, Error>> {
        loop {
            let timestamps = self.timestamps();
            if timestamps == Timestamps::None {
                return self.untimed_chunk(cx, part).await.map(Ok);
            }
            match self.upload(cx, part.sent, timestamps).await? {
                UploadOutcome::Response(response) => match self.timed(cx, response) {
                    Some(transcript) => return Ok(Ok(transcript)),
                    None => self.lower_timestamps(Timestamps::Segments),
                },
                UploadOutcome::TimestampsRejected => self.lower_timestamps(timestamps),
                UploadOutcome::FormatRejected(error) => return Err(error),
                UploadOutcome::TooLarge(error) => return Ok(Err(error)),
            }
        }
    }

    /// The same for a model without timestamps: short uploads, whose words are aligned to speech.
    async fn untimed_chunk(&self, cx: &Context, chunk: Chunk) -> Result<ChunkTranscript> {
        let model = &self.transcriber.model;
        cx.warn_once_of(
            WarningKind::Captions,
            format!("the model {model} gives no times: words are aligned to detected speech, so captions are less exact"),
        );
        let (mut words, mut detected) = (Vec::new(), None);
        for Chunk { sent, .. } in chunks(&self.activity.cut_costs(), chunk.kept, &UNTIMED_UPLOADS) {
            if !self.activity.may_contain_speech(sent) {
                continue;
            }
            let response = match self.upload(cx, sent, Timestamps::None).await? {
                UploadOutcome::Response(response) => response,
                UploadOutcome::FormatRejected(error) | UploadOutcome::TooLarge(error) => return Err(error),
                UploadOutcome::TimestampsRejected => continue,
            };
            let heard = match response.times {
                Times::None => {
                    let speech = Span::between(Timestamp::ZERO, Timestamp::from_secs(self.activity.speech_secs(sent)));
                    let mut options = ReadOptions::default();
                    (options.duration, options.limits) = (Some(Timestamp::ZERO), *cx.limits());
                    let packet = Packet { start: Some(speech.start()), end: Some(speech.end()), data: response.text.into_bytes() };
                    text::read_stream(&[packet], Coding::SubRip, &options)?.transcript.words
                }
                Times::Segments | Times::Words => response.words,
            };
            words.extend(self.activity.align(heard, sent));
            detected = detected.or(response.language.as_deref().and_then(language::tag));
        }
        let origin = chunk.sent.start();
        let words = words.into_iter().map(|word| Word { start: word.start.since(origin), end: word.end.since(origin), ..word });
        Ok((words.collect(), detected))
    }

    /// Uploads the audio of `span`: as M4A, and as WAV to a server that does not read that.
    async fn upload(&self, cx: &Context, span: Span, timestamps: Timestamps) -> Result<UploadOutcome> {
        let located = |error: Error| error.with_path(&self.media.path).with_time(span.start());
        let format = if self.wants_wav.load(Ordering::Relaxed) { AudioFormat::Wav } else { AudioFormat::M4a };
        match self.upload_as(cx, span, timestamps, format).await.map_err(located)? {
            UploadOutcome::FormatRejected(error) if format == AudioFormat::M4a => {
                tracing::debug!(%error, "the server does not read M4A; sending WAV");
                let outcome = self.upload_as(cx, span, timestamps, AudioFormat::Wav).await.map_err(located)?;
                if let UploadOutcome::FormatRejected(error) = outcome {
                    return Err(located(unreadable(error)));
                }
                self.wants_wav.store(true, Ordering::Relaxed);
                Ok(outcome)
            }
            UploadOutcome::FormatRejected(error) => Err(located(unreadable(error))),
            UploadOutcome::TooLarge(error) => Ok(UploadOutcome::TooLarge(located(error))),
            outcome => Ok(outcome),
        }
    }

    async fn upload_as(&self, cx: &Context, span: Span, timestamps: Timestamps, format: AudioFormat) -> Result<UploadOutcome> {
        let audio = AudioFile { bytes: self.extract(cx, span, format).await?, format };
        let (transcriber, client, seconds) = (self.transcriber.clone(), self.client.clone(), span.duration().as_secs_f64());
        let request = transcriber.request(audio, timestamps);
        let attempt = move |cx: Context| {
            let (transcriber, client, request) = (transcriber.clone(), client.clone(), request.clone());
            async move {
                let (server, model) = (&transcriber.server, &transcriber.model);
                let held = server.reserve_for_audio(&cx, model, seconds)?;
                match client.transcription(&cx, &request, answer::read).await {
                    Ok(response) => {
                        server.record_audio(&cx, held, model, seconds, false);
                        Ok(UploadOutcome::Response(response))
                    }
                    Err(failure) if timestamps != Timestamps::None && failure.rejects(&TIMESTAMP_TERMS) => {
                        Ok(UploadOutcome::TimestampsRejected)
                    }
                    Err(failure) if failure.is_too_large() => Ok(UploadOutcome::TooLarge(failure.error)),
                    // Some servers answer this with 500, which is no reason to send M4A again.
                    Err(failure) if failure.refuses_audio() && (format == AudioFormat::M4a || failure.status < Some(500)) => {
                        Ok(UploadOutcome::FormatRejected(failure.error))
                    }
                    Err(failure) => {
                        if failure.may_be_charged {
                            server.record_audio(&cx, held, model, seconds, true);
                        }
                        Err(failure.error)
                    }
                }
            }
        };
        self.transcriber.server.in_layers(cx, attempt).await
    }

    /// The audio of `span` as the contents of a file. It is held in memory (6 or 32 kB a second) so
    /// that a request can state its length.
    async fn extract(&self, cx: &Context, span: Span, format: AudioFormat) -> Result<Arc<[u8]>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let media = self.media.clone();
        cx.blocking(move |cx| {
            if format == AudioFormat::Wav {
                return Ok(wav::file(&av::speech_samples(cx, &media, span)?, av::SPEECH_RATE).into());
            }
            let path = cx.scratch()?.join(format!("speech-{}.m4a", NEXT.fetch_add(1, Ordering::Relaxed)));
            av::extract_speech(cx, &media, span, &path)?;
            let audio = std::fs::read(&path).map_err(|error| Error::io(&path, "read the sound", error));
            // A long video makes many; none is needed any more.
            let _ = std::fs::remove_file(&path);
            Ok(audio?.into())
        })
        .await
    }

    /// The words of a response. `None` if it has a text without times.
    fn timed(&self, cx: &Context, response: Recording) -> Option<ChunkTranscript> {
        let model = &self.transcriber.model;
        let language = response.language.as_deref().and_then(language::tag);
        match response.times {
            Times::None if !response.text.trim().is_empty() => return None,
            Times::Segments if !response.words.is_empty() => cx.warn_once_of(
                WarningKind::Captions,
                format!("the model {model} gives times for sentences only, so captions are less exact"),
            ),
            Times::None | Times::Segments | Times::Words => {}
        }
        for warning in response.warnings {
            cx.warn_of(warning.kind, format!("an answer of {model}: {}", warning.message));
        }
        Some((response.words, language))
    }
}

/// The error of a server that reads neither M4A nor WAV.
fn unreadable(error: Error) -> Error {
    error.with_recovery(Recovery::GiveUp).with_advice(
        "the server reads neither M4A nor WAV: start whisper.cpp's server with --convert and ffmpeg on its path, or check what it accepts",
    )
}

impl OpenAiTranscriber {
    fn request(&self, audio: AudioFile, timestamps: Timestamps) -> TranscriptionRequest {
        let (response_format, timestamp_granularities): (_, &[_]) = match timestamps {
            Timestamps::Words => ("verbose_json", &["word", "segment"]),
            Timestamps::Segments => ("verbose_json", &[]),
            Timestamps::None => ("json", &[]),
        };
        TranscriptionRequest {
            audio,
            model: self.model.clone(),
            language: self.language.clone(),
            prompt: self.prompt.clone(),
            response_format,
            timestamp_granularities,
        }
    }
}

#[async_trait]
impl Transcriber for OpenAiTranscriber {
    /// Server, organization, model, language and prompt.
    fn fingerprint(&self, environment: &Environment) -> Option<String> {
        let OpenAiTranscriber { server, model, language, prompt, .. } = self;
        let server = server.with_environment(environment);
        let organization = self.server.organization.as_deref().unwrap_or_default();
        Some(format!("openai 1 {} {organization} {model} {language:?} {prompt:?}", server.url()))
    }

    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let resolved = OpenAiTranscriber { server: self.server.with_environment(cx.environment()), ..self.clone() };
        let server = &resolved.server;
        // First, since a missing key makes all other work useless. One client for all requests.
        let client = server.client(cx, OPERATION, Duration::from_secs(self.timeout_secs.max(1)))?;
        if media.audio.is_empty() {
            return Err(Error::new(ErrorKind::NoTranscript, "there is no sound to transcribe")
                .with_path(&media.path)
                .with_advice("give a transcript with --transcript"));
        }
        // Fails before the analysis if there is a budget and the price is not known.
        server.check_audio_budget(cx, &self.model, 0.0)?;
        let activity = detect_speech(cx, media).await?;
        let mut chunks = chunks(&activity.cut_costs(), Span::between(Timestamp::ZERO, media.duration), &UPLOADS);
        // Audio without speech costs money, and models invent words for it.
        chunks.retain(|chunk| activity.may_contain_speech(chunk.sent));
        // Nothing is uploaded if the budget does not allow all of it.
        server.check_audio_budget(cx, &self.model, chunks.iter().map(|chunk| chunk.sent.duration().as_secs_f64()).sum())?;

        let timestamps = Mutex::new(Timestamps::expected_of(&self.model));
        let wants_wav = AtomicBool::new(false);
        let work = &Transcription { transcriber: &resolved, client, media, activity, timestamps, wants_wav };
        let (count, done) = (chunks.len(), &AtomicUsize::new(0));
        let transcripts: Vec<(Chunk, ChunkTranscript)> = futures::stream::iter(chunks)
            .map(|chunk| async move {
                let transcript = work.chunk(cx, chunk).await?;
                cx.progress((done.fetch_add(1, Ordering::Relaxed) + 1) as f64 / count as f64);
                Ok::<_, Error>((chunk, transcript))
            })
            .buffered(self.uploads.max(1))
            .try_collect()
            .await?;
        let detected = || transcripts.iter().find_map(|(_, (_, language))| language.clone());
        let language = self.language.clone().or_else(detected);
        let words = merge(transcripts.into_iter().map(|(chunk, (words, _))| (chunk, words)).collect());
        let words = repair(work.activity.trim(cx, words), media.duration, cx.limits())?;
        Ok(Transcript { language, origin: format!("{} by API", self.model), words, ..Transcript::default() })
    }
}
