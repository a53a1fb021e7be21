//! Cuts a transcript into units: sentences, or phrases where there is little punctuation.
//! `benches/ranker/units.py` does the same for the training.

use std::ops::Range;

use crate::model::Word;

const SHORT_FORMS: [&str; 13] = ["mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "e.g.", "i.e.", "etc.", "u.s.", "no.", "jr.", "sr."];
const CONJUNCTIONS: [&str; 22] = [
    "and", "but", "so", "because", "or", "then", "well", "now", "yeah", "okay", "i", "you", "we", "they", "it", "that", "this", "he",
    "she", "what", "if", "when",
];
const LINKS: [&str; 4] = ["but", "so", "and", "because"];
/// With fewer sentence ends than one in this many words, pauses and conjunctions cut.
const WORDS_PER_END: usize = 45;
/// The maximum words of a sentence; longer ones are cut.
const LONGEST: usize = 40;

/// The units of a transcript, as ranges of its words.
pub(super) fn units(words: &[Word]) -> Vec<Range<usize>> {
    let ends = words.iter().filter(|word| ends_with(&word.text, &['.', '?', '!', '…'])).count();
    if ends * WORDS_PER_END < words.len() {
        return phrases(words);
    }
    let mut found = Vec::new();
    let mut first = 0;
    for n in 0..words.len() {
        if n + 1 == words.len() || ends_sentence(&words[n].text) {
            cut_long(words, first..n + 1, &mut found);
            first = n + 1;
        }
    }
    // A unit of up to 3 words joins the next, if that ends within 12 s.
    let mut joined: Vec<Range<usize>> = Vec::new();
    for unit in found {
        match joined.last_mut() {
            Some(last) if last.len() < 4 && words[unit.start].start.secs() - words[last.start].start.secs() < 12.0 => last.end = unit.end,
            _ => joined.push(unit),
        }
    }
    joined
}

fn ends_with(text: &str, marks: &[char]) -> bool {
    text.ends_with(marks)
}

fn ends_sentence(text: &str) -> bool {
    let bare = text.trim_end_matches(['"', '\u{201d}', '\'', ')']);
    ends_with(bare, &['.', '?', '!', '…']) && !SHORT_FORMS.contains(&text.to_lowercase().as_str())
}

/// The silence before word `n`, in seconds; negative if the words overlap.
fn pause(words: &[Word], n: usize) -> f64 {
    words[n].start.secs() - words[n - 1].end.secs()
}

/// Adds `worth` where the condition holds.
fn when(holds: bool, worth: f64) -> f64 {
    if holds { worth } else { 0.0 }
}

fn phrases(words: &[Word]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut first = 0;
    while first < words.len() {
        let cut = best(first + 8..words.len().min(first + 25), |n| {
            let word = words[n].text.to_lowercase();
            // The order of the additions is that of the training, so that ties fall alike.
            let said = when(CONJUNCTIONS.contains(&word.as_str()), 1.2)
                + when(LINKS.contains(&word.as_str()), 0.6)
                + when(ends_with(&words[n - 1].text, &['.', '?', '!']), 3.0);
            pause(words, n).min(1.0) * 6.0 - n.abs_diff(first + 14) as f64 * 0.12 + said
        });
        let cut = cut.unwrap_or(words.len());
        found.push(first..cut);
        first = cut;
    }
    found
}

fn cut_long(words: &[Word], unit: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut first = unit.start;
    while unit.end - first > LONGEST {
        let cut = best(first + 8..(unit.end - 5).min(first + 28), |n| {
            let said = when(ends_with(&words[n - 1].text, &[',', ';', ':', '—', '-']), 2.0)
                + when(LINKS.contains(&words[n].text.to_lowercase().as_str()), 1.0);
            said + (4.0 * pause(words, n).clamp(0.0, 1.0) - n.abs_diff(first + 18) as f64 * 0.08)
        });
        let cut = cut.unwrap_or(unit.end);
        found.push(first..cut);
        first = cut;
    }
    found.push(first..unit.end);
}

/// The first of the places that are worth most.
fn best(places: Range<usize>, worth: impl Fn(usize) -> f64) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for n in places {
        let here = worth(n);
        if best.is_none_or(|(_, most)| here > most) {
            best = Some((n, here));
        }
    }
    best.map(|(n, _)| n)
}
