//! The fonts of this machine: which characters they cover, and how wide text is in them.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use fontdb::{Database, FaceInfo, ID, Stretch, Style};
use unicode_segmentation::UnicodeSegmentation;

use crate::plan::caption::{self, Fonts, Part};

/// Fallback families, best first: regular, upright sans-serif faces. All other installed families
/// follow.
const PREFERRED: [&str; 30] = [
    "Lato",
    "Inter",
    "Noto Sans",
    "Open Sans",
    "Roboto",
    "Noto Sans Arabic",
    "Noto Kufi Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans CJK TC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Geeza Pro",
    "Arial",
    "Helvetica Neue",
    "Liberation Sans",
    "Noto Naskh Arabic",
    "Amiri",
    "Noto Emoji",
    "Symbola",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "DejaVu Sans",
];
/// Words in the names of families that are used last.
const SPECIAL: [&str; 8] = ["Mono", "Math", "Serif", "Nastaliq", "Resort", "Unifont", "Display", "Condensed"];
/// The weight of fallback fonts for heavy caption fonts.
const HEAVY: u16 = 700;
const BOLD: u16 = 600;
/// A font's line height in ems if it is unknown: that of Lato.
const DEFAULT_HEIGHT: f64 = 1.2;

/// The fonts that captions can be set in.
pub(super) struct FontSet {
    fonts: Database,
    /// One face of each family, best first.
    fallbacks: Vec<FallbackFont>,
    /// For each character, the index of the first fallback that covers it.
    covering: Mutex<HashMap<char, Option<usize>>>,
}

struct FallbackFont {
    id: ID,
    family: String,
    bold: bool,
}

impl FontSet {
    /// The system's fonts, scanned once per process.
    pub(super) fn installed() -> &'static FontSet {
        static SHELF: OnceLock<FontSet> = OnceLock::new();
        SHELF.get_or_init(|| {
            let mut fonts = Database::new();
            fonts.load_system_fonts();
            FontSet::of(fonts)
        })
    }

    /// The system's fonts and those in files, with the files that have no font and why.
    pub(super) fn with_files(files: &[String]) -> (Self, Vec<(String, String)>) {
        let mut fonts = FontSet::installed().fonts.clone();
        let mut unusable = Vec::new();
        for file in files {
            let before = fonts.len();
            match fonts.load_font_file(file) {
                Err(error) => unusable.push((file.clone(), error.to_string())),
                Ok(()) if fonts.len() == before => unusable.push((file.clone(), "it has no font".to_owned())),
                Ok(()) => {}
            }
        }
        (FontSet::of(fonts), unusable)
    }

    pub(super) fn of(fonts: Database) -> Self {
        let mut families: HashMap<&str, &FaceInfo> = HashMap::new();
        let far = |face: &FaceInfo| (face.weight.0.abs_diff(HEAVY), face.post_script_name.clone());
        for face in fonts.faces().filter(|face| face.style == Style::Normal && face.stretch == Stretch::Normal) {
            let Some((family, _)) = face.families.first() else { continue };
            let kept = families.entry(family.as_str()).or_insert(face);
            if far(face) < far(kept) {
                *kept = face;
            }
        }
        let mut fallbacks: Vec<(usize, bool, FallbackFont)> = families
            .into_iter()
            .map(|(family, face)| {
                let preferred = PREFERRED.iter().position(|name| *name == family).unwrap_or(PREFERRED.len());
                let special = face.monospaced || SPECIAL.iter().any(|word| family.contains(word));
                (preferred, special, FallbackFont { id: face.id, family: family.to_owned(), bold: face.weight.0 >= BOLD })
            })
            .collect();
        fallbacks.sort_by(|a, b| (a.0, a.1, &a.2.family).cmp(&(b.0, b.1, &b.2.family)));
        let fallbacks = fallbacks.into_iter().map(|(_, _, other)| other).collect();
        FontSet { fonts, fallbacks, covering: Mutex::default() }
    }

    /// Returns whether no font is installed that text could be drawn in.
    pub(super) fn is_empty(&self) -> bool {
        self.fonts.is_empty()
    }

    /// The file content of an installed family's font, and its index there.
    pub(super) fn font_file(&self, family: &str) -> Option<(Vec<u8>, u32)> {
        self.fonts.with_face_data(self.find(family, false)?, |bytes, index| (bytes.to_vec(), index))
    }

    /// Returns whether a family, or a style of one ("Lato Black"), is installed.
    pub(super) fn has(&self, family: &str) -> bool {
        self.find(family, false).is_some()
    }

    /// The face that fontconfig selects for a name.
    fn find(&self, family: &str, bold: bool) -> Option<ID> {
        let wanted = normalized(family);
        let weight = if bold { HEAVY } else { 400 };
        let named = |face: &&FaceInfo| face.families.iter().any(|(name, _)| normalized(name) == wanted);
        let by_weight = |face: &&FaceInfo| (face.style != Style::Normal, face.stretch != Stretch::Normal, face.weight.0.abs_diff(weight));
        let of_family = self.fonts.faces().filter(named).min_by_key(by_weight);
        of_family.or_else(|| self.fonts.faces().find(|face| normalized(&face.post_script_name) == wanted)).map(|face| face.id)
    }

    fn read<T>(&self, id: ID, look: impl FnOnce(&ttf_parser::Face<'_>) -> T) -> Option<T> {
        self.fonts.with_face_data(id, |bytes, index| ttf_parser::Face::parse(bytes, index).ok().map(|face| look(&face)))?
    }

    /// Returns whether a font has an outline for every character of `text`. Colour emoji fonts have
    /// bitmaps only, which libass does not draw.
    fn covers(&self, id: ID, text: &str) -> bool {
        self.read(id, |face| text.chars().filter(|letter| !is_joiner(*letter)).all(|letter| has(face, letter))).unwrap_or(false)
    }

    /// The first fallback font that covers all of `text`.
    fn fallback(&self, text: &str) -> Option<&FallbackFont> {
        let first = text.chars().find(|letter| !letter.is_whitespace() && !is_joiner(*letter))?;
        let covering = |letter: char| self.fallbacks.iter().position(|other| self.covers(other.id, letter.encode_utf8(&mut [0; 4])));
        let from = {
            let mut known = self.covering.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(&first) {
                Some(found) => *found,
                None => *known.entry(first).or_insert_with(|| covering(first)),
            }
        }?;
        self.fallbacks[from..].iter().find(|other| self.covers(other.id, text))
    }

    /// The width of a text in a font, in ems.
    fn width(&self, id: ID, text: &str) -> f64 {
        let width = self.read(id, |face| {
            let advance = |letter| face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph)).unwrap_or_default();
            let advances: f64 = text.chars().filter(|letter| !is_joiner(*letter)).map(|letter| f64::from(advance(letter))).sum();
            advances / f64::from(face.units_per_em())
        });
        width.unwrap_or_default()
    }

    /// libass's height of a font at size 1, in ems: ascent plus descent.
    fn height(&self, id: ID) -> f64 {
        let height = self.read(id, |face| {
            // libass uses the Windows metrics (`set_font_metrics` in its ass_font.c).
            let windows = face.tables().os2.map(|os2| f64::from(os2.windows_ascender()).abs() + f64::from(os2.windows_descender()).abs());
            let height = windows.filter(|height| *height > 0.0).unwrap_or(f64::from(face.ascender()) - f64::from(face.descender()));
            height / f64::from(face.units_per_em())
        });
        height.filter(|height| *height > 0.0).unwrap_or(DEFAULT_HEIGHT)
    }
}

fn has(face: &ttf_parser::Face<'_>, letter: char) -> bool {
    // Marks and spaces may have no outline.
    face.glyph_index(letter).is_some_and(|glyph| {
        !letter.is_alphanumeric() && letter < '\u{2000}' || letter.is_whitespace() || face.glyph_bounding_box(glyph).is_some()
    })
}

fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

fn normalized(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A set of fonts, and the fallback order for one text.
pub(super) struct FontFallback<'a> {
    font_set: &'a FontSet,
    /// The families to try first for Han characters, whose shapes differ between languages.
    han: &'static [&'static str],
}

impl<'a> FontFallback<'a> {
    /// Selects the fallback order from all words of a clip: kana or hangul reveal the language of
    /// its Han characters.
    pub(super) fn of<'t>(font_set: &'a FontSet, mut words: impl Iterator<Item = &'t str>) -> Self {
        let telling = words.find_map(|word| {
            word.chars().find_map(|letter| match u32::from(letter) {
                0x3041..=0x30ff => Some(["Noto Sans CJK JP", "Hiragino Sans"].as_slice()),
                0xac00..=0xd7a3 => Some(["Noto Sans CJK KR", "Apple SD Gothic Neo"].as_slice()),
                _ => None,
            })
        });
        FontFallback { font_set, han: telling.unwrap_or_default() }
    }

    fn fallback(&self, text: &str) -> Option<&FallbackFont> {
        let is_han = |letter| matches!(u32::from(letter), 0x2e80..=0x9fff | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xff00..=0xffef);
        let mut first = self.han.iter().filter(|_| text.chars().any(is_han));
        let preferred = first.find_map(|family| {
            self.font_set.fallbacks.iter().find(|other| other.family == *family && self.font_set.covers(other.id, text))
        });
        preferred.or_else(|| self.font_set.fallback(text))
    }
}

impl Fonts for FontFallback<'_> {
    fn parts(&self, text: &str, family: &str, bold: bool) -> Vec<Part> {
        let asked = self.font_set.find(family, bold);
        let height = asked.map_or(DEFAULT_HEIGHT, |id| self.font_set.height(id));
        let in_asked = |text: &str| asked.is_some_and(|id| self.font_set.covers(id, text));
        let mut parts: Vec<Part> = Vec::new();
        // Runs that the requested font covers, and runs that it does not.
        let clusters: Vec<(bool, &str)> = text.graphemes(true).map(|cluster| (in_asked(cluster), cluster)).collect();
        for stretch in clusters.chunk_by(|a, b| a.0 == b.0) {
            let whole: String = stretch.iter().map(|(_, cluster)| *cluster).collect();
            match (stretch.first(), asked) {
                (Some((true, _)), Some(id)) => {
                    parts.push(Part { width: self.font_set.width(id, &whole) / height, text: whole, font: caption::Face::Asked })
                }
                _ => self.set_in_fallbacks(&whole, height, &mut parts),
            }
        }
        parts
    }
}

impl FontFallback<'_> {
    /// Sets text that the requested font does not cover: in one fallback font if one covers all of
    /// it, else in as few as grapheme clusters allow.
    fn set_in_fallbacks(&self, text: &str, height: f64, parts: &mut Vec<Part>) {
        if let Some(font) = self.fallback(text) {
            return parts.push(self.part(text, Some(font), height));
        }
        for cluster in text.graphemes(true) {
            let part = self.part(cluster, self.fallback(cluster), height);
            match parts.last_mut() {
                Some(last) if last.font == part.font && part.font != caption::Face::Asked => {
                    last.text.push_str(&part.text);
                    last.width += part.width;
                }
                _ => parts.push(part),
            }
        }
    }

    /// Sets text in a fallback font, scaled to the letter size of the requested font, whose line
    /// height is `height` ems.
    fn part(&self, text: &str, other: Option<&FallbackFont>, height: f64) -> Part {
        let (font, width) = match other {
            Some(other) => {
                let size = (100.0 * self.font_set.height(other.id) / height).round().clamp(80.0, 150.0);
                let width = self.font_set.width(other.id, text) / self.font_set.height(other.id) * size / 100.0;
                (caption::Face::Other { family: other.family.clone(), bold: other.bold, size: size as u32 }, width)
            }
            None => (caption::Face::Missing, 0.0),
        };
        Part { text: text.to_owned(), font, width }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::plan::caption::Face;

    /// A font set with the faces of one family only.
    pub(in crate::render) fn only(family: &str) -> FontSet {
        let system = FontSet::installed();
        let mut fonts = Database::new();
        for face in system.fonts.faces().filter(|face| face.families.iter().any(|(name, _)| name == family)) {
            fonts.push_face_info(face.clone());
        }
        assert!(!fonts.is_empty(), "{family}: run `make setup`");
        FontSet::of(fonts)
    }

    #[test]
    fn a_family_and_a_style_of_it_are_found_and_others_are_not() {
        for font in ["Lato", "Lato Black"] {
            assert!(FontSet::installed().has(font), "{font}: run `make setup`");
        }
        assert!(!FontSet::installed().has("No Such Font"));
    }

    #[test]
    fn widths_are_those_of_the_font() {
        let font_set = only("Lato");
        let fallback_fonts = FontFallback::of(&font_set, [].into_iter());
        let width =
            |text: &str, family: &str, bold: bool| fallback_fonts.parts(text, family, bold).iter().map(|part| part.width).sum::<f64>();
        let (black, bold, thin) =
            (width("measure", "Lato Black", false), width("measure", "Lato", true), width("measure", "Lato Thin", false));
        assert!(black > bold && bold > thin && thin > 0.0, "{black} {bold} {thin}");
        assert!((width("mm", "Lato", false) - 2.0 * width("m", "Lato", false)).abs() < 1e-9);
        // Seven letters of Lato Black at 100 px are drawn about 355 px wide.
        assert!((3.0..4.2).contains(&black), "{black}");
    }

    #[test]
    fn characters_without_a_font_are_reported() {
        let font_set = only("Lato");
        let fallback_fonts = FontFallback::of(&font_set, [].into_iter());
        let parts = fallback_fonts.parts("ok 今b", "Lato Black", false);
        let found: Vec<(&str, &Face)> = parts.iter().map(|part| (part.text.as_str(), &part.font)).collect();
        assert_eq!(found, [("ok ", &Face::Asked), ("今", &Face::Missing), ("b", &Face::Asked)]);
        // A missing family is replaced by name, so that the measured font is the drawn font.
        let parts = fallback_fonts.parts("ok", "No Such Font", false);
        assert_eq!(parts[0].font, Face::Other { family: "Lato".into(), bold: true, size: 100 });
    }

    #[test]
    fn kana_and_hangul_select_the_fonts_of_han_characters() {
        let font_set = only("Lato");
        let han = |words: &[&str]| FontFallback::of(&font_set, words.iter().copied()).han.first().copied();
        assert_eq!(han(&["時計", "です"]), Some("Noto Sans CJK JP"));
        assert_eq!(han(&["ok", "안녕"]), Some("Noto Sans CJK KR"));
        assert_eq!(han(&["你好", "ok"]), None);
    }
}
