use crate::model::{Media, Stage};
use crate::score::Scoring;
use crate::track::Tracking;

/// What a stage that can be cached is given. Only this crate's own inputs are.
pub trait Input: Clone + Send + Sync + 'static + sealed::Parts {}

impl<I: Clone + Send + Sync + 'static + sealed::Parts> Input for I {}

mod sealed {
    use crate::model::Stage;

    pub trait Parts {
        /// The kind of stage that takes it.
        const STAGE: Stage;

        /// Everything that may decide the answer.
        fn parts(&self) -> Vec<String>;
    }
}

use sealed::Parts;

impl Parts for Media {
    const STAGE: Stage = Stage::Transcribe;

    fn parts(&self) -> Vec<String> {
        vec![self.id.to_string()]
    }
}

impl Parts for Scoring {
    const STAGE: Stage = Stage::Score;

    fn parts(&self) -> Vec<String> {
        let media = self.media.as_ref().map(|media| media.id.to_string()).unwrap_or_default();
        let words = self.transcript.words.iter().map(|word| format!("{:?} {:?} {:?}", word.start, word.end, word.text));
        let mut parts = vec![media, format!("{:?} {:?}", self.transcript.language, self.options)];
        parts.extend(words);
        parts
    }
}

impl Parts for Tracking {
    const STAGE: Stage = Stage::Track;

    fn parts(&self) -> Vec<String> {
        vec![self.media.id.to_string(), format!("{:?}", self.span)]
    }
}

/// Where the answer to `input` is kept: `track/5f0c...`.
pub(super) fn key<I: Input>(input: &I, fingerprint: &str) -> String {
    let mut parts = vec![env!("CARGO_PKG_VERSION").to_owned(), I::STAGE.to_string(), fingerprint.to_owned()];
    parts.extend(input.parts());
    format!("{}/{}", I::STAGE, hash(&parts))
}

fn hash(parts: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        // With their lengths, so that no two lists of parts run together into the same bytes.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentId, Span, Timestamp, Transcript, Word};
    use crate::score::ScoreOptions;

    fn media(path: &str, id: &str) -> Media {
        Media { duration: Timestamp::from_secs(60.0), ..Media::new(path, ContentId::new("none", id)) }
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash(&["ab".into(), "c".into()]), hash(&["a".into(), "bc".into()]));
    }

    #[test]
    fn content_counts_and_names_do_not() {
        let key_of = |path: &str, id: &str| key(&media(path, id), "model 1");
        assert_eq!(key_of("talk.mp4", "1"), key_of("copy of talk.mp4", "1"));
        assert_ne!(key_of("talk.mp4", "1"), key_of("talk.mp4", "2"));
        assert_ne!(key(&media("talk.mp4", "1"), "model 1"), key(&media("talk.mp4", "1"), "model 2"));
        assert!(key_of("talk.mp4", "1").starts_with("transcribe/"));
        assert!(!key(&media("talk.mp4", "1"), "sk-secret").contains("sk-secret"));
    }

    #[test]
    fn whatever_decides_an_answer_is_in_its_key() {
        let at = |start| key(&Tracking { media: media("a", "1"), span: Span::secs(start, 20.0).unwrap() }, "t");
        assert_ne!(at(0.0), at(1.0));
        let scoring = Scoring {
            media: None,
            transcript: Transcript { words: vec![Word::new("one", 0.0, 0.5)], ..Transcript::default() },
            options: ScoreOptions::default(),
        };
        let said = |text: &str, start: f64| {
            let transcript = Transcript { words: vec![Word::new(text, start, 0.5)], ..Transcript::default() };
            key(&Scoring { transcript, ..scoring.clone() }, "t")
        };
        let fewer = key(&Scoring { options: ScoreOptions { max_clips: 3, ..ScoreOptions::default() }, ..scoring.clone() }, "t");
        let with_media = key(&Scoring { media: Some(media("a", "1")), ..scoring.clone() }, "t");
        let all = [key(&scoring, "t"), said("two", 0.0), said("one", 0.1), fewer, with_media];
        for (n, key) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(key), "{n}");
        }
    }
}
