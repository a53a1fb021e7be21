//! The local transcriber of a build without the feature `local-speech`: it cannot be opened.

use std::convert::Infallible;
use std::path::Path;

use async_trait::async_trait;

use super::Transcriber;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::features;
use crate::model::{Media, Transcript};

/// Transcribes with a speech model on this machine. Needs the feature `local-speech`.
#[derive(Clone, Debug)]
pub struct LocalTranscriber {
    never: Infallible,
}

impl LocalTranscriber {
    /// Always `ErrorKind::Unavailable`.
    pub fn load(_folder: impl AsRef<Path>) -> Result<Self> {
        Err(missing())
    }

    /// Never called, since no model opens.
    #[must_use]
    pub fn with_language(self, _language: Option<String>) -> Self {
        match self.never {}
    }

    pub(crate) fn fingerprint_of(_folder: &Path) -> Result<String> {
        Err(missing())
    }
}

fn missing() -> Error {
    features::missing("the local transcriber", "local-speech")
}

#[async_trait]
impl Transcriber for LocalTranscriber {
    async fn transcribe(&self, _cx: &Context, _media: &Media) -> Result<Transcript> {
        match self.never {}
    }
}
