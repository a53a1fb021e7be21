//! Comparisons of the best spans with each other.

use futures::StreamExt;

use super::chat::{Chat, ChatError};
use super::prompt::Prompts;
use super::scored::ScoredSpan;
use super::{OpenAiScorer, budget, comparison};
use crate::context::Context;
use crate::error::Result;
use crate::model::WarningKind;

/// The most points that comparisons add to a span's total, or subtract from it.
const COMPARISON_POINTS: f64 = 10.0;

impl OpenAiScorer {
    /// Compares the best spans with each other and adjusts their totals. Failed comparisons are
    /// left out, with a warning.
    pub(super) async fn compare(
        &self,
        cx: &Context,
        chat: &Chat,
        prompts: &Prompts<'_>,
        spans: &mut [ScoredSpan],
        wanted: usize,
    ) -> Result<()> {
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
