//! Planning: from tracks and words to a clip plan. Pure: no I/O, no FFmpeg, no network.

pub(crate) mod caption;
pub mod export;
pub(crate) mod reframe;
pub(crate) mod snap;
