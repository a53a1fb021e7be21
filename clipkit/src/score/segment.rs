//! Splits a transcript into sentences and classifies its words.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::lexicon::{Lexicon, Traits, key};
use super::unspaced;
use crate::model::{Word, script};

/// The end of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Stop,
    Question,
    Exclamation,
    /// A pause, a change of speaker or a forced split, without punctuation.
    Pause,
}

/// A sentence: a range of the transcript's words. Times are in seconds.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) words: Range<usize>,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) ends: End,
    /// The silence after it, in seconds.
    pub(super) gap: f64,
    /// The longest silence inside it, in seconds.
    pub(super) longest_gap: f64,
}

/// A transcript split into sentences with classified words.
pub(super) struct AnalyzedTranscript<'a> {
    pub(super) words: Cow<'a, [Word]>,
    pub(super) traits: Vec<Traits>,
    pub(super) keys: Vec<String>,
    /// The word count of each word: see [`weight`].
    pub(super) weights: Vec<f64>,
    /// The stem number of each word; `None` for words without content.
    pub(super) stems: Vec<Option<u32>>,
    pub(super) stem_count: usize,
    pub(super) sentences: Vec<Sentence>,
    /// The language code; empty if unknown.
    pub(super) language: String,
    /// The number of sentence-ending marks before each word.
    marks: Vec<u32>,
}

/// A silence of this length ends a sentence, in seconds.
const LONG_PAUSE: f64 = 2.0;
/// Text with fewer sentence-ending marks than one per this many words counts as unpunctuated.
const WORDS_PER_MARK: usize = 50;

impl<'a> AnalyzedTranscript<'a> {
    /// Analyses a transcript. Sentences are split to last at most `longest` seconds.
    pub(super) fn read(words: impl Into<Cow<'a, [Word]>>, language: Option<&str>, longest: f64) -> Self {
        let transcript = words.into();
        let words = &*transcript;
        let keys: Vec<String> = words.iter().map(|word| key(&word.text)).collect();
        let lexicon = Lexicon::of(language, &keys);
        let cased = words.iter().any(|word| word.text.starts_with(char::is_uppercase));
        let ends: Vec<Option<End>> = (0..words.len()).map(|n| end_mark(words, &keys, n, cased)).collect();
        let mut marks = vec![0];
        marks.extend(ends.iter().scan(0, |sum, end| {
            *sum += u32::from(end.is_some());
            Some(*sum)
        }));
        let sentences = sentences(words, &ends, longest);
        let mut traits: Vec<Traits> = keys.iter().map(|key| traits(&lexicon, key)).collect();
        for sentence in &sentences {
            for n in sentence.words.clone().skip(1) {
                let word = &words[n].text;
                if word.starts_with(char::is_uppercase) && !traits[n].has(Traits::FIRST_PERSON) && word.chars().count() > 1 {
                    traits[n] = traits[n].with(Traits::NAME);
                }
            }
        }
        let (stems, stem_count) = stems(&keys, &traits, lexicon.has_lists);
        mark_disfluencies(&keys, &mut traits);
        for sentence in &sentences {
            unspaced::mark(&words[sentence.words.clone()], &mut traits[sentence.words.clone()]);
        }
        let weights = words.iter().map(|word| weight(&word.text)).collect();
        AnalyzedTranscript { words: transcript, traits, keys, weights, stems, stem_count, sentences, language: lexicon.language, marks }
    }
}

/// The number of words that a written word counts as: 1 with spaces between words, 0.4 per
/// character in scripts without spaces.
pub(super) fn weight(word: &str) -> f64 {
    const WORDS_PER_LETTER: f64 = 0.4;
    let letters = word.chars().filter(|letter| script::is_unspaced(*letter)).count();
    if letters == 0 { 1.0 } else { letters as f64 * WORDS_PER_LETTER }
}

/// Marks "you know", "I mean" and repeated words as fillers.
fn mark_disfluencies(keys: &[String], traits: &mut [Traits]) {
    const PAIRS: [(&str, &str); 6] = [("you", "know"), ("i", "mean"), ("sort", "of"), ("kind", "of"), ("or", "whatever"), ("and", "stuff")];
    for n in 1..keys.len() {
        let (before, after) = (keys[n - 1].as_str(), keys[n].as_str());
        if PAIRS.contains(&(before, after)) || (before == after && !before.is_empty()) {
            traits[n] = traits[n].with(Traits::FILLER);
        }
    }
}

impl AnalyzedTranscript<'_> {
    /// Whether the transcript has marks of sentences at all: some have few, in parts.
    pub(super) fn has_marks(&self) -> bool {
        const WORDS_PER_MARK: usize = 150;
        self.marks.last().is_some_and(|marks| *marks as usize * WORDS_PER_MARK >= self.words.len() && *marks > 0)
    }

    /// Whether the text around word `n` is punctuated. A transcript may mix punctuated and
    /// unpunctuated parts.
    pub(super) fn is_punctuated(&self, n: usize) -> bool {
        const CONTEXT_SENTENCES: usize = 100;
        let (from, to) = (n.saturating_sub(CONTEXT_SENTENCES), (n + CONTEXT_SENTENCES).min(self.words.len()));
        let marks = self.marks.get(to).zip(self.marks.get(from)).map_or(0, |(to, from)| to - from) as usize;
        marks * WORDS_PER_MARK >= to - from
    }
}

fn traits(lexicon: &Lexicon, key: &str) -> Traits {
    let known = lexicon.traits(key);
    if key.starts_with(|c: char| c.is_numeric()) { known.with(Traits::NUMBER) } else { known }
}

/// The sentence end after word `n`, if there is one.
fn end_mark(words: &[Word], keys: &[String], n: usize, cased: bool) -> Option<End> {
    const SHORT_FORMS: [&str; 22] = [
        "mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "jr", "sr", "no", "inc", "ltd", "fig", "approx", "gen", "sen",
        "rev", "u.s", "ca",
    ];
    let text = words[n].text.trim_end_matches(['"', '\'', ')', ']', '\u{201d}', '\u{2019}', '\u{300d}', '\u{300f}', '\u{ff09}', '\u{bb}']);
    let next = words.get(n + 1).and_then(|word| word.text.chars().find(|c| c.is_alphanumeric()));
    let goes_on = cased && next.is_some_and(char::is_lowercase);
    if goes_on && text.len() < words[n].text.len() {
        // Direct speech: "Why?" he asked.
        return None;
    }
    match text.chars().next_back()? {
        '?' | '\u{ff1f}' | '\u{61f}' => Some(End::Question),
        '!' | '\u{ff01}' => Some(End::Exclamation),
        '\u{3002}' | '\u{964}' | '\u{6d4}' => Some(End::Stop),
        '.' | '\u{2026}' => {
            let initial =
                keys[n].chars().count() == 1 && keys[n].chars().all(|c| c.is_alphabetic() && !script::is_unspaced(c)) && keys[n] != "i";
            let short = initial || SHORT_FORMS.contains(&keys[n].as_str()) && next.is_some();
            (!short && !goes_on).then_some(End::Stop)
        }
        _ => None,
    }
}

fn sentences(words: &[Word], ends: &[Option<End>], longest: f64) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut from = 0;
    for n in 0..words.len() {
        let next = words.get(n + 1);
        let gap = gap_after(words, n);
        let speaker_changes = next.is_some_and(|next| next.speaker != words[n].speaker);
        let end = match ends[n] {
            Some(end) => Some(end),
            None if next.is_none() || gap >= LONG_PAUSE || speaker_changes => Some(End::Pause),
            None => None,
        };
        if let Some(end) = end {
            split(words, from..n + 1, end, longest, &mut sentences);
            from = n + 1;
        }
    }
    sentences
}

/// Adds a sentence. A sentence that is too long is split at its longest pause; a comma counts as
/// 0.4 s.
fn split(words: &[Word], range: Range<usize>, ends: End, longest: f64, sentences: &mut Vec<Sentence>) {
    let (Some(first), Some(last)) = (words.get(range.start), words.get(range.end - 1)) else { return };
    let (start, end) = (first.start.secs(), last.end.secs());
    if end - start > longest && range.len() > 1 {
        // The split lies in the middle half, which limits the recursion depth.
        let middle = (range.start + range.len() / 4)..(range.end - 1 - range.len() / 4).max(range.start + range.len() / 4 + 1);
        let worth =
            |n: usize| gap_after(words, n) + if words[n].text.ends_with([',', ';', ':', '\u{3001}', '\u{ff0c}']) { 0.4 } else { 0.0 };
        let centre = (range.start + range.end) / 2;
        let cut = middle.max_by(|&a, &b| worth(a).total_cmp(&worth(b)).then(b.abs_diff(centre).cmp(&a.abs_diff(centre)))).unwrap_or(centre);
        let cut = cut.clamp(range.start, range.end - 2);
        split(words, range.start..cut + 1, End::Pause, longest, sentences);
        split(words, cut + 1..range.end, ends, longest, sentences);
        return;
    }
    let longest_gap = (range.start..range.end - 1).map(|n| gap_after(words, n)).fold(0.0, f64::max);
    let gap = gap_after(words, range.end - 1);
    sentences.push(Sentence { words: range, start, end, ends, gap, longest_gap });
}

fn gap_after(words: &[Word], n: usize) -> f64 {
    words.get(n + 1).map_or(LONG_PAUSE, |next| (next.start.secs() - words[n].end.secs()).max(0.0))
}

/// Numbers the stems. A stem is the first six letters of a word, which most inflections share in
/// most languages. Without stop word lists, the most frequent stems count as words without content.
fn stems(keys: &[String], traits: &[Traits], known: bool) -> (Vec<Option<u32>>, usize) {
    const LETTERS: usize = 6;
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut counts: Vec<usize> = Vec::new();
    let mut stems: Vec<Option<u32>> = keys
        .iter()
        .zip(traits)
        .map(|(key, traits)| {
            if key.is_empty() || traits.has(Traits::STOP_WORD) || traits.has(Traits::FILLER) {
                return None;
            }
            let end = key.char_indices().nth(LETTERS).map_or(key.len(), |(end, _)| end);
            let next = numbers.len() as u32;
            let number = *numbers.entry(&key[..end]).or_insert(next);
            if number == next {
                counts.push(0);
            }
            counts[number as usize] += 1;
            Some(number)
        })
        .collect();
    if !known {
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by_key(|&number| std::cmp::Reverse(counts[number]));
        let mut frequent = vec![false; counts.len()];
        for number in order.into_iter().take(60.min(counts.len() / 5)) {
            frequent[number] = true;
        }
        for stem in &mut stems {
            *stem = stem.filter(|&number| !frequent[number as usize]);
        }
    }
    let count = numbers.len();
    (stems, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, secs: f64) -> Vec<Word> {
        text.split_whitespace().enumerate().map(|(n, word)| Word::new(word, n as f64 * secs, n as f64 * secs + secs * 0.8)).collect()
    }

    fn shown(words: &[Word], longest: f64) -> Vec<String> {
        let transcript = AnalyzedTranscript::read(words, None, longest);
        transcript.sentences.iter().map(|s| words[s.words.clone()].iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn sentences_end_at_marks_but_not_at_abbreviations() {
        let words = words("Dr. Lee met J. Smith at 3.5 p.m. on Monday. \"Why?\" he asked. It was etc. and so on! Really than I. Done", 0.3);
        assert_eq!(
            shown(&words, 20.0),
            ["Dr. Lee met J. Smith at 3.5 p.m. on Monday.", "\"Why?\" he asked.", "It was etc. and so on!", "Really than I.", "Done"]
        );
    }

    #[test]
    fn without_punctuation_pauses_end_sentences() {
        let mut words = words("one two three four five six seven eight nine ten", 0.5);
        for word in &mut words[4..] {
            word.start = word.start.plus(0.6);
            word.end = word.end.plus(0.6);
        }
        assert_eq!(shown(&words, 4.0), ["one two three four", "five six seven eight nine ten"]);
        assert!(!AnalyzedTranscript::read(&words, None, 4.0).is_punctuated(5));
        let long: Vec<Word> = (0..5000).map(|n| Word::new("la", f64::from(n) * 0.3, f64::from(n) * 0.3 + 0.3)).collect();
        let transcript = AnalyzedTranscript::read(&long, None, 5.0);
        assert!(transcript.sentences.iter().all(|s| s.end - s.start <= 5.0 + 1e-6 && !s.words.is_empty()));
        assert_eq!(transcript.sentences.iter().map(|s| s.words.len()).sum::<usize>(), 5000);
    }
}
