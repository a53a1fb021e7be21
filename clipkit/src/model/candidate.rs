use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Span, Timestamp};

/// A span that could become a clip, with its score, title and reason.
///
/// JSON input also accepts a short form: `{"start": 12.5, "end": 40, "score": 90}`. `start` and
/// `end` replace `span`, a number replaces the score and sets its total, and `title` and `reason`
/// default to empty text.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Candidate {
    /// The candidate's span on the source's timeline.
    pub span: Span,
    /// The candidate's quality.
    pub score: Score,
    /// A short title.
    pub title: String,
    /// Why the scorer chose the span, as one sentence.
    pub reason: String,
    /// A line of text to show over the first seconds of the clip. `None` means that the scorer
    /// wrote no line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
    /// A description for posts of the clip. `None` means that the scorer wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags for posts of the clip, without `#`. Empty if the scorer gave none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What counted for or against the span, the strongest first. Empty if the scorer does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<Factor>,
}

impl Candidate {
    /// Makes a candidate without a hook line, texts for posts and factors.
    pub fn new(span: Span, score: Score, title: impl Into<String>, reason: impl Into<String>) -> Self {
        Candidate {
            span,
            score,
            title: title.into(),
            reason: reason.into(),
            hook_line: None,
            description: None,
            tags: Vec::new(),
            factors: Vec::new(),
        }
    }
}

/// Something that counted for or against a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Factor {
    /// What counted: "negation", "place in the talk"; "less negation" if there is less than
    /// elsewhere.
    pub name: String,
    /// How much it counted, in comparison with the whole video; negative if it counted against the
    /// span. Of [`Heuristic`](crate::stage::Heuristic), the difference of the log odds that an
    /// editor chooses it: 0.7 doubles the odds.
    pub effect: f64,
    /// Words of the span that it consists of, at most three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

impl Factor {
    /// Makes a factor.
    pub fn new(name: impl Into<String>, effect: f64, words: Vec<String>) -> Self {
        Factor { name: name.into(), effect, words }
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
            description: Option<String>,
            #[serde(default)]
            tags: Vec<String>,
            #[serde(default)]
            factors: Vec<Factor>,
        }
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a score is a number, or an object with total, hook, completeness, density, emotion")]
        enum GivenScore {
            Total(f64),
            Whole(Score),
        }
        let Given { span, start, end, score, title, reason, hook_line, description, tags, factors } = Given::deserialize(deserializer)?;
        let span = match (span, start, end) {
            (Some(span), None, None) => span,
            (None, Some(start), Some(end)) => Span::new(start, end).map_err(serde::de::Error::custom)?,
            _ => return Err(serde::de::Error::custom("a candidate has a span, or a start and an end")),
        };
        let score = match score {
            GivenScore::Total(total) => Score::of(total),
            GivenScore::Whole(score) => score,
        };
        Ok(Candidate { span, score, title, reason, hook_line, description, tags, factors })
    }
}

/// The quality of a span as a clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Score {
    /// The overall score, 0 to 100. Clips are ranked by it.
    pub total: f64,
    /// How strongly the first sentence attracts attention, 0 to 10. Clips chosen by what
    /// [`Heuristic`](crate::stage::Heuristic) says here find as many of the moments that editors
    /// choose as clips at random places (1.06 times).
    pub hook: f64,
    /// How well the span is understood without its context, 0 to 10. It keeps clips
    /// clean, and says nothing about whether a moment is worth choosing (0.96 times).
    pub completeness: f64,
    /// How much information the span has for its duration, 0 to 10. Editors rather choose the
    /// opposite: plain words, said slowly (0.52 times).
    pub density: f64,
    /// How emotional the span is, 0 to 10, joy as much as fear. Editors choose fear rather than joy
    /// (0.76 times).
    pub emotion: f64,
    /// How much the span resembles the moments that editors of podcasts put into their openings, 0
    /// to 10: the criterion that chooses. `None` if the scorer does not judge it, as for languages
    /// other than English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<f64>,
}

impl Score {
    /// Makes a score with only a total, for scorers without separate criteria. The other fields are
    /// 0.
    pub fn of(total: f64) -> Self {
        Score { total, ..Score::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_has_a_short_form() {
        let read = |text: &str| serde_json::from_str::<Candidate>(text);
        let short = read(r#"{"start": 1, "end": 21.5, "score": 90, "title": "Opening", "reason": "first words"}"#).unwrap();
        assert_eq!(short, Candidate::new(Span::secs(1.0, 21.5).unwrap(), Score::of(90.0), "Opening", "first words"));
        assert_eq!(read(&serde_json::to_string(&short).unwrap()).unwrap(), short);
        assert!(read(r#"{"start": 1, "score": 90}"#).unwrap_err().to_string().contains("a start and an end"));
        assert!(read(r#"{"start": 1, "end": 2, "score": "good"}"#).unwrap_err().to_string().contains("a score is a number"));
        assert!(read(r#"{"start": 3, "end": 2, "score": 1}"#).unwrap_err().to_string().contains("cannot end"));
    }
}
