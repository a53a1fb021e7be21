//! What the sound alone tells a transcriber: where a voice is heard, and where it is quiet enough to cut.

use crate::av;
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span, Timestamp, Word};
use crate::voice::VoiceDetector;

/// Quieter than this, as root mean square of full scale, nothing is said: -60 dB.
const SILENCE: f32 = 0.001;
/// A word may begin so long before the voice is noticed, and go on so long after, in seconds: soft sounds.
const ONSET: f64 = 0.1;
const DECAY: f64 = 0.2;
/// A word this far from any voice was not said: models make up words for silence and music, in seconds.
const UNHEARD: f64 = 1.0;
/// Where more of the words than this are far from any voice, it is the voice detector that does not hear (singing, a crowd).
const DEAF: f64 = 0.2;
/// A recording of people who speak has a voice in more of its time than this.
const SPOKEN: f64 = 0.1;

/// The sound of a whole recording.
pub(super) struct Heard {
    /// How loud it is, every [`av::LEVEL_SECS`].
    levels: Vec<f32>,
    voice: Vec<Span>,
}

/// Decodes the sound once.
pub(super) fn hear(cx: &Context, media: &Media) -> Result<Heard> {
    let mut detector = VoiceDetector::open(cx, Timestamp::ZERO);
    let mut levels = Vec::new();
    av::listen(cx, media, Span::between(Timestamp::ZERO, media.duration), &mut |samples| {
        let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
        levels.push(power.sqrt() as f32);
        detector.push(samples);
    })?;
    Ok(Heard { levels, voice: detector.finish().spans() })
}

impl Heard {
    /// How bad it is to cut, every [`av::LEVEL_SECS`]: the loudness, and much more where somebody speaks.
    pub(super) fn restlessness(&self) -> Vec<f32> {
        let mut values = self.levels.clone();
        for span in &self.voice {
            let [from, to] = [span.start(), span.end()].map(|at| ((at.secs().max(0.0) / av::LEVEL_SECS) as usize).min(values.len()));
            values[from..to.max(from)].iter_mut().for_each(|value| *value += 1.0);
        }
        values
    }

    /// Whether a model should hear this stretch: not where nobody speaks. Where hardly a voice is heard in the whole recording, the detector may
    /// be wrong, so only silence is left out.
    pub(super) fn is_worth_hearing(&self, stretch: Span) -> bool {
        let spoken: f64 = self.voice.iter().map(|span| span.duration().as_secs_f64()).sum();
        if spoken > SPOKEN * self.levels.len() as f64 * av::LEVEL_SECS {
            return self.voice.iter().any(|span| span.intersection(stretch).is_some());
        }
        let [from, to] = [stretch.start(), stretch.end()].map(|at| (at.secs().max(0.0) / av::LEVEL_SECS) as usize);
        self.levels.iter().skip(from).take(to.saturating_sub(from)).any(|level| *level > SILENCE)
    }

    /// Words of a stretch whose times count its voice alone, from 0, put to where that voice is. Where none is heard, the stretch is its voice.
    pub(super) fn place(&self, words: Vec<Word>, stretch: Span) -> Vec<Word> {
        let voice = self.voice_of(stretch);
        let moment = |time: Timestamp, opens: bool| {
            let mut left = time.secs();
            for span in &voice {
                let length = span.duration().as_secs_f64();
                // What ends with one phrase does not end at the start of the next.
                if left < length || (!opens && left <= length) {
                    return span.start().plus(left);
                }
                left -= length;
            }
            voice.last().map_or(stretch.end(), |span| span.end())
        };
        words.into_iter().map(|word| Word { start: moment(word.start, true), end: moment(word.end, false), ..word }).collect()
    }

    /// How long somebody speaks in a stretch, in seconds: what [`place`](Heard::place) spreads words over.
    pub(super) fn voiced(&self, stretch: Span) -> f64 {
        self.voice_of(stretch).iter().map(|span| span.duration().as_secs_f64()).sum()
    }

    fn voice_of(&self, stretch: Span) -> Vec<Span> {
        let voice: Vec<Span> = self.around(stretch).filter_map(|span| span.intersection(stretch)).collect();
        if voice.is_empty() { vec![stretch] } else { voice }
    }

    /// Words cut to where the voice is, without those that a model made up where there is none.
    pub(super) fn trim(&self, cx: &Context, words: Vec<Word>) -> Vec<Word> {
        let count = words.len();
        let (said, invented): (Vec<Word>, Vec<Word>) = words.into_iter().partition(|word| self.near(word));
        if self.voice.is_empty() || invented.len() as f64 > DEAF * count as f64 {
            let mut all = said;
            all.extend(invented);
            all.sort_by_key(|word| word.start);
            return all;
        }
        if let Some(first) = invented.first() {
            cx.warn(format!(
                "{} words that were heard where nobody speaks were left out, the first at {}: {:?}",
                invented.len(),
                first.start,
                first.text
            ));
        }
        said.into_iter().map(|word| self.cut(word)).collect()
    }

    fn near(&self, word: &Word) -> bool {
        let roomy = Span::between(word.start.plus(-UNHEARD), word.end.plus(UNHEARD));
        self.around(roomy).next().is_some()
    }

    /// The word without the silence before and after it.
    fn cut(&self, word: Word) -> Word {
        let within = || self.around(Span::between(word.start, word.end));
        let (Some(first), Some(last)) = (within().next(), within().last()) else { return word };
        let start = word.start.max(first.start().plus(-ONSET));
        let end = word.end.min(last.end().plus(DECAY));
        if start < end { Word { start, end, ..word } } else { word }
    }

    /// The stretches of voice that share a moment with `span`, in order.
    fn around(&self, span: Span) -> impl Iterator<Item = Span> {
        let from = self.voice.partition_point(|voice| voice.end() <= span.start());
        self.voice.iter().skip(from).take_while(move |voice| voice.start() < span.end()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(voice: &[(f64, f64)]) -> Heard {
        Heard { levels: vec![0.1; 400], voice: voice.iter().map(|(start, end)| Span::secs(*start, *end).unwrap()).collect() }
    }

    fn said(words: &[Word]) -> Vec<(&str, f64, f64)> {
        words.iter().map(|word| (word.text.as_str(), word.start.secs(), word.end.secs())).collect()
    }

    #[test]
    fn words_end_with_the_voice_and_none_is_said_in_silence() {
        let cx = Context::new();
        let words = ["so", "it", "is", "now", "then", "and", "thanks"].into_iter().zip([0.5, 1.2, 1.6, 2.0, 2.4, 2.8, 12.0]).map(
            |(text, start)| {
                let end = if text == "and" { 9.0 } else { start + 0.3 };
                Word::new(text, start, end)
            },
        );
        let trimmed = heard(&[(1.0, 3.1)]).trim(&cx, words.collect());
        assert_eq!(trimmed.len(), 6);
        assert_eq!(said(&trimmed)[0], ("so", 0.5, 0.8), "near the voice, so it stands");
        assert_eq!(said(&trimmed)[5], ("and", 2.8, 3.3));
        assert!(cx.warnings()[0].message.contains("\"thanks\""), "{:?}", cx.warnings());
    }

    #[test]
    fn words_without_times_are_put_where_the_voice_is() {
        let heard = heard(&[(1.0, 3.0), (5.0, 6.0), (9.0, 12.0)]);
        let stretch = Span::secs(0.0, 10.0).unwrap();
        assert!((heard.voiced(stretch) - 4.0).abs() < 1e-6);
        let words = heard.place(vec![Word::new("a", 0.0, 2.0), Word::new("b", 2.0, 2.5), Word::new("c", 2.5, 4.0)], stretch);
        assert_eq!(said(&words), [("a", 1.0, 3.0), ("b", 5.0, 5.5), ("c", 5.5, 10.0)]);
        let silent = Span::secs(7.0, 8.0).unwrap();
        assert_eq!(said(&heard.place(vec![Word::new("d", 0.25, 0.5)], silent)), [("d", 7.25, 7.5)]);
    }

    #[test]
    fn where_the_detector_hears_nothing_all_words_stand() {
        let cx = Context::new();
        let words: Vec<Word> = (0..10).map(|n| Word::new(n.to_string(), f64::from(n), f64::from(n) + 0.5)).collect();
        assert_eq!(heard(&[]).trim(&cx, words.clone()), words);
        assert_eq!(heard(&[(0.0, 1.0)]).trim(&cx, words.clone()), words);
        assert!(cx.warnings().is_empty());
    }

    #[test]
    fn stretches_without_a_voice_are_not_worth_hearing() {
        let stretch = |start, end| Span::secs(start, end).unwrap();
        assert!(heard(&[(1.0, 4.0)]).is_worth_hearing(stretch(0.0, 1.5)));
        assert!(!heard(&[(1.0, 4.0)]).is_worth_hearing(stretch(5.0, 9.0)));
        assert!(heard(&[(1.0, 2.0)]).is_worth_hearing(stretch(5.0, 9.0)), "hardly a voice");
        assert!(heard(&[]).is_worth_hearing(stretch(3.0, 9.0)));
        let silent = Heard { levels: vec![0.0; 400], voice: Vec::new() };
        assert!(!silent.is_worth_hearing(stretch(3.0, 9.0)));
    }

    #[test]
    fn cutting_is_bad_where_somebody_speaks() {
        let restless = heard(&[(1.0, 2.0)]).restlessness();
        assert_eq!((restless.len(), restless[19], restless[20], restless[39], restless[40]), (400, 0.1, 1.1, 1.1, 0.1));
    }
}
