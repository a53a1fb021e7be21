//! What became of a file's words, and the warnings about those that were not kept.

use std::fmt;

use crate::model::{Stage, Warning, WarningKind};

/// What became of the cues and words of a file.
///
/// A word of a file is a run of characters between white space that has a letter or a digit, in the
/// text of cues and in lines between, before and behind cues. In scripts without spaces, it is one
/// of the words into which the run is divided. Markup is no word, and neither is what a format has
/// besides text: times, also broken ones; numbers and identifiers that stand before times;
/// settings, headers, styles, notes and comments; columns and attributes; fields of JSON other than
/// texts. A piece of a line that was broken has no format, so it is text, and its words count.
///
/// `words_seen` is the number of words of the file, and the sum of the other four numbers of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadCounts {
    /// Cues, or segments and words with times, in the file.
    pub cues_seen: usize,
    /// Those that became words or events; layers and repeats of others are not counted.
    pub cues_kept: usize,
    /// Words of the file.
    pub words_seen: usize,
    /// Words of the transcript.
    pub words_kept: usize,
    /// Words in descriptions of sounds and names of speakers.
    pub words_unspoken: usize,
    /// Words that the file repeats, as roll-up captions and layers do.
    pub words_repeated: usize,
    /// Words that were lost. The warnings say where and why.
    pub words_lost: usize,
}

/// Why words are not in the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    BeforeFirstCue,
    NoRoom,
    BrokenTime,
    NumberWithoutTimes,
    BrokenEvent,
    BeforeTheStart,
    AfterTheEnd,
    NoTime,
    Outside,
    NotInList,
    Twice,
    Sign,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::BeforeFirstCue => "they stand before the first time",
            Reason::NoRoom => "their time was not understood, and there is no room between the cues around them",
            Reason::BrokenTime => "they are pieces of broken times",
            Reason::NumberWithoutTimes => "they are numbers of cues whose times are missing",
            Reason::BrokenEvent => "their line has no times where the format has them",
            Reason::BeforeTheStart => "they are timed before the start of the video",
            Reason::AfterTheEnd => "they are timed after the end of the video; the captions may belong to another cut",
            Reason::NoTime => "they have no time",
            Reason::Outside => "they stand before or after the JSON",
            Reason::NotInList => "they stand in the text and are missing in its list of words with times",
            Reason::Twice => "their entry has two values of the same name, of which the last counts",
            Reason::Sign => "they are signs on the picture, not speech",
        })
    }
}

/// Collects what is lost, repaired and guessed.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// The reason, the number of words, the number of places, and the first line.
    lost: Vec<(Reason, usize, usize, usize)>,
    repaired: Vec<(&'static str, usize, usize)>,
    notes: Vec<String>,
    /// Whether places are numbers of entries and not of lines.
    entries: bool,
}

impl Losses {
    /// Words were lost at a line.
    pub(super) fn lose(&mut self, reason: Reason, line: usize, words: usize) {
        if words == 0 {
            return;
        }
        match self.lost.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, all, places, first)) => (*all, *places, *first) = (*all + words, *places + 1, line.min(*first)),
            None => self.lost.push((reason, words, 1, line)),
        }
    }

    /// A cue was repaired. `what` completes "of N cues ...".
    pub(super) fn repair(&mut self, what: &'static str, line: usize) {
        match self.repaired.iter_mut().find(|(known, ..)| *known == what) {
            Some((_, count, first)) => (*count, *first) = (*count + 1, line.min(*first)),
            None => self.repaired.push((what, 1, line)),
        }
    }

    pub(super) fn note(&mut self, message: String) {
        self.notes.push(message);
    }

    /// Places are numbers of entries: the file is JSON or a table.
    pub(super) fn count_entries(&mut self) {
        self.entries = true;
    }

    pub(super) fn words(&self) -> usize {
        self.lost.iter().map(|(_, words, ..)| words).sum()
    }

    /// The warnings, with the number of words, the first line and the reason.
    pub(super) fn warnings(mut self) -> Vec<Warning> {
        self.lost.sort_unstable();
        let warning = |kind, message| Warning::new(kind, Stage::Transcribe, message);
        let plural = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let unit = if self.entries { "entry" } else { "line" };
        let first = |line: usize| if line == 0 { String::new() } else { format!(", first at {unit} {line}") };
        let lost = self.lost.iter().map(|(reason, words, places, line)| {
            let places = plural(*places, "place", "places");
            let message = format!("{} in {places} were lost{}: {reason}", plural(*words, "word", "words"), first(*line));
            warning(WarningKind::InputLost, message)
        });
        let repaired = self.repaired.iter().map(|(what, count, line)| {
            warning(WarningKind::Repaired, format!("of {}, {what}; the first is at {unit} {line}", plural(*count, "cue", "cues")))
        });
        let notes = self.notes.iter().map(|note| warning(WarningKind::InputLost, note.clone()));
        lost.chain(repaired).chain(notes).collect()
    }
}
