//! Spans with the model's or the heuristic's score, and texts that say only what is said.

use std::ops::Range;

use super::prompt::Prompts;
use super::support::Said;
use super::verdict::{MAX_HOOK_LINE_CHARS, Verdict};
use crate::error::Result;
use crate::model::{Candidate, Score};
use crate::score::ScoreOptions;
use crate::score::genre::Weights;
use crate::score::plain::plain;

/// A span with the model's or the heuristic's score.
#[derive(Clone, Debug)]
pub(super) struct ScoredSpan {
    pub(super) candidate: Candidate,
    /// The index in the list.
    pub(super) place: usize,
    /// The sentences of the span.
    pub(super) sentences: Range<usize>,
    /// The topic fit, 0 to 10, if topics are wanted.
    pub(super) fit: Option<f64>,
    /// The heuristic's score, which decides between equal totals.
    pub(super) learned: f64,
}

impl ScoredSpan {
    pub(super) fn by_heuristic(prompts: &Prompts<'_>, place: usize) -> Self {
        let listed = &prompts.list[place];
        let learned = listed.candidate.score.total;
        ScoredSpan { candidate: listed.candidate.clone(), place, sentences: listed.own.clone(), fit: None, learned }
    }

    pub(super) fn by_model(prompts: &Prompts<'_>, place: usize, verdict: Verdict, options: &ScoreOptions) -> Self {
        let listed = &prompts.list[place];
        let suggested = listed.shown.start + verdict.sentences.start..listed.shown.start + verdict.sentences.end;
        let has_quote = listed.quote.as_ref().is_none_or(|quote| suggested.start <= quote.start && quote.end <= suggested.end);
        // Suggested ends that make no valid clip, or leave the quote outside, are ignored.
        let moved = Some(&suggested).filter(|suggested| has_quote && **suggested != listed.own);
        let (sentences, span) = match moved.and_then(|suggested| prompts.talk.span(suggested.clone(), options)) {
            Some(span) => (suggested, span),
            None => (listed.own.clone(), listed.candidate.span),
        };
        let Verdict { hook, completeness, density, emotion, fit, .. } = verdict;
        let total = Weights::of(options.genre).total(hook, completeness, density, emotion) * fit.map_or(1.0, |fit| 0.4 + 0.06 * fit);
        let score = Score { total: (total * 10.0).round() / 10.0, hook, completeness, density, emotion, moment: None };
        let mut candidate = Candidate::new(span, score, verdict.title, verdict.reason);
        candidate.hook_line = verdict.hook_line.or_else(|| listed.candidate.hook_line.clone());
        (candidate.description, candidate.tags) = (verdict.description, verdict.tags);
        ScoredSpan { candidate, place, sentences, fit, learned: listed.candidate.score.total }
    }

    /// Replaces a title and a hook line that name what the clip does not say by words of the clip,
    /// and drops a description and tags that do. Returns how many there were.
    pub(super) fn without_unsupported(&mut self, prompts: &Prompts<'_>) -> Result<Unsupported> {
        let about = prompts.scoring.media.as_ref().map(|media| &media.about);
        let said = Said::of(&prompts.text(self.sentences.clone()), about);
        let candidate = &mut self.candidate;
        let is_unsupported = |text: &Option<String>| text.as_ref().is_some_and(|text| !said.supports(text));
        let tags = candidate.tags.len();
        candidate.tags.retain(|tag| said.has(tag));
        let found = Unsupported {
            titles: usize::from(!said.supports(&candidate.title)),
            hook_lines: usize::from(is_unsupported(&candidate.hook_line)),
            descriptions: usize::from(is_unsupported(&candidate.description)),
            tags: tags - candidate.tags.len(),
        };
        if found.descriptions > 0 {
            candidate.description = None;
        }
        if found.titles + found.hook_lines > 0 {
            let talk = prompts.talk;
            let own = talk.candidate(&talk.scored(self.sentences.clone()))?.title;
            if found.hook_lines > 0 {
                let quote = prompts.list[self.place].quote.as_ref().map(|quote| talk.text(quote.start));
                let quote = quote.filter(|quote| quote.chars().count() <= MAX_HOOK_LINE_CHARS);
                let line = quote.map_or_else(|| own.clone(), |quote| plain(&quote, MAX_HOOK_LINE_CHARS));
                candidate.hook_line = Some(line).filter(|line| !line.is_empty());
            }
            if found.titles > 0 {
                candidate.title = own;
            }
        }
        Ok(found)
    }
}

/// The numbers of texts that name what their clip does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unsupported {
    titles: usize,
    hook_lines: usize,
    descriptions: usize,
    tags: usize,
}

impl Unsupported {
    pub(super) fn add(&mut self, other: Unsupported) {
        self.titles += other.titles;
        self.hook_lines += other.hook_lines;
        self.descriptions += other.descriptions;
        self.tags += other.tags;
    }

    /// The counts in words: `2 titles, 5 tags`. `None` if there are none.
    pub(super) fn describe(self) -> Option<String> {
        let counts = [(self.titles, "titles"), (self.hook_lines, "hook lines"), (self.descriptions, "descriptions"), (self.tags, "tags")];
        let counted: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        (!counted.is_empty()).then(|| counted.join(", "))
    }
}
