//! Tells whether two spans of a talk say the same: a teaser and the passage that it is cut from, or
//! a story that is told twice.

use std::collections::HashMap;
use std::ops::Range;

use super::segment::AnalyzedTranscript;

/// The cosine similarity from which two spans say the same. Measured in 443 podcast episodes: of
/// two of the ten clips that were chosen from one episode, 0.6 is exceeded by repeated passages
/// only.
const SAME: f64 = 0.6;

/// Compares spans of one transcript by their stems, weighted by inverse document frequency over
/// sentences.
pub(super) struct NearDuplicates<'a> {
    transcript: &'a AnalyzedTranscript<'a>,
    weights: Vec<f64>,
}

impl<'a> NearDuplicates<'a> {
    pub(super) fn of(transcript: &'a AnalyzedTranscript<'a>) -> Self {
        let mut seen = vec![(usize::MAX, 0_u32); transcript.stem_count];
        for (n, sentence) in transcript.sentences.iter().enumerate() {
            for stem in transcript.stems[sentence.words.clone()].iter().flatten() {
                let (last, count) = &mut seen[*stem as usize];
                if *last != n {
                    (*last, *count) = (n, *count + 1);
                }
            }
        }
        let sentences = transcript.sentences.len() as f64;
        let weights = seen.into_iter().map(|(_, count)| ((1.0 + sentences) / (1.0 + f64::from(count))).ln()).collect();
        NearDuplicates { transcript, weights }
    }

    /// Whether two ranges of sentences say the same.
    pub(super) fn are(&self, a: &Range<usize>, b: &Range<usize>) -> bool {
        let (a, b) = (self.vector(a), self.vector(b));
        let length = |vector: &HashMap<u32, f64>| vector.values().map(|value| value * value).sum::<f64>().sqrt();
        let common: f64 = a.iter().filter_map(|(stem, value)| Some(value * b.get(stem)?)).sum();
        let lengths = length(&a) * length(&b);
        lengths > 0.0 && common / lengths > SAME
    }

    fn vector(&self, sentences: &Range<usize>) -> HashMap<u32, f64> {
        let mut vector = HashMap::new();
        for sentence in self.transcript.sentences.get(sentences.clone()).unwrap_or_default() {
            for stem in self.transcript.stems[sentence.words.clone()].iter().flatten() {
                *vector.entry(*stem).or_default() += self.weights[*stem as usize];
            }
        }
        vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Word;

    #[test]
    fn a_repeated_story_is_the_same_and_a_talk_on_one_subject_is_not() {
        let text = "My father sold the bakery to a stranger on the train. He never told my mother about the price. \
            Clocks drift because quartz crystals age. The price of clocks fell when quartz arrived. \
            So my father sold his bakery to that stranger, on a train. And he never told mother the price. \
            Quartz clocks need a battery and a resonator. Nobody measures the resonator of a clock at home.";
        let words: Vec<Word> = text.split(' ').enumerate().map(|(n, text)| Word::new(text, n as f64 * 0.4, n as f64 * 0.4 + 0.3)).collect();
        let transcript = AnalyzedTranscript::read(&words, Some("en"), 20.0);
        assert_eq!(transcript.sentences.len(), 8);
        let same = NearDuplicates::of(&transcript);
        assert!(same.are(&(0..2), &(4..6)));
        assert!(!same.are(&(2..4), &(6..8)) && !same.are(&(0..2), &(2..4)) && !same.are(&(0..0), &(1..2)));
    }
}
