//! Whether a text of a model (a title, a hook line, a description, a tag) says only what a clip
//! says. Pure.

use std::collections::HashSet;

use crate::model::{About, script};

/// Words with the same first letters count as forms of one word.
const STEM_LETTERS: usize = 5;
/// The part of a text's long words that the clip must say: a summary has words of its own.
const MIN_SHARE: f64 = 0.5;

/// What is said in a clip, and what its source says of itself.
pub(super) struct Said {
    words: HashSet<String>,
    stems: HashSet<String>,
    letters: HashSet<char>,
    /// Whether capitals in the clip's text mark names.
    capitals_mark_names: bool,
}

impl Said {
    /// The words of a clip's text, and of the title and the publisher of its source.
    pub(super) fn of(text: &str, about: Option<&About>) -> Self {
        let about = about.into_iter().flat_map(|about| [&about.title, &about.uploader]).flatten().map(String::as_str);
        let capitals_mark_names =
            text.split_whitespace().all(|word| !script::is_capital(word)) || script::capitals_mark_names(text.split_whitespace());
        let (mut words, mut stems, mut letters) = (HashSet::new(), HashSet::new(), HashSet::new());
        for word in std::iter::once(text).chain(about).flat_map(parts) {
            letters.extend(word.chars());
            stems.insert(stem(&word));
            words.insert(word);
        }
        Said { words, stems, letters, capitals_mark_names }
    }

    /// Whether each number and name of a text is said, and most of its long words are.
    pub(super) fn supports(&self, text: &str) -> bool {
        if text.chars().any(script::is_unspaced) {
            let (mut all, mut said) = (0_usize, 0_usize);
            for letter in text.chars().filter(|letter| letter.is_alphanumeric()) {
                all += 1;
                said += usize::from(self.letters.contains(&letter));
            }
            return said as f64 >= MIN_SHARE * all as f64;
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        // One capital inside a short title is a name, several may be title case.
        let capitals = words.windows(2).filter(|pair| script::is_name(pair[1], Some(pair[0]))).count();
        let have_names = self.capitals_mark_names && (capitals == 1 || script::capitals_mark_names(words.iter().copied()));
        let (mut long, mut said) = (0_usize, 0_usize);
        for (n, word) in words.iter().enumerate() {
            let is_name = have_names && script::is_name(word, n.checked_sub(1).map(|n| words[n]));
            for part in parts(word) {
                let is_said = self.says(&part);
                if (is_name && part.chars().count() > 2 || part.chars().any(char::is_numeric)) && !is_said {
                    return false;
                }
                if part.chars().count() >= STEM_LETTERS {
                    long += 1;
                    said += usize::from(is_said);
                }
            }
        }
        said as f64 >= MIN_SHARE * long as f64
    }

    /// Whether all words of a tag are said.
    pub(super) fn has(&self, tag: &str) -> bool {
        if tag.chars().any(script::is_unspaced) {
            return tag.chars().filter(|letter| letter.is_alphanumeric()).all(|letter| self.letters.contains(&letter));
        }
        parts(tag).all(|part| self.says(&part))
    }

    /// Whether a word is said in some form.
    fn says(&self, word: &str) -> bool {
        self.words.contains(word) || (word.chars().count() >= STEM_LETTERS && self.stems.contains(&stem(word)))
    }
}

/// The words of a text in lower case. Apostrophes and hyphens separate them.
fn parts(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase)
}

fn stem(word: &str) -> String {
    word.chars().take(STEM_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        let mut about = About::new();
        (about.title, about.uploader) = (Some("The clock maker".into()), Some("Ann Lovelace".into()));
        Said::of("Every clock is wrong by 40 seconds, and Newton's gravitation explains why we measured it.", Some(&about))
    }

    #[test]
    fn a_description_names_only_what_is_said() {
        for (text, expected) in [
            ("Every clock is wrong, and gravity is why.", true),
            ("Newton explains measuring clocks.", true),
            ("Why does Ann measure clocks?", true),
            ("Every clock is wrong by 90 seconds.", false),
            ("The clock of Einstein is wrong.", false),
            ("A heartwarming story about friendship between neighbours.", false),
            ("Why Newton was right", true),
            ("Why Einstein measured clocks", false),
            ("Why Newton measured clocks", true),
            ("Einstein And The Gravitation Of Clocks", true),
            ("Every Clock Is Wrong By 40 Seconds", true),
            ("", true),
        ] {
            assert_eq!(said().supports(text), expected, "{text}");
        }
    }

    #[test]
    fn nouns_with_capitals_are_no_names() {
        let said = Said::of("Jede Uhr geht falsch und die Schwerkraft erklärt warum.", None);
        assert!(said.supports("Warum jede Uhr falsch geht: Die Schwerkraft und ihre Erklärung im Alltag."));
        assert!(!said.supports("Ein Film über Freundschaft, Liebe, Abenteuer und fremde Länder."));
    }

    #[test]
    fn tags_are_said_in_some_form() {
        let said = said();
        assert!(said.has("clock") && said.has("gravity") == said.has("gravitational") && said.has("ann lovelace"));
        assert!(!said.has("motivation") && !said.has("time"));
        let japanese = Said::of("時計はすべて間違っています", None);
        assert!(
            japanese.has("時計")
                && !japanese.has("音楽")
                && japanese.supports("すべての時計は間違い")
                && !japanese.supports("美しい音楽の夜")
        );
    }
}
