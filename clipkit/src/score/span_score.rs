//! Scores spans of sentences.

use std::ops::Range;

use super::genre::Weights;
use super::lexicon::Traits;
use super::ranker::Moments;
use super::segment::{AnalyzedTranscript, End};
use super::sentence_features::SentenceFeatures;
use crate::model::{Score, Timestamp};

/// A span of sentences with its score. Times are in seconds.
#[derive(Clone, Debug)]
pub(super) struct ScoredSpan {
    pub(super) sentences: Range<usize>,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) score: Score,
    /// Whether the span mentions a requested topic.
    pub(super) on_topic: bool,
}

/// The constraints on a span. Times are in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) shortest: f64,
    pub(super) longest: f64,
    /// The maximum silence inside the span.
    pub(super) silence: f64,
    /// The end of the video, as far as known.
    pub(super) media_end: f64,
    /// The weights of the score components.
    pub(super) weights: Weights,
    /// Whether topics are requested.
    pub(super) topical: bool,
}

/// The plausible speech rates. Lower rates are silence or music, higher rates come from wrong word
/// times.
pub(super) const WORDS_PER_SECOND: std::ops::RangeInclusive<f64> = 1.0..=5.0;
/// The minimum total score of a clip.
pub(super) const MIN_TOTAL: f64 = 30.0;
/// The part of [`Score::moment`] in the total, of 10; the rest is completeness, which keeps clips
/// clean. Of what is complete, more than this makes no clip better.
const MOMENT_PART: f64 = 8.0;
const CLEAN: f64 = 8.5;
/// What a span loses that begins or ends inside a thought.
const DANGLING: f64 = 20.0;
/// What it loses times the dependence of its first sentence on what comes before: "so" and "this"
/// point back a little. Measured on 209 episodes, with the limit of [`dangles`]: 4 % of the clips
/// begin so instead of 8 %, and as many moments are found.
const DEPENDENT: f64 = 8.0;
/// What it loses where the transcript has marks and a sentence is cut off without one.
const UNMARKED: f64 = 15.0;
/// A shorter pause without a mark is inside a sentence, in seconds.
const SENTENCE_PAUSE: f64 = 0.3;
/// The padding before the first and after the last word in seconds, limited by the neighbouring
/// words.
const LEAD_IN: f64 = 0.15;
const LEAD_OUT: f64 = 0.3;
/// The maximum part of the video that a clip may cover.
const MAX_VIDEO_PART: f64 = 0.9;

/// The scored spans that are valid clips: for each first sentence, the best few and the shortest.
///
/// With `moments`, they and completeness make the total; the other components only describe.
pub(super) fn candidates(
    transcript: &AnalyzedTranscript<'_>,
    features: &SentenceFeatures,
    moments: Option<&Moments>,
    limits: &Limits,
) -> Vec<ScoredSpan> {
    const KEPT_PER_START: usize = 4;
    let mut found = Vec::new();
    let mut seen = vec![u32::MAX; transcript.stem_count];
    for first in 0..transcript.sentences.len() {
        if !starts_at_boundary(transcript, first) {
            continue;
        }
        let mut here: Vec<ScoredSpan> = Vec::new();
        let mut sums = SpanTotals::default();
        for last in first..transcript.sentences.len() {
            let (start, end) = padded(transcript, first..last + 1, limits);
            if transcript.sentences[last].end - start > limits.longest {
                break;
            }
            if last > first {
                let gap = transcript.sentences[last - 1].gap;
                if gap > limits.silence {
                    break;
                }
                sums.gap(gap);
            }
            sums.add(transcript, last, first as u32, &mut seen);
            let length = end - start;
            if sums.longest_gap > limits.silence {
                break;
            }
            if length < limits.shortest || length > limits.media_end * MAX_VIDEO_PART || !ends_at_boundary(transcript, last) {
                continue;
            }
            if sums.avoided || !WORDS_PER_SECOND.contains(&(sums.spoken / length)) {
                continue;
            }
            let moment = moments.map(|moments| 10.0 * moments.value(start, end));
            let (score, floor) = sums.score(transcript, features, first..last + 1, length, moment, limits);
            if floor >= MIN_TOTAL {
                here.push(ScoredSpan { sentences: first..last + 1, start, end, score, on_topic: sums.topics > 0.0 });
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

/// Some sentences with their score. They must not be empty.
pub(super) fn scored(
    transcript: &AnalyzedTranscript<'_>,
    features: &SentenceFeatures,
    moments: Option<&Moments>,
    sentences: Range<usize>,
    limits: &Limits,
) -> ScoredSpan {
    let mut seen = vec![u32::MAX; transcript.stem_count];
    let mut sums = SpanTotals::default();
    for n in sentences.clone() {
        if n > sentences.start {
            sums.gap(transcript.sentences[n - 1].gap);
        }
        sums.add(transcript, n, 0, &mut seen);
    }
    let (start, end) = padded(transcript, sentences.clone(), limits);
    let moment = moments.map(|moments| 10.0 * moments.value(start, end));
    let (score, _) = sums.score(transcript, features, sentences.clone(), end - start, moment, limits);
    ScoredSpan { sentences, start, end, score, on_topic: sums.topics > 0.0 }
}

/// Whether sentences mention a topic to avoid.
pub(super) fn is_avoided(transcript: &AnalyzedTranscript<'_>, sentences: Range<usize>) -> bool {
    let words = transcript.sentences[sentences].iter().flat_map(|sentence| sentence.words.clone());
    words.into_iter().any(|word| transcript.traits[word].has(Traits::AVOID))
}

/// Whether a clip may start at a sentence: in punctuated text, the previous sentence must have a
/// sentence-ending mark.
pub(super) fn starts_at_boundary(transcript: &AnalyzedTranscript<'_>, first: usize) -> bool {
    first == 0 || transcript.sentences[first - 1].ends != End::Pause || !transcript.is_punctuated(transcript.sentences[first].words.start)
}

pub(super) fn ends_at_boundary(transcript: &AnalyzedTranscript<'_>, last: usize) -> bool {
    transcript.sentences[last].ends != End::Pause || !transcript.is_punctuated(transcript.sentences[last].words.end)
}

/// The start and end of a span in seconds, with padding that contains no other word.
pub(super) fn padded(transcript: &AnalyzedTranscript<'_>, sentences: Range<usize>, limits: &Limits) -> (f64, f64) {
    let (Some(first), Some(last)) = (transcript.sentences.get(sentences.start), transcript.sentences.get(sentences.end - 1)) else {
        return (0.0, 0.0);
    };
    let before = first.words.start.checked_sub(1).map_or(0.0, |n| transcript.words[n].end.secs());
    let after = transcript.words.get(last.words.end).map_or(f64::INFINITY, |word| word.start.secs());
    let start = (first.start - LEAD_IN).max(before).min(first.start).max(0.0);
    let end = (last.end + LEAD_OUT).min(after).min(limits.media_end).max(last.end);
    // If the span is too long, the padding is reduced.
    let end = end.min(start + limits.longest).max(last.end);
    // Rounding to microseconds makes the checked length equal the returned one.
    (Timestamp::from_secs(start).secs(), Timestamp::from_secs(end).secs())
}

/// Counts that accumulate while a span grows by sentences.
#[derive(Clone, Debug, Default)]
struct SpanTotals {
    words: f64,
    /// Words weighted by script, for the speech rate.
    spoken: f64,
    topics: f64,
    avoided: bool,
    /// The number of different stems.
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

impl SpanTotals {
    fn gap(&mut self, gap: f64) {
        self.longest_gap = self.longest_gap.max(gap);
        self.silence += (gap - 0.8).max(0.0);
    }

    fn add(&mut self, transcript: &AnalyzedTranscript<'_>, n: usize, stamp: u32, seen: &mut [u32]) {
        let sentence = &transcript.sentences[n];
        self.longest_gap = self.longest_gap.max(sentence.longest_gap);
        self.silence += (sentence.longest_gap - 0.8).max(0.0);
        self.marks += if sentence.ends == End::Exclamation { 1.0 } else { 0.0 };
        for word in sentence.words.clone() {
            let traits = transcript.traits[word];
            let count = |wanted: Traits| if traits.has(wanted) { 1.0 } else { 0.0 };
            self.words += 1.0;
            self.spoken += transcript.weights[word];
            self.topics += count(Traits::TOPIC);
            self.avoided |= traits.has(Traits::AVOID);
            self.names += count(Traits::NAME);
            self.figures += count(Traits::NUMBER);
            self.fillers += count(Traits::FILLER);
            self.hooks += count(Traits::HOOK);
            self.personal += count(Traits::FIRST_PERSON) + count(Traits::SECOND_PERSON);
            self.show += count(Traits::HOUSEKEEPING);
            if let Some(seen) = transcript.stems[word].and_then(|stem| seen.get_mut(stem as usize))
                && *seen != stamp
            {
                *seen = stamp;
                self.content += 1.0;
                // A repeated emotional word counts once.
                self.feelings += count(Traits::EMOTION);
            }
        }
    }

    fn score(
        &self,
        transcript: &AnalyzedTranscript<'_>,
        features: &SentenceFeatures,
        sentences: Range<usize>,
        length: f64,
        moment: Option<f64>,
        limits: &Limits,
    ) -> (Score, f64) {
        let (first, last) = (sentences.start, sentences.end - 1);
        let shift_after = features.topic_shift.get(last + 1).copied().unwrap_or(1.0);
        let opens = (1.0 - features.dependence[first]) * (0.8 + 0.2 * features.topic_shift[first]);
        let closes = features.closure[last] * (0.75 + 0.25 * shift_after);
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
        let hook = features.hook[first];
        // The genre sets the preferred length; the limits of the options remain hard.
        let ideal = limits.weights.best_length.clamp(limits.shortest, limits.longest);
        let off = ((length - ideal) / ideal).abs();
        // If questions take more than a third of the words, their answers are probably missing.
        let asked: usize = transcript.sentences[sentences.clone()]
            .iter()
            .filter(|sentence| sentence.ends == End::Question)
            .map(|sentence| sentence.words.len())
            .sum();
        let chatter =
            40.0 * (asked as f64 / self.words - 0.33).max(0.0) + if has_late_question(transcript, sentences.clone()) { 6.0 } else { 0.0 };
        let rules = limits.weights.total(hook, completeness, density, emotion);
        let worth = match moment {
            Some(moment) => {
                let dangles = if dangles(transcript, features, sentences.clone()) { DANGLING } else { 0.0 };
                let unmarked = if is_cut_off(transcript, sentences.clone()) { UNMARKED } else { 0.0 };
                MOMENT_PART * moment + (10.0 - MOMENT_PART) * completeness.min(CLEAN)
                    - dangles
                    - unmarked
                    - DEPENDENT * features.dependence[first]
            }
            None => rules,
        };
        let less = 6.0 * off + 5.0 * self.show.min(4.0) + chatter + 1.5 * self.silence.min(4.0);
        // Three mentions per half minute count as a clip about the topic.
        let about = (self.topics * 30.0 / length / 3.0).min(1.0);
        let topical = if limits.topical { 0.7 + 0.3 * about } else { 1.0 };
        let total = (worth - less) * topical;
        // Few sentences resemble moments of a long talk, so what the rules find good enough stays.
        let floor = (worth.max(rules) - less) * topical;
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        let score = Score {
            total: tenth(total.clamp(0.0, 100.0)),
            hook: tenth(hook),
            completeness: tenth(completeness.clamp(0.0, 10.0)),
            density: tenth(density),
            emotion: tenth(emotion),
            moment: moment.map(tenth),
        };
        (score, tenth(floor.clamp(0.0, 100.0)))
    }
}

/// Whether a span begins with a reference to what comes before, or ends before its thought does.
fn dangles(transcript: &AnalyzedTranscript<'_>, features: &SentenceFeatures, sentences: Range<usize>) -> bool {
    let (first, last) = (sentences.start, sentences.end - 1);
    // Without punctuation nothing stands quite alone, and no end is sure.
    let punctuated = |sentence: usize| transcript.is_punctuated(transcript.sentences[sentence].words.start);
    features.dependence[first] > if punctuated(first) { 0.35 } else { 0.65 }
        || features.closure[last] < if punctuated(last) { 0.6 } else { 0.4 }
}

/// Whether the sentence before a span or its last one ends without a mark and without a pause, in a
/// transcript that has marks.
fn is_cut_off(transcript: &AnalyzedTranscript<'_>, sentences: Range<usize>) -> bool {
    let cut_off = |sentence: usize| {
        let sentence = &transcript.sentences[sentence];
        sentence.ends == End::Pause && sentence.gap < SENTENCE_PAUSE
    };
    let is_last = sentences.end == transcript.sentences.len();
    transcript.has_marks() && (sentences.start > 0 && cut_off(sentences.start - 1) || !is_last && cut_off(sentences.end - 1))
}

/// Whether the last question comes so late that its answer is cut off.
fn has_late_question(transcript: &AnalyzedTranscript<'_>, sentences: Range<usize>) -> bool {
    const A_QUESTION: usize = 4;
    let all = &transcript.sentences[sentences];
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
