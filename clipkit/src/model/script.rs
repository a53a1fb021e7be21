/// Whether a letter belongs to a script without spaces between words: Han, kana, Thai, Lao, Burmese
/// or Khmer.
pub(crate) fn is_unspaced(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3040..=0x30ff
        | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff66..=0xff9f | 0x2_0000..=0x3_ffff)
}

/// Whether a space is written between two words.
pub(crate) fn is_spaced(before: &str, after: &str) -> bool {
    let joins = |letter: Option<char>| letter.is_some_and(|c| is_unspaced(c) || matches!(u32::from(c), 0x3000..=0x303f | 0xff00..=0xff65));
    !joins(before.chars().next_back()) && !joins(after.chars().next())
}

/// If this part of the words inside sentences is capitalised, capitals do not mark names (German
/// nouns, title case).
const MAX_CAPITALS: f64 = 0.25;
/// One or two capital letters ("I", "OK") are no name.
const MIN_NAME_LETTERS: usize = 3;

/// Whether the first letter of a word is a capital.
pub(crate) fn is_capital(word: &str) -> bool {
    word.chars().find(|letter| letter.is_alphabetic()).is_some_and(char::is_uppercase)
}

/// Whether a sentence, or the part of one before a colon, ends with a word.
pub(crate) fn ends_sentence(word: &str) -> bool {
    word.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}'])
        .ends_with(['.', '?', '!', ':', '\u{2026}', '\u{3002}', '\u{ff1f}', '\u{ff01}'])
}

/// Whether capitals inside the sentences of a text mark names.
pub(crate) fn capitals_mark_names<'a>(words: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut all, mut capital, mut opens) = (0_usize, 0_usize, true);
    for word in words {
        all += usize::from(!opens);
        capital += usize::from(!opens && is_capital(word));
        opens = ends_sentence(word);
    }
    (capital as f64) < MAX_CAPITALS * all as f64
}

/// Whether a word is a name, in a text whose capitals mark names. `before` is the word before it.
pub(crate) fn is_name(word: &str, before: Option<&str>) -> bool {
    let letters = word.chars().filter(|letter| letter.is_alphanumeric()).count();
    is_capital(word) && letters >= MIN_NAME_LETTERS && before.is_some_and(|before| !ends_sentence(before))
}

/// Joins words into a line of text. Spaces depend on the words' scripts.
pub(crate) fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && is_spaced(&line, word) {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// A text that is too long, cut at a word, with an ellipsis. All its characters together cost at
/// most `longest`.
pub(crate) fn cut_at_word(text: &str, longest: usize, cost: impl Fn(char) -> usize) -> String {
    let mut room = longest.saturating_sub(cost('\u{2026}'));
    let cut: String = text
        .chars()
        .take_while(|letter| {
            let cost = cost(*letter);
            let fits = cost <= room;
            room = room.saturating_sub(cost);
            fits
        })
        .collect();
    // A cut inside a word goes back to its beginning, unless that loses most of the text.
    let inside = text[cut.len()..].starts_with(|letter: char| !letter.is_whitespace());
    let end = cut.rfind(char::is_whitespace).filter(|end| inside && *end > cut.len() / 2).unwrap_or(cut.len());
    format!("{}\u{2026}", cut[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_as_their_script_is_written() {
        assert_eq!(join(["Two", "words."]), "Two words.");
        assert_eq!(join(["今日は", "AI", "の話です。", "次。"]), "今日はAIの話です。次。");
        assert_eq!(join(["안녕", "하세요"]), "안녕 하세요");
    }

    #[test]
    fn names_are_told_by_capitals_where_capitals_are_rare() {
        let marks = |text: &str| capitals_mark_names(text.split(' '));
        assert!(marks("The dog of Anna runs very fast. Home is far.") && !marks("Der Hund und die Katze sehen den Vogel im Garten"));
        assert!(!marks("Why The Sun Never Lies") && !marks(""));
        assert!(is_name("Anna,", Some("of")) && !is_name("OK", Some("is")) && !is_name("anna", Some("of")));
        assert!(!is_name("Anna", None) && !is_name("Anna", Some("said.\"")) && !is_name("Anna", Some("so:")));
    }
}
