//! Conversion of cues to timed words, and the repair that establishes the transcriber's contract
//! for any input.

use unicode_segmentation::UnicodeSegmentation;

use super::markup::{Markup, Role, Speakers, TimedChar, lines};
use super::rolling::{Cue, unroll};
use crate::error::Result;
use crate::model::script::is_unspaced;
use crate::model::{Limit, Limits, SoundEvent, Span, Timestamp, Word};

/// The longest word in characters. Longer ones are addresses or noise, do not fit into a frame, and
/// are cut.
const MAX_WORD_CHARS: usize = 60;
/// A word lasts at most this long, in seconds, plus [`LETTER_SECS`] for each letter. The rest of a
/// cue is silence.
const WORD_SECS: f64 = 0.5;
/// See [`WORD_SECS`].
const LETTER_SECS: f64 = 0.1;
/// The longest description of a sound in characters. The rest is cut.
const MAX_EVENT_CHARS: usize = 200;

/// The words of cues, and what of their text became no word.
#[derive(Debug, Default)]
pub(super) struct CueWords {
    pub(super) words: Vec<Word>,
    pub(super) events: Vec<SoundEvent>,
    /// How many words the cues have, spoken or not.
    pub(super) seen: usize,
    /// How many of them are in descriptions of sounds and names of speakers.
    pub(super) unspoken: usize,
    /// How many of them repeat a word that is kept.
    pub(super) repeated: usize,
    /// How many cues remain after those that repeat others are removed.
    pub(super) cues: usize,
}

/// The words of cues, which may be unsorted and may be roll-up captions.
///
/// A word starts at the time that the markup gives for it. Between two such times, or a cue's ends,
/// the time is divided among the words by their number of letters.
pub(super) fn words_of(cues: Vec<Cue>, speakers: &Speakers) -> CueWords {
    let mut found = CueWords::default();
    let count_all =
        |cues: &[Cue]| cues.iter().flat_map(|cue| &cue.lines).map(|line| count(line)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let (spoken, unspoken) = count_all(&cues);
    let cues = unroll(cues);
    let (kept, kept_unspoken) = count_all(&cues);
    for cue in &cues {
        for run in timed_runs(cue) {
            push_word(&mut found.words, &run, speakers);
        }
        push_events(&mut found.events, cue);
    }
    found.seen = spoken + unspoken;
    found.unspoken = kept_unspoken;
    found.repeated = found.seen.saturating_sub(kept + kept_unspoken);
    found.cues = cues.len();
    found
}

/// How many words of a line are spoken, and how many are not.
pub(super) fn count(line: &[TimedChar]) -> (usize, usize) {
    let (mut spoken, mut unspoken) = (0, 0);
    for run in line.split(|character| character.letter.is_whitespace()).filter(|run| !run.is_empty()) {
        let text =
            |all: bool| run.iter().filter(|character| all || character.is_spoken()).map(|character| character.letter).collect::<String>();
        match count_words(&text(false)) {
            0 => unspoken += count_words(&text(true)),
            words => spoken += words,
        }
    }
    (spoken, unspoken)
}

/// How many words the text of a cue has, spoken or not, markup resolved.
pub(super) fn count_text(text: &str, markup: Markup) -> usize {
    let lines = lines(text, markup, Timestamp::ZERO, &mut Speakers::default());
    lines.iter().map(|line| count(line)).map(|(spoken, unspoken)| spoken + unspoken).sum()
}

/// How many words a text has.
pub(super) fn count_words(text: &str) -> usize {
    text.split_whitespace().map(|run| pieces(run).into_iter().filter(|piece| is_word(piece)).count()).sum()
}

/// The longest time that the words of a text can last, in seconds.
pub(super) fn longest_secs(text: &str) -> f64 {
    let letters = text.chars().filter(|letter| !letter.is_whitespace()).count();
    text.split_whitespace().count() as f64 * WORD_SECS + letters as f64 * LETTER_SECS
}

/// Whether a run of characters is spoken: punctuation is not.
pub(super) fn is_word(run: &str) -> bool {
    run.chars().any(char::is_alphanumeric) || matches!(run, "&" | "+" | "=" | "%")
}

/// Adds the sounds that a cue describes.
fn push_events(events: &mut Vec<SoundEvent>, cue: &Cue) {
    for line in &cue.lines {
        for part in line.chunk_by(|a, b| a.role == b.role).filter(|part| part.iter().all(|character| character.role == Role::Event)) {
            let text: String = part.iter().take(MAX_EVENT_CHARS).map(|character| character.letter).collect();
            let is_frame = |c: char| {
                c.is_whitespace()
                    || matches!(c, '[' | ']' | '(' | ')' | '*' | '<' | '>' | '\u{3010}' | '\u{3011}' | '\u{ff08}' | '\u{ff09}')
            };
            let text = text.trim_matches(is_frame);
            // `[ __ ]` is a word that was censored.
            if text.chars().any(|c| c.is_alphanumeric() || matches!(c, '\u{2669}'..='\u{266f}')) {
                events.push(SoundEvent::new(text, cue.span));
            }
        }
    }
}

/// A character and its times, in seconds.
struct Spoken<'a> {
    character: &'a TimedChar,
    start: f64,
    end: f64,
}

/// The cue's runs of characters between white space, with the times of each character.
fn timed_runs(cue: &Cue) -> Vec<Vec<Spoken<'_>>> {
    let mut timed: Vec<Vec<Spoken<'_>>> = vec![Vec::new()];
    let (cue_start, cue_end) = (cue.span.start().secs(), cue.span.end().secs());
    // Segments between two known times: the start of each, and its characters.
    let mut segments: Vec<(f64, Vec<&TimedChar>)> = vec![(cue_start, Vec::new())];
    let mut pending = None;
    for line in &cue.lines {
        for character in line.iter().chain([&BLANK]) {
            pending = character.at.or(pending);
            if !character.letter.is_whitespace()
                && let Some(at) = pending.take()
            {
                let floor = segments.last().map_or(cue_start, |segment| segment.0);
                segments.push((at.secs().clamp(floor, cue_end.max(floor)), Vec::new()));
            }
            if let Some(segment) = segments.last_mut() {
                segment.1.push(character);
            }
        }
    }
    let ends: Vec<f64> = segments.iter().skip(1).map(|segment| segment.0).chain([cue_end]).collect();
    for ((start, characters), end) in segments.into_iter().zip(ends) {
        // Names of speakers take no time.
        let is_timed = |character: &TimedChar| !character.letter.is_whitespace() && character.role != Role::Label;
        let letters = characters.iter().filter(|character| is_timed(character)).count();
        let runs = characters
            .split(|character| character.letter.is_whitespace())
            .filter(|run| run.iter().any(|character| is_timed(character)))
            .count();
        let length = (end - start).max(0.0).min(runs as f64 * WORD_SECS + letters as f64 * LETTER_SECS);
        let step = length / letters.max(1) as f64;
        let mut at = start;
        for character in characters {
            if character.letter.is_whitespace() {
                timed.push(Vec::new());
            } else if let Some(run) = timed.last_mut() {
                let end = if is_timed(character) { at + step } else { at };
                run.push(Spoken { character, start: at, end });
                at = end;
            }
        }
    }
    timed
}

static BLANK: TimedChar = TimedChar { letter: ' ', at: None, role: Role::Spoken, speaker: None, highlighted: false };

/// Adds the word or words of one run of characters.
fn push_word(words: &mut Vec<Word>, run: &[Spoken<'_>], speakers: &Speakers) {
    let spoken_chars: Vec<&Spoken<'_>> = run.iter().filter(|spoken| spoken.character.is_spoken()).collect();
    let text: String = spoken_chars.iter().map(|spoken| spoken.character.letter).collect();
    let mut first = 0;
    for piece in pieces(&text) {
        let last = first + piece.chars().count();
        let (Some(from), Some(to)) = (spoken_chars.get(first), spoken_chars.get(last - 1)) else { return };
        first = last;
        if is_word(piece) {
            let mut word = Word::new(shortened(piece), from.start, to.end);
            word.speaker = speakers.name(from.character.speaker).map(str::to_owned);
            words.push(word);
        } else if let Some(before) = words.last_mut() {
            append_punctuation(&mut before.text, piece);
        }
    }
}

/// The words of a text that is said in `span`, which is divided by their length. A single word has
/// the whole span.
pub(super) fn divided(text: &str, span: Span) -> Vec<Word> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for piece in text.split_whitespace().flat_map(pieces) {
        let letters = piece.chars().count();
        match found.last_mut() {
            _ if is_word(piece) => found.push((shortened(piece), letters)),
            Some((before, _)) => append_punctuation(before, piece),
            None => {}
        }
    }
    let all = found.iter().map(|(_, letters)| letters).sum::<usize>().max(1) as f64;
    let (start, length) = (span.start(), span.end().since(span.start()).secs());
    let mut done = 0;
    let word = |(text, letters): (String, usize)| {
        let at = |letters: usize| start.plus(length * letters as f64 / all);
        let mut word = Word::new(text, 0.0, 0.0);
        (word.start, word.end) = (at(done), at(done + letters));
        done += letters;
        word
    };
    found.into_iter().map(word).collect()
}

/// Appends punctuation that stands on its own to the word before it. Dashes and bullets are
/// dropped: they mark a new speaker or a list.
pub(super) fn append_punctuation(word: &mut String, mark: &str) {
    let is_dash = mark.chars().all(|c| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '>' | '*' | '#' | '\u{2022}'));
    if !is_dash && mark.len() <= 12 && word.len() + mark.len() <= 4 * MAX_WORD_CHARS {
        word.push_str(mark);
    }
}

/// `word`, cut to [`MAX_WORD_CHARS`] with an ellipsis.
fn shortened(word: &str) -> String {
    match word.char_indices().nth(MAX_WORD_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &word[..end]),
        None => word.to_owned(),
    }
}

/// Splits a run of characters into words. In scripts with spaces, the run is one word. In others,
/// words are groups of up to four graphemes that start, as Japanese phrases do, where hiragana are
/// followed by another script. This needs no dictionary and gives captions natural units to break
/// and highlight.
fn pieces(run: &str) -> Vec<&str> {
    const MAX_GRAPHEMES: usize = 4;
    if !run.chars().any(is_unspaced) {
        return if run.is_empty() { Vec::new() } else { vec![run] };
    }
    let is_hiragana = |c: Option<char>| c.is_some_and(|c| ('\u{3041}'..='\u{309f}').contains(&c));
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, part) in run.split_word_bound_indices() {
        let current = &run[start..at];
        let is_word = part.chars().any(char::is_alphanumeric);
        let opens = part.starts_with(['\u{300c}', '\u{300e}', '\u{ff08}', '(', '\u{201c}']);
        let last = current.chars().next_back();
        let closed = last.is_some_and(|c| !c.is_alphanumeric() && !opens_phrase(c));
        let other_script = last.is_some_and(|c| c.is_alphanumeric() && is_unspaced(c) != part.chars().all(is_unspaced));
        let phrase = is_hiragana(last) && !is_hiragana(part.chars().next()) && current.chars().count() > 1;
        if !current.is_empty()
            && (opens || is_word && (closed || other_script || phrase || current.graphemes(true).count() >= MAX_GRAPHEMES))
        {
            pieces.push(current);
            start = at;
        }
    }
    pieces.push(&run[start..]);
    pieces
}

fn opens_phrase(c: char) -> bool {
    matches!(c, '\u{300c}' | '\u{300e}' | '\u{ff08}' | '(' | '\u{201c}')
}

/// Makes words satisfy the contract of [`Transcriber`](super::Transcriber): sorted, without
/// overlaps, within `duration` unless that is zero (unknown).
///
/// # Errors
///
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if there are too many words.
pub(super) fn repair(mut words: Vec<Word>, duration: Timestamp, limits: &Limits) -> Result<Vec<Word>> {
    limits.check(Limit::TranscriptWords, words.len() as u64)?;
    for word in &mut words {
        let span = Span::between(word.start.max(Timestamp::ZERO), word.end.max(Timestamp::ZERO));
        // If the times are reversed, the start is kept and the duration is zero.
        word.end = if word.end < word.start { word.start.max(Timestamp::ZERO) } else { span.end() };
        word.start = word.start.max(Timestamp::ZERO);
        if duration > Timestamp::ZERO {
            word.end = word.end.min(duration);
        }
    }
    words.retain(|word| !word.text.is_empty() && (duration <= Timestamp::ZERO || word.start < duration));
    words.sort_by_key(|word| word.start);
    for n in 1..words.len() {
        let next = words[n].start;
        let before = &mut words[n - 1];
        before.end = before.end.min(next);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(cues: &[(f64, f64, &str)]) -> Vec<Word> {
        let mut speakers = Speakers::default();
        let cues = cues
            .iter()
            .map(|(start, end, text)| Cue {
                span: Span::secs(*start, *end).unwrap(),
                lines: lines(text, Markup::WebVtt, Timestamp::from_secs(*start), &mut speakers),
            })
            .collect();
        words_of(cues, &speakers).words
    }

    fn shown(words: &[Word]) -> Vec<String> {
        words.iter().map(|word| format!("{} {:.2}-{:.2}", word.text, word.start.secs(), word.end.secs())).collect()
    }

    #[test]
    fn a_cues_time_is_divided_by_word_length() {
        assert_eq!(shown(&words(&[(1.0, 2.0, "Hi there -\nall ...")])), ["Hi 1.00-1.14", "there 1.14-1.50", "all... 1.57-1.79"]);
        // A cue that is shown long after the speech does not extend its words.
        assert_eq!(shown(&words(&[(0.0, 60.0, "Hi there")])), ["Hi 0.00-0.49", "there 0.49-1.70"]);
    }

    #[test]
    fn word_times_are_kept_and_repeated_lines_are_removed() {
        let cues = [
            (0.2, 2.8, " \nGood<00:00:00.800><c> to</c><00:00:01.100><c> see</c>"),
            (2.8, 2.81, "Good to see\n "),
            (2.81, 5.0, "Good to see\nyou.<00:00:03.200><c> Now</c>"),
            (5.0, 5.01, "you. Now\n "),
            (5.01, 6.0, "you. Now\nyou. Now"),
        ];
        assert_eq!(
            shown(&words(&cues)),
            ["Good 0.20-0.80", "to 0.80-1.10", "see 1.10-1.90", "you. 2.81-3.20", "Now 3.20-4.00", "you. 5.01-5.58", "Now 5.58-6.00"]
        );
    }

    #[test]
    fn converted_roll_up_captions_are_detected_and_real_repetition_is_kept() {
        let rolling = [(0.0, 1.0, "a b"), (1.0, 2.0, "a b\nc d"), (2.0, 3.0, "c d\ne f"), (3.0, 4.0, "e f\ng h"), (4.0, 5.0, "g h\ni j")];
        let texts: Vec<String> = words(&rolling).into_iter().map(|word| word.text).collect();
        assert_eq!(texts.join(" "), "a b c d e f g h i j");
        let plain = [(0.0, 1.0, "No."), (1.0, 2.0, "No."), (2.0, 3.0, "Why?"), (3.0, 4.0, "Because."), (4.0, 5.0, "I see.")];
        assert_eq!(words(&plain).len(), 6);
    }

    #[test]
    fn scripts_without_spaces_are_split_into_short_words() {
        assert_eq!(pieces("今日はAIの話をします。次へ"), ["今日は", "AI", "の話をし", "ます。", "次へ"]);
        let thai = pieces("สวัสดีครับทุกคน");
        assert!(thai.len() >= 3 && thai.concat() == "สวัสดีครับทุกคน", "{thai:?}");
        assert_eq!(pieces("plain"), ["plain"]);
    }

    #[test]
    fn invalid_times_are_repaired() {
        let invalid = vec![
            Word::new("late", 99.0, 100.0),
            Word::new("reversed", 3.0, 1.0),
            Word::new("negative", -5.0, 1.0),
            Word::new("over", 0.5, 8.0),
            Word::new("end", 8.0, f64::INFINITY),
        ];
        let repaired = repair(invalid, Timestamp::from_secs(10.0), &Limits::default()).unwrap();
        assert_eq!(shown(&repaired), ["negative 0.00-0.50", "over 0.50-3.00", "reversed 3.00-3.00", "end 8.00-10.00"]);
    }

    proptest! {
        #[test]
        fn any_text_gives_words_that_satisfy_the_contract(
            texts in prop::collection::vec((0.0..50.0f64, -2.0..9.0f64, "([<>{}&;/\\\\\\[\\]()*a-cV 0-9:.>\n♪今のก]|<00:00:0[0-9].5>|<v A>){0,40}"), 0..12),
            which in 0..4usize,
        ) {
            let markup = [Markup::WebVtt, Markup::SubRip, Markup::Ass, Markup::Plain][which];
            let mut speakers = Speakers::default();
            let cues = texts.iter().map(|(start, length, text)| Cue {
                span: Span::between(Timestamp::from_secs(*start), Timestamp::from_secs(start + length)),
                lines: lines(text, markup, Timestamp::from_secs(*start), &mut speakers),
            }).collect();
            let duration = Timestamp::from_secs(40.0);
            let words = repair(words_of(cues, &speakers).words, duration, &Limits::default()).unwrap();
            for word in &words {
                prop_assert!(word.start >= Timestamp::ZERO && word.start <= word.end && word.end <= duration);
                prop_assert!(!word.text.contains(char::is_whitespace) && (word.text.contains(char::is_alphanumeric) || word.text.starts_with(['&', '+', '=', '%'])));
            }
            prop_assert!(words.is_sorted_by(|a, b| a.end <= b.start));
        }
    }
}
