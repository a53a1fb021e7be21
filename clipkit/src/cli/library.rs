//! Additional places where the command looks for the ONNX Runtime library.

use clipkit::weights::WeightsStore;

/// Uses the library in `clipkit/lib` in the user's cache folder, unless `ORT_DYLIB_PATH` is set.
///
/// Like the models next to it, that folder belongs to the user who runs the command.
pub(super) fn set_from_cache() {
    if std::env::var_os("ORT_DYLIB_PATH").is_some_and(|value| !value.is_empty()) {
        return;
    }
    let store = WeightsStore::new();
    let Some(folder) = store.cache().and_then(|models| models.parent()).map(|cache| cache.join("lib")) else { return };
    if folder.is_dir()
        && let Err(error) = clipkit::onnx::set_library(folder)
    {
        // A binding has already set its package's library, or the folder is empty.
        tracing::debug!(%error, "the library in the cache folder is not used");
    }
}
