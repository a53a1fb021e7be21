//! The texts of a clip's posts: the scorer's, else words of the transcript.

use std::collections::HashMap;

use super::caption::{Vocabulary, normalized};
use crate::model::{About, Candidate, PostTexts, Transcript, Word, script};

/// The longest excerpt of the transcript, in characters.
const EXCERPT: usize = 220;
/// The most tags that are taken from the transcript, and the fewest letters of one.
const TAGS: usize = 5;
const MIN_TAG_LETTERS: usize = 4;

/// The texts of a clip with these words.
///
/// Without a description of the scorer, it is the clip's first sentences as they are said. Then
/// follow the title of the video and who published it, if they are known. Without tags of the
/// scorer, they are the names and the rare words of the clip. Texts beyond the limits of a plan are
/// shortened; the second value says what was lost.
pub(super) fn post_texts(candidate: &Candidate, about: &About, transcript: &Transcript, words: &[Word]) -> (PostTexts, Option<String>) {
    let written = candidate.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let text = written.map_or_else(|| excerpt(words), str::to_owned);
    let credit = [&about.title, &about.uploader].into_iter().flatten().map(|part| part.trim()).filter(|part| !part.is_empty());
    let credit = credit.collect::<Vec<_>>().join(" \u{2013} ");
    let parts = [text, credit].into_iter().filter(|part| !part.is_empty());
    let tags = if candidate.tags.is_empty() { keywords(transcript, words) } else { candidate.tags.clone() };
    let mut texts = PostTexts::new(parts.collect::<Vec<_>>().join("\n\n"), tags);
    texts.language.clone_from(&transcript.language);
    let lost = texts.shorten();
    (texts, lost)
}

/// The first sentences, as many as fit; a part of the first if it is too long.
fn excerpt(words: &[Word]) -> String {
    let mut whole = String::new();
    let mut longest = String::new();
    for end in 1..=words.len() {
        let text = script::join(words[..end].iter().map(|word| word.text.trim()));
        if text.chars().count() > EXCERPT {
            break;
        }
        if text.ends_with(['.', '?', '!', '\u{2026}', '\u{3002}', '\u{ff1f}', '\u{ff01}']) || end == words.len() {
            whole.clone_from(&text);
        }
        longest = text;
    }
    match whole.is_empty() {
        true if longest.is_empty() => longest,
        true => format!("{}\u{2026}", longest.trim_end_matches([',', ';', ':'])),
        false => whole,
    }
}

/// Names and rare words, those that are said most first.
fn keywords(transcript: &Transcript, words: &[Word]) -> Vec<String> {
    let vocabulary = Vocabulary::of(&transcript.words);
    let mut found: Vec<(String, f64)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (n, word) in words.iter().enumerate() {
        let tag: String = word.text.chars().filter(|letter| letter.is_alphanumeric()).collect();
        let weight = vocabulary.weight(&word.text, n.checked_sub(1).map(|n| words[n].text.as_str()));
        let is_word = tag.chars().count() >= MIN_TAG_LETTERS && !tag.chars().any(char::is_numeric) && !tag.chars().any(script::is_unspaced);
        if weight <= 0.0 || !is_word {
            continue;
        }
        let key = normalized(&tag);
        match places.get(&key) {
            Some(place) => found[*place].1 += weight,
            None => {
                places.insert(key, found.len());
                found.push((tag.to_lowercase(), weight));
            }
        }
    }
    // The sort is stable: of equal words, the first said comes first.
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.into_iter().take(TAGS).map(|(tag, _)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Score, Span};
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<Word> {
        text.split(' ').enumerate().map(|(n, text)| Word::new(text, n as f64, n as f64 + 0.9)).collect()
    }

    fn texts(text: &str, change: impl FnOnce(&mut Candidate, &mut About)) -> PostTexts {
        let mut candidate = Candidate::new(Span::secs(0.0, 9.0).unwrap(), Score::of(50.0), "A title", "");
        let mut about = About::new();
        change(&mut candidate, &mut about);
        let mut transcript = Transcript::new(words(text));
        transcript.language = Some("en".into());
        let said = transcript.words.clone();
        let (texts, lost) = post_texts(&candidate, &about, &transcript, &said);
        assert_eq!(lost, None);
        texts
    }

    #[test]
    fn texts_beyond_the_limits_are_shortened_and_counted() {
        let mut candidate = Candidate::new(Span::secs(0.0, 9.0).unwrap(), Score::of(50.0), "A title", "");
        candidate.description = Some("long ".repeat(2000));
        candidate.tags = (0..70).map(|n| format!("tag{n}")).chain(["x".repeat(101), " ".into()]).collect();
        let (texts, lost) = post_texts(&candidate, &About::new(), &Transcript::new(words("a b")), &words("a b"));
        texts.check().unwrap();
        assert!(texts.description.starts_with("long long") && texts.description.ends_with("long\u{2026}"));
        assert_eq!((texts.tags.len(), texts.tags[0].as_str()), (60, "tag0"));
        let lost = lost.unwrap();
        assert!(lost.contains("from 9999 to 5000 characters") && lost.contains("11 of 71 tags"), "{lost}");
    }

    #[test]
    fn without_a_scorers_text_the_words_that_are_said_describe_the_clip() {
        let found = texts("When I met Einstein in 1905 he said that gravitation is a thing. Actually we know.", |_, about| {
            (about.title, about.uploader) = (Some("On clocks".into()), Some("Ann".into()));
        });
        let said = "When I met Einstein in 1905 he said that gravitation is a thing. Actually we know.";
        assert_eq!(found.description, format!("{said}\n\nOn clocks \u{2013} Ann"));
        assert_eq!(found.tags, ["einstein", "gravitation", "actually"]);
        assert_eq!(found.language.as_deref(), Some("en"));
        // Sentences that do not fit are left out, and a single long one is cut.
        let long = texts(&format!("One sentence. {}end.", "more words ".repeat(30)), |_, _| {});
        assert_eq!(long.description, "One sentence.");
        let endless = texts(&"more, words ".repeat(60), |_, _| {}).description;
        assert!(endless.ends_with("\u{2026}") && endless.chars().count() <= EXCERPT + 1 && !endless.contains(",\u{2026}"), "{endless}");
        assert!(texts("", |_, _| {}).description.is_empty());
    }

    #[test]
    fn a_scorers_texts_come_first() {
        let found = texts("When I met Einstein", |candidate, about| {
            (candidate.description, candidate.tags) = (Some(" Meeting him. ".into()), vec!["physics".into()]);
            about.title = Some("On clocks".into());
        });
        assert_eq!((found.description.as_str(), found.tags), ("Meeting him.\n\nOn clocks", vec!["physics".to_owned()]));
    }

    proptest! {
        #[test]
        fn texts_are_valid_and_say_only_what_is_said(text in "(?s).{0,400}") {
            let found = texts(&text, |_, _| {});
            found.check().unwrap();
            let said = normalized(&text);
            prop_assert!(found.tags.iter().all(|tag| said.contains(&normalized(tag))), "{found:?}");
        }
    }
}
