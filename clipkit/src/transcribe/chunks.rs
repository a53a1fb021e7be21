//! Splitting of a recording into chunks for models that take short audio, and merging of the
//! chunks' words. Pure.

use crate::av::LEVEL_SECS;
use crate::model::{Span, Timestamp, Word};

/// The length of a pause, in seconds.
const PAUSE_SECS: f64 = 0.4;

/// How a recording is split, in seconds.
pub(super) struct ChunkOptions {
    /// The target length of a chunk.
    pub(super) length: f64,
    /// How far from the target the quietest pause is searched for, on both sides.
    pub(super) search: f64,
    /// How far a chunk extends into its neighbors, so that a word across a cut is whole in one
    /// chunk.
    pub(super) overlap: f64,
}

/// One chunk, on the source's timeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chunk {
    /// What is sent to the model, overlaps included.
    pub(super) sent: Span,
    /// From cut to cut, without overlaps.
    pub(super) kept: Span,
}

/// Splits `part` of a recording at its quietest pauses. `costs` holds the cost of a cut in each
/// interval of [`LEVEL_SECS`], from the start of the recording. No chunk extends beyond `part`.
pub(super) fn chunks(costs: &[f32], part: Span, options: &ChunkOptions) -> Vec<Chunk> {
    let ChunkOptions { length, search, overlap } = *options;
    let (start, end) = (part.start().secs(), part.end().secs());
    let mut cuts = vec![start];
    let mut from = start;
    while end - from > length + search {
        from = quietest(costs, from + length - search, from + length + search);
        cuts.push(from);
    }
    cuts.push(end);
    let span = |start: f64, end: f64| Span::between(Timestamp::from_secs(start), Timestamp::from_secs(end));
    cuts.windows(2)
        .map(|cut| Chunk { sent: span((cut[0] - overlap).max(start), (cut[1] + overlap).min(end)), kept: span(cut[0], cut[1]) })
        .collect()
}

/// The middle of the cheapest pause between two times, in seconds.
fn quietest(costs: &[f32], from: f64, to: f64) -> f64 {
    let index = |seconds: f64| ((seconds / LEVEL_SECS) as usize).min(costs.len());
    let width = (PAUSE_SECS / LEVEL_SECS) as usize;
    let sums = costs[index(from)..index(to)].windows(width).map(|window| window.iter().sum::<f32>());
    let found = sums.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(n, _)| n);
    found.map_or((from + to) / 2.0, |n| from + (n as f64 + width as f64 / 2.0) * LEVEL_SECS)
}

/// The largest time difference, in seconds, between two chunks' copies of the same word.
const MAX_TIME_DIFFERENCE: f64 = 0.5;
/// How many neighboring words are compared to confirm a match.
const CONTEXT: usize = 3;

/// Merges the words of chunks, each timed from the start of its `sent` span, on the source's
/// timeline.
///
/// Two neighboring chunks both contain the words around their cut. If they have a word in common,
/// the first chunk's words end with it and the second's continue after it, so no word is lost or
/// repeated although the times differ. Otherwise words are assigned by the cut.
pub(super) fn merge(answers: Vec<(Chunk, Vec<Word>)>) -> Vec<Word> {
    let mut all: Vec<Word> = Vec::new();
    let mut before: Option<Chunk> = None;
    for (chunk, words) in answers {
        let origin = chunk.sent.start();
        let words = words.into_iter().map(|word| Word { start: word.start.offset(origin), end: word.end.offset(origin), ..word });
        let mut words: Vec<Word> = words.collect();
        if let Some(before) = before {
            let shared = Span::between(chunk.sent.start(), before.sent.end());
            let cut = chunk.kept.start();
            let (kept, skipped) = merge_point(&all, &words, shared, cut);
            all.truncate(kept);
            words.drain(..skipped);
        }
        all.extend(words);
        before = Some(chunk);
    }
    all
}

/// How many words of the first chunk to keep, and how many of the second to skip.
fn merge_point(first: &[Word], second: &[Word], shared: Span, cut: Timestamp) -> (usize, usize) {
    let from = first.partition_point(|word| word.end <= shared.start());
    let to = second.partition_point(|word| word.start < shared.end());
    let alike = |i: usize, j: usize| matches!((first.get(i), second.get(j)), (Some(a), Some(b)) if same(&a.text, &b.text));
    // A word may occur twice: prefer the match with more matching neighbors, then the one nearest
    // to the cut.
    let mut best: Option<((usize, f64), usize, usize)> = None;
    for (i, a) in first.iter().enumerate().skip(from) {
        for (j, b) in second[..to].iter().enumerate() {
            if middle(a).since(middle(b)).secs().abs() > MAX_TIME_DIFFERENCE || !alike(i, j) {
                continue;
            }
            let after = (1..=CONTEXT).take_while(|n| alike(i + n, j + n)).count();
            let before = (1..=CONTEXT.min(i).min(j)).take_while(|n| alike(i - n, j - n)).count();
            let away = (middle(a).since(cut).secs() + middle(b).since(cut).secs()).abs();
            let value = ((before + after).min(CONTEXT), -away);
            if best.is_none_or(|(most, ..)| value.partial_cmp(&most) == Some(std::cmp::Ordering::Greater)) {
                best = Some((value, i, j));
            }
        }
    }
    match best {
        Some((_, i, j)) => (i + 1, j + 1),
        None => (first.partition_point(|word| middle(word) < cut), second.partition_point(|word| middle(word) < cut)),
    }
}

fn middle(word: &Word) -> Timestamp {
    Timestamp::from_micros(word.start.micros() / 2 + word.end.micros() / 2)
}

/// Whether two words are equal apart from case and punctuation.
fn same(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (a, b) = (letters(a), letters(b));
    !a.is_empty() && a == b
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTES: ChunkOptions = ChunkOptions { length: 600.0, search: 60.0, overlap: 2.0 };

    #[test]
    fn cuts_fall_into_pauses_and_no_word_is_lost_or_repeated() {
        let seconds = 2400.0;
        let mut levels = vec![0.2f32; (seconds / LEVEL_SECS) as usize];
        for pause in [630.0, 1190.0, 1800.0] {
            let at = (pause / LEVEL_SECS) as usize;
            levels[at..at + 10].fill(0.001);
        }
        let chunks = chunks(&levels, Span::secs(0.0, seconds).unwrap(), &MINUTES);
        let cuts: Vec<f64> = chunks.iter().skip(1).map(|chunk| chunk.kept.start().secs()).collect();
        assert_eq!(chunks.len(), 4);
        for (cut, pause) in cuts.iter().zip([630.0, 1190.0, 1800.0]) {
            assert!((cut - pause - 0.25).abs() < 0.2, "{cuts:?}");
        }
        let said: Vec<Word> = (0..2399).map(|n| Word::new(n.to_string(), f64::from(n) + 0.1, f64::from(n) + 0.9)).collect();
        let heard = chunks.iter().map(|chunk| (*chunk, sent(&said, chunk, |_| 0.0))).collect();
        assert_eq!(merge(heard), said);
    }

    /// The words of a chunk: those that lie in it completely, with times shifted by `off` seconds.
    fn sent(said: &[Word], chunk: &Chunk, off: impl Fn(usize) -> f64) -> Vec<Word> {
        let whole = |word: &Word| chunk.sent.start() <= word.start && word.end <= chunk.sent.end();
        let moved = |(n, word): (usize, &Word)| {
            let at = |time: Timestamp| time.since(chunk.sent.start()).plus(off(n)).max(Timestamp::ZERO);
            Word { start: at(word.start), end: at(word.end), ..word.clone() }
        };
        said.iter().enumerate().filter(|(_, word)| whole(word)).map(moved).collect()
    }

    proptest! {
        #[test]
        fn chunks_that_disagree_on_times_lose_and_repeat_no_word(
            lengths in prop::collection::vec(0.15..0.9_f64, 100..200), off in prop::collection::vec(-0.2..0.2_f64, 2..50),
        ) {
            let mut at = 0.0;
            let said: Vec<Word> = lengths.iter().enumerate().map(|(n, length)| {
                at += length;
                // Every third word is equal.
                Word::new(if n % 3 == 0 { "the".to_owned() } else { n.to_string() }, at - length, at)
            }).collect();
            let options = ChunkOptions { length: 15.0, search: 3.0, overlap: 2.0 };
            let chunks = chunks(&[], Span::secs(0.0, at).unwrap(), &options);
            prop_assert!(chunks.len() > 1);
            let heard = chunks.iter().enumerate().map(|(k, chunk)| (*chunk, sent(&said, chunk, |n| off[(n * 7 + k * 3) % off.len()])));
            let words = merge(heard.collect());
            let texts = |words: &[Word]| words.iter().map(|word| word.text.clone()).collect::<Vec<_>>();
            prop_assert_eq!(texts(&words), texts(&said));
        }
    }

    #[test]
    fn a_part_is_split_within_its_ends() {
        let part = Span::secs(100.0, 160.0).unwrap();
        let chunks = chunks(&vec![0.1; 4000], part, &ChunkOptions { length: 15.0, search: 6.0, overlap: 0.0 });
        assert!(chunks.len() >= 3 && chunks.iter().all(|chunk| chunk.sent == chunk.kept), "{chunks:?}");
        assert_eq!((chunks[0].kept.start(), chunks[chunks.len() - 1].kept.end()), (part.start(), part.end()));
        assert!(chunks.windows(2).all(|pair| pair[0].kept.end() == pair[1].kept.start()));
        assert!(chunks.iter().all(|chunk| chunk.kept.duration().as_secs_f64() <= 21.5), "{chunks:?}");
    }

    #[test]
    fn a_short_recording_is_one_chunk() {
        let chunks = chunks(&[], Span::secs(0.0, 30.0).unwrap(), &MINUTES);
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].sent, Span::secs(0.0, 30.0).unwrap());
    }
}
