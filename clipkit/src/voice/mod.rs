//! Where a voice is heard: samples in, spans out.
//!
//! Two networks can judge. Earshot's is built in and tells speech from silence, hum and noise; music it takes for a voice. Silero's is a
//! file (`silero-vad` among the [models](crate::weights::Weights)) and needs the ONNX Runtime, but tells speech from music too, so it is asked where it
//! is on this machine. Measured by the tests on recordings whose speech is marked, in per cent of the speech that was missed and of the rest
//! that was taken for speech, and on music, in per cent of its length:
//!
//! | | two people on the phone | a meeting, far from the microphone | music of a film, of an orchestra, of a band |
//! |---|---|---|---|
//! | Earshot | 1.3, 1.3 | 44.6, 11.6 | 100, 99, 99 |
//! | Silero | 0.8, 3.5 | 31.1, 0.0 | 0, 0, 0 |

mod silero;

use earshot::Detector;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Span, Timestamp};
use crate::weights::{Weights, WeightsStore};
use silero::{Silero, Stream};

/// Samples a second that are listened to.
const RATE: usize = 16_000;
/// Samples of one judgement of Earshot: what the network was trained at.
const FRAME: usize = 256;
/// A gap shorter than this is inside a phrase (a stop consonant, a breath), in seconds.
const GAP: f64 = 0.2;
/// A shorter sound is a click, not a voice, in seconds.
const CLICK: f64 = 0.1;
/// What a network says is about what it heard this much earlier, in seconds. Measured: 60 utterances cut to their first and last sound and
/// set into silence began 16 ms late with either network, at the median; without silence 0 to 70 ms.
const DELAY: f64 = 0.016;

/// When a network is believed.
#[derive(Clone, Copy, Debug)]
struct Belief {
    /// A voice is where the network is once this sure ...
    once: f32,
    /// ... and goes on, both ways, while it is this sure: a word's weak parts do not cut it.
    on: f32,
}

/// Measured: loud noise and single tones reach 0.78 and stay above 0.5 (only a rumble as loud as speech reaches 0.85), speech exceeds 0.85 in
/// each phrase. With 0.4 instead of 0.45, voices
/// go on in noise for 0.1 s longer; with 0.5, a tenth of the phrases begin 0.1 s late.
const EARSHOT: Belief = Belief { once: 0.85, on: 0.45 };
/// What its authors use.
const SILERO: Belief = Belief { once: 0.5, on: 0.35 };

/// How sure a network is, moment by moment, that somebody speaks.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    start: Timestamp,
    /// The length of one judgement, in seconds.
    step: f64,
    belief: Belief,
    /// One value for each step, 0 to 1.
    chances: Vec<f32>,
}

/// Where a voice is in mono sound of 16 000 samples a second whose first is heard at `start`.
pub(crate) fn hear(cx: &Context, start: Timestamp, samples: &[f32]) -> Result<Voice> {
    let mut listener = Listener::open(cx, start);
    for second in samples.chunks(RATE) {
        cx.check()?;
        listener.push(second);
    }
    Ok(listener.finish())
}

/// Listens, with the best network on this machine, to sound that comes piece by piece. One that is here but cannot be used leaves a warning.
///
/// Silero takes about a hundredth of the time that the sound plays, Earshot a tenth of that, so Earshot listens along, for where Silero fails.
pub(crate) struct Listener<'a> {
    cx: &'a Context,
    builtin: Builtin,
    silero: Option<Stream>,
}

impl<'a> Listener<'a> {
    /// For mono sound of 16 000 samples a second whose first is heard at `start`.
    pub(crate) fn open(cx: &'a Context, start: Timestamp) -> Self {
        let store = WeightsStore::new();
        let path = Weights::by_id(Weights::VOICE_DETECTOR).ok().and_then(|model| store.find(model));
        let silero = path.and_then(|path| match Silero::shared(&path) {
            Ok(silero) => Some(Stream::new(silero, start)),
            Err(error) => {
                unusable(cx, &error);
                None
            }
        });
        Listener { cx, builtin: Builtin::new(start), silero }
    }

    /// Samples of -1 to 1.
    pub(crate) fn push(&mut self, samples: &[f32]) {
        self.builtin.push(samples);
        if let Some(Err(error)) = self.silero.as_mut().map(|silero| silero.push(samples)) {
            unusable(self.cx, &error);
            self.silero = None;
        }
    }

    /// What was heard.
    pub(crate) fn finish(self) -> Voice {
        match self.silero.map(Stream::finish) {
            Some(Ok(voice)) => return voice,
            Some(Err(error)) => unusable(self.cx, &error),
            None => {}
        }
        self.builtin.finish()
    }
}

fn unusable(cx: &Context, error: &Error) {
    cx.warn_once(format!("the voice detector cannot be used: {error}; music may be taken for voices"));
}

/// Listens with the network that is built in.
struct Builtin {
    detector: Box<Detector>,
    frame: Vec<i16>,
    voice: Voice,
}

impl Builtin {
    fn new(start: Timestamp) -> Self {
        let voice = Voice { start, step: FRAME as f64 / RATE as f64, belief: EARSHOT, chances: Vec::new() };
        Builtin { detector: Detector::default_boxed(), frame: Vec::with_capacity(FRAME), voice }
    }

    fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            // Saturates; not-a-number is silence.
            self.frame.push((sample * 32767.0) as i16);
            if self.frame.len() == FRAME {
                self.voice.chances.push(self.detector.predict_i16(&self.frame));
                self.frame.clear();
            }
        }
    }

    fn finish(mut self) -> Voice {
        // Silence follows and fills up the last frame.
        let missing = (FRAME - self.frame.len()) % FRAME;
        self.push(&[0.0; FRAME][..missing]);
        self.voice
    }
}

impl Voice {
    /// Where somebody speaks, in order, apart by more than a breath between syllables.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut from = 0;
        for run in self.chances.chunk_by(|a, b| (*a >= self.belief.on) == (*b >= self.belief.on)) {
            let to = from + run.len();
            if run.iter().any(|&chance| chance >= self.belief.once) {
                let span = Span::between(self.at(from), self.at(to));
                match spans.last_mut() {
                    Some(last) if span.start().since(last.end()).secs() < GAP => *last = Span::between(last.start(), span.end()),
                    _ => spans.push(span),
                }
            }
            from = to;
        }
        spans.retain(|span| span.duration().as_secs_f64() >= CLICK);
        spans
    }

    /// When what was judged in a step began to sound.
    fn at(&self, step: usize) -> Timestamp {
        self.start.plus((step as f64 * self.step - DELAY).max(0.0))
    }
}

#[cfg(test)]
mod tests;
