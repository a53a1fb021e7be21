use super::envelope::Envelope;
use super::loudness::Measured;
use super::luma_signature::LumaSignature;
use crate::av::{PacketDigests, Picture, Thumbnailer, VideoFrame};
use crate::error::Result;

/// The longer side, in pixels, at which a source's frame is looked at.
pub(super) const LOOK: u32 = 16;
/// A source whose darkest spot is this bright, of 255, has no part that could be framed to black.
const LIT: u8 = 48;

/// What was handed to the encoder, in short: what the finished file has to hold.
#[derive(Default)]
pub(super) struct RenderRecord {
    /// Every frame.
    pub(super) pictures: Vec<LumaSignature>,
    /// All of the sound.
    pub(super) sound: Envelope,
    /// How loud the sound is; none where nobody measured, or there is none.
    pub(super) loudness: Option<Measured>,
    /// What the encoders made of both, packet by packet.
    pub(super) seals: PacketDigests,
    /// Frames that came out black though nothing in the source's frame is dark.
    pub(super) blacked_out: u64,
}

impl RenderRecord {
    /// Notes a frame that is handed to the encoder, and what it was made from; `look` makes small pictures of the source, [`LOOK`] long.
    pub(super) fn see(&mut self, frame: &VideoFrame, source: &Picture, look: &mut Thumbnailer) -> Result<()> {
        let glimpse = LumaSignature::of(frame);
        if glimpse.is_black() {
            let darkest = look.image(source)?.pixels.chunks(3).filter_map(|pixel| pixel.iter().copied().max()).min();
            self.blacked_out += u64::from(darkest.is_some_and(|darkest| darkest >= LIT));
        }
        self.pictures.push(glimpse);
        Ok(())
    }
}
