use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Span, Timestamp};

/// A box in the picture as a viewer sees it (upright, square pixels): fractions of its width and height, from the top left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rect {
    /// Left edge, 0 to 1.
    pub x: f64,
    /// Top edge, 0 to 1.
    pub y: f64,
    /// Width, 0 to 1.
    pub width: f64,
    /// Height, 0 to 1.
    pub height: f64,
}

impl Rect {
    /// The whole picture.
    pub const FULL: Rect = Rect { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    /// From the top left corner and size.
    pub const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Rect { x, y, width, height }
    }

    /// The middle.
    pub fn center(self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The area.
    pub fn area(self) -> f64 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The side of the square that is as large, in picture heights; `shape` is the picture's width divided by its height. Never 0.
    pub(crate) fn size(self, shape: f64) -> f64 {
        (self.width * shape * self.height).max(1e-9).sqrt()
    }

    /// How far the middles of two boxes are apart, in box sizes.
    pub(crate) fn distance(self, other: Rect, shape: f64) -> f64 {
        let ((x, y), (to_x, to_y)) = (self.center(), other.center());
        ((to_x - x) * shape).hypot(to_y - y) / (self.size(shape) * other.size(shape)).sqrt()
    }

    /// The area shared with `other`, divided by the area of both together: 1 where equal, 0 where apart.
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

/// What a tracker saw in a span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tracks {
    /// The camera shots, in order, without gaps: they cover the span. Empty where the tracker did not look.
    pub shots: Vec<Shot>,
    /// One track a person and shot. Empty where no face was seen.
    pub faces: Vec<FaceTrack>,
    /// What else draws the eye: something that moves, say. At most one at a time. A shot with faces is framed by them alone.
    #[serde(default)]
    pub subjects: Vec<SubjectTrack>,
}

/// Something that draws the eye through one shot, other than a face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectTrack {
    /// Where it was, in order of time. Never empty.
    pub samples: Vec<SubjectSample>,
}

/// Where a subject is in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectSample {
    /// The frame's time; in [`Tracks`] on the source's timeline, in a plan on the clip's.
    pub at: Timestamp,
    /// The box around it, in the displayed picture.
    pub rect: Rect,
}

/// A stretch between two camera cuts. `start` is the time of the shot's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shot {
    /// Where it is. In [`Tracks`] on the source's timeline, in a plan on the clip's.
    pub span: Span,
    /// What kind of picture it shows.
    #[serde(default)]
    pub content: ShotContent,
}

impl Shot {
    /// A camera's shot.
    pub fn new(span: Span) -> Self {
        Shot { span, content: ShotContent::Camera }
    }
}

/// What kind of picture a shot shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShotContent {
    /// What a camera sees, or what looks like it.
    #[default]
    Camera,
    /// Slides or a computer's screen: to be read, so it is shown whole.
    Screen,
}

/// One face through one shot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaceTrack {
    /// Its number, unique in its [`Tracks`].
    pub id: u32,
    /// Where the face was, in order of time. Never empty.
    pub samples: Vec<FaceSample>,
}

impl FaceTrack {
    /// From the first sample to the last.
    pub fn span(&self) -> Span {
        let first = self.samples.first().map_or(Timestamp::ZERO, |sample| sample.at);
        let last = self.samples.last().map_or(first, |sample| sample.at);
        Span::between(first, last)
    }
}

/// A face in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaceSample {
    /// The frame's time on the source's timeline.
    pub at: Timestamp,
    /// The face's box, in the displayed picture.
    pub rect: Rect,
    /// How sure the detector is, 0 to 1.
    pub confidence: f64,
    /// How much the mouth region changed since the sample before, 0 (still) upwards; a talking mouth is well above a closed one.
    pub mouth: f64,
}
