//! What a response to a request for a file means for the download. Pure.

use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Recovery};
use crate::http::retry_after;

/// What a server says about a file, by which a later request recognizes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validator {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_modified: Option<String>,
    /// The file's length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) length: Option<u64>,
}

impl Validator {
    /// The value of `If-Range`: a strong entity tag, else the date (RFC 9110, section 13.1.5).
    /// `None` means that a range request could mix two files.
    pub(super) fn if_range(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref().filter(|_| self.etag.is_none()))
    }

    fn agrees(&self, other: &Validator) -> bool {
        fn same<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
            a.as_ref().zip(b.as_ref()).is_none_or(|(a, b)| a == b)
        }
        same(&self.etag, &other.etag) && same(&self.last_modified, &other.last_modified) && same(&self.length, &other.length)
    }
}

/// The parts of a response that decide.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    /// Of `Content-Range`: the first and the last byte, or `None` for `*`.
    range: Option<(u64, u64)>,
    pub(super) validator: Validator,
    after: Option<Duration>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let value = headers.get(name)?.to_str().ok()?.trim();
            (!value.is_empty() && value.len() <= 512).then(|| value.to_owned())
        };
        let (range, total) = text(header::CONTENT_RANGE).map_or((None, None), |value| content_range(&value));
        let content_length = text(header::CONTENT_LENGTH).and_then(|value| value.parse::<u64>().ok());
        let length = if status == 200 { content_length } else { total };
        Answer {
            status,
            content_type: text(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase(),
            range,
            validator: Validator { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED), length },
            after: retry_after(headers),
        }
    }

    /// Whether the content is a page for a browser.
    pub(super) fn is_page(&self) -> bool {
        self.content_type.starts_with("text/html") || self.content_type.starts_with("application/xhtml")
    }
}

/// `bytes 5-9/10`: the range and the length, each if it is stated.
fn content_range(value: &str) -> (Option<(u64, u64)>, Option<u64>) {
    let Some((range, total)) = value.strip_prefix("bytes").and_then(|rest| rest.trim().split_once('/')) else { return (None, None) };
    let range = range.split_once('-').and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    (range.filter(|(first, last)| first <= last), total.trim().parse().ok())
}

/// The next step of a download.
#[derive(Debug)]
pub(super) enum Step {
    /// The body continues the file.
    Append,
    /// The body is the whole file: what was received before is dropped.
    Restart,
    /// The body is of no use: what was received before is dropped, and the whole file requested.
    AskForAll,
    /// The file is complete.
    Complete,
    /// The file is still the one that the caller has.
    NotModified,
    /// The server refuses.
    Fail(Error),
}

/// What to do with a response. `have` is the number of bytes received before and `known` what the
/// server said about them; `have` is 0 where the whole file was requested.
pub(super) fn judge(answer: &Answer, have: u64, known: &Validator) -> Step {
    match answer.status {
        200 if answer.is_page() => Step::Fail(page()),
        200 => Step::Restart,
        206 if have == 0 => match answer.range {
            // Some servers answer so to every request.
            Some((0, last)) if answer.validator.length.is_none_or(|length| last + 1 == length) => Step::Restart,
            _ => Step::Fail(protocol("it sends a part of the file that was not requested")),
        },
        206 => match answer.range {
            Some((first, _)) if first == have && known.agrees(&answer.validator) => Step::Append,
            _ => Step::AskForAll,
        },
        304 => Step::NotModified,
        416 if have > 0 && answer.validator.length == Some(have) && known.length.is_none_or(|length| length == have) => Step::Complete,
        416 if have > 0 => Step::AskForAll,
        status => Step::Fail(refusal(status, answer.after)),
    }
}

/// The error for a web page where a file was expected.
pub(super) fn page() -> Error {
    Error::new(ErrorKind::InvalidInput, "this is a web page and no media file")
        .with_advice("give the address of the file, or have yt-dlp find it (source kind ytdlp or auto)")
}

/// The error for a server that does not keep to HTTP.
pub(super) fn protocol(what: &str) -> Error {
    Error::new(ErrorKind::Network, format!("the server's response is invalid: {what}")).with_recovery(Recovery::Retry { after: None })
}

fn refusal(status: u16, after: Option<Duration>) -> Error {
    let error = |kind, what: &str| Error::new(kind, format!("the server answers {status}: {what}"));
    let again = Recovery::Retry { after };
    match status {
        401 => error(ErrorKind::Denied, "it wants a login").with_recovery(Recovery::RefreshCredentials),
        403 => error(ErrorKind::Denied, "access is denied")
            .with_recovery(Recovery::RefreshCredentials)
            .with_advice("if the address is signed, it may have expired: get a new one"),
        404 | 410 => error(ErrorKind::NotFound, "there is no such file").with_advice("check the address"),
        408 | 425 => error(ErrorKind::Network, "the request took too long").with_recovery(again),
        429 => error(ErrorKind::RateLimited, "too many requests").with_recovery(again),
        500..=599 => error(ErrorKind::Network, "it has a problem").with_recovery(again),
        300..=399 => error(ErrorKind::InvalidInput, "it redirects to no address"),
        _ => error(ErrorKind::InvalidInput, "the request is refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Answer::new(status, &headers.collect::<HeaderMap>())
    }

    fn known() -> Validator {
        Validator { etag: Some("\"a\"".into()), last_modified: None, length: Some(10) }
    }

    #[test]
    fn only_the_bytes_that_were_requested_of_the_same_file_are_appended() {
        let step = |status, headers: &[(&'static str, &str)]| format!("{:?}", judge(&answer(status, headers), 5, &known()));
        assert_eq!(step(206, &[("content-range", "bytes 5-9/10"), ("etag", "\"a\"")]), "Append");
        assert_eq!(step(206, &[("content-range", "bytes 5-9/10")]), "Append");
        assert_eq!(step(206, &[("content-range", "bytes 5-9/*")]), "Append");
        for other in ["bytes 0-9/10", "bytes 6-9/10", "bytes 5-9/11", "bytes 9-5/10", "chars 5-9/10", "bytes */10", "5-9"] {
            assert_eq!(step(206, &[("content-range", other)]), "AskForAll", "{other}");
        }
        assert_eq!(step(206, &[("content-range", "bytes 5-9/10"), ("etag", "\"b\"")]), "AskForAll");
        assert_eq!(step(206, &[]), "AskForAll");
        assert_eq!(step(200, &[("content-length", "10")]), "Restart");
        assert_eq!(step(416, &[("content-range", "bytes */5")]), "AskForAll", "the length is known to be 10");
        assert_eq!(step(416, &[]), "AskForAll");
        let whole = Validator { length: Some(5), ..known() };
        assert!(matches!(judge(&answer(416, &[("content-range", "bytes */5")]), 5, &whole), Step::Complete));
    }

    #[test]
    fn a_whole_file_may_come_as_a_range() {
        let step = |range: &str| judge(&answer(206, &[("content-range", range)]), 0, &Validator::default());
        assert!(matches!(step("bytes 0-9/10"), Step::Restart));
        assert!(matches!(step("bytes 1-9/10"), Step::Fail(_)));
        assert!(matches!(step("bytes 0-8/10"), Step::Fail(_)));
    }

    #[test]
    fn refusals_say_what_to_do_next() {
        let fail = |status, headers: &[(&'static str, &str)]| match judge(&answer(status, headers), 0, &Validator::default()) {
            Step::Fail(error) => (error.kind(), error.recovery().clone()),
            step => panic!("{status}: {step:?}"),
        };
        let retry = |seconds: Option<u64>| Recovery::Retry { after: seconds.map(Duration::from_secs) };
        assert_eq!(fail(401, &[]), (ErrorKind::Denied, Recovery::RefreshCredentials));
        assert_eq!(fail(403, &[]), (ErrorKind::Denied, Recovery::RefreshCredentials));
        assert_eq!(fail(404, &[]), (ErrorKind::NotFound, Recovery::GiveUp));
        assert_eq!(fail(410, &[]), (ErrorKind::NotFound, Recovery::GiveUp));
        assert_eq!(fail(416, &[]), (ErrorKind::InvalidInput, Recovery::GiveUp));
        assert_eq!(fail(429, &[("retry-after", "7")]), (ErrorKind::RateLimited, retry(Some(7))));
        assert_eq!(fail(500, &[]), (ErrorKind::Network, retry(None)));
        assert_eq!(fail(503, &[("retry-after", "3")]), (ErrorKind::Network, retry(Some(3))));
        assert_eq!(fail(418, &[]), (ErrorKind::InvalidInput, Recovery::GiveUp));
        assert_eq!(fail(200, &[("content-type", "text/html; charset=utf-8")]).0, ErrorKind::InvalidInput);
    }

    #[test]
    fn a_range_needs_a_strong_validator() {
        let of = |etag: Option<&str>, date: Option<&str>| {
            let validator = Validator { etag: etag.map(Into::into), last_modified: date.map(Into::into), length: None };
            validator.if_range().map(str::to_owned)
        };
        assert_eq!(of(Some("\"a\""), Some("date")).as_deref(), Some("\"a\""));
        assert_eq!(of(Some("W/\"a\""), Some("date")), None);
        assert_eq!(of(None, Some("date")).as_deref(), Some("date"));
        assert_eq!(of(None, None), None);
    }
}
