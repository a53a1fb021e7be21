//! No input panics, and no word of a damaged file is lost in silence.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::sample_tests::{SAMPLES, read};
use super::*;

/// Checks what holds for every file that is read.
fn check(read: &ReadTranscript) -> std::result::Result<(), TestCaseError> {
    let ReadCounts { words_seen, words_kept, words_unspoken, words_repeated, words_lost, .. } = read.counts;
    prop_assert_eq!(words_seen, words_kept + words_unspoken + words_repeated + words_lost, "{:?}", read);
    prop_assert_eq!(words_kept, read.transcript.words.len());
    prop_assert!(words_lost == 0 || !read.warnings.is_empty());
    prop_assert!(read.transcript.words.is_sorted_by(|a, b| a.end <= b.start));
    prop_assert!(read.transcript.words.iter().all(|word| word.start >= Timestamp::ZERO && word.start <= word.end));
    Ok(())
}

/// A file of a format with the words `w000`, `w001` ..., three in a cue.
fn good_file(format: usize, cues: usize) -> String {
    let cue = |n: usize| {
        let (start, end) = (n * 3, n * 3 + 2);
        let clock = |seconds: usize, point: char| format!("00:{:02}:{:02}{point}500", seconds / 60, seconds % 60);
        let text = format!("w{:03} w{:03} w{:03}.", n * 3, n * 3 + 1, n * 3 + 2);
        match format {
            0 => format!("{}\n{} --> {}\n{text}\n\n", n + 1, clock(start, ','), clock(end, ',')),
            1 => format!("{} --> {} align:start\n{text}\n\n", clock(start, '.'), clock(end, '.')),
            2 => format!("{},{}\n{text}\n\n", clock(start, '.'), clock(end, '.')),
            3 => format!("Dialogue: 0,0{}0,0{}0,Default,,0,0,0,,{text}\n", &clock(start, '.')[1..], &clock(end, '.')[1..]),
            4 => format!("[{:02}:{:02}.50]{text}\n", start / 60, start % 60),
            5 => format!("{}\t{}\t{text}\n", start * 1000 + 500, end * 1000 + 500),
            6 => format!("<p begin=\"{}\" end=\"{}\">{text}</p>\n", clock(start, '.'), clock(end, '.')),
            7 => format!("{{\"start\": {start}.5, \"end\": {end}.5, \"text\": \"{text}\"}}\n"),
            _ => format!("[{} --> {}]  {text}\n", clock(start, '.'), clock(end, '.')),
        }
    };
    let head = match format {
        1 => "WEBVTT\n\n",
        3 => "[Script Info]\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n",
        5 => "start\tend\ttext\n",
        6 => "<tt><body><div>\n",
        _ => "",
    };
    let tail = if format == 6 { "</div></body></tt>\n" } else { "" };
    head.to_owned() + &(0..cues).map(cue).collect::<String>() + tail
}

/// The words `w000` ... in a text.
fn tokens(text: &str) -> Vec<&str> {
    let is_token = |word: &&str| word.len() == 4 && word.starts_with('w') && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    text.split(|c: char| !c.is_alphanumeric()).filter(is_token).collect()
}

/// Removes, breaks and swaps lines. Text is broken between words, times anywhere.
fn damaged(text: &str, damage: &[(usize, usize, usize)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (what, at, place) in damage {
        let (n, other) = (at % lines.len(), place % lines.len());
        match what {
            0 if lines.len() > 1 => {
                lines.remove(n);
            }
            1 => lines.swap(n, other),
            _ => {
                let line = lines[n].clone();
                let head = tokens(&line).first().and_then(|word| line.find(word)).unwrap_or(line.len());
                let cuts: Vec<usize> = (0..=head).chain(line.match_indices(' ').map(|(at, _)| at).filter(|at| *at > head)).collect();
                let (before, after) = line.split_at(cuts[place % cuts.len()]);
                lines[n] = before.to_owned();
                lines.insert(n + 1, after.to_owned());
            }
        }
    }
    lines.join("\n") + "\n"
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
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_word_of_a_damaged_file_is_lost_in_silence(
        format in 0..9usize,
        cues in 3..9usize,
        damage in prop::collection::vec((0..3usize, 0..99usize, 0..99usize), 1..4),
    ) {
        let text = damaged(&good_file(format, cues), &damage);
        let words = tokens(&text);
        match read(&text) {
            Ok(read) => {
                check(&read)?;
                let joined = read.transcript.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
                let kept = tokens(&joined);
                prop_assert_eq!(kept.iter().collect::<BTreeSet<_>>().len(), kept.len(), "twice: {}\n{}", joined, text);
                // Numbers and pieces of broken times count as words where they are lost.
                let known = kept.len() + read.counts.words_lost + read.counts.words_unspoken;
                prop_assert!((words.len()..words.len() + 13 * damage.len()).contains(&known), "{:?}\n{}\n{:?}", read.counts, text, read.warnings);
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidInput),
        }
    }

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
