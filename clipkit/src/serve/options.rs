use std::path::PathBuf;
use std::time::Duration;

use crate::config::PipelineConfig;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::store::MediaStore;

const GIB: u64 = 1 << 30;

/// Options of a [`Server`](super::Server) or [`router`](super::router).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServeOptions {
    /// The configuration of every job. Clients set its `options`. Without publishers, each job
    /// publishes into a folder of its own in [`out`](ServeOptions::out). Default: that of
    /// [`PipelineConfig`] without publishers.
    pub config: PipelineConfig,
    /// Whether clients may set all of the configuration and the publishers, except the source. This
    /// lets them read and write files of this machine and send its API keys to any server: only for
    /// clients that are trusted. Default: `false`.
    pub allow_config: bool,
    /// The folder for clips. Each job has a folder in it, named by its id. Default: `clips`.
    pub out: PathBuf,
    /// The schemes of addresses that clients may name besides uploads. Default: `http`, `https`.
    /// `s3`, `gs` and `az` use the credentials of this process.
    pub schemes: Vec<String>,
    /// Folders whose files clients may name by absolute paths. Default: none.
    pub folders: Vec<PathBuf>,
    /// The private addresses and networks that addresses may lead to, as in
    /// [`AutoSource::allow_private`](crate::stage::AutoSource::allow_private). Default: none.
    pub allow_private: Vec<String>,
    /// Custom stages of every job ([`Job::stages`](crate::jobs::Job::stages)). Default: none.
    pub stages: Vec<String>,
    /// The file with the API keys ([`Keys`](super::Keys)). If it has a key, every request needs
    /// one. It is read again when it changes. Default: none.
    pub keys: Option<PathBuf>,
    /// The names in the `Host` header that are answered, without ports. Empty, the default, means
    /// any with API keys, and without them `localhost` and loopback addresses.
    pub hosts: Vec<String>,
    /// Other origins whose web pages may use the API (CORS): `https://app.example.com`. Default:
    /// none.
    pub origins: Vec<String>,
    /// The most requests of a key per minute. Default: 600.
    pub requests_per_minute: u32,
    /// How many of these may come at once. Default: 200.
    pub burst: u32,
    /// The most bytes of a request's body, except uploads. Default: 1 MiB.
    pub max_body: usize,
    /// The longest time of a request, except uploads, files and event streams. Default: 30 s.
    pub request_timeout: Duration,
    /// The most bytes of an uploaded file. Default: 10 GiB. The media store's limits hold, too.
    pub max_upload: u64,
    /// The media store for uploads. The workers must have the same. Default: that of
    /// [`Context::media_store`].
    pub media: Option<MediaStore>,
    /// Whether the dashboard is served. Default: `true`.
    pub dashboard: bool,
    /// Where events of jobs are sent. Default: none.
    pub webhooks: Vec<WebhookOptions>,
    /// When it is cancelled, open event streams end, and the service is no longer ready.
    pub cx: Context,
}

impl Default for ServeOptions {
    fn default() -> Self {
        let mut config = PipelineConfig::default();
        config.publishers.clear();
        ServeOptions {
            config,
            allow_config: false,
            out: PathBuf::from("clips"),
            schemes: vec!["http".into(), "https".into()],
            folders: Vec::new(),
            allow_private: Vec::new(),
            stages: Vec::new(),
            keys: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            requests_per_minute: 600,
            burst: 200,
            max_body: 1 << 20,
            request_timeout: Duration::from_secs(30),
            max_upload: 10 * GIB,
            media: None,
            dashboard: true,
            webhooks: Vec::new(),
            cx: Context::new(),
        }
    }
}

/// A webhook: an address that gets the milestones of jobs (`clip`, `warning`, `failed`, `ended`) as
/// POST requests with JSON.
///
/// Requests are signed as [Standard Webhooks](https://www.standardwebhooks.com) are: the headers
/// `webhook-id` (the same when a request is sent again), `webhook-timestamp` (seconds since 1970)
/// and `webhook-signature`, which is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
/// [`Webhook::verify`](crate::stage::Webhook::verify) and the libraries of Standard Webhooks check
/// it. A request that is not answered with 2xx is sent again, with growing waits, for a day.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookOptions {
    /// The address.
    pub url: String,
    /// The secret of the signature: any text, or `whsec_` and base64.
    pub secret: String,
}

impl WebhookOptions {
    /// A webhook at an address, signed with a secret.
    pub fn new(url: impl Into<String>, secret: impl Into<String>) -> Self {
        WebhookOptions { url: url.into(), secret: secret.into() }
    }
}

/// Does not print the secret.
impl std::fmt::Debug for WebhookOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookOptions").field("url", &crate::error::redact_url(&self.url)).finish_non_exhaustive()
    }
}

impl ServeOptions {
    /// Rejects impossible values, and makes paths absolute.
    pub(super) fn checked(mut self) -> Result<Self> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        if self.requests_per_minute == 0 || self.burst == 0 {
            return refuse("a rate of 0 requests would refuse every request".into());
        }
        if self.request_timeout.is_zero() || self.max_body == 0 {
            return refuse("the request timeout or the largest body is 0".into());
        }
        if let Some(origin) = self.origins.iter().find(|origin| !is_origin(origin)) {
            return Err(
                Error::new(ErrorKind::Config, format!("{origin:?} is no origin")).with_advice("give one such as https://app.example.com")
            );
        }
        for webhook in &self.webhooks {
            let url = url::Url::parse(&webhook.url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if url.is_none() {
                return Err(Error::new(ErrorKind::Config, "this is no address for a webhook").with_url(&webhook.url));
            }
            if webhook.secret.len() < 16 {
                return Err(Error::new(ErrorKind::Config, "the secret of a webhook is shorter than 16 characters").with_url(&webhook.url));
            }
        }
        let absolute = |path: &PathBuf| std::path::absolute(path).map_err(|error| Error::io(path, "find", error));
        self.out = absolute(&self.out)?;
        for folder in &mut self.folders {
            *folder = folder.canonicalize().map_err(|error| Error::io(&*folder, "find the folder", error))?;
        }
        Ok(self)
    }
}

fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_options_are_refused() {
        let refused = |change: fn(&mut ServeOptions)| {
            let mut options = ServeOptions::default();
            change(&mut options);
            options.checked().unwrap_err().kind()
        };
        assert_eq!(refused(|it| it.burst = 0), ErrorKind::Config);
        assert_eq!(refused(|it| it.origins = vec!["https://a.example/path".into()]), ErrorKind::Config);
        assert_eq!(refused(|it| it.origins = vec!["*".into()]), ErrorKind::Config);
        assert_eq!(refused(|it| it.webhooks = vec![WebhookOptions::new("file:///x", "0123456789abcdef")]), ErrorKind::Config);
        assert_eq!(refused(|it| it.webhooks = vec![WebhookOptions::new("https://h/x", "short")]), ErrorKind::Config);
        assert_eq!(refused(|it| it.folders = vec!["/nowhere/at/all".into()]), ErrorKind::NotFound);
        let fine = ServeOptions { origins: vec!["https://app.example.com".into()], ..ServeOptions::default() }.checked().unwrap();
        assert!(fine.out.is_absolute() && fine.config.publishers.is_empty());
        let webhook = WebhookOptions::new("https://user:pw@host/x?token=1", "0123456789abcdef");
        assert!(!format!("{webhook:?}").contains("token") && !format!("{webhook:?}").contains("0123"));
    }
}
