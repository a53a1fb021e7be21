//! The words of a clip, and the places between them.

use super::op::{WordQuote, WordSelection};
use super::retime::middle;
use super::{EditSources, invalid};
use crate::error::Result;
use crate::model::{ClipPlan, Span, Timestamp, Transcript, Word};
use crate::plan::caption::normalized;

/// A cut before a word leaves so much of the pause before it, in seconds: unvoiced consonants begin
/// before the word's time.
const LEAD_IN: f64 = 0.06;
/// An end of the clip leaves so much of the pause after the last word, in seconds.
const LEAD_OUT: f64 = 0.16;

/// A word of the clip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClipWord {
    pub(super) text: String,
    /// On the clip's timeline.
    pub(super) span: Span,
}

/// The words of the captions; of the transcript, if there are none. Empty without both.
pub(super) fn of_clip(plan: &ClipPlan, sources: &EditSources<'_>) -> Vec<ClipWord> {
    if let Some(track) = &plan.captions {
        let words = track.cues.iter().flat_map(|cue| &cue.words);
        return words.map(|word| ClipWord { text: word.text.clone(), span: word.span }).collect();
    }
    sources.transcript.map_or_else(Vec::new, |transcript| of_transcript(plan, transcript))
}

/// The words of the transcript that the clip plays.
pub(super) fn of_transcript(plan: &ClipPlan, transcript: &Transcript) -> Vec<ClipWord> {
    let timeline = plan.timeline();
    let spoken = timeline.pieces().iter().flat_map(|piece| {
        transcript
            .words_in(piece.source)
            .iter()
            .map(|word| ClipWord { text: word.text.clone(), span: Span::between(piece.clip_time(word.start), piece.clip_time(word.end)) })
    });
    spoken.filter(|word| !word.text.trim().is_empty()).collect()
}

/// The same words as those of a transcript on the clip's timeline.
pub(super) fn as_words(words: &[ClipWord]) -> Vec<Word> {
    words.iter().map(|word| Word::new(word.text.as_str(), word.span.start().secs(), word.span.end().secs())).collect()
}

/// The words of the clip; an error if it has none.
pub(super) fn required(plan: &ClipPlan, sources: &EditSources<'_>) -> Result<Vec<ClipWord>> {
    let words = of_clip(plan, sources);
    if words.is_empty() {
        return Err(invalid("the plan has no words to choose from").with_advice("give the transcript of the source"));
    }
    Ok(words)
}

/// The ranges of words that are selected, in order, without overlaps.
pub(super) fn selected(words: &[ClipWord], selection: &WordSelection) -> Result<Vec<(usize, usize)>> {
    match selection {
        WordSelection::Range(range) => {
            if range.from >= range.to || range.to > words.len() {
                return Err(invalid(format!("words {} to {} do not exist: the clip has {}", range.from, range.to, words.len()))
                    .with_advice("numbers start at 0, and the last one is not included"));
            }
            Ok(vec![(range.from, range.to)])
        }
        WordSelection::Quote(quote) => {
            let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            let found = occurrences(&texts, &quote.quote)?;
            match (quote, &found[..]) {
                (_, []) => Err(invalid(format!("nobody says {:?} in this clip", quote.quote))),
                (WordQuote { all: true, occurrence: None, .. }, _) => Ok(found),
                (WordQuote { occurrence: Some(n), .. }, _) => match n.checked_sub(1).and_then(|n| found.get(n)) {
                    Some(range) => Ok(vec![*range]),
                    None => Err(invalid(format!("{:?} is said {} times, so there is no occurrence {n}", quote.quote, found.len()))
                        .with_advice("occurrences are numbered from 1")),
                },
                (_, [only]) => Ok(vec![*only]),
                (_, several) => Err(invalid(format!("{:?} is said {} times", quote.quote, several.len()))
                    .with_advice("say which with `occurrence`, from 1, or mean `all`")),
            }
        }
    }
}

/// The places where a quote is said, as ranges of words.
pub(super) fn occurrences(words: &[&str], quote: &str) -> Result<Vec<(usize, usize)>> {
    let wanted: Vec<String> = quote.split_whitespace().map(normalized).filter(|word| !word.is_empty()).collect();
    if wanted.is_empty() {
        return Err(invalid(format!("the quote {quote:?} has no words")));
    }
    // Words without letters, such as a dash, are skipped.
    let said: Vec<(usize, String)> =
        words.iter().enumerate().map(|(n, word)| (n, normalized(word))).filter(|(_, word)| !word.is_empty()).collect();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(part) = said.get(from..from + wanted.len()) {
        if part.iter().map(|(_, word)| word).eq(&wanted) {
            found.extend(part.first().zip(part.last()).map(|(first, last)| (first.0, last.0 + 1)));
            from += wanted.len();
        } else {
            from += 1;
        }
    }
    Ok(found)
}

/// The stretches of the clip to cut so that ranges of words go. They are in order and do not
/// overlap.
pub(super) fn cuts(words: &[ClipWord], ranges: &[(usize, usize)], end: Timestamp) -> Vec<Span> {
    ranges
        .iter()
        .map(|&(from, to)| {
            if to < words.len() {
                return Span::between(before(words, from), before(words, to));
            }
            // The end of the clip sounds better with a part of the pause.
            let start = match from.checked_sub(1).and_then(|last| words.get(last)) {
                Some(last) => last.span.end().plus(LEAD_OUT).min(before(words, from)),
                None => Timestamp::ZERO,
            };
            Span::between(start.min(end), end)
        })
        .collect()
}

/// The place for a cut before a word: in the pause before it, near the word. Before the first word,
/// the clip's start.
pub(super) fn before(words: &[ClipWord], index: usize) -> Timestamp {
    let Some(last) = index.checked_sub(1).and_then(|last| words.get(last)) else { return Timestamp::ZERO };
    let Some(next) = words.get(index) else { return last.span.end() };
    let (from, to) = (last.span.end(), next.span.start());
    if from >= to {
        return to.max(middle(last.span)).min(middle(next.span));
    }
    to.plus(-LEAD_IN.min(to.since(from).secs() / 2.0))
}

/// The sentences of a transcript as ranges of words.
pub(super) fn sentences(words: &[Word]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    for (n, word) in words.iter().enumerate() {
        let next_is_lower = words.get(n + 1).is_some_and(|next| next.text.starts_with(char::is_lowercase));
        let text = word.text.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}', '\u{300d}']);
        let ends = text.ends_with(['?', '!', '\u{3002}', '\u{ff1f}', '\u{ff01}']) || (text.ends_with(['.', '\u{2026}']) && !next_is_lower);
        if ends || n + 1 == words.len() {
            found.push((from, n + 1));
            from = n + 1;
        }
    }
    found
}

/// The place for the clip's start before a word of the transcript, on the source's timeline.
pub(super) fn start_before(words: &[Word], index: usize) -> Timestamp {
    let Some(first) = words.get(index) else { return Timestamp::ZERO };
    let pause = index.checked_sub(1).and_then(|last| words.get(last)).map_or(first.start.secs(), |last| first.start.since(last.end).secs());
    first.start.plus(-LEAD_IN.min((pause / 2.0).max(0.0))).max(Timestamp::ZERO)
}

/// The place for the clip's end after a word of the transcript, on the source's timeline.
pub(super) fn end_after(words: &[Word], index: usize, source_end: Timestamp) -> Timestamp {
    let Some(last) = words.get(index) else { return source_end };
    let next = words.get(index + 1).map_or(source_end, |next| next.start);
    last.end.plus(LEAD_OUT.min((next.since(last.end).secs() / 2.0).max(0.0))).min(source_end)
}
