use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use super::caption::require;
use super::validate::inside;
use super::{Aspect, Platform, Rect, Rgb, Span, Timestamp};
use crate::error::Result;

/// The longest text of an overlay in characters, and the longest path of an image and the longest
/// emoji in bytes.
const MAX_TEXT: usize = 500;
const MAX_EMOJI: usize = 64;
const MAX_PATH: usize = 4096;
/// The longest fade in seconds.
const MAX_FADE_SECS: f64 = 60.0;
/// The usual width of an image, height of a text's box and height of a progress bar, as fractions
/// of the output's width or height.
const IMAGE_WIDTH: f64 = 0.18;
const TEXT_HEIGHT: f64 = 0.12;
const BAR_HEIGHT: f64 = 0.006;

/// Something that is drawn over the picture: an image, an emoji, a text or a progress bar.
///
/// Overlays are drawn in the order of the list, the last in front. Images, emoji and progress bars
/// are behind captions and title, texts are in front of them. A caption that a text would cover
/// stands above or below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Overlay {
    /// What is drawn.
    pub content: OverlayContent,
    /// When it is shown, on the clip's timeline. `None` means the whole clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Where it is drawn, and its size.
    pub place: OverlayPlace,
    /// How opaque it is, 0 to 1. Default 1. Transparent parts of an image stay transparent.
    #[serde(default = "opaque", skip_serializing_if = "is_opaque")]
    pub opacity: f64,
    /// How long it takes to appear, in seconds, 0 to 60. Default 0, which is at once.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fade_in: f64,
    /// How long it takes to disappear, in seconds, 0 to 60. Default 0, which is at once. Fades that
    /// last longer than the overlay are shortened.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fade_out: f64,
}

fn opaque() -> f64 {
    1.0
}

fn is_opaque(opacity: &f64) -> bool {
    *opacity == 1.0
}

fn is_zero(secs: &f64) -> bool {
    *secs == 0.0
}

/// What an overlay draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum OverlayContent {
    /// A picture from a file: a logo, a watermark, a sticker.
    Image {
        /// The path of a PNG, WebP or JPEG file on the machine that renders. A relative path starts
        /// at the working folder. Of an animation, the first frame is shown.
        file: String,
    },
    /// An emoji in color, from a font with color bitmaps or from a folder of images.
    Emoji {
        /// The emoji: one character as users see it, `🔥` or `👩‍🚀`.
        emoji: String,
        /// The path of a TrueType font with color bitmaps on the machine that renders, such as Noto
        /// Color Emoji's, or of a folder of PNG or WebP images that are named by code points, as
        /// Twemoji's (`1f525.png`) and Noto's (`emoji_u1f525.png`) are. `None` means an installed
        /// font: Noto Color Emoji or Apple Color Emoji.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// A text: a title card, a name card, a call to action.
    Text {
        /// The text, drawn literally, without markup. A line feed starts a new line. The lines are
        /// aligned as the place's anchor is.
        text: String,
        /// The appearance of the text.
        #[serde(default)]
        style: OverlayTextStyle,
    },
    /// A bar that grows from left to right as the clip plays.
    ProgressBar {
        /// The color of the part that has played.
        color: Rgb,
        /// The color of the rest. `None` means that the rest is not drawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back: Option<Rgb>,
    },
}

/// The appearance of a text overlay. In JSON, a missing field has its value in
/// [`OverlayTextStyle::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OverlayTextStyle {
    /// The font's family name in fontconfig. Default `Lato Black`.
    pub font: String,
    /// Whether to use the family's bold weight. Default `false`, since Lato Black is already heavy.
    pub bold: bool,
    /// The font's maximum size as a fraction of the output's height. Default 0.026.
    pub size: f64,
    /// The color of the words. Default white.
    pub color: Rgb,
    /// The color of the plate behind the lines. `None` (`null` in JSON) means no plate; the words
    /// then have a black outline. Default `#18181b`, nearly black.
    pub plate: Option<Rgb>,
}

impl Default for OverlayTextStyle {
    fn default() -> Self {
        let (color, plate) = (Rgb(255, 255, 255), Some(Rgb(24, 24, 27)));
        OverlayTextStyle { font: "Lato Black".into(), bold: false, size: 0.026, color, plate }
    }
}

/// Where an overlay is drawn, and its size. The overlay is moved and made smaller until it is
/// inside its area.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OverlayPlace {
    /// The corner, side or center of the area that the overlay touches.
    pub anchor: Anchor,
    /// The distance to the right of the anchor, as a fraction of the output's width. A negative
    /// distance is to the left. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub x: f64,
    /// The distance below the anchor, as a fraction of the output's height. A negative distance is
    /// above. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub y: f64,
    /// The width as a fraction of the output's width. Default: of an image 0.18, or what its height
    /// gives; of a text or a progress bar the area's width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// The height as a fraction of the output's height. Default: of an image what its width gives,
    /// of a text 0.12, of a progress bar 0.006. An image keeps its aspect ratio, so with both it is
    /// as large as fits. A text shrinks until it fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<f64>,
    /// The part of the output in which the overlay stays, in fractions of the output's width and
    /// height. Default: the part that no platform's interface covers
    /// ([`Platform::Generic`](super::Platform::Generic)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Rect>,
}

/// A corner, a side or the center of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names are sufficient.
pub enum Anchor {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

impl Anchor {
    /// The position in the area, as fractions of its width and height: 0, 0.5 or 1.
    pub(crate) fn fractions(self) -> (f64, f64) {
        let across = match self {
            Anchor::TopLeft | Anchor::Left | Anchor::BottomLeft => 0.0,
            Anchor::Top | Anchor::Center | Anchor::Bottom => 0.5,
            Anchor::TopRight | Anchor::Right | Anchor::BottomRight => 1.0,
        };
        let down = match self {
            Anchor::TopLeft | Anchor::Top | Anchor::TopRight => 0.0,
            Anchor::Left | Anchor::Center | Anchor::Right => 0.5,
            Anchor::BottomLeft | Anchor::Bottom | Anchor::BottomRight => 1.0,
        };
        (across, down)
    }
}

impl OverlayPlace {
    /// A place with the usual size at an anchor of the safe area.
    pub const fn new(anchor: Anchor) -> Self {
        OverlayPlace { anchor, x: 0.0, y: 0.0, width: None, height: None, area: None }
    }

    /// The same with a width, as a fraction of the output's width.
    #[must_use]
    pub const fn with_width(self, width: f64) -> Self {
        OverlayPlace { width: Some(width), ..self }
    }

    /// The same with a height, as a fraction of the output's height.
    #[must_use]
    pub const fn with_height(self, height: f64) -> Self {
        OverlayPlace { height: Some(height), ..self }
    }

    /// The same in another area than the safe one, in fractions of the output.
    #[must_use]
    pub const fn with_area(self, area: Rect) -> Self {
        OverlayPlace { area: Some(area), ..self }
    }

    /// A rectangle of this size in the area, in fractions of the output.
    fn rect(&self, (width, height): (f64, f64), area: Rect) -> Rect {
        let (width, height) = (width.min(area.width), height.min(area.height));
        let (across, down) = self.anchor.fractions();
        let start = |from: f64, free: f64, at: f64, distance: f64| from + (free * at + distance).clamp(0.0, free);
        let x = start(area.x, area.width - width, across, self.x);
        Rect::new(x, start(area.y, area.height - height, down, self.y), width, height)
    }

    fn check(&self, name: &str) -> Result<()> {
        for (field, distance) in [("x", self.x), ("y", self.y)] {
            require((-1.0..=1.0).contains(&distance), || format!("{name}.{field} is {distance}; give -1 to 1"))?;
        }
        for (field, length) in [("width", self.width), ("height", self.height)] {
            let Some(length) = length else { continue };
            require(length > 0.0 && length <= 1.0, || format!("{name}.{field} is {length}; give more than 0 and at most 1"))?;
        }
        require(self.area.is_none_or(inside), || format!("{name}.area leaves the picture: {:?}", self.area))
    }
}

impl Overlay {
    /// Makes an overlay that is shown during the whole clip, opaque and without fades.
    pub const fn new(content: OverlayContent, place: OverlayPlace) -> Self {
        Overlay { content, span: None, place, opacity: 1.0, fade_in: 0.0, fade_out: 0.0 }
    }

    /// Makes an image from the path of a file.
    pub fn image(file: impl Into<String>, place: OverlayPlace) -> Self {
        Overlay::new(OverlayContent::Image { file: file.into() }, place)
    }

    /// Makes an emoji in color, from an installed font.
    pub fn emoji(emoji: impl Into<String>, place: OverlayPlace) -> Self {
        Overlay::new(OverlayContent::Emoji { emoji: emoji.into(), from: None }, place)
    }

    /// Makes a text in the default style.
    pub fn text(text: impl Into<String>, place: OverlayPlace) -> Self {
        Overlay::new(OverlayContent::Text { text: text.into(), style: OverlayTextStyle::default() }, place)
    }

    /// Makes a progress bar without a background.
    pub const fn progress_bar(color: Rgb, place: OverlayPlace) -> Self {
        Overlay::new(OverlayContent::ProgressBar { color, back: None }, place)
    }

    /// The same during a part of the clip.
    #[must_use]
    pub fn during(self, span: Span) -> Self {
        Overlay { span: Some(span), ..self }
    }

    /// The path of the file or folder that the picture comes from, if it has one and the path is
    /// given.
    pub fn file(&self) -> Option<&str> {
        match &self.content {
            OverlayContent::Image { file } => Some(file),
            OverlayContent::Emoji { from, .. } => from.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn file_mut(&mut self) -> Option<&mut String> {
        match &mut self.content {
            OverlayContent::Image { file } => Some(file),
            OverlayContent::Emoji { from, .. } => from.as_mut(),
            _ => None,
        }
    }

    /// Whether this is a picture from a file: an image or an emoji.
    pub(crate) fn is_picture(&self) -> bool {
        matches!(self.content, OverlayContent::Image { .. } | OverlayContent::Emoji { .. })
    }

    /// Whether this is a text.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.content, OverlayContent::Text { .. })
    }

    /// When it is shown in a clip that ends at `end`. `None` means never.
    pub(crate) fn shown(&self, end: Timestamp) -> Option<Span> {
        let clip = Span::between(Timestamp::ZERO, end);
        self.span.map_or(Some(clip), |span| span.intersection(clip)).filter(|span| !span.duration().is_zero())
    }

    /// The durations of the fades in seconds during a span. Together they are at most as long as
    /// it.
    pub(crate) fn fades(&self, shown: Span) -> (f64, f64) {
        let (both, most) = (self.fade_in + self.fade_out, shown.duration().as_secs_f64());
        let scale = if both > most { most / both } else { 1.0 };
        (self.fade_in * scale, self.fade_out * scale)
    }

    /// The opacity at a moment of the span in which it is shown, 0 to 1.
    pub(crate) fn opacity_at(&self, at: Timestamp, shown: Span) -> f64 {
        if !shown.contains(at) {
            return 0.0;
        }
        let (fade_in, fade_out) = self.fades(shown);
        let part = |time: f64, fade: f64| if fade > 0.0 { (time / fade).min(1.0) } else { 1.0 };
        let (since, until) = (at.since(shown.start()).secs(), shown.end().since(at).secs());
        self.opacity * part(since, fade_in).min(part(until, fade_out))
    }

    /// Where it is drawn in an output of `size` (columns, rows) pixels, in fractions of it.
    /// `picture` is the width of an image's picture divided by its height.
    pub(crate) fn rect(&self, size: (u32, u32), picture: Option<f64>) -> Rect {
        let place = &self.place;
        let area = place.area.unwrap_or_else(|| Platform::default().safe_area(Aspect::of(size)));
        match (&self.content, picture) {
            (OverlayContent::Image { .. } | OverlayContent::Emoji { .. }, Some(picture)) => {
                // The picture's width divided by its height, both in fractions of the output.
                let shape = picture * f64::from(size.1) / f64::from(size.0);
                let width = match (place.width, place.height) {
                    (Some(width), Some(height)) => width.min(height * shape),
                    (None, Some(height)) => height * shape,
                    (width, None) => width.unwrap_or(IMAGE_WIDTH),
                };
                let width = width.min(area.width).min(area.height * shape);
                place.rect((width, width / shape), area)
            }
            (content, _) => {
                let height = match content {
                    OverlayContent::ProgressBar { .. } => BAR_HEIGHT,
                    _ => TEXT_HEIGHT,
                };
                place.rect((place.width.unwrap_or(1.0), place.height.unwrap_or(height)), area)
            }
        }
    }

    /// Checks every value that a renderer relies on. `name` is the overlay's name in error
    /// messages.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        match &self.content {
            OverlayContent::Image { file } => {
                check_file(&format!("{name}.content.file"), file)?;
            }
            OverlayContent::Emoji { emoji, from } => {
                let is_one = emoji.len() <= MAX_EMOJI && emoji.graphemes(true).count() == 1 && emoji.chars().all(|part| !part.is_control());
                require(is_one, || format!("{name}.content.emoji is not one emoji"))?;
                from.iter().try_for_each(|from| check_file(&format!("{name}.content.from"), from))?;
            }
            OverlayContent::Text { text, style } => {
                require(text.chars().count() <= MAX_TEXT, || format!("{name}.content.text is longer than {MAX_TEXT} characters"))?;
                require(!text.trim().is_empty(), || format!("{name}.content.text is empty"))?;
                let size = style.size;
                require(size > 0.0 && size <= 0.5, || format!("{name}.content.style.size is {size}; give more than 0 and at most 0.5"))?;
            }
            OverlayContent::ProgressBar { .. } => {}
        }
        if let Some(span) = self.span {
            require(span.start() >= Timestamp::ZERO, || format!("{name}.span starts before the clip does: {span}"))?;
            require(!span.duration().is_zero(), || format!("{name}.span lasts no time"))?;
        }
        require((0.0..=1.0).contains(&self.opacity), || format!("{name}.opacity is {}; give 0 to 1", self.opacity))?;
        for (field, secs) in [("fade_in", self.fade_in), ("fade_out", self.fade_out)] {
            require((0.0..=MAX_FADE_SECS).contains(&secs), || format!("{name}.{field} is {secs}; give 0 to {MAX_FADE_SECS} s"))?;
        }
        self.place.check(&format!("{name}.place"))
    }
}

/// Checks the path of a file. `name` is its name in the document.
pub(super) fn check_file(name: &str, file: &str) -> Result<()> {
    let is_path = !file.is_empty() && file.len() <= MAX_PATH && !file.contains('\0');
    require(is_path, || format!("{name} is not a path: give 1 to {MAX_PATH} bytes without a zero byte"))
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
