//! Finds requested topics in a transcript by word stems: "pricing" matches "priced" and "prices".

use rust_stemmers::{Algorithm, Stemmer};

use super::lexicon::{Traits, key};
use super::segment::AnalyzedTranscript;
use crate::model::script;

/// The maximum words of a topic. More words are no topic and cost time.
const MAX_TOPIC_WORDS: usize = 8;

/// Marks the words of a transcript that mention a topic. A phrase is marked once, on its first
/// word.
///
/// Languages without a Snowball stemmer match whole words; scripts without spaces match substrings.
pub(super) fn mark(transcript: &mut AnalyzedTranscript<'_>, about: &[String], avoid: &[String]) {
    if about.is_empty() && avoid.is_empty() {
        return;
    }
    let stem = stemmer(&transcript.language);
    let stems: Vec<String> = transcript.keys.iter().map(|key| stem(key)).collect();
    for (trait_, subjects) in [(Traits::TOPIC, about), (Traits::AVOID, avoid)] {
        for subject in subjects {
            for word in found(transcript, &stems, &stem, subject) {
                transcript.traits[word] = transcript.traits[word].with(trait_);
            }
        }
    }
}

fn stemmer(language: &str) -> Box<dyn Fn(&str) -> String> {
    let algorithm = match language {
        "ar" => Algorithm::Arabic,
        "da" => Algorithm::Danish,
        "nl" => Algorithm::Dutch,
        "en" => Algorithm::English,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "no" | "nb" | "nn" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "es" => Algorithm::Spanish,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        _ => return Box::new(str::to_owned),
    };
    let stemmer = Stemmer::create(algorithm);
    // "Pricing's" matches the topic "pricing".
    Box::new(move |key| stemmer.stem(key.strip_suffix("'s").unwrap_or(key)).into_owned())
}

/// The indices of the words at which a topic is mentioned.
fn found(transcript: &AnalyzedTranscript<'_>, stems: &[String], stem: &dyn Fn(&str) -> String, subject: &str) -> Vec<usize> {
    if subject.chars().any(script::is_unspaced) {
        return letters(transcript, subject);
    }
    let wanted: Vec<String> =
        subject.split_whitespace().map(key).filter(|key| !key.is_empty()).take(MAX_TOPIC_WORDS).map(|key| stem(&key)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let starts = stems.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted.as_slice());
    starts.map(|(at, _)| at).collect()
}

/// The indices of the words in which the topic's characters start, across word boundaries.
fn letters(transcript: &AnalyzedTranscript<'_>, subject: &str) -> Vec<usize> {
    let wanted: String = subject.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut text = String::new();
    let starts: Vec<usize> = transcript
        .keys
        .iter()
        .map(|key| {
            let start = text.len();
            text.push_str(key);
            start
        })
        .collect();
    text.match_indices(&wanted).map(|(at, _)| starts.partition_point(|start| *start <= at).saturating_sub(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Word;

    fn hits(text: &str, language: &str, about: &str) -> Vec<String> {
        let words: Vec<Word> = text.split(' ').enumerate().map(|(n, word)| Word::new(word, n as f64, n as f64 + 0.5)).collect();
        let mut transcript = AnalyzedTranscript::read(&words, Some(language), 20.0);
        mark(&mut transcript, &[about.to_owned()], &[]);
        (0..words.len()).filter(|&n| transcript.traits[n].has(Traits::TOPIC)).map(|n| transcript.keys[n].clone()).collect()
    }

    #[test]
    fn inflections_match_in_their_language() {
        assert_eq!(hits("We priced it; prices, pricing's hard. A prize is none.", "en", "Pricing"), ["priced", "prices", "pricing's"]);
        assert_eq!(hits("Die Preise steigen, der Preis fällt.", "de-AT", "Preis"), ["preise", "preis"]);
        assert_eq!(hits("Los precios suben y el precio baja.", "es", "precio"), ["precios", "precio"]);
        assert_eq!(hits("Des maisons vides, une maison pleine.", "fr", "maison"), ["maisons", "maison"]);
        assert_eq!(hits("Machine learning learns; a learning machine does not.", "en", "machine learning"), ["machine"]);
        assert_eq!(hits("今日は 時計 の話 です。", "ja", "時計"), ["時計"]);
        assert_eq!(hits("今日は時 計の 話です。", "ja", "時計"), ["今日は時"]);
        assert!(hits("Anything at all.", "en", " ... ").is_empty() && hits("Anything.", "xx", "thing").is_empty());
    }
}
