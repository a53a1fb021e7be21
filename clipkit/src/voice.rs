//! Where a voice is heard. Pure: samples in, spans out.

use earshot::Detector;

use crate::model::{Span, Timestamp};

/// Samples a second that a [`Listener`] takes.
pub(crate) const RATE: usize = 16_000;
/// Samples of one judgement: what the network was trained at.
const FRAME: usize = 256;
/// One judgement's length, in seconds.
const STEP: f64 = FRAME as f64 / RATE as f64;
/// A voice begins where the network is this sure ...
const ON: f32 = 0.5;
/// ... and ends where it is less sure than this: a word's weak parts do not cut it.
const OFF: f32 = 0.35;
/// A gap shorter than this is inside a word (a stop consonant), in seconds.
const GAP: f64 = 0.12;
/// A shorter sound is a click, not a voice, in seconds.
const CLICK: f64 = 0.08;

/// How sure it is, moment by moment, that somebody speaks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Voice {
    start: Timestamp,
    /// One value for each [`STEP`], 0 to 1.
    chances: Vec<f32>,
}

/// Listens to sound that comes piece by piece. Takes about a thousandth of the time that the sound plays.
pub(crate) struct Listener {
    detector: Box<Detector>,
    frame: Vec<i16>,
    voice: Voice,
    /// What the network said first is about the silence before the sound.
    begun: bool,
}

impl Listener {
    /// For mono sound of [`RATE`] samples a second whose first sample is heard at `start`.
    pub(crate) fn new(start: Timestamp) -> Self {
        let voice = Voice { start, chances: Vec::new() };
        Listener { detector: Detector::default_boxed(), frame: Vec::with_capacity(FRAME), voice, begun: false }
    }

    /// Samples of -1 to 1.
    pub(crate) fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            // Saturates; not-a-number is silence.
            self.frame.push((sample * 32767.0) as i16);
            if self.frame.len() == FRAME {
                let chance = self.detector.predict_i16(&self.frame);
                self.frame.clear();
                // The network looks at three frames, so what it says is about the one before.
                if self.begun {
                    self.voice.chances.push(chance);
                }
                self.begun = true;
            }
        }
    }

    /// What was heard.
    pub(crate) fn finish(mut self) -> Voice {
        if self.begun || !self.frame.is_empty() {
            // Silence follows: it fills up the last frame, and one more lets the network look past it.
            let missing = (FRAME - self.frame.len()) % FRAME + FRAME;
            self.push(&[0.0; 2 * FRAME][..missing]);
        }
        self.voice
    }
}

impl Voice {
    /// Where somebody speaks, in order, apart by more than a breath between syllables.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut open: Option<usize> = None;
        let beyond = [0.0];
        for (n, &chance) in self.chances.iter().chain(&beyond).enumerate() {
            match open {
                None if chance >= ON => open = Some(n),
                Some(from) if chance < OFF => {
                    open = None;
                    let span = Span::between(self.at(from), self.at(n));
                    match spans.last_mut() {
                        Some(last) if span.start().since(last.end()).secs() < GAP => *last = Span::between(last.start(), span.end()),
                        _ => spans.push(span),
                    }
                }
                _ => {}
            }
        }
        spans.retain(|span| span.duration().as_secs_f64() >= CLICK);
        spans
    }

    /// How sure it is, on average over `span`, that somebody speaks; none where the span was not heard.
    pub(crate) fn over(&self, span: Span) -> Option<f64> {
        let index = |at: Timestamp| ((at.since(self.start).secs() / STEP).max(0.0)) as usize;
        let heard = self.chances.get(index(span.start())..(index(span.end()) + 1).min(self.chances.len()))?;
        (!heard.is_empty()).then(|| heard.iter().map(|&chance| f64::from(chance)).sum::<f64>() / heard.len() as f64)
    }

    fn at(&self, step: usize) -> Timestamp {
        self.start.plus(step as f64 * STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(samples: &[f32], start: f64) -> Voice {
        let mut listener = Listener::new(Timestamp::from_secs(start));
        listener.push(samples);
        listener.finish()
    }

    #[test]
    fn silence_and_noise_are_no_voice() {
        assert_eq!(heard(&[], 0.0).spans(), []);
        assert_eq!(heard(&vec![0.0; 5 * RATE], 0.0).spans(), []);
        let mut state = 1u32;
        let noise = (0..5 * RATE).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        });
        assert_eq!(heard(&noise.map(|sample| sample * 0.1).collect::<Vec<_>>(), 0.0).spans(), []);
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter_and_spans_are_apart_and_inside(
            samples in prop::collection::vec(-1.0..1.0_f32, 0..4000), piece in 1..700usize, start in 0.0..100.0_f64,
        ) {
            let whole = heard(&samples, start);
            let mut listener = Listener::new(Timestamp::from_secs(start));
            samples.chunks(piece).for_each(|piece| listener.push(piece));
            let voice = listener.finish();
            prop_assert_eq!(&voice.chances, &whole.chances);
            prop_assert_eq!(voice.chances.len(), samples.len().div_ceil(FRAME));
            let spans = voice.spans();
            prop_assert!(spans.windows(2).all(|pair| pair[1].start().since(pair[0].end()).secs() >= GAP));
            prop_assert!(spans.iter().all(|span| span.start() >= Timestamp::from_secs(start)));
        }
    }
}
