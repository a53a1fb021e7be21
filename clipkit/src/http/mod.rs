//! What servers say over HTTP, for whoever asks one.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How long a server asks to wait: `Retry-After` as seconds or as a date, or `retry-after-ms`, which is more exact.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let exact = value("retry-after-ms").and_then(|text| Duration::try_from_secs_f64(text.parse::<f64>().ok()? / 1000.0).ok());
    exact.or_else(|| {
        let text = value(RETRY_AFTER.as_str())?;
        // A date that is past asks for no wait.
        seconds(text).or_else(|| Some(httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_as_servers_write_it() {
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
        for nothing in ["", "soon", "-3", "nan", "1e300"] {
            assert_eq!(read(&[("retry-after", nothing)]), None, "{nothing}");
        }
        assert_eq!(read(&[]), None);
    }
}
