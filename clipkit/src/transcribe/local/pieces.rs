//! Speech models that hear pieces of words and how long each lasts: Parakeet TDT and other transducers of NVIDIA NeMo.

use std::path::Path;

use ort::session::{Session, SessionOutputs};
use ort::value::{Tensor, ValueType};

use super::Files;
use super::transducer::{Tokens, decode};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Word;
use crate::onnx::{self, RuntimeOptions};

/// Features are computed every 10 ms.
const FEATURE_SECS: f64 = 0.01;

/// Three networks: waveform to mel features, features to frames, and a frame with the piece before it to the next piece.
#[derive(Debug)]
pub(super) struct Pieces {
    features: Session,
    encoder: Session,
    joint: Session,
    tokens: Tokens,
    /// Layers and width of the predictor's two states.
    states: [(usize, usize); 2],
}

/// The predictor's memory of the pieces before.
type State = [Vec<f32>; 2];

impl Pieces {
    pub(super) fn load(files: &Files, options: &RuntimeOptions) -> Result<Self> {
        let tokens = Tokens::from_text(&files.read_vocabulary()?)
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
            return Err(files.unusable("the decoder takes no states of a fixed size"));
        };
        Ok(Pieces {
            features: onnx::open(features, options)?,
            encoder: onnx::open(&files.model, options)?,
            joint,
            tokens,
            states: [first, second],
        })
    }

    /// The words of one stretch, timed from its start.
    pub(super) fn hear(&mut self, cx: &Context, samples: Vec<f32>, folder: &Path) -> Result<Vec<Word>> {
        let failed = |error: ort::Error| super::failed(folder, &error);
        let unfit = |what: &str| {
            Error::new(ErrorKind::InvalidInput, format!("this is not a transducer as NeMo exports it: {what}")).with_path(folder)
        };
        let count = samples.len();
        let waveform = Tensor::from_array(([1, count], samples)).map_err(failed)?;
        let length = Tensor::from_array(([1], vec![count as i64])).map_err(failed)?;
        let mut heard = self.features.run(ort::inputs!["waveforms" => waveform, "waveforms_lens" => length]).map_err(failed)?;
        let (Some(features), Some(lengths)) = (heard.remove("features"), heard.remove("features_lens")) else {
            return Err(unfit("its first network answers no features"));
        };
        let feature_count = first_length(&lengths).ok_or_else(|| unfit("its features have no length"))?;
        cx.check()?;
        let encoded = self.encoder.run(ort::inputs!["audio_signal" => features, "length" => lengths]).map_err(failed)?;
        let (shape, frames) = floats(&encoded, "outputs").ok_or_else(|| unfit("its encoder answers no outputs"))?;
        let [1, width, columns] = shape[..] else { return Err(unfit(&format!("its encoder's output has the shape {shape:?}"))) };
        let length = encoded.get("encoded_lengths").and_then(first_length).unwrap_or(columns);
        let length = length.min(columns);
        let step = FEATURE_SECS * feature_count as f64 / length.max(1) as f64;
        // Down-sampling is by a whole number, which the last, part-filled frame blurs.
        let step = FEATURE_SECS * (step / FEATURE_SECS).round().max(1.0);

        let joint = &mut self.joint;
        let states = self.states;
        let size = self.tokens.len();
        let start: State = states.map(|(layers, width)| vec![0.0; layers * width]);
        let sounded = decode(&self.tokens, length, start, |frame, before, state| {
            cx.check()?;
            // One column of a matrix that lies in rows.
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
                _ => Err(unfit("its decoder's outputs do not fit its vocabulary or states")),
            }
        })?;
        Ok(self.tokens.words(&sounded, step))
    }
}

/// A named output of floats: its shape and values.
fn floats<'a>(outputs: &'a SessionOutputs<'_>, name: &str) -> Option<(Vec<usize>, &'a [f32])> {
    let (shape, values) = outputs.get(name)?.try_extract_tensor::<f32>().ok()?;
    Some((shape.iter().map(|side| usize::try_from(*side).ok()).collect::<Option<_>>()?, values))
}

fn first_length(value: &ort::value::DynValue) -> Option<usize> {
    let (_, lengths) = value.try_extract_tensor::<i64>().ok()?;
    usize::try_from(*lengths.first()?).ok()
}
