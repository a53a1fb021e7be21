//! The Python package's compiled half. It converts, calls and maps errors; the other half, in `python/clipkit`, is what users see.
//!
//! Data crosses as JSON (`convert`), work runs on one tokio runtime (`runtime`) and is told of its end, its events and its log on one
//! thread (`tell`). A Python object is a stage by a newtype (`host`).

#![allow(missing_docs)] // The words for users stand in Python.

mod context;
mod convert;
mod error;
mod frames;
mod host;
mod log;
mod pipeline;
mod runtime;
mod stage;
mod tell;
mod tools;

use pyo3::prelude::*;

#[pymodule]
mod _clipkit {
    #[pymodule_export]
    use crate::context::Context;
    #[pymodule_export]
    use crate::frames::{Frame, Frames};
    #[pymodule_export]
    use crate::pipeline::Pipeline;
    #[pymodule_export]
    use crate::runtime::{Work, shut_down};
    #[pymodule_export]
    use crate::stage::Stage;
    #[pymodule_export]
    use crate::tools::{
        caption_style, contact_sheet, default_models, fetch_model, find_model, find_speech, models, run_command, set_onnx_library, version,
    };
}
