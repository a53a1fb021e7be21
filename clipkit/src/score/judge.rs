//! How good spans of sentences are as clips.

use std::collections::HashMap;
use std::ops::Range;

use super::lexicon::Traits;
use super::segment::{End, Sentence, Talk};
use crate::model::{Score, Timestamp};

/// A span of sentences and what speaks for it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) sentences: Range<usize>,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) score: Score,
}

/// What is asked of a span, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) shortest: f64,
    pub(super) longest: f64,
    /// The longest silence inside.
    pub(super) silence: f64,
    /// Where the video ends, as far as is known.
    pub(super) media_end: f64,
}

/// Slower is silence or music, faster is gabble or broken times.
pub(super) const WORDS_PER_SECOND: std::ops::RangeInclusive<f64> = 1.0..=5.0;
/// Below this a span is not worth a clip.
pub(super) const LEAST_TOTAL: f64 = 30.0;
/// Room before the first word and after the last, as far as their neighbours leave it.
const LEAD: f64 = 0.15;
const TAIL: f64 = 0.3;
/// A "clip" of more of the video than this is the video.
const MOST_OF_VIDEO: f64 = 0.9;

/// What is known of each sentence by itself and by its neighbours, each 0 to 1 but the hook (0 to 10).
pub(super) struct Traces {
    pub(super) hook: Vec<f64>,
    /// How much it hangs on what was said before.
    pub(super) dangling: Vec<f64>,
    /// How finished the thought is at its end.
    pub(super) finished: Vec<f64>,
    /// How much the subject changes before it.
    pub(super) shift: Vec<f64>,
}

impl Traces {
    pub(super) fn of(talk: &Talk<'_>) -> Self {
        let count = talk.sentences.len();
        let own: Vec<f64> = (0..count).map(|n| hook(talk, n)).collect();
        // A short first sentence ("Why?") lends its place to the next.
        let hook = (0..count)
            .map(|n| match own.get(n + 1) {
                Some(next) if talk.sentences[n].words.len() < 6 => own[n].max(next * 0.85),
                _ => own[n],
            })
            .collect();
        let shift = shifts(talk);
        let dangling: Vec<f64> = (0..count).map(|n| dangling(talk, n)).collect();
        let finished = (0..count).map(|n| finished(talk, n)).collect();
        Traces { hook, dangling, finished, shift }
    }
}

/// All spans that could be clips, judged; for each first sentence the best few and the shortest.
pub(super) fn candidates(talk: &Talk<'_>, traces: &Traces, limits: &Limits) -> Vec<Judged> {
    const KEPT_PER_START: usize = 4;
    let mut found = Vec::new();
    let mut seen = vec![u32::MAX; talk.stem_count];
    for first in 0..talk.sentences.len() {
        if !starts_whole(talk, first) {
            continue;
        }
        let mut here: Vec<Judged> = Vec::new();
        let mut sums = Sums::default();
        for last in first..talk.sentences.len() {
            let (start, end) = padded(talk, first..last + 1, limits);
            if talk.sentences[last].end - start > limits.longest {
                break;
            }
            if last > first {
                let gap = talk.sentences[last - 1].gap;
                if gap > limits.silence {
                    break;
                }
                sums.gap(gap);
            }
            sums.add(talk, last, first as u32, &mut seen);
            let length = end - start;
            if sums.longest_gap > limits.silence {
                break;
            }
            if length < limits.shortest || length > limits.media_end * MOST_OF_VIDEO || !ends_whole(talk, last) {
                continue;
            }
            if !WORDS_PER_SECOND.contains(&(sums.words / length)) {
                continue;
            }
            let score = sums.score(talk, traces, first..last + 1, length, limits);
            if score.total >= LEAST_TOTAL {
                here.push(Judged { sentences: first..last + 1, start, end, score });
            }
        }
        let shortest = here.first().cloned();
        here.sort_by(|a, b| b.score.total.total_cmp(&a.score.total));
        here.truncate(KEPT_PER_START);
        if let Some(shortest) = shortest.filter(|shortest| here.iter().all(|kept| kept.end > shortest.end)) {
            here.push(shortest);
        }
        found.extend(here);
    }
    found
}

/// Where there is punctuation, clips start and end by it.
fn starts_whole(talk: &Talk<'_>, first: usize) -> bool {
    !talk.punctuated || first == 0 || talk.sentences[first - 1].ends != End::Pause
}

fn ends_whole(talk: &Talk<'_>, last: usize) -> bool {
    !talk.punctuated || talk.sentences[last].ends != End::Pause
}

/// The span in seconds, with a little room before and after that no other word is in.
fn padded(talk: &Talk<'_>, sentences: Range<usize>, limits: &Limits) -> (f64, f64) {
    let (Some(first), Some(last)) = (talk.sentences.get(sentences.start), talk.sentences.get(sentences.end - 1)) else { return (0.0, 0.0) };
    let before = first.words.start.checked_sub(1).map_or(0.0, |n| talk.words[n].end.secs());
    let after = talk.words.get(last.words.end).map_or(f64::INFINITY, |word| word.start.secs());
    let start = (first.start - LEAD).max(before).min(first.start).max(0.0);
    let end = (last.end + TAIL).min(after).min(limits.media_end).max(last.end);
    // The room gives way before the words do.
    let end = end.min(start + limits.longest).max(last.end);
    // Whole microseconds, so that the length that is checked is the length that is answered.
    (Timestamp::from_secs(start).secs(), Timestamp::from_secs(end).secs())
}

/// What is counted while a span grows sentence by sentence.
#[derive(Clone, Debug, Default)]
struct Sums {
    words: f64,
    /// Different words with content.
    content: f64,
    names: f64,
    figures: f64,
    fillers: f64,
    feelings: f64,
    hooks: f64,
    personal: f64,
    show: f64,
    marks: f64,
    longest_gap: f64,
    silence: f64,
}

impl Sums {
    fn gap(&mut self, gap: f64) {
        self.longest_gap = self.longest_gap.max(gap);
        self.silence += (gap - 0.8).max(0.0);
    }

    fn add(&mut self, talk: &Talk<'_>, n: usize, stamp: u32, seen: &mut [u32]) {
        let sentence = &talk.sentences[n];
        self.longest_gap = self.longest_gap.max(sentence.longest_gap);
        self.silence += (sentence.longest_gap - 0.8).max(0.0);
        self.marks += if sentence.ends == End::Exclamation { 1.0 } else { 0.0 };
        for word in sentence.words.clone() {
            let traits = talk.traits[word];
            let count = |wanted: Traits| if traits.has(wanted) { 1.0 } else { 0.0 };
            self.words += 1.0;
            self.names += count(Traits::NAME);
            self.figures += count(Traits::FIGURE);
            self.fillers += count(Traits::FILLER);
            self.hooks += count(Traits::HOOK);
            self.personal += count(Traits::SELF) + count(Traits::YOU);
            self.show += count(Traits::SHOW);
            if let Some(seen) = talk.stems[word].and_then(|stem| seen.get_mut(stem as usize))
                && *seen != stamp
            {
                *seen = stamp;
                self.content += 1.0;
                // A feeling said twice is felt once.
                self.feelings += count(Traits::FEELING);
            }
        }
    }

    fn score(&self, talk: &Talk<'_>, traces: &Traces, sentences: Range<usize>, length: f64, limits: &Limits) -> Score {
        let (first, last) = (sentences.start, sentences.end - 1);
        let shift_after = traces.shift.get(last + 1).copied().unwrap_or(1.0);
        let opens = (1.0 - traces.dangling[first]) * (0.8 + 0.2 * traces.shift[first]);
        let closes = traces.finished[last] * (0.75 + 0.25 * shift_after);
        let completeness = 10.0 * (0.5 * opens.min(closes) + 0.25 * (opens + closes));
        let minutes = length / 60.0;
        let density =
            (7.0 * (self.content / length) / 1.1 + (self.figures / minutes).min(6.0) * 0.2 + (self.names / minutes).min(8.0) * 0.12
                - 25.0 * (self.fillers / self.words - 0.02).max(0.0)
                - 0.5 * self.silence)
                .clamp(0.0, 10.0);
        let emotion = (1.0
            + 2.6 * (self.feelings * (30.0 / length).min(1.2)).sqrt()
            + 0.5 * (self.hooks / minutes / 4.0).min(3.0)
            + 0.7 * self.marks.min(3.0)
            + 8.0 * (self.personal / self.words).min(0.12))
        .clamp(0.0, 10.0);
        let hook = traces.hook[first];
        // Around half a minute is watched to the end most; the limits stay hard.
        let ideal = 32.0_f64.clamp(limits.shortest, limits.longest);
        let off = ((length - ideal) / ideal).abs();
        let questions = talk.sentences[sentences.clone()].iter().filter(|sentence| sentence.ends == End::Question).count();
        // A span of many questions is a conversation about who speaks next.
        let chatter = (questions as f64 - 2.0).max(0.0) * 2.0;
        let total = 10.0 * (0.30 * hook + 0.34 * completeness + 0.20 * density + 0.16 * emotion)
            - 6.0 * off
            - 5.0 * self.show.min(4.0)
            - chatter
            - 1.5 * self.silence.min(4.0);
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        Score {
            total: tenth(total.clamp(0.0, 100.0)),
            hook: tenth(hook),
            completeness: tenth(completeness.clamp(0.0, 10.0)),
            density: tenth(density),
            emotion: tenth(emotion),
        }
    }
}

/// How strongly a sentence catches, 0 to 10.
fn hook(talk: &Talk<'_>, n: usize) -> f64 {
    let sentence = &talk.sentences[n];
    let all = &talk.traits[sentence.words.clone()];
    let any = |wanted: Traits| all.iter().any(|traits| traits.has(wanted));
    let count = |wanted: Traits| all.iter().filter(|traits| traits.has(wanted)).count() as f64;
    let length = all.len();
    let content = talk.stems[sentence.words.clone()].iter().flatten().count() as f64;
    let mut hook = 2.5;
    if sentence.ends == End::Question && length >= 4 {
        hook += 2.2;
    } else if all.first().is_some_and(|first| first.has(Traits::QUESTION)) && talk.punctuated {
        hook += 0.5;
    }
    if sentence.ends == End::Exclamation {
        hook += 0.8;
    }
    hook += [0.0, 1.4, 2.2, 2.7][(count(Traits::HOOK) as usize).min(3)];
    hook += [0.0, 0.9, 1.4][(count(Traits::FEELING) as usize).min(2)];
    for (wanted, worth) in [(Traits::YOU, 0.8), (Traits::FIGURE, 0.7), (Traits::NAME, 0.5), (Traits::SELF, 0.3)] {
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
    hook -= count(Traits::SHOW).min(2.0) * 1.2;
    hook.clamp(0.0, 10.0)
}

/// How much a sentence hangs on what was said before it, 0 to 1.
fn dangling(talk: &Talk<'_>, n: usize) -> f64 {
    let sentence = &talk.sentences[n];
    let mut free = 1.0;
    let mut words = sentence.words.clone().take(7);
    let mut place = 0;
    for word in words.by_ref() {
        let traits = talk.traits[word];
        let key = talk.keys[word].as_str();
        let hang = match place {
            0 if traits.has(Traits::ANSWER) => 0.45,
            // "So" and "now" open a new thought as often as they go on with one.
            0 if matches!(key, "so" | "now" | "also" | "if" | "though" | "although" | "as" | "until" | "well") => 0.2,
            0 | 1 if traits.has(Traits::BACK) && traits.has(Traits::LINK) => 0.75,
            0 if traits.has(Traits::LINK) => 0.5,
            0 | 1 if matches!(key, "it's" | "this" | "these") => 0.4,
            0 | 1 if traits.has(Traits::BACK) => 0.65,
            2 | 3 if traits.has(Traits::BACK) && !matches!(key, "it" | "it's" | "its") => 0.3,
            2.. if traits.has(Traits::BACK) => 0.12,
            _ => 0.0,
        };
        free *= 1.0 - hang;
        // Fillers and links do not use up the place in which a pronoun is the subject.
        if !(traits.has(Traits::FILLER) || traits.has(Traits::LINK) || traits.has(Traits::ANSWER)) || traits.has(Traits::BACK) {
            place += 1;
        } else if place == 0 && traits.has(Traits::FILLER) {
            free *= 0.95;
        }
    }
    if sentence.words.len() < 3 {
        free *= 0.6;
    }
    if let Some(before) = n.checked_sub(1).map(|before| &talk.sentences[before]) {
        // An answer without its question; the middle of a sentence.
        free *= match before.ends {
            End::Question => 0.6,
            End::Pause if before.gap < 0.35 => 0.6,
            _ => 1.0,
        };
    }
    1.0 - free
}

/// How finished the thought is where a sentence ends, 0 to 1.
fn finished(talk: &Talk<'_>, n: usize) -> f64 {
    let sentence = &talk.sentences[n];
    let mut finished: f64 = match sentence.ends {
        End::Stop | End::Exclamation => 0.92,
        End::Question => 0.3,
        End::Pause => 0.45 + 0.4 * sentence.gap.min(1.0),
    };
    let words = &talk.words[sentence.words.clone()];
    if words.last().is_some_and(|word| {
        word.text.ends_with([',', ':', ';', '-', '\u{2014}']) || word.text.ends_with("...") || word.text.ends_with('\u{2026}')
    }) {
        finished *= 0.5;
    }
    let keys = &talk.keys[sentence.words.clone()];
    // "For example", "let me show you": something is about to come.
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
        finished *= 0.8;
    }
    if sentence.words.len() < 4 {
        finished *= 0.85;
    }
    if let Some(next) = talk.sentences.get(n + 1) {
        let traits = talk.traits[next.words.start];
        let key = talk.keys[next.words.start].as_str();
        if traits.has(Traits::LINK) && !matches!(key, "so" | "but" | "then" | "also") {
            finished *= 0.72;
        } else if key == "but" {
            finished *= 0.85;
        } else if traits.has(Traits::BACK) {
            finished *= 0.82;
        }
        if sentence.gap > 0.5 {
            finished += 0.08;
        }
        let speaker = |sentence: &Sentence| talk.words[sentence.words.start].speaker.as_deref();
        if speaker(sentence) != speaker(next) || next.ends == End::Question {
            finished += 0.08;
        }
    } else {
        finished += 0.08;
    }
    finished.clamp(0.0, 1.0)
}

/// How much the subject changes before each sentence, 0 to 1: how few of the words with content are shared by what is said before and
/// after, rare words weighing more, against the rest of the talk.
fn shifts(talk: &Talk<'_>) -> Vec<f64> {
    const WINDOW: usize = 4;
    let count = talk.sentences.len();
    let mut spread = vec![0.0_f32; talk.stem_count];
    let stems: Vec<Vec<u32>> = talk
        .sentences
        .iter()
        .map(|sentence| {
            let mut stems: Vec<u32> = talk.stems[sentence.words.clone()].iter().flatten().copied().collect();
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
