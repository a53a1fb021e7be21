//! A word split by font, with its width and ASS markup.

use std::fmt::Write;

use super::fonts::{Face, Fonts};
use super::text::{escaped, is_rtl};
use crate::model::script::is_spaced;

/// The replacement for a word whose letters no font contains.
const PLACEHOLDER: &str = "\u{2026}";

/// A word split by font.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TypesetWord {
    /// The visible text.
    pub(super) text: String,
    /// The visible text in parts of one font each.
    parts: Vec<(String, Face)>,
    family: String,
    bold: bool,
    /// The width in font sizes.
    pub(super) width: f64,
    pub(super) is_rtl: bool,
    /// The characters that no font contains.
    pub(super) missing: Vec<char>,
}

impl TypesetWord {
    /// Typesets a text. Symbols that no font contains are omitted. A word with missing letters is
    /// replaced by [`PLACEHOLDER`], because libass would draw empty boxes.
    pub(super) fn new(text: &str, family: &str, bold: bool, scale: f64, fonts: &dyn Fonts) -> Self {
        let mut set = TypesetWord {
            text: String::new(),
            parts: Vec::new(),
            family: family.to_owned(),
            bold,
            width: 0.0,
            is_rtl: is_rtl(text),
            missing: Vec::new(),
        };
        for part in fonts.parts(text, family, bold) {
            if part.font == Face::Missing {
                set.missing.extend(part.text.chars().filter(|letter| !letter.is_whitespace()));
                continue;
            }
            set.text.push_str(&part.text);
            set.width += part.width * scale;
            set.parts.push((part.text, part.font));
        }
        if set.missing.iter().any(|letter| letter.is_alphanumeric()) {
            let width = fonts.parts(PLACEHOLDER, family, bold).iter().map(|part| part.width * scale).sum();
            (set.text, set.parts, set.width) = (PLACEHOLDER.into(), vec![(PLACEHOLDER.into(), Face::Asked)], width);
        }
        set
    }

    /// The word in ASS markup with font tags, for text with a font size of `size` pixels.
    pub(super) fn markup(&self, size: f64) -> String {
        let mut out = String::new();
        for (text, font) in &self.parts {
            let Face::Other { family, bold, size: percent } = font else {
                out.push_str(&escaped(text));
                continue;
            };
            let other = size * f64::from(*percent) / 100.0;
            // Writing into a string cannot fail.
            let _ = write!(out, "{{\\fn{}\\b{}\\fs{other:.1}}}", font_name(family), u8::from(*bold));
            out.push_str(&escaped(text));
            let _ = write!(out, "{{\\fn{}\\b{}\\fs{size:.1}}}", font_name(&self.family), u8::from(self.bold));
        }
        out
    }

    /// The height of a line with this word, relative to one in the requested font.
    pub(super) fn height(&self) -> f64 {
        let heights = self.parts.iter().map(|(_, font)| if let Face::Other { size, .. } = font { f64::from(*size) / 100.0 } else { 1.0 });
        heights.fold(1.0, f64::max)
    }
}

/// Whether a space follows word `n`. It depends on the next visible word.
pub(super) fn is_spaced_after(words: &[TypesetWord], n: usize) -> bool {
    let seen = |word: &&TypesetWord| !word.text.is_empty();
    let next = words.iter().skip(n + 1).find(seen);
    words.get(n).filter(seen).zip(next).is_some_and(|(word, next)| is_spaced(&word.text, &next.text))
}

/// A font name without the characters that would end it in a style line or tag.
pub(super) fn font_name(family: &str) -> String {
    family.chars().filter(|letter| !letter.is_control() && !matches!(letter, ',' | '{' | '}' | '\\')).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fonts::Part;
    use super::*;

    /// Contains ASCII, and Greek letters in a fallback font.
    struct Few;

    impl Fonts for Few {
        fn parts(&self, text: &str, _: &str, _: bool) -> Vec<Part> {
            let face = |letter| match letter {
                ' '..='~' | '\u{2026}' => Face::Asked,
                'α'..='ω' => Face::Other { family: "Gre,ek}{\\".into(), bold: true, size: 130 },
                _ => Face::Missing,
            };
            text.chars().map(|letter| Part { text: letter.into(), font: face(letter), width: 0.5 }).collect()
        }
    }

    #[test]
    fn characters_get_fallback_fonts_and_missing_ones_are_reported() {
        let set = |text| TypesetWord::new(text, "Lato", false, 2.0, &Few);
        assert_eq!(set("aλb").markup(100.0), "a{\\fnGreek\\b1\\fs130.0}λ{\\fnLato\\b0\\fs100.0}b");
        assert_eq!((set("aλb").height(), set("ab").height()), (1.3, 1.0));
        assert_eq!((set("ab").width, set("ab").missing), (2.0, vec![]));
        let sign = set("ok👍");
        assert_eq!((sign.text.as_str(), sign.width, sign.missing), ("ok", 2.0, vec!['👍']));
        let word = set("a今b");
        assert_eq!((word.text.as_str(), word.markup(9.0).as_str(), word.missing.as_slice()), ("\u{2026}", "\u{2026}", ['今'].as_slice()));
    }
}
