#![doc = include_str!("../README.md")]

// The command and the documentation use the crate by its name, as its users do.
#[cfg_attr(not(feature = "cli"), allow(unused_extern_crates))]
extern crate self as clipkit;

mod av;
mod caption;
#[cfg(feature = "cli")]
pub mod cli;
mod clip;
mod config;
mod context;
mod error;
mod frames;
#[cfg(test)]
mod framing_tests;
mod inspect;
mod layer;
mod ledger;
mod memory;
mod model;
mod models;
mod net;
mod onnx;
mod openai;
mod pipeline;
mod publish;
mod reframe;
mod render;
mod schema;
mod score;
mod scratch;
mod source;
mod track;
mod transcribe;
mod voice;

pub use clip::{Clipping, clip};
pub use config::{PipelineConfig, PublisherConfig, RendererConfig, ScorerConfig, SourceConfig, TrackerConfig, TranscriberConfig};
pub use context::{Context, ContextBuilder, Event};
pub use error::{Error, ErrorKind, Recovery, Result};
pub use frames::{Frame, FrameOptions, Frames};
pub use inspect::contact_sheet;
pub use layer::{Cache, Concurrency, Fallback, Input, Layer, LayerConfig, Layered, Next, RateLimit, Retry, StageExt, Timeout, WithLayers};
pub use model::*;
pub use models::{Model, ModelFile, ModelStore};
pub use object_store;
pub use onnx::onnx_runtime_in;
pub use openai::{OpenAiServer, Price};
pub use pipeline::{ClipOptions, Pipeline, PipelineBuilder, Planned, RankedPlan};
pub use publish::{Folder, Publisher};
pub use render::{FfmpegRenderer, Renderer};
pub use schema::json_schemas;
pub use score::{Genre, Heuristic, OpenAiScorer, ScoreOptions, Scorer, Scoring};
pub use source::{FileSource, Source};
pub use track::{CenterTracker, FaceTracker, MotionTracker, OnnxTracker, OnnxTrackerOptions, Tracking};
pub use transcribe::{Captions, LocalTranscriber, OpenAiTranscriber, Transcriber};

/// What benches measure of the inside. No part of the API: it may change at any time.
#[doc(hidden)]
pub mod benches {
    pub use crate::track::SeenFaces;
}

/// What is handed across threads and held by servers must stay fit for it.
const _: () = {
    const fn shared<T: Send + Sync + 'static>() {}
    shared::<Pipeline>();
    shared::<PipelineBuilder>();
    shared::<PipelineConfig>();
    shared::<Context>();
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
    shared::<ModelStore>();
    shared::<Fallback<OnnxTracker, CenterTracker>>();
    shared::<Layered<OnnxTracker, Cache>>();
    shared::<RateLimit>();
    shared::<Concurrency>();
    shared::<LayerConfig>();
};
