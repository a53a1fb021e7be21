//! The connection to a server that speaks OpenAI's API, for every stage that needs one.

mod post;
mod prices;

pub(crate) use post::Refused;
pub use prices::Price;
pub(crate) use prices::tokens;

use std::fmt;
use std::time::Duration;

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::ledger::Held;
use crate::model::Usage;

/// A connection to one server, for many requests.
pub(crate) type Client = async_openai::Client<OpenAIConfig>;

const OPENAI: &str = "https://api.openai.com/v1";
/// A server that takes longer to answer has lost the request.
const LONGEST_ANSWER: Duration = Duration::from_secs(600);
const LONGEST_CONNECT: Duration = Duration::from_secs(20);

/// A server that speaks OpenAI's API: OpenAI itself, Groq, speaches, Ollama, vLLM, LM Studio and others.
///
/// What is not set comes from the environment: `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. The key is never written anywhere: not to
/// JSON, logs, errors or manifests. A call is tried three times where the server is busy or out of reach, as it asks to wait.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

    /// Puts aside what listening to so many seconds costs. Refused where that passes the budget, or there is one and no price to hold it by.
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
            None => refused(format!("listening for {:.0} minutes costs about ${usd:.2}, more than the budget", seconds / 60.0)),
        }
    }

    /// Enters what was listened to in one request.
    pub(crate) fn heard(&self, cx: &Context, model: &str, seconds: f64) {
        let cost_usd = self.price_of_sound(model, seconds);
        cx.spend(Usage { model: model.to_owned(), requests: 1, audio_seconds: seconds, cost_usd, ..Usage::default() });
    }

    fn price_of_sound(&self, model: &str, seconds: f64) -> Option<f64> {
        prices::of_sound(model).filter(|_| self.url() == OPENAI).map(|second| second * seconds)
    }

    pub(crate) fn client(&self) -> Result<Client> {
        let http = self.http()?;
        let config = OpenAIConfig::new().with_api_base(self.url()).with_api_key(self.key().unwrap_or_default()).with_org_id(self.org());
        Ok(Client::with_config(config).with_http_client(http))
    }

    /// A connection for many requests; refused where no server is set up.
    pub(crate) fn http(&self) -> Result<reqwest::Client> {
        if !self.is_configured() {
            return Err(Error::new(ErrorKind::Unavailable, "there is no key for the speech and language API")
                .with_recovery(Recovery::RefreshCredentials)
                .with_advice("set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"));
        }
        reqwest::Client::builder().connect_timeout(LONGEST_CONNECT).timeout(LONGEST_ANSWER).build().map_err(|error| {
            Error::new(ErrorKind::Unavailable, format!("cannot set up HTTPS: {error}")).with_advice("check the system's certificates")
        })
    }

    /// Turns a failed call into an error: what kind, what to do, and no secret in it.
    pub(crate) fn failed(&self, doing: &str, error: OpenAIError) -> Error {
        let error = match error {
            OpenAIError::ApiError(answer) => {
                let code = answer.api_error.code.as_deref().unwrap_or_default();
                self.refused(doing, answer.status_code.as_u16(), code, &answer.api_error.message, None)
            }
            OpenAIError::Reqwest(cause) => self.broken(doing, cause),
            OpenAIError::JSONDeserialize(cause, _) => self.broken_promise(doing, &cause.to_string()),
            other => Error::new(ErrorKind::Contract, format!("cannot {doing}: {}", self.without_key(&other.to_string()))),
        };
        error.with_url(&self.url())
    }

    /// The server refused, with this status and these words; `after` is how long it asks to wait.
    fn refused(&self, doing: &str, status: u16, code: &str, said: &str, after: Option<Duration>) -> Error {
        let message = format!("cannot {doing}: the server answers {status}: {}", self.without_key(said));
        let error = match status {
            401 | 403 => {
                Error::new(ErrorKind::Denied, message).with_recovery(Recovery::RefreshCredentials).with_advice("check OPENAI_API_KEY")
            }
            402 => Error::new(ErrorKind::Denied, message).with_advice("the account has no credit left"),
            429 if code == "insufficient_quota" => Error::new(ErrorKind::Denied, message).with_advice("the account has no credit left"),
            429 => Error::new(ErrorKind::RateLimited, message).with_recovery(Recovery::Retry { after }),
            408 | 500.. => Error::new(ErrorKind::Network, message).with_recovery(Recovery::Retry { after }),
            _ => Error::new(ErrorKind::Config, message),
        };
        error.with_url(&self.url())
    }

    /// The connection did not come about, or broke.
    fn broken(&self, doing: &str, cause: reqwest::Error) -> Error {
        let why = if cause.is_timeout() {
            "the server takes too long"
        } else if cause.is_connect() {
            "the server cannot be reached"
        } else {
            "the connection broke"
        };
        Error::new(ErrorKind::Network, format!("cannot {doing}: {why}"))
            .with_recovery(Recovery::Retry { after: None })
            .with_source(cause.without_url())
            .with_url(&self.url())
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
        self.api_key.clone().or_else(|| environment("OPENAI_API_KEY"))
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
        f.debug_struct("OpenAiServer").field("base_url", &self.base_url).field("organization", &self.organization).finish_non_exhaustive()
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
