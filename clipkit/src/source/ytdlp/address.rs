//! The address of a video: its URL, and the section that the fragment may name.

use std::net::ToSocketAddrs;

use url::Url;

use super::YtDlp;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::http::address::{Allowed, refused};
use crate::model::Span;

/// No video is longer, in seconds.
pub(super) const LONGEST_VIDEO: f64 = 1e7;
/// The longest URL.
const LONGEST_URL: usize = 4000;

/// The URL without its fragment, and the section, which the fragment may name: `#t=600,2400`.
pub(super) fn parse(uri: &str, section: Option<Span>) -> Result<(Url, Option<Span>)> {
    let invalid = |what: &str| Error::new(ErrorKind::InvalidInput, what.to_owned()).with_url(uri);
    if uri.len() > LONGEST_URL || uri.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(invalid("this is not an address"));
    }
    let mut url = Url::parse(uri).map_err(|error| invalid(&format!("this is not an address: {error}")))?;
    let named = url.fragment().and_then(|fragment| {
        let (start, end) = fragment.strip_prefix("t=")?.split_once(',')?;
        let (start, end) = (start.parse::<f64>().ok()?, end.parse::<f64>().ok()?);
        (0.0 <= start && start < end && end < LONGEST_VIDEO).then(|| Span::secs(start, end).ok())?
    });
    if named.is_some() {
        url.set_fragment(None);
    }
    Ok((url, named.or(section)))
}

/// Reads an address.
#[cfg(any(test, fuzzing))]
pub(in crate::source) fn sort(uri: &str) {
    let _ = parse(uri, None);
}

/// Refuses a name that leads to a private address. yt-dlp resolves it again; see [`YtDlp`].
pub(super) async fn check_host(cx: &Context, options: &YtDlp, url: &Url, allowed: Allowed) -> Result<()> {
    let environment = cx.environment();
    let is_proxied = options.proxy_metadata.is_some() || environment.https_proxy.is_some() || environment.http_proxy.is_some();
    if is_proxied {
        return Ok(());
    }
    let (Some(host), Some(port)) = (url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned()), url.port_or_known_default())
    else {
        return Ok(());
    };
    let url = url.clone();
    cx.blocking(move |_| {
        // A name that cannot be resolved is yt-dlp's error.
        let mut addresses = (host.as_str(), port).to_socket_addrs().into_iter().flatten();
        if addresses.any(|address| !allowed.permits(address.ip())) { Err(refused(&url)) } else { Ok(()) }
    })
    .await
}

/// A section as a media fragment.
pub(super) fn fragment(section: Option<Span>) -> String {
    section.map_or(String::new(), |section| format!("t={},{}", section.start().secs(), section.end().secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_names_the_section() {
        let option = Span::secs(1.0, 2.0).unwrap();
        let (url, section) = parse("https://host/v?x=1#t=600,2400.5", Some(option)).unwrap();
        assert_eq!((url.as_str(), section), ("https://host/v?x=1", Span::secs(600.0, 2400.5).ok()));
        assert_eq!(fragment(section), "t=600,2400.5");
        for other in ["https://host/v#t=600", "https://host/v#t=9,1", "https://host/v#t=nan,inf", "https://host/v#x"] {
            let (url, section) = parse(other, Some(option)).unwrap();
            assert_eq!((url.as_str(), section), (other, Some(option)), "{other}");
        }
        for invalid in ["talk.mp4", "--exec=x", "https://host/a b", "https://host/\n--exec", &format!("https://h/{}", "x".repeat(5000))] {
            assert_eq!(parse(invalid, None).unwrap_err().kind(), ErrorKind::InvalidInput, "{invalid}");
        }
    }
}
