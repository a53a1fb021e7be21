//! The connection to a server that speaks OpenAI's API, for every stage that needs one.

mod client;
mod prices;

pub(crate) use client::{Client, Refused};
pub use prices::Price;
pub(crate) use prices::tokens;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::context::ledger::Held;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::layer::{LayerConfig, RequestLayers, Retry};
use crate::model::Usage;

const OPENAI: &str = "https://api.openai.com/v1";

/// A server that speaks OpenAI's API: OpenAI itself, Groq, speaches, Ollama, vLLM, LM Studio and others.
///
/// What is not set comes from the environment: `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. The key is never written anywhere: not to
/// JSON, logs, errors or manifests.
///
/// A long video takes many requests, and what a server limits is requests. So its limits are layers here, around each of them, and not around
/// the stage that makes them: one upload of twenty that fails is sent again alone, and a rate counts every upload.
///
/// ```
/// use clipkit::prelude::*;
///
/// let server = OpenAiServer {
///     base_url: Some("http://localhost:8000/v1".into()),
///     layers: vec![LayerConfig::RateLimit(RateLimit::per_minute(20)), LayerConfig::Retry(Retry::times(5))],
///     ..OpenAiServer::default()
/// };
/// # assert_eq!(serde_json::from_str::<OpenAiServer>(r#"{"base_url": "http://localhost:8000/v1",
/// #     "layers": [{"rate_limit": {"per_minute": 20}}, {"retry": {"attempts": 5}}]}"#).unwrap(), server);
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiServer {
    /// The address below which the API's paths lie, such as `http://localhost:8000/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The organisation to charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The key. Other servers than OpenAI's may need none.
    #[serde(skip)]
    pub api_key: Option<String>,
    /// The layers around each request, the first of them next to it. Default: a [`Retry`], which is the only thing that repeats a request; with an
    /// empty list, each request is sent once. In one process, all stages with the same address, organisation, key and layers share what the layers
    /// count, because the server counts that way: a rate holds for transcriber and scorer together. A cache cannot be among these layers; it
    /// goes around the stage.
    pub layers: Vec<LayerConfig>,
}

impl Default for OpenAiServer {
    fn default() -> Self {
        OpenAiServer { base_url: None, organization: None, api_key: None, layers: vec![LayerConfig::Retry(Retry::default())] }
    }
}

impl OpenAiServer {
    /// Whether a server is set up: a key, or another address than OpenAI's.
    pub fn is_configured(&self) -> bool {
        self.key().is_some() || self.url() != OPENAI
    }

    /// The price of a language model: what is given, else what is known. Of other servers than OpenAI's, nothing is known.
    pub(crate) fn price(&self, model: &str, given: Option<Price>) -> Option<Price> {
        given.or_else(|| prices::of_text(model).filter(|_| self.url() == OPENAI))
    }

    /// Refuses to have so many seconds listened to where that passes the budget, or there is one and no price to hold it by.
    pub(crate) fn affords_sound(&self, cx: &Context, model: &str, seconds: f64) -> Result<()> {
        self.hold_for_sound(cx, model, seconds).map(drop)
    }

    /// Puts aside what listening to so many seconds costs; refused as [`affords_sound`](Self::affords_sound) refuses.
    pub(crate) fn hold_for_sound(&self, cx: &Context, model: &str, seconds: f64) -> Result<Held> {
        let refused = |what: String| {
            Err(Error::new(ErrorKind::Config, what).with_advice("allow more (--max-cost), or give a transcript (--transcript FILE)"))
        };
        let price = self.price_of_sound(model, seconds);
        if price.is_none() && cx.budget_left().is_some() {
            return refused(format!("the price of the model {model} is not known, so no budget can be held"));
        }
        let usd = price.unwrap_or(0.0);
        match cx.hold(usd) {
            Some(held) => Ok(held),
            None => refused(format!("listening for {:.1} minutes costs about ${usd:.4}, more than the budget", seconds / 60.0)),
        }
    }

    /// Enters what one request listened to, in place of what was put aside for it; an estimate where it may have.
    pub(crate) fn heard(&self, cx: &Context, held: Held, model: &str, seconds: f64, estimated: bool) {
        let cost_usd = self.price_of_sound(model, seconds);
        cx.settle(held, Usage { model: model.to_owned(), requests: 1, audio_seconds: seconds, estimated, cost_usd, ..Usage::default() });
    }

    fn price_of_sound(&self, model: &str, seconds: f64) -> Option<f64> {
        prices::of_sound(model).filter(|_| self.url() == OPENAI).map(|second| second * seconds)
    }

    /// A connection for many requests; refused where no server is set up. `doing` is what fails when a request does; an answer may take as long
    /// as `patience`.
    pub(crate) fn client(&self, doing: &'static str, patience: Duration) -> Result<Client> {
        if !self.is_configured() {
            return Err(Error::new(ErrorKind::Unavailable, "there is no key for the speech and language API")
                .with_recovery(Recovery::RefreshCredentials)
                .with_advice("set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"));
        }
        Client::open(self, doing, patience)
    }

    /// Has a request made inside this server's layers: once, and again as they say. The attempt's context is for that attempt.
    pub(crate) async fn ask<O, F>(&self, cx: &Context, attempt: impl Fn(Context) -> F + Send + Sync + 'static) -> Result<O>
    where
        O: Send + Sync + 'static,
        F: Future<Output = Result<O>> + Send + 'static,
    {
        let account = [self.url(), self.org(), self.key().unwrap_or_default()];
        RequestLayers::of(&account.each_ref().map(String::as_str), &self.layers)?.call(cx, attempt).await
    }

    /// The server answered, but not as its API promises.
    pub(crate) fn broken_promise(&self, doing: &str, what: &str) -> Error {
        Error::new(ErrorKind::Contract, format!("cannot {doing}: the server's answer is not as its API promises: {what}"))
            .with_recovery(Recovery::Retry { after: None })
            .with_url(&self.url())
    }

    /// The address in use.
    pub(crate) fn url(&self) -> String {
        let url = self.base_url.clone().or_else(|| environment("OPENAI_BASE_URL")).unwrap_or_else(|| OPENAI.to_owned());
        url.trim_end_matches('/').to_owned()
    }

    fn org(&self) -> String {
        self.organization.clone().or_else(|| environment("OPENAI_ORG_ID")).unwrap_or_default()
    }

    fn key(&self) -> Option<String> {
        // Out of a file it comes with a line break.
        let key = self.api_key.clone().or_else(|| environment("OPENAI_API_KEY"))?;
        Some(key.trim().to_owned()).filter(|key| !key.is_empty())
    }

    /// Servers echo keys they do not like.
    fn without_key(&self, text: &str) -> String {
        match self.key() {
            Some(key) => text.replace(&key, "[key]"),
            None => text.to_owned(),
        }
    }
}

impl fmt::Debug for OpenAiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("OpenAiServer");
        out.field("base_url", &self.base_url)
            .field("organization", &self.organization)
            .field("layers", &self.layers)
            .finish_non_exhaustive()
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
