//! The only place that knows FFmpeg.
