//! Shortens pauses and removes fillers and repeated words.
//!
//! A pause is cut where three sources agree: no word, no voice activity, and a level far below that
//! of the speech. So laughter, music and words that the transcript lacks stay.

use super::arrange::without;
use super::op::TightenLevel;
use super::words::{self, ClipWord};
use super::{EditSources, invalid};
use crate::error::Result;
use crate::model::{ClipPlan, PlacedPiece, Span, SpeechMap, Timestamp};
use crate::plan::caption::normalized;

/// Nothing is cut this near to a word or to voice activity, in seconds.
const MARGIN: f64 = 0.04;
/// The shortest cut, in seconds: a shorter one is not worth a join.
const MIN_CUT: f64 = 0.1;
/// A pause is at least this much quieter than the median of the speech, in steps of
/// [`SpeechMap::levels`]: 12 dB.
const QUIETER: u8 = 24;
/// The length of an interval of [`SpeechMap::levels`], in microseconds.
const LEVEL_MICROS: i64 = 50_000;
/// A repeat starts within this time, in seconds.
const REPEAT_SECS: f64 = 3.0;
/// The most words of a repeat.
const REPEAT_WORDS: usize = 4;

/// Sounds that are no words, by language. In another language some of them are words, such as the
/// German and Portuguese "um".
const FILLERS: [(&str, &[&str]); 6] = [
    ("en", &["um", "umm", "uh", "uhh", "uhm", "erm"]),
    ("de", &["äh", "ähm", "öh", "öhm", "ähem"]),
    ("fr", &["euh", "heu"]),
    ("nl", &["eh", "ehm", "uhm"]),
    ("sv", &["öh", "ehm"]),
    ("da", &["øh", "øhm"]),
];
/// Phrases that are fillers only between commas, by language.
const PHRASES: [(&str, &[&[&str]]); 2] =
    [("en", &[&["like"], &["you", "know"], &["i", "mean"]]), ("de", &[&["sozusagen"], &["weißt", "du"], &["halt"]])];
/// Words that a speaker doubles by mistake only, by language.
const NEVER_DOUBLE: [(&str, &[&str]); 2] = [
    ("en", &["i", "the", "a", "an", "and", "we", "to", "of", "in", "on", "it", "he", "she", "they", "but", "with", "for"]),
    ("de", &["ich", "wir", "und", "ein", "eine", "zu", "von", "mit", "aber", "auf", "für", "es", "er"]),
];

/// Tightens a clip.
pub(super) fn tighten(plan: &ClipPlan, sources: &EditSources<'_>, level: TightenLevel) -> Result<ClipPlan> {
    let speech =
        sources.speech.ok_or_else(|| invalid("tightening needs the speech map").with_advice("give the speech map of the source"))?;
    words::required(plan, sources)?;
    let (pause, removes_words) = match level {
        TightenLevel::Gentle => (0.7, false),
        TightenLevel::Normal => (0.4, true),
        TightenLevel::Tight => (0.2, true),
    };
    // Pauses come first: what stays before a filler is then short already.
    let mut plan = without(plan, &pauses(plan, &words::of_clip(plan, sources), speech, pause))?;
    if removes_words {
        let language = sources.transcript.and_then(|transcript| transcript.language.as_deref()).map(primary).unwrap_or_default();
        let spoken = words::of_clip(&plan, sources);
        let superfluous = superfluous(&spoken, &language);
        if superfluous.iter().map(|(from, to)| to - from).sum::<usize>() < spoken.len() {
            plan = without(&plan, &words::cuts(&spoken, &superfluous, plan.timeline().end()))?;
        }
    }
    Ok(plan)
}

/// The first part of a language tag.
fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

/// The stretches to cut so that each pause between two words lasts `pause` seconds, as far as it is
/// silent.
fn pauses(plan: &ClipPlan, words: &[ClipWord], speech: &SpeechMap, pause: f64) -> Vec<Span> {
    let timeline = plan.timeline();
    let loud = loudest_pause(speech, timeline.extent());
    let mut cuts = Vec::new();
    for pair in words.windows(2) {
        let (from, to) = (pair[0].span.end(), pair[1].span.start());
        let surplus = to.since(from).secs() - pause;
        if surplus < MIN_CUT || timeline.index_at(from) != timeline.index_at(to) {
            continue;
        }
        let Some(piece) = timeline.pieces().get(timeline.index_at(from)) else { continue };
        let inside = Span::between(from.plus(MARGIN), to.plus(-MARGIN));
        let Some(silent) = longest_silence(piece, inside, speech, loud) else { continue };
        let room = silent.duration().as_secs_f64();
        let cut = surplus.min(room);
        if cut < MIN_CUT {
            continue;
        }
        // More stays after the word, where voices fade out, than before the next one.
        let start = silent.start().plus((room - cut) * 0.6);
        cuts.push(Span::between(start, start.plus(cut).min(silent.end())));
    }
    cuts
}

/// The level of [`SpeechMap::levels`] from which a moment counts as silent: far below the median of
/// the speech. `None` without speech there.
fn loudest_pause(speech: &SpeechMap, extent: Span) -> Option<u8> {
    let interval =
        |n: usize| Span::between(Timestamp::from_micros(n as i64 * LEVEL_MICROS), Timestamp::from_micros((n as i64 + 1) * LEVEL_MICROS));
    let in_speech = |span: Span| speech.spans.iter().any(|voice| voice.intersection(span).is_some());
    let first = usize::try_from(extent.start().micros() / LEVEL_MICROS).unwrap_or(0);
    let last = usize::try_from(extent.end().micros() / LEVEL_MICROS).unwrap_or(0);
    let mut levels: Vec<u8> = speech
        .levels
        .iter()
        .enumerate()
        .take(last + 1)
        .skip(first)
        .filter(|(n, _)| in_speech(interval(*n)))
        .map(|(_, level)| *level)
        .collect();
    levels.sort_unstable();
    levels.get(levels.len() / 2).map(|median| median.saturating_add(QUIETER))
}

/// The longest stretch of `inside`, on the clip's timeline, without voice activity and loud
/// moments.
fn longest_silence(piece: &PlacedPiece, inside: Span, speech: &SpeechMap, loud: Option<u8>) -> Option<Span> {
    let source = Span::between(piece.source_time(inside.start()), piece.source_time(inside.end()));
    let voices = speech.spans.iter().map(|voice| Span::between(voice.start().plus(-MARGIN), voice.end().plus(MARGIN)));
    let first = source.start().micros().max(0) / LEVEL_MICROS;
    let last = source.end().micros().max(0) / LEVEL_MICROS;
    let noises = (first..=last).filter_map(|n| {
        let level = usize::try_from(n).ok().and_then(|n| speech.levels.get(n)).copied().unwrap_or(0);
        let span = Span::between(Timestamp::from_micros(n * LEVEL_MICROS), Timestamp::from_micros((n + 1) * LEVEL_MICROS));
        loud.is_none_or(|loud| level < loud).then_some(span)
    });
    let mut sounds: Vec<Span> = voices.chain(noises).filter_map(|sound| sound.intersection(source)).collect();
    sounds.sort_by_key(|sound| sound.start());
    let mut from = source.start();
    let mut best: Option<Span> = None;
    for (start, end) in sounds.iter().map(|sound| (sound.start(), sound.end())).chain([(source.end(), source.end())]) {
        if start > from && best.is_none_or(|best| Span::between(from, start).duration() > best.duration()) {
            best = Some(Span::between(from, start));
        }
        from = from.max(end);
    }
    best.map(|best| Span::between(piece.clip_time(best.start()), piece.clip_time(best.end())))
}

/// The ranges of words that say nothing: fillers, and words that are said again at once.
fn superfluous(words: &[ClipWord], language: &str) -> Vec<(usize, usize)> {
    let of = |word: &ClipWord| normalized(&word.text);
    let said: Vec<String> = words.iter().map(of).collect();
    let has_comma = |n: Option<usize>| n.and_then(|n| words.get(n)).is_some_and(|word| word.text.ends_with([',', '\u{2014}', '\u{2026}']));
    let fillers = entry(&FILLERS, language);
    let phrases = entry(&PHRASES, language);
    let single = entry(&NEVER_DOUBLE, language);
    let mut found = Vec::new();
    let mut from = 0;
    while from < words.len() {
        let phrase = phrases.iter().find(|phrase| {
            let to = from + phrase.len();
            said.get(from..to).is_some_and(|said| said.iter().eq(phrase.iter()))
                && (from == 0 || has_comma(from.checked_sub(1)))
                && has_comma(to.checked_sub(1))
        });
        let repeat = (1..=REPEAT_WORDS).rev().find(|&count| {
            let (Some(first), Some(again)) = (said.get(from..from + count), said.get(from + count..from + 2 * count)) else { return false };
            let is_soon = words[from + count].span.start().since(words[from].span.start()).secs() <= REPEAT_SECS;
            first == again && is_soon && first.iter().all(|word| !word.is_empty()) && (count > 1 || single.contains(&first[0].as_str()))
        });
        let count = if fillers.contains(&said[from].as_str()) { 1 } else { phrase.map(|phrase| phrase.len()).or(repeat).unwrap_or(0) };
        if count > 0 {
            match found.last_mut() {
                Some((_, end)) if *end == from => *end = from + count,
                _ => found.push((from, from + count)),
            }
        }
        from += count.max(1);
    }
    found
}

/// The entry of a language in a table.
fn entry<T: Copy + Default>(table: &[(&str, T)], language: &str) -> T {
    table.iter().find(|(name, _)| *name == language).map(|(_, entry)| *entry).unwrap_or_default()
}
