//! Transducer speech models: Parakeet TDT and other models exported from NVIDIA NeMo.

use std::path::Path;

use ort::session::{Session, SessionOutputs};
use ort::value::{Tensor, ValueType};

use super::Files;
use super::transducer_decoder::{TokenVocabulary, decode};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Word;
use crate::onnx::{self, RuntimeOptions};

/// The interval of the input features, in seconds.
const FEATURE_SECS: f64 = 0.01;

/// Three networks: a waveform to mel features, features to encoder frames, and a frame with the
/// last token to the scores of the next token (prediction and joint network in one).
#[derive(Debug)]
pub(super) struct TransducerModel {
    features: Session,
    encoder: Session,
    joint: Session,
    tokens: TokenVocabulary,
    /// The shapes of the predictor's two states: layers and width.
    states: [(usize, usize); 2],
}

/// The predictor's recurrent state, which depends on the tokens so far.
type State = [Vec<f32>; 2];

impl TransducerModel {
    pub(super) fn load(files: &Files, options: &RuntimeOptions) -> Result<Self> {
        let tokens = TokenVocabulary::from_text(&files.read_vocabulary()?)
            .map_err(|what| files.unusable(format!("vocab.txt is not a vocabulary of word pieces: {what}")))?;
        let (Some(features), Some(joint)) = (&files.features, &files.joint) else {
            return Err(files.unusable("nemo128.onnx (or nemo80.onnx) or decoder_joint-model.onnx is missing"));
        };
        let joint = onnx::open(joint, options)?;
        let state = |name: &str| {
            let input = joint.inputs().iter().find(|input| input.name() == name)?;
            let ValueType::Tensor { shape, .. } = input.dtype() else { return None };
            match shape[..] {
                [layers, _, width] => Some((usize::try_from(layers).ok()?, usize::try_from(width).ok()?)),
                _ => None,
            }
        };
        let (Some(first), Some(second)) = (state("input_states_1"), state("input_states_2")) else {
            return Err(files.unusable("the decoder has no states of a fixed size"));
        };
        Ok(TransducerModel {
            features: onnx::open(features, options)?,
            encoder: onnx::open(&files.model, options)?,
            joint,
            tokens,
            states: [first, second],
        })
    }

    /// The words in `samples` (mono, 16 kHz), timed from the first sample.
    pub(super) fn recognize(&mut self, cx: &Context, samples: Vec<f32>, folder: &Path) -> Result<Vec<Word>> {
        let failed = |error: ort::Error| super::failed(folder, &error);
        let unfit = |what: &str| {
            Error::new(ErrorKind::InvalidInput, format!("this is not a transducer exported from NeMo: {what}")).with_path(folder)
        };
        let count = samples.len();
        let waveform = Tensor::from_array(([1, count], samples)).map_err(failed)?;
        let length = Tensor::from_array(([1], vec![count as i64])).map_err(failed)?;
        let mut outputs = self.features.run(ort::inputs!["waveforms" => waveform, "waveforms_lens" => length]).map_err(failed)?;
        let (Some(features), Some(lengths)) = (outputs.remove("features"), outputs.remove("features_lens")) else {
            return Err(unfit("the first network has no output \"features\""));
        };
        let feature_count = first_length(&lengths).ok_or_else(|| unfit("the features have no length"))?;
        cx.check()?;
        let encoded = self.encoder.run(ort::inputs!["audio_signal" => features, "length" => lengths]).map_err(failed)?;
        let (shape, frames) = floats(&encoded, "outputs").ok_or_else(|| unfit("the encoder has no output \"outputs\""))?;
        let [1, width, columns] = shape[..] else { return Err(unfit(&format!("the encoder's output has the shape {shape:?}"))) };
        let length = encoded.get("encoded_lengths").and_then(first_length).unwrap_or(columns);
        let length = length.min(columns);
        let step = FEATURE_SECS * feature_count as f64 / length.max(1) as f64;
        // The encoder down-samples by a whole number; a partly filled last frame makes the ratio
        // inexact.
        let step = FEATURE_SECS * (step / FEATURE_SECS).round().max(1.0);

        let joint = &mut self.joint;
        let states = self.states;
        let size = self.tokens.len();
        let start: State = states.map(|(layers, width)| vec![0.0; layers * width]);
        let emissions = decode(&self.tokens, length, start, |frame, before, state| {
            cx.check()?;
            // One column of a matrix in row-major order.
            let column: Vec<f32> = frames.iter().skip(frame).step_by(columns).copied().collect();
            let state_of = |n: usize| Tensor::from_array(([states[n].0, 1, states[n].1], state[n].clone()));
            let outputs = joint
                .run(ort::inputs![
                    "encoder_outputs" => Tensor::from_array(([1, width, 1], column)).map_err(failed)?,
                    "targets" => Tensor::from_array(([1, 1], vec![before as i32])).map_err(failed)?,
                    "target_length" => Tensor::from_array(([1], vec![1i32])).map_err(failed)?,
                    "input_states_1" => state_of(0).map_err(failed)?,
                    "input_states_2" => state_of(1).map_err(failed)?,
                ])
                .map_err(failed)?;
            let answer = |name: &str| floats(&outputs, name).map(|(_, values)| values.to_vec());
            match (answer("outputs"), answer("output_states_1"), answer("output_states_2")) {
                (Some(scores), Some(first), Some(second))
                    if scores.len() >= size && [&first, &second].iter().zip(&states).all(|(state, (a, b))| state.len() == a * b) =>
                {
                    Ok((scores, [first, second]))
                }
                _ => Err(unfit("the decoder's outputs do not match the vocabulary or the states")),
            }
        })?;
        Ok(self.tokens.words(&emissions, step))
    }
}

/// The shape and values of a named output of floats.
fn floats<'a>(outputs: &'a SessionOutputs<'_>, name: &str) -> Option<(Vec<usize>, &'a [f32])> {
    let (shape, values) = outputs.get(name)?.try_extract_tensor::<f32>().ok()?;
    Some((shape.iter().map(|side| usize::try_from(*side).ok()).collect::<Option<_>>()?, values))
}

/// The first value of a tensor of lengths.
fn first_length(value: &ort::value::DynValue) -> Option<usize> {
    let (_, lengths) = value.try_extract_tensor::<i64>().ok()?;
    usize::try_from(*lengths.first()?).ok()
}
