//! Prepares text for display: visible characters, direction and escaping for libass.

use unicode_segmentation::UnicodeSegmentation;

use crate::model::script::is_unspaced;

/// The maximum length of a word in grapheme clusters. Longer ones are addresses or noise and would
/// be too small to read.
const MAX_LENGTH: usize = 48;

/// The visible text of a word: one line without invisible characters (controls, bidi formatting,
/// zero-width characters), which could break a line, change its direction or hide a difference
/// between words.
pub(super) fn visible_text(word: &str, uppercase: bool) -> String {
    let letters: Vec<char> = word.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_invisible(*c)).collect();
    let mut out = String::with_capacity(word.len());
    for (n, letter) in letters.iter().enumerate() {
        let between = |n: Option<usize>| n.and_then(|n| letters.get(n)).is_some_and(|c| !c.is_ascii() && !is_joiner(*c));
        match letter {
            ' ' if out.ends_with(' ') => {}
            // Joiners shape Arabic, Indic scripts and emoji; elsewhere they have no effect.
            joiner if is_joiner(*joiner) && !(between(n.checked_sub(1)) && between(n.checked_add(1))) => {}
            letter => out.push(*letter),
        }
    }
    let out = out.trim();
    let out = if uppercase { out.to_uppercase() } else { out.to_owned() };
    match out.grapheme_indices(true).nth(MAX_LENGTH) {
        Some((at, _)) => format!("{}\u{2026}", &out[..at]),
        None => out,
    }
}

fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

/// Whether a character is invisible: controls, Unicode format characters except joiners, variation
/// selectors, fillers, tags, emoji skin tones and noncharacters.
fn is_invisible(letter: char) -> bool {
    let point = u32::from(letter);
    letter.is_control()
        || point & 0xfffe == 0xfffe
        || matches!(point,
            0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b | 0x200e | 0x200f
            | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a | 0x1_f3fb..=0x1_f3ff | 0xe_0000..=0xe_0fff)
}

/// Whether a letter belongs to a right-to-left script: Hebrew, Arabic, Syriac, Thaana, N'Ko and
/// related scripts.
fn is_rtl_letter(letter: char) -> bool {
    letter.is_alphabetic()
        && matches!(u32::from(letter), 0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefe | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff)
}

/// Whether a word is written from right to left, by its first letter.
pub(super) fn is_rtl(word: &str) -> bool {
    word.chars().find(|letter| letter.is_alphabetic()).is_some_and(is_rtl_letter)
}

/// Whether the base direction of a text is right to left: at least a third of its letters are.
/// Latin names are frequent in Arabic and Hebrew text, but not the reverse.
pub(super) fn is_rtl_text<'a>(words: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut all, mut rtl) = (0_u64, 0_u64);
    for letter in words.into_iter().flat_map(str::chars).filter(|letter| letter.is_alphabetic()) {
        all += 1;
        rtl += u64::from(is_rtl_letter(letter));
    }
    rtl > 0 && rtl * 3 >= all
}

/// Splits a text at possible line breaks: between words and, in scripts without spaces, at Unicode
/// word boundaries.
pub(super) fn segments(text: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for run in text.split_whitespace() {
        let mut start = 0;
        for (at, part) in run.split_word_bound_indices() {
            let before = run[..at].chars().next_back();
            if at > start && (before.is_some_and(is_unspaced) || part.starts_with(is_unspaced)) {
                segments.push(&run[start..at]);
                start = at;
            }
        }
        segments.push(&run[start..]);
    }
    segments
}

/// Escapes a text for libass. It knows `\{` and `\}` but no escaped backslash, so a word joiner
/// after a backslash keeps it from forming a tag.
pub(super) fn escaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for letter in word.chars() {
        match letter {
            '\\' => out.push_str("\\\u{2060}"),
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_removed_and_joiners_are_kept() {
        for (given, expected) in [
            ("two\nlines\u{2028} here ", "two lines here"),
            ("a\u{202e}b\u{2066}c\u{200f}\u{200b}\u{feff}\u{0}\u{7}\u{ad}d", "abcd"),
            ("\u{200d}join\u{200c}er\u{200d}", "joiner"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}💻\u{fe0f}", "👩\u{200d}💻"),
            ("\u{1f3f4}\u{e0067}\u{e007f}", "\u{1f3f4}"),
            (" \t\u{3164} ", ""),
        ] {
            assert_eq!(visible_text(given, false), expected, "{given:?}");
        }
        assert_eq!(visible_text("straße", true), "STRASSE");
        let cut = visible_text(&"e\u{301}".repeat(5000), false);
        assert!(cut.ends_with('\u{2026}') && cut.graphemes(true).count() == MAX_LENGTH + 1);
    }

    #[test]
    fn lines_may_break_between_words_and_inside_scripts_without_spaces() {
        assert_eq!(segments(" Why C++ isn't\tdead "), ["Why", "C++", "isn't", "dead"]);
        assert_eq!(segments("今日はC++です"), ["今", "日", "は", "C++", "で", "す"]);
        assert!(segments(" \n").is_empty());
    }

    #[test]
    fn the_direction_follows_from_the_letters() {
        assert!(is_rtl("123 שלום") && is_rtl("«مرحبا") && !is_rtl("iPhone") && !is_rtl("١٢٣") && !is_rtl(""));
        assert!(is_rtl_text(["iPhone", "15", "هذا", "جديد"]) && !is_rtl_text(["the", "word", "שלום", "means", "peace"]));
    }
}
