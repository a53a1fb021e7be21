//! One question to a language model: what it costs, what a server makes of it, what comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::context::Context;
use crate::context::ledger::Held;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Usage;
use crate::openai::{Client, Price, Refused, tokens};
use crate::score::OpenAiScorer;
use crate::score::plain::plain;

/// What fails when a request does.
const DOING: &str = "have spans judged";
/// What the parts of a chat cost besides their text.
const TOKENS_AROUND: u64 = 50;

/// A conversation's frame: the server, the price, and what the server has turned out to understand. Clones share it.
#[derive(Clone)]
pub(super) struct Chat(Arc<Frame>);

struct Frame {
    scorer: OpenAiScorer,
    client: Client,
    price: Option<Price>,
    manners: Mutex<Manners>,
    /// How many requests are on their way, and that one came back.
    on_their_way: AtomicUsize,
    back: Notify,
    /// How many were answered, and how many were given up.
    answered: AtomicUsize,
    given_up: AtomicUsize,
}

/// A request on its way, with the money put aside for it.
struct OnItsWay<'a> {
    frame: &'a Frame,
    held: Option<Held>,
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        // The money is free again before those who wait for it look.
        self.held.take();
        self.frame.on_their_way.fetch_sub(1, Ordering::SeqCst);
        self.frame.back.notify_waiters();
    }
}

/// What came of one attempt, where it is of no use to try the same again.
enum Reply {
    Answer(Value),
    /// The server does not take the request as it is.
    Refused(Refused),
    /// The budget does not allow it.
    TooDear,
}

/// What a server understands. All is tried first; what is refused is left out from then on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Manners {
    format: Format,
    /// Models that think refuse a temperature.
    temperature: bool,
    limit: Limit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Schema,
    Json,
    Text,
}

/// What the bound on an answer's length is called.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    Completion,
    Tokens,
    None,
}

/// A question.
pub(super) struct Question {
    /// What to do. Ours alone.
    pub(super) task: String,
    /// What to do it with: JSON, in which everything that was said stands in strings.
    pub(super) material: Value,
    /// What was wrong with the last answer.
    pub(super) complaint: Option<String>,
    /// The schema of the answer and its name.
    pub(super) schema: (&'static str, Value),
    /// The longest answer, in tokens, where there is a budget.
    pub(super) longest: u64,
}

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The server fails, or someone cancelled.
    Failed(Error),
    /// The budget does not allow the question.
    TooDear,
}

impl Chat {
    /// Refused without a server, or with a budget and no price to hold it by.
    pub(super) fn open(scorer: &OpenAiScorer, cx: &Context) -> Result<Self> {
        let client = scorer.server.client(DOING, Duration::from_secs(scorer.timeout_secs.max(1)))?;
        if scorer.price.is_some_and(|price| !price.is_sound()) {
            return Err(Error::new(ErrorKind::Config, "a price is not a number of US dollars from 0"));
        }
        let price = scorer.server.price(&scorer.model, scorer.price);
        if price.is_none() && cx.budget_left().is_some() {
            let message = format!("the price of the model {} is not known, so no budget can be held", scorer.model);
            return Err(Error::new(ErrorKind::Config, message)
                .with_advice("give its price for a million tokens (--scorer-price IN,OUT; 0,0 where it is free), or no --max-cost"));
        }
        Ok(Chat(Arc::new(Frame {
            scorer: scorer.clone(),
            client,
            price,
            manners: Mutex::new(Manners { format: Format::Schema, temperature: true, limit: Limit::Completion }),
            on_their_way: AtomicUsize::new(0),
            back: Notify::new(),
            answered: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
        })))
    }

    /// Asks, and answers what the model says: JSON, or at least meant to be; an error in words where it says nothing of use.
    pub(super) async fn ask(&self, cx: &Context, question: &Question) -> Result<Result<String, String>, NoAnswer> {
        loop {
            let manners = *self.0.manners();
            let request = Arc::new(self.0.request(question, manners, cx.budget_left().is_some()));
            let (frame, longest) = (self.0.clone(), question.longest);
            let attempt = move |cx: Context| {
                let (frame, request) = (frame.clone(), request.clone());
                async move { frame.attempt(&cx, &request, longest).await }
            };
            match self.0.scorer.server.ask(cx, attempt).await {
                Ok(Reply::Answer(answer)) => {
                    self.0.answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(said(&answer));
                }
                Ok(Reply::TooDear) => return Err(NoAnswer::TooDear),
                Ok(Reply::Refused(refused)) => {
                    if !self.0.learn(manners, &refused) {
                        return Err(NoAnswer::Failed(refused.error));
                    }
                    tracing::debug!(model = %self.0.scorer.model, "the server does not take all of the request; asking more plainly");
                }
                Err(error) => {
                    self.0.given_up.fetch_add(1, Ordering::Relaxed);
                    return Err(NoAnswer::Failed(error));
                }
            }
        }
    }

    /// Whether the server has failed, and never answered: the next request would only take as long to fail.
    pub(super) fn is_dead(&self) -> bool {
        self.0.answered.load(Ordering::Relaxed) == 0 && self.0.given_up.load(Ordering::Relaxed) > 0
    }
}

impl Frame {
    /// Sends a request once, if the budget allows it, and enters what it costs.
    async fn attempt(&self, cx: &Context, request: &Value, longest: u64) -> Result<Reply> {
        let most = tokens(&request.to_string()) + TOKENS_AROUND;
        let Some(_sent) = self.hold(cx, self.price.map_or(0.0, |price| price.cost(most, longest))).await? else {
            return Ok(Reply::TooDear);
        };
        match self.client.chat(cx, request).await {
            Ok(answer) => {
                self.spend(cx, most, &answer);
                Ok(Reply::Answer(answer))
            }
            Err(refused) if refused.is_of_the_request() => Ok(Reply::Refused(refused)),
            Err(refused) => {
                if refused.ran {
                    // It may be charged, so it counts, as much as it may have been.
                    self.account(cx, most, longest, true);
                }
                Err(refused.error)
            }
        }
    }

    /// Puts money aside; none where there is not enough. Requests cost less than they may, so those on their way are waited for first.
    async fn hold(&self, cx: &Context, usd: f64) -> Result<Option<OnItsWay<'_>>> {
        loop {
            let back = self.back.notified();
            if let Some(held) = cx.hold(usd) {
                self.on_their_way.fetch_add(1, Ordering::SeqCst);
                return Ok(Some(OnItsWay { frame: self, held: Some(held) }));
            }
            if self.on_their_way.load(Ordering::SeqCst) == 0 {
                return Ok(None);
            }
            tokio::select! {
                () = back => {}
                () = cx.cancelled() => return Err(Error::cancelled()),
            }
        }
    }

    fn request(&self, question: &Question, manners: Manners, bounded: bool) -> Value {
        let (name, schema) = &question.schema;
        let mut task = question.task.clone();
        if manners.format != Format::Schema {
            task.push_str(&format!("\nAnswer with JSON alone, nothing before or after it, by this JSON Schema:\n{schema}\n"));
        }
        let mut messages =
            vec![json!({"role": "system", "content": task}), json!({"role": "user", "content": question.material.to_string()})];
        if let Some(complaint) = &question.complaint {
            messages.push(
                json!({"role": "user", "content": format!("The last answer could not be used: {complaint}. Answer again, as asked.")}),
            );
        }
        let mut request = json!({"model": self.scorer.model, "messages": messages});
        match manners.format {
            Format::Schema => {
                let schema = json!({"name": name, "strict": true, "schema": schema});
                request["response_format"] = json!({"type": "json_schema", "json_schema": schema});
            }
            Format::Json => request["response_format"] = json!({"type": "json_object"}),
            Format::Text => {}
        }
        if manners.temperature {
            request["temperature"] = json!(0);
        }
        match manners.limit {
            Limit::Completion if bounded => request["max_completion_tokens"] = json!(question.longest),
            Limit::Tokens if bounded => request["max_tokens"] = json!(question.longest),
            _ => {}
        }
        request
    }

    /// Whether the refusal of a request with these manners teaches plainer ones, which are then kept for all that follow.
    fn learn(&self, tried: Manners, refused: &Refused) -> bool {
        let plainer = if tried.temperature && refused.is_about(&["temperature"]) {
            Manners { temperature: false, ..tried }
        } else if tried.limit == Limit::Completion && refused.is_about(&["max_completion_tokens"]) {
            Manners { limit: Limit::Tokens, ..tried }
        } else if tried.limit == Limit::Tokens && refused.is_about(&["max_tokens"]) {
            Manners { limit: Limit::None, ..tried }
        } else if tried.format != Format::Text
            && refused.is_about(&["response_format", "json_schema", "json_object", "schema", "structured", "grammar"])
        {
            Manners { format: if tried.format == Format::Schema { Format::Json } else { Format::Text }, ..tried }
        } else {
            return false;
        };
        let mut known = self.manners();
        // Requests run side by side: another may have taught it already.
        if *known == tried {
            *known = plainer;
        }
        true
    }

    fn manners(&self) -> std::sync::MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters what an answer cost; where the server does not count, what it is estimated at.
    fn spend(&self, cx: &Context, most: u64, answer: &Value) {
        let counted = |name: &str| answer["usage"][name].as_u64();
        match (counted("prompt_tokens"), counted("completion_tokens")) {
            (Some(read), Some(written)) => self.account(cx, read, written, false),
            (read, written) => {
                let text = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default();
                self.account(cx, read.unwrap_or(most), written.unwrap_or_else(|| tokens(text)), true);
            }
        }
    }

    fn account(&self, cx: &Context, prompt_tokens: u64, completion_tokens: u64, estimated: bool) {
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

/// What the model says, or why that is of no use.
fn said(answer: &Value) -> Result<String, String> {
    let choice = &answer["choices"][0];
    if let Some(refusal) = choice["message"]["refusal"].as_str() {
        return Err(format!("it refuses: {}", plain(refusal, 100)));
    }
    match choice["message"]["content"].as_str().map(str::trim) {
        _ if choice["finish_reason"] == "length" => Err("it is cut off".into()),
        _ if choice["finish_reason"] == "content_filter" => Err("it was filtered".into()),
        None | Some("") => Err("it is empty".into()),
        Some(text) => Ok(json_in(text).to_owned()),
    }
}

/// The JSON in an answer of a model that thinks aloud or fences what it says.
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
    fn json_is_found_in_what_models_write_around_it() {
        for text in ["{\"a\": 1}", "```json\n{\"a\": 1}\n```", "<think>{ hm }</think> Here: {\"a\": 1} Done."] {
            assert_eq!(json_in(text), "{\"a\": 1}", "{text}");
        }
        assert_eq!(json_in("} no {"), "} no {");
    }

    #[test]
    fn answers_of_no_use_say_why() {
        let answer = |choice: Value| said(&json!({"choices": [choice]})).unwrap_err();
        assert!(answer(json!({"message": {"refusal": "I\ncannot", "content": null}})).contains("it refuses: I cannot"));
        assert!(answer(json!({"message": {"content": "{\"a\""}, "finish_reason": "length"})).contains("cut off"));
        assert!(answer(json!({"message": {"content": " "}})).contains("empty"));
        assert!(said(&json!({})).unwrap_err().contains("empty"));
        assert_eq!(said(&json!({"choices": [{"message": {"content": "{}"}}]})).unwrap(), "{}");
    }
}
