//! Tests through the public API, in one binary, so that it is linked once.
//!
//! Tests that need real models and media have `#[ignore = "needs CLIPKIT_TESTDATA"]`. `make test`
//! runs them if the data exists, else it reports them as skipped, by name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // As in every test.

mod api;
mod artifacts;
#[cfg(feature = "cli")]
mod auto;
mod bumpers;
mod cache;
mod cases;
#[cfg(feature = "cli")]
mod choice;
#[cfg(feature = "cli")]
mod cli;
mod comment_width;
mod export;
mod fakes;
mod frames;
mod http_source;
mod imports;
mod instagram;
mod instagram_server;
#[cfg(feature = "jobs")]
mod jobs;
#[cfg(all(feature = "cli", unix))]
mod jobs_process;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod jobs_soak;
mod layers;
mod layouts;
mod limits;
mod local;
mod logins;
mod loopback;
mod media;
mod media_server;
mod media_store;
mod mix;
mod offset;
mod onnx;
#[cfg(feature = "cli")]
mod onnx_library;
mod openai;
mod overlays;
mod passages;
mod picture;
mod pieces;
mod pipeline;
mod plan;
mod probe;
mod publishers;
mod reading;
#[allow(dead_code)] // Unit tests use it, too.
#[cfg(all(feature = "cli", unix))]
mod redis_server;
mod reencode;
mod render;
#[cfg(feature = "s3")]
mod s3_publisher;
#[cfg(feature = "s3")]
mod s3_server;
#[cfg(feature = "s3")]
mod s3s_fs;
mod schema;
mod scorer;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod serve_desk;
#[cfg(feature = "serve")]
mod serve_guard;
#[cfg(all(feature = "publish", feature = "serve"))]
mod serve_live;
#[cfg(all(feature = "cli", unix))]
mod serve_process;
#[cfg(feature = "serve")]
mod serve_upload;
mod served_answers;
mod servers;
mod shapes;
mod sound;
mod sound_events;
mod speech_servers;
mod steps;
mod subjects;
mod support;
mod tiktok;
mod tiktok_server;
mod tracks;
mod trials;
mod uploads;
mod webhook;
mod whole;
mod words;
mod youtube;
mod youtube_server;
mod ytdlp;
