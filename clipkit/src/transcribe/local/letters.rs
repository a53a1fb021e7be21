//! Speech models that hear letters: wav2vec 2.0 and its kin.

use std::path::Path;

use ort::session::Session;
use ort::value::Tensor;

use super::Files;
use super::alphabet::Alphabet;
use crate::av;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Word;
use crate::onnx::{self, RuntimeOptions};

/// Waveform in, a row of letter scores every few milliseconds out.
#[derive(Debug)]
pub(super) struct Letters {
    session: Session,
    input: String,
    alphabet: Alphabet,
}

impl Letters {
    pub(super) fn load(files: &Files, options: &RuntimeOptions) -> Result<Self> {
        let alphabet = Alphabet::from_json(&files.read_vocabulary()?)
            .map_err(|what| files.unusable(format!("vocab.json is not a CTC vocabulary: {what}")))?;
        let session = onnx::open(&files.model, options)?;
        let [input] = session.inputs() else { return Err(files.unusable("the model takes more than a waveform")) };
        let input = input.name().to_owned();
        Ok(Letters { session, input, alphabet })
    }

    /// The words of one stretch, timed from its start.
    pub(super) fn hear(&mut self, samples: Vec<f32>, folder: &Path) -> Result<Vec<Word>> {
        let seconds = samples.len() as f64 / f64::from(av::SPEECH_RATE);
        let failed = |error: ort::Error| super::failed(folder, &error);
        let tensor = Tensor::from_array(([1, samples.len()], normalised(samples))).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => tensor]).map_err(failed)?;
        let unfit = |what: &str| Error::new(ErrorKind::InvalidInput, format!("this is not a CTC speech model: {what}")).with_path(folder);
        let output = outputs.values().next().ok_or_else(|| unfit("it has no output"))?;
        let (shape, scores) = output.try_extract_tensor::<f32>().map_err(failed)?;
        match shape[..] {
            [1, rows, columns] if usize::try_from(columns) == Ok(self.alphabet.len()) && rows > 0 => {
                Ok(self.alphabet.words(scores, seconds / rows as f64))
            }
            _ => Err(unfit(&format!("its output has the shape {shape:?}, its vocabulary {} letters", self.alphabet.len()))),
        }
    }
}

/// Mean 0 and variance 1, as these models were trained.
fn normalised(mut samples: Vec<f32>) -> Vec<f32> {
    let count = samples.len().max(1) as f64;
    let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (f64::from(*sample) - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / (variance + 1e-7).sqrt();
    samples.iter_mut().for_each(|sample| *sample = ((f64::from(*sample) - mean) * scale) as f32);
    samples
}
