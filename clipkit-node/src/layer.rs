//! Layers around stages.

use napi_derive::napi;

use clipkit::ErrorKind;
use clipkit::layer::{BuiltLayer, LayerConfig};

use crate::document::read;
use crate::error::exception;

/// A layer. Stages inside the same layer object share its state: a rate, places, kept answers.
#[napi]
pub struct Layer {
    pub(crate) layer: BuiltLayer,
}

#[napi]
impl Layer {
    /// From a `LayerConfig`: `{"retry": {...}}`.
    #[napi(constructor)]
    pub fn new(config: String) -> napi::Result<Self> {
        let config: LayerConfig = read(ErrorKind::Config, "a layer", &config).map_err(exception)?;
        Ok(Layer { layer: config.build().map_err(exception)? })
    }
}
