use std::path::Path;

use ort::session::Session;
use ort::value::Tensor;

use super::{RATE, SILERO, Voice};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;
use crate::onnx::{self, RuntimeOptions};

/// Samples of one judgement.
const STEP: usize = 512;
/// Samples of the step before that the network sees again; without them it hears little.
const CONTEXT: usize = 64;
/// The shape of what the network remembers.
const STATE: [usize; 3] = [2, 1, 128];

/// Silero's voice detection network (<https://github.com/snakers4/silero-vad>, versions 5 and 6).
pub(super) struct Silero {
    session: Session,
}

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
        Ok(Silero { session })
    }

    /// Judges mono sound of [`RATE`] samples a second whose first is heard at `start`. Takes about a hundredth of the time that it plays.
    pub(super) fn hear(&mut self, cx: &Context, start: Timestamp, samples: &[f32]) -> Result<Voice> {
        let mut state = vec![0.0; STATE.iter().product()];
        let mut window = vec![0.0; CONTEXT + STEP];
        let mut chances = Vec::with_capacity(samples.len().div_ceil(STEP));
        for step in samples.chunks(STEP) {
            cx.check()?;
            window.copy_within(STEP.., 0);
            for (n, place) in window[CONTEXT..].iter_mut().enumerate() {
                // Silence follows the last sample.
                *place = step.get(n).copied().filter(|sample| sample.is_finite()).unwrap_or(0.0).clamp(-1.0, 1.0);
            }
            chances.push(self.judge(&window, &mut state)?);
        }
        Ok(Voice { start, step: STEP as f64 / RATE as f64, belief: SILERO, chances })
    }

    /// How sure the network is of a voice at the end of `window`; it takes what it remembers from `state` and leaves it there.
    fn judge(&mut self, window: &[f32], state: &mut Vec<f32>) -> Result<f32> {
        let failed = |error: ort::Error| Error::new(ErrorKind::Contract, format!("the voice detector failed: {error}"));
        let input = Tensor::from_array(([1, window.len()], window.to_vec())).map_err(failed)?;
        let before = Tensor::from_array((STATE, std::mem::take(state))).map_err(failed)?;
        let rate = Tensor::from_array(([0_usize; 0], vec![RATE as i64])).map_err(failed)?;
        let outputs = self.session.run(ort::inputs!["input" => input, "state" => before, "sr" => rate]).map_err(failed)?;
        let output = |name: &str| match outputs.get(name) {
            Some(value) => Ok(value.try_extract_tensor::<f32>().map_err(failed)?.1),
            None => Err(Error::new(ErrorKind::Contract, format!("the voice detector has no output {name}"))),
        };
        state.extend_from_slice(output("stateN")?);
        output("output")?.first().copied().ok_or_else(|| Error::new(ErrorKind::Contract, "the voice detector gives no answer"))
    }
}
