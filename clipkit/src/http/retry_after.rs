//! How long a server asks its clients to wait.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The wait that a response asks for: `Retry-After` in seconds or as a date (RFC 9110, section
/// 10.2.3), or OpenAI's more exact `retry-after-ms`, which is preferred. A date in the past is a
/// wait of zero. `None` if neither header is present and valid.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let exact = value("retry-after-ms").and_then(|text| Duration::try_from_secs_f64(text.parse::<f64>().ok()? / 1000.0).ok());
    exact.or_else(|| {
        let text = value(RETRY_AFTER.as_str())?;
        seconds(text).or_else(|| Some(httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_the_header_are_read() {
        let read = |headers: &[(&'static str, &str)]| {
            let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            retry_after(&headers.collect::<HeaderMap>())
        };
        assert_eq!(read(&[("retry-after", " 20 ")]), Some(Duration::from_secs(20)));
        assert_eq!(read(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
        assert_eq!(read(&[("retry-after", "2"), ("retry-after-ms", "1500")]), Some(Duration::from_millis(1500)));
        assert_eq!(read(&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]), Some(Duration::ZERO));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        let wait = read(&[("retry-after", &later)]).unwrap();
        assert!((80..=90).contains(&wait.as_secs()), "{wait:?}");
        for invalid in ["", "soon", "-3", "nan", "1e300"] {
            assert_eq!(read(&[("retry-after", invalid)]), None, "{invalid}");
        }
        assert_eq!(read(&[]), None);
    }
}
