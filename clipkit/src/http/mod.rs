//! HTTP: the one client that all requests are sent with, and the meaning of standard headers.

mod client;
mod retry_after;

pub(crate) use client::{MAX_REDIRECTS, Timeouts, build, builder, client, innermost_cause, proxy_url};
pub(crate) use retry_after::retry_after;
