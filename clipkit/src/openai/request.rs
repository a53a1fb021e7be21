//! The parts of requests that do not depend on the HTTP client.

use std::sync::Arc;

use crate::error::Error;

/// The form fields of `POST /audio/transcriptions`
/// (<https://platform.openai.com/docs/api-reference/audio/createTranscription>).
#[derive(Clone, Debug)]
pub(crate) struct TranscriptionRequest {
    /// The contents of an M4A file.
    pub(crate) audio: Arc<[u8]>,
    pub(crate) model: String,
    pub(crate) language: Option<String>,
    pub(crate) prompt: Option<String>,
    /// `json` or `verbose_json`.
    pub(crate) response_format: &'static str,
    /// `word`, `segment`, or both. Only with `verbose_json`.
    pub(crate) timestamp_granularities: &'static [&'static str],
}

/// A request that brought no usable response.
#[derive(Debug)]
pub(crate) struct RequestFailure {
    pub(crate) error: Error,
    /// The HTTP status, if the server refused the request.
    pub(crate) status: Option<u16>,
    /// The server's message, for classification only: it may repeat parts of the request.
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
        matches!(self.status, Some(400 | 404 | 415 | 422 | 501))
    }

    /// Whether the server rejects the request with a message that contains one of `words`.
    pub(crate) fn rejects(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        self.is_rejection() && words.iter().any(|word| message.contains(word))
    }
}
