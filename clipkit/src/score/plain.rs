//! Sanitises untrusted text for display.

/// Untrusted text as one line of at most `longest` characters, without control characters, bidi
/// marks and zero-width spaces. Enclosing quotation marks are removed. The line is cut between
/// words where possible.
pub(super) fn plain(text: &str, longest: usize) -> String {
    let seen: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).filter(|letter| !is_unseen(*letter)).collect();
    let line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = line.trim_matches(['"', '\u{201c}', '\u{201d}', '\u{201e}', '\u{ab}', '\u{bb}', '`', '*', '_', '#', ' ']);
    let Some((end, _)) = bare.char_indices().nth(longest) else { return bare.to_owned() };
    let cut = &bare[..end];
    // The cut drops a partial word, unless the word is most of the line.
    let at = match cut.rfind(' ') {
        Some(space) if !bare[end..].starts_with(' ') && space * 2 > end => space,
        _ => end,
    };
    cut[..at].trim_end_matches([' ', ',', ';', ':', '-', '\u{2013}']).to_owned()
}

/// Whether a line contains a URL.
pub(super) fn has_address(line: &str) -> bool {
    let lower = line.to_lowercase();
    lower.contains("://") || lower.contains("www.")
}

/// Whether a character is an invisible format character. Joiners, which Persian and Hindi need, are
/// not included.
fn is_unseen(letter: char) -> bool {
    matches!(u32::from(letter),
        0x00ad | 0x061c | 0x180e | 0x200b | 0x200e | 0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe_0000..=0xe_0fff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_sanitised_and_cut_between_words() {
        for (text, longest, expected) in [
            ("\"Why clocks\n lie\"", 60, "Why clocks lie"),
            ("**Bold** claim", 60, "Bold** claim"),
            ("a\u{202e}b\u{200b}c\u{0007}d\u{2028}e", 60, "abc de"),
            ("Nobody ever checks them, really", 24, "Nobody ever checks them"),
            ("Nobody ever checks", 15, "Nobody ever"),
            ("Donaudampfschifffahrt", 5, "Donau"),
            ("今日は時計の話", 3, "今日は"),
            (" \t\n", 60, ""),
        ] {
            assert_eq!(plain(text, longest), expected, "{text:?}");
        }
        assert!(has_address("see HTTPS://evil.example") && has_address("www.x.y") && !has_address("Dr. Who. Why"));
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_short_line(text in any::<String>(), longest in 0..80usize) {
            let line = plain(&text, longest);
            prop_assert!(line.chars().count() <= longest);
            prop_assert!(!line.chars().any(|letter| letter.is_control() || is_unseen(letter)));
            prop_assert!(!line.starts_with(' ') && !line.ends_with(' '));
        }
    }
}
