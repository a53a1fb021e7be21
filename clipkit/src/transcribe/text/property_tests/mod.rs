//! No input panics, and each word of a damaged file is kept, unspoken, repeated or said to be lost.

mod files;
mod reference;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::sample_tests::{SAMPLES, read};
use super::*;
use files::{DAMAGES, KINDS, REPEATS, damaged, good_file, tokens};

/// Checks what holds for every file that is read.
fn check(read: &ReadTranscript) -> std::result::Result<(), TestCaseError> {
    let ReadCounts { words_seen, words_kept, words_unspoken, words_repeated, words_lost, .. } = read.counts;
    prop_assert_eq!(words_seen, words_kept + words_unspoken + words_repeated + words_lost, "{:?}", read);
    prop_assert_eq!(words_kept, read.transcript.words.len());
    prop_assert_eq!(words_lost, said_to_be_lost(read), "{:?}", read.warnings);
    prop_assert!(read.transcript.words.is_sorted_by(|a, b| a.end <= b.start));
    prop_assert!(read.transcript.words.iter().all(|word| word.start >= Timestamp::ZERO && word.start <= word.end));
    Ok(())
}

/// The sum of the numbers in the warnings: `3 words in 1 place were lost`.
fn said_to_be_lost(read: &ReadTranscript) -> usize {
    let messages = read.warnings.iter().map(|warning| warning.message.as_str());
    let lost = messages.filter(|message| message.contains(" were lost"));
    lost.filter_map(|message| message.split(" word").next().and_then(|number| number.parse::<usize>().ok())).sum()
}

#[test]
fn the_reference_counts_the_words_of_good_files() {
    for kind in KINDS {
        let text = good_file(kind, 5);
        assert_eq!(reference::words(kind, &text), tokens(&text).len(), "{text}");
        let read = read(&text).unwrap();
        assert_eq!((read.counts.words_kept, read.counts.words_seen), (tokens(&text).len(), tokens(&text).len()), "{text}");
    }
}

/// The property below says nothing of files that are refused: of each format, some are read.
#[test]
fn damaged_files_of_each_format_are_read() {
    let mut random = fastrand::Rng::with_seed(7);
    for kind in KINDS {
        let read = (0..400).filter(|_| {
            let damage = (random.usize(0..DAMAGES), random.usize(0..99), random.usize(0..99));
            read(&damaged(&good_file(kind, 5), &[damage])).is_ok_and(|read| read.counts.words_seen > 0)
        });
        let read = read.count();
        assert!(read >= 40, "{kind:?}: {read} of 400");
    }
}

#[test]
fn samples_that_end_early_do_not_panic() {
    for (format, text, _) in SAMPLES {
        for end in 0..text.len() {
            if let Ok(read) = read_transcript(&text.as_bytes()[..end], &ReadOptions::default()) {
                check(&read).unwrap_or_else(|error| panic!("{format} {end}: {error}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn each_word_of_a_damaged_file_is_accounted_for(
        kind in prop::sample::select(&KINDS[..]),
        cues in 4..9usize,
        damage in prop::collection::vec((0..DAMAGES, 0..99usize, 0..99usize), 1..4),
        end in prop::option::of(1..40u32),
    ) {
        let text = damaged(&good_file(kind, cues), &damage);
        let mut options = ReadOptions::default();
        options.duration = end.map(|seconds| Timestamp::from_secs(f64::from(seconds)));
        match read_transcript(text.as_bytes(), &options) {
            Ok(read) => {
                check(&read)?;
                let words = reference::words(kind, &text);
                prop_assert_eq!(read.counts.words_seen, words, "{:?}\n{}\n{:?}\n{:?}", kind, text, read.warnings, read.counts);
                let joined = read.transcript.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
                let kept = tokens(&joined);
                let is_repeated = damage.iter().any(|(what, ..)| *what == REPEATS);
                prop_assert!(is_repeated || kept.iter().collect::<BTreeSet<_>>().len() == kept.len(), "twice: {}\n{}", joined, text);
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidInput),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), sample in 0..60usize, at in 0..400usize) {
        let text = SAMPLES[sample % SAMPLES.len()].1.as_bytes();
        let at = at.min(text.len());
        for input in [bytes.clone(), [&text[..at], &bytes].concat(), [&text[..at], &bytes, &text[at..]].concat()] {
            if let Ok(read) = read_transcript(&input, &ReadOptions::default()) {
                check(&read)?;
            }
        }
    }

    #[test]
    fn no_text_panics(text in "([<>{}&;\\\\/\\[\\]()*|: 0-9.,\n>\t\"]|-->|00:0[0-9]|\u{266a}|今日|Dialogue: |WEBVTT|\\\\k[0-9]|a|B){0,60}", sample in 0..60usize, at in 0..400usize) {
        let good = SAMPLES[sample % SAMPLES.len()].1;
        let at = good.floor_char_boundary(at);
        for input in [text.clone(), [&good[..at], &text, &good[at..]].concat()] {
            if let Ok(read) = read(&input) {
                check(&read)?;
            }
        }
    }
}
