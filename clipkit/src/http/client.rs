//! The HTTP client: timeouts, redirects, proxies, TLS and the user agent are set here only.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, NoProxy, Proxy};
use url::Url;

use crate::context::Environment;
use crate::error::{Error, ErrorKind, Result};

/// The longest wait for a connection, TLS handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// The most redirects that one request follows. Credentials are not sent on to another host.
pub(crate) const MAX_REDIRECTS: usize = 10;
const USER_AGENT: &str = concat!("clipkit/", env!("CARGO_PKG_VERSION"));

/// How long a client waits. `None` means without limit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timeouts {
    /// For a whole request: from connecting to the last byte of the response.
    pub(crate) total: Option<Duration>,
    /// For the next bytes of a response.
    pub(crate) idle: Option<Duration>,
}

/// A client with a connection pool of its own.
///
/// A pool belongs to the async runtime that opens its connections, so clients are made for one
/// stage's call and not shared by the process. TLS certificates are checked with the platform's
/// verifier. Proxies come from `environment`, never from the process's variables.
///
/// # Errors
///
/// [`ErrorKind::Config`] if a proxy's address is invalid, [`ErrorKind::Unavailable`] if TLS cannot
/// be set up.
pub(crate) fn client(environment: &Environment, timeouts: Timeouts) -> Result<Client> {
    build(builder(environment, timeouts)?.redirect(Policy::limited(MAX_REDIRECTS)))
}

/// The client's settings without those for redirects, for callers with rules of their own.
///
/// # Errors
///
/// [`ErrorKind::Config`] if a proxy's address is invalid.
pub(crate) fn builder(environment: &Environment, timeouts: Timeouts) -> Result<ClientBuilder> {
    // Disables reqwest's own look at the process's variables.
    let mut builder = Client::builder().no_proxy();
    for proxy in proxies(environment)? {
        builder = builder.proxy(proxy);
    }
    if let Some(total) = timeouts.total {
        builder = builder.timeout(total);
    }
    if let Some(idle) = timeouts.idle {
        builder = builder.read_timeout(idle);
    }
    Ok(builder.connect_timeout(CONNECT_TIMEOUT).user_agent(USER_AGENT))
}

/// The client of a builder.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] if TLS cannot be set up.
pub(crate) fn build(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|error| {
        Error::new(ErrorKind::Unavailable, format!("cannot set up HTTPS: {}", innermost_cause(&error)))
            .with_advice("check the system's certificates")
    })
}

/// The environment's proxies, the more specific first, since the first that applies is used.
fn proxies(environment: &Environment) -> Result<Vec<Proxy>> {
    type Rule = fn(&str) -> reqwest::Result<Proxy>;
    let Environment { http_proxy, https_proxy, all_proxy, no_proxy, .. } = environment;
    let rules: [(&str, &Option<String>, Rule); 3] = [
        ("http_proxy", http_proxy, |address| Proxy::http(address)),
        ("https_proxy", https_proxy, |address| Proxy::https(address)),
        ("all_proxy", all_proxy, |address| Proxy::all(address)),
    ];
    let mut proxies = Vec::new();
    for (name, address, rule) in rules {
        let Some(address) = address else { continue };
        // The address is not shown: it may hold a password.
        let invalid = || {
            Error::new(ErrorKind::Config, format!("the address in {name} is not a proxy's address"))
                .with_advice("give an address such as http://host:3128 or socks5://host:1080")
        };
        let proxy = rule(&proxy_url(address).ok_or_else(invalid)?).map_err(|_| invalid())?;
        proxies.push(proxy.no_proxy(no_proxy.as_deref().and_then(NoProxy::from_string)));
    }
    Ok(proxies)
}

/// The URL of a proxy that is given as a URL or as `host:port`. `None` if its scheme is not
/// supported: reqwest ignores such a proxy without an error.
pub(crate) fn proxy_url(address: &str) -> Option<String> {
    const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let parsed = Url::parse(&url).ok()?;
    (SCHEMES.contains(&parsed.scheme()) && parsed.has_host()).then_some(url)
}

/// The message of the innermost cause, which the outer errors only wrap.
pub(crate) fn innermost_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiremock::matchers::{header, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    #[tokio::test]
    async fn requests_go_through_the_environments_proxy_with_clipkits_user_agent() {
        let proxy = MockServer::start().await;
        let expected = Mock::given(method("GET")).and(header("user-agent", USER_AGENT));
        expected.respond_with(ResponseTemplate::new(200).set_body_string("from the proxy")).mount(&proxy).await;
        let mut environment = Environment::default();
        environment.http_proxy = Some(proxy.uri());
        let get = async |environment: &Environment| {
            let response = client(environment, Timeouts::default()).unwrap().get("http://clipkit.invalid/x").send().await;
            response.ok()?.text().await.ok()
        };
        assert_eq!(get(&environment).await.as_deref(), Some("from the proxy"));
        environment.no_proxy = Some("clipkit.invalid".into());
        assert_eq!(get(&environment).await, None, "a host in no_proxy is connected to directly");
    }

    #[test]
    fn an_invalid_proxy_is_an_error_that_does_not_show_the_address() {
        let mut environment = Environment::default();
        environment.https_proxy = Some("http://me:hunter2@[::1".into());
        let error = client(&environment, Timeouts::default()).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains("https_proxy"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn proxies_are_urls_or_hosts_with_ports() {
        assert_eq!(proxy_url("localhost:3128").as_deref(), Some("http://localhost:3128"));
        assert_eq!(proxy_url("socks5h://host:1080").as_deref(), Some("socks5h://host:1080"));
        for invalid in ["ftp://host", "http://", "", "http://a b"] {
            assert_eq!(proxy_url(invalid), None, "{invalid}");
        }
    }
}
