use std::path::PathBuf;

/// The folder of real models, media and transcripts: `CLIPKIT_TESTDATA`, else `../shared` beside the workspace.
pub(crate) fn testdata() -> PathBuf {
    let folder = match std::env::var_os("CLIPKIT_TESTDATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    assert!(folder.is_dir(), "no test data at {}: set CLIPKIT_TESTDATA", folder.display());
    folder
}
