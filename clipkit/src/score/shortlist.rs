//! The best spans of the heuristic with their surrounding sentences, from which a language model
//! can choose other boundaries.

use std::ops::Range;

use super::heuristic::{Selection, TopicPolicy, choose};
use super::span_score::{WORDS_PER_SECOND, ends_at_boundary, padded, starts_at_boundary};
use super::{ScoreOptions, Scoring};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Candidate, Span, Timestamp, script};

/// The number of sentences shown before and after a span.
const CONTEXT_SENTENCES: usize = 2;

/// The best spans of a transcript.
pub(super) struct Shortlist {
    pub(super) spans: Vec<Listed>,
    sentences: Vec<SentenceEntry>,
}

/// A span with the sentences that it may consist of.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) candidate: Candidate,
    /// The indices of the shown sentences: the span's own and a few neighbours that belong to no
    /// other span.
    pub(super) shown: Range<usize>,
    /// The indices of the span's own sentences.
    pub(super) own: Range<usize>,
}

/// A sentence. `start` and `end`, in seconds, include padding where the neighbours leave space.
struct SentenceEntry {
    text: String,
    start: f64,
    end: f64,
    words: f64,
    opens: bool,
    closes: bool,
}

/// The `most` best spans, which do not overlap, in descending order of score. `None`, with a
/// warning, if there are none.
pub(super) fn shortlist(cx: &Context, scoring: &Scoring, most: usize) -> Result<Option<Shortlist>> {
    choose(cx, scoring, most, TopicPolicy::Prefer, Shortlist::of)
}

impl Shortlist {
    fn of(selection: &Selection<'_>) -> Result<Self> {
        let (transcript, limits) = (selection.transcript, selection.limits);
        let sentences: Vec<SentenceEntry> = (0..transcript.sentences.len())
            .map(|n| {
                let words = transcript.sentences[n].words.clone();
                let (start, end) = padded(transcript, n..n + 1, limits);
                SentenceEntry {
                    text: script::join(transcript.words[words.clone()].iter().map(|word| word.text.as_str())),
                    start,
                    end,
                    words: transcript.weights[words].iter().sum(),
                    opens: starts_at_boundary(transcript, n),
                    closes: ends_at_boundary(transcript, n),
                }
            })
            .collect();
        let mut taken = vec![false; sentences.len()];
        for span in selection.spans {
            taken[span.sentences.clone()].fill(true);
        }
        let mut spans = Vec::new();
        for span in selection.spans {
            let own = span.sentences.clone();
            let before = taken[..own.start].iter().rev().take(CONTEXT_SENTENCES).take_while(|taken| !**taken).count();
            let after = taken[own.end..].iter().take(CONTEXT_SENTENCES).take_while(|taken| !**taken).count();
            let shown = own.start - before..own.end + after;
            // A sentence is shown with one span only.
            taken[shown.clone()].fill(true);
            spans.push(Listed { candidate: selection.candidate(span)?, shown, own });
        }
        Ok(Shortlist { spans, sentences })
    }

    /// The text of a sentence.
    pub(super) fn text(&self, sentence: usize) -> &str {
        self.sentences.get(sentence).map_or("", |line| &line.text)
    }

    /// Whether a time lies between the start of a sentence and that of the next.
    pub(super) fn is_during(&self, sentence: usize, at: Timestamp) -> bool {
        let starts_by = |n: usize| self.sentences.get(n).is_some_and(|line| line.start <= at.secs());
        starts_by(sentence) && !starts_by(sentence + 1)
    }

    /// The span of a range of shown sentences. `None` if it is no valid clip: it must start and end
    /// at sentence boundaries, have an allowed length, and a plausible speech rate.
    pub(super) fn span(&self, listed: &Listed, sentences: Range<usize>, options: &ScoreOptions) -> Option<Span> {
        if sentences == listed.own {
            return Some(listed.candidate.span);
        }
        if sentences.is_empty() || sentences.start < listed.shown.start || sentences.end > listed.shown.end {
            return None;
        }
        let lines = self.sentences.get(sentences)?;
        let (first, last) = (lines.first()?, lines.last()?);
        let span = Span::new(Timestamp::from_secs(first.start), Timestamp::from_secs(last.end)).ok()?;
        let length = span.duration().as_secs_f64();
        let spoken: f64 = lines.iter().map(|line| line.words).sum();
        let fits = (options.min..=options.max).contains(&span.duration());
        (first.opens && last.closes && fits && WORDS_PER_SECOND.contains(&(spoken / length))).then_some(span)
    }
}
