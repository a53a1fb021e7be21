//! Servers that speak OpenAI's API: settings, requests, prices.

mod address;
// Without the client nothing is read; the rest compiles all the same.
#[cfg_attr(not(feature = "openai"), allow(dead_code))]
pub(crate) mod answer;
#[cfg(feature = "openai")]
mod client;
#[cfg(not(feature = "openai"))]
#[path = "client_unavailable.rs"]
mod client;
#[cfg(feature = "openai")]
mod failure;
pub(crate) mod lenient;
mod prices;
mod request;

#[cfg(any(test, fuzzing))]
pub(crate) use address::check as check_address;
pub(crate) use client::Client;
pub use prices::Price;
pub(crate) use prices::estimate_tokens;
pub(crate) use request::{AudioFile, AudioFormat, RequestFailure, TranscriptionRequest};

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::ledger::Held;
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::layer::{LayerConfig, RequestLayers, Retry};
use crate::model::Usage;

/// The address of OpenAI's own API.
const OPENAI: &str = "https://api.openai.com/v1";

/// A server that speaks OpenAI's API: OpenAI itself, Groq, speaches, Ollama, vLLM, LM Studio and
/// others.
///
/// Fields that are not set come from the [`Environment`] of the context that a stage runs under:
/// `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. The key is written neither to JSON nor to
/// logs, errors or manifests.
///
/// A long video takes many requests, and servers limit the number of requests. So limits and
/// retries are layers around each request and not around the stage: if one of twenty uploads fails,
/// only that one is sent again, and a rate limit counts every upload.
///
/// ```
/// use clipkit::prelude::*;
///
/// let mut server = OpenAiServer::default();
/// server.base_url = Some("http://localhost:8000/v1".into());
/// server.layers = vec![
///     LayerConfig::RateLimit(RateLimit::per_minute(20)),
///     LayerConfig::Retry(Retry::times(5)),
/// ];
/// # assert_eq!(serde_json::from_str::<OpenAiServer>(r#"{"base_url": "http://localhost:8000/v1",
/// #     "layers": [{"rate_limit": {"per_minute": 20}},
/// #                {"retry": {"attempts": 5}}]}"#).unwrap(), server);
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenAiServer {
    /// The address below which the API's paths lie, such as `http://localhost:8000/v1`. Default:
    /// `OPENAI_BASE_URL`, else OpenAI's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The organization that requests are charged to. Default: `OPENAI_ORG_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The API key. Default: `OPENAI_API_KEY`. Servers other than OpenAI's may need none.
    #[serde(skip)]
    pub api_key: Option<String>,
    /// The layers around each request, innermost first. Default: one [`Retry`]; nothing else
    /// repeats a request, so an empty list sends each request once. In one process, all stages with
    /// the same address, organization, key and layers share the state of the layers, because a
    /// server counts requests per account: a rate limit holds for transcriber and scorer together.
    /// A cache is not allowed here; put it around the stage.
    pub layers: Vec<LayerConfig>,
}

impl Default for OpenAiServer {
    fn default() -> Self {
        OpenAiServer { base_url: None, organization: None, api_key: None, layers: vec![LayerConfig::Retry(Retry::default())] }
    }
}

impl OpenAiServer {
    /// Whether there is a key, or an address other than OpenAI's. Fields that are not set come from
    /// [`Environment::from_process`]; see [`is_configured_in`](Self::is_configured_in) for another.
    pub fn is_configured(&self) -> bool {
        self.is_configured_in(&Environment::from_process())
    }

    /// The same, with the fields that are not set taken from `environment`.
    pub fn is_configured_in(&self, environment: &Environment) -> bool {
        let server = self.with_environment(environment);
        server.key().is_some() || server.url() != OPENAI
    }

    /// This server with the fields that are not set taken from `environment`. Stages call it with
    /// the environment of their context.
    #[must_use]
    pub fn with_environment(&self, environment: &Environment) -> Self {
        OpenAiServer {
            base_url: self.base_url.clone().or_else(|| environment.openai_base_url.clone()),
            organization: self.organization.clone().or_else(|| environment.openai_organization.clone()),
            api_key: self.api_key.clone().or_else(|| environment.openai_api_key.clone()),
            layers: self.layers.clone(),
        }
    }

    /// The price of a language model: `given`, else the known one. Known prices are those of
    /// OpenAI's own server.
    pub(crate) fn price(&self, model: &str, given: Option<Price>) -> Option<Price> {
        given.or_else(|| prices::token_price(model).filter(|_| self.url() == OPENAI))
    }

    /// Checks that the budget allows to transcribe `seconds` of audio.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the cost exceeds the budget, or if there is a budget and the
    /// model's price is not known.
    pub(crate) fn check_audio_budget(&self, cx: &Context, model: &str, seconds: f64) -> Result<()> {
        self.reserve_for_audio(cx, model, seconds).map(drop)
    }

    /// Reserves the cost of `seconds` of audio in the budget, with the errors of
    /// [`check_audio_budget`](Self::check_audio_budget).
    pub(crate) fn reserve_for_audio(&self, cx: &Context, model: &str, seconds: f64) -> Result<Held> {
        let refused = |message: String| {
            Err(Error::new(ErrorKind::Config, message)
                .with_advice("raise the budget (--max-cost), or give a transcript (--transcript FILE)"))
        };
        let price = self.audio_price(model, seconds);
        if price.is_none() && cx.budget_left().is_some() {
            return refused(format!("the price of the model {model} is not known, so a budget cannot be kept"));
        }
        let usd = price.unwrap_or(0.0);
        match cx.hold(usd) {
            Some(held) => Ok(held),
            None => refused(format!("transcribing {:.1} minutes costs about ${usd:.4}, more than the budget", seconds / 60.0)),
        }
    }

    /// Records one request's audio as spent and releases its reservation. `estimated`: the request
    /// failed, but the server may charge for it.
    pub(crate) fn record_audio(&self, cx: &Context, held: Held, model: &str, seconds: f64, estimated: bool) {
        let cost_usd = self.audio_price(model, seconds);
        cx.settle(held, Usage { model: model.to_owned(), requests: 1, audio_seconds: seconds, estimated, cost_usd, ..Usage::default() });
    }

    fn audio_price(&self, model: &str, seconds: f64) -> Option<f64> {
        prices::audio_price_per_second(model).filter(|_| self.url() == OPENAI).map(|price| price * seconds)
    }

    /// A connection for many requests. `self` is resolved
    /// ([`with_environment`](Self::with_environment)); `operation` names what fails when a request
    /// does; `timeout` limits each request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if there is neither a key nor a server of the user's own;
    /// [`ErrorKind::Config`] if the address is none.
    pub(crate) fn client(&self, cx: &Context, operation: &'static str, timeout: Duration) -> Result<Client> {
        address::check(&self.url())?;
        if self.key().is_none() && self.url() == OPENAI {
            return Err(Error::new(ErrorKind::Unavailable, "there is no key for the speech and language API")
                .with_recovery(Recovery::RefreshCredentials)
                .with_advice("set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"));
        }
        Client::open(self.clone(), cx.environment(), operation, timeout)
    }

    /// Runs `attempt` inside this server's layers, which may delay or repeat it.
    /// Each attempt gets a context of its own.
    pub(crate) async fn in_layers<O, F>(&self, cx: &Context, attempt: impl Fn(Context) -> F + Send + Sync + 'static) -> Result<O>
    where
        O: Send + Sync + 'static,
        F: Future<Output = Result<O>> + Send + 'static,
    {
        let url = self.url();
        let account = [url.as_str(), self.organization.as_deref().unwrap_or_default(), self.key().unwrap_or_default()];
        RequestLayers::of(&account, &self.layers)?.call(cx, attempt).await
    }

    /// The address, without a slash at its end.
    pub(crate) fn url(&self) -> String {
        self.base_url.as_deref().unwrap_or(OPENAI).trim().trim_end_matches('/').to_owned()
    }

    /// The key without white space around it: keys read from files end with a line break.
    fn key(&self) -> Option<&str> {
        self.api_key.as_deref().map(str::trim).filter(|key| !key.is_empty())
    }

    /// `text` with the key replaced: servers repeat a key that they reject.
    fn without_key(&self, text: &str) -> String {
        match self.key() {
            Some(key) => text.replace(key, "[key]"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_not_set_come_from_the_environment() {
        let mut environment = Environment::default();
        let server = OpenAiServer::default();
        assert!(!server.is_configured_in(&environment));
        environment.openai_api_key = Some(" ".into());
        assert!(!server.is_configured_in(&environment));
        environment.openai_base_url = Some("http://localhost:8000/v1/".into());
        assert!(server.is_configured_in(&environment));
        assert_eq!(server.with_environment(&environment).url(), "http://localhost:8000/v1");
        let own = OpenAiServer { base_url: Some("http://own/v1".into()), ..OpenAiServer::default() };
        assert_eq!(own.with_environment(&environment).url(), "http://own/v1");
    }
}
