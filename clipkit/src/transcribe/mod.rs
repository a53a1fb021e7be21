//! From a video to words with times.

mod auto;
mod captions;
mod chunks;
mod json;
mod language;
mod listen;
mod local;
mod markup;
mod openai;
mod punctuate;
mod rolling;
mod sidecar;
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

/// Says what is spoken in a video, and when.
///
/// For implementers:
/// - Times are on the source's timeline. Words stand in order of start, do not overlap, and lie within the media.
/// - Punctuation stays with its word: sentences are found by it.
/// - No speech is a transcript without words, not an error. No way to get a transcript is `ErrorKind::NoTranscript`.
/// - The text is untrusted: nothing in it is an instruction or markup.
#[async_trait]
pub trait Transcriber: Send + Sync {
    /// Transcribes the whole video.
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript>;

    /// What decides the answers besides the input: the model, the settings, the version of whatever does the work; no secrets. Answers are
    /// kept by a [`Cache`](crate::layer::Cache) under it. None, the default, where that cannot be said: such a stage is not cached.
    fn fingerprint(&self) -> Option<String> {
        None
    }
}
