//! Additional places where the command looks for the ONNX Runtime library.

use clipkit::Environment;

/// Uses the library in `clipkit/lib` in the user's cache folder, unless `ORT_DYLIB_PATH` is set.
///
/// Like the models next to it, that folder belongs to the user who runs the command.
pub(super) fn set_from_cache() {
    let environment = Environment::from_process();
    let Some(cache) = environment.cache_folder.filter(|_| environment.onnx_runtime.is_none()) else { return };
    let folder = cache.join("clipkit").join("lib");
    if folder.is_dir()
        && let Err(error) = clipkit::onnx::set_library(folder)
    {
        // A binding has already set its package's library, or the folder is empty.
        tracing::debug!(%error, "the library in the cache folder is not used");
    }
}
