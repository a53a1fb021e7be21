//! Removes secrets from texts of other programs and libraries.

use crate::error::redact_url;

/// The text as one line of at most `longest` characters, in which URLs have lost user information,
/// query and fragment, and control characters are gone.
pub(crate) fn scrub(text: &str, longest: usize) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let line: Vec<String> = words
        .map(|word| match word.split_once('?') {
            _ if word.contains("://") => without_secrets(word),
            // The end of an address: `talk?key=x:`.
            Some((before, after)) if after.contains('=') => before.to_owned(),
            _ => word.to_owned(),
        })
        .collect();
    line.join(" ").chars().take(longest).collect()
}

/// `(https://host/a?key=x)` becomes `(https://host/a`.
fn without_secrets(word: &str) -> String {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    let at = word.find("://").unwrap_or(0);
    let start = word[..at].rfind(|letter: char| !letters(letter)).map_or(0, |before| before + 1);
    // The character before the scheme may take several bytes.
    let start = (start..=at).find(|index| word.is_char_boundary(*index)).unwrap_or(at);
    format!("{}{}", &word[..start], redact_url(&word[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_what_may_be_secret() {
        let text = "ERROR:\tcannot open (https://me:pw@host/a?key=hunter2), nor\u{1b}[0m url=http://h/b#hunter2 \u{e9}http://x/?hunter2";
        let shown = scrub(text, 500);
        assert!(!shown.contains("hunter2") && !shown.contains("pw@") && !shown.contains('\u{1b}'), "{shown}");
        assert!(shown.contains("(https://host/a") && shown.contains("url=http://h/b") && shown.contains("\u{e9}http://x/"), "{shown}");
        assert_eq!(scrub("[generic] talk?sig=hunter2: why? no", 99), "[generic] talk why? no");
        assert_eq!(scrub("abc", 2), "ab");
        scrub("://", 9);
    }
}
