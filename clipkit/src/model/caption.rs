use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::validate::inside;
use super::{CaptionStyle, HookStyle, Rect, Span};
use crate::error::{Error, ErrorKind, Result};

/// Captions burned into the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptionTrack {
    /// How they look.
    pub style: CaptionStyle,
    /// The part of the output that the platform's interface leaves free; captions stay inside.
    pub safe_area: Rect,
    /// What is shown when, in order, without overlaps.
    pub cues: Vec<Cue>,
}

/// Words shown together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cue {
    /// When they are shown, on the clip's timeline.
    pub span: Span,
    /// The words, in order. Their text is shown as it stands; nothing in it is interpreted.
    pub words: Vec<CueWord>,
    /// Where they stand, where that is not the style's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<CuePlace>,
}

impl Cue {
    /// Words at the style's position.
    pub fn new(span: Span, words: Vec<CueWord>) -> Self {
        Cue { span, words, place: None }
    }
}

/// Where a cue stands: a fraction of the output's height from its top. Kept inside the platform's safe area.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CuePlace {
    /// Its last line ends here.
    Bottom(f64),
    /// Its middle is here, however many lines it has: the seam of a split picture.
    Middle(f64),
}

/// A word of a cue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CueWord {
    /// As shown.
    pub text: String,
    /// When it is said, on the clip's timeline.
    pub span: Span,
    /// Whether it is a keyword, shown as the style's `emphasis` says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emphasized: bool,
}

impl CueWord {
    /// A word as any other.
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        CueWord { text: text.into(), span, emphasized: false }
    }
}

/// A title laid over the clip's first seconds, so that who scrolls past knows what it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// What it says. Shown as it stands; nothing in it is interpreted.
    pub text: String,
    /// When it is shown, on the clip's timeline.
    pub span: Span,
    /// The part of the output that it may take: it stands in the middle of it, and shrinks until it fits.
    pub area: Rect,
    /// How it looks.
    pub style: HookStyle,
}

impl CaptionTrack {
    /// Checks every value a renderer relies on.
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
    /// Checks every value a renderer relies on.
    pub(super) fn check(&self) -> Result<()> {
        require(inside(self.area), || format!("hook.area leaves the picture: {:?}", self.area))?;
        self.style.check("hook.style")
    }
}

pub(super) fn require(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::new(ErrorKind::InvalidPlan, what())) }
}
