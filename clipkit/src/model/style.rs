use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::caption::require;
use crate::error::{Error, ErrorKind, Result};

/// How captions look. Plain data: copy a preset, change what you like.
///
/// Sizes are fractions of the output's height, so a style looks the same at every resolution.
///
/// ```
/// use clipkit::model::CaptionStyle;
///
/// // Another preset, with what is different.
/// let mine = CaptionStyle::from_json(r##"{"like": "pop", "name": "mine", "font": "Lato", "highlight": "#ff5a36", "max_words": 2}"##)?;
/// assert_eq!(mine, CaptionStyle { name: "mine".into(), ..mine.clone() });
/// assert_eq!(mine.max_words, 2);
/// assert!(mine.uppercase, "as pop has it");
/// // What is written is read again.
/// assert_eq!(CaptionStyle::from_json(&mine.to_json()?)?, mine);
/// # Ok::<(), clipkit::Error>(())
/// ```
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
    /// How keywords stand out; none where they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emphasis: Option<Emphasis>,
}

/// How keywords stand out from the words around them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emphasis {
    /// Their colour. In `karaoke` they take it as they are said, in the others they have it from the start.
    pub color: Rgb,
    /// Their size, next to the other words': 0.5 to 2. Default 1.
    #[serde(default = "one")]
    pub scale: f64,
    /// The keywords, whatever their case. None, the default, chooses them from what is said: numbers, names, and long words that
    /// are seldom said; at most one in a cue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

fn one() -> f64 {
    1.0
}

/// How a [`Hook`](super::Hook) looks. In JSON, what is left out is as in [`HookStyle::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HookStyle {
    /// The font's family name, as fontconfig knows it. Default Lato Black.
    pub font: String,
    /// Whether to take the family's bold weight. Default no: Lato Black is heavy already.
    pub bold: bool,
    /// The font's largest size: a fraction of the output's height. Default 0.036.
    pub size: f64,
    /// Colour of the words. Default black.
    pub color: Rgb,
    /// Colour of the plate behind the lines; none, in JSON `null`, for words with a black outline. Default white.
    pub plate: Option<Rgb>,
    /// How long it is shown, in seconds. Default 3.
    pub secs: f64,
}

impl Default for HookStyle {
    fn default() -> Self {
        let (color, plate) = (Rgb(12, 12, 16), Some(Rgb(255, 255, 255)));
        HookStyle { font: "Lato Black".into(), bold: false, size: 0.036, color, plate, secs: 3.0 }
    }
}

impl HookStyle {
    /// Refuses values that nothing can be drawn with. `name` is what the style is called in the message.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        let size = self.size;
        require(size > 0.0 && size <= 0.5, || format!("{name}.size is {size}; give more than 0 and at most 0.5"))?;
        require(self.secs > 0.0 && self.secs.is_finite(), || format!("{name}.secs is {}; give more than 0", self.secs))
    }
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

    /// Reads a style: a whole one, or what is different from the preset that the field `like` names (`karaoke` where it names none).
    /// Unknown fields are refused.
    pub fn from_json(text: &str) -> Result<Self> {
        let invalid = |error: serde_json::Error| Error::new(ErrorKind::Config, format!("this is not a caption style: {error}"));
        CaptionStyle::from_value(serde_json::from_str(text).map_err(invalid)?)
    }

    /// [`CaptionStyle::from_json`] of a parsed document.
    pub(crate) fn from_value(given: serde_json::Value) -> Result<Self> {
        let refuse = |what: String| {
            Error::new(ErrorKind::Config, format!("this is not a caption style: {what}"))
                .with_advice("`clipkit styles karaoke` prints a style to start from")
        };
        let serde_json::Value::Object(mut given) = given else { return Err(refuse("it is no JSON object".into())) };
        let like = match given.remove("like") {
            None => CaptionStyle::karaoke(),
            Some(serde_json::Value::String(name)) => CaptionStyle::named(&name)?,
            Some(other) => return Err(refuse(format!("`like` is {other}, not a preset's name"))),
        };
        let mut whole = serde_json::to_value(like).map_err(|error| refuse(error.to_string()))?;
        if let Some(fields) = whole.as_object_mut() {
            fields.extend(given);
        }
        serde_json::from_value(whole).map_err(|error| refuse(error.to_string()))
    }

    /// The style as indented JSON, ending in a line feed: the input of [`CaptionStyle::from_json`].
    pub fn to_json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Config, format!("the caption style cannot be written: {error}")))?;
        text.push('\n');
        Ok(text)
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
            emphasis: None,
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
            emphasis: Some(Emphasis { color: Rgb(255, 214, 10), scale: 1.0, words: Vec::new() }),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_survive_the_round_trip_and_can_be_built_upon() {
        for name in CaptionStyle::NAMES {
            let style = CaptionStyle::named(name).unwrap();
            assert_eq!(CaptionStyle::from_json(&style.to_json().unwrap()).unwrap(), style);
        }
        assert_eq!(CaptionStyle::from_json("{}").unwrap(), CaptionStyle::karaoke());
        let plain = CaptionStyle::from_json(r#"{"like": "pop", "emphasis": null}"#).unwrap();
        assert_eq!(plain, CaptionStyle { emphasis: None, ..CaptionStyle::pop() });
    }

    #[test]
    fn what_is_no_style_is_refused_in_words() {
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
