//! A talk as the scorers see it: its sentences, what the learned score and the rules say of each
//! span, and which spans may be clips.

use std::ops::Range;

use super::ranker::Moments;
use super::replays::Replays;
use super::segment::AnalyzedTranscript;
use super::select::{select, select_best};
use super::sentence_features::SentenceFeatures;
use super::span_score::{self, Limits, ScoredSpan, WORDS_PER_SECOND};
use super::{ScoreOptions, describe};
use crate::error::Result;
use crate::model::{Candidate, Span, Timestamp, script};

/// An analysed transcript with its spans.
pub(super) struct Talk {
    pub(super) transcript: AnalyzedTranscript<'static>,
    pub(super) features: SentenceFeatures,
    pub(super) moments: Option<Moments>,
    pub(super) replays: Option<Replays>,
    pub(super) limits: Limits,
    /// All clean spans with their scores. They overlap.
    pub(super) spans: Vec<ScoredSpan>,
}

impl Talk {
    /// The number of sentences.
    pub(super) fn len(&self) -> usize {
        self.transcript.sentences.len()
    }

    /// At most `most` of the spans that fulfil `is_wanted`, without overlaps, in descending order
    /// of score.
    pub(super) fn best(&self, most: usize, is_wanted: impl Fn(&ScoredSpan) -> bool) -> Vec<ScoredSpan> {
        let spans: Vec<ScoredSpan> = self.spans.iter().filter(|span| is_wanted(span)).cloned().collect();
        if self.moments.is_some() { select_best(spans, most) } else { select(spans, most) }
    }

    /// A span as a candidate, described in its own words.
    pub(super) fn candidate(&self, span: &ScoredSpan) -> Result<Candidate> {
        let title = describe::title(&self.transcript, &self.features, span);
        let mut factors = self.moments.as_ref().map_or_else(Vec::new, |moments| moments.factors(span.start, span.end));
        factors.extend(self.replays.as_ref().and_then(|replays| replays.factor(span.start, span.end)));
        factors.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        let reason = describe::reason(&self.transcript, &self.features, span, &factors);
        let at = Span::new(Timestamp::from_secs(span.start), Timestamp::from_secs(span.end))?;
        let mut candidate = Candidate::new(at, span.score, title, reason);
        candidate.factors = factors;
        Ok(candidate)
    }

    /// Any sentences with their score. They must not be empty.
    pub(super) fn scored(&self, sentences: Range<usize>) -> ScoredSpan {
        let mut span = span_score::scored(&self.transcript, &self.features, self.moments.as_ref(), sentences, &self.limits);
        if let Some(replays) = &self.replays {
            span.score.total = replays.weighed(span.score.total, span.start, span.end);
        }
        span
    }

    /// The text of a sentence.
    pub(super) fn text(&self, sentence: usize) -> String {
        let Some(sentence) = self.transcript.sentences.get(sentence) else { return String::new() };
        script::join(self.transcript.words[sentence.words.clone()].iter().map(|word| word.text.as_str()))
    }

    /// The number of words of a sentence; in scripts without spaces, of what is as long to say.
    pub(super) fn words(&self, sentence: usize) -> f64 {
        let sentence = self.transcript.sentences.get(sentence);
        sentence.map_or(0.0, |sentence| self.transcript.weights[sentence.words.clone()].iter().sum())
    }

    /// The start and end of a sentence in seconds, with padding where the neighbours leave space.
    pub(super) fn times(&self, sentence: usize) -> (f64, f64) {
        span_score::padded(&self.transcript, sentence..sentence + 1, &self.limits)
    }

    /// How much a sentence depends on what comes before it, 0 to 1.
    pub(super) fn dependence(&self, sentence: usize) -> f64 {
        self.features.dependence.get(sentence).copied().unwrap_or(0.0)
    }

    /// Whether a time lies between the start of a sentence and that of the next.
    pub(super) fn is_during(&self, sentence: usize, at: Timestamp) -> bool {
        let starts_by = |n: usize| n < self.len() && self.times(n).0 <= at.secs();
        starts_by(sentence) && !starts_by(sentence + 1)
    }

    /// The span of some sentences. `None` if it is no valid clip: it must start and end at
    /// sentence boundaries, have an allowed length, a plausible speech rate and no long silence,
    /// and mention no topic to avoid.
    pub(super) fn span(&self, sentences: Range<usize>, options: &ScoreOptions) -> Option<Span> {
        if sentences.is_empty() || sentences.end > self.len() {
            return None;
        }
        let (first, last) = (sentences.start, sentences.end - 1);
        if !span_score::starts_at_boundary(&self.transcript, first) || !span_score::ends_at_boundary(&self.transcript, last) {
            return None;
        }
        let (start, end) = span_score::padded(&self.transcript, sentences.clone(), &self.limits);
        let span = Span::new(Timestamp::from_secs(start), Timestamp::from_secs(end)).ok()?;
        let inside = &self.transcript.sentences[sentences.clone()];
        let silences =
            inside.iter().map(|sentence| sentence.longest_gap).chain(inside[..inside.len() - 1].iter().map(|sentence| sentence.gap));
        if silences.into_iter().any(|silence| silence > self.limits.silence) {
            return None;
        }
        let spoken: f64 = sentences.clone().map(|n| self.words(n)).sum();
        let fits = (options.min..=options.max).contains(&span.duration());
        let is_speech = WORDS_PER_SECOND.contains(&(spoken / span.duration().as_secs_f64()));
        (fits && is_speech && !span_score::is_avoided(&self.transcript, sentences)).then_some(span)
    }
}
