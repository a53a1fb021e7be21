//! What names of speakers look like.

/// The longest name of a speaker in characters.
pub(super) const MAX_NAME: usize = 40;

/// Whether each of at most three words starts with a capital: `Ann`, `Dr. Lee`.
pub(super) fn is_title(name: &str) -> bool {
    name.chars().count() <= MAX_NAME
        && (1..=3).contains(&name.split(' ').count())
        && name.split(' ').all(|word| word.starts_with(|c: char| c.is_uppercase() || c.is_numeric()))
        && name.chars().all(is_in_names)
        && name.chars().any(char::is_alphabetic)
}

pub(super) fn is_in_names(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, ' ' | '.' | '\'' | '\u{2019}' | '-' | '_' | '#' | '&')
}

/// Whether this is a label of a diarization: `SPEAKER_00`, `Speaker 1`, `spk_0`, `Sprecher A`.
pub(super) fn is_label(text: &str) -> bool {
    const STEMS: [&str; 28] = [
        "speaker",
        "spkr",
        "spk",
        "sprecher",
        "sprecherin",
        "locuteur",
        "intervenant",
        "orador",
        "hablante",
        "locutor",
        "falante",
        "parlante",
        "spreker",
        "talare",
        "puhuja",
        "konuşmacı",
        "спикер",
        "говорящий",
        "диктор",
        "мовець",
        "发言人",
        "说话人",
        "講者",
        "話者",
        "화자",
        "발화자",
        "참석자",
        "s",
    ];
    let lower = text.trim().to_lowercase();
    if matches!(lower.as_str(), "speaker" | "unknown speaker" | "unknown") {
        return true;
    }
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = if stem.len() == lower.len() {
        stem.strip_suffix(|c: char| c.is_ascii_lowercase()).filter(|rest| rest.ends_with([' ', '_', '-'])).unwrap_or("")
    } else {
        stem
    };
    STEMS.contains(&stem.trim_end_matches([' ', '_', '-', '#', ':']))
}

/// Whether this is a name in capitals: `ANNA`, `DR. LEE`, `MAN 1`.
pub(super) fn is_capitals(name: &str) -> bool {
    let name = name.trim();
    name.chars().filter(|c| c.is_uppercase()).count() >= 2
        && !name.chars().any(char::is_lowercase)
        && name.split(' ').count() <= 3
        && name.chars().all(is_in_names)
}
