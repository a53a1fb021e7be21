//! Opening ONNX models. The runtime is a library of the machine, found and loaded when the first model is opened.

mod library;

pub use library::onnx_runtime_in;

use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::session::builder::SessionBuilder;

use crate::error::{Error, ErrorKind, Result};

/// How models are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuntimeOptions {
    /// The ONNX Runtime library to load; found by itself where this is none. A process loads one such library, the first.
    pub(crate) library: Option<PathBuf>,
    /// Threads for one inference; 0 lets the runtime take one a core.
    pub(crate) threads: usize,
}

/// Opens the model in `path`, loading the runtime first if no model was opened before.
pub(crate) fn open(path: &Path, options: &RuntimeOptions) -> Result<Session> {
    library::load(options.library.as_deref())?;
    // The runtime's own message for a missing file is long and names no advice.
    std::fs::metadata(path).map_err(|error| Error::io(path, "open the model", error))?;
    builder(options.threads)
        .and_then(|mut builder| builder.commit_from_file(path))
        .map_err(|error| Error::new(ErrorKind::InvalidInput, format!("this is not a usable ONNX model: {error}")).with_path(path))
}

fn builder(threads: usize) -> ort::Result<SessionBuilder> {
    // Spinning threads are a little faster to wake, but take the cores that decoding needs meanwhile.
    Ok(Session::builder()?.with_intra_threads(threads)?.with_intra_op_spinning(false)?)
}

/// The BLAKE3 hash of files' bytes, one after the other.
pub(crate) fn fingerprint(files: &[impl AsRef<Path>]) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for path in files {
        let path = path.as_ref();
        let unreadable = |error| Error::io(path, "read the model", error);
        hasher.update_reader(std::fs::File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    }
    Ok(hasher.finalize().to_string())
}
