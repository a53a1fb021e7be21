//! Voice activity detection: samples in, spans with speech out.
//!
//! There are two networks. Earshot is built in; it tells speech from silence, hum and noise, but
//! takes music for speech. Silero is a model file (`silero-vad` among the
//! [models](crate::weights::Weights)) and needs the ONNX Runtime; it tells speech from music too,
//! so it is used where it is installed. Measured by the tests on annotated recordings: the share of
//! speech that was missed and the share of the rest that was taken for speech, in per cent; and on
//! music, the share taken for speech, in per cent of its length:
//!
//! | | phone call of two | meeting, distant microphone | music: film, orchestra, band |
//! |---|---|---|---|
//! | Earshot | 1.3, 1.3 | 44.6, 11.6 | 100, 99, 99 |
//! | Silero | 0.8, 3.5 | 31.1, 0.0 | 0, 0, 0 |

#[cfg(feature = "onnx")]
mod silero;
#[cfg(not(feature = "onnx"))]
#[path = "silero_unavailable.rs"]
mod silero;

use std::any::Any;
use std::sync::Arc;

use earshot::Detector;

use crate::context::Context;
use crate::error::Error;
#[cfg(test)]
use crate::error::Result;
use crate::model::{Span, Timestamp, WarningKind};
use crate::weights::{Weights, WeightsStore};
use silero::{Silero, SileroStream};

/// The sample rate of the input, in Hz.
const RATE: usize = 16_000;
/// Samples of one Earshot window, as the network was trained.
const WINDOW: usize = 256;
/// A shorter gap belongs to the phrase (a stop consonant, a breath), in seconds.
const MIN_GAP: f64 = 0.2;
/// A shorter sound is a click, in seconds.
const MIN_DURATION: f64 = 0.1;
/// The latency of both networks, in seconds. Measured: 60 utterances, cut to their first and last
/// sound and padded with silence, were detected 16 ms late at the median; without the silence 0 to
/// 70 ms late.
const LATENCY: f64 = 0.016;

/// Hysteresis thresholds of a network's probabilities.
#[derive(Clone, Copy, Debug)]
struct Thresholds {
    /// A span is speech if any probability in it reaches this ...
    high: f32,
    /// ... and it extends in both directions while they are at least this, so that weak parts of a
    /// word do not split it.
    low: f32,
}

/// Measured: loud noise and single tones reach 0.78 and stay above 0.5 (only a rumble as loud as
/// speech reaches 0.85), and speech exceeds 0.85 in each phrase. With 0.4 instead of 0.45, spans in
/// noise end 0.1 s later; with 0.5, a tenth of the phrases begin 0.1 s late.
const EARSHOT: Thresholds = Thresholds { high: 0.85, low: 0.45 };
/// The values of the model's authors.
const SILERO: Thresholds = Thresholds { high: 0.5, low: 0.35 };

/// The probability of speech over time.
#[derive(Clone, Debug)]
pub(crate) struct VoiceActivity {
    start: Timestamp,
    /// The length of one window, in seconds.
    window: f64,
    thresholds: Thresholds,
    /// One probability per window, 0 to 1.
    probabilities: Vec<f32>,
}

/// Detects speech in mono samples at 16 kHz, the first of which is at `start`.
#[cfg(test)]
pub(crate) fn detect_voice(cx: &Context, start: Timestamp, samples: &[f32]) -> Result<VoiceActivity> {
    let mut detector = VoiceDetector::open(cx, start);
    for second in samples.chunks(RATE) {
        cx.check()?;
        detector.push(second);
    }
    Ok(detector.finish().expect("the network ran"))
}

/// Detects speech in samples that are given in pieces, with one network.
pub(crate) struct VoiceDetector<'a> {
    cx: &'a Context,
    network: Network,
}

enum Network {
    Earshot(EarshotStream),
    Silero(SileroStream),
    /// Silero failed; its warning is sent.
    Failed,
}

impl<'a> VoiceDetector<'a> {
    /// The fingerprint of the built-in network.
    pub(crate) const BUILT_IN: &'static str = "earshot 1";

    /// What decides the answer besides the sound: the network.
    pub(crate) fn fingerprint(&self) -> &'static str {
        if matches!(self.network, Network::Earshot(_)) { Self::BUILT_IN } else { "silero 1" }
    }

    /// Keeps the network's model open, and so shared with the detectors that are opened meanwhile.
    pub(crate) fn keep_open(self) -> Option<Arc<dyn Any + Send + Sync>> {
        match self.network {
            Network::Silero(stream) => Some(stream.into_model()),
            Network::Earshot(_) | Network::Failed => None,
        }
    }

    /// The best network that is installed, for mono samples at 16 kHz, the first of which is at
    /// `start`. A Silero model that is installed but cannot be opened leaves a warning.
    pub(crate) fn open(cx: &'a Context, start: Timestamp) -> Self {
        let store = WeightsStore::from_environment(cx.environment());
        let path = Weights::by_id(Weights::VOICE_DETECTOR).ok().and_then(|model| store.find(model));
        match path.map(|path| Silero::shared(&path)) {
            Some(Ok(silero)) => VoiceDetector { cx, network: Network::Silero(SileroStream::new(silero, start)) },
            Some(Err(error)) => {
                warn_unusable(cx, &error);
                Self::built_in(cx, start)
            }
            None => Self::built_in(cx, start),
        }
    }

    /// The built-in network, for mono samples at 16 kHz, the first of which is at `start`.
    pub(crate) fn built_in(cx: &'a Context, start: Timestamp) -> Self {
        VoiceDetector { cx, network: Network::Earshot(EarshotStream::new(start)) }
    }

    /// Adds samples of -1 to 1.
    pub(crate) fn push(&mut self, samples: &[f32]) {
        match &mut self.network {
            Network::Earshot(earshot) => earshot.push(samples),
            Network::Silero(silero) => {
                if let Err(error) = silero.push(samples) {
                    warn_unusable(self.cx, &error);
                    self.network = Network::Failed;
                }
            }
            Network::Failed => {}
        }
    }

    /// The result after the last sample. `None` if the network failed, with a warning: the built-in
    /// network then has to listen again from the start.
    pub(crate) fn finish(self) -> Option<VoiceActivity> {
        match self.network {
            Network::Earshot(earshot) => Some(earshot.finish()),
            Network::Silero(silero) => silero.finish().inspect_err(|error| warn_unusable(self.cx, error)).ok(),
            Network::Failed => None,
        }
    }
}

fn warn_unusable(cx: &Context, error: &Error) {
    cx.warn_once_of(WarningKind::Unavailable, format!("the voice detector cannot be used: {error}; music may be taken for speech"));
}

/// Runs the built-in network, Earshot.
struct EarshotStream {
    detector: Box<Detector>,
    frame: Vec<i16>,
    voice: VoiceActivity,
}

impl EarshotStream {
    fn new(start: Timestamp) -> Self {
        let voice = VoiceActivity { start, window: WINDOW as f64 / RATE as f64, thresholds: EARSHOT, probabilities: Vec::new() };
        EarshotStream { detector: Detector::default_boxed(), frame: Vec::with_capacity(WINDOW), voice }
    }

    fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            // The cast saturates, and NaN becomes 0.
            self.frame.push((sample * 32767.0) as i16);
            if self.frame.len() == WINDOW {
                self.voice.probabilities.push(self.detector.predict_i16(&self.frame));
                self.frame.clear();
            }
        }
    }

    fn finish(mut self) -> VoiceActivity {
        // Pads the last window with silence.
        let missing = (WINDOW - self.frame.len()) % WINDOW;
        self.push(&[0.0; WINDOW][..missing]);
        self.voice
    }
}

impl VoiceActivity {
    /// The spans with speech, in order, with gaps of at least `MIN_GAP`.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut from = 0;
        for run in self.probabilities.chunk_by(|a, b| (*a >= self.thresholds.low) == (*b >= self.thresholds.low)) {
            let to = from + run.len();
            if run.iter().any(|&probability| probability >= self.thresholds.high) {
                let span = Span::between(self.at(from), self.at(to));
                match spans.last_mut() {
                    Some(last) if span.start().since(last.end()).secs() < MIN_GAP => *last = Span::between(last.start(), span.end()),
                    _ => spans.push(span),
                }
            }
            from = to;
        }
        spans.retain(|span| span.duration().as_secs_f64() >= MIN_DURATION);
        spans
    }

    /// The activity without the first `seconds`, a whole number of windows.
    pub(crate) fn without_start(mut self, seconds: f64) -> Self {
        let windows = ((seconds / self.window).round() as usize).min(self.probabilities.len());
        self.probabilities.drain(..windows);
        self.start = self.start.plus(windows as f64 * self.window);
        self
    }

    /// The spans with speech in consecutive parts. If a network failed in one of the parts, the
    /// parts of either network are searched separately.
    pub(crate) fn spans_of(parts: Vec<VoiceActivity>) -> Vec<Span> {
        let mut joined: Vec<VoiceActivity> = Vec::new();
        for part in parts {
            match joined.last_mut() {
                Some(last) if last.window == part.window => last.probabilities.extend(part.probabilities),
                _ => joined.push(part),
            }
        }
        joined.iter().flat_map(VoiceActivity::spans).collect()
    }

    /// The start of a window, corrected for the network's latency.
    fn at(&self, window: usize) -> Timestamp {
        self.start.plus((window as f64 * self.window - LATENCY).max(0.0))
    }
}

#[cfg(test)]
mod tests;
