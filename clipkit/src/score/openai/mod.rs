mod capabilities;
mod chat;
mod comparison;
mod meaning;
mod prompt;
mod verdict;

use std::collections::HashMap;
use std::ops::Range;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::genre::Weights;
use super::heuristic::RULES;
use super::shortlist::{Shortlist, shortlist};
use super::{ScoreOptions, Scorer, Scoring};
use crate::context::{Context, Environment};
use crate::error::{Error, Result};
use crate::model::{Candidate, Score, WarningKind};
use crate::openai::{OpenAiServer, Price};
use chat::{Chat, ChatError};
#[cfg(any(test, fuzzing))]
pub(crate) use meaning::read_answer;
use prompt::Prompts;
use verdict::Verdict;

/// Spans in one request: enough for relative scores, few enough for accurate ones.
const BATCH: usize = 8;
/// How many spans are scored for each wanted clip.
const SPANS_PER_CLIP: usize = 3;
/// The most spans that are scored, unless more clips are wanted.
const MAX_SPANS: usize = 60;
/// The most points that comparisons add to a span's total, or subtract from it.
const COMPARISON_POINTS: f64 = 10.0;
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
    /// Server, organization, model, prompts, and the heuristic's rules..
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
        let candidate =
            Candidate { span, score, title: verdict.title, reason: verdict.reason, hook_line: verdict.hook_line, factors: Vec::new() };
        ScoredSpan { candidate, place, sentences, fit }
    }
}

impl OpenAiScorer {
    /// Scores all spans. The result is in the order of the shortlist.
    async fn judge(&self, cx: &Context, chat: &Chat, prompts: &Prompts<'_>) -> Result<Vec<ScoredSpan>> {
        let count = prompts.list.spans.len();
        let places: Vec<usize> = (0..count).collect();
        let batches: Vec<Vec<usize>> = places.chunks(BATCH).map(<[usize]>::to_vec).collect();
        let outcomes: Vec<BatchOutcome> = futures::stream::iter(batches)
            .map(|batch| self.judge_batch(cx, chat, prompts, batch))
            .buffered(self.requests.max(1))
            .try_collect()
            .await?;
        let mut verdicts: HashMap<usize, Verdict> = HashMap::new();
        let (mut wrong, mut failed, mut over_budget) = (Vec::new(), None, false);
        for outcome in outcomes {
            verdicts.extend(outcome.verdicts);
            wrong.extend(outcome.wrong);
            failed = failed.or(outcome.failed);
            over_budget |= outcome.over_budget;
        }
        match failed {
            Some(error) if verdicts.is_empty() => return Err(error),
            Some(error) => {
                cx.warn_of(WarningKind::StandIn, format!("{error}; the heuristic's scores are used for the spans of that request"))
            }
            None => {}
        }
        let left = count - verdicts.len();
        if left > 0 {
            cx.step_down();
        }
        if over_budget {
            cx.warn_of(
                WarningKind::Budget,
                format!("the budget allows no more requests ({}); the heuristic's scores are used for {left} of {count} spans", budget(cx)),
            );
        }
        if !wrong.is_empty() {
            let what = wrong.join("; ");
            cx.warn_of(
                WarningKind::StandIn,
                format!(
                    "{} gave no usable verdict on some of {count} spans ({}); the heuristic's scores are used for them",
                    self.model,
                    super::plain::plain(&what, 300)
                ),
            );
        }
        let options = &prompts.scoring.options;
        Ok((0..count)
            .map(|place| match verdicts.remove(&place) {
                Some(verdict) => ScoredSpan::by_model(prompts.list, place, verdict, options),
                None => ScoredSpan::by_heuristic(prompts.list, place),
            })
            .collect())
    }

    /// Scores one batch. Valid verdicts of the first response are kept; the others are requested
    /// once more. A batch that is too large for the server is halved. Verdicts are never dropped
    /// because a later request fails.
    async fn judge_batch(&self, cx: &Context, chat: &Chat, prompts: &Prompts<'_>, batch: Vec<usize>) -> Result<BatchOutcome> {
        let mut outcome = BatchOutcome::default();
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            // The failed requests carry the error.
            if chat.is_unreachable() || outcome.over_budget {
                break;
            }
            let most = chat.most();
            if part.len() > most {
                parts.extend(part.chunks(most).rev().map(<[usize]>::to_vec));
                continue;
            }
            if let Some(part) = self.judge_part(cx, chat, prompts, part, &mut outcome).await? {
                chat.lower_most(part.len() / 2);
                parts.push(part);
            }
        }
        Ok(outcome)
    }

    /// Scores a part of a batch. Returns the spans that are left if they are too many for one
    /// request.
    async fn judge_part(
        &self,
        cx: &Context,
        chat: &Chat,
        prompts: &Prompts<'_>,
        part: Vec<usize>,
        outcome: &mut BatchOutcome,
    ) -> Result<Option<Vec<usize>>> {
        let mut left = part;
        let mut wrong: Vec<String> = Vec::new();
        for _ in 0..2 {
            let question = prompts.judge(&left, wrong.first().map(|_| wrong.join("; ")));
            wrong.clear();
            match chat.ask(cx, &question).await {
                Err(ChatError::Failed(error)) if error.is_cancelled() => return Err(error),
                Err(ChatError::TooLarge(_)) if left.len() > 1 => return Ok(Some(left)),
                Err(ChatError::TooLarge(error)) => {
                    chat.gives_up();
                    outcome.failed.get_or_insert(error);
                    return Ok(None);
                }
                Err(ChatError::Failed(error)) => {
                    outcome.failed.get_or_insert(error);
                    return Ok(None);
                }
                Err(ChatError::OverBudget) => {
                    outcome.over_budget = true;
                    return Ok(None);
                }
                Ok(Err(reason)) => wrong = vec![reason],
                Ok(Ok(spoken)) => {
                    let (verdicts, found_wrong, repairs) = prompts.read_verdicts(&left, &spoken.texts);
                    chat.repaired(repairs);
                    outcome.verdicts.extend(verdicts.into_iter().map(|(n, verdict)| (left[n], verdict)));
                    wrong = if spoken.cut { vec!["it is cut off".into()] } else { found_wrong };
                }
            }
            left.retain(|place| !outcome.verdicts.contains_key(place));
            if left.is_empty() {
                // All verdicts are there: other faults of the response do not matter.
                return Ok(None);
            }
        }
        outcome.wrong.extend(wrong);
        Ok(None)
    }

    /// Compares the best spans with each other and adjusts their totals. Failed comparisons are
    /// left out, with a warning.
    async fn compare(&self, cx: &Context, chat: &Chat, prompts: &Prompts<'_>, spans: &mut [ScoredSpan], wanted: usize) -> Result<()> {
        let count = spans.len().min(wanted + wanted.div_ceil(2)).min(comparison::MAX_CLIPS);
        let best = &mut spans[..count];
        let groups = comparison::groups(best.len(), &prompts.seed);
        let requested = groups.len();
        let compared: Vec<&ScoredSpan> = best.iter().collect();
        let compared = &compared;
        let results: Vec<Result<Vec<Vec<usize>>, ChatError>> = futures::stream::iter(groups)
            .map(|group| self.order(cx, chat, prompts, compared, group))
            .buffered(self.requests.max(1))
            .collect()
            .await;
        let (mut orders, mut compared_groups) = (Vec::new(), 0);
        let mut why = None;
        for result in results {
            match result {
                Ok(parts) if parts.is_empty() => why = why.or(Some("a response could not be used".to_owned())),
                Ok(parts) => {
                    compared_groups += 1;
                    orders.extend(parts);
                }
                Err(ChatError::Failed(error)) if error.is_cancelled() => return Err(error),
                Err(ChatError::Failed(error) | ChatError::TooLarge(error)) => why = why.or(Some(error.to_string())),
                Err(ChatError::OverBudget) => why = why.or_else(|| Some(format!("the budget allows no more requests, {}", budget(cx)))),
            }
        }
        if let Some(why) = why {
            cx.step_down();
            cx.warn_of(
                WarningKind::StandIn,
                format!(
                    "{} of {requested} comparisons of the best spans are missing ({why}); scores decide instead",
                    requested - compared_groups
                ),
            );
        }
        let probabilities = comparison::win_probabilities(best.len(), &orders);
        for (span, probability) in best.iter_mut().zip(probabilities) {
            let score = &mut span.candidate.score;
            let total = (score.total + 2.0 * COMPARISON_POINTS * (probability - 0.5)).clamp(0.0, 100.0);
            score.total = (total * 10.0).round() / 10.0;
        }
        Ok(())
    }

    /// One comparison: indexes into `best`, the best first. Empty after two unusable responses. A
    /// group that is too large for the server becomes two.
    async fn order(
        &self,
        cx: &Context,
        chat: &Chat,
        prompts: &Prompts<'_>,
        best: &[&ScoredSpan],
        group: Vec<usize>,
    ) -> Result<Vec<Vec<usize>>, ChatError> {
        let (mut orders, mut groups) = (Vec::new(), vec![group]);
        while let Some(group) = groups.pop() {
            match self.order_group(cx, chat, prompts, best, &group).await {
                Ok(order) => orders.extend(order),
                Err(ChatError::TooLarge(_)) if group.len() >= 4 => {
                    groups.extend(group.chunks(group.len().div_ceil(2)).map(<[usize]>::to_vec))
                }
                // What was compared before counts.
                Err(ChatError::Failed(error)) if error.is_cancelled() => return Err(ChatError::Failed(error)),
                Err(error) if orders.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(orders)
    }

    async fn order_group(
        &self,
        cx: &Context,
        chat: &Chat,
        prompts: &Prompts<'_>,
        best: &[&ScoredSpan],
        group: &[usize],
    ) -> Result<Option<Vec<usize>>, ChatError> {
        let clips: Vec<(usize, String)> = group.iter().map(|&n| (best[n].place, prompts.text(best[n].sentences.clone()))).collect();
        let mut correction = None;
        for _ in 0..2 {
            let wrong = match chat.ask(cx, &prompts.rank(&clips, correction)).await? {
                Err(reason) => reason,
                Ok(spoken) => match prompts.read_order(&clips, &spoken.texts) {
                    Ok((order, repairs)) => {
                        chat.repaired(repairs);
                        return Ok(Some(order.into_iter().map(|n| group[n]).collect()));
                    }
                    Err(_) if spoken.cut => "it is cut off".into(),
                    Err(wrong) => wrong,
                },
            };
            correction = Some(wrong);
        }
        Ok(None)
    }
}

/// The outcome of a batch.
#[derive(Default)]
struct BatchOutcome {
    /// By index in the shortlist.
    verdicts: HashMap<usize, Verdict>,
    /// What was wrong with the last responses.
    wrong: Vec<String>,
    failed: Option<Error>,
    over_budget: bool,
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
