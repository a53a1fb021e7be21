//! Features of each sentence, computed from itself and its neighbours.

use std::collections::HashMap;

use super::lexicon::Traits;
use super::segment::{AnalyzedTranscript, End, Sentence};

/// Features of each sentence. The hook is 0 to 10, the others are 0 to 1.
pub(super) struct SentenceFeatures {
    pub(super) hook: Vec<f64>,
    /// The dependence on the previous sentences.
    pub(super) dependence: Vec<f64>,
    /// The degree to which the thought is complete at the end of the sentence.
    pub(super) closure: Vec<f64>,
    /// The change of topic before the sentence.
    pub(super) topic_shift: Vec<f64>,
}

impl SentenceFeatures {
    pub(super) fn of(transcript: &AnalyzedTranscript<'_>) -> Self {
        let count = transcript.sentences.len();
        let own: Vec<f64> = (0..count).map(|n| hook(transcript, n)).collect();
        // A short first sentence ("Why?") gets most of the next sentence's hook.
        let hook = (0..count)
            .map(|n| match own.get(n + 1) {
                Some(next) if transcript.sentences[n].words.len() < 6 => own[n].max(next * 0.85),
                _ => own[n],
            })
            .collect();
        let topic_shift = topic_shifts(transcript);
        let dependence: Vec<f64> = (0..count).map(|n| dependence(transcript, n)).collect();
        let closure = (0..count).map(|n| closure(transcript, n)).collect();
        SentenceFeatures { hook, dependence, closure, topic_shift }
    }
}

/// The strength of a sentence as an opening, 0 to 10.
fn hook(transcript: &AnalyzedTranscript<'_>, n: usize) -> f64 {
    let sentence = &transcript.sentences[n];
    let all = &transcript.traits[sentence.words.clone()];
    let any = |wanted: Traits| all.iter().any(|traits| traits.has(wanted));
    let count = |wanted: Traits| all.iter().filter(|traits| traits.has(wanted)).count() as f64;
    let length = all.len();
    let content = transcript.stems[sentence.words.clone()].iter().flatten().count() as f64;
    let mut hook = 2.5;
    if sentence.ends == End::Question && length >= 4 {
        // A long question is a weaker hook.
        hook += if length <= 22 { 2.2 } else { 1.0 };
    } else if all.first().is_some_and(|first| first.has(Traits::QUESTION)) {
        hook += 0.5;
    }
    if sentence.ends == End::Exclamation {
        hook += 0.8;
    }
    hook += [0.0, 1.4, 2.2, 2.7][(count(Traits::HOOK) as usize).min(3)];
    hook += [0.0, 0.9, 1.4][(count(Traits::EMOTION) as usize).min(2)];
    for (wanted, worth) in [(Traits::SECOND_PERSON, 0.8), (Traits::NUMBER, 0.7), (Traits::NAME, 0.5), (Traits::FIRST_PERSON, 0.3)] {
        hook += if any(wanted) { worth } else { 0.0 };
    }
    hook += match length {
        0..=2 => -2.5,
        3..=4 => -0.8,
        5..=20 => 0.8,
        21..=32 => 0.0,
        _ => -1.5,
    };
    hook += (content / length as f64 - 0.25).clamp(-0.25, 0.25) * 3.0;
    let fillers = all.iter().take(4).filter(|traits| traits.has(Traits::FILLER) || traits.has(Traits::ANSWER)).count();
    hook -= fillers as f64 * 0.8;
    // "Let me just ...", "is there, I ...": the speaker still searches for words.
    let keys = &transcript.keys[sentence.words.clone()];
    let searching = keys
        .windows(3)
        .take(4)
        .any(|three| matches!([three[0].as_str(), three[1].as_str(), three[2].as_str()], ["let", "me", "just"] | ["is", "there", "i"]));
    hook -= if searching { 2.5 } else { 0.0 };
    hook -= (count(Traits::FILLER) - 1.0).clamp(0.0, 3.0) * 0.6;
    hook -= count(Traits::HOUSEKEEPING).min(2.0) * 1.2;
    hook.clamp(0.0, 10.0)
}

/// The dependence of a sentence on the previous ones, 0 to 1.
fn dependence(transcript: &AnalyzedTranscript<'_>, n: usize) -> f64 {
    let sentence = &transcript.sentences[n];
    let mut free = 1.0;
    let mut words = sentence.words.clone().take(7);
    let mut place = 0;
    for word in words.by_ref() {
        let traits = transcript.traits[word];
        let key = transcript.keys[word].as_str();
        let hang = match place {
            0 if traits.has(Traits::ANSWER) => 0.45,
            // "So" and "now" open a new thought as often as they continue one.
            0 if matches!(key, "so" | "now" | "also" | "if" | "though" | "although" | "as" | "until" | "well") => 0.2,
            // Sentence fragments: "Not easy, but ...", "Especially like ...".
            0 if matches!(
                key,
                "not" | "especially" | "like" | "same" | "similarly" | "rather" | "again" | "still" | "mostly" | "including" | "yet"
            ) =>
            {
                0.4
            }
            0 | 1 if traits.has(Traits::ANAPHOR) && traits.has(Traits::CONNECTIVE) => 0.75,
            0 if traits.has(Traits::CONNECTIVE) => 0.5,
            0 | 1 if matches!(key, "it's" | "this" | "these") => 0.4,
            0 | 1 if traits.has(Traits::ANAPHOR) => 0.65,
            2 | 3 if traits.has(Traits::ANAPHOR) && !matches!(key, "it" | "it's" | "its") => 0.3,
            2.. if traits.has(Traits::ANAPHOR) => 0.12,
            _ => 0.0,
        };
        free *= 1.0 - hang;
        // Fillers and connectives do not count as the positions in which a pronoun is the subject.
        if !(traits.has(Traits::FILLER) || traits.has(Traits::CONNECTIVE) || traits.has(Traits::ANSWER)) || traits.has(Traits::ANAPHOR) {
            place += 1;
        } else if place == 0 && traits.has(Traits::FILLER) {
            free *= 0.95;
        }
    }
    if sentence.words.len() < 3 {
        free *= 0.6;
    }
    if let Some(before) = n.checked_sub(1).map(|before| &transcript.sentences[before]) {
        // An answer without its question, or the middle of a sentence.
        free *= match before.ends {
            End::Question => 0.6,
            End::Pause if before.gap < 0.35 => 0.6,
            _ => 1.0,
        };
    }
    1.0 - free
}

/// The degree to which a thought is complete at the end of a sentence, 0 to 1.
fn closure(transcript: &AnalyzedTranscript<'_>, n: usize) -> f64 {
    let sentence = &transcript.sentences[n];
    let mut closure: f64 = match sentence.ends {
        End::Stop | End::Exclamation => 0.92,
        End::Question => 0.3,
        End::Pause => 0.45 + 0.4 * sentence.gap.min(1.0),
    };
    let words = &transcript.words[sentence.words.clone()];
    if words.last().is_some_and(|word| {
        word.text.ends_with([',', ':', ';', '-', '\u{2014}']) || word.text.ends_with("...") || word.text.ends_with('\u{2026}')
    }) {
        closure *= 0.5;
    }
    let keys = &transcript.keys[sentence.words.clone()];
    // "For example" and "let me show you" announce a continuation.
    let promises = [
        ["for", "example"],
        ["for", "instance"],
        ["let", "me"],
        ["let's", "see"],
        ["going", "to"],
        ["i'll", "show"],
        ["we'll", "see"],
        ["you", "know"],
    ];
    if keys.windows(2).rev().take(6).any(|pair| promises.iter().any(|promise| pair == promise)) {
        closure *= 0.8;
    }
    if sentence.words.len() < 4 {
        closure *= 0.85;
    }
    // "So let's step back" announces something new.
    if keys.iter().take(3).any(|key| matches!(key.as_str(), "let's" | "lets")) || keys.windows(2).take(2).any(|pair| pair == ["let", "me"])
    {
        closure *= 0.65;
    }
    // "You once said ..." before a question belongs to the question.
    let leads_in = transcript.sentences.get(n + 1).is_some_and(|next| next.ends == End::Question)
        && transcript.traits[sentence.words.clone()].iter().any(|traits| traits.has(Traits::SECOND_PERSON));
    if leads_in {
        closure *= 0.7;
    }
    if let Some(next) = transcript.sentences.get(n + 1) {
        let traits = transcript.traits[next.words.start];
        let key = transcript.keys[next.words.start].as_str();
        if traits.has(Traits::CONNECTIVE) && !matches!(key, "so" | "but" | "then" | "also") {
            closure *= 0.72;
        } else if key == "but" {
            closure *= 0.85;
        } else if traits.has(Traits::ANAPHOR) {
            closure *= 0.82;
        }
        if sentence.gap > 0.5 {
            closure += 0.08;
        }
        let speaker = |sentence: &Sentence| transcript.words[sentence.words.start].speaker.as_deref();
        if speaker(sentence) != speaker(next) || (next.ends == End::Question && !leads_in) {
            closure += 0.08;
        }
    } else {
        closure += 0.08;
    }
    closure.clamp(0.0, 1.0)
}

/// The topic shift before each sentence, 0 to 1: one minus the cosine similarity, weighted by
/// inverse document frequency, of the stems in the sentences before and after, relative to twice
/// the mean similarity in the transcript. Similar to TextTiling (Hearst, 1997).
fn topic_shifts(transcript: &AnalyzedTranscript<'_>) -> Vec<f64> {
    const WINDOW: usize = 4;
    let count = transcript.sentences.len();
    let mut spread = vec![0.0_f32; transcript.stem_count];
    let stems: Vec<Vec<u32>> = transcript
        .sentences
        .iter()
        .map(|sentence| {
            let mut stems: Vec<u32> = transcript.stems[sentence.words.clone()].iter().flatten().copied().collect();
            stems.sort_unstable();
            stems.dedup();
            stems
        })
        .collect();
    for stem in stems.iter().flatten() {
        spread[*stem as usize] += 1.0;
    }
    let weight: Vec<f32> = spread.iter().map(|&seen| ((1.0 + count as f32) / (1.0 + seen)).ln().max(0.0)).collect();
    let mut similar = vec![0.0_f64; count];
    let mut left: HashMap<u32, f32> = HashMap::new();
    for n in 1..count {
        left.clear();
        let mut left_norm = 0.0_f32;
        for stem in stems[n.saturating_sub(WINDOW)..n].iter().flatten() {
            *left.entry(*stem).or_default() += weight[*stem as usize];
        }
        for value in left.values() {
            left_norm += value * value;
        }
        let (mut dot, mut right_norm) = (0.0_f32, 0.0_f32);
        for stem in stems[n..(n + WINDOW).min(count)].iter().flatten() {
            let own = weight[*stem as usize];
            right_norm += own * own;
            dot += own * left.get(stem).copied().unwrap_or_default();
        }
        let norm = (left_norm * right_norm).sqrt();
        similar[n] = if norm > 0.0 { f64::from((dot / norm).min(1.0)) } else { 0.0 };
    }
    let mean = similar.iter().sum::<f64>() / count.max(1) as f64;
    (0..count).map(|n| if n == 0 { 1.0 } else { (1.0 - similar[n] / (2.0 * mean).max(0.05)).clamp(0.0, 1.0) }).collect()
}
