use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// How captions look. Plain data: copy a preset, change what you like.
///
/// Sizes are fractions of the output's height, so a style looks the same at every resolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptionStyle {
    /// The style's name, for people.
    pub name: String,
    /// The font's family name, as fontconfig knows it.
    pub font: String,
    /// Whether to take the family's bold weight.
    pub bold: bool,
    /// The font's size: a fraction of the output's height.
    pub size: f64,
    /// Colour of the words.
    pub color: Rgb,
    /// Colour of the word being said (and, in `box`, of its plate).
    pub highlight: Rgb,
    /// Colour of the outline.
    pub outline: Rgb,
    /// Width of the outline: a fraction of the font's size.
    pub outline_width: f64,
    /// Distance of the shadow: a fraction of the font's size.
    pub shadow: f64,
    /// Whether words are set in capitals.
    pub uppercase: bool,
    /// The most words shown at once.
    pub max_words: usize,
    /// Height of the captions' bottom edge: a fraction of the output's height from its top. Kept inside the platform's safe area.
    pub position: f64,
    /// Whether captions that would hide the mouth of who is shown move to the nearest place that does not. One place for the whole clip.
    pub avoid_faces: bool,
    /// How the word being said is shown.
    pub animation: Animation,
}

/// How the word being said is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Animation {
    /// Not at all: plain lines.
    None,
    /// The highlight colour sweeps over it from left to right.
    Karaoke,
    /// It grows a little and takes the highlight colour.
    Pop,
    /// A plate of the highlight colour stands behind it.
    Box,
}

impl CaptionStyle {
    /// The names that [`CaptionStyle::named`] knows.
    pub const NAMES: [&'static str; 4] = ["karaoke", "pop", "box", "block"];

    /// A preset by name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "karaoke" => Ok(CaptionStyle::karaoke()),
            "pop" => Ok(CaptionStyle::pop()),
            "box" => Ok(CaptionStyle::plate()),
            "block" => Ok(CaptionStyle::block()),
            _ => Err(Error::new(ErrorKind::Config, format!("there is no caption style {name:?}"))
                .with_advice(format!("use one of {}, or none", CaptionStyle::NAMES.join(", ")))),
        }
    }

    /// A few large words, each swept by colour as it is said.
    pub fn karaoke() -> Self {
        CaptionStyle {
            name: "karaoke".into(),
            font: "Lato Black".into(),
            bold: false,
            size: 0.048,
            color: Rgb(255, 255, 255),
            highlight: Rgb(255, 214, 10),
            outline: Rgb(0, 0, 0),
            outline_width: 0.09,
            shadow: 0.03,
            uppercase: false,
            max_words: 5,
            position: 0.645,
            avoid_faces: true,
            animation: Animation::Karaoke,
        }
    }

    /// A few large words in capitals, the one being said larger and coloured.
    pub fn pop() -> Self {
        CaptionStyle {
            name: "pop".into(),
            size: 0.050,
            highlight: Rgb(64, 224, 120),
            uppercase: true,
            max_words: 3,
            animation: Animation::Pop,
            ..CaptionStyle::karaoke()
        }
    }

    /// The word being said stands on a coloured plate.
    pub fn plate() -> Self {
        CaptionStyle {
            name: "box".into(),
            highlight: Rgb(124, 58, 237),
            outline_width: 0.05,
            max_words: 4,
            animation: Animation::Box,
            ..CaptionStyle::karaoke()
        }
    }

    /// Two plain lines, as subtitles are.
    pub fn block() -> Self {
        CaptionStyle {
            name: "block".into(),
            font: "Lato".into(),
            bold: true,
            size: 0.034,
            max_words: 11,
            animation: Animation::None,
            ..CaptionStyle::karaoke()
        }
    }
}

/// A colour: red, green, blue, 0 to 255 (sRGB). In JSON `"#ffd60a"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String", description = "A colour as #rrggbb")]
pub struct Rgb(pub u8, pub u8, pub u8);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Serialize for Rgb {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(value) => Ok(Rgb((value >> 16) as u8, (value >> 8) as u8, value as u8)),
            None => Err(serde::de::Error::custom(format!("{text:?} is not a colour such as \"#ffd60a\""))),
        }
    }
}
