mod capabilities;
mod chat;
mod comparing;
mod comparison;
mod judging;
mod meaning;
mod prompt;
mod support;
mod verdict;

use std::ops::Range;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::genre::Weights;
use super::heuristic::RULES;
use super::shortlist::{Shortlist, shortlist};
use super::{ScoreOptions, Scorer, Scoring};
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::{Candidate, Score, WarningKind};
use crate::openai::{OpenAiServer, Price};
use chat::Chat;
#[cfg(any(test, fuzzing))]
pub(crate) use meaning::read_answer;
use prompt::Prompts;
use support::Said;
use verdict::Verdict;

/// How many spans are scored for each wanted clip.
const SPANS_PER_CLIP: usize = 3;
/// The most spans that are scored, unless more clips are wanted.
const MAX_SPANS: usize = 60;
/// If a span has at least [`GOOD_FIT`], spans below this topic fit (0 to 10) are dropped.
const MIN_FIT: f64 = 3.0;
/// See [`MIN_FIT`].
const GOOD_FIT: f64 = 5.0;

/// Scores the spans that the [`Heuristic`](super::Heuristic) finds with a language model: OpenAI's,
/// or any server that speaks its chat API.
///
/// - The heuristic finds three spans of whole sentences for each wanted clip. The model scores them
///   in batches, gives titles and reasons, and may move the start and end of a span by whole
///   sentences within the allowed lengths. Then the best spans are compared with each other, five
///   at a time, three times each. Comparisons change a total by up to 10 points, since models score
///   in a narrow range.
/// - Responses follow a JSON Schema and are validated. Invalid parts (unknown, missing or repeated
///   spans, numbers or sentences out of range, missing titles) are requested once more, with the
///   reason. Spans that are still missing keep the heuristic's scores, with a warning.
/// - Meaning goes before form. The answer is taken from the content, a tool call, the reasoning or
///   a stream, with text around it or without. Another list name, a bare list, single objects,
///   numbers as text, scores from 0 to 100 or from 0 to 1 (if all scores of the answer show it),
///   Python's quotes, trailing commas, and a missing `reason`, `hook_line`, `first` or `last` are
///   taken as they are meant, without another request. One warning counts them.
/// - What a server rejects is left out: the temperature, the limit on the response, the schema (it
///   is then in the prompt), the system message (it is then in the user's). Messages alternate. If
///   a model fails to follow the schema, it is asked once more, and then without one. A request
///   that is too large for the server or the model's context is halved.
/// - If the server fails for all spans, that is this scorer's error; `.or(Heuristic::default())`
///   replaces it. If it fails for some spans, there is a warning, and the other verdicts count.
/// - The cost is part of the manifest's `usage`. A budget (`max_cost`) is not exceeded: before a
///   request is sent, its highest cost is reserved, from an upper estimate of the prompt and a
///   limit on the response that the server has to honor. If the budget does not allow it, spans
///   keep the heuristic's scores, with a warning. A budget without a known price is an error.
///
/// The transcript is sent to the server, in JSON strings. A model that follows an instruction in it
/// can change only scores, titles, and the ends of spans that the heuristic chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenAiScorer {
    /// The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
    pub server: OpenAiServer,
    /// The model. Default `gpt-4o-mini`.
    pub model: String,
    /// How many requests run concurrently. Default 3; 0 counts as 1.
    pub requests: usize,
    /// The time limit of one request, in seconds. A request that exceeds it is sent again, as the
    /// server's layers say. Default 120; 0 counts as 1.
    pub timeout_secs: u64,
    /// Whether the best spans are compared with each other after scoring, with up to twelve more
    /// requests. Default true.
    pub rerank: bool,
    /// The price of the model. Default: the known price of OpenAI's models on OpenAI's server.
    pub price: Option<Price>,
}

impl Default for OpenAiScorer {
    fn default() -> Self {
        let (server, model) = (OpenAiServer::default(), "gpt-4o-mini".to_owned());
        OpenAiScorer { server, model, requests: 3, timeout_secs: 120, rerank: true, price: None }
    }
}

#[async_trait]
impl Scorer for OpenAiScorer {
    /// Server, organization, model, prompts, and the heuristic's rules.
    fn fingerprint(&self, environment: &Environment) -> Option<String> {
        let OpenAiScorer { server, model, rerank, .. } = self;
        let organization = server.organization.as_deref().unwrap_or_default();
        let url = server.with_environment(environment).url();
        Some(format!("openai {} {organization} {model} {} {} {rerank} {RULES}", url, prompt::JUDGE, prompt::RANK))
    }

    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        // First, since a missing key makes all other work useless. One client for all requests.
        let chat = &Chat::open(self, cx)?;
        let wanted = scoring.options.max_clips;
        let most = wanted.saturating_mul(SPANS_PER_CLIP).min(MAX_SPANS.max(wanted));
        let wanted_spans = scoring.clone();
        let Some(list) = cx.blocking(move |cx| shortlist(cx, &wanted_spans, most)).await? else { return Ok(Vec::new()) };
        let prompts = &Prompts::new(&self.model, &list, scoring);
        let mut spans = self.judge(cx, chat, prompts).await?;
        drop_off_topic(&mut spans);
        spans.sort_by(|a, b| b.candidate.score.total.total_cmp(&a.candidate.score.total));
        if self.rerank {
            self.compare(cx, chat, prompts, &mut spans, wanted).await?;
        }
        let repairs = chat.repairs();
        if !repairs.is_empty() {
            let what = repairs.describe();
            cx.warn_of(
                WarningKind::Repaired,
                format!("{} answered in another form than asked for, and was read by its meaning: {what}", self.model),
            );
        }
        Ok(select(spans, &scoring.options))
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

/// A span with the model's or the heuristic's score.
#[derive(Clone, Debug)]
struct ScoredSpan {
    candidate: Candidate,
    /// The index in the shortlist.
    place: usize,
    /// The sentences of the span.
    sentences: Range<usize>,
    /// The topic fit, 0 to 10, if topics are wanted.
    fit: Option<f64>,
}

impl ScoredSpan {
    fn by_heuristic(list: &Shortlist, place: usize) -> Self {
        let listed = &list.spans[place];
        ScoredSpan { candidate: listed.candidate.clone(), place, sentences: listed.own.clone(), fit: None }
    }

    fn by_model(list: &Shortlist, place: usize, verdict: Verdict, options: &ScoreOptions) -> Self {
        let listed = &list.spans[place];
        let suggested = listed.shown.start + verdict.sentences.start..listed.shown.start + verdict.sentences.end;
        // Suggested ends that make no valid clip are ignored.
        let (sentences, span) = match list.span(listed, suggested.clone(), options) {
            Some(span) => (suggested, span),
            None => (listed.own.clone(), listed.candidate.span),
        };
        let Verdict { hook, completeness, density, emotion, fit, .. } = verdict;
        let total = Weights::of(options.genre).total(hook, completeness, density, emotion) * fit.map_or(1.0, |fit| 0.4 + 0.06 * fit);
        let score = Score { total: (total * 10.0).round() / 10.0, hook, completeness, density, emotion, moment: None };
        let mut candidate = Candidate::new(span, score, verdict.title, verdict.reason);
        (candidate.hook_line, candidate.description, candidate.tags) = (verdict.hook_line, verdict.description, verdict.tags);
        ScoredSpan { candidate, place, sentences, fit }
    }
}

impl ScoredSpan {
    /// Drops a description and tags that name what the clip does not say. Returns whether the
    /// description was one.
    fn drop_unsupported(&mut self, prompts: &Prompts<'_>) -> bool {
        let about = prompts.scoring.media.as_ref().map(|media| &media.about);
        let said = Said::of(&prompts.text(self.sentences.clone()), about);
        self.candidate.tags.retain(|tag| said.has(tag));
        let is_unsupported = self.candidate.description.as_ref().is_some_and(|text| !said.supports(text));
        if is_unsupported {
            self.candidate.description = None;
        }
        is_unsupported
    }
}

/// The remaining budget, for messages.
fn budget(cx: &Context) -> String {
    cx.budget_left().map_or_else(String::new, |left| format!("${left:.4} left"))
}

/// Drops spans that do not fit the wanted topics, if some span fits well.
fn drop_off_topic(spans: &mut Vec<ScoredSpan>) {
    if spans.iter().any(|span| span.fit.is_some_and(|fit| fit >= GOOD_FIT)) {
        spans.retain(|span| span.fit.is_none_or(|fit| fit >= MIN_FIT));
    }
}

/// The best spans without overlaps, by rank. Where only the padding of two spans overlaps, the
/// lower-ranked one is shortened; spans whose words overlap are dropped.
fn select(mut spans: Vec<ScoredSpan>, options: &ScoreOptions) -> Vec<Candidate> {
    spans.sort_by(|a, b| b.candidate.score.total.total_cmp(&a.candidate.score.total));
    let mut kept: Vec<Candidate> = Vec::new();
    for ScoredSpan { mut candidate, .. } in spans {
        for other in &kept {
            let (own, other) = (candidate.span, other.span);
            if own.intersection(other).is_some() {
                let (start, end) = if own.start() < other.start() { (own.start(), other.start()) } else { (other.end(), own.end()) };
                candidate.span = crate::model::Span::between(start, end);
            }
        }
        let clear = kept.iter().all(|other| other.span.intersection(candidate.span).is_none());
        if clear && candidate.span.duration() >= options.min && kept.len() < options.max_clips {
            kept.push(candidate);
        }
    }
    kept
}
