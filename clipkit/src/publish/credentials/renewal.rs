//! Access tokens that are renewed once when a platform refuses them (RFC 6749, section 6).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::Mutex;

use super::{Account, Credentials, Tokens};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::retry_after;
use crate::publish::named_lock::NamedLock;
use crate::publish::refusal::{Refusal, Server, judge};
use crate::publish::{Secret, request};

/// A token that ends this soon is renewed before it is used.
const MARGIN: Duration = Duration::from_secs(60);
/// How often new tokens are tried to be stored. The old ones may be of no use any more.
const STORE_ATTEMPTS: u32 = 5;
const LONGEST_ANSWER: usize = 64 << 10;

/// Where a platform gives new tokens.
#[derive(Clone, Debug)]
pub(crate) struct TokenServer {
    pub(crate) url: String,
    pub(crate) server: Server,
    /// The name of the app's id in requests.
    pub(crate) client_field: &'static str,
    /// Whether each use of a refresh token gives a new one and ends the old one.
    pub(crate) rotates: bool,
}

/// The access token of an account.
pub(crate) struct Renewal {
    credentials: Arc<dyn Credentials>,
    account: Account,
    at: TokenServer,
    client: reqwest::Client,
    current: Mutex<Option<Tokens>>,
}

impl Renewal {
    pub(crate) fn new(credentials: Arc<dyn Credentials>, account: Account, at: TokenServer, client: reqwest::Client) -> Self {
        Renewal { credentials, account, at, client, current: Mutex::new(None) }
    }

    /// The tokens to use now. Those that end soon are renewed first.
    pub(crate) async fn tokens(&self, cx: &Context) -> Result<(Secret, Tokens)> {
        let mut current = self.current.lock().await;
        let tokens = match current.take() {
            Some(tokens) => tokens,
            None => self.credentials.load(cx, &self.account).await?,
        };
        let tokens = match usable(&tokens, SystemTime::now()) {
            Some(_) => tokens,
            None => self.renew(cx, None).await?,
        };
        let access = tokens.access.clone().ok_or_else(|| self.refused("the platform gave no access token"))?;
        *current = Some(tokens.clone());
        Ok((access, tokens))
    }

    /// The tokens after the platform refused `stale`: those that somebody else has renewed
    /// meanwhile, else new ones.
    pub(crate) async fn renewed(&self, cx: &Context, stale: &Secret) -> Result<()> {
        let mut current = self.current.lock().await;
        *current = Some(self.renew(cx, Some(stale)).await?);
        Ok(())
    }

    /// Obtains and stores new tokens. One process at a time does so; the others take what it
    /// stored.
    async fn renew(&self, cx: &Context, stale: Option<&Secret>) -> Result<Tokens> {
        let _lock = NamedLock::acquire(cx, &format!("credentials {}", self.account), "another process renews the credentials").await?;
        let stored = self.credentials.load(cx, &self.account).await?;
        if let Some(access) = usable(&stored, SystemTime::now())
            && stale.is_none_or(|stale| stale != access)
        {
            return Ok(stored);
        }
        let Some(refresh) = &stored.refresh else {
            return Err(self.refused("the access token is not valid any more, and there is no refresh token"));
        };
        if self.at.rotates && !self.credentials.keeps() {
            return Err(Error::new(
                ErrorKind::Config,
                format!("{} changes its refresh token at each use, and the environment cannot keep the new one", self.account),
            )
            .with_advice(format!("log in: clipkit login {} --account {}", self.account.platform, self.account.name)));
        }
        let (answer, now) = (cx.or_cancelled(self.ask(&stored, refresh)).await?, SystemTime::now());
        let renewed = merged(stored, &answer, now).ok_or_else(|| self.refused("the platform gave no access token"))?;
        // From here on, the old tokens may be void: not even a cancellation stops the writing.
        let mut attempt = 1;
        loop {
            match self.credentials.store(cx, &self.account, &renewed).await {
                Ok(()) => return Ok(renewed),
                Err(error) if attempt >= STORE_ATTEMPTS => {
                    return Err(error.with_advice(format!("log in again: clipkit login {}", self.account.platform)));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(attempt)).await,
            }
            attempt += 1;
        }
    }

    async fn ask(&self, tokens: &Tokens, refresh: &Secret) -> Result<Value> {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.reveal())];
        if let Some(id) = &tokens.client_id {
            form.push((self.at.client_field, id));
        }
        if let Some(secret) = &tokens.client_secret {
            form.push(("client_secret", secret.reveal()));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(&self.at.url).header("content-type", "application/x-www-form-urlencoded").body(body);
        let response = request.send().await.map_err(|error| request::failure(error, self.at.server))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let text = request::text(response, LONGEST_ANSWER).await.map_err(|error| request::failure(error, self.at.server))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        // TikTok answers 200 with an error.
        let refusal = answer["error"].as_str().filter(|code| !code.is_empty());
        match refusal {
            Some("invalid_grant" | "invalid_request" | "access_token_invalid" | "unauthorized_client" | "invalid_client") => {
                Err(self.refused("the platform does not accept the refresh token or the app"))
            }
            None if status.is_success() => Ok(answer),
            reason => Err(judge(
                self.at.server,
                &Refusal { status: status.as_u16(), reason: reason.unwrap_or_default(), after },
                SystemTime::now(),
            )),
        }
    }

    fn refused(&self, what: &str) -> Error {
        Error::new(ErrorKind::Denied, format!("{}: {what}", self.account))
            .with_recovery(Recovery::GiveUp)
            .with_advice(format!("log in again: clipkit login {} --account {}", self.account.platform, self.account.name))
    }
}

/// The access token, unless it ends soon.
fn usable(tokens: &Tokens, now: SystemTime) -> Option<&Secret> {
    let is_valid = tokens.expires_at.is_none_or(|end| end > now + MARGIN);
    tokens.access.as_ref().filter(|_| is_valid)
}

/// The tokens with what the platform gave. `None` if it gave no access token.
fn merged(old: Tokens, answer: &Value, now: SystemTime) -> Option<Tokens> {
    let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
    let lifetime = answer["expires_in"].as_u64().map(Duration::from_secs);
    Some(Tokens {
        access: Some(Secret::new(text("access_token")?)),
        expires_at: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
        refresh: text("refresh_token").map(Secret::new).or(old.refresh),
        ..old
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_end_soon_are_not_used_and_answers_replace_what_they_name() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let mut tokens = Tokens::new();
        assert!(usable(&tokens, now).is_none());
        tokens.access = Some("a".into());
        assert!(usable(&tokens, now).is_some());
        tokens.expires_at = Some(now + MARGIN);
        assert!(usable(&tokens, now).is_none());
        (tokens.refresh, tokens.client_id) = (Some("r".into()), Some("id".into()));
        let answer = serde_json::json!({"access_token": "b", "expires_in": 3600});
        let renewed = merged(tokens.clone(), &answer, now).unwrap();
        assert_eq!((renewed.access.as_ref().map(Secret::reveal), renewed.refresh.as_ref().map(Secret::reveal)), (Some("b"), Some("r")));
        assert_eq!((renewed.expires_at, renewed.client_id.as_deref()), (Some(now + Duration::from_secs(3600)), Some("id")));
        let rotated = serde_json::json!({"access_token": "c", "refresh_token": "s"});
        assert_eq!(merged(renewed, &rotated, now).unwrap().refresh.as_ref().map(Secret::reveal), Some("s"));
        assert!(merged(tokens, &serde_json::json!({"error": "x"}), now).is_none());
    }
}
