use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaptionTrack, ClipId, FaceTrack, FrameRate, Hook, Loudness, MediaRef, Rect, Score, Shot, Span, SubjectTrack, Timestamp};
use crate::error::{Error, ErrorKind};

/// Everything a renderer needs to make one clip, and nothing it has to decide.
///
/// Written beside each clip as JSON, stable within a [`version`](ClipPlan::VERSION), meant to be edited and rendered again. All
/// times but `span` are on the clip's timeline (seconds from its first frame); all places are fractions of the displayed
/// source picture (upright, square pixels) or, for captions, of the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClipPlan {
    /// The version of this document: [`ClipPlan::VERSION`].
    pub version: u32,
    /// The file to cut from.
    pub source: PlanSource,
    /// Which stretch of the source, in seconds of the source.
    pub span: Span,
    /// The clip's title; its file is named after it.
    pub title: String,
    /// Why this span was chosen.
    pub reason: String,
    /// A line to show over the first seconds; none where nobody wrote one. `hook` draws it, where it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
    /// How good it is as a clip.
    pub score: Score,
    /// The camera shots. They explain the scenes; the renderer does not read them.
    pub shots: Vec<Shot>,
    /// The faces that were seen, on the clip's timeline. They explain the crop; the renderer does not read them.
    pub faces: Vec<FaceTrack>,
    /// What else drew the eye, on the clip's timeline. It explains the crop; the renderer does not read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectTrack>,
    /// How the picture is framed: scenes in order, without gaps, from 0 to the clip's end. The crop jumps only where one ends.
    pub scenes: Vec<Scene>,
    /// The captions; none for a clip without.
    pub captions: Option<CaptionTrack>,
    /// A title over the first seconds; none for a clip without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
    /// The file to make.
    pub output: Output,
}

impl ClipPlan {
    /// A plan with scenes and without captions, hook or explaining tracks.
    pub fn new(source: PlanSource, span: Span, title: impl Into<String>, score: Score, scenes: Vec<Scene>, output: Output) -> Self {
        ClipPlan {
            version: ClipPlan::VERSION,
            source,
            span,
            title: title.into(),
            reason: String::new(),
            hook_line: None,
            score,
            shots: Vec::new(),
            faces: Vec::new(),
            subjects: Vec::new(),
            scenes,
            captions: None,
            hook: None,
            output,
        }
    }

    /// The clip's identity: a BLAKE3 hash of the source's id and of what decides the clip's
    /// picture and sound (span, scenes, captions, hook, output). Title, reason, score and the
    /// explaining tracks do not count.
    pub fn id(&self) -> ClipId {
        #[derive(Serialize)]
        struct Content<'a> {
            source: &'a str,
            span: Span,
            scenes: &'a [Scene],
            captions: &'a Option<CaptionTrack>,
            hook: &'a Option<Hook>,
            output: &'a Output,
        }
        let ClipPlan { span, scenes, captions, hook, output, .. } = self;
        let content = Content { source: self.source.media.id.as_str(), span: *span, scenes, captions, hook, output };
        // Plain data with string keys is always JSON.
        let bytes = serde_json::to_vec(&content).unwrap_or_default();
        let hash = blake3::hash(&bytes).to_hex();
        ClipId::new(&hash.as_str()[..32])
    }

    /// The version this crate writes. It reads version 1, too.
    pub const VERSION: u32 = 2;
}

/// The file a plan cuts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSource {
    /// Which media it is. The local file is looked up when it is needed.
    pub media: MediaRef,
    /// Columns of the picture as displayed.
    pub width: u32,
    /// Rows of the picture as displayed.
    pub height: u32,
    /// How long it plays.
    pub duration: Timestamp,
}

/// A stretch of the clip with one layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Where it is, on the clip's timeline.
    pub span: Span,
    /// How the picture is arranged.
    pub layout: Layout,
}

/// How the picture is arranged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Layout {
    /// One window of the source fills the output.
    Fill {
        /// The window.
        crop: Crop,
    },
    /// Two windows, one above the other, half of the output each.
    Split {
        /// What the upper half shows.
        top: Crop,
        /// What the lower half shows.
        bottom: Crop,
        /// Whose half is marked, in order of time; before the first entry none is.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        speaking: Vec<Speaking>,
    },
    /// A window of the source, normally all of it, over a blurred copy of itself that fills the output.
    Fit {
        /// The window and where it is shown.
        pane: Pane,
    },
    /// A window of the source and a smaller one laid over it (a camera's picture over a screencast), before a blurred copy of the first
    /// where the two leave the output free.
    Pip {
        /// The larger window and where it is shown.
        screen: Pane,
        /// The smaller window and where it is shown, in front.
        inset: Pane,
    },
}

impl Layout {
    /// What the windows of [`Layout::panes`] are called in a plan.
    pub(super) fn parts(&self) -> &'static [&'static str] {
        match self {
            Layout::Fill { .. } => &["crop"],
            Layout::Split { .. } => &["top", "bottom"],
            Layout::Fit { .. } => &["pane"],
            Layout::Pip { .. } => &["screen", "inset"],
        }
    }

    /// The windows of this layout, the rearmost first, and the part of the output that each one fills.
    pub fn panes(&self) -> Vec<(&Crop, Rect)> {
        match self {
            Layout::Fill { crop } => vec![(crop, Rect::FULL)],
            Layout::Split { top, bottom, .. } => vec![(top, Rect::new(0.0, 0.0, 1.0, 0.5)), (bottom, Rect::new(0.0, 0.5, 1.0, 0.5))],
            Layout::Fit { pane } => vec![(&pane.crop, pane.place)],
            Layout::Pip { screen, inset } => vec![(&screen.crop, screen.place), (&inset.crop, inset.place)],
        }
    }
}

/// A window of the source and the part of the output that it fills.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pane {
    /// The window.
    pub crop: Crop,
    /// Where it is shown: fractions of the output.
    pub place: Rect,
}

/// From when on which half of a split picture speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speaking {
    /// When, on the clip's timeline.
    pub from: Timestamp,
    /// Which half; none where nobody, or somebody else, speaks.
    pub half: Option<Half>,
}

/// A half of a split picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it.
pub enum Half {
    Top,
    Bottom,
}

/// A window on the source, of one size, that may move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// The window's width, as a fraction of the picture's.
    pub width: f64,
    /// The window's height, as a fraction of the picture's.
    pub height: f64,
    /// Where its top left corner is, in order of time. Between two keys it moves evenly; before the first and after the last it stands.
    pub path: Vec<CropKey>,
}

/// Where a crop window is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CropKey {
    /// When, on the clip's timeline.
    pub at: Timestamp,
    /// Left edge, as a fraction of the picture's width.
    pub x: f64,
    /// Top edge, as a fraction of the picture's height.
    pub y: f64,
}

impl Crop {
    /// A window that stands.
    pub fn still(rect: Rect) -> Self {
        let path = vec![CropKey { at: Timestamp::ZERO, x: rect.x, y: rect.y }];
        Crop { width: rect.width, height: rect.height, path }
    }

    /// The window at one moment of the clip.
    pub fn at(&self, at: Timestamp) -> Rect {
        let next = self.path.partition_point(|key| key.at <= at);
        let (x, y) = match (next.checked_sub(1).and_then(|n| self.path.get(n)), self.path.get(next)) {
            (Some(a), Some(b)) => {
                let part = at.since(a.at).secs() / b.at.since(a.at).secs();
                (a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part)
            }
            (Some(key), None) | (None, Some(key)) => (key.x, key.y),
            (None, None) => (0.0, 0.0),
        };
        Rect::new(x, y, self.width, self.height)
    }
}

/// The file to make: H.264 and AAC in an MP4, with everything that is needed to repeat the encode by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The picture's codec: `h264` (x264, High profile, yuv420p, BT.709).
    pub codec: String,
    /// x264's speed preset.
    pub preset: X264Preset,
    /// x264's constant rate factor, 0 to 51: lower is better and larger.
    pub crf: u8,
    /// Columns; even.
    pub width: u32,
    /// Rows; even.
    pub height: u32,
    /// Frames per second, constant.
    pub frame_rate: FrameRate,
    /// Bits of sound a second (AAC, 48 kHz, stereo).
    pub audio_bitrate: u32,
    /// How loud the sound is made; none leaves it as it is in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
}

impl Output {
    /// The codec's name in [`Output::codec`].
    pub const H264: &'static str = "h264";

    /// x264 `veryfast` (the knee of time against size), CRF 20, 128 kbit/s sound at [`Loudness::ONLINE`], at `frame_rate`.
    pub fn h264(width: u32, height: u32, frame_rate: FrameRate) -> Self {
        Output {
            codec: Output::H264.into(),
            preset: X264Preset::Veryfast,
            crf: 20,
            width,
            height,
            frame_rate,
            audio_bitrate: 128_000,
            loudness: Some(Loudness::ONLINE),
        }
    }
}

/// x264's speed presets, fastest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names are x264's own.
pub enum X264Preset {
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

impl X264Preset {
    /// The name that x264 knows.
    pub fn name(self) -> &'static str {
        match self {
            X264Preset::Ultrafast => "ultrafast",
            X264Preset::Superfast => "superfast",
            X264Preset::Veryfast => "veryfast",
            X264Preset::Faster => "faster",
            X264Preset::Fast => "fast",
            X264Preset::Medium => "medium",
            X264Preset::Slow => "slow",
            X264Preset::Slower => "slower",
            X264Preset::Veryslow => "veryslow",
        }
    }
}

/// The shape of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Aspect {
    /// 9:16, for phones.
    #[default]
    #[serde(rename = "9:16")]
    Vertical,
    /// 1:1.
    #[serde(rename = "1:1")]
    Square,
    /// 4:5, for feeds.
    #[serde(rename = "4:5")]
    Portrait,
    /// 16:9.
    #[serde(rename = "16:9")]
    Wide,
}

impl Aspect {
    /// The usual size in pixels: 1080 on the shorter side.
    pub fn size(self) -> (u32, u32) {
        match self {
            Aspect::Vertical => (1080, 1920),
            Aspect::Square => (1080, 1080),
            Aspect::Portrait => (1080, 1350),
            Aspect::Wide => (1920, 1080),
        }
    }
}

impl FromStr for Aspect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "9:16" => Ok(Aspect::Vertical),
            "1:1" => Ok(Aspect::Square),
            "4:5" => Ok(Aspect::Portrait),
            "16:9" => Ok(Aspect::Wide),
            _ => Err(Error::new(ErrorKind::Config, format!("there is no aspect {text:?}")).with_advice("use 9:16, 1:1, 4:5 or 16:9")),
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Aspect::Vertical => "9:16",
            Aspect::Square => "1:1",
            Aspect::Portrait => "4:5",
            Aspect::Wide => "16:9",
        })
    }
}

/// Where clips go: it decides which part of the picture the interface leaves free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// YouTube Shorts.
    Shorts,
    /// TikTok.
    Tiktok,
    /// Instagram Reels.
    Reels,
    /// Anywhere: the part that all of them leave free.
    #[default]
    Generic,
}

impl Platform {
    /// The part of a vertical output that the platform's interface leaves free.
    ///
    /// Generic is the common part of all in a 1080x1920 frame: x 65 to 928, y 269 to 1248 (Reels covers the top 14 % and the
    /// bottom 35 %, Shorts the bottom 25 %). Other shapes play in feeds without an overlay: 5 % are left free on each side.
    pub fn safe_area(self, aspect: Aspect) -> Rect {
        if aspect != Aspect::Vertical {
            return Rect::new(0.05, 0.05, 0.9, 0.9);
        }
        let (top, bottom) = match self {
            Platform::Reels | Platform::Generic => (269.0, 1248.0),
            Platform::Shorts => (269.0, 1440.0),
            Platform::Tiktok => (269.0, 1344.0),
        };
        Rect::new(65.0 / 1080.0, top / 1920.0, (928.0 - 65.0) / 1080.0, (bottom - top) / 1920.0)
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "shorts" => Ok(Platform::Shorts),
            "tiktok" => Ok(Platform::Tiktok),
            "reels" => Ok(Platform::Reels),
            "generic" => Ok(Platform::Generic),
            _ => {
                Err(Error::new(ErrorKind::Config, format!("there is no platform {text:?}"))
                    .with_advice("use shorts, tiktok, reels or generic"))
            }
        }
    }
}
