//! Loudness and voice activity of a recording: where to split it, and which words are plausible.

use crate::av;
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span, Timestamp, WarningKind, Word};
use crate::speech::speech_map;

/// Below this root mean square of full scale (-60 dBFS), there is no speech.
const SILENCE: f32 = 0.001;
/// How long a word may start before detected speech, in seconds: soft sounds are detected late.
const ONSET: f64 = 0.1;
/// How long a word may continue after detected speech, in seconds.
const DECAY: f64 = 0.2;
/// A word farther than this from detected speech, in seconds, is taken as invented: models return
/// words for silence and music.
const MAX_DISTANCE: f64 = 1.0;
/// If more than this share of the words is far from detected speech, the voice detector is taken to
/// have failed (singing, a crowd), and all words are kept.
const MAX_INVENTED_SHARE: f64 = 0.2;
/// If detected speech covers less than this share of a recording, the voice detector is not
/// trusted.
const MIN_SPEECH_SHARE: f64 = 0.1;

/// Loudness and detected speech of a whole recording.
pub(super) struct SpeechActivity {
    /// The root mean square of each interval of [`av::LEVEL_SECS`], as a share of full scale.
    levels: Vec<f32>,
    /// Detected speech, in order of time.
    speech: Vec<Span>,
}

/// The loudness and voice activity of the medium, from its speech map.
pub(super) async fn detect_speech(cx: &Context, media: &Media) -> Result<SpeechActivity> {
    let map = speech_map(cx, media).await?;
    Ok(SpeechActivity { levels: map.amplitudes().collect(), speech: map.spans.clone() })
}

impl SpeechActivity {
    /// The cost of a cut in each interval of [`av::LEVEL_SECS`]: the loudness, plus 1 during
    /// speech.
    pub(super) fn cut_costs(&self) -> Vec<f32> {
        let mut values = self.levels.clone();
        for span in &self.speech {
            let [from, to] = [span.start(), span.end()].map(|at| ((at.secs().max(0.0) / av::LEVEL_SECS) as usize).min(values.len()));
            values[from..to.max(from)].iter_mut().for_each(|value| *value += 1.0);
        }
        values
    }

    /// Whether `span` overlaps detected speech. If speech covers very little of the recording, the
    /// detector may have failed; then, whether `span` is louder than silence.
    pub(super) fn may_contain_speech(&self, part: Span) -> bool {
        let speech_secs: f64 = self.speech.iter().map(|span| span.duration().as_secs_f64()).sum();
        if speech_secs > MIN_SPEECH_SHARE * self.levels.len() as f64 * av::LEVEL_SECS {
            return self.speech.iter().any(|span| span.intersection(part).is_some());
        }
        let [from, to] = [part.start(), part.end()].map(|at| (at.secs().max(0.0) / av::LEVEL_SECS) as usize);
        self.levels.iter().skip(from).take(to.saturating_sub(from)).any(|level| *level > SILENCE)
    }

    /// Moves words to detected speech. The words' times count seconds of speech in `part`, from 0.
    /// If no speech is detected in `part`, all of it counts as speech.
    pub(super) fn align(&self, words: Vec<Word>, part: Span) -> Vec<Word> {
        let speech = self.speech_in(part);
        let moment = |time: Timestamp, opens: bool| {
            let mut left = time.secs();
            for span in &speech {
                let length = span.duration().as_secs_f64();
                // A word that ends with one span of speech must not end at the start of the next.
                if left < length || (!opens && left <= length) {
                    return span.start().plus(left);
                }
                left -= length;
            }
            speech.last().map_or(part.end(), |span| span.end())
        };
        words.into_iter().map(|word| Word { start: moment(word.start, true), end: moment(word.end, false), ..word }).collect()
    }

    /// The seconds of speech in `part` that [`align`](SpeechActivity::align) distributes words
    /// over.
    pub(super) fn speech_secs(&self, part: Span) -> f64 {
        self.speech_in(part).iter().map(|span| span.duration().as_secs_f64()).sum()
    }

    fn speech_in(&self, part: Span) -> Vec<Span> {
        let speech: Vec<Span> = self.overlapping(part).filter_map(|span| span.intersection(part)).collect();
        if speech.is_empty() { vec![part] } else { speech }
    }

    /// Removes words far from detected speech, with a warning, and trims the others to it. Keeps
    /// all words if the voice detector seems to have failed.
    pub(super) fn trim(&self, cx: &Context, words: Vec<Word>) -> Vec<Word> {
        let count = words.len();
        let (spoken, invented): (Vec<Word>, Vec<Word>) = words.into_iter().partition(|word| self.is_near_speech(word));
        if self.speech.is_empty() || invented.len() as f64 > MAX_INVENTED_SHARE * count as f64 {
            let mut all = spoken;
            all.extend(invented);
            all.sort_by_key(|word| word.start);
            return all;
        }
        if let Some(first) = invented.first() {
            cx.warn_of(
                WarningKind::Repaired,
                format!(
                    "{} words far from any detected speech were left out, the first at {}: {:?}",
                    invented.len(),
                    first.start,
                    first.text
                ),
            );
        }
        spoken.into_iter().map(|word| self.trim_word(word)).collect()
    }

    fn is_near_speech(&self, word: &Word) -> bool {
        let extended = Span::between(word.start.plus(-MAX_DISTANCE), word.end.plus(MAX_DISTANCE));
        self.overlapping(extended).next().is_some()
    }

    /// The word without silence before and after it.
    fn trim_word(&self, word: Word) -> Word {
        let within = || self.overlapping(Span::between(word.start, word.end));
        let (Some(first), Some(last)) = (within().next(), within().last()) else { return word };
        let start = word.start.max(first.start().plus(-ONSET));
        let end = word.end.min(last.end().plus(DECAY));
        if start < end { Word { start, end, ..word } } else { word }
    }

    /// The spans of detected speech that overlap `span`, in order.
    fn overlapping(&self, span: Span) -> impl Iterator<Item = Span> {
        let from = self.speech.partition_point(|speech| speech.end() <= span.start());
        self.speech.iter().skip(from).take_while(move |speech| speech.start() < span.end()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(speech: &[(f64, f64)]) -> SpeechActivity {
        SpeechActivity { levels: vec![0.1; 400], speech: speech.iter().map(|(start, end)| Span::secs(*start, *end).unwrap()).collect() }
    }

    fn shown(words: &[Word]) -> Vec<(&str, f64, f64)> {
        words.iter().map(|word| (word.text.as_str(), word.start.secs(), word.end.secs())).collect()
    }

    #[test]
    fn words_are_trimmed_to_speech_and_none_remains_in_silence() {
        let cx = Context::new();
        let words = ["so", "it", "is", "now", "then", "and", "thanks"].into_iter().zip([0.5, 1.2, 1.6, 2.0, 2.4, 2.8, 12.0]).map(
            |(text, start)| {
                let end = if text == "and" { 9.0 } else { start + 0.3 };
                Word::new(text, start, end)
            },
        );
        let trimmed = activity(&[(1.0, 3.1)]).trim(&cx, words.collect());
        assert_eq!(trimmed.len(), 6);
        assert_eq!(shown(&trimmed)[0], ("so", 0.5, 0.8), "near speech, so it is kept");
        assert_eq!(shown(&trimmed)[5], ("and", 2.8, 3.3));
        assert!(cx.warnings()[0].message.contains("\"thanks\""), "{:?}", cx.warnings());
    }

    #[test]
    fn words_without_times_are_aligned_to_speech() {
        let activity = activity(&[(1.0, 3.0), (5.0, 6.0), (9.0, 12.0)]);
        let part = Span::secs(0.0, 10.0).unwrap();
        assert!((activity.speech_secs(part) - 4.0).abs() < 1e-6);
        let words = activity.align(vec![Word::new("a", 0.0, 2.0), Word::new("b", 2.0, 2.5), Word::new("c", 2.5, 4.0)], part);
        assert_eq!(shown(&words), [("a", 1.0, 3.0), ("b", 5.0, 5.5), ("c", 5.5, 10.0)]);
        let silent = Span::secs(7.0, 8.0).unwrap();
        assert_eq!(shown(&activity.align(vec![Word::new("d", 0.25, 0.5)], silent)), [("d", 7.25, 7.5)]);
    }

    #[test]
    fn all_words_are_kept_if_the_detector_fails() {
        let cx = Context::new();
        let words: Vec<Word> = (0..10).map(|n| Word::new(n.to_string(), f64::from(n), f64::from(n) + 0.5)).collect();
        assert_eq!(activity(&[]).trim(&cx, words.clone()), words);
        assert_eq!(activity(&[(0.0, 1.0)]).trim(&cx, words.clone()), words);
        assert!(cx.warnings().is_empty());
    }

    #[test]
    fn parts_without_speech_are_skipped() {
        let part = |start, end| Span::secs(start, end).unwrap();
        assert!(activity(&[(1.0, 4.0)]).may_contain_speech(part(0.0, 1.5)));
        assert!(!activity(&[(1.0, 4.0)]).may_contain_speech(part(5.0, 9.0)));
        assert!(activity(&[(1.0, 2.0)]).may_contain_speech(part(5.0, 9.0)), "very little speech");
        assert!(activity(&[]).may_contain_speech(part(3.0, 9.0)));
        let silent = SpeechActivity { levels: vec![0.0; 400], speech: Vec::new() };
        assert!(!silent.may_contain_speech(part(3.0, 9.0)));
    }

    #[test]
    fn cuts_cost_more_during_speech() {
        let costs = activity(&[(1.0, 2.0)]).cut_costs();
        assert_eq!((costs.len(), costs[19], costs[20], costs[39], costs[40]), (400, 0.1, 1.1, 1.1, 0.1));
    }
}
