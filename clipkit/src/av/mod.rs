//! The only place that knows FFmpeg.

pub(crate) mod subtitle;
