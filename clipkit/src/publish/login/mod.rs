//! Logs an account in: OAuth 2.0 for programs on a user's machine (RFC 8252) with PKCE (RFC 7636).

mod callback;
mod device;
mod dialect;
mod meta;

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use url::Url;

pub use self::device::DeviceCode;
use self::dialect::{Dialect, Obtaining};
use super::refusal::{Refusal, Server, judge, plain};
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
    /// The port on loopback that the browser comes back to. Default: any that is free.
    pub port: Option<u16>,
    /// The account's name on the platform, where one login is for several: on Instagram.
    pub user: Option<String>,
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
        let scopes = vec![scope("youtube.upload"), scope("youtube.readonly"), scope("youtube.force-ssl")];
        let pages = ("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token");
        Ok(Login::new(Account::new("youtube", account)?, client_id.into(), scopes, pages))
    }

    /// A login for an account on TikTok, with an app that has the Login Kit for desktop, the
    /// redirect `http://127.0.0.1:*/callback/`, and the Content Posting API. `client_key` is the
    /// app's; it has a secret, too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the account's name has other characters than letters, digits,
    /// hyphens, underscores and dots.
    pub fn tiktok(account: &str, client_key: impl Into<String>) -> Result<Self> {
        let scopes = ["video.publish", "video.upload", "user.info.basic"].map(str::to_owned).to_vec();
        let pages = ("https://www.tiktok.com/v2/auth/authorize/", "https://open.tiktokapis.com/v2/oauth/token/");
        Ok(Login::new(Account::new("tiktok", account)?, client_key.into(), scopes, pages))
    }

    /// A login for a professional account on Instagram, which is connected with a page on Facebook,
    /// with an app that has Facebook Login for Business. The app's secret is needed. Meta allows
    /// the redirect to `http://localhost` while the app is in development.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the account's name has other characters than letters, digits,
    /// hyphens, underscores and dots.
    pub fn instagram(account: &str, client_id: impl Into<String>) -> Result<Self> {
        let scopes = ["instagram_content_publish", "instagram_basic", "pages_show_list", "pages_read_engagement"];
        let pages = ("https://www.facebook.com/v25.0/dialog/oauth", "https://graph.facebook.com/v25.0/oauth/access_token");
        Ok(Login::new(Account::new("instagram", account)?, client_id.into(), scopes.map(str::to_owned).to_vec(), pages))
    }

    fn new(account: Account, client_id: String, scopes: Vec<String>, (auth_url, token_url): (&str, &str)) -> Self {
        Login {
            account,
            client_id,
            client_secret: None,
            scopes,
            auth_url: auth_url.to_owned(),
            token_url: token_url.to_owned(),
            timeout: Duration::from_secs(600),
            port: None,
            user: None,
        }
    }

    /// Logs in, and stores the tokens. `show` gets the address that the user opens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Denied`] if the user or the platform refuses, [`ErrorKind::TimedOut`] if nobody
    /// comes.
    pub async fn run(&self, cx: &Context, credentials: &dyn Credentials, show: impl FnOnce(&str)) -> Result<()> {
        let unusable = |error| Error::new(ErrorKind::Io, format!("cannot wait for the browser: {error}"));
        let dialect = Dialect::of(&self.account.platform);
        let listener = TcpListener::bind(("127.0.0.1", self.port.unwrap_or(0))).map_err(unusable)?;
        let port = listener.local_addr().map_err(unusable)?.port();
        let redirect = format!("http://{}:{port}{}", dialect.host, dialect.path);
        let (verifier, state) = (random()?, random()?);
        show(self.address(&redirect, &verifier, &state)?.as_str());
        let (until, expected) = (std::time::Instant::now() + self.timeout, state.clone());
        let code = cx.blocking(move |cx| callback::wait(cx, &listener, dialect.path, &expected, until)).await?;
        let tokens = cx.or_cancelled(self.tokens(cx, &code, &redirect, &verifier)).await?;
        credentials.store(cx, &self.account, &tokens).await
    }

    fn address(&self, redirect: &str, verifier: &str, state: &str) -> Result<Url> {
        let dialect = Dialect::of(&self.account.platform);
        let mut url = Url::parse(&self.auth_url)
            .map_err(|error| Error::new(ErrorKind::Config, format!("the page for logins has no address: {error}")))?;
        url.query_pairs_mut().extend_pairs([
            (dialect.client_field, self.client_id.as_str()),
            ("redirect_uri", redirect),
            ("response_type", "code"),
            ("scope", &self.scopes.join(dialect.separator)),
            ("state", state),
        ]);
        if let Some(challenge) = dialect.challenge.of(verifier) {
            url.query_pairs_mut().extend_pairs([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
        }
        url.query_pairs_mut().extend_pairs(dialect.further);
        Ok(url)
    }

    async fn tokens(&self, cx: &Context, code: &str, redirect: &str, verifier: &str) -> Result<Tokens> {
        let dialect = Dialect::of(&self.account.platform);
        if dialect.tokens == Obtaining::Exchanging {
            return meta::tokens(self, cx, code, redirect).await;
        }
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            (dialect.client_field, &self.client_id),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        if let Some(secret) = &self.client_secret {
            form.push(("client_secret", secret.reveal()));
        }
        self.granted(&self.answer(cx, posted(&self.token_url, &form)).await?, SystemTime::now())
    }

    /// The platform's answer to a request for tokens.
    async fn answer(&self, cx: &Context, make: impl FnOnce(&Client) -> Result<RequestBuilder>) -> Result<Value> {
        let answer = self.asked(cx, make).await?;
        match error_code(&answer) {
            // TikTok answers 200 with an error.
            Some(code) => Err(denied(&format!("the platform gives no tokens: {code}"), "check the app's id and its secret")),
            None => Ok(answer),
        }
    }

    /// The platform's answer, which can name an error of its own (`error`).
    async fn asked(&self, cx: &Context, make: impl FnOnce(&Client) -> Result<RequestBuilder>) -> Result<Value> {
        let server = self.server();
        let client = http::client(cx.environment(), Timeouts { total: Some(TIMEOUT), idle: None })?;
        let response = make(&client)?.send().await.map_err(|error| request::failure(error, server))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let text = request::text(response, LONGEST_ANSWER).await.map_err(|error| request::failure(error, server))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() || error_code(&answer).is_some() {
            return Ok(answer);
        }
        let refusal = Refusal { status: status.as_u16(), reason: &server.reason(&answer), after };
        Err(judge(server, &refusal, SystemTime::now()))
    }

    fn server(&self) -> Server {
        match self.account.platform.as_str() {
            "tiktok" => Server::TikTok,
            "instagram" => Server::Instagram,
            _ => Server::YouTube,
        }
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
            Some(scopes) => scopes.split([' ', ',']).map(str::to_owned).collect(),
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
        tokens.user = text("open_id").map(str::to_owned);
        Ok(tokens)
    }
}

/// The error that an answer names.
fn error_code(answer: &Value) -> Option<String> {
    answer["error"].as_str().map(plain).filter(|code| !code.is_empty())
}

/// A request with a form.
fn posted(url: &str, form: &[(&str, &str)]) -> impl FnOnce(&Client) -> Result<RequestBuilder> {
    let (url, body) = (url.to_owned(), url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
    move |client| Ok(client.post(url).header("content-type", "application/x-www-form-urlencoded").body(body))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifiers_differ() {
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
        assert!(Login::youtube("../x", "id").is_err() && Login::tiktok("../x", "id").is_err() && Login::instagram("", "id").is_err());
    }

    #[test]
    fn each_platforms_page_gets_what_it_wants() {
        let page = |login: Login| login.address("http://127.0.0.1:1/", "verifier", "state").unwrap();
        let value = |page: &Url, name: &str| page.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned());
        let tiktok = page(Login::tiktok("main", "key").unwrap());
        assert_eq!(value(&tiktok, "client_key").as_deref(), Some("key"));
        assert_eq!(value(&tiktok, "scope").as_deref(), Some("video.publish,video.upload,user.info.basic"));
        assert!(value(&tiktok, "code_challenge").is_some_and(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())));
        assert!(value(&tiktok, "client_id").is_none() && value(&tiktok, "access_type").is_none());
        let instagram = page(Login::instagram("main", "id").unwrap());
        assert!(value(&instagram, "client_id").is_some() && value(&instagram, "code_challenge").is_none());
    }
}
