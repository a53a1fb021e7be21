//! Opening ONNX models.
//!
//! Models run in the ONNX Runtime, a shared library that is loaded when the first model is opened.
//! [`set_library`] says where it is looked for.

mod constants;
mod library;

pub(crate) use library::find as find_library;
pub use library::set_library;

use std::path::{Path, PathBuf};

use ort::ep::CPU;
use ort::session::Session;
use ort::session::builder::SessionBuilder;

use crate::error::{Error, ErrorKind, Result};

/// How models are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuntimeOptions {
    /// The ONNX Runtime library to load, before the other places that [`set_library`] lists.
    pub(crate) library: Option<PathBuf>,
    /// Threads of one inference; 0 lets the runtime start one per core.
    pub(crate) threads: usize,
}

/// Opens a model file, after loading the runtime if no model was opened before.
///
/// `ErrorKind::Unavailable` if there is no ONNX Runtime library, `NotFound` if there is no such
/// file, `InvalidInput` if the runtime cannot read it.
pub(crate) fn open(path: &Path, options: &RuntimeOptions) -> Result<Session> {
    open_built(path, options, Ok)
}

/// Opens a model whose input always has the same size, as [`open`] does, without an arena: the
/// tensors of a call are freed after it. Measured with YuNet at 640x640: 18 MB less between calls,
/// 5 MB less during one, in the same time. Tracking with LR-ASD takes 1.6 times as long this way.
pub(crate) fn open_without_arena(path: &Path, options: &RuntimeOptions) -> Result<Session> {
    let cpu = CPU::default().with_arena_allocator(false).build();
    open_built(path, options, |builder| Ok(builder.with_execution_providers([cpu])?))
}

/// Opens a model whose inputs differ in length from call to call, as [`open`] does. Memory is not
/// planned ahead for each length: measured with LR-ASD's pictures, that takes half of the memory.
pub(crate) fn open_for_any_length(path: &Path, options: &RuntimeOptions) -> Result<Session> {
    open_built(path, options, |builder| Ok(builder.with_memory_pattern(false)?))
}

fn open_built(path: &Path, options: &RuntimeOptions, build: impl FnOnce(SessionBuilder) -> ort::Result<SessionBuilder>) -> Result<Session> {
    library::load(options.library.as_deref())?;
    // The runtime's own message for a missing file is long and has no advice.
    std::fs::metadata(path).map_err(|error| Error::io(path, "open the model", error))?;
    commit(path, builder(options.threads).and_then(build))
}

/// Files up to this size are searched for constants that are listed as inputs. Larger ones, which
/// are those of speech recognition, are not read into memory a second time.
const MAX_SEARCHED: u64 = 32 << 20;

fn commit(path: &Path, builder: ort::Result<SessionBuilder>) -> Result<Session> {
    let is_small = std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_SEARCHED);
    let file = is_small.then(|| std::fs::read(path)).transpose().map_err(|error| Error::io(path, "read the model", error))?;
    let rewritten = file.and_then(|file| constants::without_constant_inputs(&file));
    builder
        .and_then(|mut builder| match rewritten {
            Some(model) => builder.commit_from_memory(&model),
            None => builder.commit_from_file(path),
        })
        .map_err(|error| Error::new(ErrorKind::InvalidInput, format!("not a usable ONNX model: {error}")).with_path(path))
}

fn builder(threads: usize) -> ort::Result<SessionBuilder> {
    // Spinning threads start work a little sooner, but use CPU time that decoding needs.
    Ok(Session::builder()?.with_intra_threads(threads)?.with_intra_op_spinning(false)?)
}

/// The BLAKE3 hash, in hexadecimal, of the concatenated bytes of `files`.
pub(crate) fn fingerprint(files: &[impl AsRef<Path>]) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for path in files {
        let path = path.as_ref();
        let unreadable = |error| Error::io(path, "read the model", error);
        hasher.update_reader(std::fs::File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    }
    Ok(hasher.finalize().to_string())
}
