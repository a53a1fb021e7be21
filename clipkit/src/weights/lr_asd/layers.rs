//! The layers of LR-ASD, from the tensors of its checkpoint.

use super::super::checkpoint::Checkpoint;
use crate::error::{Error, ErrorKind, Result};

/// Added to the variance of each normalisation.
const EPSILON: f64 = 1e-3;

/// Weights and what is added to each output.
#[derive(Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// A recurrent layer in both directions of time, in the order of ONNX.
#[derive(Debug, PartialEq)]
pub(super) struct Recurrent {
    /// For both directions: 3 gates, each with [`HIDDEN`](Self::HIDDEN) rows of inputs.
    pub(super) input: Vec<f32>,
    /// The same for the state.
    pub(super) state: Vec<f32>,
    /// For both directions: what is added to the input's gates, and to the state's.
    pub(super) bias: Vec<f32>,
}

impl Recurrent {
    /// The values of the state, in each direction.
    pub(super) const HIDDEN: usize = 64;
}

/// Reads layers from a checkpoint.
pub(super) struct Layers<'a> {
    checkpoint: Checkpoint<'a>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(checkpoint: Checkpoint<'a>) -> Self {
        Layers { checkpoint }
    }

    /// A convolution without bias whose outputs are normalised: one layer with the same result.
    /// The first size of `shape` is the number of outputs.
    pub(super) fn normalised(&mut self, convolution: &str, normalisation: &str, shape: &[usize]) -> Result<Layer> {
        let outputs = shape.first().copied().unwrap_or_default();
        let mut weights = self.checkpoint.tensor(&format!("{convolution}.weight"), shape)?;
        let mut of_output = |name: &str| self.checkpoint.tensor(&format!("{normalisation}.{name}"), &[outputs]);
        let (factor, offset) = (of_output("weight")?, of_output("bias")?);
        let (mean, variance) = (of_output("running_mean")?, of_output("running_var")?);
        let inputs = (weights.len() / outputs.max(1)).max(1);
        let mut bias = Vec::with_capacity(outputs);
        for (output, row) in weights.chunks_exact_mut(inputs).enumerate() {
            let scale = f64::from(factor[output]) / (f64::from(variance[output]) + EPSILON).sqrt();
            row.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
            bias.push((f64::from(offset[output]) - f64::from(mean[output]) * scale) as f32);
        }
        if weights.iter().chain(&bias).all(|value| value.is_finite()) {
            return Ok(Layer { weights, bias });
        }
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the checkpoint's tensors {convolution} and {normalisation} give values that are no numbers"),
        ))
    }

    /// The row of the linear layer `name` that gives output `output`, of `outputs`.
    pub(super) fn linear_output(&mut self, name: &str, output: usize, outputs: usize, inputs: usize) -> Result<Layer> {
        let weights = self.checkpoint.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = self.checkpoint.tensor(&format!("{name}.bias"), &[outputs])?;
        Ok(Layer { weights: weights[output * inputs..][..inputs].to_vec(), bias: vec![bias[output]] })
    }

    /// Two gated recurrent units, one for each direction of time.
    pub(super) fn recurrent(&mut self, forward: &str, backward: &str, inputs: usize) -> Result<Recurrent> {
        const GATES: usize = 3 * Recurrent::HIDDEN;
        let mut both = Recurrent { input: Vec::new(), state: Vec::new(), bias: Vec::new() };
        for unit in [forward, backward] {
            let mut part = |name: &str, shape: &[usize]| -> Result<Vec<f32>> {
                Ok(in_order_of_onnx(self.checkpoint.tensor(&format!("{unit}.{name}"), shape)?))
            };
            both.input.extend(part("weight_ih_l0", &[GATES, inputs])?);
            both.state.extend(part("weight_hh_l0", &[GATES, Recurrent::HIDDEN])?);
            both.bias.extend(part("bias_ih_l0", &[GATES])?);
            both.bias.extend(part("bias_hh_l0", &[GATES])?);
        }
        Ok(both)
    }
}

/// PyTorch has the gates in the order reset, update, new; ONNX has update, reset, new.
fn in_order_of_onnx(mut gates: Vec<f32>) -> Vec<f32> {
    let gate = gates.len() / 3;
    gates[..2 * gate].rotate_left(gate);
    gates
}
