//! Pure: where to cut a long recording for a model that takes short ones, and how to put its words together again.

use crate::av::LEVEL_SECS;
use crate::model::{Span, Timestamp, Word};

/// A pause is quiet for this long.
const PAUSE_SECS: f64 = 0.4;

/// How a recording is cut, in seconds.
pub(super) struct Cutting {
    /// How long a chunk should be.
    pub(super) length: f64,
    /// How far from there a quieter place is looked for.
    pub(super) search: f64,
    /// How much of its neighbours comes with a chunk, so that a word across a cut is whole in one of them.
    pub(super) overlap: f64,
}

/// A stretch to send, and the part of it whose words count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chunk {
    /// What is sent.
    pub(super) sent: Span,
    /// The words whose middle lies here are kept.
    pub(super) kept: Span,
}

/// Cuts a recording at its quietest places. `levels` are loudness readings.
pub(super) fn chunks(levels: &[f32], duration: Timestamp, cutting: &Cutting) -> Vec<Chunk> {
    let Cutting { length, search, overlap } = *cutting;
    let mut cuts = vec![0.0];
    let end = duration.secs();
    let mut from = 0.0;
    while end - from > length + search {
        from = quietest(levels, from + length - search, from + length + search);
        cuts.push(from);
    }
    cuts.push(end);
    let span = |start: f64, end: f64| Span::between(Timestamp::from_secs(start), Timestamp::from_secs(end));
    cuts.windows(2)
        .map(|cut| Chunk { sent: span((cut[0] - overlap).max(0.0), (cut[1] + overlap).min(end)), kept: span(cut[0], cut[1]) })
        .collect()
}

/// The middle of the quietest pause between two moments.
fn quietest(levels: &[f32], from: f64, to: f64) -> f64 {
    let index = |seconds: f64| ((seconds / LEVEL_SECS) as usize).min(levels.len());
    let width = (PAUSE_SECS / LEVEL_SECS) as usize;
    let sums = levels[index(from)..index(to)].windows(width).map(|window| window.iter().sum::<f32>());
    let found = sums.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(n, _)| n);
    found.map_or((from + to) / 2.0, |n| from + (n as f64 + width as f64 / 2.0) * LEVEL_SECS)
}

/// Puts one chunk's words, timed from the start of what was sent, onto the source's timeline.
pub(super) fn place(chunk: Chunk, last: bool, words: Vec<Word>) -> Vec<Word> {
    let origin = chunk.sent.start();
    let moved = words.into_iter().map(|word| Word { start: word.start.offset(origin), end: word.end.offset(origin), ..word });
    moved
        .filter(|word| {
            let middle = Timestamp::from_micros(word.start.micros() / 2 + word.end.micros() / 2);
            chunk.kept.contains(middle) || (last && middle >= chunk.kept.end())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES: Cutting = Cutting { length: 600.0, search: 60.0, overlap: 2.0 };

    #[test]
    fn cuts_fall_into_pauses_and_no_word_is_lost_or_doubled() {
        let seconds = 2400.0;
        let mut levels = vec![0.2f32; (seconds / LEVEL_SECS) as usize];
        for pause in [630.0, 1190.0, 1800.0] {
            let at = (pause / LEVEL_SECS) as usize;
            levels[at..at + 10].fill(0.001);
        }
        let chunks = chunks(&levels, Timestamp::from_secs(seconds), &MINUTES);
        let cuts: Vec<f64> = chunks.iter().skip(1).map(|chunk| chunk.kept.start().secs()).collect();
        assert_eq!(chunks.len(), 4);
        for (cut, pause) in cuts.iter().zip([630.0, 1190.0, 1800.0]) {
            assert!((cut - pause - 0.25).abs() < 0.2, "{cuts:?}");
        }
        let said: Vec<Word> = (0..2399).map(|n| Word::new(n.to_string(), f64::from(n) + 0.1, f64::from(n) + 0.9)).collect();
        let mut heard = Vec::new();
        for (n, chunk) in chunks.iter().enumerate() {
            let words = said.iter().filter(|word| chunk.sent.contains(word.start)).map(|word| Word {
                start: word.start.since(chunk.sent.start()),
                end: word.end.since(chunk.sent.start()),
                ..word.clone()
            });
            heard.extend(place(*chunk, n + 1 == chunks.len(), words.collect()));
        }
        assert_eq!(heard, said);
    }

    #[test]
    fn a_short_recording_is_one_chunk() {
        let chunks = chunks(&[], Timestamp::from_secs(30.0), &MINUTES);
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].sent, Span::secs(0.0, 30.0).unwrap());
    }
}
