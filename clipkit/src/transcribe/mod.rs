//! Transcription: the words of a video with their times.

#[cfg(feature = "ffmpeg")]
mod answer;
#[cfg(feature = "ffmpeg")]
mod auto;
#[cfg(feature = "ffmpeg")]
mod caption_source;
#[cfg(feature = "ffmpeg")]
mod captions;
#[cfg(feature = "ffmpeg")]
mod chunks;
#[cfg(feature = "ffmpeg")]
mod correlation;
#[cfg(feature = "ffmpeg")]
mod embedded;
#[cfg(feature = "ffmpeg")]
mod language;
#[cfg(feature = "local-speech")]
mod local;
#[cfg(all(feature = "ffmpeg", not(feature = "local-speech")))]
#[path = "local_unavailable.rs"]
mod local;
mod marks;
mod markup;
#[cfg(feature = "ffmpeg")]
mod offset;
#[cfg(feature = "ffmpeg")]
mod openai;
mod punctuate;
mod rolling;
#[cfg(feature = "ffmpeg")]
mod sidecar;
#[cfg(feature = "ffmpeg")]
mod speech_activity;
mod text;
#[cfg(feature = "ffmpeg")]
mod voice_offset;
#[cfg(feature = "ffmpeg")]
mod wav;
mod words;

#[cfg(feature = "ffmpeg")]
pub(crate) use auto::{AutoTranscriber, LazySpeechModel};
#[cfg(feature = "ffmpeg")]
pub use auto::{AutoTranscriberOptions, SpeechModel};
#[cfg(feature = "ffmpeg")]
pub use captions::Captions;
#[cfg(feature = "ffmpeg")]
pub use local::LocalTranscriber;
#[cfg(feature = "ffmpeg")]
pub use offset::CaptionOffset;
#[cfg(feature = "ffmpeg")]
pub use openai::OpenAiTranscriber;

#[cfg(all(any(test, fuzzing), feature = "ffmpeg"))]
pub(crate) use answer::read as read_answer;
pub use text::{ReadCounts, ReadOptions, ReadTranscript, read_transcript};
#[cfg(any(test, fuzzing))]
pub(crate) use text::{check_counts, read_as};

use async_trait::async_trait;

use crate::context::{Context, Environment};
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

    /// Whether it reads captions beside the video if there are any. Such a transcriber is asked
    /// while the video itself is still being fetched: at [`Media::path`] is no file yet. Default:
    /// `false`.
    fn reads_captions(&self) -> bool {
        false
    }

    /// Identifies everything besides the input that decides the transcript: the model, the
    /// settings, the version of the implementation. No secrets. A [`Cache`](crate::layer::Cache)
    /// uses it in its keys. `None`, the default, means unknown: such a stage cannot be cached.
    ///
    /// `environment` is the context's: a stage takes from it what its own settings leave open, an
    /// address for example.
    fn fingerprint(&self, environment: &Environment) -> Option<String> {
        let _ = environment;
        None
    }
}
