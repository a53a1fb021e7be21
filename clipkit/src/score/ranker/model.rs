//! The learned coefficients, from `model.json`, which `benches/ranker/train.py` writes.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde::Deserialize;

use super::features::{self, COUNT, PHRASES, Row};
use super::lexicon::{LISTS, NUMBERS};
use crate::error::{Error, ErrorKind, Result};

/// A linear model over the features of a unit, those of its neighbours, its place and its words.
pub(super) struct Model {
    pub(super) bias: f64,
    /// Of each feature, for the unit itself.
    pub(super) unit: Row,
    /// Of each feature, for the mean of the units around it.
    pub(super) around: Row,
    /// Of [`places`].
    pub(super) places: [f64; PLACES.len()],
    /// The lists that a word is in, as bits in the order of [`LISTS`].
    pub(super) lists: HashMap<String, u64>,
    pub(super) numbers: HashSet<String>,
    /// Number of [`PHRASES`] by first and second word.
    phrases: HashMap<String, HashMap<String, usize>>,
    pub(super) valence: HashMap<String, f64>,
    pub(super) words: HashMap<String, i8>,
    pub(super) words_scale: f64,
}

/// Where a unit is in its talk, as in the model.
const PLACES: [&str; 4] = ["place", "place2", "start", "end"];

/// The document. Its other fields say where the model comes from.
#[derive(Deserialize)]
struct Document {
    version: u32,
    bias: f64,
    features: HashMap<String, [f64; 2]>,
    places: HashMap<String, f64>,
    lists: HashMap<String, String>,
    phrases: HashMap<String, Vec<String>>,
    valence: HashMap<String, f64>,
    words: HashMap<String, i8>,
    words_scale: f64,
}

const VERSION: u32 = 1;

impl Model {
    /// The model in the crate.
    pub(super) fn built_in() -> Result<&'static Model> {
        static MODEL: OnceLock<Result<Model>> = OnceLock::new();
        let model = MODEL.get_or_init(|| Model::read(include_bytes!("model.json")));
        model.as_ref().map_err(Error::clone)
    }

    fn read(document: &[u8]) -> Result<Self> {
        let wrong = |why: String| Error::new(ErrorKind::Contract, format!("the model of moments cannot be read: {why}"));
        let document: Document = serde_json::from_slice(document).map_err(|error| wrong(error.to_string()))?;
        if document.version != VERSION {
            return Err(wrong(format!("its version is {}, not {VERSION}", document.version)));
        }
        let names = features::names();
        let (mut unit, mut around) = ([0.0; COUNT], [0.0; COUNT]);
        for (n, name) in names.iter().enumerate() {
            let found = document.features.get(name).ok_or_else(|| wrong(format!("it has no feature {name}")))?;
            (unit[n], around[n]) = (found[0], found[1]);
        }
        let mut places = [0.0; PLACES.len()];
        for (place, name) in places.iter_mut().zip(PLACES) {
            *place = *document.places.get(name).ok_or_else(|| wrong(format!("it has no place {name}")))?;
        }
        let list = |name: &str| document.lists.get(name).ok_or_else(|| wrong(format!("it has no list {name}")));
        let mut lists: HashMap<String, u64> = HashMap::new();
        for (n, name) in LISTS.iter().enumerate() {
            for word in list(name)?.split(' ') {
                *lists.entry(word.to_owned()).or_default() |= 1 << n;
            }
        }
        let numbers = list(NUMBERS)?.split(' ').map(str::to_owned).collect();
        let mut phrases: HashMap<String, HashMap<String, usize>> = HashMap::new();
        for (n, name) in PHRASES.iter().enumerate() {
            for phrase in document.phrases.get(*name).ok_or_else(|| wrong(format!("it has no phrases {name}")))? {
                let (first, second) = phrase.split_once(' ').unwrap_or((phrase, ""));
                phrases.entry(first.to_owned()).or_default().insert(second.to_owned(), n);
            }
        }
        let Document { bias, valence, words, words_scale, .. } = document;
        Ok(Model { bias, unit, around, places, lists, numbers, phrases, valence, words, words_scale })
    }

    /// The number of the phrase of two words, if it is one.
    pub(super) fn phrase(&self, words: (&str, &str)) -> Option<usize> {
        self.phrases.get(words.0)?.get(words.1).copied()
    }
}

/// Where a unit that starts at `at` is in a talk whose units start from `first` to `last`.
pub(super) fn places(at: f64, first: f64, last: f64) -> [f64; PLACES.len()] {
    let place = (at - first) / (last - first).max(1.0);
    [place, place * place, (0.1 - place).max(0.0) * 10.0, (place - 0.9).max(0.0) * 10.0]
}
