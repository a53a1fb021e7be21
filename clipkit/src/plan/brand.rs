//! A brand: the look, the music, the intro and the outro that all clips of a person or a company
//! share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::options::caption_style;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Bumper, CaptionStyle, HookStyle, Overlay, OverlayContent, OverlayTextStyle, Rect, Rgb, Sound, Span, Timestamp};

/// Words on a plate that is brighter than this are dark. The luma of white is 255.
const BRIGHT: f64 = 140.0;
const DARK_WORDS: Rgb = Rgb(12, 12, 16);
const BRIGHT_WORDS: Rgb = Rgb(255, 255, 255);

/// The look that clips share: fonts, colors, a caption style, overlays such as a logo, a name card,
/// handles and a progress bar, music, an intro and an outro.
///
/// A missing field changes nothing. Fonts and colors go to captions, to the title and to those
/// texts of the brand whose style has the default ones.
///
/// ```
/// use clipkit::plan::Brand;
///
/// let brand = Brand::from_json(
///     r##"{"font": "Lato", "accent": "#ff5a36", "captions": "pop", "overlays": [
///         {"content": {"kind": "image", "file": "logo.png"}, "place": {"anchor": "top_right", "width": 0.14}},
///         {"content": {"kind": "text", "text": "@clocks"}, "place": {"anchor": "top_left"}}]}"##,
/// )?;
/// assert_eq!(brand.overlays.len(), 2);
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Brand {
    /// The font's family name, in fontconfig or in one of the `font_files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font: Option<String>,
    /// The paths of font files (TTF, OTF, TTC) that need not be installed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub font_files: Vec<String>,
    /// The color of words, in captions and on the plates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Rgb>,
    /// The color of the word that is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<Rgb>,
    /// The color of the plates behind the title and the texts. Without `color`, words on it are
    /// white or nearly black.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plate: Option<Rgb>,
    /// The caption style, in place of that of the options, if the clip has captions. In JSON: a
    /// preset's name, or a style as [`CaptionStyle::from_json`] reads it.
    #[serde(with = "caption_style", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<caption_style::StyleOrName>")]
    pub captions: Option<CaptionStyle>,
    /// The overlays of every clip, from back to front. Those whose place has no area stay in the
    /// platform's safe area.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<Overlay>,
    /// The music and effects of every clip. A span is on the clip's timeline; what of it is beyond
    /// the clip's end does not play.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sound: Vec<Sound>,
    /// What plays before every clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intro: Option<Bumper>,
    /// What plays after every clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outro: Option<Bumper>,
}

impl Brand {
    /// A brand that changes nothing.
    pub fn new() -> Self {
        Brand::default()
    }

    /// Reads and checks a brand.
    ///
    /// Invalid JSON, unknown fields and values out of range are errors of the kind
    /// [`ErrorKind::Config`].
    pub fn from_json(text: &str) -> Result<Self> {
        let brand: Brand =
            serde_json::from_str(text).map_err(|error| Error::new(ErrorKind::Config, format!("this is not a brand: {error}")))?;
        brand.check()?;
        Ok(brand)
    }

    /// Checks overlays, sounds, intro and outro. The first invalid value is an error of the kind
    /// [`ErrorKind::Config`].
    pub(crate) fn check(&self) -> Result<()> {
        let overlays = || self.overlays.iter().enumerate().try_for_each(|(n, overlay)| overlay.check(&format!("brand.overlays[{n}]")));
        let endless = Timestamp::from_micros(i64::MAX / 2);
        let sounds = || self.sound.iter().enumerate().try_for_each(|(n, sound)| sound.check(&format!("brand.sound[{n}]"), endless));
        let bumpers = [("brand.intro", &self.intro), ("brand.outro", &self.outro)];
        let bumpers = || bumpers.iter().try_for_each(|(name, bumper)| bumper.as_ref().map_or(Ok(()), |bumper| bumper.check(name)));
        overlays().and_then(|()| sounds()).and_then(|()| bumpers()).map_err(|error| Error::new(ErrorKind::Config, error.message()))
    }

    /// The caption style with the brand's font and colors.
    pub(crate) fn caption_style(&self, style: &CaptionStyle) -> CaptionStyle {
        let mut style = self.captions.as_ref().unwrap_or(style).clone();
        self.set_font(&mut style.font);
        style.color = self.color.unwrap_or(style.color);
        style.highlight = self.accent.unwrap_or(style.highlight);
        style
    }

    /// The style of the title with the brand's font and colors.
    pub(crate) fn hook_style(&self, style: &HookStyle) -> HookStyle {
        let mut style = style.clone();
        self.set_font(&mut style.font);
        if let Some(plate) = self.plate {
            (style.plate, style.color) = (Some(plate), self.words_on(plate));
        }
        style
    }

    /// The overlays with the brand's font and colors, in an area.
    pub(crate) fn overlays_in(&self, area: Rect) -> Vec<Overlay> {
        let styled = |overlay: &Overlay| {
            let mut overlay = overlay.clone();
            overlay.place.area = overlay.place.area.or(Some(area));
            if let OverlayContent::Text { style, .. } = &mut overlay.content {
                self.dress(style);
            }
            overlay
        };
        self.overlays.iter().map(styled).collect()
    }

    /// The sounds of a clip that ends at `end`.
    pub(crate) fn sounds_until(&self, end: Timestamp) -> Vec<Sound> {
        let clip = Span::between(Timestamp::ZERO, end);
        let cut = |sound: &Sound| {
            let Some(span) = sound.span else { return Some(sound.clone()) };
            let span = span.intersection(clip).filter(|span| !span.duration().is_zero())?;
            Some(Sound { span: Some(span), ..sound.clone() })
        };
        self.sound.iter().filter_map(cut).collect()
    }

    /// The paths of images, sounds, fonts, intro and outro.
    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let images = self.overlays.iter_mut().filter_map(Overlay::file_mut);
        let bumpers = self.intro.iter_mut().chain(&mut self.outro).map(|bumper| &mut bumper.file);
        images.chain(self.sound.iter_mut().map(|sound| &mut sound.file)).chain(&mut self.font_files).chain(bumpers)
    }

    /// Removes the hashes of files, so that each is found by its path only.
    #[cfg(feature = "serve")]
    pub(crate) fn forget_ids(&mut self) {
        self.sound.iter_mut().for_each(|sound| sound.id = None);
        self.intro.iter_mut().chain(&mut self.outro).for_each(|bumper| bumper.id = None);
    }

    /// The same brand, whose relative paths start at `folder` instead of the working folder.
    #[must_use]
    pub fn below(mut self, folder: impl AsRef<std::path::Path>) -> Self {
        for file in self.files_mut() {
            // A path that is not Unicode cannot be in a plan.
            if let Some(path) = folder.as_ref().join(&*file).to_str() {
                path.clone_into(file);
            }
        }
        self
    }

    fn set_font(&self, font: &mut String) {
        if let Some(brand) = &self.font {
            brand.clone_into(font);
        }
    }

    fn words_on(&self, Rgb(red, green, blue): Rgb) -> Rgb {
        let luma = 0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue);
        self.color.unwrap_or(if luma > BRIGHT { DARK_WORDS } else { BRIGHT_WORDS })
    }

    /// Gives a text the brand's font and colors where it has the default ones.
    fn dress(&self, style: &mut OverlayTextStyle) {
        let usual = OverlayTextStyle::default();
        if style.font == usual.font {
            self.set_font(&mut style.font);
        }
        if let Some(plate) = self.plate.filter(|_| (style.plate, style.color) == (usual.plate, usual.color)) {
            (style.plate, style.color) = (Some(plate), self.words_on(plate));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Anchor, OverlayPlace};

    #[test]
    fn a_brand_dresses_captions_title_and_texts() {
        let brand = Brand::from_json(
            r##"{"font": "Inter", "accent": "#ff5a36", "plate": "#ffd60a", "captions": {"like": "pop", "size": 0.06}, "overlays": [
                {"content": {"kind": "text", "text": "@clocks"}, "place": {"anchor": "top_left"}},
                {"content": {"kind": "text", "text": "mine", "style": {"font": "Lato", "color": "#010203"}}, "place": {"anchor": "top"}},
                {"content": {"kind": "image", "file": "logo.png"}, "place": {"anchor": "top", "area": {"x": 0, "y": 0, "width": 1, "height": 1}}}]}"##,
        )
        .unwrap();
        let style = brand.caption_style(&CaptionStyle::karaoke());
        assert_eq!((style.name.as_str(), style.size, style.font.as_str()), ("pop", 0.06, "Inter"));
        assert_eq!((style.highlight, style.color), (Rgb(255, 90, 54), CaptionStyle::pop().color));
        let hook = brand.hook_style(&HookStyle::default());
        assert_eq!((hook.font.as_str(), hook.plate, hook.color), ("Inter", Some(Rgb(255, 214, 10)), DARK_WORDS));
        let area = Rect::new(0.1, 0.1, 0.8, 0.8);
        let overlays = brand.overlays_in(area);
        let styles: Vec<_> = overlays
            .iter()
            .filter_map(|overlay| match &overlay.content {
                OverlayContent::Text { style, .. } => Some((style.font.as_str(), style.plate, style.color)),
                _ => None,
            })
            .collect();
        let usual = OverlayTextStyle::default().plate;
        assert_eq!(styles, [("Inter", Some(Rgb(255, 214, 10)), DARK_WORDS), ("Lato", usual, Rgb(1, 2, 3))]);
        assert_eq!(overlays.iter().map(|overlay| overlay.place.area).collect::<Vec<_>>(), [Some(area), Some(area), Some(Rect::FULL)]);
        let text = serde_json::to_string(&brand).unwrap();
        assert_eq!(Brand::from_json(&text).unwrap(), brand);
        // A brand that says nothing changes nothing.
        assert_eq!(Brand::from_json("{}").unwrap(), Brand::new());
        assert_eq!(Brand::new().caption_style(&CaptionStyle::pop()), CaptionStyle::pop());
        assert_eq!(Brand::new().hook_style(&HookStyle::default()), HookStyle::default());
    }

    #[test]
    fn paths_start_at_the_folder_of_the_brand() {
        let mut brand = Brand::new();
        let image = |file: &str| Overlay::image(file, OverlayPlace::new(Anchor::Top));
        brand.overlays = vec![image("logo.png"), image("/logos/logo.png")];
        (brand.sound, brand.font_files) = (vec![Sound::new("music.mp3")], vec!["Brand.ttf".into()]);
        let files: Vec<String> = brand.below("brands").files_mut().map(|file| file.clone()).collect();
        let joined = |name: &str| std::path::Path::new("brands").join(name).to_str().unwrap().to_owned();
        assert_eq!(files, [joined("logo.png"), "/logos/logo.png".into(), joined("music.mp3"), joined("Brand.ttf")]);
    }

    #[test]
    fn sounds_end_with_the_clip() {
        let brand = Brand::from_json(
            r#"{"sound": [{"file": "a.mp3"}, {"file": "b.mp3", "span": {"start": 8, "end": 30}}, {"file": "c.mp3", "span": {"start": 12, "end": 13}}]}"#,
        )
        .unwrap();
        let found = brand.sounds_until(Timestamp::from_secs(12.0));
        assert_eq!(found.iter().map(|sound| sound.file.as_str()).collect::<Vec<_>>(), ["a.mp3", "b.mp3"]);
        assert_eq!(found[1].span, Some(Span::secs(8.0, 12.0).unwrap()));
    }

    #[test]
    fn an_invalid_brand_is_refused_by_name() {
        for (text, part) in [
            ("3", "this is not a brand"),
            (r#"{"colour": "red"}"#, "`colour`"),
            (r#"{"color": "red"}"#, "#ffd60a"),
            (r#"{"captions": "comic"}"#, "comic"),
            (r#"{"overlays": [{"content": {"kind": "image", "file": ""}, "place": {"anchor": "top"}}]}"#, "brand.overlays[0].content.file"),
            (r#"{"sound": [{"file": "a.mp3", "gain": 90}]}"#, "brand.sound[0].gain is 90"),
            (r#"{"intro": {"file": ""}}"#, "brand.intro.file is not a path"),
            (r#"{"outro": {"file": "a.png", "duration": 1000}}"#, "brand.outro.duration lasts 1000 s"),
        ] {
            let error = Brand::from_json(text).unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.to_string().contains(part), "{text}: {error}");
        }
    }
}
