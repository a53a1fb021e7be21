//! Groups words into cues.

use super::keyword::{self, Vocabulary};
use super::layout::{forbids_break_after, forbids_break_before};
use super::word_timing::{TimedWord, timed_words};
use crate::model::{CaptionStyle, Cue, CueWord, Emphasis, Span, Timestamp, Word};

/// A pause of at least this length always ends a cue, in seconds.
const MAX_PAUSE: f64 = 0.7;
/// How long a cue stays after its last word, in seconds.
const HOLD: f64 = 0.25;
/// If the gap to the next cue would be at most this long, in seconds, the cue stays until then.
const MIN_GAP: f64 = 0.3;

/// The cues, on the clip's timeline, of the words inside `span`, which is on the source's timeline.
///
/// Cues are in ascending order and do not overlap. Each starts with its first word, holds at most
/// `style.max_words` words, and preferably ends at a sentence end, a comma or a pause. A single
/// word forms a cue only between pauses. `transcript` holds all words of the source; the choice of
/// keywords compares with it.
pub(crate) fn cues(words: &[Word], transcript: &[Word], style: &CaptionStyle, span: Span) -> Vec<Cue> {
    let timed = timed_words(words, span);
    let mut groups: Vec<&[TimedWord<'_>]> = Vec::new();
    for phrase in timed.chunk_by(|a, b| b.start - a.end < MAX_PAUSE && a.word.speaker == b.word.speaker) {
        let mut from = 0;
        for to in breaks(phrase, style) {
            groups.push(&phrase[from..to]);
            from = to;
        }
    }
    let clip_end = span.end().since(span.start()).secs();
    let mut cues = Vec::with_capacity(groups.len());
    for (n, group) in groups.iter().enumerate() {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let next = groups.get(n + 1).and_then(|group| group.first()).map_or(clip_end, |word| word.start);
        let held = if next - last.end <= HOLD + MIN_GAP { next } else { last.end + HOLD };
        let (start, end) = (Timestamp::from_secs(first.start), Timestamp::from_secs(held.min(next).min(clip_end)));
        // At the end of the clip, no time may be left.
        if end <= start {
            continue;
        }
        let shown = Span::between(start, end);
        let words = group
            .iter()
            .map(|timed| {
                let inside = |secs: f64| Timestamp::from_secs(secs).clamp(start, end);
                CueWord::new(timed.word.text.clone(), Span::between(inside(timed.start), inside(timed.end)))
            })
            .collect();
        cues.push(Cue::new(shown, words));
    }
    if let Some(emphasis) = &style.emphasis {
        emphasize(&mut cues, emphasis, transcript);
    }
    cues
}

/// Marks the keywords: the words listed in the style, else the word with the highest weight in each
/// cue. A word that is only rare is skipped if the previous cue has a keyword.
fn emphasize(cues: &mut [Cue], emphasis: &Emphasis, transcript: &[Word]) {
    let listed: Vec<String> = emphasis.words.iter().map(|word| keyword::normalized(word)).filter(|word| !word.is_empty()).collect();
    if !listed.is_empty() {
        for word in cues.iter_mut().flat_map(|cue| &mut cue.words) {
            word.emphasized = listed.contains(&keyword::normalized(&word.text));
        }
        return;
    }
    let vocabulary = Vocabulary::of(transcript);
    let (mut before, mut rested): (Option<String>, bool) = (None, true);
    for cue in cues {
        let mut best: Option<(f64, &mut CueWord)> = None;
        for word in &mut cue.words {
            let weight = vocabulary.weight(&word.text, before.as_deref());
            before = Some(word.text.clone());
            let least = if rested { 0.0 } else { keyword::NAME - 0.01 };
            if weight > best.as_ref().map_or(least, |(weight, _)| *weight) {
                best = Some((weight, word));
            }
        }
        rested = best.is_none();
        if let Some((_, word)) = best {
            word.emphasized = true;
        }
    }
}

/// The ends of the cues in a phrase, chosen to minimise the total cost by dynamic programming.
fn breaks(phrase: &[TimedWord<'_>], style: &CaptionStyle) -> Vec<usize> {
    let most = style.max_words.max(1);
    // Two lines in a vertical output; other aspect ratios have more space.
    let letters = (1.25 / style.size.max(0.005)) as usize;
    let sizes: Vec<usize> = phrase.iter().map(|timed| width_in_letters(&timed.word.text) + 1).collect();
    // best[n]: the minimum cost of the first n words, and the start of their last group.
    let mut best: Vec<(f64, usize)> = vec![(0.0, 0)];
    for to in 1..=phrase.len() {
        let mut choice = (f64::INFINITY, to - 1);
        let mut length = 0;
        for from in (to.saturating_sub(most)..to).rev() {
            length += sizes[from];
            if length > letters && from + 1 < to {
                break;
            }
            let cost = best[from].0 + group_cost(phrase, from, to, most);
            if cost < choice.0 {
                choice = (cost, from);
            }
        }
        best.push(choice);
    }
    let mut ends = Vec::new();
    let mut at = phrase.len();
    while at > 0 {
        ends.push(at);
        at = best[at].1;
    }
    ends.reverse();
    ends
}

/// The width of a word in Latin letters: East Asian characters count as two.
fn width_in_letters(word: &str) -> usize {
    word.chars().map(|letter| if matches!(u32::from(letter), 0x1100..=0x11ff | 0x2e80..=0xffdc | 0x1_f300..) { 2 } else { 1 }).sum()
}

fn group_cost(phrase: &[TimedWord<'_>], from: usize, to: usize, most: usize) -> f64 {
    let count = to - from;
    let empty = (most - count) as f64 / most as f64;
    let mut cost = 1.0 + 3.0 * empty * empty;
    if count == 1 && phrase.len() > 1 && most > 1 {
        cost += 7.0;
    }
    for n in from..to - 1 {
        // A one-word sentence belongs to the following words rather than the previous ones.
        cost += match ends_sentence(phrase, n) {
            true if n == from => 3.0,
            true => 6.0,
            false => 0.0,
        };
        cost += 2.5 * (phrase[n + 1].start - phrase[n].end).min(MAX_PAUSE);
    }
    if to < phrase.len() {
        let last = phrase[to - 1].word.text.as_str();
        if last.ends_with([',', ';', ':', '\u{2014}', '\u{3001}']) {
            cost -= 1.5;
        } else if forbids_break_after(last) || forbids_break_before(&phrase[to].word.text) {
            cost += 20.0;
        } else if !ends_sentence(phrase, to - 1) && last.chars().count() <= 3 && last.is_ascii() {
            // Short words such as "of", "the" and "to" belong to the next word in most languages.
            cost += 1.2;
        }
    }
    cost
}

fn ends_sentence(phrase: &[TimedWord<'_>], n: usize) -> bool {
    let text = phrase[n].word.text.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}', '\u{300d}']);
    let next_is_lower = phrase.get(n + 1).is_some_and(|next| next.word.text.starts_with(char::is_lowercase));
    text.ends_with(['?', '!', '\u{3002}', '\u{ff1f}', '\u{ff01}']) || (text.ends_with(['.', '\u{2026}']) && !next_is_lower)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn transcript(text: &str, secs: f64) -> Vec<Word> {
        let word = |(n, text): (usize, &str)| Word::new(text, 10.0 + n as f64 * secs, 10.0 + (n as f64 + 0.9) * secs);
        text.split(' ').enumerate().map(word).collect()
    }

    fn shown(cues: &[Cue]) -> Vec<String> {
        cues.iter().map(|cue| cue.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn cues_end_at_sentence_ends_and_pauses() {
        let words = transcript("Nobody told me this, but the first rule of clocks is simple. Yes. They always lie to you!", 0.3);
        let cues = cues(&words, &words, &CaptionStyle::karaoke(), Span::secs(10.0, 40.0).unwrap());
        assert_eq!(shown(&cues), ["Nobody told me this,", "but the first rule", "of clocks is simple.", "Yes. They always", "lie to you!"]);
        assert_eq!(cues[0].span, Span::secs(0.0, 1.2).unwrap());
        let last = cues.last().unwrap();
        assert_eq!(last.span.end(), last.words.last().unwrap().span.end().plus(HOLD));
    }

    #[test]
    fn long_pauses_end_cues_and_words_are_clipped_to_the_span() {
        let words = [Word::new("cut", 9.0, 10.2), Word::new("in", 9.9, 10.4), Word::new("after", 12.0, 12.5), Word::new("out", 12.8, 13.4)];
        let cues = cues(&words, &words, &CaptionStyle::pop(), Span::secs(10.0, 13.0).unwrap());
        assert_eq!(shown(&cues), ["in", "after"]);
        assert_eq!(cues[0].span, Span::secs(0.0, 0.65).unwrap());
        assert_eq!(cues[1].span, Span::secs(2.0, 3.0).unwrap());
    }

    #[test]
    fn scripts_without_spaces_never_break_before_closing_punctuation() {
        let words: Vec<Word> =
            ["今日は", "「", "時計", "」", "の話を", "します", "。", "どの時計", "も間違って", "いるん", "です", "よ", "。"]
                .iter()
                .enumerate()
                .map(|(n, text)| Word::new(*text, n as f64 * 0.4, n as f64 * 0.4 + 0.4))
                .collect();
        for name in CaptionStyle::NAMES {
            let shown = shown(&cues(&words, &words, &CaptionStyle::named(name).unwrap(), Span::secs(0.0, 10.0).unwrap()));
            for cue in &shown {
                assert!(!cue.starts_with(['。', '」']) && !cue.ends_with('「'), "{name}: {shown:?}");
            }
        }
        let long: Vec<Word> = (0..20).map(|n| Word::new("間違って", f64::from(n) * 0.4, f64::from(n) * 0.4 + 0.4)).collect();
        let style = CaptionStyle { max_words: 20, ..CaptionStyle::karaoke() };
        for cue in cues(&long, &long, &style, Span::secs(0.0, 10.0).unwrap()) {
            assert!(cue.words.len() <= 3, "two lines hold a dozen wide letters: {cue:?}");
        }
    }

    #[test]
    fn keywords_are_listed_or_have_the_highest_weight_of_a_cue() {
        let words = transcript("Nobody told me this, but in 1905 a man named Einstein went to work in Switzerland and stayed there.", 0.3);
        let with = |listed: &[&str]| {
            let words = listed.iter().map(|word| (*word).to_owned()).collect();
            CaptionStyle { emphasis: Some(Emphasis { color: crate::model::Rgb(1, 2, 3), scale: 1.0, words }), ..CaptionStyle::karaoke() }
        };
        let marked = |style: &CaptionStyle| -> Vec<String> {
            let cues = cues(&words, &words, style, Span::secs(10.0, 40.0).unwrap());
            cues.iter().flat_map(|cue| &cue.words).filter(|word| word.emphasized).map(|word| word.text.clone()).collect()
        };
        assert_eq!(marked(&with(&["THIS", "man"])), ["this,", "man"]);
        assert_eq!(marked(&with(&[])), ["1905", "Einstein", "Switzerland"]);
        assert!(marked(&CaptionStyle::karaoke()).is_empty());
    }

    proptest! {
        #[test]
        fn cues_hold_their_contract(
            raw in prop::collection::vec((0.0..40.0f64, -0.2..3.0f64, "[a-z]{1,12}[.,!?]?"), 0..60),
            style in 0..4usize,
            max_words in 0..9usize,
        ) {
            let mut style = CaptionStyle::named(CaptionStyle::NAMES[style]).unwrap();
            style.max_words = max_words;
            let words: Vec<Word> = raw.iter().map(|(start, length, text)| Word::new(text.as_str(), *start, start + length)).collect();
            let span = Span::secs(5.0, 30.0).unwrap();
            let cues = cues(&words, &words, &style, span);
            let clip = Span::secs(0.0, 25.0).unwrap();
            prop_assert!(cues.is_sorted_by(|a, b| a.span.end() <= b.span.start()));
            for cue in &cues {
                prop_assert!(cue.span.start() >= clip.start() && cue.span.end() <= clip.end());
                prop_assert!(!cue.words.is_empty() && cue.words.len() <= max_words.max(1));
                prop_assert_eq!(cue.span.start(), cue.words[0].span.start());
                prop_assert!(cue.words.is_sorted_by(|a, b| a.span.end() <= b.span.start()));
            }
            // No short gap remains between cues.
            for pair in cues.windows(2) {
                let gap = pair[1].span.start().since(pair[0].span.end()).secs();
                prop_assert!(gap == 0.0 || gap > MIN_GAP - 1e-5, "{}", gap);
            }
        }
    }
}
