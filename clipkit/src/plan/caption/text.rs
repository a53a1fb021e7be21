//! Text is data: what of a word is shown, which way it runs, and how it is written so that libass shows it as it stands.

use unicode_segmentation::UnicodeSegmentation;

use crate::model::script::is_unspaced;

/// No word is longer; what is, is an address or noise, and would have to be set too small to read.
const LONGEST: usize = 48;

/// What is shown of a word: one line, without what nobody sees (controls, bidi formatting, zero-width letters), which could break a
/// line, turn its direction or hide that two words differ.
pub(super) fn shown(word: &str, uppercase: bool) -> String {
    let letters: Vec<char> = word.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_invisible(*c)).collect();
    let mut out = String::with_capacity(word.len());
    for (n, letter) in letters.iter().enumerate() {
        let between = |n: Option<usize>| n.and_then(|n| letters.get(n)).is_some_and(|c| !c.is_ascii() && !is_joiner(*c));
        match letter {
            ' ' if out.ends_with(' ') => {}
            // Joiners shape Arabic, Indic letters and emoji, and mean nothing elsewhere.
            joiner if is_joiner(*joiner) && !(between(n.checked_sub(1)) && between(n.checked_add(1))) => {}
            letter => out.push(*letter),
        }
    }
    let out = out.trim();
    let out = if uppercase { out.to_uppercase() } else { out.to_owned() };
    match out.grapheme_indices(true).nth(LONGEST) {
        Some((at, _)) => format!("{}\u{2026}", &out[..at]),
        None => out,
    }
}

fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

/// Letters without a shape of their own: controls, format characters of Unicode (but joiners), variation selectors, fillers, tags, the
/// skin tones of emoji, and code points that are no characters.
fn is_invisible(letter: char) -> bool {
    let point = u32::from(letter);
    letter.is_control()
        || point & 0xfffe == 0xfffe
        || matches!(point,
            0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b | 0x200e | 0x200f
            | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a | 0x1_f3fb..=0x1_f3ff | 0xe_0000..=0xe_0fff)
}

/// Whether this letter is written from right to left: Hebrew, Arabic, Syriac, Thaana, N'Ko and their kin.
fn is_rtl_letter(letter: char) -> bool {
    letter.is_alphabetic()
        && matches!(u32::from(letter), 0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefe | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff)
}

/// Whether a word runs from right to left: its first letter does.
pub(super) fn is_rtl(word: &str) -> bool {
    word.chars().find(|letter| letter.is_alphabetic()).is_some_and(is_rtl_letter)
}

/// Whether a text as a whole does: a third of its letters do, since Latin names abound in Arabic and Hebrew talks, not the other way.
pub(super) fn is_rtl_text<'a>(words: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut all, mut rtl) = (0_u64, 0_u64);
    for letter in words.into_iter().flat_map(str::chars).filter(|letter| letter.is_alphabetic()) {
        all += 1;
        rtl += u64::from(is_rtl_letter(letter));
    }
    rtl > 0 && rtl * 3 >= all
}

/// A text in pieces between which a line may break: words, and inside scripts without spaces what Unicode takes for one.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for run in text.split_whitespace() {
        let mut start = 0;
        for (at, part) in run.split_word_bound_indices() {
            let before = run[..at].chars().next_back();
            if at > start && (before.is_some_and(is_unspaced) || part.starts_with(is_unspaced)) {
                pieces.push(&run[start..at]);
                start = at;
            }
        }
        pieces.push(&run[start..]);
    }
    pieces
}

/// Text that libass shows as it stands: it knows `\{` and `\}`, but no escape for a backslash, so a word joiner keeps the letter that
/// follows from making a tag with it.
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
    fn what_nobody_sees_is_dropped_and_what_shapes_letters_is_kept() {
        for (given, expected) in [
            ("two\nlines\u{2028} here ", "two lines here"),
            ("a\u{202e}b\u{2066}c\u{200f}\u{200b}\u{feff}\u{0}\u{7}\u{ad}d", "abcd"),
            ("\u{200d}join\u{200c}er\u{200d}", "joiner"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}💻\u{fe0f}", "👩\u{200d}💻"),
            ("\u{1f3f4}\u{e0067}\u{e007f}", "\u{1f3f4}"),
            (" \t\u{3164} ", ""),
        ] {
            assert_eq!(shown(given, false), expected, "{given:?}");
        }
        assert_eq!(shown("straße", true), "STRASSE");
        let cut = shown(&"e\u{301}".repeat(5000), false);
        assert!(cut.ends_with('\u{2026}') && cut.graphemes(true).count() == LONGEST + 1);
    }

    #[test]
    fn lines_may_break_between_words_and_inside_scripts_without_spaces() {
        assert_eq!(pieces(" Why C++ isn't\tdead "), ["Why", "C++", "isn't", "dead"]);
        assert_eq!(pieces("今日はC++です"), ["今", "日", "は", "C++", "で", "す"]);
        assert!(pieces(" \n").is_empty());
    }

    #[test]
    fn direction_follows_from_letters() {
        assert!(is_rtl("123 שלום") && is_rtl("«مرحبا") && !is_rtl("iPhone") && !is_rtl("١٢٣") && !is_rtl(""));
        assert!(is_rtl_text(["iPhone", "15", "هذا", "جديد"]) && !is_rtl_text(["the", "word", "שלום", "means", "peace"]));
    }
}
