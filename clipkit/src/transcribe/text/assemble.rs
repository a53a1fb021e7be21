//! From cues and timed entries to a transcript, with a count of every word.

use super::count::{Losses, Reason};
use super::json::{Piece, Run, Timed};
use super::place::place;
use super::{Content, RawCue, RawCues, ReadCounts, ReadOptions, ReadTranscript, refuse};
use crate::error::{Error, Result};
use crate::model::{Limit, SoundEvent, Span, Timestamp, Transcript, Word};
use crate::transcribe::marks::{gather_labels, mark};
use crate::transcribe::markup::{Markup, Role, Speakers, TimedChar, lines, printable};
use crate::transcribe::rolling::Cue;
use crate::transcribe::words::{CueWords, append_punctuation, count, divided, repair, words_of};

/// Makes the transcript.
pub(super) fn assemble(mut content: Content, mut losses: Losses, options: &ReadOptions) -> Result<ReadTranscript> {
    let duration = options.duration.filter(|duration| *duration > Timestamp::ZERO);
    let mut speakers = Speakers::default();
    if let Some(offset) = options.offset {
        // Times inside the text are read later.
        speakers.offset = offset;
        shift(&mut content, offset);
    }
    let count = match &content {
        Content::Cues(read) => read.cues.len(),
        // A list of words is limited as words.
        Content::Timed(timed) => timed.runs.iter().map(|run| if let Run::Cues(cues) = run { cues.len() } else { 1 }).sum(),
    };
    options.limits.check(Limit::TranscriptCues, count as u64)?;
    let (format, language, seen, found) = match content {
        Content::Cues(RawCues { format, markup, cues, language }) => {
            let seen = cues.len();
            (format, language, seen, of_cues(cues, markup, &mut speakers, duration, &mut losses)?)
        }
        Content::Timed(timed) => {
            losses.count_entries();
            let (format, language, seen) = (timed.format, timed.language.clone(), timed.count);
            (format, language, seen, of_timed(timed, &mut speakers, duration, &mut losses)?)
        }
    };
    if seen == 0 {
        return Err(no_cues(&losses));
    }
    let CueWords { words, mut events, seen: words_seen, unspoken, repeated, cues } = found;
    let (words, before) = (in_order(words, &mut losses), losses.words());
    let made = words.len();
    let words = repair(words, duration.unwrap_or_default(), &options.limits)?;
    // Words that begin after the end. Those of cues were cut before.
    losses.lose(Reason::AfterTheEnd, 0, made - words.len());
    events.retain(|event| duration.is_none_or(|duration| event.span.start() < duration));
    events.sort_by_key(|event| event.span.start());
    let counts = ReadCounts {
        cues_seen: seen,
        cues_kept: cues,
        words_seen: words_seen + before,
        words_kept: words.len(),
        words_unspoken: unspoken,
        words_repeated: repeated,
        words_lost: losses.words(),
    };
    if counts.words_kept == 0 && counts.words_lost > 0 {
        return Err(all_lost(&counts, losses));
    }
    check(&counts, &mut losses);
    let transcript = Transcript { language, words, events, ..Transcript::default() };
    Ok(ReadTranscript { transcript, format, warnings: losses.warnings(), counts })
}

/// Adds `offset` to every time.
fn shift(content: &mut Content, offset: Timestamp) {
    let shift = |time: &mut Option<Timestamp>| *time = time.map(|time| time.offset(offset));
    let shift_cues = |cues: &mut [RawCue]| {
        for cue in cues {
            shift(&mut cue.start);
            shift(&mut cue.end);
        }
    };
    match content {
        Content::Cues(read) => shift_cues(&mut read.cues),
        Content::Timed(timed) => {
            for run in &mut timed.runs {
                match run {
                    Run::Cues(cues) => shift_cues(cues),
                    Run::Words(pieces) => {
                        for piece in pieces {
                            shift(&mut piece.start);
                            shift(&mut piece.end);
                        }
                    }
                }
            }
        }
    }
}

/// The error for a file whose words are all lost.
fn all_lost(counts: &ReadCounts, losses: Losses) -> Error {
    let reasons: Vec<String> = losses.warnings().into_iter().map(|warning| warning.message).collect();
    refuse(format!("none of the {} words of this file can be used: {}", counts.words_seen, reasons.join("; "))).with_advice(
        "check that it belongs to this video; where all times are late or early by the same time, --offset SECONDS corrects them",
    )
}

fn no_cues(losses: &Losses) -> Error {
    let lost = match losses.words() {
        0 => String::new(),
        words => format!(" ({words} words have no time)"),
    };
    refuse(format!("there are no captions in this file{lost}"))
        .with_advice("expected SRT, WebVTT, ASS, SBV, LRC, TTML, TSV, text with a time before each passage, or words with times in JSON")
}

/// Warns of what the counts show: words that are nowhere, and many that are not taken for speech.
fn check(counts: &ReadCounts, losses: &mut Losses) {
    let known = counts.words_kept + counts.words_unspoken + counts.words_repeated + counts.words_lost;
    if known != counts.words_seen {
        losses.note(format!("{} of {} words are not accounted for", counts.words_seen.abs_diff(known), counts.words_seen));
    }
    if counts.words_unspoken > 20 && counts.words_unspoken > counts.words_kept {
        losses.note(format!(
            "{} of {} words stand in brackets, between notes or as names of speakers, and are not taken for speech",
            counts.words_unspoken, counts.words_seen
        ));
    }
}

/// The words of cues.
fn of_cues(
    cues: Vec<RawCue>,
    markup: Markup,
    speakers: &mut Speakers,
    duration: Option<Timestamp>,
    losses: &mut Losses,
) -> Result<CueWords> {
    gather_labels(cues.iter().map(|cue| cue.text.as_str()), speakers);
    let mut found = Vec::with_capacity(cues.len());
    for (cue, span) in place(join_pieces(cues), markup, losses) {
        let mut lines = lines(&cue.text, markup, span.start(), speakers);
        let speaker = cue.speaker.as_deref().and_then(|name| speakers.index_of(name));
        for character in lines.iter_mut().flatten().filter(|character| character.speaker.is_none()) {
            character.speaker = speaker;
        }
        let reason = if span.end() <= Timestamp::ZERO && span.start() < Timestamp::ZERO {
            Some(Reason::BeforeTheStart)
        } else {
            duration.filter(|duration| span.start() >= *duration).map(|_| Reason::AfterTheEnd)
        };
        match reason {
            Some(reason) => {
                losses.lose(reason, cue.line, lines.iter().map(|line| count(line)).map(|(spoken, unspoken)| spoken + unspoken).sum())
            }
            None => {
                let end = duration.map_or(span.end(), |duration| span.end().min(duration));
                found.push(Cue { span: Span::between(span.start().max(Timestamp::ZERO), end.max(Timestamp::ZERO)), lines });
            }
        }
    }
    Ok(words_of(found, speakers))
}

/// Joins cues of one token each, which begin with the blank before the word, as whisper.cpp writes
/// with `-ml 1`: " bri", "dges".
fn join_pieces(cues: Vec<RawCue>) -> Vec<RawCue> {
    const MAX_GAP: f64 = 0.3;
    let is_token = |cue: &&RawCue| cue.text.split_whitespace().count() <= 1;
    let leading = cues.iter().filter(|cue| cue.text.starts_with(' ')).count();
    if leading * 5 < cues.len() || cues.len() < 3 || cues.iter().filter(is_token).count() * 10 < cues.len() * 9 {
        return cues;
    }
    let mut joined: Vec<RawCue> = Vec::with_capacity(cues.len());
    for cue in cues {
        match joined.last_mut() {
            Some(before)
                if !cue.text.starts_with(char::is_whitespace)
                    && !cue.text.is_empty()
                    && before.end.zip(cue.start).is_some_and(|(end, start)| start.since(end).secs().abs() <= MAX_GAP) =>
            {
                before.text.push_str(&cue.text);
                before.end = before.end.max(cue.end);
            }
            _ => joined.push(cue),
        }
    }
    joined
}

/// The words of entries, in the order of the file.
fn of_timed(timed: Timed, speakers: &mut Speakers, duration: Option<Timestamp>, losses: &mut Losses) -> Result<CueWords> {
    for (place, words) in timed.missing {
        losses.lose(Reason::NotInList, place, words);
    }
    let mut all = CueWords::default();
    for run in timed.runs {
        let found = match run {
            Run::Cues(cues) => of_cues(cues, Markup::SubRip, speakers, duration, losses)?,
            Run::Words(pieces) => of_pieces(&pieces, speakers),
        };
        all.words.extend(found.words);
        all.events.extend(found.events);
        all.seen += found.seen;
        all.unspoken += found.unspoken;
        all.repeated += found.repeated;
        all.cues += found.cues;
    }
    Ok(all)
}

/// The words of entries that have times. Brackets and names of speakers may extend over several.
fn of_pieces(pieces: &[Piece], speakers: &mut Speakers) -> CueWords {
    let mut characters: Vec<TimedChar> = Vec::new();
    let mut ranges = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let role = if piece.is_event { Role::Event } else { Role::Spoken };
        let character = |letter: char| TimedChar { letter, at: None, role, speaker: None, highlighted: false };
        characters.push(TimedChar { role: Role::Spoken, ..character(' ') });
        let from = characters.len();
        characters.extend(piece.text.chars().filter_map(printable).map(|letter| if letter == '\n' { ' ' } else { letter }).map(character));
        ranges.push(from..characters.len());
    }
    mark(&mut characters, speakers);
    let mut found = CueWords { cues: pieces.len(), ..CueWords::default() };
    let mut event: Option<(String, Span)> = None;
    for (piece, range) in pieces.iter().zip(ranges) {
        let part = &characters[range];
        let (start, end) = (piece.start.unwrap_or_default(), piece.end.or(piece.start).unwrap_or_default());
        let span = Span::between(start, end.max(start));
        let text = |wanted: fn(&TimedChar) -> bool| {
            part.iter().filter(|character| wanted(character)).map(|character| character.letter).collect::<String>()
        };
        let spoken = text(TimedChar::is_spoken);
        let sound = text(|character| character.role == Role::Event);
        if sound.is_empty() {
            push_event(&mut found.events, event.take());
        } else {
            let joined = event.get_or_insert_with(|| (String::new(), span));
            joined.0.push(' ');
            joined.0.push_str(&sound);
            joined.1 = Span::between(joined.1.start(), joined.1.end().max(span.end()));
        }
        let label = part.iter().find(|character| character.is_spoken()).and_then(|character| speakers.name(character.speaker));
        let speaker = piece.speaker.as_deref().or(label);
        let words = divided(&spoken, span);
        let (heard, described) = count(part);
        found.seen += (heard + described).max(words.len());
        found.unspoken += (heard + described).saturating_sub(words.len());
        if words.is_empty()
            && let Some(before) = found.words.last_mut()
        {
            spoken.split_whitespace().for_each(|mark| append_punctuation(&mut before.text, mark));
        }
        found.words.extend(words.into_iter().map(|mut word| {
            word.speaker = speaker.map(str::to_owned);
            word
        }));
    }
    push_event(&mut found.events, event);
    found
}

fn push_event(events: &mut Vec<SoundEvent>, event: Option<(String, Span)>) {
    if let Some((text, span)) = event {
        let text: String = text.trim_matches(|c: char| c.is_whitespace() || "[]()*<>".contains(c)).chars().take(200).collect();
        if text.chars().any(|c| c.is_alphanumeric() || matches!(c, '\u{2669}'..='\u{266f}')) {
            events.push(SoundEvent::new(text, span));
        }
    }
}

/// Keeps the order of the list where a few times run backwards: these words stand between their
/// neighbours. Lists that are no sequence, such as those of several channels, are sorted.
fn in_order(mut words: Vec<Word>, losses: &mut Losses) -> Vec<Word> {
    let kept = longest_rising(&words);
    let wrong = words.len() - kept.iter().filter(|kept| **kept).count();
    if wrong == 0 {
        return words;
    }
    if wrong > 1 && wrong * 8 > words.len() {
        words.sort_by_key(|word| word.start);
        return words;
    }
    losses.note(format!("{wrong} of {} words have times that run backwards; they keep their places, with repaired times", words.len()));
    let mut n = 0;
    while n < words.len() {
        if kept[n] {
            n += 1;
            continue;
        }
        let run = kept[n..].iter().take_while(|kept| !**kept).count();
        let next = words.get(n + run).map(|word| word.start);
        let before = n.checked_sub(1).map_or(Timestamp::ZERO, |before| words[before].start);
        let low = n.checked_sub(1).map_or(Timestamp::ZERO, |before| words[before].end).max(before);
        let low = next.map_or(low, |next| low.min(next));
        let high = next.unwrap_or_else(|| low.plus(0.3 * run as f64));
        let step = high.since(low).secs() / run as f64;
        for (k, word) in words[n..n + run].iter_mut().enumerate() {
            word.start = low.plus(step * k as f64);
            word.end = low.plus(step * (k + 1) as f64).min(high);
        }
        n += run;
    }
    words
}

/// Which words belong to a longest sequence whose starts do not fall.
fn longest_rising(words: &[Word]) -> Vec<bool> {
    // The last word of the best sequence of each length, and the word before each word in its own.
    let mut lasts: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = vec![None; words.len()];
    for (n, word) in words.iter().enumerate() {
        let place = lasts.partition_point(|last| words[*last].start <= word.start);
        previous[n] = place.checked_sub(1).map(|before| lasts[before]);
        if place == lasts.len() { lasts.push(n) } else { lasts[place] = n }
    }
    let mut kept = vec![false; words.len()];
    let mut at = lasts.last().copied();
    while let Some(n) = at {
        kept[n] = true;
        at = previous[n];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_run_backwards_keep_their_places() {
        let words = vec![
            Word::new("a", 1.0, 1.2),
            Word::new("b", 9.0, 9.2),
            Word::new("c", 1.4, 1.6),
            Word::new("d", 2.0, 2.2),
            Word::new("e", 3.0, 3.2),
        ];
        let mut losses = Losses::default();
        let ordered = in_order(words, &mut losses);
        let shown: Vec<String> =
            ordered.iter().map(|word| format!("{} {:.1}-{:.1}", word.text, word.start.secs(), word.end.secs())).collect();
        assert_eq!(shown, ["a 1.0-1.2", "b 1.2-1.4", "c 1.4-1.6", "d 2.0-2.2", "e 3.0-3.2"]);
        assert_eq!(losses.warnings().len(), 1);
        let channels: Vec<Word> = [1.0, 2.0, 3.0, 1.5, 2.5].iter().map(|at| Word::new(at.to_string(), *at, at + 0.2)).collect();
        assert!(in_order(channels, &mut Losses::default()).is_sorted_by_key(|word| word.start));
    }
}
