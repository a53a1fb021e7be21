//! The data that the stages exchange. This module uses neither I/O nor tokio nor FFmpeg.

mod about;
mod bumper;
mod candidate;
mod caption;
mod clip;
mod face;
mod layout_choice;
mod limits;
mod loudness;
mod manifest;
mod media;
pub(crate) mod moment;
mod output;
mod overlay;
mod parts;
mod plan;
mod post_texts;
mod scene;
pub(crate) mod script;
pub(crate) mod seconds;
mod sound;
mod speech;
mod style;
mod time;
mod timeline;
mod transcript;
mod usage;
mod validate;
mod warning;
mod zoom;

pub use about::{About, Chapter, HeatmapBin};
pub use bumper::{Bumper, BumperFit};
pub use candidate::{Candidate, Factor, Score};
pub use caption::{CaptionTrack, Cue, CuePlace, CueWord, Hook};
pub use clip::{ClipId, Post, PostFiles, Privacy, PublishStatus, PublishedFiles, Receipt, RenderedClip};
pub(crate) use face::seems_to_speak;
pub use face::{FaceSample, FaceTrack, Rect, Shot, ShotContent, SubjectSample, SubjectTrack, Tracks};
pub use layout_choice::LayoutChoice;
pub(crate) use limits::Limit;
pub use limits::Limits;
pub use loudness::Loudness;
pub use manifest::{FailedClip, Manifest, ManifestClip, Timing, Unpublished};
pub(crate) use media::local_path;
pub use media::{
    AudioStream, Color, ContentId, FileStamp, FrameRate, Hdr, Media, MediaRef, Orientation, SubtitleStream, VideoStream, shown_uri,
};
pub use output::{Aspect, Output, Platform, X264Preset};
pub use overlay::{Anchor, Overlay, OverlayContent, OverlayPlace, OverlayTextStyle};
pub use parts::OutputParts;
pub use plan::{ClipPlan, PlanSource};
pub use post_texts::PostTexts;
pub use scene::{Crop, CropKey, Half, Layout, Pane, Scene, Speaking};
pub use sound::{CensorSound, Censored, Sound};
pub use speech::SpeechMap;
pub use style::{Animation, CaptionStyle, Emphasis, HookStyle, Rgb};
pub use time::{Span, Timestamp};
pub use timeline::{Piece, PlacedPiece, Timeline};
pub use transcript::{SoundEvent, Transcript, Word};
pub use usage::Usage;
pub use warning::{Warning, WarningKind};
pub use zoom::Zoom;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stages of the pipeline, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// The source stage fetches and probes the input.
    Source,
    /// The transcriber finds the spoken words and their times.
    Transcribe,
    /// The scorer chooses and ranks spans.
    Score,
    /// The tracker finds shots and faces in a span.
    Track,
    /// The planner makes a clip plan with crops and captions from the tracks and the words.
    Plan,
    /// The renderer makes the clip's files from the plan.
    Render,
    /// The publisher delivers the files to a target.
    Publish,
}

impl Stage {
    /// The stage's name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Source => "source",
            Stage::Transcribe => "transcribe",
            Stage::Score => "score",
            Stage::Track => "track",
            Stage::Plan => "plan",
            Stage::Render => "render",
            Stage::Publish => "publish",
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
