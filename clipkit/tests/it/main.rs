//! Tests through the public API, in one binary, so that it is linked once.
//!
//! Tests that need real models and media have `#[ignore = "needs CLIPKIT_TESTDATA"]`. `make test`
//! runs them if the data exists, else it reports them as skipped, by name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // As in every test.

mod api;
mod artifacts;
#[cfg(feature = "cli")]
mod auto;
mod cache;
mod cases;
#[cfg(feature = "cli")]
mod choice;
#[cfg(feature = "cli")]
mod cli;
mod comment_width;
mod fakes;
mod frames;
mod http_source;
mod imports;
#[cfg(feature = "jobs")]
mod jobs;
#[cfg(all(feature = "cli", unix))]
mod jobs_process;
mod layers;
mod layouts;
mod local;
mod media;
mod media_server;
mod media_store;
mod onnx;
#[cfg(feature = "cli")]
mod onnx_library;
mod openai;
mod picture;
mod pieces;
mod pipeline;
mod plan;
mod probe;
mod render;
mod schema;
mod scorer;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod serve_desk;
#[cfg(feature = "serve")]
mod serve_guard;
#[cfg(feature = "serve")]
mod serve_live;
#[cfg(all(feature = "cli", unix))]
mod serve_process;
#[cfg(feature = "serve")]
mod serve_upload;
mod servers;
mod sound;
mod steps;
mod subjects;
mod support;
mod trials;
mod words;
mod ytdlp;
