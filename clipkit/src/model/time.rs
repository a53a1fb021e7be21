use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

const MICROS: f64 = 1e6;

/// A moment on a timeline, in whole microseconds; in JSON, seconds as a number.
///
/// The source's timeline starts where a player's clock shows zero (the container's start time), a clip's timeline at its first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "f64", description = "Seconds")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The timeline's start.
    pub const ZERO: Timestamp = Timestamp(0);

    /// From microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// From seconds, to the nearest microsecond. Saturates; not-a-number is zero.
    pub fn from_secs(seconds: f64) -> Self {
        Timestamp((seconds * MICROS).round() as i64)
    }

    /// In microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// In seconds.
    pub fn secs(self) -> f64 {
        self.0 as f64 / MICROS
    }

    /// This moment on a timeline that starts at `origin`.
    #[must_use]
    pub fn since(self, origin: Timestamp) -> Timestamp {
        Timestamp(self.0.saturating_sub(origin.0))
    }

    /// This moment, given on a timeline that starts at `origin`, on the timeline of `origin` itself.
    #[must_use]
    pub fn offset(self, origin: Timestamp) -> Timestamp {
        Timestamp(self.0.saturating_add(origin.0))
    }

    /// This moment, later by `seconds` (earlier where negative).
    #[must_use]
    pub fn plus(self, seconds: f64) -> Timestamp {
        self.offset(Timestamp::from_secs(seconds))
    }
}

impl fmt::Display for Timestamp {
    /// `1:02:03.500`, `2:03.500`.
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
        // A thousand years keeps every sum of two timestamps far from overflow.
        if !seconds.is_finite() || seconds.abs() > 3.2e10 {
            return Err(serde::de::Error::custom(format!("{seconds} is not a time in seconds")));
        }
        Ok(Timestamp::from_secs(seconds))
    }
}

/// A stretch of a timeline: from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    /// The stretch from `start` to `end`; refused where `end` comes before `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self> {
        if end < start {
            return Err(Error::new(ErrorKind::InvalidInput, format!("a span cannot end ({end}) before it starts ({start})")));
        }
        Ok(Span { start, end })
    }

    /// The stretch between two moments, in either order.
    pub fn between(a: Timestamp, b: Timestamp) -> Self {
        Span { start: a.min(b), end: a.max(b) }
    }

    /// The same in seconds.
    pub fn secs(start: f64, end: f64) -> Result<Self> {
        Span::new(Timestamp::from_secs(start), Timestamp::from_secs(end))
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The moment after its last.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// Its length.
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.end.0.abs_diff(self.start.0))
    }

    /// Whether `at` lies inside.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The common stretch, where there is one.
    pub fn intersection(self, other: Span) -> Option<Span> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Span { start, end })
    }

    /// This span on a timeline that starts at `origin`.
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
