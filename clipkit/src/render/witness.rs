use super::course::Course;
use super::glimpse::Glimpse;
use super::loudness::Measured;
use crate::av::{Picture, VideoFrame};
use crate::error::Result;

/// Columns and rows at which a source's frame is looked at.
const LOOK: (u32, u32) = (16, 9);
/// A source whose darkest spot is this bright, of 255, has no part that could be framed to black.
const LIT: u8 = 48;

/// What was handed to the encoder, in short: what the finished file has to hold.
#[derive(Default)]
pub(super) struct Witness {
    /// Every frame.
    pub(super) pictures: Vec<Glimpse>,
    /// All of the sound.
    pub(super) sound: Course,
    /// How loud the sound is; none where nobody measured, or there is none.
    pub(super) loudness: Option<Measured>,
    /// Frames that came out black though nothing in the source's frame is dark.
    pub(super) blacked_out: u64,
}

impl Witness {
    /// Notes a frame that is handed to the encoder, and what it was made from.
    pub(super) fn see(&mut self, frame: &VideoFrame, source: &Picture) -> Result<()> {
        let glimpse = Glimpse::of(frame);
        if glimpse.is_black() {
            let look = source.to_rgb(LOOK.0, LOOK.1)?;
            let darkest = look.pixels.chunks(3).filter_map(|pixel| pixel.iter().copied().max()).min();
            self.blacked_out += u64::from(darkest.is_some_and(|darkest| darkest >= LIT));
        }
        self.pictures.push(glimpse);
        Ok(())
    }
}
