//! Logins on machines without a browser: OAuth 2.0 device authorization (RFC 8628).

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use url::Url;

use super::super::refusal::plain;
use super::{Account, Login, denied, posted};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::Credentials;

/// The wait between two questions if the platform names none (RFC 8628, 3.2), and how much longer
/// it becomes if the platform asks for that (3.5).
const INTERVAL: Duration = Duration::from_secs(5);
const SLOWER: Duration = Duration::from_secs(5);
/// The longest wait between two questions.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// What a user does on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCode {
    /// The page to open.
    pub address: String,
    /// The code to enter there.
    pub code: String,
}

impl Login {
    /// A login for a channel on YouTube on a machine without a browser, with an app of a Google
    /// project (type: TVs and limited input devices). Google allows such apps to upload and to read
    /// (the scopes `youtube` and `youtube.readonly`), not to add captions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the account's name has other characters than letters, digits,
    /// hyphens, underscores and dots.
    pub fn youtube_device(account: &str, client_id: impl Into<String>) -> Result<Self> {
        let scopes = ["youtube", "youtube.readonly"].map(|name| format!("https://www.googleapis.com/auth/{name}"));
        // developers.google.com/youtube/v3/guides/auth/devices
        let pages = ("https://oauth2.googleapis.com/device/code", "https://oauth2.googleapis.com/token");
        Ok(Login::new(Account::new("youtube", account)?, client_id.into(), scopes.to_vec(), pages))
    }

    /// Logs in with a code that the user enters on another machine, and stores the tokens. `show`
    /// gets the page and the code. `auth_url` is where the platform gives codes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Denied`] if the user or the platform refuses, [`ErrorKind::TimedOut`] if the
    /// code is not entered in time.
    pub async fn run_on_device(&self, cx: &Context, credentials: &dyn Credentials, show: impl FnOnce(&DeviceCode)) -> Result<()> {
        let scopes = self.scopes.join(" ");
        let given = cx.or_cancelled(self.asked(cx, posted(&self.auth_url, &[("client_id", &self.client_id), ("scope", &scopes)]))).await?;
        if let Some(code) = given["error"].as_str() {
            return Err(denied(
                &format!("the platform gives no code: {}", plain(code)),
                "check the app's id and its type: limited input devices",
            ));
        }
        // Google says verification_url, the standard verification_uri.
        let address = given["verification_url"].as_str().or(given["verification_uri"].as_str());
        let address = address.and_then(|address| Url::parse(address).ok()).filter(|url| matches!(url.scheme(), "http" | "https"));
        let code = given["user_code"].as_str().map(plain).filter(|code| !code.is_empty());
        let (Some(address), Some(code), Some(secret)) = (address.map(String::from), code, given["device_code"].as_str()) else {
            return Err(Error::new(ErrorKind::Contract, "the platform's answer has no code for a device"));
        };
        show(&DeviceCode { address, code });
        let seconds = |name: &str| given[name].as_u64().map(Duration::from_secs);
        let until = Instant::now() + seconds("expires_in").unwrap_or(self.timeout).min(self.timeout);
        let tokens = self.poll(cx, secret, seconds("interval").unwrap_or(INTERVAL), until).await?;
        credentials.store(cx, &self.account, &self.granted(&tokens, SystemTime::now())?).await
    }

    /// Asks for the tokens until the user has entered the code.
    async fn poll(&self, cx: &Context, device_code: &str, mut interval: Duration, until: Instant) -> Result<Value> {
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device_code),
            ("client_id", &self.client_id),
        ];
        if let Some(secret) = &self.client_secret {
            form.push(("client_secret", secret.reveal()));
        }
        loop {
            if Instant::now() + interval > until {
                return Err(Error::new(ErrorKind::TimedOut, "nobody entered the code in time").with_advice("log in again"));
            }
            cx.sleep(interval).await?;
            let answer = match cx.or_cancelled(self.asked(cx, posted(&self.token_url, &form))).await {
                Ok(answer) => answer,
                Err(error) if error.is_cancelled() => return Err(error),
                // The standard asks for longer waits if the network fails.
                Err(error) if error.kind() == ErrorKind::Network => {
                    interval = (interval * 2).min(LONGEST_INTERVAL);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match answer["error"].as_str() {
                None => return Ok(answer),
                Some("authorization_pending") => {}
                Some("slow_down") => interval = (interval + SLOWER).min(LONGEST_INTERVAL),
                Some("expired_token") => {
                    return Err(Error::new(ErrorKind::TimedOut, "nobody entered the code in time").with_advice("log in again"));
                }
                Some(code) => {
                    return Err(denied(&format!("the login was refused: {}", plain(code)), "log in again, and allow the app to post"));
                }
            }
        }
    }
}
