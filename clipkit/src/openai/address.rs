//! Whether a server's address is one.

use url::Url;

use crate::error::{Error, ErrorKind, Result};

const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];

/// Checks the address of a server.
///
/// # Errors
///
/// [`ErrorKind::Config`] that names the setting, what is wrong with it, and a right address where
/// one is obvious. A password in it is not shown.
pub(crate) fn check(address: &str) -> Result<()> {
    let wrong =
        |what: &str, advice: String| Err(Error::new(ErrorKind::Config, format!("OPENAI_BASE_URL (`base_url`) {what}")).with_advice(advice));
    let example = "give the server's address, such as http://localhost:8000/v1".to_owned();
    let bare = address.trim_matches(QUOTES);
    if bare.len() < address.len() {
        return wrong("has quotation marks in it", "remove them".into());
    }
    if address.is_empty() {
        return wrong("is empty", example);
    }
    if address.contains(char::is_whitespace) {
        return wrong("has a blank in it", example);
    }
    match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => match (url.query(), url.fragment()) {
            (None, None) => Ok(()),
            // Paths are appended to the address.
            _ => wrong("has a `?` or `#` in it", example),
        },
        // `localhost:8000` has the scheme `localhost`.
        _ if !address.contains("://") && !address.contains('@') && !address.starts_with("http:") && !address.starts_with("https:") => {
            wrong("has no http:// or https:// in front", format!("try http://{}", address.trim_start_matches('/')))
        }
        Ok(url) => wrong(&format!("begins with {}:, not http:// or https://", url.scheme()), example),
        Err(cause) => wrong(&format!("is not an address: {cause}"), example),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_none_are_refused_with_the_setting() {
        for right in ["http://localhost:8000/v1", "https://api.openai.com/v1", "http://me:pw@[::1]:1/openai"] {
            assert!(check(right).is_ok(), "{right}");
        }
        for (address, expected) in [
            ("\"http://localhost:8000/v1\"", "quotation marks"),
            ("\u{2018}http://localhost:8000/v1\u{2019}", "quotation marks"),
            ("localhost:8000/v1", "try http://localhost:8000/v1"),
            ("//api.example/v1", "try http://api.example/v1"),
            ("api.example", "try http://api.example"),
            ("", "is empty"),
            ("http://a b/v1", "a blank"),
            ("ftp://host/v1", "begins with ftp:"),
            ("http://", "is not an address: empty host"),
            ("http:", "is not an address: empty host"),
            ("http://host/v1?key=hunter2", "`?`"),
            ("me:hunter2@host/v1", "begins with me:"),
        ] {
            let error = check(address).unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.to_string().contains("OPENAI_BASE_URL"), "{error}");
            assert!(error.to_string().contains(expected) && !error.to_string().contains("hunter2"), "{address}: {error}");
        }
    }
}
