//! Entries with times: the unit of their numbers, times that are missing, words and segments.

use super::super::{RawCue, refuse};
use super::missing::{lacking, with_missing};
use super::{Scale, Time};
use crate::error::Result;
use crate::model::{Timestamp, Word};
use crate::transcribe::punctuate::punctuate;
use crate::transcribe::words::{count_words, is_word, longest_secs};

/// A text with its times, as a document states them.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Entry {
    /// The number of the entry or the line, from 1.
    place: usize,
    /// Where it stands, for messages: `segments[3].words[2]`.
    path: String,
    pub(in super::super) text: String,
    pub(in super::super) start: Time,
    pub(in super::super) end: Time,
    pub(in super::super) length: Time,
    pub(in super::super) speaker: Option<String>,
    pub(super) is_event: bool,
    pub(super) is_spacing: bool,
    pub(super) words: Vec<Entry>,
}

impl Entry {
    pub(in super::super) fn new(place: usize, path: String, text: String) -> Self {
        Entry { place, path, text, ..Entry::default() }
    }

    fn end(&self) -> Option<Timestamp> {
        self.end.at().or_else(|| Some(self.start.at()?.offset(self.length.at()?)))
    }

    /// Each entry that has no words of its own.
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a Entry)) {
        if self.words.is_empty() { visit(self) } else { self.words.iter().for_each(|word| word.each(visit)) }
    }

    /// Its texts: its own, or those of its words if they are more.
    fn texts(&self) -> Vec<&str> {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        let is_more = words.iter().map(|word| count_words(word)).sum::<usize>() > count_words(&self.text);
        if is_more { words } else { vec![&self.text] }
    }

    fn scale(&mut self, scale: Scale) {
        for time in [&mut self.start, &mut self.end, &mut self.length] {
            *time = time.scaled(scale);
        }
        self.words.iter_mut().for_each(|word| word.scale(scale));
    }

    /// The first entry, this one or one of its words, with a time that is not understood.
    fn unclear(&self) -> Option<(&Entry, &str)> {
        let own = [&self.start, &self.end]
            .into_iter()
            .find_map(|time| if let Time::Unclear(text) = time { Some((self, text.as_str())) } else { None });
        own.filter(|_| is_said(&self.text) || self.text.trim().is_empty()).or_else(|| self.words.iter().find_map(Entry::unclear))
    }
}

fn is_said(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// A word, or a few, with times where they are known.
#[derive(Clone, Debug)]
pub(in super::super) struct Piece {
    pub(in super::super) text: String,
    pub(in super::super) start: Option<Timestamp>,
    pub(in super::super) end: Option<Timestamp>,
    pub(in super::super) speaker: Option<String>,
    pub(in super::super) is_event: bool,
}

/// A part of a transcript.
#[derive(Debug)]
pub(in super::super) enum Run {
    /// Words with times.
    Words(Vec<Piece>),
    /// Segments whose words have none.
    Cues(Vec<RawCue>),
}

/// Entries in the order of the document.
#[derive(Debug)]
pub(in super::super) struct Timed {
    pub(in super::super) format: &'static str,
    pub(in super::super) language: Option<String>,
    pub(in super::super) runs: Vec<Run>,
    /// How many entries there are.
    pub(in super::super) count: usize,
    /// Words of texts that are missing in the lists: the number of an entry, and how many.
    pub(in super::super) missing: Vec<(usize, usize)>,
}

impl Timed {
    /// Checks entries and gives all their words times. `text` has the punctuation that lists of
    /// words may lack.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if a time is not understood, or
    /// if there is none; the message names the entry.
    pub(super) fn new(format: &'static str, language: Option<String>, mut entries: Vec<Entry>, text: Option<String>) -> Result<Self> {
        entries.retain(|entry| !entry.is_spacing);
        let scale = scale_of(&entries);
        for (n, entry) in entries.iter_mut().enumerate() {
            entry.scale(scale);
            entry.place = if entry.place == 0 { n + 1 } else { entry.place };
        }
        if let Some((entry, time)) = entries.iter().find_map(Entry::unclear) {
            let message =
                format!("the time {time:?} of entry {} ({}, {:?}) is not understood", entry.place, entry.path, shortened(&entry.text));
            return Err(refuse(message).with_advice("correct or remove this entry; a file with an unclear time is not read in part"));
        }
        let mut timed = false;
        entries.iter().for_each(|entry| entry.each(&mut |entry| timed |= entry.start.at().or(entry.end.at()).is_some()));
        if !timed && !entries.iter().any(|entry| entry.start.at().is_some()) {
            return Err(refuse(format!("none of the {} entries has a time", entries.len())));
        }
        let count = entries.len();
        let leads = leads_with_blanks(&entries);
        let is_flat = entries.iter().all(|entry| entry.words.is_empty());
        let mut missing = Vec::new();
        let runs = if is_flat && is_word_list(&entries) {
            let (found, lacking) = pieces(entries, leads, None, None, text.as_deref());
            missing.push((0, lacking));
            vec![Run::Words(with_punctuation(found, text.as_deref()))]
        } else {
            let said: Vec<&str> = entries.iter().flat_map(Entry::texts).collect();
            missing.push((0, text.map_or(0, |text| lacking(&said, &text))));
            runs(entries, leads, &mut missing)
        };
        Ok(Timed { format, language, runs, count, missing })
    }

    /// The same for lines of a table.
    pub(in super::super) fn of_segments(format: &'static str, entries: Vec<Entry>) -> Result<Self> {
        Timed::new(format, None, entries, None)
    }

    pub(super) fn append(&mut self, other: Timed) {
        self.count += other.count;
        self.runs.extend(other.runs);
        self.missing.extend(other.missing);
        self.language = self.language.take().or(other.language);
    }
}

fn shortened(text: &str) -> String {
    text.trim().chars().take(30).collect()
}

/// The unit of the numbers whose names do not say it: that in which a word lasts as long as a word.
fn scale_of(entries: &[Entry]) -> Scale {
    let mut lengths: Vec<f64> = Vec::new();
    let (mut whole, mut before): (bool, Option<f64>) = (true, None);
    let mut visit = |entry: &Entry| {
        let (start, end, length) = (entry.start.number(), entry.end.number(), entry.length.number());
        whole &= [start, end, length].into_iter().flatten().all(|number| number.fract() == 0.0);
        let words = count_words(&entry.text).max(1) as f64;
        let stated = length.or_else(|| Some(end? - start?)).or_else(|| Some(start? - before?));
        lengths.extend(stated.map(|length| length / words).filter(|length| *length > 0.0));
        before = start.or(before);
    };
    entries.iter().for_each(|entry| entry.each(&mut visit));
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).map_or(Scale::Seconds, |length| Scale::of_word(*length, whole))
}

/// Whether entries are pieces of words that begin with the blank before the word: " three",
/// "-dimensional".
fn leads_with_blanks(entries: &[Entry]) -> bool {
    let (mut leading, mut all) = (0usize, 0usize);
    let mut visit = |entry: &Entry| {
        all += 1;
        leading += usize::from(entry.text.starts_with(' '));
    };
    entries.iter().for_each(|entry| entry.each(&mut visit));
    leading * 5 >= all.max(1)
}

/// Whether most entries are single words.
fn is_word_list(entries: &[Entry]) -> bool {
    const LONGEST: usize = 25;
    let single = |entry: &&Entry| {
        let mut words = entry.text.split_whitespace();
        words
            .next()
            .is_none_or(|word| word.chars().count() <= LONGEST && !word.chars().nth(8).is_some_and(crate::model::script::is_unspaced))
            && words.next().is_none()
    };
    entries.iter().filter(single).count() * 5 >= entries.len() * 4
}

/// Segments with words, and those without.
fn runs(entries: Vec<Entry>, leads: bool, missing: &mut Vec<(usize, usize)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for mut entry in entries {
        let words = std::mem::take(&mut entry.words);
        if has_its_words(&entry, &words) {
            let (start, end, speaker) = (entry.start.at(), entry.end(), entry.speaker);
            let (found, lacking) = pieces(words, leads, start, end, Some(&entry.text));
            missing.push((entry.place, lacking));
            let mut found = with_punctuation(found, Some(&entry.text));
            for piece in &mut found {
                piece.speaker = piece.speaker.take().or_else(|| speaker.clone());
            }
            runs.push(Run::Words(found));
            continue;
        }
        let text = if entry.text.trim().is_empty() {
            words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
        } else {
            entry.text
        };
        let first = |time: fn(&Entry) -> Option<Timestamp>| words.iter().find_map(time);
        let start = entry.start.at().or_else(|| first(|word| word.start.at()));
        let end = entry.end.at().or_else(|| Some(entry.start.at()?.offset(entry.length.at()?)));
        let text = if entry.is_event { format!("[{}]", text.trim_matches(['[', ']', '(', ')'])) } else { text };
        let cue = RawCue { line: entry.place, start, end, text, speaker: entry.speaker };
        match runs.last_mut() {
            Some(Run::Cues(cues)) => cues.push(cue),
            _ => runs.push(Run::Cues(vec![cue])),
        }
    }
    runs
}

/// Whether the words of a segment are those of its text, and some have times.
fn has_its_words(segment: &Entry, words: &[Entry]) -> bool {
    let said: usize = words.iter().map(|word| count_words(&word.text)).sum();
    let is_damaged = words.iter().any(|word| word.text.contains('\u{fffd}')) && !segment.text.contains('\u{fffd}');
    said > 0 && !is_damaged && said * 10 >= count_words(&segment.text) * 7 && words.iter().any(|word| word.start.at().is_some())
}

/// The words of a list, with those that only `text` has, and how many words of it are missing.
/// Pieces of a word are joined, and all get times, inside `from` and `to` where these are known.
fn pieces(entries: Vec<Entry>, leads: bool, from: Option<Timestamp>, to: Option<Timestamp>, text: Option<&str>) -> (Vec<Piece>, usize) {
    let mut found: Vec<Piece> = Vec::with_capacity(entries.len());
    for entry in entries.into_iter().filter(|entry| !entry.is_spacing && !entry.text.is_empty()) {
        let (start, end) = (entry.start.at(), entry.end());
        match found.last_mut() {
            Some(before) if leads && !entry.text.starts_with(char::is_whitespace) && !entry.is_event && !before.is_event => {
                before.text.push_str(&entry.text);
                before.end = before.end.max(end);
                before.start = before.start.or(start);
            }
            _ => found.push(Piece { text: entry.text, start, end, speaker: entry.speaker, is_event: entry.is_event }),
        }
    }
    let (mut found, lacking) = match text {
        Some(text) => with_missing(found, text),
        None => (found, 0),
    };
    fill(&mut found, from, to);
    (found, lacking)
}

/// Gives words without times the gap up to the next timed word, divided by their length.
fn fill(pieces: &mut [Piece], from: Option<Timestamp>, to: Option<Timestamp>) {
    let mut n = 0;
    while n < pieces.len() {
        if pieces[n].start.is_some() {
            n += 1;
            continue;
        }
        let length = pieces[n..].iter().take_while(|piece| piece.start.is_none()).count();
        let before = n.checked_sub(1).and_then(|before| pieces[before].end.or(pieces[before].start));
        let next = pieces.get(n + length).and_then(|piece| piece.start);
        let secs = |piece: &Piece| if is_said(&piece.text) || is_word(piece.text.trim()) { longest_secs(&piece.text) } else { 0.0 };
        let all: f64 = pieces[n..n + length].iter().map(secs).sum();
        // Google leaves out a start of zero; its end is known.
        let own_end = pieces[n + length - 1].end.filter(|_| next.is_none() || length == 1);
        let high = own_end.or(next).or(to);
        let low = before.or(from).or_else(|| high.map(|high| high.plus(-all / 2.0).max(Timestamp::ZERO))).unwrap_or_default();
        let high = high.unwrap_or_else(|| low.plus(all / 2.0)).max(low);
        let (mut at, room) = (low, high.since(low).secs());
        for piece in &mut pieces[n..n + length] {
            let end = if all > 0.0 { at.plus(room * secs(piece) / all).min(high) } else { at };
            (piece.start, piece.end) = (Some(at), Some(end));
            at = end;
        }
        n += length;
    }
    for n in 0..pieces.len() {
        if let (Some(start), None) = (pieces[n].start, pieces[n].end) {
            let longest = start.plus(longest_secs(&pieces[n].text));
            let next = pieces.get(n + 1).and_then(|piece| piece.start).or(to);
            pieces[n].end = Some(next.filter(|next| *next >= start).map_or(longest, |next| next.min(longest)));
        }
    }
}

/// Gives words the spelling of a text that has punctuation.
fn with_punctuation(pieces: Vec<Piece>, text: Option<&str>) -> Vec<Piece> {
    let is_marked = |text: &str| text.contains(['.', ',', '?', '!', '\u{3002}', '\u{61f}']);
    let plain = pieces.iter().all(|piece| !is_marked(&piece.text) && !piece.is_event && count_words(&piece.text) <= 1);
    let Some(text) = text.filter(|text| plain && is_marked(text)) else { return pieces };
    let word = |piece: &Piece| {
        let mut word = Word::new(piece.text.trim(), 0.0, 0.0);
        (word.start, word.end) = (piece.start.unwrap_or_default(), piece.end.unwrap_or_default());
        word.speaker.clone_from(&piece.speaker);
        word
    };
    // Text that is not said, such as a name of a speaker, is not taken over.
    let written = punctuate(pieces.iter().map(word).collect(), text);
    let piece =
        |word: Word| Piece { text: word.text, start: Some(word.start), end: Some(word.end), speaker: word.speaker, is_event: false };
    if written.len() == pieces.len() { written.into_iter().map(piece).collect() } else { pieces }
}
