//! What clips should be about, found in a talk by the stems of words: "pricing" finds "priced" and "prices".

use rust_stemmers::{Algorithm, Stemmer};

use super::lexicon::{Traits, key};
use super::segment::Talk;
use crate::model::script;

/// More is no subject, and costs time on every word.
const MOST_WORDS: usize = 8;

/// Marks the words of a talk that name one of these subjects: a phrase on its first word, once.
///
/// Languages that the Snowball stemmers do not know match whole words; scripts without spaces match letters.
pub(super) fn mark(talk: &mut Talk<'_>, about: &[String], avoid: &[String]) {
    if about.is_empty() && avoid.is_empty() {
        return;
    }
    let stem = stemmer(&talk.language);
    let stems: Vec<String> = talk.keys.iter().map(|key| stem(key)).collect();
    for (trait_, subjects) in [(Traits::TOPIC, about), (Traits::AVOID, avoid)] {
        for subject in subjects {
            for word in found(talk, &stems, &stem, subject) {
                talk.traits[word] = talk.traits[word].with(trait_);
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
    // "Pricing's" is about pricing.
    Box::new(move |key| stemmer.stem(key.strip_suffix("'s").unwrap_or(key)).into_owned())
}

/// The words at which a subject is named.
fn found(talk: &Talk<'_>, stems: &[String], stem: &dyn Fn(&str) -> String, subject: &str) -> Vec<usize> {
    if subject.chars().any(script::is_unspaced) {
        return letters(talk, subject);
    }
    let wanted: Vec<String> =
        subject.split_whitespace().map(key).filter(|key| !key.is_empty()).take(MOST_WORDS).map(|key| stem(&key)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let starts = stems.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted.as_slice());
    starts.map(|(at, _)| at).collect()
}

/// The words in which a run of letters starts, wherever it is cut.
fn letters(talk: &Talk<'_>, subject: &str) -> Vec<usize> {
    let wanted: String = subject.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut text = String::new();
    let starts: Vec<usize> = talk
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
        let mut talk = Talk::read(&words, Some(language), 20.0);
        mark(&mut talk, &[about.to_owned()], &[]);
        (0..words.len()).filter(|&n| talk.traits[n].has(Traits::TOPIC)).map(|n| talk.keys[n].clone()).collect()
    }

    #[test]
    fn forms_of_a_word_are_found_in_its_language() {
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
