use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ort::session::Session;
use ort::value::Tensor;

use super::{RATE, SILERO, VoiceActivity};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;
use crate::onnx::{self, RuntimeOptions};

/// Samples of one window.
const WINDOW: usize = 512;
/// Samples of the previous window that are prepended to each. Without them the network detects
/// little.
const CONTEXT: usize = 64;
/// The shape of the recurrent state.
const STATE: [usize; 3] = [2, 1, 128];

/// Silero's voice activity detector (<https://github.com/snakers4/silero-vad>, versions 5 and 6).
/// The recurrent state is kept outside, in [`SileroStream`], so that streams share one session.
#[derive(Debug)]
pub(super) struct Silero {
    session: Mutex<Session>,
}

/// The model that was opened last. All that use it share it, and the last of them closes it,
/// because it takes 10 to 20 MB.
static OPEN: Mutex<Option<(PathBuf, Weak<Silero>)>> = Mutex::new(None);

impl Silero {
    /// Opens the model file. `ErrorKind::Unavailable` if there is no ONNX Runtime library,
    /// `InvalidInput` if it is another model.
    pub(super) fn open(path: &Path) -> Result<Self> {
        // The model is so small that more threads would only wait for each other.
        let session = onnx::open(path, &RuntimeOptions { library: None, threads: 1 })?;
        let takes = |name: &str| session.inputs().iter().any(|input| input.name() == name);
        let gives = |name: &str| session.outputs().iter().any(|output| output.name() == name);
        if !(["input", "state", "sr"].into_iter().all(takes) && ["output", "stateN"].into_iter().all(gives)) {
            return Err(Error::new(ErrorKind::InvalidInput, "this model is not a supported voice detector")
                .with_path(path)
                .with_advice("use Silero VAD, version 5 or 6 (silero_vad.onnx)"));
        }
        Ok(Silero { session: Mutex::new(session) })
    }

    /// The model, opened once for all that use it at the same time. A failure is not remembered.
    pub(super) fn shared(path: &Path) -> Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(silero) = open.as_ref().filter(|(opened, _)| opened == path).and_then(|(_, silero)| silero.upgrade()) {
            return Ok(silero);
        }
        let silero = Arc::new(Silero::open(path)?);
        *open = Some((path.to_owned(), Arc::downgrade(&silero)));
        Ok(silero)
    }

    /// Runs the network on `window`, with the previous window's last samples first, and updates
    /// `state`. Returns the probability of speech.
    fn infer(&self, window: &[f32], state: &mut Vec<f32>) -> Result<f32> {
        let failed = |error: ort::Error| Error::new(ErrorKind::Contract, format!("the voice detector failed: {error}"));
        let input = Tensor::from_array(([1, window.len()], window.to_vec())).map_err(failed)?;
        let before = Tensor::from_array((STATE, std::mem::take(state))).map_err(failed)?;
        let rate = Tensor::from_array(([0_usize; 0], vec![RATE as i64])).map_err(failed)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs!["input" => input, "state" => before, "sr" => rate]).map_err(failed)?;
        let output = |name: &str| match outputs.get(name) {
            Some(value) => Ok(value.try_extract_tensor::<f32>().map_err(failed)?.1),
            None => Err(Error::new(ErrorKind::Contract, format!("the voice detector has no output {name}"))),
        };
        state.extend_from_slice(output("stateN")?);
        output("output")?.first().copied().ok_or_else(|| Error::new(ErrorKind::Contract, "the output of the voice detector is empty"))
    }
}

/// One recording on which the network runs.
pub(super) struct SileroStream {
    silero: Arc<Silero>,
    /// The recurrent state of the recording.
    state: Vec<f32>,
    /// The last samples of the previous window, then the samples of the current one.
    window: Vec<f32>,
    filled: usize,
    voice: VoiceActivity,
}

impl SileroStream {
    /// For mono samples at [`RATE`], the first of which is at `start`.
    pub(super) fn new(silero: Arc<Silero>, start: Timestamp) -> Self {
        SileroStream {
            silero,
            state: vec![0.0; STATE.iter().product()],
            window: vec![0.0; CONTEXT + WINDOW],
            filled: 0,
            voice: VoiceActivity { start, window: WINDOW as f64 / RATE as f64, thresholds: SILERO, probabilities: Vec::new() },
        }
    }

    pub(super) fn into_model(self) -> Arc<Silero> {
        self.silero
    }

    pub(super) fn push(&mut self, samples: &[f32]) -> Result<()> {
        for sample in samples {
            let sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
            self.window[CONTEXT + self.filled] = sample;
            self.filled += 1;
            if self.filled == WINDOW {
                self.voice.probabilities.push(self.silero.infer(&self.window, &mut self.state)?);
                self.window.copy_within(WINDOW.., 0);
                self.filled = 0;
            }
        }
        Ok(())
    }

    /// The result, with the last window padded with silence.
    pub(super) fn finish(mut self) -> Result<VoiceActivity> {
        let missing = (WINDOW - self.filled) % WINDOW;
        self.push(&[0.0; WINDOW][..missing])?;
        Ok(self.voice)
    }
}
