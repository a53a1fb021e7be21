//! The fonts of this machine: which of them has a letter, and how wide it is there.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use fontdb::{Database, FaceInfo, ID, Stretch, Style};
use unicode_segmentation::UnicodeSegmentation;

use crate::plan::caption::{self, Fonts, Part};

/// Families that stand in for others, best first: even, upright sans faces. Any other that is installed comes after them.
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
/// Words in the names of families that are the last choice.
const SPECIAL: [&str; 8] = ["Mono", "Math", "Serif", "Nastaliq", "Resort", "Unifont", "Display", "Condensed"];
/// The weight that stands in for heavy caption faces.
const HEAVY: u16 = 700;
const BOLD: u16 = 600;
/// A font's size in ems, where none is known: that of Lato.
const USUAL_HEIGHT: f64 = 1.2;

/// Fonts that captions can be set in.
pub(super) struct Shelf {
    fonts: Database,
    /// One face of each family, best first.
    others: Vec<Other>,
    /// Which of them has a letter first.
    having: Mutex<HashMap<char, Option<usize>>>,
}

struct Other {
    id: ID,
    family: String,
    bold: bool,
}

impl Shelf {
    /// The system's fonts, looked for once a process.
    pub(super) fn installed() -> &'static Shelf {
        static SHELF: OnceLock<Shelf> = OnceLock::new();
        SHELF.get_or_init(|| {
            let mut fonts = Database::new();
            fonts.load_system_fonts();
            Shelf::of(fonts)
        })
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
        let mut others: Vec<(usize, bool, Other)> = families
            .into_iter()
            .map(|(family, face)| {
                let preferred = PREFERRED.iter().position(|name| *name == family).unwrap_or(PREFERRED.len());
                let special = face.monospaced || SPECIAL.iter().any(|word| family.contains(word));
                (preferred, special, Other { id: face.id, family: family.to_owned(), bold: face.weight.0 >= BOLD })
            })
            .collect();
        others.sort_by(|a, b| (a.0, a.1, &a.2.family).cmp(&(b.0, b.1, &b.2.family)));
        let others = others.into_iter().map(|(_, _, other)| other).collect();
        Shelf { fonts, others, having: Mutex::default() }
    }

    /// Whether a family, or one style of one ("Lato Black"), is there.
    pub(super) fn has(&self, family: &str) -> bool {
        self.find(family, false).is_some()
    }

    /// The face that fontconfig takes for a name.
    fn find(&self, family: &str, bold: bool) -> Option<ID> {
        let wanted = bare(family);
        let weight = if bold { HEAVY } else { 400 };
        let named = |face: &&FaceInfo| face.families.iter().any(|(name, _)| bare(name) == wanted);
        let by_weight = |face: &&FaceInfo| (face.style != Style::Normal, face.stretch != Stretch::Normal, face.weight.0.abs_diff(weight));
        let of_family = self.fonts.faces().filter(named).min_by_key(by_weight);
        of_family.or_else(|| self.fonts.faces().find(|face| bare(&face.post_script_name) == wanted)).map(|face| face.id)
    }

    fn read<T>(&self, id: ID, look: impl FnOnce(&ttf_parser::Face<'_>) -> T) -> Option<T> {
        self.fonts.with_face_data(id, |bytes, index| ttf_parser::Face::parse(bytes, index).ok().map(|face| look(&face)))?
    }

    /// Whether a font has every letter of `text`, as a shape: fonts of coloured pictures have none that could be drawn.
    fn covers(&self, id: ID, text: &str) -> bool {
        self.read(id, |face| text.chars().filter(|letter| !is_joiner(*letter)).all(|letter| has(face, letter))).unwrap_or(false)
    }

    /// The best other font that has all of `text`.
    fn other(&self, text: &str) -> Option<&Other> {
        let first = text.chars().find(|letter| !letter.is_whitespace() && !is_joiner(*letter))?;
        let having = |letter: char| self.others.iter().position(|other| self.covers(other.id, letter.encode_utf8(&mut [0; 4])));
        let from = {
            let mut known = self.having.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(&first) {
                Some(found) => *found,
                None => *known.entry(first).or_insert_with(|| having(first)),
            }
        }?;
        self.others[from..].iter().find(|other| self.covers(other.id, text))
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

    /// What libass takes for a font's size, in ems: from the top of its highest to the foot of its lowest letter.
    fn height(&self, id: ID) -> f64 {
        let height = self.read(id, |face| {
            // libass takes the heights that Windows does (`set_font_metrics` in its ass_font.c).
            let windows = face.tables().os2.map(|os2| f64::from(os2.windows_ascender()).abs() + f64::from(os2.windows_descender()).abs());
            let height = windows.filter(|height| *height > 0.0).unwrap_or(f64::from(face.ascender()) - f64::from(face.descender()));
            height / f64::from(face.units_per_em())
        });
        height.filter(|height| *height > 0.0).unwrap_or(USUAL_HEIGHT)
    }
}

fn has(face: &ttf_parser::Face<'_>, letter: char) -> bool {
    // Marks and spaces may have no outline of their own.
    face.glyph_index(letter).is_some_and(|glyph| {
        !letter.is_alphanumeric() && letter < '\u{2000}' || letter.is_whitespace() || face.glyph_bounding_box(glyph).is_some()
    })
}

fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

fn bare(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A shelf, and what is set from it.
pub(super) struct Setting<'a> {
    shelf: &'a Shelf,
    /// The families that Han letters come in first, since the same letter is drawn another way in each country.
    han: &'static [&'static str],
}

impl<'a> Setting<'a> {
    /// For all the words of a clip: kana or hangul among them tell how the rest is drawn.
    pub(super) fn of<'t>(shelf: &'a Shelf, mut words: impl Iterator<Item = &'t str>) -> Self {
        let telling = words.find_map(|word| {
            word.chars().find_map(|letter| match u32::from(letter) {
                0x3041..=0x30ff => Some(["Noto Sans CJK JP", "Hiragino Sans"].as_slice()),
                0xac00..=0xd7a3 => Some(["Noto Sans CJK KR", "Apple SD Gothic Neo"].as_slice()),
                _ => None,
            })
        });
        Setting { shelf, han: telling.unwrap_or_default() }
    }

    fn other(&self, text: &str) -> Option<&Other> {
        let is_han = |letter| matches!(u32::from(letter), 0x2e80..=0x9fff | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xff00..=0xffef);
        let mut first = self.han.iter().filter(|_| text.chars().any(is_han));
        let favourite =
            first.find_map(|family| self.shelf.others.iter().find(|other| other.family == *family && self.shelf.covers(other.id, text)));
        favourite.or_else(|| self.shelf.other(text))
    }
}

impl Fonts for Setting<'_> {
    fn parts(&self, text: &str, family: &str, bold: bool) -> Vec<Part> {
        let asked = self.shelf.find(family, bold);
        let height = asked.map_or(USUAL_HEIGHT, |id| self.shelf.height(id));
        let in_asked = |text: &str| asked.is_some_and(|id| self.shelf.covers(id, text));
        let mut parts: Vec<Part> = Vec::new();
        // Stretches that the font has, and stretches that it lacks.
        let clusters: Vec<(bool, &str)> = text.graphemes(true).map(|cluster| (in_asked(cluster), cluster)).collect();
        for stretch in clusters.chunk_by(|a, b| a.0 == b.0) {
            let whole: String = stretch.iter().map(|(_, cluster)| *cluster).collect();
            match (stretch.first(), asked) {
                (Some((true, _)), Some(id)) => {
                    parts.push(Part { width: self.shelf.width(id, &whole) / height, text: whole, font: caption::Face::Asked })
                }
                _ => self.in_others(&whole, height, &mut parts),
            }
        }
        parts
    }
}

impl Setting<'_> {
    /// Text that the font asked for lacks: in one other font, where there is one, else in as few as clusters of letters allow.
    fn in_others(&self, text: &str, height: f64, parts: &mut Vec<Part>) {
        if let Some(other) = self.other(text) {
            return parts.push(self.part(text, Some(other), height));
        }
        for cluster in text.graphemes(true) {
            let part = self.part(cluster, self.other(cluster), height);
            match parts.last_mut() {
                Some(last) if last.font == part.font && part.font != caption::Face::Asked => {
                    last.text.push_str(&part.text);
                    last.width += part.width;
                }
                _ => parts.push(part),
            }
        }
    }

    /// A part in a font whose letters are as large as those of the font asked for, which is `height` ems high.
    fn part(&self, text: &str, other: Option<&Other>, height: f64) -> Part {
        let (font, width) = match other {
            Some(other) => {
                let size = (100.0 * self.shelf.height(other.id) / height).round().clamp(80.0, 150.0);
                let width = self.shelf.width(other.id, text) / self.shelf.height(other.id) * size / 100.0;
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

    /// A shelf with the faces of one family alone.
    pub(in crate::render) fn only(family: &str) -> Shelf {
        let system = Shelf::installed();
        let mut fonts = Database::new();
        for face in system.fonts.faces().filter(|face| face.families.iter().any(|(name, _)| name == family)) {
            fonts.push_face_info(face.clone());
        }
        assert!(!fonts.is_empty(), "{family}: run `make setup`");
        Shelf::of(fonts)
    }

    #[test]
    fn a_family_and_a_style_of_it_are_found_and_others_are_not() {
        for font in ["Lato", "Lato Black"] {
            assert!(Shelf::installed().has(font), "{font}: run `make setup`");
        }
        assert!(!Shelf::installed().has("No Such Font"));
    }

    #[test]
    fn widths_are_those_of_the_font() {
        let shelf = only("Lato");
        let setting = Setting::of(&shelf, [].into_iter());
        let width = |text: &str, family: &str, bold: bool| setting.parts(text, family, bold).iter().map(|part| part.width).sum::<f64>();
        let (black, bold, thin) =
            (width("measure", "Lato Black", false), width("measure", "Lato", true), width("measure", "Lato Thin", false));
        assert!(black > bold && bold > thin && thin > 0.0, "{black} {bold} {thin}");
        assert!((width("mm", "Lato", false) - 2.0 * width("m", "Lato", false)).abs() < 1e-9);
        // No wider than drawn: 7 letters of Lato Black at 100 px are about 355 px wide.
        assert!((3.0..4.2).contains(&black), "{black}");
    }

    #[test]
    fn letters_that_no_font_has_are_told_apart() {
        let shelf = only("Lato");
        let setting = Setting::of(&shelf, [].into_iter());
        let parts = setting.parts("ok 今b", "Lato Black", false);
        let found: Vec<(&str, &Face)> = parts.iter().map(|part| (part.text.as_str(), &part.font)).collect();
        assert_eq!(found, [("ok ", &Face::Asked), ("今", &Face::Missing), ("b", &Face::Asked)]);
        // A family that is not there is replaced by name, so that what is measured is what is drawn.
        let parts = setting.parts("ok", "No Such Font", false);
        assert_eq!(parts[0].font, Face::Other { family: "Lato".into(), bold: true, size: 100 });
    }

    #[test]
    fn kana_and_hangul_tell_how_han_letters_are_drawn() {
        let shelf = only("Lato");
        let han = |words: &[&str]| Setting::of(&shelf, words.iter().copied()).han.first().copied();
        assert_eq!(han(&["時計", "です"]), Some("Noto Sans CJK JP"));
        assert_eq!(han(&["ok", "안녕"]), Some("Noto Sans CJK KR"));
        assert_eq!(han(&["你好", "ok"]), None);
    }
}
