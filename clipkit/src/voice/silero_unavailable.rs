//! Silero's network in a build without the feature `onnx`: it cannot be opened.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use super::VoiceActivity;
use crate::error::Result;
use crate::features;
use crate::model::Timestamp;

#[derive(Debug)]
pub(super) struct Silero {
    never: Infallible,
}

impl Silero {
    pub(super) fn shared(_path: &Path) -> Result<Arc<Self>> {
        Err(features::missing("the voice detector Silero", "onnx"))
    }
}

pub(super) struct SileroStream {
    never: Infallible,
}

impl SileroStream {
    pub(super) fn new(silero: Arc<Silero>, _start: Timestamp) -> Self {
        match silero.never {}
    }

    pub(super) fn into_model(self) -> Arc<Silero> {
        match self.never {}
    }

    pub(super) fn push(&mut self, _samples: &[f32]) -> Result<()> {
        match self.never {}
    }

    pub(super) fn finish(self) -> Result<VoiceActivity> {
        match self.never {}
    }
}
