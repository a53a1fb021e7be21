//! Layers around stages.

use napi_derive::napi;

use clipkit::layer::{BuiltLayer, LayerConfig, WithLayers};
use clipkit::{ErrorKind, Result};

use crate::document::read;
use crate::error::exception;
use crate::stage::AnyStage;

/// A layer. Stages that are given the same one share what it counts and keeps.
#[napi]
pub struct Layer {
    layer: BuiltLayer,
}

#[napi]
impl Layer {
    /// From `{"retry": {...}}` and its kin.
    #[napi(constructor)]
    pub fn new(config: String) -> napi::Result<Self> {
        let config: LayerConfig = read(ErrorKind::Config, "a layer", &config).map_err(exception)?;
        Ok(Layer { layer: config.build().map_err(exception)? })
    }
}

impl Layer {
    pub(crate) fn around(&self, stage: AnyStage) -> Result<AnyStage> {
        Ok(match stage {
            AnyStage::Source(stage) => AnyStage::Source(stage.with_layer(&self.layer)?),
            AnyStage::Transcriber(stage) => AnyStage::Transcriber(stage.with_layer(&self.layer)?),
            AnyStage::Scorer(stage) => AnyStage::Scorer(stage.with_layer(&self.layer)?),
            AnyStage::Tracker(stage) => AnyStage::Tracker(stage.with_layer(&self.layer)?),
            AnyStage::Renderer(stage) => AnyStage::Renderer(stage.with_layer(&self.layer)?),
            AnyStage::Publisher(stage) => AnyStage::Publisher(stage.with_layer(&self.layer)?),
        })
    }
}
