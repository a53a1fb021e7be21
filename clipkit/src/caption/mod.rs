//! Pure: words to cues to ASS.

mod ass;
mod cue;
mod layout;
mod place;

pub(crate) use ass::ass;
pub(crate) use cue::cues;
pub(crate) use place::position;
