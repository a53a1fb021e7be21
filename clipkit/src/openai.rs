//! The connection to a server that speaks OpenAI's API, for every stage that needs one.

use std::fmt;
use std::time::Duration;

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Recovery, Result};

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
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    pub(crate) fn client(&self) -> Result<Client> {
        if !self.is_configured() {
            return Err(Error::new(ErrorKind::Unavailable, "there is no key for the speech and language API")
                .with_recovery(Recovery::RefreshCredentials)
                .with_advice("set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"));
        }
        let http = reqwest::Client::builder().connect_timeout(LONGEST_CONNECT).timeout(LONGEST_ANSWER).build().map_err(|error| {
            Error::new(ErrorKind::Unavailable, format!("cannot set up HTTPS: {error}")).with_advice("check the system's certificates")
        })?;
        let organization = self.organization.clone().or_else(|| environment("OPENAI_ORG_ID")).unwrap_or_default();
        let config = OpenAIConfig::new().with_api_base(self.url()).with_api_key(self.key().unwrap_or_default()).with_org_id(organization);
        Ok(Client::with_config(config).with_http_client(http))
    }

    /// Turns a failed call into an error: what kind, what to do, and no secret in it.
    pub(crate) fn failed(&self, doing: &str, error: OpenAIError) -> Error {
        let error = match error {
            OpenAIError::ApiError(answer) => {
                let status = answer.status_code.as_u16();
                let code = answer.api_error.code.as_deref().unwrap_or_default();
                let said = self.without_key(&answer.api_error.message);
                let message = format!("cannot {doing}: the server answers {status}: {said}");
                match status {
                    401 | 403 => Error::new(ErrorKind::Denied, message)
                        .with_recovery(Recovery::RefreshCredentials)
                        .with_advice("check OPENAI_API_KEY"),
                    429 if code == "insufficient_quota" => {
                        Error::new(ErrorKind::Denied, message).with_advice("the account has no credit left")
                    }
                    429 => Error::new(ErrorKind::RateLimited, message).with_recovery(Recovery::Retry { after: None }),
                    408 | 500.. => Error::new(ErrorKind::Network, message).with_recovery(Recovery::Retry { after: None }),
                    _ => Error::new(ErrorKind::Config, message),
                }
            }
            OpenAIError::Reqwest(cause) => {
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
            }
            OpenAIError::JSONDeserialize(cause, _) => self.broken_promise(doing, &cause.to_string()),
            other => Error::new(ErrorKind::Contract, format!("cannot {doing}: {}", self.without_key(&other.to_string()))),
        };
        error.with_url(&self.url())
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
