//! Everything that is said, read in stretches: what the model proposes, and what stays unread.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, TryStreamExt};

use super::chat::{Chat, Heard, Unanswered};
use super::moment::{Moment, Unfit, distinct, placed};
use super::prompt::Prompts;
use super::quote::Words;
use super::stretch::{self, FEWEST_WORDS, Line};
use super::{OpenAiScorer, budget};
use crate::context::Context;
use crate::error::Result;
use crate::model::WarningKind;
use crate::score::plain::plain;
use crate::score::span_score::ScoredSpan;

/// The part of the budget that is left to judge and compare what is read.
const KEPT_FOR_JUDGING: f64 = 1.0 / 3.0;
/// The fewest and the most proposals that are asked for in one stretch.
const PROPOSALS: Range<usize> = 3..15;

/// What the model found in a talk.
pub(super) struct Reading {
    /// Each moment once, the best first.
    pub(super) moments: Vec<Moment>,
    /// Whether each sentence was read.
    pub(super) is_read: Vec<bool>,
}

impl OpenAiScorer {
    /// Reads the talk. `most` is the number of proposals that are asked for together.
    ///
    /// # Errors
    ///
    /// The server's error, if no other request is likely to succeed and nothing was read.
    pub(super) async fn read(&self, cx: &Context, chat: &Chat, prompts: &Prompts<'_>, most: usize) -> Result<Reading> {
        let (talk, options) = (prompts.talk, &prompts.scoring.options);
        let lines: Vec<Line> = (0..talk.len())
            .map(|n| {
                let (start, end) = talk.times(n);
                Line { words: talk.words(n), start, end }
            })
            .collect();
        let longest = options.max.as_secs_f64();
        let mut stretches = stretch::stretches(&lines, 0..lines.len(), stretch::size(longest), longest);
        // Where the budget does not reach, what is left out is what promises least.
        let promise = |stretch: &Range<usize>| {
            let inside = |span: &ScoredSpan| stretch.start <= span.sentences.start && span.sentences.end <= stretch.end;
            talk.best(PROPOSALS.start, inside).iter().map(|span| span.score.total).sum::<f64>()
        };
        stretches.sort_by_cached_key(|stretch| std::cmp::Reverse((promise(stretch) * 10.0) as u64));
        let count = stretches.len();
        let reader = Reader {
            chat,
            prompts,
            lines: &lines,
            most: most.div_ceil(count.max(1)).clamp(PROPOSALS.start, PROPOSALS.end),
            keep: cx.budget_left().map_or(0.0, |left| left * KEPT_FOR_JUDGING),
            is_over_budget: AtomicBool::new(false),
        };
        let reader = &reader;
        let outcomes: Vec<Outcome> = futures::stream::iter(stretches)
            .map(|stretch| reader.stretch(cx, stretch))
            .buffered(self.requests.max(1))
            .try_collect()
            .await?;
        let mut all = Outcome::default();
        outcomes.into_iter().for_each(|outcome| all.merge(outcome));
        let mut is_read = vec![false; lines.len()];
        all.read.iter().for_each(|read| is_read[read.clone()].fill(true));
        if let Some(error) = all.unanswered.failed.take_if(|_| all.read.is_empty() && chat.is_unreachable()) {
            return Err(error);
        }
        let unread: f64 = lines.iter().zip(&is_read).filter(|(_, is_read)| !**is_read).map(|(line, _)| line.words).sum();
        self.warn_of_reading(cx, &all, unread, stretch::count(&lines, &(0..lines.len())), count);
        Ok(Reading { moments: distinct(all.moments, talk), is_read })
    }

    fn warn_of_reading(&self, cx: &Context, all: &Outcome, unread: f64, words: f64, stretches: usize) {
        if unread > 0.0 {
            cx.step_down();
        }
        let left_out = format!("{unread:.0} of {words:.0} words were not read, and the heuristic chooses there");
        if all.unanswered.is_over_budget {
            cx.warn_of(WarningKind::Budget, format!("the budget allows no more requests to read the talk ({}); {left_out}", budget(cx)));
        }
        if let Some(error) = &all.unanswered.failed {
            cx.warn_of(WarningKind::StandIn, format!("{error}; {left_out}"));
        }
        if !all.wrong.is_empty() {
            let message = format!(
                "{} gave no usable proposals for {} of {stretches} stretches of the talk ({}); {left_out}",
                self.model,
                all.wrong.len(),
                plain(&all.wrong.join("; "), 300)
            );
            cx.warn_of(WarningKind::StandIn, message);
        }
        let Dropped { sentences, quote, length } = all.dropped;
        let dropped = sentences + quote + length;
        if dropped > 0 {
            let reasons = [
                (quote, "quote something that is not said in their stretch"),
                (sentences, "name sentences that are not in it"),
                (length, "fit into no clip of the allowed lengths"),
            ];
            let reasons = reasons.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
            let message = format!(
                "{dropped} of {} proposals by {} are dropped: {}",
                dropped + all.moments.len(),
                self.model,
                reasons.collect::<Vec<_>>().join(", ")
            );
            cx.warn_of(WarningKind::Repaired, message);
        }
    }
}

/// Reads stretches.
struct Reader<'a> {
    chat: &'a Chat,
    prompts: &'a Prompts<'a>,
    lines: &'a [Line],
    /// The most proposals for a stretch.
    most: usize,
    /// What is left of the budget, in US dollars.
    keep: f64,
    is_over_budget: AtomicBool,
}

impl Reader<'_> {
    /// Reads one stretch. One that is too large for the server is halved.
    async fn stretch(&self, cx: &Context, stretch: Range<usize>) -> Result<Outcome> {
        let longest = self.prompts.scoring.options.max.as_secs_f64();
        let mut outcome = Outcome::default();
        let mut parts = vec![stretch];
        while let Some(part) = parts.pop() {
            // What promises less is not read instead.
            if self.is_over_budget.load(Ordering::Relaxed) {
                outcome.unanswered.is_over_budget = true;
                break;
            }
            // The failed requests carry the error.
            if self.chat.is_unreachable() {
                break;
            }
            let size = self.chat.most_words();
            if part.len() > 1 && stretch::count(self.lines, &part) > size {
                parts.extend(stretch::stretches(self.lines, part, size, longest).into_iter().rev());
                continue;
            }
            if let Some(part) = self.part(cx, part, &mut outcome).await? {
                self.chat.lower_most_words(stretch::count(self.lines, &part) / 2.0);
                parts.push(part);
            }
        }
        Ok(outcome)
    }

    /// Reads a part of a stretch. Returns it if it is too large for one request.
    async fn part(&self, cx: &Context, part: Range<usize>, outcome: &mut Outcome) -> Result<Option<Range<usize>>> {
        let is_divisible = part.len() > 1 && stretch::count(self.lines, &part) > FEWEST_WORDS;
        let mut correction: Option<String> = None;
        for is_last in [false, true] {
            let question = self.prompts.read(&part, self.most, self.keep, correction.take());
            let wrong = match self.chat.hear(cx, &question, is_divisible, &mut outcome.unanswered).await? {
                Heard::TooLarge => return Ok(Some(part)),
                Heard::Nothing => {
                    self.is_over_budget.fetch_or(outcome.unanswered.is_over_budget, Ordering::Relaxed);
                    return Ok(None);
                }
                Heard::Response(Err(reason)) => reason,
                Heard::Response(Ok(spoken)) => match self.moments(&part, &spoken.texts, is_last, outcome) {
                    None => return Ok(None),
                    Some(_) if spoken.cut => "it is cut off".into(),
                    Some(wrong) => wrong,
                },
            };
            if is_last {
                outcome.wrong.push(wrong);
            } else {
                correction = Some(wrong);
            }
        }
        Ok(None)
    }

    /// Adds what holds of an answer, and that the part was read. Returns what is wrong if the
    /// answer cannot be used: it is no list of proposals, or none of them holds.
    fn moments(&self, part: &Range<usize>, texts: &[String], is_last: bool, outcome: &mut Outcome) -> Option<String> {
        let (talk, options) = (self.prompts.talk, &self.prompts.scoring.options);
        let (proposals, mut wrong, repairs) = match self.prompts.read_proposals(part, texts) {
            Ok(read) => read,
            Err(wrong) => return Some(wrong),
        };
        let is_empty = proposals.is_empty() && wrong.is_empty();
        let mut dropped = Dropped { sentences: wrong.len(), ..Dropped::default() };
        let said = Words::of(part.clone().map(|n| (n, talk.text(n))));
        let mut found = Vec::new();
        for proposal in proposals.into_iter().take(self.most).enumerate() {
            let quote = plain(&proposal.1.quote, 60);
            match placed(talk, options, part, &said, proposal) {
                Ok(moment) => found.push(moment),
                Err(Unfit::Quote) => {
                    dropped.quote += 1;
                    wrong.push(format!("no sentence says: {quote}"));
                }
                Err(Unfit::Length) => {
                    dropped.length += 1;
                    wrong.push(format!("no clip of the wanted length fits around: {quote}"));
                }
            }
        }
        let is_used = is_empty || !found.is_empty();
        if is_used || is_last {
            outcome.dropped.add(dropped);
        }
        if !is_used {
            return Some(plain(&wrong.join("; "), 400));
        }
        self.chat.repaired(repairs);
        outcome.moments.extend(found);
        outcome.read.push(part.clone());
        None
    }
}

/// What came of some stretches.
#[derive(Default)]
struct Outcome {
    moments: Vec<Moment>,
    /// The sentences that were read.
    read: Vec<Range<usize>>,
    dropped: Dropped,
    /// What was wrong with each answer that could not be used.
    wrong: Vec<String>,
    unanswered: Unanswered,
}

impl Outcome {
    fn merge(&mut self, other: Outcome) {
        let Outcome { moments, read, dropped, wrong, unanswered } = other;
        self.moments.extend(moments);
        self.read.extend(read);
        self.dropped.add(dropped);
        self.wrong.extend(wrong);
        self.unanswered.merge(unanswered);
    }
}

/// The numbers of proposals that are dropped, by what is wrong with them.
#[derive(Clone, Copy, Debug, Default)]
struct Dropped {
    sentences: usize,
    quote: usize,
    length: usize,
}

impl Dropped {
    fn add(&mut self, other: Dropped) {
        self.sentences += other.sentences;
        self.quote += other.quote;
        self.length += other.length;
    }
}
