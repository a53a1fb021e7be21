//! Logs an account in: OAuth 2.0 for programs on a user's machine (RFC 8252) with PKCE (RFC 7636).

mod callback;

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::refusal::{Refusal, Server, judge};
use super::{Account, Credentials, Secret, Tokens, request};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{self, Timeouts, retry_after};

const LONGEST_ANSWER: usize = 64 << 10;
/// The longest time for the request for tokens.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A login of an account in a browser on this machine.
///
/// The user opens the address that [`run`](Login::run) shows, and allows the app to post. The
/// platform sends the browser back to a server of this program on loopback, which then obtains the
/// tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Login {
    /// The account.
    pub account: Account,
    /// The id of the app.
    pub client_id: String,
    /// The app's secret, if it has one.
    pub client_secret: Option<Secret>,
    /// What the user is asked to allow.
    pub scopes: Vec<String>,
    /// The platform's page for logins.
    pub auth_url: String,
    /// Where the platform gives tokens.
    pub token_url: String,
    /// How long the user has. Default: 10 minutes.
    pub timeout: Duration,
}

impl Login {
    /// A login for a channel on YouTube, with an app of a Google project (type: desktop).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the account's name has other characters than letters, digits,
    /// hyphens, underscores and dots.
    pub fn youtube(account: &str, client_id: impl Into<String>) -> Result<Self> {
        let scope = |name: &str| format!("https://www.googleapis.com/auth/{name}");
        Ok(Login {
            account: Account::new("youtube", account)?,
            client_id: client_id.into(),
            client_secret: None,
            scopes: vec![scope("youtube.upload"), scope("youtube.readonly"), scope("youtube.force-ssl")],
            auth_url: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
            token_url: "https://oauth2.googleapis.com/token".to_owned(),
            timeout: Duration::from_secs(600),
        })
    }

    /// Logs in, and stores the tokens. `show` gets the address that the user opens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Denied`] if the user or the platform refuses, [`ErrorKind::TimedOut`] if nobody
    /// comes.
    pub async fn run(&self, cx: &Context, credentials: &dyn Credentials, show: impl FnOnce(&str)) -> Result<()> {
        let unusable = |error| Error::new(ErrorKind::Io, format!("cannot wait for the browser: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").map_err(unusable)?;
        let port = listener.local_addr().map_err(unusable)?.port();
        let redirect = format!("http://127.0.0.1:{port}/");
        let (verifier, state) = (random()?, random()?);
        show(self.address(&redirect, &verifier, &state)?.as_str());
        let (until, expected) = (std::time::Instant::now() + self.timeout, state.clone());
        let code = cx.blocking(move |cx| callback::wait(cx, &listener, &expected, until)).await?;
        let tokens = cx.or_cancelled(self.tokens(cx, &code, &redirect, &verifier)).await?;
        credentials.store(cx, &self.account, &tokens).await
    }

    fn address(&self, redirect: &str, verifier: &str, state: &str) -> Result<Url> {
        let mut url = Url::parse(&self.auth_url)
            .map_err(|error| Error::new(ErrorKind::Config, format!("the page for logins has no address: {error}")))?;
        url.query_pairs_mut().extend_pairs([
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", redirect),
            ("response_type", "code"),
            ("scope", &self.scopes.join(" ")),
            ("state", state),
            ("code_challenge", &challenge(verifier)),
            ("code_challenge_method", "S256"),
            // Google gives a refresh token only if it is asked for one.
            ("access_type", "offline"),
            ("prompt", "consent"),
        ]);
        Ok(url)
    }

    async fn tokens(&self, cx: &Context, code: &str, redirect: &str, verifier: &str) -> Result<Tokens> {
        let client = http::client(cx.environment(), Timeouts { total: Some(TIMEOUT), idle: None })?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.client_id),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        if let Some(secret) = &self.client_secret {
            form.push(("client_secret", secret.reveal()));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let asked = client.post(&self.token_url).header("content-type", "application/x-www-form-urlencoded").body(body);
        let response = asked.send().await.map_err(|error| request::failure(error, Server::YouTube))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let text = request::text(response, LONGEST_ANSWER).await.map_err(|error| request::failure(error, Server::YouTube))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if !status.is_success() {
            let code = answer["error"].as_str().filter(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
            return match code {
                Some(code) => Err(denied(&format!("the platform gives no tokens: {code}"), "check the client id and its secret")),
                None => Err(judge(Server::YouTube, &Refusal { status: status.as_u16(), reason: "", after }, SystemTime::now())),
            };
        }
        self.granted(&answer, SystemTime::now())
    }

    /// The tokens of the platform's answer.
    fn granted(&self, answer: &Value, now: SystemTime) -> Result<Tokens> {
        let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
        let (Some(access), Some(refresh)) = (text("access_token"), text("refresh_token")) else {
            return Err(denied(
                "the platform gives no refresh token",
                "remove the app's access in the account's settings, and log in again",
            ));
        };
        let scopes: Vec<String> = match text("scope") {
            Some(scopes) => scopes.split(' ').map(str::to_owned).collect(),
            None => self.scopes.clone(),
        };
        // The first is the one without which nothing can be posted.
        if let Some(needed) = self.scopes.first().filter(|needed| !scopes.contains(needed)) {
            return Err(denied(&format!("the login does not allow {needed}"), "log in again, and tick all boxes"));
        }
        let mut tokens = Tokens::new();
        (tokens.access, tokens.refresh) = (Some(Secret::new(access)), Some(Secret::new(refresh)));
        tokens.expires_at = answer["expires_in"].as_u64().and_then(|seconds| now.checked_add(Duration::from_secs(seconds)));
        (tokens.client_id, tokens.client_secret) = (Some(self.client_id.clone()), self.client_secret.clone());
        tokens.scopes = scopes;
        Ok(tokens)
    }
}

fn denied(what: &str, advice: &str) -> Error {
    Error::new(ErrorKind::Denied, what).with_advice(advice)
}

/// 256 random bits as 43 characters.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::new(ErrorKind::Unavailable, format!("there is no randomness: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The challenge `S256` of a verifier.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_standards_and_verifiers_differ() {
        assert_eq!(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let (one, other) = (random().unwrap(), random().unwrap());
        assert!(one != other && one.len() == 43);
    }

    #[test]
    fn tokens_need_a_refresh_token_and_the_right_to_upload() {
        let login = Login::youtube("main", "id").unwrap();
        let now = SystemTime::UNIX_EPOCH;
        let answer = |scope: &str| serde_json::json!({"access_token": "a", "refresh_token": "r", "expires_in": 60, "scope": scope});
        let tokens = login.granted(&answer(&login.scopes.join(" ")), now).unwrap();
        assert_eq!((tokens.expires_at, tokens.client_id.as_deref()), (Some(now + Duration::from_secs(60)), Some("id")));
        let error = login.granted(&answer(&login.scopes[1]), now).unwrap_err();
        assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("youtube.upload"), "{error}");
        let error = login.granted(&serde_json::json!({"access_token": "a"}), now).unwrap_err();
        assert!(error.to_string().contains("refresh token"), "{error}");
        assert!(Login::youtube("../x", "id").is_err());
    }
}
