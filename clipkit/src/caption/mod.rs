//! Pure: words to cues to ASS.

// Planning and rendering draw on it; this line goes when they do.
#![allow(dead_code, unused_imports)]

mod ass;
mod cue;
mod layout;

pub(crate) use ass::ass;
pub(crate) use cue::cues;
