#![doc = include_str!("../../README.md")]

mod av;
mod caption;
mod context;
mod error;
#[cfg(test)]
mod framing_tests;
mod layer;
mod model;
mod models;
mod onnx;
mod openai;
mod publish;
mod reframe;
mod render;
mod score;
mod scratch;
mod source;
mod track;
mod transcribe;

pub use context::{Context, ContextBuilder, Event};
pub use error::{Error, ErrorKind, Recovery, Result};
pub use layer::Fallback;
pub use model::*;
pub use models::{Model, ModelStore};
pub use openai::OpenAiServer;
pub use publish::{Folder, Publisher};
pub use render::{FfmpegRenderer, Renderer};
pub use score::{Heuristic, ScoreOptions, Scorer, Scoring};
pub use source::{FileSource, Source};
pub use track::{CenterTracker, FaceTracker, OnnxTracker, OnnxTrackerOptions, Tracking};
pub use transcribe::{Captions, OpenAiTranscriber, Transcriber};
