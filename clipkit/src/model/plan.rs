use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Bumper, CaptionTrack, Censored, ClipId, FaceTrack, FrameRate, Hook, Loudness, MediaRef, Overlay, Piece, PostTexts, Rect, Score, Shot,
    Sound, Span, SubjectTrack, Timeline, Timestamp, Zoom,
};
use crate::error::{Error, ErrorKind};

/// Everything that a renderer needs to make one clip. The renderer makes no decisions of its own.
///
/// A plan is written as JSON beside each clip. It can be edited and rendered again. The format is
/// stable within a [`version`](ClipPlan::VERSION). All times except `span` and `pieces` are on the
/// clip's timeline, in seconds from the clip's first frame. In a file with an intro, that frame
/// comes after the intro: time in the file = duration of the intro + time of the clip
/// ([`ClipPlan::parts`]). Positions and sizes are fractions of the displayed source picture
/// (upright, square pixels). Those of captions, of the hook, of overlays and of [`Pane::place`] are
/// fractions of the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClipPlan {
    /// The version of this document: [`ClipPlan::VERSION`].
    pub version: u32,
    /// The source file.
    pub source: PlanSource,
    /// The stretch of the source that the clip is made of, on the source's timeline, in seconds. It
    /// ranks and names the clip.
    pub span: Span,
    /// The stretches of the source that the clip plays, in the order in which it plays them. All
    /// lie in `span`. The clip's timeline is their concatenation. An empty list means one piece:
    /// `span`, at the source's speed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
    /// Music and effects that play with the clip's own sound, not during intro and outro.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sound: Vec<Sound>,
    /// The stretches in which the clip's own sound is not heard, because a censored word is said
    /// there: in order of time, without overlaps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub censored: Vec<Censored>,
    /// The clip's title. The clip's file is named after it.
    pub title: String,
    /// Why the scorer chose the span.
    pub reason: String,
    /// A line of text for the clip's first seconds. `None` means that the scorer wrote no line.
    /// Only `hook` makes the renderer draw a title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
    /// The quality of the span as a clip.
    pub score: Score,
    /// The shots, on the clip's timeline. They explain the scenes. The renderer does not read them.
    pub shots: Vec<Shot>,
    /// The face tracks, on the clip's timeline. They explain the crop paths. The renderer does not
    /// read them.
    pub faces: Vec<FaceTrack>,
    /// The tracks of subjects other than faces, on the clip's timeline. They explain the crop
    /// paths. The renderer does not read them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectTrack>,
    /// The scenes in order of time. They cover the clip from 0 to its end without gaps. A crop
    /// window jumps only between two scenes.
    pub scenes: Vec<Scene>,
    /// The captions. `None` means that the clip has no captions.
    pub captions: Option<CaptionTrack>,
    /// The title over the clip's first seconds. `None` means that the clip has no such title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
    /// Images, texts and progress bars over the picture, from back to front.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<Overlay>,
    /// The punch-ins, in order of time, without overlaps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zooms: Vec<Zoom>,
    /// The paths of font files (TTF, OTF, TTC) that captions, hook and texts can name besides the
    /// installed fonts. A relative path starts at the working folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fonts: Vec<String>,
    /// What plays before the clip. `None` means that the file starts with the clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intro: Option<Bumper>,
    /// What plays after the clip. `None` means that the file ends with the clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outro: Option<Bumper>,
    /// What the clip's posts say besides the title.
    #[serde(default, skip_serializing_if = "PostTexts::is_empty")]
    pub post: PostTexts,
    /// The parameters of the file to make.
    pub output: Output,
}

impl ClipPlan {
    /// Makes a plan with scenes. It has no captions, no hook, no overlays, no intro, no outro, no
    /// shots and no tracks.
    pub fn new(source: PlanSource, span: Span, title: impl Into<String>, score: Score, scenes: Vec<Scene>, output: Output) -> Self {
        ClipPlan {
            version: ClipPlan::VERSION,
            source,
            span,
            pieces: Vec::new(),
            sound: Vec::new(),
            censored: Vec::new(),
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
            overlays: Vec::new(),
            zooms: Vec::new(),
            fonts: Vec::new(),
            intro: None,
            outro: None,
            post: PostTexts::default(),
            output,
        }
    }

    /// The clip's identity: a BLAKE3 hash of the source's id and of the fields that determine the
    /// clip's picture and sound (span and pieces, sounds, censored stretches, scenes, captions,
    /// hook, overlays, punch-ins, font files, intro, outro, output). Title, post, reason, score,
    /// shots and tracks are not part of the hash, nor is the content of image and font files. Of
    /// several pieces, those count that [`ClipPlan::timeline`] returns, so two ways to write the
    /// same pieces give the same id.
    pub fn id(&self) -> ClipId {
        #[derive(Serialize)]
        struct Content<'a> {
            source: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            audio_track: Option<usize>,
            span: Span,
            // Absent for one piece, as in plans without pieces.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pieces: Vec<Piece>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            sound: Vec<Sound>,
            #[serde(skip_serializing_if = "<[Censored]>::is_empty")]
            censored: &'a [Censored],
            scenes: &'a [Scene],
            captions: &'a Option<CaptionTrack>,
            hook: &'a Option<Hook>,
            // Absent for none, as in plans without overlays.
            #[serde(skip_serializing_if = "<[Overlay]>::is_empty")]
            overlays: &'a [Overlay],
            #[serde(skip_serializing_if = "<[Zoom]>::is_empty")]
            zooms: &'a [Zoom],
            #[serde(skip_serializing_if = "<[String]>::is_empty")]
            fonts: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            intro: Option<Bumper>,
            #[serde(skip_serializing_if = "Option::is_none")]
            outro: Option<Bumper>,
            output: &'a Output,
        }
        let ClipPlan { source, censored, scenes, captions, hook, overlays, zooms, fonts, output, .. } = self;
        let sound = self.sound.iter().map(Sound::content).collect();
        let timeline = self.timeline();
        let pieces = match timeline.pieces() {
            [only] if only.speed == Piece::NORMAL_SPEED => Vec::new(),
            pieces => pieces.iter().map(|piece| Piece::new(piece.source).at_speed(piece.speed)).collect(),
        };
        let (audio_track, span) = (source.audio_track, timeline.extent());
        let id = source.media.id.as_str();
        let [intro, outro] = [&self.intro, &self.outro].map(|bumper| bumper.as_ref().map(Bumper::content));
        let content = Content {
            source: id,
            audio_track,
            span,
            pieces,
            sound,
            censored,
            scenes,
            captions,
            hook,
            overlays,
            zooms,
            fonts,
            intro,
            outro,
            output,
        };
        // Plain data with string keys always serializes.
        let bytes = serde_json::to_vec(&content).unwrap_or_default();
        let hash = blake3::hash(&bytes).to_hex();
        ClipId::new(&hash.as_str()[..32])
    }

    /// The clip's timeline: the pieces of the source and where they play in the clip.
    pub fn timeline(&self) -> Timeline {
        match &self.pieces[..] {
            [] => Timeline::of(&[Piece::new(self.span)]),
            pieces => Timeline::of(pieces),
        }
    }

    /// The version that this crate writes. The crate also reads version 1.
    pub const VERSION: u32 = 2;
}

/// The source file of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSource {
    /// The reference to the file. A step that needs the file locates it on its machine.
    pub media: MediaRef,
    /// The width of the displayed picture, in pixels.
    pub width: u32,
    /// The height of the displayed picture, in pixels.
    pub height: u32,
    /// The duration of the file.
    pub duration: Timestamp,
    /// The position of the audio track to render among the file's audio streams, from 0. `None`
    /// means the file's default track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_track: Option<usize>,
}

impl PlanSource {
    /// Makes a source from its reference, the size of its displayed picture in pixels, and its
    /// duration.
    pub fn new(media: MediaRef, width: u32, height: u32, duration: Timestamp) -> Self {
        PlanSource { media, width, height, duration, audio_track: None }
    }
}

/// A span of the clip with one layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scene {
    /// The scene's span on the clip's timeline.
    pub span: Span,
    /// The scene's layout.
    pub layout: Layout,
}

impl Scene {
    /// Makes a scene from its span on the clip's timeline and its layout.
    pub fn new(span: Span, layout: Layout) -> Self {
        Scene { span, layout }
    }
}

/// The arrangement of crop windows in the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Layout {
    /// One crop window fills the output.
    Fill {
        /// The crop window.
        crop: Crop,
    },
    /// Two crop windows, one above the other. Each fills one half of the output.
    Split {
        /// The crop window of the upper half.
        top: Crop,
        /// The crop window of the lower half.
        bottom: Crop,
        /// The half to mark as the speaker's, in order of time. Neither half is marked before the
        /// first entry.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        speaking: Vec<Speaking>,
    },
    /// One crop window, usually the whole picture, over a blurred copy of itself that fills the
    /// output.
    Fit {
        /// The crop window and its position in the output.
        pane: Pane,
    },
    /// Picture in picture: a crop window and a smaller one in front of it, for example a camera
    /// picture over a screencast. A blurred copy of the larger window fills the rest of the output.
    Pip {
        /// The larger crop window and its position in the output.
        screen: Pane,
        /// The smaller crop window, in front, and its position in the output.
        inset: Pane,
    },
}

impl Layout {
    /// The names of the windows of [`Layout::panes`] in a plan, in the same order.
    pub(super) fn parts(&self) -> &'static [&'static str] {
        match self {
            Layout::Fill { .. } => &["crop"],
            Layout::Split { .. } => &["top", "bottom"],
            Layout::Fit { .. } => &["pane"],
            Layout::Pip { .. } => &["screen", "inset"],
        }
    }

    /// The crop windows from back to front, each with the part of the output that it fills, in
    /// fractions of the output's width and height.
    pub fn panes(&self) -> Vec<(&Crop, Rect)> {
        match self {
            Layout::Fill { crop } => vec![(crop, Rect::FULL)],
            Layout::Split { top, bottom, .. } => vec![(top, Rect::new(0.0, 0.0, 1.0, 0.5)), (bottom, Rect::new(0.0, 0.5, 1.0, 0.5))],
            Layout::Fit { pane } => vec![(&pane.crop, pane.place)],
            Layout::Pip { screen, inset } => vec![(&screen.crop, screen.place), (&inset.crop, inset.place)],
        }
    }
}

/// A crop window and its position in the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pane {
    /// The crop window.
    pub crop: Crop,
    /// The position in fractions of the output's width and height.
    pub place: Rect,
}

/// The half of a split layout that is marked as the speaker's from a time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speaking {
    /// The time from which the mark applies, on the clip's timeline.
    pub from: Timestamp,
    /// The half to mark. `None` means that nobody speaks or that the speaker is in neither half.
    pub half: Option<Half>,
}

/// A half of a split layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names are sufficient.
pub enum Half {
    Top,
    Bottom,
}

/// A window on the source with a fixed size and a position that can move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Crop {
    /// The window's width as a fraction of the picture's width.
    pub width: f64,
    /// The window's height as a fraction of the picture's height.
    pub height: f64,
    /// The crop path: the keyframes of the window's top left corner, in order of time. The position
    /// is interpolated linearly between two keyframes. It is constant before the first keyframe and
    /// after the last.
    pub path: Vec<CropKey>,
}

/// A keyframe of a crop path.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CropKey {
    /// The time on the clip's timeline.
    pub at: Timestamp,
    /// The window's left edge as a fraction of the picture's width.
    pub x: f64,
    /// The window's top edge as a fraction of the picture's height.
    pub y: f64,
}

impl Crop {
    /// Makes a window of a fixed size that moves along `path`.
    pub fn new(width: f64, height: f64, path: Vec<CropKey>) -> Self {
        Crop { width, height, path }
    }

    /// Makes a window that does not move.
    pub fn still(rect: Rect) -> Self {
        let path = vec![CropKey { at: Timestamp::ZERO, x: rect.x, y: rect.y }];
        Crop { width: rect.width, height: rect.height, path }
    }

    /// The window at a time on the clip's timeline. An empty path puts the window at the top left
    /// corner.
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

/// The parameters of the file to make: H.264 video and AAC audio in an MP4 container. They are
/// sufficient to repeat the encode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Output {
    /// The video codec: `h264` (x264, High profile, yuv420p, BT.709).
    pub codec: String,
    /// x264's speed preset.
    pub preset: X264Preset,
    /// x264's constant rate factor, 0 to 51. A lower value gives a better picture and a larger
    /// file.
    pub crf: u8,
    /// The width in pixels, an even number.
    pub width: u32,
    /// The height in pixels, an even number.
    pub height: u32,
    /// The constant frame rate.
    pub frame_rate: FrameRate,
    /// The audio bit rate in bits per second (AAC, 48 kHz, stereo).
    pub audio_bitrate: u32,
    /// The loudness to normalize the audio to. `None` leaves the source's loudness unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
}

impl Output {
    /// The value of [`Output::codec`] for H.264.
    pub const H264: &'static str = "h264";

    /// Makes parameters with x264's preset `veryfast` (the best compromise between speed and file
    /// size), a CRF of 20, 128 kbit/s audio and [`Loudness::ONLINE`]. `width` and `height` are in
    /// pixels.
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

/// x264's speed presets, the fastest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
    /// The preset's name in x264.
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

/// The aspect ratio of the output, as width to height.
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
    /// The usual (width, height) in pixels. The shorter side has 1080 pixels.
    pub fn size(self) -> (u32, u32) {
        match self {
            Aspect::Vertical => (1080, 1920),
            Aspect::Square => (1080, 1080),
            Aspect::Portrait => (1080, 1350),
            Aspect::Wide => (1920, 1080),
        }
    }

    /// The aspect whose safe area applies to an output size. Platforms overlay their interface on
    /// vertical video only, so outputs with a ratio of at least 2:3 count as vertical.
    pub(crate) fn of((width, height): (u32, u32)) -> Aspect {
        if u64::from(height) * 2 >= u64::from(width) * 3 { Aspect::Vertical } else { Aspect::Square }
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

/// The platform that clips are made for. It determines the safe area, which the platform's
/// interface does not cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// YouTube Shorts.
    Shorts,
    /// TikTok.
    Tiktok,
    /// Instagram Reels.
    Reels,
    /// Any platform. The safe area is the intersection of the other platforms' safe areas.
    #[default]
    Generic,
}

impl Platform {
    /// The part of the output that the platform's interface does not cover, in fractions of the
    /// output's width and height.
    ///
    /// In a vertical frame of 1080x1920 pixels, the safe area of `Generic` is x 65 to 928 and y 269
    /// to 1248. Reels covers the top 14 % and the bottom 35 %, Shorts covers the bottom 25 %. Other
    /// aspect ratios are shown in feeds without an overlay, so their safe area only excludes 5 % on
    /// each side.
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
