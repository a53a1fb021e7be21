use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The kind of video, which sets the weights of the score components.
///
/// | genre | hook | completeness | density | emotion | best length |
/// |---|---|---|---|---|---|
/// | none given | 30 | 34 | 20 | 16 | 32 s |
/// | `podcast` | 32 | 30 | 14 | 24 | 38 s |
/// | `lecture` | 24 | 42 | 26 | 8 | 45 s |
/// | `gaming` | 28 | 20 | 10 | 42 | 24 s |
/// | `news` | 34 | 36 | 26 | 4 | 28 s |
///
/// The weights are percentages of [`Score::total`](crate::model::Score::total). They were set by
/// hand, not learned. For English without a genre or with `podcast`, a learned criterion takes
/// their place: [`Score::moment`](crate::model::Score::moment). It was learned from conversations,
/// so the other genres keep the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Genre {
    /// A conversation: strong openings and emotion count more.
    Podcast,
    /// An explanation: complete thoughts and dense content count more.
    Lecture,
    /// Video games: emotion counts more, and short clips are preferred.
    Gaming,
    /// A report: strong openings, completeness and density count more, emotion hardly at all.
    News,
}

/// The weights of the score components in percent, and the preferred length in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weights {
    pub(super) hook: f64,
    pub(super) completeness: f64,
    pub(super) density: f64,
    pub(super) emotion: f64,
    pub(super) best_length: f64,
}

impl Weights {
    pub(super) fn of(genre: Option<Genre>) -> Self {
        let [hook, completeness, density, emotion, best_length] = match genre {
            None => [30.0, 34.0, 20.0, 16.0, 32.0],
            Some(Genre::Podcast) => [32.0, 30.0, 14.0, 24.0, 38.0],
            Some(Genre::Lecture) => [24.0, 42.0, 26.0, 8.0, 45.0],
            Some(Genre::Gaming) => [28.0, 20.0, 10.0, 42.0, 24.0],
            Some(Genre::News) => [34.0, 36.0, 26.0, 4.0, 28.0],
        };
        Weights { hook, completeness, density, emotion, best_length }
    }

    /// The total score, 0 to 100, of four components from 0 to 10.
    pub(super) fn total(&self, hook: f64, completeness: f64, density: f64, emotion: f64) -> f64 {
        (self.hook * hook + self.completeness * completeness + self.density * density + self.emotion * emotion) / 10.0
    }
}

impl Genre {
    /// Whether what editors choose from conversations applies.
    pub(super) fn is_conversation(genre: Option<Genre>) -> bool {
        matches!(genre, None | Some(Genre::Podcast))
    }

    /// The genre's name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Genre::Podcast => "podcast",
            Genre::Lecture => "lecture",
            Genre::Gaming => "gaming",
            Genre::News => "news",
        }
    }
}

impl FromStr for Genre {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Genre::Podcast, Genre::Lecture, Genre::Gaming, Genre::News].into_iter().find(|genre| genre.name() == name).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("there is no genre {name}")).with_advice("give podcast, lecture, gaming or news")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_hundred_and_names_parse() {
        for genre in [None, Some(Genre::Podcast), Some(Genre::Lecture), Some(Genre::Gaming), Some(Genre::News)] {
            assert!((Weights::of(genre).total(10.0, 10.0, 10.0, 10.0) - 100.0).abs() < 1e-9, "{genre:?}");
            if let Some(genre) = genre {
                assert_eq!(genre.name().parse::<Genre>().unwrap(), genre);
                assert_eq!(serde_json::to_value(genre).unwrap(), genre.name());
            }
        }
        assert!("opera".parse::<Genre>().unwrap_err().to_string().contains("podcast"));
    }
}
