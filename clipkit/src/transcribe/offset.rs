//! What is added to the times of captions: a setting, or what the voice shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::model::Timestamp;

/// What is added to every time of captions. In JSON: a number of seconds, or `"auto"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Given", into = "Given")]
#[non_exhaustive]
pub enum CaptionOffset {
    /// What makes the captions' pauses coincide with those of the voice, if that is clear. Else
    /// nothing, with a warning.
    Auto,
    /// This time: -3600 s where all is an hour late.
    Fixed(Timestamp),
}

impl From<Timestamp> for CaptionOffset {
    fn from(time: Timestamp) -> Self {
        CaptionOffset::Fixed(time)
    }
}

impl std::str::FromStr for CaptionOffset {
    type Err = Error;

    /// Reads a number of seconds, or `auto`.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim().parse::<f64>() {
            Ok(seconds) if seconds.is_finite() && seconds.abs() < 1e9 => Ok(CaptionOffset::Fixed(Timestamp::from_secs(seconds))),
            Err(_) if text.trim() == "auto" => Ok(CaptionOffset::Auto),
            _ => Err(Error::new(ErrorKind::Config, format!("{text:?} is no offset of captions"))
                .with_advice("give a number of seconds, such as -3600, or auto")),
        }
    }
}

/// The JSON of a [`CaptionOffset`].
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "CaptionOffset", description = "Seconds, or \"auto\": found by the voice.")]
pub(crate) enum Given {
    Seconds(Timestamp),
    Named(Named),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CaptionOffsetName")]
pub(crate) enum Named {
    Auto,
}

impl From<Given> for CaptionOffset {
    fn from(given: Given) -> Self {
        match given {
            Given::Seconds(time) => CaptionOffset::Fixed(time),
            Given::Named(Named::Auto) => CaptionOffset::Auto,
        }
    }
}

impl From<CaptionOffset> for Given {
    fn from(offset: CaptionOffset) -> Self {
        match offset {
            CaptionOffset::Fixed(time) => Given::Seconds(time),
            CaptionOffset::Auto => Given::Named(Named::Auto),
        }
    }
}

impl JsonSchema for CaptionOffset {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Given::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Given::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_number_or_auto() {
        let fixed = |seconds| CaptionOffset::Fixed(Timestamp::from_secs(seconds));
        for (text, json, offset) in
            [("-3600", "-3600.0", fixed(-3600.0)), (" 0.5", "0.5", fixed(0.5)), ("auto", "\"auto\"", CaptionOffset::Auto)]
        {
            assert_eq!(text.parse::<CaptionOffset>().unwrap(), offset);
            assert_eq!(serde_json::to_string(&offset).unwrap(), json);
            assert_eq!(serde_json::from_str::<CaptionOffset>(json).unwrap(), offset);
        }
        for text in ["", "an hour", "inf", "NaN", "1e12", "Auto!"] {
            assert_eq!(text.parse::<CaptionOffset>().unwrap_err().kind(), ErrorKind::Config, "{text}");
        }
        assert!(serde_json::from_str::<CaptionOffset>("\"later\"").is_err());
    }
}
