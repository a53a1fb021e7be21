//! What goes around stages.

use std::sync::Arc;

use napi_derive::napi;

use clipkit::layer::LayerConfig;
use clipkit::stage::StageExt;
use clipkit::{Error, ErrorKind, Result};

use crate::document::read;
use crate::error::exception;
use crate::stage::AnyStage;

/// A layer. Stages that are given the same one share what it counts and keeps.
#[napi]
pub struct Layer {
    layer: LayerConfig,
}

#[napi]
impl Layer {
    /// From `{"retry": {...}}` and its kin.
    #[napi(constructor)]
    pub fn new(config: String) -> napi::Result<Self> {
        let layer = read(ErrorKind::Config, "a layer", &config).map_err(exception)?;
        Ok(Layer { layer })
    }
}

/// The stage inside `$layer`, whatever it is.
macro_rules! around {
    ($stage:expr, $layer:expr, $($kind:ident),*) => {
        match $stage {
            $(AnyStage::$kind(stage) => Ok(AnyStage::$kind(Arc::new(stage.layer($layer.clone())))),)*
            #[allow(unreachable_patterns)]
            _ => Err(cannot_be_cached()),
        }
    };
    ($stage:expr, $layer:expr) => {
        around!($stage, $layer, Source, Transcriber, Scorer, Tracker, Renderer, Publisher)
    };
}

impl Layer {
    pub(crate) fn around(&self, stage: AnyStage) -> Result<AnyStage> {
        match &self.layer {
            LayerConfig::Retry(layer) => around!(stage, layer),
            LayerConfig::RateLimit(layer) => around!(stage, layer),
            LayerConfig::Concurrency(layer) => around!(stage, layer),
            LayerConfig::Timeout(layer) => around!(stage, layer),
            LayerConfig::Cache(layer) => around!(stage, layer, Transcriber, Scorer, Tracker),
            _ => Err(Error::new(ErrorKind::Config, "this layer is not known here")),
        }
    }
}

fn cannot_be_cached() -> Error {
    Error::new(ErrorKind::Config, "only transcribers, scorers and trackers can be cached: others answer with files")
        .with_advice("leave this cache out")
}
