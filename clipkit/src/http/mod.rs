//! HTTP: the one client that all requests are sent with, and the meaning of standard headers.

mod client;
mod retry_after;
#[cfg(feature = "serve")]
pub(crate) mod signature;

pub(crate) use client::{MAX_REDIRECTS, Timeouts, build, builder, client, innermost_cause, proxy_url};
pub(crate) use retry_after::retry_after;
