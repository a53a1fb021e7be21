//! The ONNX tracker of a build without the feature `onnx`: it cannot be opened.

use std::convert::Infallible;
use std::path::Path;

use async_trait::async_trait;

use super::{FaceTracker, OnnxTrackerOptions, Tracking};
use crate::context::Context;
use crate::error::Result;
use crate::features;
use crate::model::Tracks;

/// Finds faces with a neural network. Needs the feature `onnx`.
#[derive(Clone, Debug)]
pub struct OnnxTracker {
    never: Infallible,
}

impl OnnxTracker {
    /// Always `ErrorKind::Unavailable`.
    pub fn load(_path: impl AsRef<Path>) -> Result<Self> {
        Err(features::missing("the face detector", "onnx"))
    }

    /// Always `ErrorKind::Unavailable`.
    pub fn with_options(path: impl AsRef<Path>, _options: OnnxTrackerOptions) -> Result<Self> {
        OnnxTracker::load(path)
    }
}

#[async_trait]
impl FaceTracker for OnnxTracker {
    async fn track(&self, _cx: &Context, _tracking: &Tracking) -> Result<Tracks> {
        match self.never {}
    }
}
