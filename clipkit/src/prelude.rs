//! The names that most programs need: `use clipkit::prelude::*;`.

#[cfg(feature = "ffmpeg")]
pub use crate::config::{PipelineConfig, PublisherConfig, RendererConfig, ScorerConfig, SourceConfig, TrackerConfig, TranscriberConfig};
pub use crate::context::{Context, ContextBuilder, Environment, Event};
pub use crate::error::{Error, ErrorKind, ErrorReport, Recovery, Result};
pub use crate::layer::{Cache, Concurrency, Fallback, Layer, LayerConfig, Layered, Next, RateLimit, Retry, Timeout, WithLayers};
pub use crate::model::*;
#[cfg(feature = "ffmpeg")]
pub use crate::pipeline::{ClipOptions, Clipping, Degrade, Pipeline, PipelineBuilder, Planned, RankedPlan, StandIn, WholePicture, clip};
pub use crate::stage::*;
#[cfg(feature = "ffmpeg")]
pub use crate::weights::{Weights, WeightsFile, WeightsStore};
