//! The source files of a timeline.

use super::cut::nearest_frame;
use super::reference::Reference;
use super::timecode::Timecode;
use super::warning;
use crate::error::Result;
use crate::model::{AudioStream, ClipPlan, FrameRate, Media, Warning};

/// The most channels of a file that get a track.
const MAX_CHANNELS: usize = 64;

/// A source file.
pub(super) struct SourceFile {
    pub(super) reference: Reference,
    /// The identity of the content.
    id: String,
    /// The label of the first frame, as a number of frames, and whether its labels are drop frame.
    /// `None` if the file has no time code: its first frame is frame 0.
    code: Option<(u64, bool)>,
    /// The number of frames, at the timeline's rate.
    pub(super) frames: u64,
    /// The width and height of the displayed picture, in pixels.
    pub(super) size: (u32, u32),
    pub(super) audio: Vec<AudioStream>,
    /// Whether it is an image, which has no time.
    pub(super) is_image: bool,
}

impl SourceFile {
    pub(super) fn of(plan: &ClipPlan, media: &Media, reference: Reference, rate: FrameRate, warnings: &mut Vec<Warning>) -> Result<Self> {
        let video = media.require_video()?;
        let end = video.end.unwrap_or(media.duration).since(video.start).micros().max(0);
        let channels: usize = media.audio.iter().map(|audio| usize::from(audio.channels).max(1)).sum();
        if channels > MAX_CHANNELS {
            warnings.push(warning(format!("{}: the timeline has {MAX_CHANNELS} of the {channels} audio channels", media.path.display())));
        }
        let code = video.timecode.as_ref().and_then(|text| match text.parse().and_then(|code| first_frame(code, rate)) {
            Ok(code) => Some(code),
            Err(error) => {
                warnings.push(warning(format!("{}: its frames count from 0: {error}", media.path.display())));
                None
            }
        });
        Ok(SourceFile {
            reference,
            id: media.id.to_string(),
            code,
            frames: nearest_frame(end, rate).max(1),
            size: (plan.source.width.max(1), plan.source.height.max(1)),
            audio: media.audio.clone(),
            is_image: false,
        })
    }

    /// Whether this is the file of a medium.
    pub(super) fn is(&self, media: &Media, reference: &Reference) -> bool {
        self.id == media.id.as_str() && self.reference == *reference
    }

    /// The label of the first frame, as a number of frames.
    pub(super) fn start(&self) -> u64 {
        self.code.map_or(0, |(start, _)| start)
    }

    /// Whether the labels of the file's frames are drop frame. `None` if the file has no time code.
    pub(super) fn is_drop_frame(&self) -> Option<bool> {
        self.code.map(|(_, drop)| drop)
    }

    /// The channels of all streams in order, each with the position of its stream.
    pub(super) fn channels(&self) -> impl Iterator<Item = usize> + '_ {
        let streams = self.audio.iter().enumerate();
        streams.flat_map(|(stream, audio)| std::iter::repeat_n(stream, usize::from(audio.channels).max(1))).take(MAX_CHANNELS)
    }
}

fn first_frame(code: Timecode, rate: FrameRate) -> Result<(u64, bool)> {
    Ok((code.frames(rate)?, code.is_drop_frame()))
}
