//! Text with the time at which each passage starts, as people copy it from a player or a
//! transcription service: `0:03` on a line of its own (YouTube's transcript panel), `(0:03) text`,
//! `0:03 - text`, `Speaker 1  0:03` above the text (Otter).

use super::clock::clock;
use super::count::{Losses, Reason};
use super::{RawCue, RawCues};
use crate::model::Timestamp;
use crate::transcribe::markup::Markup;
use crate::transcribe::words::count_words;

/// Fewer words a second between the first and the last time are no speech: a list of chapters, an
/// agenda. The slowest speakers say one word a second with all their pauses.
const MIN_WORDS_PER_SEC: f64 = 0.5;
/// The longest name before a time, in words and in characters.
const MAX_NAME_WORDS: usize = 5;
const MAX_NAME_CHARS: usize = 40;

/// What the times in a text look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamps {
    /// Passages of speech.
    Speech,
    /// This many times with too few words for speech between them.
    Sparse(usize),
    /// Fewer than two times.
    None,
}

/// A line that starts with a time, or consists of a name and a time.
struct Stamp<'a> {
    at: Timestamp,
    speaker: Option<&'a str>,
    text: &'a str,
}

/// Finds out whether the times in a text are those of speech.
pub(super) fn stamps(text: &str) -> Stamps {
    let found = in_order(text);
    let (Some(&(first, start)), Some(&(last, end))) = (found.first(), found.last()) else { return Stamps::None };
    if found.len() < 2 {
        return Stamps::None;
    }
    let words: usize = lines(text).take(last).skip(first).map(count_words).sum();
    if words as f64 >= MIN_WORDS_PER_SEC * end.since(start).secs() { Stamps::Speech } else { Stamps::Sparse(found.len()) }
}

/// Reads passages.
pub(super) fn read(text: &str, losses: &mut Losses) -> RawCues {
    let mut stamps = in_order(text).into_iter().peekable();
    let mut cues: Vec<RawCue> = Vec::new();
    for (n, line) in lines(text).enumerate() {
        let stamp = stamps.next_if(|(at, _)| *at == n).and_then(|_| stamp(line));
        match (stamp, cues.last_mut()) {
            (Some(Stamp { at, speaker, text }), _) => {
                let speaker = speaker.map(str::to_owned);
                cues.push(RawCue { line: n + 1, start: Some(at), end: None, text: text.to_owned(), speaker });
            }
            (None, _) if line.is_empty() => {}
            // It is placed between its neighbours.
            (None, _) if is_broken_time(line) => cues.push(RawCue { line: n + 1, ..RawCue::default() }),
            (None, Some(cue)) => {
                if !cue.text.is_empty() {
                    cue.text.push('\n');
                }
                cue.text.push_str(line);
            }
            (None, None) => losses.lose(Reason::BeforeFirstCue, n + 1, count_words(line)),
        }
    }
    RawCues { format: "text with times", markup: Markup::Plain, cues, language: None }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('\r')).map(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'))
}

/// The lines with times and their times: the most that do not run backwards. A line that begins
/// with another time is text: "10:30 is when we met".
fn in_order(text: &str) -> Vec<(usize, Timestamp)> {
    let all: Vec<(usize, Timestamp)> = lines(text).enumerate().filter_map(|(n, line)| Some((n, stamp(line)?.at))).collect();
    // The longest non-decreasing subsequence: the last element of the best one of each length, and
    // for each element the one before it.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(all.len());
    for (n, (_, at)) in all.iter().enumerate() {
        let length = tails.partition_point(|&tail| all[tail].1 <= *at);
        before.push(length.checked_sub(1).map(|shorter| tails[shorter]));
        if length == tails.len() {
            tails.push(n);
        } else {
            tails[length] = n;
        }
    }
    let mut chosen: Vec<(usize, Timestamp)> =
        std::iter::successors(tails.last().copied(), |&n| before.get(n).copied().flatten()).filter_map(|n| all.get(n).copied()).collect();
    chosen.reverse();
    chosen
}

/// Whether a line consists of what times consist of. It is no stamp, or runs backwards.
fn is_broken_time(line: &str) -> bool {
    line.contains(':')
        && line.contains(|c: char| c.is_ascii_digit())
        && line.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | '(' | ')' | '[' | ']' | ' '))
}

fn stamp(line: &str) -> Option<Stamp<'_>> {
    if let Some((at, rest)) = leading_time(line) {
        let text = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '\u{2013}' | '\u{2014}' | '|'));
        return Some(Stamp { at, speaker: None, text });
    }
    // A name, then a time.
    let (name, time) = line.rsplit_once(char::is_whitespace)?;
    let name = name.trim_end();
    let is_name = name.chars().next().is_some_and(char::is_alphabetic)
        && !name.ends_with(['.', ',', '!', '?', ';'])
        && name.chars().count() <= MAX_NAME_CHARS
        && name.split_whitespace().count() <= MAX_NAME_WORDS;
    match leading_time(time) {
        Some((at, "")) if is_name => Some(Stamp { at, speaker: Some(name.trim_end_matches(':')), text: "" }),
        _ => None,
    }
}

/// The time at the start of a text, also in brackets, and what follows it.
fn leading_time(text: &str) -> Option<(Timestamp, &str)> {
    let (inside, close) = match text.chars().next()? {
        '(' => (&text[1..], Some(')')),
        '[' => (&text[1..], Some(']')),
        _ => (text, None),
    };
    let end = inside.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ',')).unwrap_or(inside.len());
    let (time, rest) = inside.split_at(end);
    // A comma or a full stop may follow the time in prose; it is no part of a stamp.
    if !time.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let rest = match close {
        Some(close) => rest.trim_start().strip_prefix(close)?,
        None if rest.is_empty() || rest.starts_with(char::is_whitespace) => rest,
        None => return None,
    };
    Some((clock(time)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let cues = read(text, &mut Losses::default()).cues;
        let shown = |cue: &RawCue| {
            let start = cue.start.map_or("?".into(), |at| at.secs().to_string());
            format!("{start} {}: {}", cue.speaker.as_deref().unwrap_or("-"), cue.text)
        };
        cues.iter().map(shown).collect()
    }

    #[test]
    fn times_stand_above_before_and_behind() {
        assert_eq!(shown("0:03\nOne two\nthree\n1:00:05\nFour"), ["3 -: One two\nthree", "3605 -: Four"]);
        assert_eq!(shown("(0:03) One\r\n(00:07.5)  Two"), ["3 -: One", "7.5 -: Two"]);
        assert_eq!(shown("0:03 - One\n0:07 \u{2013} Two"), ["3 -: One", "7 -: Two"]);
        assert_eq!(shown("Speaker 1  0:03\nOne\n\nAnn Lee (0:07)\nTwo"), ["3 Speaker 1: One", "7 Ann Lee: Two"]);
    }

    #[test]
    fn times_in_the_speech_are_text() {
        assert_eq!(shown("0:03\nWe met at\n10:30 on a bridge\n0:07\nTwo"), ["3 -: We met at\n10:30 on a bridge", "7 -: Two"]);
        assert_eq!(shown("0:03\nWe met at 10:30.\n0:07\nTwo"), ["3 -: We met at 10:30.", "7 -: Two"]);
        assert_eq!(shown("0:03\n3,500 cracks\n0:07\n12:30, said Ann"), ["3 -: 3,500 cracks", "7 -: 12:30, said Ann"]);
    }

    #[test]
    fn broken_times_are_not_spoken() {
        assert_eq!(shown("0:03\nOne\n0:\nTwo\n9:99:1\nThree\n0:07\nFour"), ["3 -: One", "? -: Two", "? -: Three", "7 -: Four"]);
        assert_eq!(shown("0:03\nOne\n5:00\nTwo\n0:07\nThree\n0:09\nFour"), ["3 -: One", "? -: Two", "7 -: Three", "9 -: Four"]);
    }

    #[test]
    fn chapters_and_single_times_are_no_speech() {
        assert_eq!(stamps("0:00 Intro\n5:20 The bridge\n12:00 Questions and answers"), Stamps::Sparse(3));
        assert_eq!(stamps("Ann\n0:05\nHello\n"), Stamps::None);
        assert_eq!(stamps("0:00\nOne two three four\n0:03\nfive six"), Stamps::Speech);
    }
}
