use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::caption::require;
use crate::error::{Error, ErrorKind, Result};

/// The appearance of captions. Start from a preset and change its fields.
///
/// Sizes are fractions of the output's height, so a style looks the same at every resolution.
///
/// ```
/// use clipkit::model::CaptionStyle;
///
/// // The preset `pop` with some fields changed.
/// let mine = CaptionStyle::from_json(
///     r##"{"like": "pop", "name": "mine", "font": "Lato", "highlight": "#ff5a36",
///          "max_words": 2}"##,
/// )?;
/// assert_eq!((mine.name.as_str(), mine.max_words), ("mine", 2));
/// assert!(mine.uppercase, "unchanged from `pop`");
/// // A style survives the round trip through JSON.
/// assert_eq!(CaptionStyle::from_json(&mine.to_json()?)?, mine);
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CaptionStyle {
    /// The style's name, for people.
    pub name: String,
    /// The font's family name in fontconfig.
    pub font: String,
    /// Whether to use the family's bold weight.
    pub bold: bool,
    /// The font's size as a fraction of the output's height.
    pub size: f64,
    /// The color of the words.
    pub color: Rgb,
    /// The color of the word that is spoken. For `box`, it is the color of the plate behind that
    /// word.
    pub highlight: Rgb,
    /// The color of the outline.
    pub outline: Rgb,
    /// The width of the outline as a fraction of the font's size.
    pub outline_width: f64,
    /// The distance of the shadow as a fraction of the font's size.
    pub shadow: f64,
    /// Whether words are written in capitals.
    pub uppercase: bool,
    /// The maximum number of words in a cue.
    pub max_words: usize,
    /// The captions' bottom edge as a fraction of the output's height, from its top. Captions stay
    /// inside the platform's safe area.
    pub position: f64,
    /// Whether captions that would cover the mouth of a visible person move to the nearest position
    /// that does not. All cues of a clip share one position.
    pub avoid_faces: bool,
    /// How the word that is spoken is marked.
    pub animation: Animation,
    /// The emphasis of keywords. `None` means that keywords look like other words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emphasis: Option<Emphasis>,
}

/// The emphasis of keywords.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Emphasis {
    /// The color of keywords. With the animation `karaoke`, a keyword gets the color when it is
    /// spoken. With the other animations, it always has the color.
    pub color: Rgb,
    /// The size of keywords relative to other words, 0.5 to 2. Default 1.
    #[serde(default = "one")]
    pub scale: f64,
    /// The keywords, compared without case. If the list is empty (the default), keywords are chosen
    /// from the spoken words: numbers, names, and long words that are rarely spoken. A cue then has
    /// at most one keyword.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

impl Emphasis {
    /// Makes an emphasis by color only, of keywords that are chosen from the spoken words.
    pub fn new(color: Rgb) -> Self {
        Emphasis { color, scale: one(), words: Vec::new() }
    }
}

fn one() -> f64 {
    1.0
}

/// The appearance of a [`Hook`](super::Hook). In JSON, a missing field has its value in
/// [`HookStyle::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HookStyle {
    /// The font's family name in fontconfig. Default `Lato Black`.
    pub font: String,
    /// Whether to use the family's bold weight. Default `false`, since Lato Black is already heavy.
    pub bold: bool,
    /// The font's maximum size as a fraction of the output's height. Default 0.036.
    pub size: f64,
    /// The color of the words. Default `#0c0c10`, nearly black.
    pub color: Rgb,
    /// The color of the plate behind the lines. `None` (`null` in JSON) means no plate; the words
    /// then have a black outline. Default white.
    pub plate: Option<Rgb>,
    /// How long the hook is shown, in seconds. Default 3.
    pub secs: f64,
}

impl Default for HookStyle {
    fn default() -> Self {
        let (color, plate) = (Rgb(12, 12, 16), Some(Rgb(255, 255, 255)));
        HookStyle { font: "Lato Black".into(), bold: false, size: 0.036, color, plate, secs: 3.0 }
    }
}

impl HookStyle {
    /// Checks that the values can be drawn. `name` is the style's name in error messages.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        let size = self.size;
        require(size > 0.0 && size <= 0.5, || format!("{name}.size is {size}; give more than 0 and at most 0.5"))?;
        require(self.secs > 0.0 && self.secs.is_finite(), || format!("{name}.secs is {}; give more than 0", self.secs))
    }
}

/// How the word that is spoken is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Animation {
    /// The word is not marked.
    None,
    /// The highlight color fills the word from left to right.
    Karaoke,
    /// The word is enlarged slightly and has the highlight color.
    Pop,
    /// A plate of the highlight color is drawn behind the word.
    Box,
}

impl CaptionStyle {
    /// The names of the presets, for [`CaptionStyle::named`].
    pub const NAMES: [&'static str; 4] = ["karaoke", "pop", "box", "block"];

    /// The preset with a name of [`CaptionStyle::NAMES`].
    ///
    /// Another name is an error of the kind [`ErrorKind::Config`].
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

    /// Reads a complete style, or the changes to a preset. The field `like` names the preset; the
    /// default is `karaoke`.
    ///
    /// Invalid JSON, unknown fields and unknown presets are errors of the kind
    /// [`ErrorKind::Config`].
    pub fn from_json(text: &str) -> Result<Self> {
        let invalid = |error: serde_json::Error| Error::new(ErrorKind::Config, format!("this is not a caption style: {error}"));
        CaptionStyle::from_value(serde_json::from_str(text).map_err(invalid)?)
    }

    /// [`CaptionStyle::from_json`] for a parsed document.
    pub(crate) fn from_value(given: serde_json::Value) -> Result<Self> {
        let refuse = |what: String| {
            Error::new(ErrorKind::Config, format!("this is not a caption style: {what}"))
                .with_advice("`clipkit styles karaoke` prints a style to start from")
        };
        let serde_json::Value::Object(mut given) = given else { return Err(refuse("it is no JSON object".into())) };
        let preset = match given.remove("like") {
            None => CaptionStyle::karaoke(),
            Some(serde_json::Value::String(name)) => CaptionStyle::named(&name)?,
            Some(other) => return Err(refuse(format!("`like` is {other}, not a preset's name"))),
        };
        let mut whole = serde_json::to_value(preset).map_err(|error| refuse(error.to_string()))?;
        if let Some(fields) = whole.as_object_mut() {
            fields.extend(given);
        }
        serde_json::from_value(whole).map_err(|error| refuse(error.to_string()))
    }

    /// The style as indented JSON with a final line feed, as [`CaptionStyle::from_json`] reads it.
    pub fn to_json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Config, format!("the caption style cannot be written: {error}")))?;
        text.push('\n');
        Ok(text)
    }

    /// A few large words. The highlight color fills each word as it is spoken.
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
            emphasis: None,
        }
    }

    /// A few large words in capitals. The word that is spoken is enlarged and has the highlight
    /// color.
    pub fn pop() -> Self {
        CaptionStyle {
            name: "pop".into(),
            size: 0.050,
            highlight: Rgb(64, 224, 120),
            uppercase: true,
            max_words: 3,
            animation: Animation::Pop,
            emphasis: Some(Emphasis { color: Rgb(255, 214, 10), scale: 1.0, words: Vec::new() }),
            ..CaptionStyle::karaoke()
        }
    }

    /// A few large words. A colored plate is drawn behind the word that is spoken.
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

    /// Plain subtitles in two lines.
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

/// A color as red, green and blue, 0 to 255 each, in sRGB. In JSON it is text such as `"#ffd60a"`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_survive_the_round_trip_and_can_be_extended() {
        for name in CaptionStyle::NAMES {
            let style = CaptionStyle::named(name).unwrap();
            assert_eq!(CaptionStyle::from_json(&style.to_json().unwrap()).unwrap(), style);
        }
        assert_eq!(CaptionStyle::from_json("{}").unwrap(), CaptionStyle::karaoke());
        let plain = CaptionStyle::from_json(r#"{"like": "pop", "emphasis": null}"#).unwrap();
        assert_eq!(plain, CaptionStyle { emphasis: None, ..CaptionStyle::pop() });
    }

    #[test]
    fn invalid_styles_are_errors_with_a_reason() {
        for (text, part) in [
            ("[]", "no JSON object"),
            ("{", "this is not a caption style"),
            (r#"{"like": "comic"}"#, "comic"),
            (r#"{"like": 3}"#, "`like` is 3"),
            (r#"{"colour": "red"}"#, "`colour`"),
            (r#"{"color": "red"}"#, "#ffd60a"),
        ] {
            let error = CaptionStyle::from_json(text).unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.to_string().contains(part), "{text}: {error}");
        }
    }
}
