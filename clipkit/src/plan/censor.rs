//! Censored words: which they are, and how they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{CensorSound, Censored, ClipPlan, Span, Timestamp};

/// A stretch starts so much before its word and ends so much after it, in seconds, but not beyond
/// the middle of the pause there: times of words are not exact.
const MARGIN: f64 = 0.05;
/// The shortest stretch in seconds, for words whose times are the same.
const SHORTEST: f64 = 0.08;
/// The most words and phrases of a list.
const MOST_WORDS: usize = 20_000;

/// Words that are not to be heard or read.
///
/// An entry is a word or several words that follow each other. Case, punctuation and Unicode forms
/// (NFKC) do not count. An entry means whole words: `ass` is not found in `class`, but in
/// `half-ass` and `ass's`, whose parts are words. An entry that ends with `*` means all words that
/// start so: `damn*` also finds `damned`.
///
/// ```
/// use clipkit::model::CensorSound;
/// use clipkit::plan::Censor;
///
/// let censor = Censor::from_text("# both languages\ndamn*\n[de]\nverdammt*\n")?;
/// assert_eq!(censor.words, ["damn*"]);
/// assert_eq!(censor.with, CensorSound::Beep);
/// assert_eq!(censor.starred("Damned clocks!", Some("en")), "D***** clocks!");
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Censor {
    /// The entries for every language.
    pub words: Vec<String>,
    /// More entries by language: the first part of a language tag, such as `en`. They count if the
    /// transcript has this language or none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub languages: BTreeMap<String, Vec<String>>,
    /// What is heard instead. Default `beep`.
    pub with: CensorSound,
}

impl Censor {
    /// A list of entries for every language.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Censor { words: words.into_iter().map(Into::into).collect(), ..Censor::default() }
    }

    /// Reads a list: an entry a line. What follows `#` is a comment. A line `[de]` starts the
    /// entries of a language, `[*]` those of every language.
    ///
    /// # Errors
    ///
    /// Those of [`Censor::check`].
    pub fn from_text(text: &str) -> Result<Self> {
        let mut censor = Censor::default();
        let mut language = None;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                language = Some(primary(name.trim())).filter(|name| name != "*");
            } else if !line.is_empty() {
                match &language {
                    Some(language) => censor.languages.entry(language.clone()).or_default().push(line.to_owned()),
                    None => censor.words.push(line.to_owned()),
                }
            }
        }
        censor.check()?;
        Ok(censor)
    }

    /// Checks the entries.
    ///
    /// A list without entries, or an entry without letters, is an error of the kind
    /// [`ErrorKind::Config`]; more than 20,000 entries are one of the kind
    /// [`ErrorKind::TooLarge`].
    pub fn check(&self) -> Result<()> {
        let all = || self.words.iter().chain(self.languages.values().flatten());
        let count = all().count();
        if count == 0 {
            return Err(Error::new(ErrorKind::Config, "there are no words to censor").with_advice("give a word a line"));
        }
        if count > MOST_WORDS {
            return Err(Error::new(ErrorKind::TooLarge, format!("the list of words to censor has {count} entries; at most {MOST_WORDS}")));
        }
        match all().find(|entry| Entry::of(entry).is_none()) {
            Some(entry) => Err(Error::new(ErrorKind::Config, format!("{entry:?} is no word to censor: a part of it has no letters"))
                .with_advice("give words, with * at the end for all that start so")),
            None => Ok(()),
        }
    }

    /// A text with its censored words as their first letters and stars: `D*** it!`.
    pub fn starred(&self, text: &str, language: Option<&str>) -> String {
        Matcher::of(self, language).starred(text)
    }
}

/// The first part of a language tag.
fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

/// A word as it is compared: letters and digits in lower case, of the form NFKC.
fn plain(text: &str) -> String {
    let lower: String = text.chars().flat_map(char::to_lowercase).collect();
    let composed = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize(&lower).into_owned();
    composed.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// One entry: the words that follow each other, and whether each stands for all that start so.
struct Entry(Vec<(String, bool)>);

impl Entry {
    fn of(text: &str) -> Option<Self> {
        let part = |word: &str| {
            let (text, is_start) = word.strip_suffix('*').map_or((word, false), |start| (start, true));
            Some((plain(text), is_start)).filter(|(text, _)| !text.is_empty())
        };
        let parts: Option<Vec<_>> = text.split_whitespace().map(part).collect();
        parts.filter(|parts| !parts.is_empty()).map(Entry)
    }
}

/// Finds the words of a list.
pub(crate) struct Matcher {
    entries: Vec<Entry>,
}

/// A spoken word as it is compared: as a whole and, if it has several, its parts.
struct Said(Vec<String>);

impl Said {
    fn of(word: &str) -> Self {
        let parts: Vec<String> = word.split(|letter: char| !letter.is_alphanumeric() && !is_mark(letter)).map(plain).collect();
        let mut forms = vec![plain(word)];
        if parts.len() > 1 {
            forms.extend(parts);
        }
        forms.retain(|form| !form.is_empty());
        Said(forms)
    }

    fn is(&self, (text, is_start): &(String, bool)) -> bool {
        self.0.iter().any(|form| if *is_start { form.starts_with(text) } else { form == text })
    }
}

/// Whether a letter is a combining mark, which is part of the letter before.
fn is_mark(letter: char) -> bool {
    // A mark alone adds no grapheme to a letter.
    !letter.is_ascii() && ['a', letter].iter().collect::<String>().graphemes(true).count() == 1
}

impl Matcher {
    /// Finds what a list censors in a language.
    pub(crate) fn of(list: &Censor, language: Option<&str>) -> Self {
        let language = language.map(primary);
        let of_language = |(name, _): &(&String, &Vec<String>)| language.as_ref().is_none_or(|language| primary(name) == *language);
        let more = list.languages.iter().filter(of_language).flat_map(|(_, words)| words);
        Matcher { entries: list.words.iter().chain(more).filter_map(|entry| Entry::of(entry)).collect() }
    }

    /// Which of these words, in order, are censored.
    pub(crate) fn find(&self, words: &[&str]) -> Vec<bool> {
        let said: Vec<(usize, Said)> =
            words.iter().enumerate().map(|(n, word)| (n, Said::of(word))).filter(|(_, said)| !said.0.is_empty()).collect();
        let mut found = vec![false; words.len()];
        for from in 0..said.len() {
            for Entry(entry) in &self.entries {
                let Some(part) = said.get(from..from + entry.len()) else { continue };
                if part.iter().zip(entry).all(|((_, said), word)| said.is(word)) {
                    part.iter().for_each(|(n, _)| found[*n] = true);
                }
            }
        }
        found
    }

    /// A text with its censored words starred.
    pub(crate) fn starred(&self, text: &str) -> String {
        let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
        words.iter().zip(self.find(&words)).map(|(word, found)| if found { stars(word) } else { (*word).to_owned() }).collect()
    }
}

/// A word as its first letter and stars. Punctuation stays.
pub(crate) fn stars(word: &str) -> String {
    let is_letter = |cluster: &str| cluster.chars().any(char::is_alphanumeric);
    let letters = word.graphemes(true).filter(|cluster| is_letter(cluster)).count();
    // Stars stay as they are, so that a word can be censored again.
    if letters == 0 || (letters == 1 && word.contains('*')) {
        return word.to_owned();
    }
    let mut seen = 0;
    let starred = word.graphemes(true).map(|cluster| {
        if !is_letter(cluster) {
            return cluster;
        }
        seen += 1;
        if seen == 1 && letters > 1 { cluster } else { "*" }
    });
    starred.collect()
}

/// Censors a plan: stretches of the sound, captions, title, hook, reason and the texts of posts.
/// `words` are the words that the clip plays, with their times in the clip, in order.
pub(crate) fn censor(plan: &mut ClipPlan, words: &[(&str, Span)], matcher: &Matcher, with: CensorSound) {
    let texts: Vec<&str> = words.iter().map(|(text, _)| *text).collect();
    let found = matcher.find(&texts);
    let end = plan.timeline().end();
    let spans: Vec<Span> = words.iter().map(|(_, span)| *span).collect();
    for (n, _) in found.iter().enumerate().filter(|(_, found)| **found) {
        plan.censored.push(Censored::new(stretch(&spans, n, end), with));
    }
    tidy(&mut plan.censored);
    let hook = plan.hook.as_mut().map(|hook| &mut hook.text);
    let description = Some(&mut plan.post.description);
    for text in [Some(&mut plan.title), plan.hook_line.as_mut(), hook, Some(&mut plan.reason), description].into_iter().flatten() {
        *text = matcher.starred(text);
    }
    // Platforms accept no stars in tags, and nobody searches for them.
    plan.post.tags.retain(|tag| matcher.starred(tag) == *tag);
    if let Some(track) = &mut plan.captions {
        let shown: Vec<String> = track.cues.iter().flat_map(|cue| &cue.words).map(|word| word.text.clone()).collect();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let found = matcher.find(&shown);
        for (word, found) in track.cues.iter_mut().flat_map(|cue| &mut cue.words).zip(found) {
            if found {
                word.text = stars(&word.text);
            }
        }
    }
    star_censored(plan);
}

/// Stars the words of captions that are said in censored stretches.
pub(crate) fn star_censored(plan: &mut ClipPlan) {
    let ClipPlan { captions, censored, .. } = plan;
    for word in captions.iter_mut().flat_map(|track| &mut track.cues).flat_map(|cue| &mut cue.words) {
        let middle = Timestamp::from_micros(word.span.start().micros() / 2 + word.span.end().micros() / 2);
        let at = censored.partition_point(|stretch| stretch.span.end() <= middle);
        if censored.get(at).is_some_and(|stretch| stretch.span.contains(middle)) {
            word.text = stars(&word.text);
        }
    }
}

/// The stretch of the clip for a word.
fn stretch(spans: &[Span], n: usize, end: Timestamp) -> Span {
    let Some(word) = spans.get(n) else { return Span::between(end, end) };
    let margin = |pause: Option<f64>| pause.map_or(MARGIN, |pause| MARGIN.min((pause / 2.0).max(0.0)));
    let before = n.checked_sub(1).and_then(|n| spans.get(n)).map(|last| word.start().since(last.end()).secs());
    let after = spans.get(n + 1).map(|next| next.start().since(word.end()).secs());
    let (mut from, mut to) = (word.start().plus(-margin(before)), word.end().plus(margin(after)));
    let missing = SHORTEST - to.since(from).secs();
    if missing > 0.0 {
        (from, to) = (from.plus(-missing / 2.0), to.plus(missing / 2.0));
    }
    Span::between(from.clamp(Timestamp::ZERO, end), to.clamp(Timestamp::ZERO, end))
}

/// Puts stretches in order. Those that overlap become one, with the sound of the first.
pub(crate) fn tidy(censored: &mut Vec<Censored>) {
    censored.retain(|stretch| !stretch.span.duration().is_zero());
    censored.sort_by_key(|stretch| (stretch.span.start(), stretch.span.end()));
    let mut merged: Vec<Censored> = Vec::with_capacity(censored.len());
    for stretch in censored.drain(..) {
        match merged.last_mut() {
            Some(last) if stretch.span.start() < last.span.end() => {
                last.span = Span::between(last.span.start(), last.span.end().max(stretch.span.end()));
            }
            _ => merged.push(stretch),
        }
    }
    *censored = merged;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(list: &str, text: &str) -> Vec<String> {
        let words: Vec<&str> = text.split(' ').collect();
        let found = Matcher::of(&Censor::from_text(list).unwrap(), Some("en-US")).find(&words);
        words.iter().zip(found).filter(|(_, found)| *found).map(|(word, _)| (*word).to_owned()).collect()
    }

    #[test]
    fn whole_words_are_found_in_any_case_form_and_punctuation() {
        assert_eq!(found("damn", "Damn, the DAMN! damned dam \"damn\""), ["Damn,", "DAMN!", "\"damn\""]);
        assert_eq!(found("damn*", "Damned damnation, condamn"), ["Damned", "damnation,"]);
        assert_eq!(found("ass", "class half-ass ass's a-s-s Assam"), ["half-ass", "ass's", "a-s-s"]);
        assert_eq!(found("scheiße", "Scheiße Scheibe"), ["Scheiße"]);
        // Composed, decomposed, and full-width.
        assert_eq!(found("caf\u{e9}", "cafe\u{301} CAFE\u{301}? cafe"), ["cafe\u{301}", "CAFE\u{301}?"]);
        assert_eq!(found("damn", "\u{ff24}\u{ff21}\u{ff2d}\u{ff2e}"), ["\u{ff24}\u{ff21}\u{ff2d}\u{ff2e}"]);
        assert_eq!(found("блин", "Блин, блины"), ["Блин,"]);
        assert_eq!(found("holy cow", "holy cow holy cows \u{2014} Holy \u{2014} cow!"), ["holy", "cow", "Holy", "cow!"]);
        assert_eq!(found("a\n[de]\nb\n[en]\nc\n[*]\nd # e", "a b c d e"), ["a", "c", "d"]);
    }

    #[test]
    fn a_list_without_meaning_is_refused() {
        for (list, kind) in
            [("", ErrorKind::Config), ("# x\n[en]\n", ErrorKind::Config), ("*", ErrorKind::Config), ("a --", ErrorKind::Config)]
        {
            assert_eq!(Censor::from_text(list).unwrap_err().kind(), kind, "{list}");
        }
        assert_eq!(Censor::from_text(&"a\n".repeat(MOST_WORDS + 1)).unwrap_err().kind(), ErrorKind::TooLarge);
        assert!(serde_json::from_str::<Censor>(r#"{"word": ["a"]}"#).is_err());
        let full: Censor = serde_json::from_str(r#"{"words": ["a"], "languages": {"de": ["b"]}, "with": "mute"}"#).unwrap();
        assert_eq!(serde_json::from_str::<Censor>(&serde_json::to_string(&full).unwrap()).unwrap(), full);
    }

    #[test]
    fn the_first_letter_and_the_punctuation_stay() {
        for (word, starred) in
            [("Damn,", "D***,"), ("(half-ass)", "(h***-***)"), ("a", "*"), ("e\u{301}te\u{301}", "e\u{301}**"), ("--", "--")]
        {
            assert_eq!(stars(word), starred);
            assert_eq!(stars(starred), starred);
        }
        let censor = Censor::new(["damn*", "holy cow"]);
        assert_eq!(censor.starred("Damned  clocks,\nholy cow!", None), "D*****  clocks,\nh*** c**!");
        let by_language = Censor::from_text("[de]\nMist").unwrap();
        assert_eq!((by_language.starred("Mist", Some("en")), by_language.starred("Mist", None)), ("Mist".into(), "M***".into()));
    }

    proptest! {
        #[test]
        fn stretches_are_in_order_and_leave_the_neighbours(
            raw in prop::collection::vec((0.0..0.5f64, 0.0..0.6f64, any::<bool>()), 1..40),
        ) {
            let mut at = 0.0;
            let mut words = Vec::new();
            for (pause, length, is_bad) in raw {
                let start = at + pause;
                at = start + length;
                words.push((Span::secs(start, at).unwrap(), is_bad));
            }
            let spans: Vec<Span> = words.iter().map(|(span, _)| *span).collect();
            let end = Timestamp::from_secs(at + 0.01);
            let mut censored: Vec<Censored> = words.iter().enumerate().filter(|(_, (_, is_bad))| *is_bad)
                .map(|(n, _)| Censored::new(stretch(&spans, n, end), CensorSound::Mute)).collect();
            tidy(&mut censored);
            prop_assert!(censored.is_sorted_by(|a, b| a.span.end() <= b.span.start()));
            for (span, is_bad) in &words {
                let heard = censored.iter().all(|stretch| stretch.span.intersection(*span).is_none());
                if *is_bad {
                    let is_covered = censored.iter().any(|it| it.span.start() <= span.start() && span.end() <= it.span.end());
                    prop_assert!(is_covered || span.duration().is_zero(), "{span}");
                } else if span.duration().as_secs_f64() > 0.1 {
                    let lost: f64 = censored.iter().filter_map(|it| it.span.intersection(*span)).map(|it| it.duration().as_secs_f64()).sum();
                    prop_assert!(heard || lost <= SHORTEST + 1e-5, "{span} loses {lost}");
                }
            }
        }
    }
}
