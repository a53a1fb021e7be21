//! The compiled module of the Python package. It converts, calls and maps errors; the public API is
//! in `python/clipkit`.
//!
//! Data crosses as JSON (`convert`). Work runs on one tokio runtime (`runtime`). One thread
//! (`tell`) delivers results, events and log records to Python. `host` makes a Python object a
//! stage.

#![allow(missing_docs)] // The public API is documented in Python.

mod context;
mod convert;
mod error;
mod frames;
mod host;
mod jobs;
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
    use crate::error::exception;
    #[pymodule_export]
    use crate::frames::{Frame, Frames};
    #[pymodule_export]
    use crate::jobs::Jobs;
    #[pymodule_export]
    use crate::pipeline::Pipeline;
    #[pymodule_export]
    use crate::runtime::{Work, shut_down};
    #[pymodule_export]
    use crate::stage::Stage;
    #[pymodule_export]
    use crate::tools::{
        caption_style, contact_sheet, default_models, doctor, edit, export, fetch_model, find_model, find_speech, models, plan_json,
        preview, run_command, set_onnx_library, version,
    };
}
