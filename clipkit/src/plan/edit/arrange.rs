//! Operations that change what the clip plays: cuts, orders, ends.

use super::captions;
use super::op::{SentencePlace, WordSelection};
use super::retime::{Kept, rearranged};
use super::words;
use super::{EditSources, invalid};
use crate::error::Result;
use crate::model::{ClipPlan, Piece, Span, Timestamp, Transcript, Word};

/// A shorter rest of a piece is dropped, in microseconds: a plan's shortest piece.
const SHORTEST_MICROS: u128 = 40_000;

/// All of the clip, a piece at a time.
fn everything(plan: &ClipPlan) -> Vec<Kept> {
    plan.timeline().pieces().iter().map(|piece| Kept::Old(piece.clip)).collect()
}

/// The plan without stretches of its timeline, which are in order and do not overlap.
pub(super) fn without(plan: &ClipPlan, cuts: &[Span]) -> Result<ClipPlan> {
    let kept = remaining(plan, cuts);
    if kept.is_empty() {
        return Err(invalid("nothing of the clip would be left"));
    }
    Ok(rearranged(plan, &kept))
}

fn remaining(plan: &ClipPlan, cuts: &[Span]) -> Vec<Kept> {
    let timeline = plan.timeline();
    let mut kept = Vec::new();
    for piece in timeline.pieces() {
        let mut from = piece.clip.start();
        let inside = cuts.iter().filter_map(|cut| cut.intersection(piece.clip));
        let ends = inside.map(|cut| (cut.start(), cut.end())).chain([(piece.clip.end(), piece.clip.end())]);
        for (to, next) in ends {
            let part = Span::between(from, to.max(from));
            if part.duration().as_micros() > SHORTEST_MICROS {
                kept.push(Kept::Old(part));
            }
            from = next.max(from);
        }
    }
    kept
}

/// Cuts words out.
pub(super) fn delete_words(plan: &ClipPlan, sources: &EditSources<'_>, selection: &WordSelection) -> Result<ClipPlan> {
    let words = words::required(plan, sources)?;
    let ranges = words::selected(&words, selection)?;
    without(plan, &words::cuts(&words, &ranges, plan.timeline().end()))
}

/// Cuts everything but words out.
pub(super) fn keep_words(plan: &ClipPlan, sources: &EditSources<'_>, selection: &WordSelection) -> Result<ClipPlan> {
    let words = words::required(plan, sources)?;
    let ranges = words::selected(&words, selection)?;
    let mut rest = Vec::new();
    let mut from = 0;
    for (start, end) in ranges {
        if from < start {
            rest.push((from, start));
        }
        from = end;
    }
    if from < words.len() {
        rest.push((from, words.len()));
    }
    without(plan, &words::cuts(&words, &rest, plan.timeline().end()))
}

/// Plays the pieces in another order.
pub(super) fn order_pieces(plan: &ClipPlan, order: &[usize]) -> Result<ClipPlan> {
    let pieces = everything(plan);
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..pieces.len()) {
        return Err(invalid(format!("the order {order:?} does not name each of the {} pieces once", pieces.len()))
            .with_advice("numbers start at 0"));
    }
    let kept: Vec<Kept> = order.iter().filter_map(|n| pieces.get(*n).copied()).collect();
    Ok(rearranged(plan, &kept))
}

/// Plays words first.
pub(super) fn hook_first(plan: &ClipPlan, sources: &EditSources<'_>, selection: &WordSelection, repeat: bool) -> Result<ClipPlan> {
    let words = words::required(plan, sources)?;
    let ranges = words::selected(&words, selection)?;
    let end = plan.timeline().end();
    let moved: Vec<Span> = words::cuts(&words, &ranges, end)
        .into_iter()
        .zip(&ranges)
        // The pause before the words is no part of the hook, and that after them is.
        .map(|(cut, &(from, to))| Span::between(words::before(&words, from), if to == words.len() { end } else { cut.end() }))
        .collect();
    let others = complement(&moved, end);
    let mut kept = remaining(plan, &others);
    kept.extend(if repeat { everything(plan) } else { remaining(plan, &moved) });
    Ok(rearranged(plan, &kept))
}

/// The rest of the clip.
fn complement(spans: &[Span], end: Timestamp) -> Vec<Span> {
    let mut found = Vec::new();
    let mut from = Timestamp::ZERO;
    for span in spans {
        found.push(Span::between(from, span.start().max(from)));
        from = span.end();
    }
    found.push(Span::between(from, end.max(from)));
    found.retain(|span| !span.duration().is_zero());
    found
}

/// Moves the clip's start to a sentence's.
pub(super) fn move_start(plan: &ClipPlan, sources: &EditSources<'_>, to: &SentencePlace) -> Result<ClipPlan> {
    let transcript = transcript(sources)?;
    let timeline = plan.timeline();
    let Some(first) = timeline.pieces().first() else { return Err(invalid("the plan has no pieces")) };
    let current = transcript.words.partition_point(|word| words_middle(word) < first.source.start());
    let (from, _) = sentence(transcript, current, to)?;
    let start = words::start_before(&transcript.words, from);
    if start < first.source.start() {
        let added = Piece::new(Span::between(start, first.source.start())).at_speed(first.speed);
        let mut kept = vec![Kept::New { piece: added, near: Timestamp::ZERO }];
        kept.extend(everything(plan));
        let mut edited = rearranged(plan, &kept);
        captions::add(&mut edited, transcript, added.span);
        return Ok(edited);
    }
    let moved = timeline.clip_times(start).next().or_else(|| {
        // The sentence's start was cut: the next piece that plays something of it.
        timeline.pieces().iter().find(|piece| piece.source.start() >= start).map(|piece| piece.clip.start())
    });
    let Some(moved) = moved else {
        return Err(invalid("the clip does not play that sentence").with_advice("choose one that it plays, or an earlier one"));
    };
    without(plan, &[Span::between(Timestamp::ZERO, moved)])
}

/// Moves the clip's end to a sentence's.
pub(super) fn move_end(plan: &ClipPlan, sources: &EditSources<'_>, to: &SentencePlace) -> Result<ClipPlan> {
    let transcript = transcript(sources)?;
    let timeline = plan.timeline();
    let Some(last) = timeline.pieces().last() else { return Err(invalid("the plan has no pieces")) };
    let current = transcript.words.partition_point(|word| words_middle(word) < last.source.end()).saturating_sub(1);
    let (_, after) = sentence(transcript, current, to)?;
    let end = words::end_after(&transcript.words, after.saturating_sub(1), plan.source.duration);
    if end > last.source.end() {
        let added = Piece::new(Span::between(last.source.end(), end)).at_speed(last.speed);
        let mut kept = everything(plan);
        kept.push(Kept::New { piece: added, near: timeline.end() });
        let mut edited = rearranged(plan, &kept);
        captions::add(&mut edited, transcript, added.span);
        return Ok(edited);
    }
    let moved = timeline
        .clip_times(end)
        .last()
        .or_else(|| timeline.pieces().iter().rev().find(|piece| piece.source.end() <= end).map(|piece| piece.clip.end()));
    let Some(moved) = moved.filter(|moved| *moved > Timestamp::ZERO) else {
        return Err(invalid("the clip does not play that sentence").with_advice("choose one that it plays, or a later one"));
    };
    without(plan, &[Span::between(moved, timeline.end())])
}

fn transcript<'a>(sources: &EditSources<'a>) -> Result<&'a Transcript> {
    let given = sources.transcript.filter(|transcript| !transcript.words.is_empty());
    given.ok_or_else(|| invalid("moving an end to a sentence needs the transcript").with_advice("give the transcript of the source"))
}

fn words_middle(word: &Word) -> Timestamp {
    super::retime::middle(Span::between(word.start, word.end))
}

/// The sentence at a distance from that of the word `current`, or the one with a quote nearest to
/// it: its first word and the one after its last.
fn sentence(transcript: &Transcript, current: usize, to: &SentencePlace) -> Result<(usize, usize)> {
    let sentences = words::sentences(&transcript.words);
    let of_word = |word: usize| sentences.iter().position(|(_, end)| word < *end).unwrap_or(sentences.len().saturating_sub(1));
    let number = match to {
        SentencePlace::Sentences(distance) => {
            let last = sentences.len().saturating_sub(1) as i64;
            (of_word(current) as i64).saturating_add(distance.sentences).clamp(0, last) as usize
        }
        SentencePlace::Quote(quote) => {
            let texts: Vec<&str> = transcript.words.iter().map(|word| word.text.as_str()).collect();
            let found = words::occurrences(&texts, &quote.quote)?;
            let chosen = match quote.occurrence {
                Some(n) => n.checked_sub(1).and_then(|n| found.get(n)),
                None => found.iter().min_by_key(|(from, _)| from.abs_diff(current)),
            };
            let Some((from, _)) = chosen else {
                return Err(invalid(format!("{:?} is said {} times in the source, not there", quote.quote, found.len())));
            };
            of_word(*from)
        }
    };
    sentences.get(number).copied().ok_or_else(|| invalid("the transcript has no sentences"))
}
