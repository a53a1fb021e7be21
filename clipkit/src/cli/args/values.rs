//! Parsers for option values.

use std::time::{Duration, SystemTime};

use clipkit::config::PublisherConfig;
use clipkit::model::{CaptionStyle, Limits, Loudness, Span, X264Preset};
use clipkit::plan::{Brand, Censor};
use clipkit::publishing::Schedule;
use clipkit::stage::{Folder, Instagram, ObjectStorePublisher, Price, TikTok, Webhook, YouTube};

/// A caption style. `None` means no captions.
#[derive(Clone, Debug)]
pub(crate) struct Captions(pub(crate) Option<Box<CaptionStyle>>);

pub(super) fn caption_style(text: &str) -> Result<Captions, clipkit::Error> {
    let path = std::path::Path::new(text);
    if text == "none" {
        Ok(Captions(None))
    } else if path.extension().is_some_and(|ending| ending == "json") {
        let json = std::fs::read_to_string(path).map_err(|error| clipkit::Error::io(path, "read the caption style", error))?;
        CaptionStyle::from_json(&json).map(|style| Captions(Some(Box::new(style)))).map_err(|error| error.with_path(path))
    } else {
        CaptionStyle::named(text).map(|style| Captions(Some(Box::new(style))))
    }
}

/// A brand in a file. Its relative paths start at the file's folder.
pub(super) fn brand(text: &str) -> Result<Box<Brand>, clipkit::Error> {
    let path = std::path::Path::new(text);
    let json = std::fs::read_to_string(path).map_err(|error| clipkit::Error::io(path, "read the brand", error))?;
    let brand = Brand::from_json(&json).map_err(|error| error.with_path(path))?;
    Ok(Box::new(brand.below(path.parent().unwrap_or(path))))
}

/// The words to censor, from a file.
pub(super) fn censor(text: &str) -> Result<Censor, clipkit::Error> {
    let path = std::path::Path::new(text);
    let words = std::fs::read_to_string(path).map_err(|error| clipkit::Error::io(path, "read the words", error))?;
    Censor::from_text(&words).map_err(|error| error.with_path(path))
}

/// Limits by their name, or in a file.
pub(super) fn limits(text: &str) -> Result<Limits, clipkit::Error> {
    let path = std::path::Path::new(text);
    if path.extension().is_none_or(|ending| ending != "json") {
        return Limits::named(text);
    }
    let json = std::fs::read_to_string(path).map_err(|error| clipkit::Error::io(path, "read the limits", error))?;
    serde_json::from_str(&json).map_err(|error| {
        clipkit::Error::new(clipkit::ErrorKind::Config, format!("these are no limits: {error}"))
            .with_path(path)
            .with_advice("give an object such as {\"like\": \"strict\", \"clips\": 5}")
    })
}

/// A loudness. `None` means the loudness of the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Volume(pub(crate) Option<Loudness>);

pub(super) fn loudness(text: &str) -> Result<Volume, clipkit::Error> {
    if text == "off" { Ok(Volume(None)) } else { text.parse().map(|loudness| Volume(Some(loudness))) }
}

pub(super) fn preset(text: &str) -> Result<X264Preset, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "give a number from 1".to_owned())
}

pub(super) fn dollars(text: &str) -> Result<f64, String> {
    let parsed = text.trim_start_matches('$').parse::<f64>().ok();
    parsed.filter(|usd| usd.is_finite() && *usd >= 0.0).ok_or_else(|| "give US dollars, such as 0.50".to_owned())
}

/// Parses `folder:clips`, `s3://bucket/prefix`, `webhook:https://host/clips`, `youtube:account`,
/// `tiktok:account`, `instagram:account`, or the name of a JSON file with a publisher's
/// configuration.
pub(super) fn publisher(text: &str) -> Result<PublisherConfig, String> {
    if text.ends_with(".json") && std::path::Path::new(text).is_file() {
        let json = std::fs::read_to_string(text).map_err(|error| format!("cannot read the file: {error}"))?;
        return serde_json::from_str(&json).map_err(|error| format!("this is not a publisher's configuration: {error}"));
    }
    match text.split_once(':') {
        Some(("folder", folder)) if !folder.is_empty() => Ok(PublisherConfig::Folder(Folder::new(folder))),
        Some(("s3" | "gs" | "az" | "file", rest)) if rest.len() > 2 && rest.starts_with("//") => {
            Ok(PublisherConfig::ObjectStore(ObjectStorePublisher::new(text)))
        }
        Some(("webhook", url)) if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(PublisherConfig::Webhook(Webhook::new(url)))
        }
        Some(("youtube", account)) if !account.is_empty() => Ok(PublisherConfig::YouTube(YouTube::new(account))),
        Some(("tiktok", account)) if !account.is_empty() => Ok(PublisherConfig::TikTok(TikTok::new(account))),
        Some(("instagram", account)) if !account.is_empty() => Ok(PublisherConfig::Instagram(Instagram::new(account))),
        _ => Err("give a target such as folder:clips, s3://bucket/prefix, webhook:https://host/clips, youtube:account, tiktok:account \
                  or instagram:account, or a JSON file"
            .to_owned()),
    }
}

/// When clips are published.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum When {
    /// At the peak times of each platform.
    Peak,
    /// From a time on.
    From(SystemTime),
    /// From a time on, by the clocks of the time zone.
    FromLocal(jiff::civil::DateTime),
}

impl When {
    /// The schedule in a time zone. `peak` makes the one for peak times.
    pub(crate) fn schedule(&self, zone: &str, peak: impl FnOnce(String) -> Schedule) -> Schedule {
        let from = match self {
            When::Peak => return peak(zone.to_owned()),
            When::From(at) => Some(*at),
            // A zone that does not exist is refused when the schedule is read.
            When::FromLocal(at) => at.in_tz(zone).ok().and_then(|at| at.timestamp().try_into().ok()),
        };
        let mut schedule = Schedule::from_time(from.unwrap_or(SystemTime::UNIX_EPOCH));
        schedule.zone = zone.to_owned();
        schedule
    }
}

/// Parses `peak`, `2026-12-01T17:00:00+01:00`, `2026-12-01T17:00`.
pub(super) fn when(text: &str) -> Result<When, String> {
    if text == "peak" {
        return Ok(When::Peak);
    }
    let exact = text.parse::<jiff::Timestamp>().ok().and_then(|at| Some(When::From(at.try_into().ok()?)));
    let local = || text.parse::<jiff::civil::DateTime>().ok().map(When::FromLocal);
    exact.or_else(local).ok_or_else(|| "give peak, or a time such as 2026-12-01T17:00 or 2026-12-01T17:00:00+01:00".to_owned())
}

/// Parses `0.15,0.6`.
pub(super) fn price(text: &str) -> Result<Price, String> {
    let parsed =
        text.split_once(',').and_then(|(input, output)| Some(Price { input: dollars(input).ok()?, output: dollars(output).ok()? }));
    parsed.ok_or_else(|| "give two prices in US dollars, such as 0.15,0.6".to_owned())
}

/// Parses `15s`, `1m30s`, `15`, `1.5`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    parsed.filter(|duration| !duration.is_zero()).ok_or_else(|| "give a time such as 15s, 1m30s or 15".to_owned())
}

/// Parses `10:00-40:00`, `1:02:03-1:10:00`, `90-120.5`.
pub(super) fn section(text: &str) -> Result<Span, String> {
    let seconds = |text: &str| {
        let parts: Vec<&str> = text.split(':').collect();
        let is_time = parts.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
        let add = |sum: f64, part: &&str| part.parse::<f64>().ok().map(|part| sum * 60.0 + part);
        parts.iter().try_fold(0.0, add).filter(|_| is_time)
    };
    let parsed = text.split_once('-').and_then(|(start, end)| {
        let (start, end) = (seconds(start)?, seconds(end)?);
        (start < end && end < 1e7).then(|| Span::secs(start, end).ok())?
    });
    parsed.ok_or_else(|| "give two times, such as 10:00-40:00".to_owned())
}

/// Parses `12.5..48`.
pub(super) fn span(text: &str) -> Result<Span, String> {
    let parsed = text.split_once("..").and_then(|(start, end)| {
        let (start, end) = (start.parse::<f64>().ok()?, end.parse::<f64>().ok()?);
        (0.0 <= start && start < end && end.is_finite()).then(|| Span::secs(start, end).ok())?
    });
    parsed.ok_or_else(|| "give two times in seconds, such as 12.5..48".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_two_times() {
        for (text, start, end) in [("10:00-40:00", 600.0, 2400.0), ("1:02:03-1:10:00", 3723.0, 4200.0), ("0-90.5", 0.0, 90.5)] {
            assert_eq!(section(text).unwrap(), Span::secs(start, end).unwrap(), "{text}");
        }
        for invalid in ["", "-", "10:00", "10:00-", "40:00-10:00", "-5-10", "1:2:3:4-9:0:0:0", "a-b", "inf-nan", "1e3-1e4", "5-5"] {
            assert!(section(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn targets_are_places_addresses_or_files() {
        assert_eq!(publisher("folder:clips"), Ok(PublisherConfig::Folder(Folder::new("clips"))));
        for address in ["s3://bucket/prefix", "gs://bucket", "az://container/a", "file:///srv/clips"] {
            assert_eq!(publisher(address), Ok(PublisherConfig::ObjectStore(ObjectStorePublisher::new(address))));
        }
        assert_eq!(publisher("webhook:https://host/a?b=c"), Ok(PublisherConfig::Webhook(Webhook::new("https://host/a?b=c"))));
        for wrong in ["", "clips", "folder:", "s3:", "s3://", "s3:bucket", "webhook:host", "webhook:ftp://host", "no.json", "ftp://host/a"]
        {
            assert!(publisher(wrong).is_err(), "{wrong}");
        }
        let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        std::fs::write(file.path(), r#"{"kind": "object_store", "url": "s3://bucket/a", "link": 3600}"#).unwrap();
        let PublisherConfig::ObjectStore(read) = publisher(file.path().to_str().unwrap()).unwrap() else { panic!() };
        assert_eq!(read.link, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn a_schedule_is_peak_or_a_time() {
        assert_eq!(when("peak"), Ok(When::Peak));
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_140_800);
        assert_eq!(when("2026-12-01T17:00:00+01:00"), Ok(When::From(at)));
        let local = when("2026-12-01T17:00").unwrap();
        assert_eq!(local.schedule("Europe/Berlin", |_| panic!()).from, Some(at));
        assert_eq!(When::Peak.schedule("Asia/Tokyo", Schedule::shorts), Schedule::shorts("Asia/Tokyo"));
        for wrong in ["", "soon", "17:00", "2026-13-01T17:00"] {
            assert!(when(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_loudness_is_a_number_or_off() {
        assert_eq!(loudness("-16").unwrap(), Volume(Some(Loudness { integrated: -16.0, true_peak: -1.0 })));
        assert_eq!(loudness("off").unwrap(), Volume(None));
        for wrong in ["", "nan", "14", "-100", "loud"] {
            assert!(loudness(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_and_spans_are_read() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["", "-3", "nan", "inf", "0", "abc", "15 apples", "1e300"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(price("0.15,$0.6"), Ok(Price { input: 0.15, output: 0.6 }));
        for wrong in ["", "1", "1,", "-1,2", "nan,1", "1,2,3"] {
            assert!(price(wrong).is_err(), "{wrong}");
        }
        assert_eq!(span("12.5..48"), Ok(Span::secs(12.5, 48.0).unwrap()));
        for wrong in ["12.5", "48..12", "a..b", "-1..3", "1..inf", "1..1"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
