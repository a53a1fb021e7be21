use super::envelope::Envelope;
use super::loudness::Measured;
use super::luma_signature::LumaSignature;
use crate::av::{PacketDigests, Picture, Thumbnailer, VideoFrame};
use crate::error::Result;

/// The longer side of the thumbnail in which a source frame is checked for dark parts, in pixels.
pub(super) const THUMBNAIL: u32 = 16;
/// If the darkest pixel of a source frame is at least this bright (0 to 255), no crop of it can be
/// black.
const NO_BLACK: u8 = 48;

/// Signatures of everything that was passed to the encoders. The finished file is verified against
/// it.
#[derive(Default)]
pub(super) struct RenderRecord {
    /// One signature per frame.
    pub(super) frames: Vec<LumaSignature>,
    /// The envelope of the audio.
    pub(super) audio: Envelope,
    /// The loudness of the audio; `None` if it was not measured or there is no audio.
    pub(super) loudness: Option<Measured>,
    /// The digests of the packets that the encoders returned.
    pub(super) digests: PacketDigests,
    /// The number of output frames that are black although their source frame has no dark part.
    pub(super) black_frames: u64,
}

impl RenderRecord {
    /// Records a frame that is passed to the encoder, and its source frame. `thumbnailer` makes
    /// pictures of the source whose longer side is [`THUMBNAIL`]. A frame that is `covered` by an
    /// image may be as black as that is.
    pub(super) fn add_frame(&mut self, frame: &VideoFrame, source: &Picture, thumbnailer: &mut Thumbnailer, covered: bool) -> Result<()> {
        let signature = LumaSignature::of(frame);
        if signature.is_black() && !covered {
            let darkest = thumbnailer.image(source)?.pixels.chunks(3).filter_map(|pixel| pixel.iter().copied().max()).min();
            self.black_frames += u64::from(darkest.is_some_and(|darkest| darkest >= NO_BLACK));
        }
        self.frames.push(signature);
        Ok(())
    }

    /// Records a frame that is passed to the encoder and may be black.
    pub(super) fn add_drawn_frame(&mut self, frame: &VideoFrame) {
        self.frames.push(LumaSignature::of(frame));
    }
}
