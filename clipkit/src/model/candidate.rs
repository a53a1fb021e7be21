use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Span, Timestamp};

/// A span that could become a clip, with what speaks for it.
///
/// In JSON, `{"start": 12.5, "end": 40, "score": 90}` is read, too: the span's ends beside the rest, a score by its total, no title.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Candidate {
    /// Where it is, on the source's timeline.
    pub span: Span,
    /// How good it is.
    pub score: Score,
    /// A short title.
    pub title: String,
    /// Why it was chosen, in a sentence.
    pub reason: String,
    /// A line that makes people stay, to be shown over the first seconds. None where nobody wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
}

impl Candidate {
    /// A span with its score, title and reason, and no hook line.
    pub fn new(span: Span, score: Score, title: impl Into<String>, reason: impl Into<String>) -> Self {
        Candidate { span, score, title: title.into(), reason: reason.into(), hook_line: None }
    }
}

impl<'de> Deserialize<'de> for Candidate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Given {
            span: Option<Span>,
            start: Option<Timestamp>,
            end: Option<Timestamp>,
            score: GivenScore,
            #[serde(default)]
            title: String,
            #[serde(default)]
            reason: String,
            hook_line: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a score is a number, or an object with total, hook, completeness, density, emotion")]
        enum GivenScore {
            Total(f64),
            Whole(Score),
        }
        let Given { span, start, end, score, title, reason, hook_line } = Given::deserialize(deserializer)?;
        let span = match (span, start, end) {
            (Some(span), None, None) => span,
            (None, Some(start), Some(end)) => Span::new(start, end).map_err(serde::de::Error::custom)?,
            _ => return Err(serde::de::Error::custom("a candidate has a span, or a start and an end")),
        };
        let score = match score {
            GivenScore::Total(total) => Score::of(total),
            GivenScore::Whole(score) => score,
        };
        Ok(Candidate { span, score, title, reason, hook_line })
    }
}

/// How good a span is as a clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The whole: 0 to 100. Clips are ranked by it.
    pub total: f64,
    /// How strongly the first sentence catches: 0 to 10.
    pub hook: f64,
    /// How well it stands without what was said around it: 0 to 10.
    pub completeness: f64,
    /// How much is said in its time: 0 to 10.
    pub density: f64,
    /// How much feeling is in it: 0 to 10.
    pub emotion: f64,
}

impl Score {
    /// A score with a total alone, for scorers that judge the whole.
    pub fn of(total: f64) -> Self {
        Score { total, ..Score::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_can_be_said_in_short() {
        let read = |text: &str| serde_json::from_str::<Candidate>(text);
        let short = read(r#"{"start": 1, "end": 21.5, "score": 90, "title": "Opening", "reason": "first words"}"#).unwrap();
        assert_eq!(short, Candidate::new(Span::secs(1.0, 21.5).unwrap(), Score::of(90.0), "Opening", "first words"));
        assert_eq!(read(&serde_json::to_string(&short).unwrap()).unwrap(), short);
        assert!(read(r#"{"start": 1, "score": 90}"#).unwrap_err().to_string().contains("a start and an end"));
        assert!(read(r#"{"start": 1, "end": 2, "score": "good"}"#).unwrap_err().to_string().contains("a score is a number"));
        assert!(read(r#"{"start": 3, "end": 2, "score": 1}"#).unwrap_err().to_string().contains("cannot end"));
    }
}
