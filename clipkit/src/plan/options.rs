use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Brand, Censor};
use crate::model::{CaptionStyle, FrameRate, HookStyle, LayoutChoice, Loudness, Output, Platform, X264Preset};

/// The settings of one clip plan: output format, layout, captions and title.
///
/// The defaults equal those of a pipeline run: 1080 x 1920 pixels, automatic layout, karaoke
/// captions, no title, x264 `veryfast` at CRF 20, -14 LUFS. The struct is `#[non_exhaustive]`:
/// change fields of a default value.
///
/// ```
/// use clipkit::model::{CaptionStyle, Platform};
/// use clipkit::plan::PlanOptions;
///
/// let mut options = PlanOptions::default();
/// options.platform = Platform::Shorts;
/// options.captions = Some(CaptionStyle::pop());
/// assert_eq!(options.size, (1080, 1920));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanOptions {
    /// The output's width and height in pixels, both even. Default 1080 x 1920.
    pub size: (u32, u32),
    /// The layout of every shot. Default `auto`: each shot gets the layout that suits its content.
    pub layout: LayoutChoice,
    /// Whether a listener who laughs is shown for a moment: while the transcript has laughter
    /// (`[Laughter]`) and this person's mouth moves, for at most 2 s, and not more often than every
    /// 8 s. It needs the layout `fill`. Default: false.
    pub reactions: bool,
    /// The target platform. It sets the safe area for captions and title. Default: the area that
    /// is free on every platform.
    pub platform: Platform,
    /// The caption style; `None` plans no captions. In JSON: a preset's name, `"none"`, a style as
    /// [`CaptionStyle::from_json`] reads it, or `null`. Default karaoke.
    #[serde(with = "caption_style")]
    #[schemars(with = "Option<caption_style::StyleOrName>")]
    pub captions: Option<CaptionStyle>,
    /// The style of the title over the first seconds; `None`, the default, plans no title.
    pub hook: Option<HookStyle>,
    /// The brand, whose look goes over `captions` and `hook`, and whose overlays every clip has.
    /// Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// The words that are not to be heard or read; `None`, the default, leaves all words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub censor: Option<Censor>,
    /// x264's speed preset. Default `veryfast`.
    pub preset: X264Preset,
    /// x264's constant rate factor, 0 to 51; lower values give better quality and larger files.
    /// Default 20.
    pub crf: u8,
    /// The loudness target; `None` keeps the source's loudness. Default -14 LUFS with true peaks
    /// of at most -1 dBTP.
    pub loudness: Option<Loudness>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions {
            size: (1080, 1920),
            layout: LayoutChoice::default(),
            reactions: false,
            platform: Platform::default(),
            captions: Some(CaptionStyle::karaoke()),
            hook: None,
            brand: None,
            censor: None,
            preset: X264Preset::Veryfast,
            crf: 20,
            loudness: Some(Loudness::ONLINE),
        }
    }
}

impl PlanOptions {
    /// The encoder settings of a clip with these options at a given frame rate.
    pub(crate) fn output(&self, frame_rate: FrameRate) -> Output {
        let (width, height) = self.size;
        Output { preset: self.preset, crf: self.crf, loudness: self.loudness, ..Output::h264(width, height, frame_rate) }
    }
}

/// Serde functions for a caption style that is given by name, in full or in part.
pub(crate) mod caption_style {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::CaptionStyle;

    /// A preset's name (`none` for no captions), or a style. Fields that the style omits come from
    /// the preset named in its `like` field, else from karaoke.
    #[derive(JsonSchema)]
    #[schemars(untagged, rename = "CaptionStyleGiven")]
    #[allow(dead_code)] // This type only describes the JSON that `Given` reads.
    pub(crate) enum StyleOrName {
        /// A preset's name.
        Name(String),
        /// A complete or partial style.
        Style(serde_json::Map<String, serde_json::Value>),
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Name(String),
        Style(serde_json::Value),
    }

    pub(crate) fn serialize<S: Serializer>(style: &Option<CaptionStyle>, serializer: S) -> Result<S::Ok, S::Error> {
        style.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CaptionStyle>, D::Error> {
        match Option::<Given>::deserialize(deserializer)? {
            None => Ok(None),
            Some(Given::Name(name)) if name == "none" => Ok(None),
            Some(Given::Name(name)) => CaptionStyle::named(&name).map(Some).map_err(serde::de::Error::custom),
            Some(Given::Style(style)) => CaptionStyle::from_value(style).map(Some).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_read_from_json_with_defaults_and_style_names() {
        assert_eq!(serde_json::from_str::<PlanOptions>("{}").unwrap(), PlanOptions::default());
        let options: PlanOptions =
            serde_json::from_str(r#"{"size": [720, 1280], "captions": "pop", "layout": "split", "loudness": null}"#).unwrap();
        assert_eq!((options.size, options.layout, options.loudness), ((720, 1280), LayoutChoice::Split, None));
        assert_eq!(options.captions, Some(CaptionStyle::pop()));
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<PlanOptions>(&text).unwrap(), options);
        assert_eq!(serde_json::from_str::<PlanOptions>(r#"{"captions": "none"}"#).unwrap().captions, None);
        assert!(serde_json::from_str::<PlanOptions>(r#"{"clips": 3}"#).is_err());
    }
}
