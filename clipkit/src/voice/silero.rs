use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::session::Session;
use ort::value::Tensor;

use super::{RATE, SILERO, Voice};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;
use crate::onnx::{self, RuntimeOptions};

/// Samples of one judgement.
const STEP: usize = 512;
/// Samples of the step before that the network sees again; without them it hears little.
const CONTEXT: usize = 64;
/// The shape of what the network remembers.
const STATE: [usize; 3] = [2, 1, 128];

/// Silero's voice detection network (<https://github.com/snakers4/silero-vad>, versions 5 and 6). It remembers nothing itself, so that many may
/// listen with one.
#[derive(Debug)]
pub(super) struct Silero {
    session: Mutex<Session>,
}

/// The network that was opened last, for all who listen in this process.
static OPEN: Mutex<Option<(PathBuf, Arc<Silero>)>> = Mutex::new(None);

impl Silero {
    /// Opens the model file. `ErrorKind::Unavailable` where there is no ONNX Runtime.
    pub(super) fn open(path: &Path) -> Result<Self> {
        // It is so small that more threads only wait for each other.
        let session = onnx::open(path, &RuntimeOptions { library: None, threads: 1 })?;
        let takes = |name: &str| session.inputs().iter().any(|input| input.name() == name);
        let gives = |name: &str| session.outputs().iter().any(|output| output.name() == name);
        if !(["input", "state", "sr"].into_iter().all(takes) && ["output", "stateN"].into_iter().all(gives)) {
            return Err(Error::new(ErrorKind::InvalidInput, "this model is no voice detector that clipkit knows")
                .with_path(path)
                .with_advice("use Silero VAD, version 5 or 6 (silero_vad.onnx)"));
        }
        Ok(Silero { session: Mutex::new(session) })
    }

    /// The same, opened once for all that this process listens to. Failing is tried again.
    pub(super) fn shared(path: &Path) -> Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, silero)) = open.as_ref().filter(|(opened, _)| opened == path) {
            return Ok(silero.clone());
        }
        let silero = Arc::new(Silero::open(path)?);
        *open = Some((path.to_owned(), silero.clone()));
        Ok(silero)
    }

    /// How sure the network is of a voice at the end of `window`; it takes what it remembers from `state` and leaves it there.
    fn judge(&self, window: &[f32], state: &mut Vec<f32>) -> Result<f32> {
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
        output("output")?.first().copied().ok_or_else(|| Error::new(ErrorKind::Contract, "the voice detector gives no answer"))
    }
}

/// One recording that the network listens to.
pub(super) struct Stream {
    silero: Arc<Silero>,
    /// What the network remembers of it.
    state: Vec<f32>,
    /// The end of the step before, and the step that comes in.
    window: Vec<f32>,
    filled: usize,
    voice: Voice,
}

impl Stream {
    /// For mono sound of [`RATE`] samples a second whose first is heard at `start`.
    pub(super) fn new(silero: Arc<Silero>, start: Timestamp) -> Self {
        Stream {
            silero,
            state: vec![0.0; STATE.iter().product()],
            window: vec![0.0; CONTEXT + STEP],
            filled: 0,
            voice: Voice { start, step: STEP as f64 / RATE as f64, belief: SILERO, chances: Vec::new() },
        }
    }

    pub(super) fn push(&mut self, samples: &[f32]) -> Result<()> {
        for sample in samples {
            let sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
            self.window[CONTEXT + self.filled] = sample;
            self.filled += 1;
            if self.filled == STEP {
                self.voice.chances.push(self.silero.judge(&self.window, &mut self.state)?);
                self.window.copy_within(STEP.., 0);
                self.filled = 0;
            }
        }
        Ok(())
    }

    /// What was heard, with silence after the last sample.
    pub(super) fn finish(mut self) -> Result<Voice> {
        let missing = (STEP - self.filled) % STEP;
        self.push(&[0.0; STEP][..missing])?;
        Ok(self.voice)
    }
}
