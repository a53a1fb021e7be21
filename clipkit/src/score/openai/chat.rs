//! Chat requests: budget, capabilities of the server, and the words of the response.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::capabilities::{Capabilities, LimitField, Remedy, ResponseFormat, remedy};
use super::meaning::Repairs;
use crate::context::Context;
use crate::context::ledger::Held;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Usage;
use crate::openai::answer::Said;
use crate::openai::{Client, Price, RequestFailure, estimate_tokens};
use crate::score::OpenAiScorer;
use crate::score::plain::plain;

/// What fails when a request does, for error messages.
const OPERATION: &str = "score spans";
/// Tokens of a request besides its text: roles, separators.
const OVERHEAD_TOKENS: u64 = 50;

/// Sends chat requests to one server and remembers what the server supports. Clones share it.
#[derive(Clone)]
pub(super) struct Chat(Arc<Shared>);

struct Shared {
    /// With its server resolved.
    scorer: OpenAiScorer,
    client: Client,
    price: Option<Price>,
    capabilities: Mutex<Capabilities>,
    /// The number of requests in flight, and a signal that one has ended.
    in_flight: AtomicUsize,
    ended: Notify,
    /// The number of requests that were answered, and of those that failed after all attempts.
    answered: AtomicUsize,
    failed: AtomicUsize,
    /// Whether the server denies access: no other request will succeed.
    denied: AtomicBool,
    /// The most spans that one request may hold, and the most words that it may have to read.
    most: AtomicUsize,
    most_words: AtomicUsize,
    /// What was read by its meaning.
    repairs: Mutex<Repairs>,
}

/// A request in flight, with its reservation in the budget.
struct InFlight<'a> {
    shared: &'a Shared,
    held: Option<Held>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        // The reservation is released before the waiting requests look at the budget.
        self.held.take();
        self.shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.shared.ended.notify_waiters();
    }
}

/// The outcome of one attempt that the server's layers should not repeat.
enum AttemptOutcome {
    Response(Said),
    /// The server rejects the contents of the request.
    Rejected(RequestFailure),
    OverBudget,
}

/// The contents of a chat request.
pub(super) struct Question {
    /// The system message: instructions, without any text from the transcript.
    pub(super) instructions: String,
    /// The user message: JSON, in which text from the transcript occurs in strings only.
    pub(super) input: Value,
    /// What was wrong with the last response, if this is a second request.
    pub(super) correction: Option<String>,
    /// The name and the JSON Schema of the response.
    pub(super) schema: (&'static str, Value),
    /// The longest response in tokens. Sent if there is a budget.
    pub(super) max_tokens: u64,
    /// What of the budget is left for other requests, in US dollars.
    pub(super) keep: f64,
}

/// The model's words.
pub(super) struct Spoken {
    /// The likeliest place of the answer first.
    pub(super) texts: Vec<String>,
    /// Whether they end at the limit on their length.
    pub(super) cut: bool,
}

/// Why a request has no response.
pub(super) enum ChatError {
    /// The server failed, or the run was cancelled.
    Failed(Error),
    /// The request is larger than the server or the model's context allows.
    TooLarge(Error),
    /// The budget does not allow the request.
    OverBudget,
}

/// What came of a question to somebody who goes on with the others.
pub(super) enum Heard {
    /// The model's words, or in words why the response has none.
    Response(Result<Spoken, String>),
    /// The question is too large, and can be divided.
    TooLarge,
    /// There is no response: [`Unanswered`] has the reason.
    Nothing,
}

/// Why some questions have no response.
#[derive(Default)]
pub(super) struct Unanswered {
    /// The first error.
    pub(super) failed: Option<Error>,
    pub(super) is_over_budget: bool,
}

impl Unanswered {
    pub(super) fn merge(&mut self, other: Unanswered) {
        self.failed = self.failed.take().or(other.failed);
        self.is_over_budget |= other.is_over_budget;
    }
}

impl Chat {
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if no server is configured; [`ErrorKind::Config`] if the price is
    /// invalid, or if there is a budget and no known price.
    pub(super) fn open(scorer: &OpenAiScorer, cx: &Context) -> Result<Self> {
        let scorer = &OpenAiScorer { server: scorer.server.with_environment(cx.environment()), ..scorer.clone() };
        let client = scorer.server.client(cx, OPERATION, Duration::from_secs(scorer.timeout_secs.max(1)))?;
        if scorer.price.is_some_and(|price| !price.is_valid()) {
            return Err(Error::new(ErrorKind::Config, "a price is negative or not a number"));
        }
        let price = scorer.server.price(&scorer.model, scorer.price);
        if price.is_none() && cx.budget_left().is_some() {
            let message = format!("the price of the model {} is not known, so a budget cannot be kept", scorer.model);
            return Err(Error::new(ErrorKind::Config, message)
                .with_advice("give its price for a million tokens (--scorer-price IN,OUT; 0,0 if it is free), or leave out --max-cost"));
        }
        Ok(Chat(Arc::new(Shared {
            scorer: scorer.clone(),
            client,
            price,
            capabilities: Mutex::new(Capabilities::default()),
            in_flight: AtomicUsize::new(0),
            ended: Notify::new(),
            answered: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            denied: AtomicBool::new(false),
            most: AtomicUsize::new(usize::MAX),
            most_words: AtomicUsize::new(usize::MAX),
            repairs: Mutex::new(Repairs::default()),
        })))
    }

    /// Asks one of several questions. A reason that does not stop the others is kept.
    ///
    /// # Errors
    ///
    /// Only that of a cancelled run.
    pub(super) async fn hear(&self, cx: &Context, question: &Question, is_divisible: bool, unanswered: &mut Unanswered) -> Result<Heard> {
        let failed = match self.ask(cx, question).await {
            Ok(response) => return Ok(Heard::Response(response)),
            Err(ChatError::Failed(error)) if error.is_cancelled() => return Err(error),
            Err(ChatError::TooLarge(_)) if is_divisible => return Ok(Heard::TooLarge),
            Err(ChatError::OverBudget) => {
                unanswered.is_over_budget = true;
                return Ok(Heard::Nothing);
            }
            Err(ChatError::TooLarge(error)) => {
                self.gives_up();
                error
            }
            Err(ChatError::Failed(error)) => error,
        };
        unanswered.failed.get_or_insert(failed);
        Ok(Heard::Nothing)
    }

    /// Sends a request inside the server's layers. Returns the model's words, or in words why the
    /// response has none.
    pub(super) async fn ask(&self, cx: &Context, question: &Question) -> Result<Result<Spoken, String>, ChatError> {
        let mut is_second = false;
        loop {
            let capabilities = *self.0.capabilities();
            let request = Arc::new(self.0.request(question, capabilities, cx.budget_left().is_some()));
            let (shared, max_tokens, keep) = (self.0.clone(), question.max_tokens, question.keep);
            let attempt = move |cx: Context| {
                let (shared, request) = (shared.clone(), request.clone());
                async move { shared.attempt(&cx, capabilities, &request, max_tokens, keep).await }
            };
            match self.0.scorer.server.in_layers(cx, attempt).await {
                Ok(AttemptOutcome::Response(said)) => {
                    self.0.answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(spoken(said));
                }
                Ok(AttemptOutcome::OverBudget) => return Err(ChatError::OverBudget),
                Ok(AttemptOutcome::Rejected(failure)) => match remedy(capabilities, &failure) {
                    Some(Remedy::Smaller) => return Err(ChatError::TooLarge(failure.error)),
                    // A model fails to follow a schema now and then.
                    Some(Remedy::Again(_)) if !is_second => is_second = true,
                    Some(Remedy::Again(reduced) | Remedy::Without(reduced)) => {
                        self.0.reduce(capabilities, reduced);
                        tracing::debug!(model = %self.0.scorer.model, "the server rejects a part of the request; sending it without");
                    }
                    None => return Err(self.failed(failure.error)),
                },
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    fn failed(&self, error: Error) -> ChatError {
        self.0.denied.fetch_or(error.kind() == ErrorKind::Denied, Ordering::Relaxed);
        self.gives_up();
        ChatError::Failed(error)
    }

    /// Records that a request failed, and that there is no other way to ask.
    pub(super) fn gives_up(&self) {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether another request would only fail as well: requests have failed and none was answered,
    /// or the server denies access.
    pub(super) fn is_unreachable(&self) -> bool {
        let answered = self.0.answered.load(Ordering::Relaxed);
        answered == 0 && self.0.failed.load(Ordering::Relaxed) > 0 || self.0.denied.load(Ordering::Relaxed)
    }

    /// The most spans that one request may hold.
    pub(super) fn most(&self) -> usize {
        self.0.most.load(Ordering::Relaxed)
    }

    /// Records that requests may hold at most `most` spans.
    pub(super) fn lower_most(&self, most: usize) {
        self.0.most.fetch_min(most.max(1), Ordering::Relaxed);
    }

    /// The most words that one request may have to read.
    pub(super) fn most_words(&self) -> f64 {
        self.0.most_words.load(Ordering::Relaxed) as f64
    }

    /// Records that requests may have at most `most` words to read.
    pub(super) fn lower_most_words(&self, most: f64) {
        self.0.most_words.fetch_min((most as usize).max(1), Ordering::Relaxed);
    }

    /// Records what was read by its meaning.
    pub(super) fn repaired(&self, repairs: Repairs) {
        self.0.repairs().merge(repairs);
    }

    /// Everything that was read by its meaning.
    pub(super) fn repairs(&self) -> Repairs {
        *self.0.repairs()
    }
}

impl Shared {
    /// Sends a request once, if the budget allows it, and records its cost.
    async fn attempt(
        &self,
        cx: &Context,
        capabilities: Capabilities,
        request: &Value,
        max_tokens: u64,
        keep: f64,
    ) -> Result<AttemptOutcome> {
        let prompt_tokens = estimate_tokens(&request.to_string()) + OVERHEAD_TOKENS;
        let max_cost = self.price.map_or(0.0, |price| price.cost(prompt_tokens, max_tokens));
        let Some(_in_flight) = self.reserve(cx, max_cost, keep).await? else {
            return Ok(AttemptOutcome::OverBudget);
        };
        match self.client.chat(cx, request).await {
            Ok(response) => {
                self.record(cx, prompt_tokens, &response);
                Ok(AttemptOutcome::Response(response))
            }
            // Some servers reject with 500, which is no reason to wait and to send the same again.
            Err(failure) if failure.is_rejection() || remedy(capabilities, &failure).is_some() => Ok(AttemptOutcome::Rejected(failure)),
            Err(failure) => {
                if failure.may_be_charged {
                    // Counted at the highest cost that it may have.
                    self.record_usage(cx, prompt_tokens, max_tokens, true);
                }
                Err(failure.error)
            }
        }
    }

    /// Reserves `usd` in the budget. `None` if the budget does not allow it and `keep` besides.
    /// Requests usually cost less than reserved, so those in flight are waited for first.
    async fn reserve(&self, cx: &Context, usd: f64, keep: f64) -> Result<Option<InFlight<'_>>> {
        loop {
            let ended = self.ended.notified();
            let is_kept = usd <= 0.0 || cx.budget_left().is_none_or(|left| left - usd >= keep);
            if is_kept && let Some(held) = cx.hold(usd) {
                self.in_flight.fetch_add(1, Ordering::SeqCst);
                return Ok(Some(InFlight { shared: self, held: Some(held) }));
            }
            if self.in_flight.load(Ordering::SeqCst) == 0 {
                return Ok(None);
            }
            tokio::select! {
                () = ended => {}
                () = cx.cancelled() => return Err(Error::cancelled()),
            }
        }
    }

    fn request(&self, question: &Question, capabilities: Capabilities, bounded: bool) -> Value {
        let (name, schema) = &question.schema;
        let mut instructions = question.instructions.clone();
        if capabilities.format != ResponseFormat::Schema {
            instructions.push_str(&format!("\nAnswer with JSON alone, nothing before or after it, by this JSON Schema:\n{schema}\n"));
        }
        let mut input = question.input.clone();
        if let Some(correction) = &question.correction {
            // In the same message: many chat templates refuse two of the user in a row.
            input["again"] = json!(format!("The last answer could not be used: {correction}. Answer again, as asked."));
        }
        let messages = match capabilities.system {
            true => json!([{"role": "system", "content": instructions}, {"role": "user", "content": input.to_string()}]),
            false => json!([{"role": "user", "content": format!("{instructions}\n{input}")}]),
        };
        let mut request = json!({"model": self.scorer.model, "messages": messages});
        match capabilities.format {
            ResponseFormat::Schema => {
                let schema = json!({"name": name, "strict": true, "schema": schema});
                request["response_format"] = json!({"type": "json_schema", "json_schema": schema});
            }
            ResponseFormat::Json => request["response_format"] = json!({"type": "json_object"}),
            ResponseFormat::Text => {}
        }
        if capabilities.temperature {
            request["temperature"] = json!(0);
        }
        match capabilities.limit {
            LimitField::Completion if bounded => request["max_completion_tokens"] = json!(question.max_tokens),
            LimitField::Tokens if bounded => request["max_tokens"] = json!(question.max_tokens),
            _ => {}
        }
        request
    }

    /// Sets what the server supports, for all later requests.
    fn reduce(&self, tried: Capabilities, reduced: Capabilities) {
        let mut known = self.capabilities();
        // Requests run concurrently: another may have changed it already.
        if *known == tried {
            *known = reduced;
        }
    }

    fn repairs(&self) -> MutexGuard<'_, Repairs> {
        self.repairs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn capabilities(&self) -> MutexGuard<'_, Capabilities> {
        self.capabilities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the cost of a response: by the server's token counts, else by estimates.
    fn record(&self, cx: &Context, estimated_prompt: u64, said: &Said) {
        match (said.prompt_tokens, said.completion_tokens) {
            (Some(prompt), Some(completion)) => self.record_usage(cx, prompt, completion, false),
            (prompt, completion) => {
                let completion = completion.unwrap_or_else(|| said.texts.iter().map(|text| estimate_tokens(text)).sum());
                self.record_usage(cx, prompt.unwrap_or(estimated_prompt), completion, true);
            }
        }
    }

    fn record_usage(&self, cx: &Context, prompt_tokens: u64, completion_tokens: u64, estimated: bool) {
        cx.spend(Usage {
            model: self.scorer.model.clone(),
            requests: 1,
            prompt_tokens,
            completion_tokens,
            estimated,
            cost_usd: self.price.map(|price| price.cost(prompt_tokens, completion_tokens)),
            ..Usage::default()
        });
    }
}

/// The model's words, or why there are none.
fn spoken(said: Said) -> Result<Spoken, String> {
    let Said { texts, refusal, cut, filtered, instead, .. } = said;
    match refusal {
        Some(refusal) => Err(format!("the model refuses: {}", plain(&refusal, 100))),
        None if filtered => Err("it was filtered".into()),
        None if texts.is_empty() && cut => Err("it is cut off".into()),
        None if texts.is_empty() => Err(plain(&instead, 160)),
        None => Ok(Spoken { texts, cut }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::answer::chat;

    #[test]
    fn unusable_responses_say_why() {
        let spoken = |response: Value| spoken(chat(response.to_string().as_bytes()).unwrap()).map(|spoken| spoken.texts);
        let answer = |choice: Value| spoken(json!({"choices": [choice]})).unwrap_err();
        assert!(answer(json!({"message": {"refusal": "I\ncannot", "content": null}})).contains("the model refuses: I cannot"));
        assert_eq!(answer(json!({"message": {"content": ""}, "finish_reason": "length"})), "it is cut off");
        assert_eq!(answer(json!({"message": {"content": "x"}, "finish_reason": "content_filter"})), "it was filtered");
        assert_eq!(answer(json!({"message": {"content": " "}})), "it is empty");
        assert_eq!(spoken(json!({})).unwrap_err(), "it is empty");
        assert!(spoken(json!({"choices": null})).unwrap_err().contains("it has no choices"));
        assert_eq!(spoken(json!({"choices": [{"message": {"content": "{}"}}]})).unwrap(), ["{}"]);
    }
}
