//! The targets over the corpus, cut short at every length, and over random changes of it.
//!
//! `CLIPKIT_FUZZ_SECS` is the time for each target in seconds; without it, it is short and the
//! changes are the same each time. What fails is printed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

/// Pieces that mean something to the readers.
const PIECES: [&str; 40] = [
    "-->",
    "00:00:01,000",
    "00:01.5",
    "\n\n",
    "\n",
    "\r\n",
    "1\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\"text\"",
    "\"start\": ",
    "NaN",
    "null",
    "1e308",
    "-1",
    "\\N",
    "{\\pos(",
    "{\\k10}",
    "<",
    "</p>",
    "<00:00:01.500>",
    "<p begin=\"",
    "&amp;",
    "\u{266a}",
    ">>",
    "ANNA: ",
    "\u{ff11}",
    "\u{4eca}\u{65e5}",
    "\u{202e}",
    "WEBVTT",
    "Dialogue: 0,",
    "\t",
    "://",
    "../",
    "%00",
    "\0",
];
/// An input that takes longer has a cost that grows too fast with its length.
const LONGEST: Duration = Duration::from_secs(20);
const MAX_BYTES: usize = 8192;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no sample");
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Runs a body. A failure shows the input.
fn survives((name, body): Target, input: &[u8]) {
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| body(input)));
    assert!(outcome.is_ok() && begun.elapsed() < LONGEST, "{name}: b\"{}\" in {:?}", input.escape_ascii(), begun.elapsed());
}

#[test]
fn the_corpus_survives_being_cut_at_every_length() {
    for target in TARGETS {
        for sample in corpus(target.0) {
            for end in 0..=sample.len() {
                survives(target, &sample[..end]);
            }
        }
    }
}

#[test]
fn random_changes_of_the_corpus_survive() {
    let secs = std::env::var("CLIPKIT_FUZZ_SECS").ok().and_then(|secs| secs.parse::<f64>().ok());
    let only = std::env::var("CLIPKIT_FUZZ_TARGET").ok().filter(|name| !name.is_empty());
    for target in TARGETS.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        let mut random = fastrand::Rng::with_seed(if secs.is_some() { fastrand::u64(..) } else { 7 });
        let begun = Instant::now();
        let (mut kept, mut count) = (corpus(target.0), 0u64);
        while secs.map_or(count < 300, |secs| begun.elapsed().as_secs_f64() < secs) {
            let mut input = kept[random.usize(..kept.len())].clone();
            for _ in 0..random.usize(1..6) {
                change(&mut input, &kept, &mut random);
            }
            survives(target, &input);
            count += 1;
            // Changes of changes reach further; the samples stay.
            if count % 50 == 0 && kept.len() < 200 {
                kept.push(input);
            }
        }
        if secs.is_some() {
            eprintln!("{}: {count} inputs", target.0);
        }
    }
}

fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut fastrand::Rng) {
    let at = random.usize(..=input.len());
    let to = (at + random.usize(..40)).min(input.len());
    match random.u8(..7) {
        0 if at < input.len() => input[at] ^= 1 << random.u8(..8),
        1 if at < input.len() => input[at] = random.u8(..),
        2 => drop(input.drain(at..to)),
        3 => {
            let part = input[at..to].to_vec();
            input.splice(at..at, part);
        }
        4 => {
            let other = &others[random.usize(..others.len())];
            let from = random.usize(..=other.len());
            let end = (from + random.usize(..80)).min(other.len());
            input.splice(at..at, other[from..end].iter().copied());
        }
        5 => input.truncate(at),
        _ => {
            input.splice(at..at, PIECES[random.usize(..PIECES.len())].bytes());
        }
    }
    input.truncate(MAX_BYTES);
}
