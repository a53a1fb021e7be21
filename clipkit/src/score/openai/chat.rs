//! Chat requests: budget, capabilities of the server, and the text of the response.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::context::Context;
use crate::context::ledger::Held;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Usage;
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
    Response(Value),
    /// The server rejects the contents of the request.
    Rejected(RequestFailure),
    OverBudget,
}

/// What a server supports. Everything is tried first; what the server rejects is left out
/// afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Capabilities {
    format: ResponseFormat,
    /// Whether it accepts a temperature. Reasoning models do not.
    temperature: bool,
    limit: LimitField,
}

#[derive(Clone, Copy, Debug, PartialEq)]
/// How the response's format is requested.
enum ResponseFormat {
    /// `json_schema`, with the schema in the request.
    Schema,
    /// `json_object`, with the schema in the prompt.
    Json,
    /// Not at all; the schema is in the prompt.
    Text,
}

/// The field that limits the length of the response.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LimitField {
    /// `max_completion_tokens`
    Completion,
    /// `max_tokens`
    Tokens,
    None,
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
}

/// Why a request has no response.
pub(super) enum ChatError {
    /// The server failed, or the run was cancelled.
    Failed(Error),
    /// The budget does not allow the request.
    OverBudget,
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
            capabilities: Mutex::new(Capabilities { format: ResponseFormat::Schema, temperature: true, limit: LimitField::Completion }),
            in_flight: AtomicUsize::new(0),
            ended: Notify::new(),
            answered: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        })))
    }

    /// Sends a request inside the server's layers. Returns the model's text, which should be JSON,
    /// or in words why the response is unusable.
    pub(super) async fn ask(&self, cx: &Context, question: &Question) -> Result<Result<String, String>, ChatError> {
        loop {
            let capabilities = *self.0.capabilities();
            let request = Arc::new(self.0.request(question, capabilities, cx.budget_left().is_some()));
            let (shared, max_tokens) = (self.0.clone(), question.max_tokens);
            let attempt = move |cx: Context| {
                let (shared, request) = (shared.clone(), request.clone());
                async move { shared.attempt(&cx, &request, max_tokens).await }
            };
            match self.0.scorer.server.in_layers(cx, attempt).await {
                Ok(AttemptOutcome::Response(response)) => {
                    self.0.answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(response_text(&response));
                }
                Ok(AttemptOutcome::OverBudget) => return Err(ChatError::OverBudget),
                Ok(AttemptOutcome::Rejected(failure)) => {
                    if !self.0.downgrade(capabilities, &failure) {
                        return Err(ChatError::Failed(failure.error));
                    }
                    tracing::debug!(model = %self.0.scorer.model, "the server rejects a part of the request; sending it without");
                }
                Err(error) => {
                    self.0.failed.fetch_add(1, Ordering::Relaxed);
                    return Err(ChatError::Failed(error));
                }
            }
        }
    }

    /// Whether requests have failed and none was answered: another would only take as long to fail.
    pub(super) fn is_unreachable(&self) -> bool {
        self.0.answered.load(Ordering::Relaxed) == 0 && self.0.failed.load(Ordering::Relaxed) > 0
    }
}

impl Shared {
    /// Sends a request once, if the budget allows it, and records its cost.
    async fn attempt(&self, cx: &Context, request: &Value, max_tokens: u64) -> Result<AttemptOutcome> {
        let prompt_tokens = estimate_tokens(&request.to_string()) + OVERHEAD_TOKENS;
        let max_cost = self.price.map_or(0.0, |price| price.cost(prompt_tokens, max_tokens));
        let Some(_in_flight) = self.reserve(cx, max_cost).await? else {
            return Ok(AttemptOutcome::OverBudget);
        };
        match self.client.chat(cx, request).await {
            Ok(response) => {
                self.record(cx, prompt_tokens, &response);
                Ok(AttemptOutcome::Response(response))
            }
            Err(failure) if failure.is_rejection() => Ok(AttemptOutcome::Rejected(failure)),
            Err(failure) => {
                if failure.may_be_charged {
                    // Counted at the highest cost that it may have.
                    self.record_usage(cx, prompt_tokens, max_tokens, true);
                }
                Err(failure.error)
            }
        }
    }

    /// Reserves `usd` in the budget. `None` if the budget does not allow it. Requests usually cost
    /// less than reserved, so those in flight are waited for first.
    async fn reserve(&self, cx: &Context, usd: f64) -> Result<Option<InFlight<'_>>> {
        loop {
            let ended = self.ended.notified();
            if let Some(held) = cx.hold(usd) {
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
        let mut messages =
            vec![json!({"role": "system", "content": instructions}), json!({"role": "user", "content": question.input.to_string()})];
        if let Some(correction) = &question.correction {
            messages.push(
                json!({"role": "user", "content": format!("The last answer could not be used: {correction}. Answer again, as asked.")}),
            );
        }
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

    /// Removes what the server rejects from its capabilities, for all later requests. False if the
    /// message does not say what that is.
    fn downgrade(&self, tried: Capabilities, failure: &RequestFailure) -> bool {
        let reduced = if tried.temperature && failure.rejects(&["temperature"]) {
            Capabilities { temperature: false, ..tried }
        } else if tried.limit == LimitField::Completion && failure.rejects(&["max_completion_tokens"]) {
            Capabilities { limit: LimitField::Tokens, ..tried }
        } else if tried.limit == LimitField::Tokens && failure.rejects(&["max_tokens"]) {
            Capabilities { limit: LimitField::None, ..tried }
        } else if tried.format != ResponseFormat::Text
            && failure.rejects(&["response_format", "json_schema", "json_object", "schema", "structured", "grammar"])
        {
            Capabilities {
                format: if tried.format == ResponseFormat::Schema { ResponseFormat::Json } else { ResponseFormat::Text },
                ..tried
            }
        } else {
            return false;
        };
        let mut known = self.capabilities();
        // Requests run concurrently: another may have changed it already.
        if *known == tried {
            *known = reduced;
        }
        true
    }

    fn capabilities(&self) -> std::sync::MutexGuard<'_, Capabilities> {
        self.capabilities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the cost of a response: by the server's token counts, else by estimates.
    fn record(&self, cx: &Context, estimated_prompt: u64, response: &Value) {
        let counted = |name: &str| response["usage"][name].as_u64();
        match (counted("prompt_tokens"), counted("completion_tokens")) {
            (Some(prompt), Some(completion)) => self.record_usage(cx, prompt, completion, false),
            (prompt, completion) => {
                let text = response["choices"][0]["message"]["content"].as_str().unwrap_or_default();
                let completion = completion.unwrap_or_else(|| estimate_tokens(text));
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

/// The JSON text of a response, or why the response is unusable.
fn response_text(response: &Value) -> Result<String, String> {
    let choice = &response["choices"][0];
    if let Some(refusal) = choice["message"]["refusal"].as_str() {
        return Err(format!("the model refuses: {}", plain(refusal, 100)));
    }
    match choice["message"]["content"].as_str().map(str::trim) {
        _ if choice["finish_reason"] == "length" => Err("it is cut off".into()),
        _ if choice["finish_reason"] == "content_filter" => Err("it was filtered".into()),
        None | Some("") => Err("it is empty".into()),
        Some(text) => Ok(json_in(text).to_owned()),
    }
}

/// The JSON object in a text that may have reasoning (`<think>`), code fences or prose around it.
fn json_in(text: &str) -> &str {
    let text = text.rsplit_once("</think>").map_or(text, |(_, after)| after);
    match (text.find('{'), text.rfind('}')) {
        (Some(from), Some(to)) if from < to => &text[from..=to],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_in_surrounding_text() {
        for text in ["{\"a\": 1}", "```json\n{\"a\": 1}\n```", "<think>{ hm }</think> Here: {\"a\": 1} Done."] {
            assert_eq!(json_in(text), "{\"a\": 1}", "{text}");
        }
        assert_eq!(json_in("} no {"), "} no {");
    }

    #[test]
    fn unusable_responses_say_why() {
        let answer = |choice: Value| response_text(&json!({"choices": [choice]})).unwrap_err();
        assert!(answer(json!({"message": {"refusal": "I\ncannot", "content": null}})).contains("the model refuses: I cannot"));
        assert!(answer(json!({"message": {"content": "{\"a\""}, "finish_reason": "length"})).contains("cut off"));
        assert!(answer(json!({"message": {"content": " "}})).contains("empty"));
        assert!(response_text(&json!({})).unwrap_err().contains("empty"));
        assert_eq!(response_text(&json!({"choices": [{"message": {"content": "{}"}}]})).unwrap(), "{}");
    }
}
