//! HTTP: the one client that all requests are sent with, which addresses it may connect to, and the
//! meaning of standard headers.

pub(crate) mod address;
#[cfg(any(feature = "http", feature = "onnx", feature = "openai", feature = "publish"))]
mod client;
#[cfg(any(feature = "http", feature = "publish"))]
pub(crate) mod guarded;
#[cfg(any(feature = "http", feature = "onnx", feature = "openai", feature = "publish"))]
mod retry_after;
#[cfg(any(feature = "publish", feature = "serve"))]
pub(crate) mod signature;

#[cfg(any(feature = "http", feature = "onnx", feature = "openai", feature = "publish"))]
pub(crate) use client::{MAX_REDIRECTS, Timeouts, build, builder, client, innermost_cause};
#[cfg(any(feature = "http", feature = "onnx", feature = "openai", feature = "publish"))]
pub(crate) use retry_after::retry_after;
