//! Titles and reasons, composed from a span's own words.

use std::collections::HashMap;

use super::lexicon::{Lexicon, Traits};
use super::segment::{AnalyzedTranscript, End, weight};
use super::sentence_features::SentenceFeatures;
use super::span_score::ScoredSpan;
use crate::model::{Factor, script};

const TITLE_WORDS: f64 = 8.0;
const TITLE_LETTERS: usize = 60;

/// A short title from the span's own words: the most informative complete clause of its first
/// sentences, else its truncated opening.
pub(super) fn title(transcript: &AnalyzedTranscript<'_>, features: &SentenceFeatures, span: &ScoredSpan) -> String {
    const SENTENCES: usize = 8;
    let keys = keyword_weights(transcript, span);
    let mut best: Option<(f64, String)> = None;
    for (place, n) in span.sentences.clone().take(SENTENCES).enumerate() {
        let all = transcript.sentences[n].words.clone();
        let clause_ends: Vec<usize> =
            all.clone().filter(|&word| word + 1 == all.end || ends_clause(&transcript.words[word].text)).map(|word| word + 1).collect();
        let starts = std::iter::once(all.start).chain(clause_ends.iter().copied().filter(|&end| end < all.end));
        for (nth, start) in starts.enumerate() {
            let start = skip_opening_fillers(transcript, start, all.end);
            let inside = if nth == 0 { 0.0 } else { 1.2 };
            for &end in clause_ends.iter().filter(|&&end| end > start + 2) {
                let Some(text) = title_text(transcript, start, end) else { break };
                let asks = if transcript.sentences[n].ends == End::Question { 0.8 } else { 0.0 };
                // "In the second world war," gives a time, not a topic.
                let aside = if PREPOSITIONS.contains(&transcript.keys[start].as_str()) { -2.0 } else { 0.0 };
                let whole = if end == all.end { 1.5 + asks } else { aside };
                if nth > 0 && !has_subject_and_verb(transcript, start, end) {
                    continue;
                }
                let worth = clause(transcript, &keys, start, end) + whole - inside - 0.45 * place as f64 + 0.15 * features.hook[n];
                if worth > 0.0 && best.as_ref().is_none_or(|(known, _)| worth > *known) {
                    best = Some((worth, text));
                }
            }
        }
    }
    let text = best.map_or_else(|| opening_title(transcript, span), |(_, text)| text);
    capitalised(&trimmed(&text))
}

/// Prepositions that open a phrase of time or place.
const PREPOSITIONS: [&str; 53] = [
    "in", "on", "at", "by", "of", "for", "from", "with", "during", "after", "before", "since", "through", "over", "under", "within",
    "when", "im", "am", "bei", "beim", "mit", "nach", "seit", "während", "vor", "auf", "aus", "von", "vom", "dans", "en", "pendant",
    "avec", "chez", "après", "avant", "depuis", "durante", "con", "desde", "hasta", "para", "por", "em", "no", "na", "com", "nel", "nella",
    "dopo", "prima", "da",
];

/// The weight of each stem in the span, 0 to 1, similar to TF-IDF: high if it is frequent in the
/// span and occurs in few other sentences of the transcript.
fn keyword_weights(transcript: &AnalyzedTranscript<'_>, span: &ScoredSpan) -> HashMap<u32, f64> {
    let mut keys: HashMap<u32, f64> = HashMap::new();
    for sentence in &transcript.sentences[span.sentences.clone()] {
        for stem in transcript.stems[sentence.words.clone()].iter().flatten() {
            *keys.entry(*stem).or_default() += 1.0;
        }
    }
    let mut spread: HashMap<u32, f64> = HashMap::new();
    for sentence in &transcript.sentences {
        let mut stems: Vec<u32> =
            transcript.stems[sentence.words.clone()].iter().flatten().filter(|stem| keys.contains_key(stem)).copied().collect();
        stems.sort_unstable();
        stems.dedup();
        for stem in stems {
            *spread.entry(stem).or_default() += 1.0;
        }
    }
    let all = transcript.sentences.len() as f64;
    for (stem, said) in &mut keys {
        let in_sentences = spread.get(stem).copied().unwrap_or(1.0);
        *said = said.min(4.0).sqrt() * ((1.0 + all) / in_sentences).ln();
    }
    let most = keys.values().copied().fold(f64::MIN_POSITIVE, f64::max);
    keys.values_mut().for_each(|key| *key /= most);
    keys
}

fn ends_clause(word: &str) -> bool {
    word.ends_with([',', ';', ':', '\u{2014}', '\u{3001}', '\u{ff0c}'])
}

/// Whether words inside a sentence form a clause and not a list item: a verb with a word before it.
fn has_subject_and_verb(transcript: &AnalyzedTranscript<'_>, start: usize, end: usize) -> bool {
    const VERBS: [&str; 26] = [
        "is", "are", "was", "were", "am", "has", "have", "had", "do", "does", "did", "can", "will", "would", "could", "should", "must",
        "don't", "can't", "isn't", "won't", "didn't", "doesn't", "i'm", "you're", "we're",
    ];
    let is_verb = |n: usize| VERBS.contains(&transcript.keys[n].as_str());
    let short_form = |n: usize| is_verb(n) && transcript.keys[n].contains('\'') && !transcript.keys[n].ends_with("n't");
    short_form(start)
        || (!is_verb(start) && !transcript.traits[start].has(Traits::CONNECTIVE) && (start + 1..end.saturating_sub(1)).any(is_verb))
}

/// The start of a clause after introductory words such as "so", "and" and "well".
fn skip_opening_fillers(transcript: &AnalyzedTranscript<'_>, mut start: usize, end: usize) -> usize {
    let lead = |n: usize| {
        let traits = transcript.traits[n];
        traits.has(Traits::FILLER)
            || (traits.has(Traits::CONNECTIVE) && !traits.has(Traits::ANAPHOR))
            || traits.has(Traits::ANSWER)
            || transcript.keys[n] == "now"
    };
    while start + 3 < end && lead(start) {
        start += 1;
    }
    start
}

fn title_text(transcript: &AnalyzedTranscript<'_>, start: usize, end: usize) -> Option<String> {
    if transcript.weights[start..end].iter().sum::<f64>() > TITLE_WORDS {
        return None;
    }
    let text = script::join(transcript.words[start..end].iter().map(|word| word.text.as_str()));
    (text.chars().count() <= TITLE_LETTERS).then_some(text)
}

/// The value of a clause as a title.
fn clause(transcript: &AnalyzedTranscript<'_>, keys: &HashMap<u32, f64>, start: usize, end: usize) -> f64 {
    let all = &transcript.traits[start..end];
    let count = |wanted: Traits| all.iter().filter(|traits| traits.has(wanted)).count() as f64;
    let mut stems: Vec<u32> = transcript.stems[start..end].iter().flatten().copied().collect();
    stems.sort_unstable();
    stems.dedup();
    let content: f64 = stems.iter().map(|stem| 0.3 + 1.1 * keys.get(stem).copied().unwrap_or(0.0)).sum();
    // A single content word is no statement: "very simple question".
    let content = if stems.len() < 2 { content - 1.2 } else { content };
    let first = all.first().copied().unwrap_or_default();
    let mut worth = content.min(4.2)
        + 0.8 * count(Traits::HOOK).min(2.0)
        + 0.5 * count(Traits::EMOTION).min(2.0)
        + 0.4 * count(Traits::NUMBER).min(1.0)
        - 2.2;
    worth -= if first.has(Traits::ANAPHOR) { 1.8 } else { 0.0 };
    worth -= if first.has(Traits::CONNECTIVE) { 1.0 } else { 0.0 };
    worth -= 0.8 * count(Traits::FILLER) + 1.5 * count(Traits::HOUSEKEEPING);
    worth -= if all.last().is_some_and(|last| last.has(Traits::STOP_WORD)) { 1.2 } else { 0.0 };
    worth
}

/// The truncated opening. It does not end with function words such as "of the".
fn opening_title(transcript: &AnalyzedTranscript<'_>, span: &ScoredSpan) -> String {
    let sentences = &transcript.sentences[span.sentences.clone()];
    let Some(sentence) = sentences.iter().find(|sentence| sentence.words.len() >= 4).or(sentences.first()) else { return String::new() };
    let start = skip_opening_fillers(transcript, sentence.words.start, sentence.words.end);
    let longest =
        (start + 1..=sentence.words.end).take_while(|&end| title_text(transcript, start, end).is_some()).last().unwrap_or(start + 1);
    let mut end = longest;
    while end > start + 3
        && end < sentence.words.end
        && (transcript.traits[end - 1].has(Traits::STOP_WORD) || transcript.traits[end - 1].has(Traits::CONNECTIVE))
    {
        end -= 1;
    }
    script::join(transcript.words[start..end].iter().map(|word| word.text.as_str()))
}

fn trimmed(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(TITLE_LETTERS).collect();
    let mark = |c: char| !c.is_alphanumeric() && !matches!(c, '%' | '$' | '\u{20ac}' | '+' | '#');
    short.trim_start_matches(mark).trim_end_matches(|c| mark(c) && !matches!(c, '?' | '\u{ff1f}')).to_owned()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// One line with the measured properties of the span and what counted most for it.
pub(super) fn reason(transcript: &AnalyzedTranscript<'_>, features: &SentenceFeatures, span: &ScoredSpan, factors: &[Factor]) -> String {
    let (first, last) = (span.sentences.start, span.sentences.end - 1);
    let words = transcript.sentences[first].words.start..transcript.sentences[last].words.end;
    let count = |wanted: Traits| transcript.traits[words.clone()].iter().filter(|traits| traits.has(wanted)).count();
    let opening = &transcript.traits[transcript.sentences[first].words.clone()];
    let opens_with = |wanted: Traits| opening.iter().any(|traits| traits.has(wanted));
    let mut parts: Vec<String> = Vec::new();
    let mut say = |part: &str| parts.push(part.to_owned());
    if transcript.sentences[first].ends == End::Question {
        say("opens with a question");
    } else if opens_with(Traits::SECOND_PERSON) && opens_with(Traits::HOOK) {
        say("opens with a strong line that addresses the listener");
    } else if opens_with(Traits::NUMBER) {
        say("opens with a number");
    } else if span.score.hook >= 5.5 {
        say("opens with a strong line");
    }
    if features.dependence[first] < 0.2 {
        say("stands on its own");
    }
    if features.closure[last] >= 0.8 {
        say("ends with a complete thought");
    }
    if features.topic_shift.get(last + 1).is_some_and(|&shift| shift > 0.8) {
        say("the topic changes after it");
    }
    let numbers = count(Traits::NUMBER);
    if numbers >= 2 {
        say(&format!("{numbers} numbers"));
    }
    let mut emotions: Vec<&str> = Vec::new();
    for n in words.clone().filter(|&n| transcript.traits[n].has(Traits::EMOTION)) {
        let key = transcript.keys[n].as_str();
        if !emotions.contains(&key) && emotions.len() < 3 {
            emotions.push(key);
        }
    }
    if !emotions.is_empty() {
        say(&format!("emotional words ({})", emotions.join(", ")));
    }
    let rate = words.len() as f64 / (span.end - span.start).max(0.001);
    say(&format!("{rate:.1} words per second"));
    let for_it: Vec<String> = factors.iter().filter(|factor| factor.effect > 0.0).take(2).map(named).collect();
    let line = parts.join(", ");
    capitalised(&if for_it.is_empty() { line } else { format!("{line}; counted for it: {}", for_it.join(", ")) })
}

/// A factor with its words: `negation (not, never)`.
fn named(factor: &Factor) -> String {
    if factor.words.is_empty() { factor.name.clone() } else { format!("{} ({})", factor.name, factor.words.join(", ")) }
}

/// Why a transcript yields no clip, as text for people.
pub(super) fn no_clip_reason(words: &[crate::model::Word], language: Option<&str>, shortest: f64, longest: f64) -> String {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return "the transcript contains no words".to_owned() };
    let spoken = last.end.secs() - first.start.secs();
    if spoken < shortest {
        return format!("speech lasts {spoken:.0} s from the first word to the last, less than the minimum length of {shortest:.0} s");
    }
    let sounding: f64 = words.iter().map(|word| word.end.secs() - word.start.secs()).sum();
    let rate = words.iter().map(|word| weight(&word.text)).sum::<f64>() / spoken;
    if rate < *super::span_score::WORDS_PER_SECOND.start() {
        return format!("there are only {} words in {spoken:.0} s, with {sounding:.0} s of speech", words.len());
    }
    if rate > *super::span_score::WORDS_PER_SECOND.end() {
        return format!("{rate:.1} words a second are faster than anyone speaks: the transcript's times are wrong");
    }
    let keys: Vec<String> = words.iter().map(|word| super::lexicon::key(&word.text)).collect();
    let known = if Lexicon::of(language, &keys).has_lists { "" } else { "; this scorer has no word lists for the language" };
    format!("no span of {shortest:.0} to {longest:.0} s starts and ends with a complete thought and scores high enough{known}")
}
