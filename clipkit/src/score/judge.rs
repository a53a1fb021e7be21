//! How good spans of sentences are as clips.

use std::ops::Range;

use super::genre::Weights;
use super::lexicon::Traits;
use super::segment::{End, Talk};
use super::sentence_features::SentenceFeatures;
use crate::model::{Score, Timestamp};

/// A span of sentences and what speaks for it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) sentences: Range<usize>,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) score: Score,
    /// Whether it names something that clips should be about.
    pub(super) on_topic: bool,
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
    /// What counts how much.
    pub(super) weights: Weights,
    /// Whether something is asked for that clips should be about.
    pub(super) topical: bool,
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

/// All spans that could be clips, judged; for each first sentence the best few and the shortest.
pub(super) fn candidates(talk: &Talk<'_>, traces: &SentenceFeatures, limits: &Limits) -> Vec<Judged> {
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
            if sums.avoided || !WORDS_PER_SECOND.contains(&(sums.spoken / length)) {
                continue;
            }
            let score = sums.score(talk, traces, first..last + 1, length, limits);
            if score.total >= LEAST_TOTAL {
                here.push(Judged { sentences: first..last + 1, start, end, score, on_topic: sums.topics > 0.0 });
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
pub(super) fn starts_whole(talk: &Talk<'_>, first: usize) -> bool {
    first == 0 || talk.sentences[first - 1].ends != End::Pause || !talk.is_punctuated(talk.sentences[first].words.start)
}

pub(super) fn ends_whole(talk: &Talk<'_>, last: usize) -> bool {
    talk.sentences[last].ends != End::Pause || !talk.is_punctuated(talk.sentences[last].words.end)
}

/// The span in seconds, with a little room before and after that no other word is in.
pub(super) fn padded(talk: &Talk<'_>, sentences: Range<usize>, limits: &Limits) -> (f64, f64) {
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
    /// Words as the rate of speech counts them: alike in all scripts.
    spoken: f64,
    topics: f64,
    avoided: bool,
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
            self.spoken += talk.weights[word];
            self.topics += count(Traits::TOPIC);
            self.avoided |= traits.has(Traits::AVOID);
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

    fn score(&self, talk: &Talk<'_>, traces: &SentenceFeatures, sentences: Range<usize>, length: f64, limits: &Limits) -> Score {
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
        // Around half a minute (by genre) is watched to the end most; the limits stay hard.
        let ideal = limits.weights.best_length.clamp(limits.shortest, limits.longest);
        let off = ((length - ideal) / ideal).abs();
        // Questions want answers: where they take more than a third of the words, the answer is elsewhere.
        let asked: usize = talk.sentences[sentences.clone()]
            .iter()
            .filter(|sentence| sentence.ends == End::Question)
            .map(|sentence| sentence.words.len())
            .sum();
        let chatter = 40.0 * (asked as f64 / self.words - 0.33).max(0.0) + if asks_late(talk, sentences.clone()) { 6.0 } else { 0.0 };
        let total = limits.weights.total(hook, completeness, density, emotion)
            - 6.0 * off
            - 5.0 * self.show.min(4.0)
            - chatter
            - 1.5 * self.silence.min(4.0);
        // Named three times in half a minute, a subject is what the clip is about.
        let about = (self.topics * 30.0 / length / 3.0).min(1.0);
        let total = if limits.topical { total * (0.7 + 0.3 * about) } else { total };
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

/// Whether a new question comes so late that its answer is cut.
fn asks_late(talk: &Talk<'_>, sentences: Range<usize>) -> bool {
    const A_QUESTION: usize = 4;
    let all = &talk.sentences[sentences];
    let total: usize = all.iter().map(|sentence| sentence.words.len()).sum();
    let mut after = 0;
    for sentence in all.iter().rev() {
        after += sentence.words.len();
        if sentence.ends == End::Question && sentence.words.len() >= A_QUESTION {
            return after * 5 < total * 2;
        }
    }
    false
}
