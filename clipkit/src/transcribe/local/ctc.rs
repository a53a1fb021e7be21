//! CTC speech models: wav2vec 2.0, HuBERT, WavLM, MMS.

use std::path::Path;

use ort::session::Session;
use ort::value::Tensor;

use super::Files;
use super::ctc_decoder::CtcVocabulary;
use crate::av;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Word;
use crate::onnx::{self, RuntimeOptions};

/// A network from a waveform to a row of letter scores for every few milliseconds.
#[derive(Debug)]
pub(super) struct CtcModel {
    session: Session,
    input: String,
    vocabulary: CtcVocabulary,
}

impl CtcModel {
    pub(super) fn load(files: &Files, options: &RuntimeOptions) -> Result<Self> {
        let vocabulary = CtcVocabulary::from_json(&files.read_vocabulary()?)
            .map_err(|what| files.unusable(format!("vocab.json is not a CTC vocabulary: {what}")))?;
        let session = onnx::open(&files.model, options)?;
        let [input] = session.inputs() else { return Err(files.unusable("the model has inputs other than a waveform")) };
        let input = input.name().to_owned();
        Ok(CtcModel { session, input, vocabulary })
    }

    /// The words in `samples` (mono, [`av::SPEECH_RATE`]), timed from the first sample.
    pub(super) fn recognize(&mut self, samples: Vec<f32>, folder: &Path) -> Result<Vec<Word>> {
        let seconds = samples.len() as f64 / f64::from(av::SPEECH_RATE);
        let failed = |error: ort::Error| super::failed(folder, &error);
        let tensor = Tensor::from_array(([1, samples.len()], normalized(samples))).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => tensor]).map_err(failed)?;
        let unfit = |what: &str| Error::new(ErrorKind::InvalidInput, format!("this is not a CTC speech model: {what}")).with_path(folder);
        let output = outputs.values().next().ok_or_else(|| unfit("it has no output"))?;
        let (shape, scores) = output.try_extract_tensor::<f32>().map_err(failed)?;
        match shape[..] {
            [1, rows, columns] if usize::try_from(columns) == Ok(self.vocabulary.len()) && rows > 0 => {
                Ok(self.vocabulary.words(scores, seconds / rows as f64))
            }
            _ => Err(unfit(&format!("the output has the shape {shape:?}, but the vocabulary has {} letters", self.vocabulary.len()))),
        }
    }
}

/// Scales samples to mean 0 and variance 1, as in the models' training
/// (`Wav2Vec2FeatureExtractor`).
fn normalized(mut samples: Vec<f32>) -> Vec<f32> {
    let count = samples.len().max(1) as f64;
    let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (f64::from(*sample) - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / (variance + 1e-7).sqrt();
    samples.iter_mut().for_each(|sample| *sample = ((f64::from(*sample) - mean) * scale) as f32);
    samples
}
