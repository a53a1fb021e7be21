//! Transcription: the words of a video with their times.

mod auto;
mod captions;
mod chunks;
mod json;
mod language;
mod local;
mod markup;
mod openai;
mod punctuate;
mod rolling;
mod sidecar;
mod speech_activity;
mod words;

pub(crate) use auto::{AutoTranscriber, LazySpeechModel};
pub use auto::{AutoTranscriberOptions, SpeechModel};
pub use captions::Captions;
pub use local::LocalTranscriber;
pub use openai::OpenAiTranscriber;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Transcript};

/// Returns the words that are spoken in a video, with their times.
///
/// For implementers:
/// - Times are on the source's timeline. Words are sorted by start, do not overlap, and lie within
///   the media.
/// - Punctuation is part of the word before it: sentences are found by it.
/// - A video without speech has a transcript without words. If there is no way to get a transcript,
///   the error is [`ErrorKind::NoTranscript`](crate::ErrorKind::NoTranscript).
/// - The text is untrusted: callers treat it neither as instructions nor as markup.
#[async_trait]
pub trait Transcriber: Send + Sync {
    /// Transcribes the whole video.
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript>;

    /// Identifies everything besides the input that decides the transcript: the model, the
    /// settings, the version of the implementation. No secrets. A [`Cache`](crate::layer::Cache)
    /// uses it in its keys. `None`, the default, means unknown: such a stage cannot be cached.
    fn fingerprint(&self) -> Option<String> {
        None
    }
}
