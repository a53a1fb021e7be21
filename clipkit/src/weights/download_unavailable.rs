//! A build without the feature `onnx` does not download models.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use super::{Conversion, Weights, WeightsFile};
use crate::context::Context;
use crate::error::Result;
use crate::features;

pub(super) struct Download {
    never: Infallible,
}

impl Download {
    pub(super) fn open(_cx: &Context, _weights: &Weights) -> Result<Self> {
        Err(features::missing("downloads of models", "onnx"))
    }

    pub(super) async fn file(&mut self, _file: &WeightsFile, _target: &Path) -> Result<()> {
        match self.never {}
    }

    pub(super) async fn converted(
        &mut self,
        _file: &WeightsFile,
        _found: Option<PathBuf>,
        _conversion: Conversion,
        _folder: &Path,
    ) -> Result<()> {
        match self.never {}
    }
}
