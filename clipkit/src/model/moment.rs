//! Times in documents, in RFC 3339. They are written in UTC and read in any time zone.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serializer};

fn text<E: serde::ser::Error>(at: SystemTime) -> Result<String, E> {
    jiff::Timestamp::try_from(at).map(|at| at.to_string()).map_err(E::custom)
}

/// The current time, rounded down to the microsecond, which is the resolution of the serialized
/// form.
pub(crate) fn now() -> SystemTime {
    let now = SystemTime::now();
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros)).unwrap_or(now)
}

/// Serialization of an optional time, for `#[serde(with = "crate::model::moment::option")]`.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Duration, Serializer, SystemTime, text};

    pub(crate) fn serialize<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&text::<S::Error>(*at)?),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let at: jiff::Timestamp =
            text.parse().map_err(|error| serde::de::Error::custom(format!("{text:?} is not a moment in RFC 3339: {error}")))?;
        let since_epoch = Duration::from_micros(at.as_microsecond().unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let moment = if at.as_microsecond() < 0 { epoch.checked_sub(since_epoch) } else { epoch.checked_add(since_epoch) };
        moment.map(Some).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is out of range")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct At(#[serde(with = "option")] Option<SystemTime>);

    #[test]
    fn times_are_rfc_3339_in_any_zone() {
        let read = |text: &str| serde_json::from_str::<At>(text);
        let utc = read(r#""2026-12-01T08:00:00Z""#).unwrap();
        assert_eq!(read(r#""2026-12-01T09:00:00+01:00""#).unwrap(), utc);
        assert_eq!(serde_json::to_string(&utc).unwrap(), r#""2026-12-01T08:00:00Z""#);
        assert_eq!(read("null").unwrap(), At(None));
        assert!(read(r#""tomorrow""#).unwrap_err().to_string().contains("RFC 3339"));
    }
}
