//! Pure: words to cues to ASS.

mod ass;
mod cue;
mod layout;
mod place;

pub(crate) use cue::cues;
pub(crate) use place::position;

use crate::model::CaptionTrack;

impl CaptionTrack {
    /// The captions as an ASS document for a picture of this size, in pixels: what the renderer draws, for use with other tools.
    ///
    /// Text is data: braces and backslashes in it are shown, never interpreted.
    pub fn to_ass(&self, width: u32, height: u32) -> String {
        ass::ass(self, width, height)
    }
}
