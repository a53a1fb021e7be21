//! HTTP: the one client that all requests are sent with, and the meaning of standard headers.

mod client;
mod retry_after;

pub(crate) use client::{Timeouts, client, innermost_cause};
pub(crate) use retry_after::retry_after;
