use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::OnnxTracker;

/// Options of an [`OnnxTracker`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OnnxTrackerOptions {
    /// Detections per second, 1 to 30; default 5. More follow fast motion better, and cost one
    /// inference each, or a third of one while faces stay or move evenly. Cuts are exact to the
    /// frame in any case.
    pub samples_per_second: f64,
    /// The detector's confidence threshold, 0 to 1. `None`, the default, uses the threshold of the
    /// model's authors (UltraFace 0.7, YuNet 0.6). A lower one finds more faces and more false
    /// ones. Each track must also reach a peak confidence, at two thirds of the way from the
    /// threshold to 1.
    pub confidence: Option<f64>,
    /// Threads of one inference; default 1, which takes the least CPU time with models this small.
    /// 0 starts one per core.
    pub threads: usize,
    /// The folder of an active speaker model: the files `audio_frontend.onnx`,
    /// `visual_frontend.onnx` and `av_backend.onnx` of LR-ASD. It tells who speaks where several
    /// faces move, at about 110 ms of one core per second and face. `None`, the default, goes by
    /// the movement of mouths alone; a configured tracker then takes the model of
    /// [`WeightsStore::find_active_speaker`](crate::weights::WeightsStore::find_active_speaker).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker_model: Option<PathBuf>,
    /// The ONNX Runtime library to load. `None`, the default, loads the one that
    /// [`set_library`](crate::onnx::set_library) or `ORT_DYLIB_PATH` names, or else the system's. A
    /// process uses one library: the option has no effect once a model is open.
    pub library: Option<PathBuf>,
}

impl Default for OnnxTrackerOptions {
    fn default() -> Self {
        OnnxTrackerOptions { samples_per_second: 5.0, confidence: None, threads: 1, speaker_model: None, library: None }
    }
}
