#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Some internal items are used only by stages that such a build lacks.
#![cfg_attr(
    not(all(feature = "http", feature = "local-speech", feature = "openai", feature = "publish")),
    allow(dead_code, unused_imports)
)]

// The command and the documentation use the crate by its name, as its users do.
#[cfg_attr(not(feature = "cli"), allow(unused_extern_crates))]
extern crate self as clipkit;

#[cfg(feature = "ffmpeg")]
mod av;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "ffmpeg")]
pub mod config;
mod context;
#[cfg(feature = "ffmpeg")]
mod doctor;
mod error;
pub mod evaluate;
#[cfg(not(all(feature = "http", feature = "keyring", feature = "local-speech", feature = "openai", feature = "publish")))]
mod features;
mod http;
#[cfg(feature = "ffmpeg")]
/// The FFmpeg libraries in this process.
pub mod ffmpeg {
    pub use crate::av::quiet_log;
}
#[cfg(all(any(test, fuzzing), feature = "http", feature = "onnx", feature = "openai"))]
#[doc(hidden)]
pub mod fuzzing;
#[doc = include_str!("glossary.md")]
pub mod glossary {}
#[cfg(feature = "jobs")]
pub mod jobs;
pub mod layer;
pub mod model;
#[cfg(feature = "onnx")]
pub mod onnx;
mod openai;
#[cfg(feature = "ffmpeg")]
mod pipeline;
pub mod plan;
pub mod prelude;
mod publish;
/// Accounts, credentials and times of publications.
pub mod publishing {
    pub use crate::publish::{
        Account, Credentials, CredentialsConfig, Day, EnvironmentCredentials, FileCredentials, GivenCredentials, KeyringCredentials,
        Schedule, Secret, SlotWindow, Tokens, credentials_of_the_user, next_slot,
    };
    #[cfg(feature = "publish")]
    pub use crate::publish::{DeviceCode, Login};
}
mod render;
mod score;
#[cfg(feature = "serve")]
pub mod serve;
mod source;
#[cfg(feature = "ffmpeg")]
mod speech;
pub mod stage;
pub mod store;
// Clippy allows `expect` in tests only behind a condition that is `test` alone.
#[cfg(test)]
#[cfg(feature = "ffmpeg")]
mod testing;
mod track;
mod transcribe;
#[cfg(feature = "ffmpeg")]
mod voice;
#[cfg(feature = "ffmpeg")]
pub mod weights;

#[cfg(feature = "ffmpeg")]
pub use config::PipelineConfig;
pub use context::{Context, ContextBuilder, Environment, Event, shut_down};
#[cfg(feature = "ffmpeg")]
pub use doctor::{Check, CheckStatus, Diagnosis, doctor};
pub use error::{Error, ErrorKind, ErrorReport, Recovery, Result};
#[cfg(feature = "ffmpeg")]
pub use pipeline::{ClipOptions, Clipping, Degrade, Pipeline, PipelineBuilder, Planned, RankedPlan, StandIn, WholePicture, clip};

/// What benches measure of the inside. No part of the API: it may change at any time.
#[cfg(feature = "onnx")]
#[doc(hidden)]
pub mod benches {
    pub use crate::track::SeenFaces;
}

/// What is handed across threads and held by servers must stay fit for it.
#[cfg(feature = "ffmpeg")]
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
    shared::<AutoSource>();
    shared::<FileSource>();
    shared::<HttpSource>();
    shared::<ObjectStoreSource>();
    shared::<YtDlp>();
    shared::<Captions>();
    shared::<Heuristic>();
    shared::<OnnxTracker>();
    shared::<MotionTracker>();
    shared::<CenterTracker>();
    shared::<FfmpegRenderer>();
    shared::<Folder>();
    shared::<ObjectStorePublisher>();
    shared::<Webhook>();
    shared::<YouTube>();
    shared::<TikTok>();
    shared::<Instagram>();
    shared::<WeightsStore>();
    shared::<Fallback<OnnxTracker, CenterTracker, dyn FaceTracker>>();
    shared::<Layered<OnnxTracker, crate::layer::CacheLayer, dyn FaceTracker>>();
    shared::<crate::layer::BuiltLayer>();
    shared::<crate::store::ArtifactStore>();
    shared::<crate::store::MediaStore>();
    shared::<RateLimit>();
    shared::<Concurrency>();
    shared::<LayerConfig>();
    #[cfg(feature = "jobs")]
    shared::<crate::jobs::Jobs>();
    #[cfg(feature = "jobs-bullmq")]
    shared::<crate::jobs::Redis>();
    #[cfg(feature = "jobs")]
    shared::<crate::jobs::Worker>();
    #[cfg(feature = "jobs")]
    shared::<crate::jobs::Sqlite>();
    #[cfg(feature = "serve")]
    shared::<crate::serve::Server>();
    #[cfg(feature = "serve")]
    shared::<crate::serve::ServeOptions>();
};
