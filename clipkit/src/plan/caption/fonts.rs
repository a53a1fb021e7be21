//! What captions need to know of fonts, and a guess for where none can be asked.

/// Tells which font shows a text, and how wide it is.
pub(crate) trait Fonts {
    /// `text`, which has no line ends, in parts of one font each, in order and without gaps. `family` is the font that is asked for.
    fn parts(&self, text: &str, family: &str, bold: bool) -> Vec<Part>;
}

/// A part of a text in one font.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) font: Face,
    /// How far it moves the pen, in sizes of the font asked for as libass counts them: from the font's highest to its lowest point.
    pub(crate) width: f64,
}

/// The font of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// The one that was asked for.
    Asked,
    /// Another, since that one lacks the letters.
    Other {
        /// Its family.
        family: String,
        /// Whether it is a bold face.
        bold: bool,
        /// Its size next to that of the font asked for, in percent: libass makes letters small whose font has room for tall marks.
        size: u32,
    },
    /// No font has the letters.
    Missing,
}

/// Widths as in a heavy sans face that has every letter.
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
        // Han, kana and emoji fill a square; other letters are like Latin ones.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffff}' | '\u{1f000}'.. => 0.95,
        letter if letter.is_uppercase() => 0.62,
        _ => 0.52,
    }
}
