//! Verdicts on all spans: batches of requests, and what is left of them.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt};

use super::chat::{Chat, Heard, Unanswered};
use super::prompt::Prompts;
use super::scored::{ScoredSpan, Unsupported};
use super::verdict::Verdict;
use super::{OpenAiScorer, budget};
use crate::context::Context;
use crate::error::Result;
use crate::model::WarningKind;

/// Spans in one request: enough for relative scores, few enough for accurate ones.
const BATCH: usize = 8;

impl OpenAiScorer {
    /// Scores all spans. The result is in the order of the list.
    pub(super) async fn judge(&self, cx: &Context, chat: &Chat, prompts: &Prompts<'_>) -> Result<Vec<ScoredSpan>> {
        let count = prompts.list.len();
        let places: Vec<usize> = (0..count).collect();
        let batches: Vec<Vec<usize>> = places.chunks(BATCH).map(<[usize]>::to_vec).collect();
        let outcomes: Vec<BatchOutcome> = futures::stream::iter(batches)
            .map(|batch| self.judge_batch(cx, chat, prompts, batch))
            .buffered(self.requests.max(1))
            .try_collect()
            .await?;
        let mut verdicts: HashMap<usize, Verdict> = HashMap::new();
        let (mut wrong, mut unanswered) = (Vec::new(), Unanswered::default());
        for outcome in outcomes {
            verdicts.extend(outcome.verdicts);
            wrong.extend(outcome.wrong);
            unanswered.merge(outcome.unanswered);
        }
        match unanswered.failed {
            // What the model proposes is paid for, and counts without a verdict.
            Some(error) if verdicts.is_empty() && prompts.list.iter().all(|listed| listed.quote.is_none()) => return Err(error),
            Some(error) => {
                cx.warn_of(WarningKind::StandIn, format!("{error}; the heuristic's scores are used for the spans of that request"))
            }
            // The request that failed before has its warning.
            None if chat.is_unreachable() && verdicts.len() < count => {
                let left = count - verdicts.len();
                cx.warn_of(
                    WarningKind::StandIn,
                    format!("the server is not asked any more; the heuristic's scores are used for {left} of {count} spans"),
                );
            }
            None => {}
        }
        let left = count - verdicts.len();
        if left > 0 {
            cx.step_down();
        }
        if unanswered.is_over_budget {
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
                    crate::score::plain::plain(&what, 300)
                ),
            );
        }
        let options = &prompts.scoring.options;
        let mut spans: Vec<ScoredSpan> = (0..count)
            .map(|place| match verdicts.remove(&place) {
                Some(verdict) => ScoredSpan::by_model(prompts, place, verdict, options),
                None => ScoredSpan::by_heuristic(prompts, place),
            })
            .collect();
        let mut unsupported = Unsupported::default();
        for span in &mut spans {
            unsupported.add(span.without_unsupported(prompts)?);
        }
        if let Some(what) = unsupported.describe() {
            let message = format!("{what} by {} name something that their clip does not say; the clip's own words are used", self.model);
            cx.warn_of(WarningKind::Repaired, message);
        }
        Ok(spans)
    }

    /// Scores one batch. Valid verdicts of the first response are kept; the others are requested
    /// once more. A batch that is too large for the server is halved. Verdicts are never dropped
    /// because a later request fails.
    async fn judge_batch(&self, cx: &Context, chat: &Chat, prompts: &Prompts<'_>, batch: Vec<usize>) -> Result<BatchOutcome> {
        let mut outcome = BatchOutcome::default();
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            // The failed requests carry the error.
            if chat.is_unreachable() || outcome.unanswered.is_over_budget {
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
            match chat.hear(cx, &question, left.len() > 1, &mut outcome.unanswered).await? {
                Heard::TooLarge => return Ok(Some(left)),
                Heard::Nothing => return Ok(None),
                Heard::Response(Err(reason)) => wrong = vec![reason],
                Heard::Response(Ok(spoken)) => {
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
}

/// The outcome of a batch.
#[derive(Default)]
struct BatchOutcome {
    /// By index in the list.
    verdicts: HashMap<usize, Verdict>,
    /// What was wrong with the last responses.
    wrong: Vec<String>,
    unanswered: Unanswered,
}
