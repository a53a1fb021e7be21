//! Publishing to a server of the user's own.

#[cfg(feature = "publish")]
mod body;
#[cfg(feature = "publish")]
mod delivery;
#[cfg(not(feature = "publish"))]
#[path = "delivery_unavailable.rs"]
mod delivery;

use std::time::Duration;
#[cfg(feature = "publish")]
use std::time::SystemTime;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Publisher, Secret, Target};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result, redact_url};
use crate::http::address::Allowed;
use crate::model::{Manifest, Post, Receipt};

/// The variable with the secret, where none is named.
const VARIABLE: &str = "CLIPKIT_WEBHOOK_SECRET";

/// Posts each clip to a server of yours, signed as [Standard Webhooks][standard] describe.
///
/// - A clip is a `POST` of `multipart/form-data` with the parts `event` (JSON), `video` (MP4), and
///   where the clip has them `cover` (JPEG) and `captions` (SRT). With [`video`](Webhook::video)
///   set to `false`, it is the JSON alone. The JSON is `{"type": "clip", "timestamp": ..., "data":
///   {"id", "clip", "rank", "title", "description", "tags", "language", "privacy", "publish_at",
///   "made_for_kids", "synthetic", "bytes"}}`.
/// - After the last clip, `{"type": "manifest", "data": <the manifest>}` is posted, with the
///   receipts of all publishers, unless [`manifest`](Webhook::manifest) is `false`.
/// - The headers `webhook-id` (the idempotency key), `webhook-timestamp` (seconds since 1970) and
///   `webhook-signature` (`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`) sign the
///   request. [`Webhook::verify`] checks them; in other languages, the libraries of Standard
///   Webhooks do.
/// - Every status from 200 to 299 accepts the clip. `{"id": ..., "url": ...}` in the response goes
///   into the receipt. A delivery whose answer is lost is repeated with the same `webhook-id`, so
///   the receiver must ignore an id that it knows. A clip that was accepted is not posted again,
///   also by later runs.
/// - Redirects with the status 307 or 308 are followed. Addresses in private networks are refused
///   as by [`HttpSource`](crate::stage::HttpSource), unless
///   [`allow_private`](Webhook::allow_private) names them.
///
/// The secret is a text of your choice, or `whsec_` and base64. It is read from the variable
/// `CLIPKIT_WEBHOOK_SECRET`, from the one that [`secret_variable`](Webhook::secret_variable) names,
/// or from the field `secret`.
///
/// Needs the Cargo feature `publish`.
///
/// [standard]: https://www.standardwebhooks.com
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Webhook {
    /// The address, `https` or `http`. It is the account of the target, without its query.
    pub url: String,
    /// The secret. It is read from documents and never written to them. Default: the variable's.
    #[serde(default, skip_serializing)]
    pub secret: Option<Secret>,
    /// The environment variable with the secret. Its name starts with `CLIPKIT_WEBHOOK_`. Default:
    /// `CLIPKIT_WEBHOOK_SECRET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_variable: Option<String>,
    /// Whether the clip's files are posted. Default: `true`.
    #[serde(default = "yes")]
    pub video: bool,
    /// Whether the manifest is posted after the last clip. Default: `true`.
    #[serde(default = "yes")]
    pub manifest: bool,
    /// The longest time for one delivery, in seconds. Default 10 minutes.
    #[serde(default = "ten_minutes", with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub timeout: Duration,
    /// Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_private: Vec<String>,
}

fn yes() -> bool {
    true
}

fn ten_minutes() -> Duration {
    Duration::from_secs(600)
}

impl Webhook {
    /// Posts to `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Webhook {
            url: url.into(),
            secret: None,
            secret_variable: None,
            video: true,
            manifest: true,
            timeout: ten_minutes(),
            allow_private: Vec::new(),
        }
    }

    /// Checks a request that a receiver got: the values of the headers `webhook-id`,
    /// `webhook-timestamp` and `webhook-signature`, and the body as it came. `now` is the
    /// receiver's time; five minutes of difference are accepted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Denied`] if the request is not signed with the secret, or too old.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use clipkit::publishing::Secret;
    /// use clipkit::stage::Webhook;
    ///
    /// let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    /// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_400);
    /// Webhook::verify(
    ///     &secret,
    ///     "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ///     "1614265330",
    ///     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ///     br#"{"test": 2432232314}"#,
    ///     now,
    /// )?;
    /// # Ok::<(), clipkit::Error>(())
    /// ```
    #[cfg(feature = "publish")]
    pub fn verify(secret: &Secret, id: &str, timestamp: &str, signature: &str, body: &[u8], now: SystemTime) -> Result<()> {
        crate::http::signature::verify(secret.reveal(), id, timestamp, signature, body, now)
    }

    /// Refuses settings that cannot be followed. Nothing is sent.
    pub(crate) fn check(&self) -> Result<()> {
        let url = Url::parse(&self.url)
            .map_err(|error| Error::new(ErrorKind::Config, format!("this is not the address of a webhook: {error}")).with_url(&self.url))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::new(ErrorKind::Config, "a webhook has an http or https address").with_url(&self.url));
        }
        if let Some(name) = &self.secret_variable
            && !name.starts_with("CLIPKIT_WEBHOOK_")
        {
            return Err(Error::new(ErrorKind::Config, format!("secret_variable is {name:?}: it starts with CLIPKIT_WEBHOOK_")));
        }
        Allowed::parse(&self.allow_private).map(drop)
    }

    /// The secret of the options, else of the environment.
    fn secret(&self, environment: &Environment) -> Result<Secret> {
        let variable = self.secret_variable.as_deref().unwrap_or(VARIABLE);
        let given = self.secret.clone().or_else(|| environment.publishers.get(variable).map(|text| Secret::new(text.trim())));
        given.filter(|secret| !secret.reveal().is_empty()).ok_or_else(|| {
            Error::new(ErrorKind::Config, "the webhook has no secret to sign with")
                .with_url(&self.url)
                .with_advice(format!("set the variable {variable}"))
        })
    }
}

#[async_trait]
impl Publisher for Webhook {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        self.check()?;
        delivery::clip(cx, self, post).await
    }

    fn target(&self) -> Target {
        Target::new("webhook").with_account(redact_url(&self.url))
    }

    async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        if !self.manifest {
            return Ok(());
        }
        self.check()?;
        delivery::manifest(cx, self, manifest).await
    }
}
