mod chat;
mod contest;
mod material;
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
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Candidate, Score};
use crate::openai::{OpenAiServer, Price};
use chat::{Chat, NoAnswer};
use material::Material;
use verdict::Verdict;

/// Spans in one request: enough to compare, few enough to be read with care.
const BATCH: usize = 8;
/// How many spans are judged for each clip wanted, and at most.
const POOL: usize = 3;
const LARGEST_POOL: usize = 60;
/// How far winning or losing against the others moves a span's total.
const CONTEST_POINTS: f64 = 10.0;
/// A span that fits the subjects less is left out where another fits well.
const LEAST_FIT: f64 = 3.0;
const GOOD_FIT: f64 = 5.0;

/// Lets a language model judge the spans that the [`Heuristic`](super::Heuristic) finds: OpenAI's, or any server that speaks its chat API.
///
/// - The heuristic finds three whole-thought spans for each clip wanted. The model scores them in batches, titles them, gives its reason, and
///   may move a span's beginning and end by whole sentences, within the lengths asked for. Then the best are compared with each other, five at
///   a time, three times each; that moves a total by up to 10 points, since models score in a narrow band.
/// - Answers are held to a JSON schema and checked. What is wrong (unknown, missing or doubled spans, numbers and sentences out of range, no
///   title) is asked for once more, with the reason; then the heuristic's scores stand for those spans, with a warning. Servers that know no
///   schemas get the schema as text.
/// - A server that fails for all spans is this scorer's error: `.or(Heuristic::default())`. One that fails for some leaves a warning.
/// - What it costs ends up in the manifest's `usage`. A budget (`max_cost`) is not passed: what a request may cost at most is put aside
///   before it is sent, by an estimate that is rather too high and a limit on the answer that the server has to heed; where that is too much,
///   the heuristic stands in with a warning. A budget and no price is an error.
///
/// The transcript goes to the server. It is sent as JSON strings, and a model that follows an instruction in it can change no more than the
/// scores, titles and ends of spans that the heuristic chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiScorer {
    /// The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
    pub server: OpenAiServer,
    /// The model. Default `gpt-4o-mini`.
    pub model: String,
    /// How many requests run at once. Default 3.
    pub requests: usize,
    /// How long one answer may take, in seconds; then the request is made again, as the server's layers say. Default 120.
    pub timeout_secs: u64,
    /// Whether the best spans are compared with each other after they were scored: up to twelve requests more. Default yes.
    pub rerank: bool,
    /// What the model costs. Default: what is known of OpenAI's own models.
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
    /// Model, server, prompts and the rules beneath.
    fn fingerprint(&self) -> Option<String> {
        let OpenAiScorer { server, model, rerank, .. } = self;
        let organization = server.organization.as_deref().unwrap_or_default();
        Some(format!("openai {} {organization} {model} {} {} {rerank} {RULES}", server.url(), material::JUDGE, material::RANK))
    }

    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        // Before any work, since there may be no key; and one for all requests, which share its connections.
        let chat = &Chat::open(self, cx)?;
        let wanted = scoring.options.max_clips;
        let most = wanted.saturating_mul(POOL).min(LARGEST_POOL.max(wanted));
        let asked = scoring.clone();
        let Some(list) = cx.blocking(move |cx| shortlist(cx, &asked, most)).await? else { return Ok(Vec::new()) };
        let material = &Material::new(&self.model, &list, scoring);
        let mut judged = self.judge(cx, chat, material).await?;
        keep_fitting(&mut judged);
        judged.sort_by(|a, b| b.candidate.score.total.total_cmp(&a.candidate.score.total));
        if self.rerank {
            self.compare(cx, chat, material, &mut judged, wanted).await?;
        }
        Ok(apart(judged, &scoring.options))
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

/// A span with its score, the model's or the heuristic's.
#[derive(Clone, Debug)]
struct Judged {
    candidate: Candidate,
    /// Its place in the shortlist.
    place: usize,
    /// Its sentences.
    sentences: Range<usize>,
    fit: Option<f64>,
}

impl Judged {
    fn by_heuristic(list: &Shortlist, place: usize) -> Self {
        let listed = &list.spans[place];
        Judged { candidate: listed.candidate.clone(), place, sentences: listed.own.clone(), fit: None }
    }

    fn by_model(list: &Shortlist, place: usize, verdict: Verdict, options: &ScoreOptions) -> Self {
        let listed = &list.spans[place];
        let suggested = listed.shown.start + verdict.sentences.start..listed.shown.start + verdict.sentences.end;
        // A suggestion that makes no clip is none.
        let (sentences, span) = match list.span(listed, suggested.clone(), options) {
            Some(span) => (suggested, span),
            None => (listed.own.clone(), listed.candidate.span),
        };
        let Verdict { hook, completeness, density, emotion, fit, .. } = verdict;
        let total = Weights::of(options.genre).total(hook, completeness, density, emotion) * fit.map_or(1.0, |fit| 0.4 + 0.06 * fit);
        let score = Score { total: (total * 10.0).round() / 10.0, hook, completeness, density, emotion };
        let candidate = Candidate { span, score, title: verdict.title, reason: verdict.reason, hook_line: verdict.hook_line };
        Judged { candidate, place, sentences, fit }
    }
}

impl OpenAiScorer {
    /// All spans judged, in order of the shortlist.
    async fn judge(&self, cx: &Context, chat: &Chat, material: &Material<'_>) -> Result<Vec<Judged>> {
        let count = material.list.spans.len();
        let places: Vec<usize> = (0..count).collect();
        let batches: Vec<Vec<usize>> = places.chunks(BATCH).map(<[usize]>::to_vec).collect();
        let outcomes: Vec<Outcome> = futures::stream::iter(batches)
            .map(|batch| self.judge_batch(cx, chat, material, batch))
            .buffered(self.requests.max(1))
            .try_collect()
            .await?;
        let mut verdicts: HashMap<usize, Verdict> = HashMap::new();
        let (mut wrong, mut failed, mut unpaid) = (Vec::new(), None, false);
        for outcome in outcomes {
            verdicts.extend(outcome.verdicts);
            wrong.extend(outcome.wrong);
            failed = failed.or(outcome.failed);
            unpaid |= outcome.unpaid;
        }
        match failed {
            Some(error) if verdicts.is_empty() => return Err(error),
            Some(error) => cx.warn(format!("{error}; the heuristic's scores stand for the spans it was asked about")),
            None => {}
        }
        let left = count - verdicts.len();
        if left > 0 {
            cx.step_down();
        }
        if unpaid {
            cx.warn(format!(
                "the budget allows no more requests ({}); the heuristic's scores stand for {left} of {count} spans",
                budget(cx)
            ));
        }
        if !wrong.is_empty() {
            let what = wrong.join("; ");
            cx.warn(format!(
                "{} gave no usable verdict on some of {count} spans ({}); the heuristic's scores stand for them",
                self.model,
                super::plain::plain(&what, 300)
            ));
        }
        let options = &material.scoring.options;
        Ok((0..count)
            .map(|place| match verdicts.remove(&place) {
                Some(verdict) => Judged::by_model(material.list, place, verdict, options),
                None => Judged::by_heuristic(material.list, place),
            })
            .collect())
    }

    /// One batch judged. What holds of a first answer is kept; the rest is asked for again. A server that refuses us is an error at once.
    async fn judge_batch(&self, cx: &Context, chat: &Chat, material: &Material<'_>, batch: Vec<usize>) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut left = batch;
        if chat.is_dead() {
            // The batches before say why.
            return Ok(outcome);
        }
        for _ in 0..2 {
            let question = material.judge(&left, outcome.wrong.first().map(|_| outcome.wrong.join("; ")));
            outcome.wrong.clear();
            match chat.ask(cx, &question).await {
                Err(NoAnswer::Failed(error)) if error.is_cancelled() || matches!(error.kind(), ErrorKind::Denied | ErrorKind::Config) => {
                    return Err(error);
                }
                Err(NoAnswer::Failed(error)) => {
                    outcome.failed = Some(error);
                    return Ok(outcome);
                }
                Err(NoAnswer::TooDear) => {
                    outcome.unpaid = true;
                    return Ok(outcome);
                }
                Ok(Err(useless)) => outcome.wrong = vec![useless],
                Ok(Ok(text)) => {
                    let (held, wrong) = material.read_verdicts(&left, &text);
                    outcome.verdicts.extend(held.into_iter().map(|(n, verdict)| (left[n], verdict)));
                    outcome.wrong = wrong;
                }
            }
            left.retain(|place| !outcome.verdicts.contains_key(place));
            if left.is_empty() {
                // What else was in the answer is of no matter.
                outcome.wrong.clear();
                break;
            }
        }
        Ok(outcome)
    }

    /// Compares the best with each other and moves their totals; where that fails, the scores stand, with a warning.
    async fn compare(&self, cx: &Context, chat: &Chat, material: &Material<'_>, judged: &mut [Judged], wanted: usize) -> Result<()> {
        let field = judged.len().min(wanted + wanted.div_ceil(2)).min(contest::LARGEST_FIELD.max(wanted));
        let field = &mut judged[..field.min(contest::LARGEST_FIELD)];
        let groups = contest::groups(field.len(), &material.seed);
        let asked = groups.len();
        let compared: Vec<&Judged> = field.iter().collect();
        let compared = &compared;
        let answers: Vec<Result<Vec<usize>, NoAnswer>> = futures::stream::iter(groups)
            .map(|group| self.order(cx, chat, material, compared, group))
            .buffered(self.requests.max(1))
            .collect()
            .await;
        let mut orders = Vec::new();
        let mut why = None;
        for answer in answers {
            match answer {
                Ok(order) if order.is_empty() => why = why.or(Some("an answer could not be used".to_owned())),
                Ok(order) => orders.push(order),
                Err(NoAnswer::Failed(error)) if error.is_cancelled() => return Err(error),
                Err(NoAnswer::Failed(error)) => why = why.or(Some(error.to_string())),
                Err(NoAnswer::TooDear) => why = why.or_else(|| Some(format!("the budget allows no more requests, {}", budget(cx)))),
            }
        }
        if let Some(why) = why {
            cx.step_down();
            cx.warn(format!(
                "{} of {asked} comparisons of the best spans are missing ({why}); their scores decide as far",
                asked - orders.len()
            ));
        }
        let chances = contest::chances(field.len(), &orders);
        for (judged, chance) in field.iter_mut().zip(chances) {
            let score = &mut judged.candidate.score;
            let total = (score.total + 2.0 * CONTEST_POINTS * (chance - 0.5)).clamp(0.0, 100.0);
            score.total = (total * 10.0).round() / 10.0;
        }
        Ok(())
    }

    /// One comparison: places in the field, best first. Empty where the model gives no usable answer twice.
    async fn order(
        &self,
        cx: &Context,
        chat: &Chat,
        material: &Material<'_>,
        field: &[&Judged],
        group: Vec<usize>,
    ) -> Result<Vec<usize>, NoAnswer> {
        let clips: Vec<(usize, String)> = group.iter().map(|&n| (field[n].place, material.text(field[n].sentences.clone()))).collect();
        let mut complaint = None;
        for _ in 0..2 {
            let wrong = match chat.ask(cx, &material.rank(&clips, complaint)).await? {
                Err(useless) => useless,
                Ok(text) => match material.read_order(&clips, &text) {
                    Ok(order) => return Ok(order.into_iter().map(|n| group[n]).collect()),
                    Err(wrong) => wrong,
                },
            };
            complaint = Some(wrong);
        }
        Ok(Vec::new())
    }
}

/// What became of a batch.
#[derive(Default)]
struct Outcome {
    /// By place in the shortlist.
    verdicts: HashMap<usize, Verdict>,
    wrong: Vec<String>,
    failed: Option<Error>,
    unpaid: bool,
}

fn budget(cx: &Context) -> String {
    cx.budget_left().map_or_else(String::new, |left| format!("${left:.4} left"))
}

/// Leaves out what is not about the subjects asked for, where something is.
fn keep_fitting(judged: &mut Vec<Judged>) {
    if judged.iter().any(|judged| judged.fit.is_some_and(|fit| fit >= GOOD_FIT)) {
        judged.retain(|judged| judged.fit.is_none_or(|fit| fit >= LEAST_FIT));
    }
}

/// The best, ranked and apart. Neighbours whose breathing room overlaps share it: words of theirs do not overlap.
fn apart(mut judged: Vec<Judged>, options: &ScoreOptions) -> Vec<Candidate> {
    judged.sort_by(|a, b| b.candidate.score.total.total_cmp(&a.candidate.score.total));
    let mut kept: Vec<Candidate> = Vec::new();
    for Judged { mut candidate, .. } in judged {
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
