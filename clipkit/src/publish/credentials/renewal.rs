//! Access tokens that are renewed once when a platform refuses them (RFC 6749, section 6).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::{Account, Credentials, Tokens};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::retry_after;
use crate::model::WarningKind;
use crate::publish::named_lock::NamedLock;
use crate::publish::refusal::{Refusal, Server, judge, plain};
use crate::publish::{Secret, request};

/// A token that ends this soon is renewed before it is used.
const MARGIN: Duration = Duration::from_secs(60);
/// How often new tokens are tried to be stored. The old ones may be of no use any more.
const STORE_ATTEMPTS: u32 = 5;
const LONGEST_ANSWER: usize = 64 << 10;
/// A token that is exchanged while it is valid is exchanged when it ends this soon.
const EXCHANGE_MARGIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// How a platform renews access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// By a refresh token (RFC 6749, section 6).
    RefreshToken {
        /// The name of the app's id in requests.
        client_field: &'static str,
        /// Whether each use of a refresh token gives a new one and ends the old one.
        rotates: bool,
    },
    /// Meta's: an access token, while it is valid, is exchanged for one that is valid for 60 days.
    Exchange,
}

/// Where a platform gives new tokens.
#[derive(Clone, Debug)]
pub(crate) struct TokenServer {
    pub(crate) url: String,
    pub(crate) server: Server,
    pub(crate) grant: Grant,
}

/// The access token of an account.
pub(crate) struct Renewal {
    credentials: Arc<dyn Credentials>,
    account: Account,
    at: TokenServer,
    client: reqwest::Client,
    current: Mutex<Option<Tokens>>,
    /// Whether it was tried to exchange a token that is valid still.
    tried: AtomicBool,
}

impl Renewal {
    pub(crate) fn new(credentials: Arc<dyn Credentials>, account: Account, at: TokenServer, client: reqwest::Client) -> Self {
        Renewal { credentials, account, at, client, current: Mutex::new(None), tried: AtomicBool::new(false) }
    }

    /// The tokens to use now. Those that end soon are renewed first.
    pub(crate) async fn tokens(&self, cx: &Context) -> Result<(Secret, Tokens)> {
        let mut current = self.current.lock().await;
        let tokens = match current.take() {
            Some(tokens) => tokens,
            None => self.credentials.load(cx, &self.account).await?,
        };
        let tokens = match usable(&tokens, SystemTime::now()) {
            Some(_) if self.at.grant == Grant::Exchange && self.credentials.keeps() => self.prolonged(cx, tokens).await?,
            Some(_) => tokens,
            None => self.renew(cx, None).await?,
        };
        let access = tokens.access.clone().ok_or_else(|| self.refused("the platform gave no access token"))?;
        *current = Some(tokens.clone());
        Ok((access, tokens))
    }

    /// The tokens, exchanged if they end within days. They are valid still, so a failure is a
    /// warning.
    async fn prolonged(&self, cx: &Context, tokens: Tokens) -> Result<Tokens> {
        let ends_soon = tokens.expires_at.is_some_and(|end| end < SystemTime::now() + EXCHANGE_MARGIN);
        let Some(access) = tokens.access.clone().filter(|_| ends_soon && !self.tried.swap(true, Ordering::Relaxed)) else {
            return Ok(tokens);
        };
        match self.renew(cx, Some(&access)).await {
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => {
                cx.warn_of(WarningKind::Publish, format!("the login of {} ends soon and cannot be prolonged: {error}", self.account));
                Ok(tokens)
            }
            renewed => renewed,
        }
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
        let Some(grant) = self.given(&stored)? else {
            return Err(self.refused("the access token is not valid any more, and there is nothing to renew it with"));
        };
        let (answer, now) = (cx.or_cancelled(self.ask(&stored, grant)).await?, SystemTime::now());
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

    /// The token that is given for a new one. `None` if there is none.
    fn given<'t>(&self, stored: &'t Tokens) -> Result<Option<&'t Secret>> {
        match self.at.grant {
            Grant::Exchange => Ok(stored.access.as_ref()),
            Grant::RefreshToken { rotates: true, .. } if stored.refresh.is_some() && !self.credentials.keeps() => Err(Error::new(
                ErrorKind::Config,
                format!("{} changes its refresh token at each use, and the environment cannot keep the new one", self.account),
            )
            .with_advice(format!("log in: clipkit login {} --account {}", self.account.platform, self.account.name))),
            Grant::RefreshToken { .. } => Ok(stored.refresh.as_ref()),
        }
    }

    async fn ask(&self, tokens: &Tokens, given: &Secret) -> Result<Value> {
        let (kind, given_field, client_field) = match self.at.grant {
            Grant::RefreshToken { client_field, .. } => ("refresh_token", "refresh_token", client_field),
            Grant::Exchange => ("fb_exchange_token", "fb_exchange_token", "client_id"),
        };
        let mut form = vec![("grant_type", kind), (given_field, given.reveal())];
        if let Some(id) = &tokens.client_id {
            form.push((client_field, id));
        }
        if let Some(secret) = &tokens.client_secret {
            form.push(("client_secret", secret.reveal()));
        }
        let request = match self.at.grant {
            Grant::RefreshToken { .. } => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
                self.client.post(&self.at.url).header("content-type", "application/x-www-form-urlencoded").body(body)
            }
            Grant::Exchange => self.client.get(with_query(&self.at.url, &form)?),
        };
        let response = request.send().await.map_err(|error| request::failure(error, self.at.server))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let text = request::text(response, LONGEST_ANSWER).await.map_err(|error| request::failure(error, self.at.server))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        // TikTok answers 200 with an error.
        let reason = match answer["error"].as_str() {
            Some(code) => plain(code),
            None => self.at.server.reason(&answer),
        };
        match reason.split('/').next().unwrap_or_default() {
            "invalid_grant" | "invalid_request" | "access_token_invalid" | "unauthorized_client" | "invalid_client" | "190" => {
                Err(self.refused("the platform does not accept the token or the app"))
            }
            "" if status.is_success() => Ok(answer),
            _ => Err(judge(self.at.server, &Refusal { status: status.as_u16(), reason: &reason, after }, SystemTime::now())),
        }
    }

    fn refused(&self, what: &str) -> Error {
        Error::new(ErrorKind::Denied, format!("{}: {what}", self.account))
            .with_recovery(Recovery::GiveUp)
            .with_advice(format!("log in again: clipkit login {} --account {}", self.account.platform, self.account.name))
    }
}

/// An address with a query. Errors do not show it.
pub(in crate::publish) fn with_query(address: &str, query: &[(&str, &str)]) -> Result<Url> {
    let mut url =
        Url::parse(address).map_err(|error| Error::new(ErrorKind::Config, format!("the place of the tokens has no address: {error}")))?;
    url.query_pairs_mut().extend_pairs(query);
    Ok(url)
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
