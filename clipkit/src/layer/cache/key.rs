use crate::error::Result;
use crate::model::Media;
use crate::score::Scoring;
use crate::store::{ArtifactKey, Document};
use crate::track::Tracking;

/// The input of a stage that can be cached. Implemented for this crate's own inputs only.
pub trait Input: Clone + Send + Sync + 'static + sealed::Content {}

impl<I: Clone + Send + Sync + 'static + sealed::Content> Input for I {}

mod sealed {
    use crate::error::Result;
    use crate::store::ArtifactKey;

    pub trait Content {
        /// Adds everything that may decide the output.
        fn add_to(&self, key: ArtifactKey) -> Result<ArtifactKey>;
    }
}

use sealed::Content;

impl Content for Media {
    fn add_to(&self, key: ArtifactKey) -> Result<ArtifactKey> {
        Ok(key.media(self))
    }
}

impl Content for Scoring {
    fn add_to(&self, key: ArtifactKey) -> Result<ArtifactKey> {
        let Scoring { media, transcript, options } = self;
        let key = match media {
            Some(media) => media.add_to(key)?,
            None => key,
        };
        key.transcript("transcript", transcript).json("options", options)
    }
}

impl Content for Tracking {
    fn add_to(&self, key: ArtifactKey) -> Result<ArtifactKey> {
        Ok(self.media.add_to(key)?.span("span", self.span))
    }
}

/// The key of a stage's output for `input`.
pub(super) fn key<I: Input, O: Document>(input: &I, fingerprint: &str) -> Result<ArtifactKey> {
    input.add_to(ArtifactKey::of::<O>().fingerprint(fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candidate, ContentId, Span, Timestamp, Tracks, Transcript, Word};
    use crate::score::ScoreOptions;

    fn media(path: &str, id: &str) -> Media {
        Media { duration: Timestamp::from_secs(60.0), ..Media::new(path, ContentId::new("none", id)) }
    }

    #[test]
    fn content_is_part_of_a_key_and_names_are_not() {
        let key_of = |path: &str, id: &str, model: &str| key::<_, Transcript>(&media(path, id), model).unwrap().to_string();
        assert_eq!(key_of("talk.mp4", "1", "model 1"), key_of("copy of talk.mp4", "1", "model 1"));
        assert_ne!(key_of("talk.mp4", "1", "model 1"), key_of("talk.mp4", "2", "model 1"));
        assert_ne!(key_of("talk.mp4", "1", "model 1"), key_of("talk.mp4", "1", "model 2"));
        assert!(!key_of("talk.mp4", "1", "sk-secret").contains("sk-secret"));
    }

    #[test]
    fn everything_that_decides_an_output_is_part_of_its_key() {
        let at = |start| {
            key::<_, Tracks>(&Tracking { media: media("a", "1"), span: Span::secs(start, 20.0).unwrap() }, "t").unwrap().to_string()
        };
        assert_ne!(at(0.0), at(0.000_001));
        let said = |text: &str, start: f64| Scoring {
            media: None,
            transcript: Transcript { words: vec![Word::new(text, start, 0.5)], ..Transcript::default() },
            options: ScoreOptions::default(),
        };
        let mut all = vec![said("one", 0.0), said("two", 0.0), said("one", 0.1)];
        all.push(Scoring { options: ScoreOptions { max_clips: 3, ..ScoreOptions::default() }, ..said("one", 0.0) });
        all.push(Scoring { media: Some(media("a", "1")), ..said("one", 0.0) });
        let mut by_somebody = said("one", 0.0);
        by_somebody.transcript.words[0].speaker = Some("Ann".into());
        all.push(by_somebody);
        let mut in_english = said("one", 0.0);
        in_english.transcript.language = Some("en".into());
        all.push(in_english);
        let keys: std::collections::BTreeSet<_> =
            all.iter().map(|scoring| key::<_, Vec<Candidate>>(scoring, "t").unwrap().to_string()).collect();
        assert_eq!(keys.len(), all.len());
    }
}
