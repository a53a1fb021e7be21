//! Pure: words to cues to ASS.

mod ass;
mod cue;
mod layout;

pub(crate) use ass::ass;
pub(crate) use cue::cues;
