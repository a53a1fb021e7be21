//! For the fuzz targets.

use super::count::Losses;
use super::{Content, ReadCounts, ReadOptions, ReadTranscript, ass, assemble, cue_lines, json, lrc, stamped, table, ttml};
use crate::model::Timestamp;

/// Reads a text with one reader, whatever it looks like.
pub(crate) fn read_as(reader: &str, text: &str) {
    let mut losses = Losses::default();
    let content = match reader {
        "srt" => Ok(Content::Cues(cue_lines::read(text, false, &mut losses))),
        "webvtt" => Ok(Content::Cues(cue_lines::read(text, true, &mut losses))),
        "ass" => Ok(Content::Cues(ass::read(text, &mut losses))),
        "lrc" => Ok(Content::Cues(lrc::read(text, &mut losses))),
        "stamped" => Ok(Content::Cues(stamped::read(text, &mut losses))),
        "xml" => Ok(Content::Cues(ttml::read(text, &mut losses))),
        "table" => table::read(text, if text.contains('\t') { '\t' } else { ',' }, &mut losses),
        _ => json::read(text, &mut losses),
    };
    if let Ok(read) = content.and_then(|content| assemble::assemble(content, losses, &ReadOptions::default())) {
        check_counts(&read);
    }
}

/// Checks that each word is accounted for, and the contract of transcribers.
pub(crate) fn check_counts(read: &ReadTranscript) {
    let ReadCounts { words_seen, words_kept, words_unspoken, words_repeated, words_lost, .. } = read.counts;
    assert_eq!(words_seen, words_kept + words_unspoken + words_repeated + words_lost, "{:?}", read.counts);
    let words = &read.transcript.words;
    assert_eq!(words_kept, words.len());
    assert!(words_lost == 0 || !read.warnings.is_empty());
    assert!(words.is_sorted_by(|a, b| a.end <= b.start));
    assert!(words.iter().all(|word| word.start >= Timestamp::ZERO && word.start <= word.end && !word.text.is_empty()));
}
