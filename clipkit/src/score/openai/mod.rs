mod capabilities;
mod chat;
mod comparing;
mod comparison;
mod judging;
mod listing;
mod meaning;
mod moment;
mod prompt;
mod proposal;
mod quote;
mod reading;
mod scored;
mod stretch;
mod support;
mod verdict;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::heuristic::{RULES, TopicPolicy, read};
use super::{ScoreOptions, Scorer, Scoring};
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::{Candidate, WarningKind};
use crate::openai::{OpenAiServer, Price};
use chat::Chat;
#[cfg(any(test, fuzzing))]
pub(crate) use meaning::read_answer;
use prompt::Prompts;
use scored::ScoredSpan;

/// How many proposals are asked for and scored for each wanted clip.
const SPANS_PER_CLIP: usize = 3;
/// The most spans that are scored, unless more clips are wanted.
const MAX_SPANS: usize = 60;
/// If a span has at least [`GOOD_FIT`], spans below this topic fit (0 to 10) are dropped.
const MIN_FIT: f64 = 3.0;
/// See [`MIN_FIT`].
const GOOD_FIT: f64 = 5.0;

/// Reads all that is said with a language model, OpenAI's or any server that speaks its chat API,
/// and lets it propose, judge and compare clips.
///
/// - **Reading.** The model gets the whole transcript, in stretches of about 2,000 words that
///   overlap by the longest clip. For each stretch it proposes moments: the first and last
///   sentence, why, a hook line, and the strongest sentence as a quote. A proposal whose quote is
///   not said in its stretch is dropped; where it is said elsewhere, the clip is built around it. A
///   clip has whole sentences, the quote, an allowed length and 1 to 5 words a second. It ends with
///   the quote if little follows, and begins where little depends on what comes before. The same
///   moment of two stretches counts once.
/// - **Judging.** The model scores the proposals in batches, gives titles and reasons, and may move
///   the start and end by whole sentences around the quote. Then the best are compared with each
///   other, five at a time, three times each. Comparisons change a total by up to 10 points, since
///   models score in a narrow range. Of equal totals the score of the
///   [`Heuristic`](super::Heuristic) decides.
/// - **Texts.** A title, hook line, description or tag that names what the clip does not say is
///   replaced by the clip's own words, or dropped. One warning counts them.
/// - **Stand-in.** Where a stretch was not read (the budget ends, a request fails, an answer is no
///   list of proposals or nothing of it holds even when asked again), the heuristic's spans take
///   the place of proposals, as many as the share of the words. A warning counts these words. If
///   the heuristic finds no clean span in the whole talk, no request is sent.
/// - Responses follow a JSON Schema and are validated. Invalid parts of verdicts (unknown, missing
///   or repeated spans, numbers or sentences out of range, missing titles) are requested once more,
///   with the reason. Spans that are still missing keep the heuristic's scores, with a warning.
/// - Meaning goes before form. The answer is taken from the content, a tool call, the reasoning or
///   a stream, with text around it or without. Another list name, a bare list, single objects,
///   numbers as text, scores from 0 to 100 or from 0 to 1 (if all scores of the answer show it),
///   Python's quotes, trailing commas, and a missing `reason`, `why`, `hook_line`, or in a verdict
///   `first` or `last` are taken as they are meant, without another request. One warning counts
///   them.
/// - What a server rejects is left out: the temperature, the limit on the response, the schema (it
///   is then in the prompt), the system message (it is then in the user's). Messages alternate. If
///   a model fails to follow the schema, it is asked once more, and then without one. A request
///   that is too large for the server or the model's context is halved.
/// - If the server fails for everything, that is this scorer's error; `.or(Heuristic::default())`
///   replaces it. If it fails for a part, there is a warning, and the rest counts.
///
/// # Cost
///
/// A talk of three hours has about 40,000 words: 22 requests to read it, then for ten clips four to
/// judge and nine to compare. Together they have some 150,000 tokens, and their answers 20,000. At
/// the prices of `gpt-4o-mini` that is four cents. It is part of the manifest's `usage`.
///
/// A budget (`max_cost`) is not exceeded: before a request is sent, its highest cost is reserved,
/// from an upper estimate of the prompt and a limit on the response that the server has to honor.
/// Stretches are read in the order of what the heuristic finds in them, and reading leaves a third
/// of the budget for judging. A budget without a known price is an error.
///
/// # Trust
///
/// The transcript is sent to the server, in JSON strings. A model that follows an instruction in it
/// can change only which sentences of the talk become clips, within the limits above, and their
/// scores and texts.
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
        let prompts = [prompt::READ, prompt::JUDGE, prompt::RANK].join(" ");
        Some(format!("openai {url} {organization} {model} {prompts} {rerank} {RULES}"))
    }

    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        // First, since a missing key makes all other work useless. One client for all requests.
        let chat = &Chat::open(self, cx)?;
        let wanted = scoring.options.max_clips;
        let most = wanted.saturating_mul(SPANS_PER_CLIP).min(MAX_SPANS.max(wanted));
        let wanted_spans = scoring.clone();
        let talk = cx.blocking(move |cx| read(cx, &wanted_spans, wanted, TopicPolicy::Prefer)).await?;
        let Some(talk) = talk.map(Arc::new) else { return Ok(Vec::new()) };
        let prompts = Prompts::new(&self.model, &talk, scoring);
        let reading = self.read(cx, chat, &prompts, most).await?;
        let analyzed = talk.clone();
        let list = cx.blocking(move |_| listing::listed(&analyzed, reading, most)).await?;
        if list.is_empty() {
            cx.warn(format!("no clip was chosen: {} read the talk and proposes no moment that makes one", self.model));
        }
        let prompts = &prompts.with_list(list);
        let mut spans = self.judge(cx, chat, prompts).await?;
        drop_off_topic(&mut spans);
        sort(&mut spans);
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

/// Puts the best spans first.
fn sort(spans: &mut [ScoredSpan]) {
    let total = |span: &ScoredSpan| span.candidate.score.total;
    spans.sort_by(|a, b| total(b).total_cmp(&total(a)).then(b.learned.total_cmp(&a.learned)));
}

/// The best spans without overlaps, by rank. Where only the padding of two spans overlaps, the
/// lower-ranked one is shortened; spans whose words overlap are dropped.
fn select(mut spans: Vec<ScoredSpan>, options: &ScoreOptions) -> Vec<Candidate> {
    sort(&mut spans);
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
