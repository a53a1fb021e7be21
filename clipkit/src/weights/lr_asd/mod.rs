//! LR-ASD, which tells who speaks: its three ONNX files, made from the checkpoint of its authors
//! (Liao et al., IJCV 2025).
//!
//! The normalisation of each layer is folded into the layer's weights, and convolutions over time
//! and picture, which the network never does at once, are written as two-dimensional ones. The
//! ONNX Runtime then takes 30 % less time for them.

mod graphs;
mod layers;
#[cfg(test)]
pub(super) mod tests;

use super::Conversion;
use super::checkpoint::Checkpoint;
use crate::context::Context;
use crate::error::Result;
use layers::Layers;

/// The licence that the weights are under.
const LICENSE: (&str, &str) = ("LICENSE", include_str!("LICENSE"));

/// Where the weights come from, in the ONNX files.
pub(super) struct Origin {
    pub(super) url: &'static str,
    pub(super) sha256: &'static str,
}

/// The files of the model by their names: [`Conversion::files`] and the licence.
///
/// `ErrorKind::InvalidInput` if a tensor is missing or of another shape.
pub(super) fn convert(cx: &Context, checkpoint: &[u8], origin: &Origin) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut layers = Layers::new(Checkpoint::open(checkpoint)?);
    let notes = [("source", origin.url), ("source_sha256", origin.sha256), ("licence", "MIT, Copyright (c) 2025 Liao Junhua")];
    let mut files = vec![(LICENSE.0, LICENSE.1.into())];
    let graphs = [graphs::audio_frontend, graphs::visual_frontend, graphs::av_backend];
    for (name, graph) in Conversion::LrAsd.files().iter().zip(graphs) {
        cx.check()?;
        files.push((*name, graph(&mut layers, &notes)?));
    }
    Ok(files)
}
