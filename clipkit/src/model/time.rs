use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

const MICROS: f64 = 1e6;

/// A time on a timeline in whole microseconds. In JSON it is a number of seconds.
///
/// The source's timeline starts at the container's start time, where a player's clock shows 0. A
/// clip's timeline starts at the clip's first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "f64", description = "Seconds")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of the timeline.
    pub const ZERO: Timestamp = Timestamp(0);

    /// Makes a time from microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// Makes a time from seconds, rounded to the nearest microsecond. The conversion saturates, and
    /// NaN becomes 0.
    pub fn from_secs(seconds: f64) -> Self {
        Timestamp((seconds * MICROS).round() as i64)
    }

    /// The time in microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The time in seconds.
    pub fn secs(self) -> f64 {
        self.0 as f64 / MICROS
    }

    /// Converts this time to a timeline that starts at `origin`: `self - origin`. The result
    /// saturates.
    #[must_use]
    pub fn since(self, origin: Timestamp) -> Timestamp {
        Timestamp(self.0.saturating_sub(origin.0))
    }

    /// Converts this time from a timeline that starts at `origin` to the timeline of `origin`:
    /// `self + origin`. The result saturates.
    #[must_use]
    pub fn offset(self, origin: Timestamp) -> Timestamp {
        Timestamp(self.0.saturating_add(origin.0))
    }

    /// The time `seconds` later, or earlier if `seconds` is negative.
    #[must_use]
    pub fn plus(self, seconds: f64) -> Timestamp {
        self.offset(Timestamp::from_secs(seconds))
    }
}

impl fmt::Display for Timestamp {
    /// Writes `1:02:03.500`, or `2:03.500` below one hour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let millis = self.0.unsigned_abs().saturating_add(500) / 1000;
        let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
        if hours > 0 {
            write!(f, "{sign}{hours}:{minutes:02}:{seconds:02}.{:03}", millis % 1000)
        } else {
            write!(f, "{sign}{minutes}:{seconds:02}.{:03}", millis % 1000)
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.secs())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // The limit of a thousand years keeps sums of two timestamps far from overflow.
        if !seconds.is_finite() || seconds.abs() > 3.2e10 {
            return Err(serde::de::Error::custom(format!("{seconds} is not a time in seconds")));
        }
        Ok(Timestamp::from_secs(seconds))
    }
}

/// A half-open interval of a timeline: it includes `start` and excludes `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    /// Makes a span from its start and its end.
    ///
    /// It is an error of the kind [`ErrorKind::InvalidInput`] if `end` is before `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self> {
        if end < start {
            return Err(Error::new(ErrorKind::InvalidInput, format!("a span cannot end ({end}) before it starts ({start})")));
        }
        Ok(Span { start, end })
    }

    /// Makes a span from two times in any order.
    pub fn between(a: Timestamp, b: Timestamp) -> Self {
        Span { start: a.min(b), end: a.max(b) }
    }

    /// Makes a span from its start and its end in seconds, as [`Span::new`] does.
    pub fn secs(start: f64, end: f64) -> Result<Self> {
        Span::new(Timestamp::from_secs(start), Timestamp::from_secs(end))
    }

    /// The start, which is part of the span.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The end, which is not part of the span.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// The duration.
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.end.0.abs_diff(self.start.0))
    }

    /// Whether `at` lies in the span.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The intersection with `other`. `None` means that the spans do not overlap.
    pub fn intersection(self, other: Span) -> Option<Span> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Span { start, end })
    }

    /// Converts this span to a timeline that starts at `origin`.
    #[must_use]
    pub fn since(self, origin: Timestamp) -> Span {
        Span { start: self.start.since(origin), end: self.end.since(origin) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {}", self.start, self.end)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            start: Timestamp,
            end: Timestamp,
        }
        let Raw { start, end } = Raw::deserialize(deserializer)?;
        Span::new(start, end).map_err(serde::de::Error::custom)
    }
}
