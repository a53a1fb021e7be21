#![doc = include_str!("../README.md")]

// The command and the documentation use the crate by its name, as its users do.
#[cfg_attr(not(feature = "cli"), allow(unused_extern_crates))]
extern crate self as clipkit;

mod av;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
mod context;
mod error;
mod http;
/// The FFmpeg libraries in this process.
pub mod ffmpeg {
    pub use crate::av::quiet_log;
}
#[doc = include_str!("glossary.md")]
pub mod glossary {}
pub mod layer;
pub mod model;
pub mod onnx;
mod openai;
mod pipeline;
pub mod plan;
pub mod prelude;
mod publish;
mod render;
mod score;
mod source;
pub mod stage;
pub mod store;
mod track;
mod transcribe;
mod voice;
pub mod weights;

pub use config::PipelineConfig;
pub use context::{Context, ContextBuilder, Environment, Event};
pub use error::{Error, ErrorKind, ErrorReport, Recovery, Result};
pub use pipeline::{ClipOptions, Clipping, Degrade, Pipeline, PipelineBuilder, Planned, RankedPlan, StandIn, clip};

/// What benches measure of the inside. No part of the API: it may change at any time.
#[doc(hidden)]
pub mod benches {
    pub use crate::track::SeenFaces;
}

/// What is handed across threads and held by servers must stay fit for it.
const _: () = {
    use crate::prelude::*;

    const fn shared<T: Send + Sync + 'static>() {}
    shared::<Pipeline>();
    shared::<PipelineBuilder>();
    shared::<PipelineConfig>();
    shared::<Context>();
    shared::<Environment>();
    shared::<Error>();
    shared::<ClipPlan>();
    shared::<Manifest>();
    shared::<Media>();
    shared::<Planned>();
    shared::<FileSource>();
    shared::<Captions>();
    shared::<Heuristic>();
    shared::<OnnxTracker>();
    shared::<MotionTracker>();
    shared::<CenterTracker>();
    shared::<FfmpegRenderer>();
    shared::<Folder>();
    shared::<WeightsStore>();
    shared::<Fallback<OnnxTracker, CenterTracker, dyn FaceTracker>>();
    shared::<Layered<OnnxTracker, crate::layer::CacheLayer, dyn FaceTracker>>();
    shared::<crate::layer::BuiltLayer>();
    shared::<crate::store::ArtifactStore>();
    shared::<crate::store::MediaStore>();
    shared::<RateLimit>();
    shared::<Concurrency>();
    shared::<LayerConfig>();
};
