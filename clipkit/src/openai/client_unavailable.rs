//! The client of a build without the feature `openai`: it cannot be opened.

use std::convert::Infallible;
use std::time::Duration;

use serde_json::Value;

use super::answer::{Content, Recording, Said};
use super::{OpenAiServer, RequestFailure, TranscriptionRequest};
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::features;

#[derive(Clone)]
pub(crate) struct Client {
    never: Infallible,
}

impl Client {
    pub(super) fn open(_: OpenAiServer, _: &Environment, _operation: &'static str, _timeout: Duration) -> Result<Self> {
        Err(features::missing("the client of OpenAI's API", "openai"))
    }

    pub(crate) async fn chat(&self, _cx: &Context, _request: &Value) -> Result<Said, RequestFailure> {
        match self.never {}
    }

    pub(crate) async fn transcription(
        &self,
        _cx: &Context,
        _request: &TranscriptionRequest,
        _read: fn(Content<'_>) -> Option<Recording>,
    ) -> Result<Recording, RequestFailure> {
        match self.never {}
    }
}
