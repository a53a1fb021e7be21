//! What several modules' tests share.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with real models and media.
pub(crate) fn testdata() -> PathBuf {
    match std::env::var_os("CLIPKIT_TESTDATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    }
}

/// Makes a media file with the `ffmpeg` command; arguments are separated by white space.
pub(crate) fn make_media(file: &Path, arguments: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(arguments.split_whitespace()).arg(file);
    let output = command.output().expect("the ffmpeg command is needed for tests: run `make setup`");
    assert!(output.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
