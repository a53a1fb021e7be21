use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::validate::inside;
use super::{CaptionStyle, HookStyle, Rect, Span};
use crate::error::{Error, ErrorKind, Result};

/// Captions that are burned into the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CaptionTrack {
    /// The appearance of the captions.
    pub style: CaptionStyle,
    /// The part of the output that the platform's interface does not cover, in fractions of the
    /// output's width and height. Captions stay inside it.
    pub safe_area: Rect,
    /// The cues in order of time, without overlaps.
    pub cues: Vec<Cue>,
}

impl CaptionTrack {
    /// Makes a track of cues in order of time.
    pub fn new(style: CaptionStyle, safe_area: Rect, cues: Vec<Cue>) -> Self {
        CaptionTrack { style, safe_area, cues }
    }
}

/// Words that are shown together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Cue {
    /// When the words are shown, on the clip's timeline.
    pub span: Span,
    /// The words, in order. Their text is drawn literally, without markup.
    pub words: Vec<CueWord>,
    /// The vertical position of the cue. `None` means the style's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<CuePlace>,
}

impl Cue {
    /// Makes a cue at the style's position.
    pub fn new(span: Span, words: Vec<CueWord>) -> Self {
        Cue { span, words, place: None }
    }
}

/// The vertical position of a cue: a fraction of the output's height, from its top. The renderer
/// keeps the cue inside the platform's safe area.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CuePlace {
    /// The bottom edge of the cue's last line.
    Bottom(f64),
    /// The vertical center of the cue's lines, for example the boundary between the two halves of a
    /// split layout.
    Middle(f64),
}

/// A word of a cue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CueWord {
    /// The text to draw.
    pub text: String,
    /// When the word is spoken, on the clip's timeline.
    pub span: Span,
    /// Whether the word is a keyword, drawn with the style's `emphasis`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emphasized: bool,
}

impl CueWord {
    /// Makes a word without emphasis.
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        CueWord { text: text.into(), span, emphasized: false }
    }
}

/// A title over the clip's first seconds that states the clip's subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Hook {
    /// The text, drawn literally, without markup.
    pub text: String,
    /// When the title is shown, on the clip's timeline.
    pub span: Span,
    /// The part of the output for the title, in fractions of the output's width and height. The
    /// text is centered in it, and its size is reduced until it fits.
    pub area: Rect,
    /// The appearance of the title.
    pub style: HookStyle,
}

impl CaptionTrack {
    /// Checks every value that a renderer relies on.
    pub(super) fn check(&self) -> Result<()> {
        require(inside(self.safe_area), || format!("captions.safe_area leaves the picture: {:?}", self.safe_area))?;
        let style = &self.style;
        for (name, value, most) in [
            ("size", style.size, 0.5),
            ("outline_width", style.outline_width, 1.0),
            ("shadow", style.shadow, 1.0),
            ("position", style.position, 1.0),
        ] {
            require((0.0..=most).contains(&value), || format!("captions.style.{name} is {value}; give 0 to {most}"))?;
        }
        require(style.size > 0.0, || "captions.style.size is 0".to_owned())?;
        require(style.max_words > 0, || "captions.style.max_words is 0".to_owned())?;
        if let Some(emphasis) = &style.emphasis {
            let scale = emphasis.scale;
            require((0.5..=2.0).contains(&scale), || format!("captions.style.emphasis.scale is {scale}; give 0.5 to 2"))?;
        }
        for (n, cue) in self.cues.iter().enumerate() {
            if let Some(CuePlace::Bottom(at) | CuePlace::Middle(at)) = cue.place {
                require((0.0..=1.0).contains(&at), || format!("captions.cues[{n}].place is {at}; give 0 to 1"))?;
            }
        }
        let in_order = self.cues.is_sorted_by(|a, b| a.span.end() <= b.span.start());
        require(in_order, || "captions.cues overlap or are not in order of time".to_owned())
    }
}

impl Hook {
    /// Makes a hook that is drawn inside `area` during `span`.
    pub fn new(text: impl Into<String>, span: Span, area: Rect, style: HookStyle) -> Self {
        Hook { text: text.into(), span, area, style }
    }

    /// Checks every value that a renderer relies on.
    pub(super) fn check(&self) -> Result<()> {
        require(inside(self.area), || format!("hook.area leaves the picture: {:?}", self.area))?;
        self.style.check("hook.style")
    }
}

pub(super) fn require(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::new(ErrorKind::InvalidPlan, what())) }
}
