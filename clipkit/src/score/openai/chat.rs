//! One question to a language model: what it costs, what a server makes of it, what comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::ledger::Held;
use crate::model::Usage;
use crate::openai::{Price, Refused, tokens};
use crate::score::OpenAiScorer;
use crate::score::plain::plain;

const DOING: &str = "have spans judged";
/// What the parts of a chat cost besides their text.
const TOKENS_AROUND: u64 = 50;

/// A conversation's frame: the server, the price, and what the server has turned out to understand.
pub(super) struct Chat<'a> {
    scorer: &'a OpenAiScorer,
    http: reqwest::Client,
    price: Option<Price>,
    manners: Mutex<Manners>,
    /// How many requests are on their way, and that one came back.
    on_their_way: AtomicUsize,
    back: Notify,
}

/// A request on its way, with the money put aside for it.
struct OnItsWay<'a, 'b> {
    chat: &'a Chat<'b>,
    held: Option<Held>,
}

impl Drop for OnItsWay<'_, '_> {
    fn drop(&mut self) {
        // The money is free again before those who wait for it look.
        self.held.take();
        self.chat.on_their_way.fetch_sub(1, Ordering::SeqCst);
        self.chat.back.notify_waiters();
    }
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

impl<'a> Chat<'a> {
    /// Refused without a server, or with a budget and no price to hold it by.
    pub(super) fn open(scorer: &'a OpenAiScorer, cx: &Context) -> Result<Self> {
        let http = scorer.server.http()?;
        if scorer.price.is_some_and(|price| !price.is_sound()) {
            return Err(Error::new(ErrorKind::Config, "a price is not a number of US dollars from 0"));
        }
        let price = scorer.server.price(&scorer.model, scorer.price);
        if price.is_none() && cx.budget_left().is_some() {
            let message = format!("the price of the model {} is not known, so no budget can be held", scorer.model);
            return Err(Error::new(ErrorKind::Config, message)
                .with_advice("give its price for a million tokens (--scorer-price IN,OUT; 0,0 where it is free), or no --max-cost"));
        }
        let manners = Manners { format: Format::Schema, temperature: true, limit: Limit::Completion };
        Ok(Chat { scorer, http, price, manners: Mutex::new(manners), on_their_way: AtomicUsize::new(0), back: Notify::new() })
    }

    /// Asks, and answers what the model says: JSON, or at least meant to be; an error in words where it says nothing of use.
    pub(super) async fn ask(&self, cx: &Context, question: &Question) -> Result<Result<String, String>, NoAnswer> {
        loop {
            let manners = *self.manners();
            let request = self.request(question, manners, cx.budget_left().is_some());
            let most = tokens(&request.to_string()) + TOKENS_AROUND;
            let sent = self.hold(cx, self.price.map_or(0.0, |price| price.cost(most, question.longest))).await?;
            let answer = self.send(cx, &request).await;
            match answer {
                Ok(answer) => {
                    let said = said(&answer);
                    self.spend(cx, most, &answer);
                    drop(sent);
                    return Ok(said);
                }
                Err(refused) => {
                    if refused.ran {
                        // It may be charged, so it counts, as much as it may have been.
                        self.account(cx, most, question.longest, true);
                    }
                    drop(sent);
                    if !self.learn(manners, &refused) {
                        return Err(NoAnswer::Failed(refused.error));
                    }
                    tracing::debug!(model = %self.scorer.model, "the server does not take all of the request; asking more plainly");
                }
            }
        }
    }

    /// Puts money aside. Requests cost less than they may: where there is not enough, those on their way are waited for.
    async fn hold(&self, cx: &Context, usd: f64) -> Result<OnItsWay<'_, 'a>, NoAnswer> {
        loop {
            let back = self.back.notified();
            if let Some(held) = cx.hold(usd) {
                self.on_their_way.fetch_add(1, Ordering::SeqCst);
                return Ok(OnItsWay { chat: self, held: Some(held) });
            }
            if self.on_their_way.load(Ordering::SeqCst) == 0 {
                return Err(NoAnswer::TooDear);
            }
            tokio::select! {
                () = back => {}
                () = cx.cancelled() => return Err(NoAnswer::Failed(Error::cancelled())),
            }
        }
    }

    async fn send(&self, cx: &Context, request: &Value) -> Result<Value, Refused> {
        let server = &self.scorer.server;
        let too_long = |error| Refused { error, status: None, said: String::new(), ran: true };
        tokio::select! {
            answer = server.post(&self.http, "/chat/completions", request, DOING) => answer,
            () = cx.cancelled() => Err(too_long(Error::cancelled())),
            () = tokio::time::sleep(Duration::from_secs(self.scorer.timeout_secs.max(1))) => {
                let message = format!("cannot {DOING}: the server takes longer than {} s", self.scorer.timeout_secs.max(1));
                Err(too_long(Error::new(ErrorKind::Network, message).with_recovery(Recovery::Retry { after: None }).with_url(&server.url())))
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
        if !matches!(refused.status, Some(400 | 404 | 415 | 422 | 501)) {
            return false;
        }
        let said = refused.said.to_lowercase();
        let speaks_of = |names: &[&str]| names.iter().any(|name| said.contains(name));
        let plainer = if tried.temperature && speaks_of(&["temperature"]) {
            Manners { temperature: false, ..tried }
        } else if tried.limit == Limit::Completion && speaks_of(&["max_completion_tokens"]) {
            Manners { limit: Limit::Tokens, ..tried }
        } else if tried.limit == Limit::Tokens && speaks_of(&["max_tokens"]) {
            Manners { limit: Limit::None, ..tried }
        } else if tried.format != Format::Text
            && speaks_of(&["response_format", "json_schema", "json_object", "schema", "structured", "grammar"])
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
