//! The HTTP client for addresses that strangers may have chosen: which addresses it connects to,
//! and which redirects it follows.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use url::Url;

use super::address::{self, Allowed};
use super::client::{self as http, Timeouts};
use crate::context::Environment;
use crate::error::{Error, ErrorKind, Recovery, Result};

/// A client that connects only to addresses that `allowed` permits, also after a redirect.
pub(crate) fn client(environment: &Environment, timeouts: Timeouts, allowed: &Arc<Allowed>) -> Result<reqwest::Client> {
    let rules = allowed.clone();
    with_redirects(environment, timeouts, allowed, Policy::custom(move |attempt| follow(attempt, &rules)))
}

/// The same without redirects, for requests that must not be sent on unseen.
pub(crate) fn still_client(environment: &Environment, timeouts: Timeouts, allowed: &Arc<Allowed>) -> Result<reqwest::Client> {
    with_redirects(environment, timeouts, allowed, Policy::none())
}

fn with_redirects(environment: &Environment, timeouts: Timeouts, allowed: &Arc<Allowed>, policy: Policy) -> Result<reqwest::Client> {
    let resolver = Resolver { allowed: allowed.clone(), proxies: proxy_hosts(environment) };
    let builder = http::builder(environment, timeouts)?
        .redirect(policy)
        // A referrer would tell the next host the query, which may hold a signature.
        .referer(false)
        .dns_resolver(Arc::new(resolver));
    http::build(builder)
}

/// Refuses a URL whose host is that of a proxy: its name resolves to an address that only the proxy
/// itself may have.
pub(crate) fn check_host(environment: &Environment, url: &Url) -> Result<()> {
    let host = url.host_str().unwrap_or_default();
    if proxy_hosts(environment).iter().any(|proxy| proxy.eq_ignore_ascii_case(host)) { Err(address::refused(url)) } else { Ok(()) }
}

fn proxy_hosts(environment: &Environment) -> Vec<String> {
    let Environment { http_proxy, https_proxy, all_proxy, .. } = environment;
    let host = |address: &String| Url::parse(&http::proxy_url(address)?).ok()?.host_str().map(str::to_owned);
    [http_proxy, https_proxy, all_proxy].into_iter().flatten().filter_map(host).collect()
}

/// Follows a redirect to an address that may be connected to.
fn follow(attempt: Attempt<'_>, allowed: &Allowed) -> reqwest::redirect::Action {
    if attempt.previous().len() > http::MAX_REDIRECTS {
        return attempt.error(Refusal(Error::new(ErrorKind::InvalidInput, "the server redirects too often")));
    }
    match allowed.check_url(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(error) => attempt.error(Refusal(error)),
    }
}

/// Resolves names and leaves out addresses that are not permitted. The client connects to no
/// others, so a name that changes between a check and the connection has no effect.
struct Resolver {
    allowed: Arc<Allowed>,
    /// The hosts of proxies, which may be in a private network.
    proxies: Vec<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, name) = (self.allowed.clone(), name.as_str().to_owned());
        let is_proxy = self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(&name));
        Box::pin(async move {
            let asked = name.clone();
            let found = tokio::task::spawn_blocking(move || (asked.as_str(), 0).to_socket_addrs()).await??;
            let addresses: Vec<SocketAddr> = found.collect();
            let permitted: Vec<SocketAddr> =
                addresses.iter().copied().filter(|address| is_proxy || allowed.permits(address.ip())).collect();
            if permitted.is_empty() && !addresses.is_empty() {
                return Err(Box::new(Refusal(private())) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

fn private() -> Error {
    Error::new(ErrorKind::Denied, "this address leads into a private network")
        .with_advice("name the network in allow_private (--allow-private 192.168.1.0/24) if that is intended")
}

/// An error of ours that reqwest carries.
#[derive(Debug)]
struct Refusal(Error);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.message())
    }
}

impl std::error::Error for Refusal {}

/// Our own error inside an error of the client.
pub(crate) fn refusal(error: &reqwest::Error) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(Refusal(refused)) = inner.downcast_ref() {
            return Some(refused.clone());
        }
        cause = inner.source();
    }
    None
}

/// The error for a download that got no response, or a broken one.
pub(crate) fn failure(error: reqwest::Error, url: &Url) -> Error {
    if let Some(refused) = refusal(&error) {
        return refused.with_url(url.as_str());
    }
    let what = if error.is_timeout() {
        "the server sends nothing".to_owned()
    } else if error.is_connect() {
        format!("the server cannot be reached: {}", http::innermost_cause(&error))
    } else {
        format!("the download broke off: {}", http::innermost_cause(&error))
    };
    let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Network };
    Error::new(kind, what).with_url(url.as_str()).with_recovery(Recovery::Retry { after: None }).with_source(error.without_url())
}
