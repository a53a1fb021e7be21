//! The font interface of captions, and an estimate for planning without fonts.

/// Finds the fonts and the width of a text.
pub(crate) trait Fonts {
    /// Splits `text`, which contains no line breaks, into consecutive parts of one font each.
    /// `family` is the requested font.
    fn parts(&self, text: &str, family: &str, bold: bool) -> Vec<Part>;
}

/// A part of a text in one font.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) font: Face,
    /// The advance width relative to the requested font's size. As in libass, a font's size is the
    /// distance from its ascender to its descender.
    pub(crate) width: f64,
}

/// The font of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// The requested font.
    Asked,
    /// A fallback font that contains the characters.
    Other {
        /// The family name.
        family: String,
        /// Whether the face is bold.
        bold: bool,
        /// The size relative to the requested font in percent. libass scales a font by its ascender
        /// and descender, so fonts with tall diacritics look smaller.
        size: u32,
    },
    /// No font contains the characters.
    Missing,
}

/// Estimates widths as in a heavy sans-serif font that contains all characters.
pub(crate) struct Estimate;

impl Fonts for Estimate {
    fn parts(&self, text: &str, _: &str, _: bool) -> Vec<Part> {
        vec![Part { text: text.to_owned(), font: Face::Asked, width: text.chars().map(width).sum() }]
    }
}

fn width(letter: char) -> f64 {
    match letter {
        ' ' => 0.20,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '!' | '|' | '\u{2019}' => 0.25,
        'f' | 't' | 'r' | 's' | '(' | ')' | '[' | ']' | '-' | '"' => 0.38,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '\u{2014}' => 0.78,
        'A'..='Z' => 0.58,
        ' '..='~' => 0.49,
        // Han, kana and emoji are square; other letters are similar to Latin ones.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffff}' | '\u{1f000}'.. => 0.95,
        letter if letter.is_uppercase() => 0.62,
        _ => 0.52,
    }
}
