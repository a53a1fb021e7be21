use std::collections::HashMap;

use serde::Deserialize;

use super::features::{names, rows};
use super::lexicon::Vocabulary;
use super::model::Model;
use super::{Moments, units};
use crate::model::Word;

/// What the training program computes: `benches/ranker/fixture.py` wrote it.
#[derive(Deserialize)]
struct Case {
    words: Vec<(String, f64, f64)>,
    units: Vec<(usize, usize)>,
    features: HashMap<String, Vec<f64>>,
    scores: Vec<f64>,
}

impl Case {
    fn all() -> Vec<(Vec<Word>, Case)> {
        let cases: Vec<Case> = serde_json::from_str(include_str!("fixture.json")).unwrap();
        let words = |case: &Case| case.words.iter().map(|(text, start, end)| Word::new(text.as_str(), *start, *end)).collect();
        cases.into_iter().map(|case| (words(&case), case)).collect()
    }
}

fn units_shown(case: &Case) -> &'static str {
    if case.words[0].0 == "So" { "the punctuated talk" } else { "the bare talk" }
}

#[test]
fn units_and_features_equal_those_of_the_training() {
    let model = Model::built_in().unwrap();
    for (words, case) in Case::all() {
        let units = units::units(&words);
        assert_eq!(units.iter().map(|unit| (unit.start, unit.end)).collect::<Vec<_>>(), case.units);
        let rows = rows(&words, &units, &Vocabulary::of(&words, model), model);
        assert_eq!(case.features.len(), names().len());
        for (column, name) in names().iter().enumerate() {
            for (n, expected) in case.features[name].iter().enumerate() {
                let found = rows[n][column];
                assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{name} of unit {n}: {found}, not {expected}");
            }
        }
        // Each feature is seen to vary, or the comparison says nothing.
        let constant: Vec<&String> =
            case.features.iter().filter(|(_, all)| all.iter().all(|x| x == &all[0])).map(|(name, _)| name).collect();
        let punctuated = words[0].text == "So";
        assert!(!punctuated || constant.is_empty(), "{constant:?}");
    }
}

#[test]
fn scores_equal_those_of_the_training() {
    for (words, case) in Case::all() {
        let moments = Moments::of(&words).unwrap();
        for (n, expected) in case.scores.iter().enumerate() {
            let unit = &moments.units[n];
            let (start, end) = (words[unit.start].start.secs(), words[unit.end - 1].end.secs());
            let found = (moments.sums[n + 1] - moments.sums[n]) / (end - start);
            assert!((found - expected).abs() < 1e-6, "unit {n} of {}: {found}, not {expected}", units_shown(&case));
        }
        let (start, end) = (moments.times[1].0, moments.times[3].1);
        let sum: f64 = (1..=3).map(|n| moments.sums[n + 1] - moments.sums[n]).sum();
        assert!((moments.value(start, end) - sum / (end - start)).abs() < 1e-9);
    }
}

#[test]
fn factors_say_what_counts_and_with_which_words() {
    let (words, _) = Case::all().remove(0);
    let moments = Moments::of(&words).unwrap();
    let factors = moments.factors(0.0, 30.0);
    assert!(!factors.is_empty() && factors.len() <= 6);
    assert!(factors.is_sorted_by(|a, b| a.effect.abs() >= b.effect.abs()), "{factors:?}");
    // Where the talk is about the show, less of it counts for what is not.
    let named = |start: f64, end: f64| moments.factors(start, end).into_iter().map(|factor| factor.name).collect::<Vec<_>>();
    let show = words.iter().position(|word| word.text == "Welcome").unwrap();
    let welcome = moments.factors(words[show].start.secs(), words[show + 8].end.secs());
    let counted = welcome.iter().find(|factor| factor.name == "talk about the show").unwrap();
    assert!(counted.effect < 0.0 && counted.words.contains(&"podcast".to_owned()), "{welcome:?}");
    assert!(named(0.0, words[show - 1].end.secs()).iter().all(|name| name != "talk about the show"));
    let start = moments.times[0].0;
    let whole = moments.factors(start, moments.times.last().unwrap().1);
    assert!(whole.is_empty(), "a span differs from the talk that it is: {whole:?}");
}

#[test]
fn odd_transcripts_have_scores() {
    let word = |text: &str, start: f64, end: f64| Word::new(text, start, end);
    let same: Vec<Word> = (0..2000).map(|n| word("la", f64::from(n) * 0.3, f64::from(n) * 0.3 + 0.3)).collect();
    let backwards: Vec<Word> = (0..90).map(|n| word("Why?", f64::from(90 - n), f64::from(90 - n) + 0.5)).collect();
    for words in [Vec::new(), vec![word("", 0.0, 0.0)], vec![word("...", 1.0, 1.0), word("—", 1.0, 1.0)], same, backwards] {
        let moments = Moments::of(&words).unwrap();
        for (start, end) in [(0.0, 30.0), (10.0, 10.0), (1e6, 1e6 + 1.0), (-5.0, -1.0)] {
            let value = moments.value(start, end);
            assert!((0.0..=1.0).contains(&value), "{value}");
            assert!(moments.factors(start, end).iter().all(|factor| factor.effect.is_finite()));
        }
    }
}
