//! Titles and reasons, from a span's own words.

use std::collections::HashMap;

use super::judge::Judged;
use super::lexicon::{Lexicon, Traits};
use super::segment::{End, Talk, weight};
use super::sentence_features::SentenceFeatures;
use crate::model::script;

const TITLE_WORDS: f64 = 8.0;
const TITLE_LETTERS: usize = 60;

/// A short title in the span's own words: of its first sentences, the clause that says most and is whole; else the opening, cut short.
pub(super) fn title(talk: &Talk<'_>, traces: &SentenceFeatures, span: &Judged) -> String {
    const SENTENCES: usize = 8;
    let keys = keyness(talk, span);
    let mut best: Option<(f64, String)> = None;
    for (place, n) in span.sentences.clone().take(SENTENCES).enumerate() {
        let all = talk.sentences[n].words.clone();
        let clause_ends: Vec<usize> =
            all.clone().filter(|&word| word + 1 == all.end || ends_clause(&talk.words[word].text)).map(|word| word + 1).collect();
        let starts = std::iter::once(all.start).chain(clause_ends.iter().copied().filter(|&end| end < all.end));
        for (nth, start) in starts.enumerate() {
            let start = skip_lead(talk, start, all.end);
            let inside = if nth == 0 { 0.0 } else { 1.2 };
            for &end in clause_ends.iter().filter(|&&end| end > start + 2) {
                let Some(text) = fitting(talk, start, end) else { break };
                let asks = if talk.sentences[n].ends == End::Question { 0.8 } else { 0.0 };
                // "In the second world war," says when, not what.
                let aside = if PREPOSITIONS.contains(&talk.keys[start].as_str()) { -2.0 } else { 0.0 };
                let whole = if end == all.end { 1.5 + asks } else { aside };
                if nth > 0 && !has_subject_and_verb(talk, start, end) {
                    continue;
                }
                let worth = clause(talk, &keys, start, end) + whole - inside - 0.45 * place as f64 + 0.15 * traces.hook[n];
                if worth > 0.0 && best.as_ref().is_none_or(|(known, _)| worth > *known) {
                    best = Some((worth, text));
                }
            }
        }
    }
    let text = best.map_or_else(|| cut(talk, span), |(_, text)| text);
    capitalised(&shortened(&text))
}

/// Words that open an aside of time or place.
const PREPOSITIONS: [&str; 53] = [
    "in", "on", "at", "by", "of", "for", "from", "with", "during", "after", "before", "since", "through", "over", "under", "within",
    "when", "im", "am", "bei", "beim", "mit", "nach", "seit", "während", "vor", "auf", "aus", "von", "vom", "dans", "en", "pendant",
    "avec", "chez", "après", "avant", "depuis", "durante", "con", "desde", "hasta", "para", "por", "em", "no", "na", "com", "nel", "nella",
    "dopo", "prima", "da",
];

/// How much each stem tells of what the span is about, 0 to 1: often said in it, and in few other sentences of the talk.
fn keyness(talk: &Talk<'_>, span: &Judged) -> HashMap<u32, f64> {
    let mut keys: HashMap<u32, f64> = HashMap::new();
    for sentence in &talk.sentences[span.sentences.clone()] {
        for stem in talk.stems[sentence.words.clone()].iter().flatten() {
            *keys.entry(*stem).or_default() += 1.0;
        }
    }
    let mut spread: HashMap<u32, f64> = HashMap::new();
    for sentence in &talk.sentences {
        let mut stems: Vec<u32> =
            talk.stems[sentence.words.clone()].iter().flatten().filter(|stem| keys.contains_key(stem)).copied().collect();
        stems.sort_unstable();
        stems.dedup();
        for stem in stems {
            *spread.entry(stem).or_default() += 1.0;
        }
    }
    let all = talk.sentences.len() as f64;
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

/// Whether words inside a sentence are a clause, not a piece of a list: a verb, and something before it.
fn has_subject_and_verb(talk: &Talk<'_>, start: usize, end: usize) -> bool {
    const VERBS: [&str; 26] = [
        "is", "are", "was", "were", "am", "has", "have", "had", "do", "does", "did", "can", "will", "would", "could", "should", "must",
        "don't", "can't", "isn't", "won't", "didn't", "doesn't", "i'm", "you're", "we're",
    ];
    let is_verb = |n: usize| VERBS.contains(&talk.keys[n].as_str());
    let short_form = |n: usize| is_verb(n) && talk.keys[n].contains('\'') && !talk.keys[n].ends_with("n't");
    short_form(start) || (!is_verb(start) && !talk.traits[start].has(Traits::LINK) && (start + 1..end.saturating_sub(1)).any(is_verb))
}

/// Where a clause starts to say something: after "so", "and", "well".
fn skip_lead(talk: &Talk<'_>, mut start: usize, end: usize) -> usize {
    let lead = |n: usize| {
        let traits = talk.traits[n];
        traits.has(Traits::FILLER)
            || (traits.has(Traits::LINK) && !traits.has(Traits::BACK))
            || traits.has(Traits::ANSWER)
            || talk.keys[n] == "now"
    };
    while start + 3 < end && lead(start) {
        start += 1;
    }
    start
}

fn fitting(talk: &Talk<'_>, start: usize, end: usize) -> Option<String> {
    if talk.weights[start..end].iter().sum::<f64>() > TITLE_WORDS {
        return None;
    }
    let text = script::join(talk.words[start..end].iter().map(|word| word.text.as_str()));
    (text.chars().count() <= TITLE_LETTERS).then_some(text)
}

/// How much a clause says as a title.
fn clause(talk: &Talk<'_>, keys: &HashMap<u32, f64>, start: usize, end: usize) -> f64 {
    let all = &talk.traits[start..end];
    let count = |wanted: Traits| all.iter().filter(|traits| traits.has(wanted)).count() as f64;
    let mut stems: Vec<u32> = talk.stems[start..end].iter().flatten().copied().collect();
    stems.sort_unstable();
    stems.dedup();
    let content: f64 = stems.iter().map(|stem| 0.3 + 1.1 * keys.get(stem).copied().unwrap_or(0.0)).sum();
    // One thing with a name is no statement: "very simple question".
    let content = if stems.len() < 2 { content - 1.2 } else { content };
    let first = all.first().copied().unwrap_or_default();
    let mut worth = content.min(4.2)
        + 0.8 * count(Traits::HOOK).min(2.0)
        + 0.5 * count(Traits::FEELING).min(2.0)
        + 0.4 * count(Traits::FIGURE).min(1.0)
        - 2.2;
    worth -= if first.has(Traits::BACK) { 1.8 } else { 0.0 };
    worth -= if first.has(Traits::LINK) { 1.0 } else { 0.0 };
    worth -= 0.8 * count(Traits::FILLER) + 1.5 * count(Traits::SHOW);
    worth -= if all.last().is_some_and(|last| last.has(Traits::STOP)) { 1.2 } else { 0.0 };
    worth
}

/// The opening, cut where it can be cut: not after "of the".
fn cut(talk: &Talk<'_>, span: &Judged) -> String {
    let sentences = &talk.sentences[span.sentences.clone()];
    let Some(sentence) = sentences.iter().find(|sentence| sentence.words.len() >= 4).or(sentences.first()) else { return String::new() };
    let start = skip_lead(talk, sentence.words.start, sentence.words.end);
    let longest = (start + 1..=sentence.words.end).take_while(|&end| fitting(talk, start, end).is_some()).last().unwrap_or(start + 1);
    let mut end = longest;
    while end > start + 3 && end < sentence.words.end && (talk.traits[end - 1].has(Traits::STOP) || talk.traits[end - 1].has(Traits::LINK))
    {
        end -= 1;
    }
    script::join(talk.words[start..end].iter().map(|word| word.text.as_str()))
}

fn shortened(text: &str) -> String {
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

/// One sentence on what speaks for the span. It states only what is so.
pub(super) fn reason(talk: &Talk<'_>, traces: &SentenceFeatures, span: &Judged) -> String {
    let (first, last) = (span.sentences.start, span.sentences.end - 1);
    let words = talk.sentences[first].words.start..talk.sentences[last].words.end;
    let count = |wanted: Traits| talk.traits[words.clone()].iter().filter(|traits| traits.has(wanted)).count();
    let opening = &talk.traits[talk.sentences[first].words.clone()];
    let opens_with = |wanted: Traits| opening.iter().any(|traits| traits.has(wanted));
    let mut parts: Vec<String> = Vec::new();
    let mut say = |part: &str| parts.push(part.to_owned());
    if talk.sentences[first].ends == End::Question {
        say("opens with a question");
    } else if opens_with(Traits::YOU) && opens_with(Traits::HOOK) {
        say("opens with a strong line to the listener");
    } else if opens_with(Traits::FIGURE) {
        say("opens with a figure");
    } else if span.score.hook >= 5.5 {
        say("opens with a strong line");
    }
    if traces.dangling[first] < 0.2 {
        say("stands on its own");
    }
    if traces.finished[last] >= 0.8 {
        say("ends on a finished thought");
    }
    if traces.shift.get(last + 1).is_some_and(|&shift| shift > 0.8) {
        say("the subject changes after it");
    }
    let figures = count(Traits::FIGURE);
    if figures >= 2 {
        say(&format!("{figures} figures"));
    }
    let mut feelings: Vec<&str> = Vec::new();
    for n in words.clone().filter(|&n| talk.traits[n].has(Traits::FEELING)) {
        let key = talk.keys[n].as_str();
        if !feelings.contains(&key) && feelings.len() < 3 {
            feelings.push(key);
        }
    }
    if !feelings.is_empty() {
        say(&format!("words of feeling ({})", feelings.join(", ")));
    }
    let rate = words.len() as f64 / (span.end - span.start).max(0.001);
    say(&format!("{rate:.1} words a second"));
    capitalised(&parts.join(", "))
}

/// Why a talk gave no clip, for a person.
pub(super) fn nothing(words: &[crate::model::Word], language: Option<&str>, shortest: f64, longest: f64) -> String {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return "nothing is said in this video".to_owned() };
    let spoken = last.end.secs() - first.start.secs();
    if spoken < shortest {
        return format!("speech lasts {spoken:.0} s from its first word to its last, and a clip takes {shortest:.0} s or more");
    }
    let sounding: f64 = words.iter().map(|word| word.end.secs() - word.start.secs()).sum();
    let rate = words.iter().map(|word| weight(&word.text)).sum::<f64>() / spoken;
    if rate < *super::judge::WORDS_PER_SECOND.start() {
        return format!("there are {} words in {spoken:.0} s, {sounding:.0} s of which are speech: too little for a clip", words.len());
    }
    if rate > *super::judge::WORDS_PER_SECOND.end() {
        return format!("{rate:.1} words a second are faster than anyone speaks: the transcript's times are wrong");
    }
    let keys: Vec<String> = words.iter().map(|word| super::lexicon::key(&word.text)).collect();
    let known = if Lexicon::of(language, &keys).knows { "" } else { ", in a language this scorer has no words of" };
    format!("no {shortest:.0} to {longest:.0} s of this talk start and end with a thought and are worth a clip{known}")
}
