use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Span, Timestamp};

/// A box in fractions of a picture's width and height. The origin is the picture's top left corner,
/// `x` points right and `y` points down. Unless stated otherwise, the picture is the displayed
/// source picture (upright, square pixels).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rect {
    /// The left edge, 0 to 1.
    pub x: f64,
    /// The top edge, 0 to 1.
    pub y: f64,
    /// The width, 0 to 1.
    pub width: f64,
    /// The height, 0 to 1.
    pub height: f64,
}

impl Rect {
    /// The box that covers the whole picture.
    pub const FULL: Rect = Rect { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    /// Makes a box from its top left corner and its size.
    pub const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Rect { x, y, width, height }
    }

    /// The center as (x, y).
    pub fn center(self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The area as a fraction of the picture's area.
    pub fn area(self) -> f64 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The side of the square with the same area, in picture heights. `shape` is the picture's
    /// width divided by its height. The result is greater than 0.
    pub(crate) fn size(self, shape: f64) -> f64 {
        (self.width * shape * self.height).max(1e-9).sqrt()
    }

    /// The distance of the two boxes' centers, divided by the geometric mean of the boxes' sizes.
    /// `shape` is the picture's width divided by its height.
    pub(crate) fn distance(self, other: Rect, shape: f64) -> f64 {
        let ((x, y), (to_x, to_y)) = (self.center(), other.center());
        ((to_x - x) * shape).hypot(to_y - y) / (self.size(shape) * other.size(shape)).sqrt()
    }

    /// Intersection over union: the area of the intersection divided by the area of the union. It
    /// is 1 for equal boxes and 0 for boxes that do not overlap.
    pub fn iou(self, other: Rect) -> f64 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.area() + other.area() - shared)
    }
}

/// The shots, face tracks and subject tracks that a tracker found in a span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Tracks {
    /// The shots in order of time. They cover the span without gaps. The list is empty if the
    /// tracker did not detect shots.
    pub shots: Vec<Shot>,
    /// The face tracks, one for each person and shot. The list is empty if no face was detected.
    pub faces: Vec<FaceTrack>,
    /// The tracks of subjects other than faces, for example a moving object. They do not overlap in
    /// time. They are not used in a shot with faces.
    #[serde(default)]
    pub subjects: Vec<SubjectTrack>,
}

impl Tracks {
    /// Makes tracks without subjects other than faces.
    pub fn new(shots: Vec<Shot>, faces: Vec<FaceTrack>) -> Self {
        Tracks { shots, faces, subjects: Vec::new() }
    }
}

/// The positions of a subject other than a face through one shot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SubjectTrack {
    /// The positions in order of time, at least one.
    pub samples: Vec<SubjectSample>,
}

impl SubjectTrack {
    /// Makes a track of positions in order of time.
    pub fn new(samples: Vec<SubjectSample>) -> Self {
        SubjectTrack { samples }
    }
}

/// The position of a subject in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectSample {
    /// The frame's time: on the source's timeline in [`Tracks`], on the clip's timeline in a plan.
    pub at: Timestamp,
    /// The subject's bounding box in the displayed picture.
    pub rect: Rect,
}

/// The frames between two consecutive camera cuts. The span's start is the time of the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Shot {
    /// The shot's span: on the source's timeline in [`Tracks`], on the clip's timeline in a plan.
    pub span: Span,
    /// The kind of picture that the shot shows.
    #[serde(default)]
    pub content: ShotContent,
}

impl Shot {
    /// Makes a shot with the content [`ShotContent::Camera`].
    pub fn new(span: Span) -> Self {
        Shot { span, content: ShotContent::Camera }
    }
}

/// The kind of picture that a shot shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShotContent {
    /// A camera picture, or any picture that is not classified as a screen.
    #[default]
    Camera,
    /// Slides or a computer screen. The layout `auto` shows such a shot whole, so that its text
    /// stays legible.
    Screen,
}

/// The positions of one face through one shot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaceTrack {
    /// The track's number, unique in its [`Tracks`].
    pub id: u32,
    /// The positions in order of time, at least one.
    pub samples: Vec<FaceSample>,
}

impl FaceTrack {
    /// Makes a track of positions in order of time.
    pub fn new(id: u32, samples: Vec<FaceSample>) -> Self {
        FaceTrack { id, samples }
    }

    /// The span from the first sample to the last. It is empty at time 0 if there are no samples.
    pub fn span(&self) -> Span {
        let first = self.samples.first().map_or(Timestamp::ZERO, |sample| sample.at);
        let last = self.samples.last().map_or(first, |sample| sample.at);
        Span::between(first, last)
    }
}

/// A face in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaceSample {
    /// The frame's time: on the source's timeline in [`Tracks`], on the clip's timeline in a plan.
    pub at: Timestamp,
    /// The face's bounding box in the displayed picture.
    pub rect: Rect,
    /// The detector's confidence, 0 to 1.
    pub confidence: f64,
    /// How much the mouth region changed since the previous sample. It is 0 for a still mouth and
    /// has no upper bound. The values of a speaking mouth are well above those of a closed one.
    pub mouth: f64,
    /// The probability that this person speaks, 0 to 1, by a model of sound and picture. `None`
    /// where no model was run: a single face, faces that do not move, no model on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaking: Option<f64>,
}

impl FaceSample {
    /// Makes a sample of a face with a still mouth.
    pub fn new(at: Timestamp, rect: Rect, confidence: f64) -> Self {
        FaceSample { at, rect, confidence, mouth: 0.0, speaking: None }
    }
}

/// The mean logits of [`FaceSample::speaking`] from which on a mouth seems to speak, in part and
/// fully. Measured on made talks of two real faces: the lower mean of a shot is 0.95 to 2.95 where
/// both mouths talk, and -4.5 to 0.5 beside a listener who moves.
const SEEMS_TO_SPEAK: (f64, f64) = (0.5, 0.8);

/// Whether a mouth with this mean logit of [`FaceSample::speaking`] seems to speak: 0 to 1.
pub(crate) fn seems_to_speak(mean_logit: f64) -> f64 {
    let (part, full) = SEEMS_TO_SPEAK;
    ((mean_logit - part) / (full - part)).clamp(0.0, 1.0)
}
