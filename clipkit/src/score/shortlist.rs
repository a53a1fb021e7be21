//! What the heuristic finds, as sentences that a judge can choose a beginning and an end from.

use std::ops::Range;

use super::heuristic::{Choice, Subjects, choose};
use super::judge::{WORDS_PER_SECOND, ends_whole, padded, starts_whole};
use super::{ScoreOptions, Scoring};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Candidate, Span, Timestamp, script};

/// How many sentences before a span and after it are shown with it.
const AROUND: usize = 2;

/// The best spans of a talk.
pub(super) struct Shortlist {
    pub(super) spans: Vec<Listed>,
    sentences: Vec<Line>,
}

/// A span, and the sentences it could be made of.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) candidate: Candidate,
    /// The sentences that are shown: its own and a few around it that are in no other span.
    pub(super) shown: Range<usize>,
    /// Its own.
    pub(super) own: Range<usize>,
}

/// A sentence. `start` and `end` leave room around its words as far as there is some.
struct Line {
    text: String,
    start: f64,
    end: f64,
    words: f64,
    opens: bool,
    closes: bool,
}

/// The `most` best spans, apart and best first; none, with a warning, where there are none.
pub(super) fn shortlist(cx: &Context, scoring: &Scoring, most: usize) -> Result<Option<Shortlist>> {
    choose(cx, scoring, most, Subjects::First, Shortlist::of)
}

impl Shortlist {
    fn of(choice: &Choice<'_>) -> Result<Self> {
        let (talk, limits) = (choice.talk, choice.limits);
        let sentences: Vec<Line> = (0..talk.sentences.len())
            .map(|n| {
                let words = talk.sentences[n].words.clone();
                let (start, end) = padded(talk, n..n + 1, limits);
                Line {
                    text: script::join(talk.words[words.clone()].iter().map(|word| word.text.as_str())),
                    start,
                    end,
                    words: talk.weights[words].iter().sum(),
                    opens: starts_whole(talk, n),
                    closes: ends_whole(talk, n),
                }
            })
            .collect();
        let mut taken = vec![false; sentences.len()];
        for span in choice.spans {
            taken[span.sentences.clone()].fill(true);
        }
        let mut spans = Vec::new();
        for span in choice.spans {
            let own = span.sentences.clone();
            let before = taken[..own.start].iter().rev().take(AROUND).take_while(|taken| !**taken).count();
            let after = taken[own.end..].iter().take(AROUND).take_while(|taken| !**taken).count();
            let shown = own.start - before..own.end + after;
            // What is shown with one span is not offered with another.
            taken[shown.clone()].fill(true);
            spans.push(Listed { candidate: choice.candidate(span)?, shown, own });
        }
        Ok(Shortlist { spans, sentences })
    }

    /// What is said in a sentence.
    pub(super) fn text(&self, sentence: usize) -> &str {
        self.sentences.get(sentence).map_or("", |line| &line.text)
    }

    /// The span from one sentence to another of those shown, where that can be a clip: whole, of the lengths asked for, spoken at a
    /// human rate.
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
