use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rect, Span, Timestamp};

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
