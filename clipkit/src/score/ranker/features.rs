//! The features of units. `benches/ranker/features.py` computes the same for the training, and a
//! test compares the two.

use std::ops::Range;

use super::lexicon::{LISTS, Vocabulary};
use super::model::Model;
use super::talk;
use crate::model::Word;

/// The lists whose words are counted anywhere in a unit; the two after them count as first words.
const COUNTED: usize = LISTS.len() - 2;
/// The phrases of two words, named as in the model.
pub(super) const PHRASES: [&str; 12] = [
    "p_youknow",
    "p_ithink",
    "p_imean",
    "p_waslike",
    "p_want",
    "p_whatif",
    "p_reason",
    "p_future",
    "p_iwas",
    "p_isnot",
    "p_show",
    "p_askq",
];
/// The features besides lists (`r_` and the list's name) and phrases.
const OTHERS: [&str; 33] = [
    "r_num",
    "r_nominal",
    "r_edw",
    "r_ingw",
    "r_vpos",
    "r_vneg",
    "commas",
    "names",
    "vabs",
    "r_wlen",
    "r_longw",
    "anaph",
    "imper",
    "qfirst",
    "filfirst",
    "n",
    "logn",
    "short",
    "endq",
    "ende",
    "quotes",
    "dash",
    "rate",
    "types",
    "reps",
    "content",
    "idfep",
    "hapax",
    "central",
    "textrank",
    "nov_prev",
    "nov_next",
    "localsim",
];
/// Columns that others are computed from, and the first of those that compare units.
const OTHER: usize = COUNTED + PHRASES.len();
const LENGTH: usize = OTHER + 15;
const QUESTION: usize = OTHER + 18;
const AMONG: usize = OTHER + 26;
/// The number of features; the last is whether the unit before is a question (`prevq`).
pub(super) const COUNT: usize = COUNTED + PHRASES.len() + OTHERS.len() + 1;

/// The names of the features, in the order of a row.
pub(super) fn names() -> Vec<String> {
    let lists = LISTS.iter().take(COUNTED).map(|list| format!("r_{list}"));
    lists.chain(PHRASES.iter().chain(&OTHERS).map(|name| (*name).to_owned())).chain(["prevq".to_owned()]).collect()
}

/// The features of one unit.
pub(super) type Row = [f64; COUNT];

/// The rows of all units.
pub(super) fn rows(words: &[Word], units: &[Range<usize>], vocabulary: &Vocabulary, model: &Model) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::with_capacity(units.len());
    let mut contents: Vec<Vec<u32>> = Vec::with_capacity(units.len());
    let stop = bit("stop");
    for unit in units {
        let own: Vec<u32> = vocabulary.numbers[unit.clone()].iter().flatten().copied().collect();
        let content: Vec<u32> = own.iter().copied().filter(|&word| vocabulary.entries[word as usize].lists & stop == 0).collect();
        let distinct = talk::distinct(&content);
        rows.push(row(words, unit.clone(), &own, (content.len(), distinct.len()), vocabulary, model));
        contents.push(distinct);
    }
    let among = talk::among(&contents, vocabulary.keys.len());
    for n in 0..rows.len() {
        let root = rows[n][LENGTH].sqrt();
        let place = among[n];
        rows[n][AMONG..COUNT - 1].copy_from_slice(&[
            place.mean_idf,
            place.hapaxes / root,
            place.central,
            place.rank,
            place.before,
            place.after,
            place.before + place.after,
        ]);
        rows[n][COUNT - 1] = if n == 0 { 0.0 } else { rows[n - 1][QUESTION] };
    }
    rows
}

/// The bit of a list.
pub(super) fn bit(list: &str) -> u64 {
    LISTS.iter().position(|name| *name == list).map_or(0, |n| 1 << n)
}

fn row(words: &[Word], unit: Range<usize>, own: &[u32], content: (usize, usize), vocabulary: &Vocabulary, model: &Model) -> Row {
    let entries = || own.iter().map(|&word| &vocabulary.entries[word as usize]);
    let raw = || words[unit.clone()].iter().map(|word| word.text.as_str());
    let count = own.len().max(1) as f64;
    let root = count.sqrt();
    let mut row = [0.0; COUNT];
    for entry in entries() {
        for (n, value) in row.iter_mut().take(COUNTED).enumerate() {
            *value += (entry.lists >> n & 1) as f64;
        }
    }
    row.iter_mut().take(COUNTED).for_each(|value| *value /= root);
    for pair in own.windows(2) {
        let phrase = (vocabulary.keys[pair[0] as usize].as_str(), vocabulary.keys[pair[1] as usize].as_str());
        if let Some(n) = model.phrase(phrase) {
            row[COUNTED + n] += 1.0;
        }
    }
    let number = |condition: bool| if condition { 1.0 } else { 0.0 };
    let with = |marks: &[&str]| raw().filter(|text| marks.iter().any(|mark| text.contains(mark))).count() as f64;
    let said = |wanted: &dyn Fn(&super::lexicon::Entry) -> bool| entries().filter(|entry| wanted(entry)).count() as f64;
    let positive: f64 = entries().map(|entry| entry.valence.max(0.0)).sum::<f64>() / root;
    let negative: f64 = entries().map(|entry| (-entry.valence).max(0.0)).sum::<f64>() / root;
    let capital = |text: &str| text.chars().take(2).any(char::is_uppercase);
    let names = unit.clone().skip(1).filter(|&n| vocabulary.numbers[n].is_some() && capital(&words[n].text)).count() as f64;
    let first = entries().next().map_or(0, |entry| entry.lists);
    let opens = |list: &str| number(first & bit(list) != 0);
    let auxiliary = own
        .first()
        .is_some_and(|&word| matches!(vocabulary.keys[word as usize].as_str(), "do" | "did" | "are" | "is" | "can" | "have" | "would"));
    let last = words[unit.end - 1].text.as_str();
    let dashes = raw().filter(|text| text.contains('\u{2014}') || text.contains("--") || *text == "-").count() as f64;
    let time = words[unit.end - 1].end.secs() - words[unit.start].start.secs();
    let (contents, distinct) = content;
    let others = [
        said(&|entry| entry.number) / root,
        said(&|entry| entry.nominal) / root,
        said(&|entry| entry.past) / root,
        said(&|entry| entry.progressive) / root,
        positive,
        negative,
        with(&[","]) / root,
        names / root,
        positive + negative,
        entries().map(|entry| entry.letters).sum::<usize>() as f64 / count,
        said(&|entry| entry.letters >= 8) / count,
        opens("anaph"),
        opens("imper"),
        number(first & bit("qword") != 0 || auxiliary),
        opens("filler"),
        count,
        count.ln(),
        number(count < 6.0),
        number(last.contains('?')),
        number(last.contains('!')),
        with(&["\"", "\u{201c}"]),
        dashes,
        count / time.max(0.3),
        talk::distinct(own).len() as f64 / count,
        (contents - distinct) as f64 / root,
        contents as f64 / count,
    ];
    row[OTHER..AMONG].copy_from_slice(&others);
    row
}
