//! The parts of requests that do not depend on the HTTP client.

use std::sync::Arc;

use crate::error::Error;

/// The form fields of `POST /audio/transcriptions`
/// (<https://platform.openai.com/docs/api-reference/audio/createTranscription>).
#[derive(Clone, Debug)]
pub(crate) struct TranscriptionRequest {
    pub(crate) audio: AudioFile,
    pub(crate) model: String,
    pub(crate) language: Option<String>,
    pub(crate) prompt: Option<String>,
    /// `json` or `verbose_json`.
    pub(crate) response_format: &'static str,
    /// `word`, `segment`, or both. Only with `verbose_json`.
    pub(crate) timestamp_granularities: &'static [&'static str],
}

/// An audio file to upload.
#[derive(Clone, Debug)]
pub(crate) struct AudioFile {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) format: AudioFormat,
}

/// The format of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudioFormat {
    /// Mono AAC at 48 kbit/s, about 6 kB a second.
    M4a,
    /// Mono 16-bit PCM at 16 kHz, 32 kB a second.
    Wav,
}

impl AudioFormat {
    pub(super) fn file_name(self) -> &'static str {
        match self {
            AudioFormat::M4a => "speech.m4a",
            AudioFormat::Wav => "speech.wav",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            AudioFormat::M4a => "audio/mp4",
            AudioFormat::Wav => "audio/wav",
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Chat,
    Transcription,
}

impl Endpoint {
    pub(super) fn path(self) -> &'static str {
        match self {
            Endpoint::Chat => "/chat/completions",
            Endpoint::Transcription => "/audio/transcriptions",
        }
    }

    /// The settings of the model.
    pub(super) fn model_setting(self) -> &'static str {
        match self {
            Endpoint::Chat => "--scorer-model, or `model` of the scorer",
            Endpoint::Transcription => "--transcriber-model, or `model` of the transcriber",
        }
    }
}

/// A request that brought no usable response.
#[derive(Debug)]
pub(crate) struct RequestFailure {
    pub(crate) error: Error,
    /// The HTTP status, if the server refused the request. For an error in a response with the
    /// status 200, the status that its words mean.
    pub(crate) status: Option<u16>,
    /// The server's code and message, for classification only: it may repeat parts of the request.
    pub(crate) message: String,
    /// Whether the server may have processed the request, and charge for it.
    pub(crate) may_be_charged: bool,
}

impl RequestFailure {
    pub(super) fn unanswered(error: Error, may_be_charged: bool) -> Self {
        RequestFailure { error, status: None, message: String::new(), may_be_charged }
    }

    /// Whether the server read the request and rejects its contents.
    pub(crate) fn is_rejection(&self) -> bool {
        matches!(self.status, Some(400 | 404 | 405 | 413 | 415 | 422 | 501))
    }

    /// Whether the server rejects the request with a message that contains one of `words`. Servers
    /// answer what they cannot do with 400, with 500, and with errors in a 200.
    pub(crate) fn rejects(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        let may_reject = self.is_rejection() || matches!(self.status, None | Some(500 | 503));
        may_reject && words.iter().any(|word| message.contains(word))
    }

    /// Whether the request is larger than the server or the model's context allows.
    pub(crate) fn is_too_large(&self) -> bool {
        const WORDS: [&str; 23] = [
            "context length",
            "context_length",
            "context size",
            "context window",
            "exceed_context",
            "max_model_len",
            "max_seq_len",
            "maximum sequence length",
            "too many tokens",
            "prompt is too long",
            "prompt too long",
            "input is too long",
            "input too long",
            "request too large",
            "payload too large",
            "entity too large",
            "reduce the length",
            "n_ctx",
            "too many input tokens",
            "file too large",
            "file is too large",
            "content size limit",
            "audio is too long",
        ];
        let message = self.message.to_lowercase();
        match self.status {
            Some(413) => true,
            // A limit on tokens a minute that this request alone exceeds.
            Some(429) => message.contains("request too large") || message.contains("must be reduced"),
            Some(401..=403) => false,
            _ => WORDS.iter().any(|words| message.contains(words)),
        }
    }

    /// Whether the server cannot read the format of the sound.
    pub(crate) fn refuses_audio(&self) -> bool {
        self.status == Some(415)
            || self.rejects(&[
                "wav",
                "riff",
                "ffmpeg",
                "soundfile",
                "libsndfile",
                "audio format",
                "file format",
                "unsupported audio",
                "unsupported media",
                "unsupported file",
                "invalid audio",
                "invalid file",
                "read audio",
                "load audio",
                "decode audio",
                "decoding audio",
                "audio file",
                "audio data",
                "format not recogni",
                "could not decode",
                "failed to decode",
                "mp4",
                "m4a",
            ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn failure(status: Option<u16>, message: &str) -> RequestFailure {
        RequestFailure { error: Error::new(ErrorKind::Config, "x"), status, message: message.into(), may_be_charged: false }
    }

    #[test]
    fn requests_that_are_too_large_are_told_from_others() {
        for (status, message) in [
            (Some(413), ""),
            (Some(400), "This model's maximum context length is 8192 tokens. Please reduce the length of the messages."),
            (Some(400), "exceed_context_size_error the request exceeds the available context size"),
            (Some(500), "Requested tokens (2285) exceed context window of 2048"),
            (Some(429), "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 35000"),
            (None, "the prompt is too long"),
        ] {
            assert!(failure(status, message).is_too_large(), "{status:?} {message}");
        }
        for (status, message) in [(Some(429), "too many tokens, please wait"), (Some(401), "context length"), (Some(400), "max_tokens")] {
            assert!(!failure(status, message).is_too_large(), "{status:?} {message}");
        }
    }

    #[test]
    fn refused_sound_is_told_from_other_errors() {
        for (status, message) in [
            (Some(400), "failed to read WAV file"),
            (None, "failed to read audio data"),
            (Some(500), "Soundfile is either not in the correct format or is malformed"),
            (Some(415), ""),
            (Some(400), "Invalid file format. Supported formats: ['flac', 'wav']"),
        ] {
            assert!(failure(status, message).refuses_audio(), "{status:?} {message}");
        }
        for (status, message) in [(Some(401), "wav"), (Some(429), "audio file limit"), (Some(400), "no such model")] {
            assert!(!failure(status, message).refuses_audio(), "{status:?} {message}");
        }
    }
}
