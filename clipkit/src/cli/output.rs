//! Output to the terminal, to pipes, and to files.

use std::io::Write;
use std::path::Path;

use clipkit::model::Warning;
use clipkit::store::write_file;
use clipkit::{Error, ErrorKind, Result};
use serde::Serialize;

/// Prints a line to stdout. A closed pipe (`| head`) is not a failure.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints a value to stdout as one line of JSON.
pub(crate) fn say_json(value: &impl Serialize) {
    if let Ok(line) = serde_json::to_string(value) {
        say(&line);
    }
}

/// Prints a line to stderr.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints an error or a warning to stderr.
pub(crate) fn complain(what: &str, message: &str) {
    note(&format!("clipkit: {what}: {message}"));
}

/// Prints a warning of a run to stderr.
pub(crate) fn warn(warning: &Warning) {
    match warning.clip {
        Some(clip) => complain("warning", &format!("clip {clip}: {}", warning.message)),
        None => complain("warning", &warning.message),
    }
}

/// Writes a value as indented JSON to stdout, or atomically to a file.
pub(crate) fn write_json(to: Option<&Path>, value: &impl Serialize) -> Result<()> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|error| Error::new(ErrorKind::Io, format!("the result cannot be written: {error}")))?;
    text.push(b'\n');
    write_bytes(to, &text)
}

/// Writes bytes to stdout, or atomically to a file.
pub(crate) fn write_bytes(to: Option<&Path>, bytes: &[u8]) -> Result<()> {
    let Some(path) = to.filter(|path| *path != Path::new("-")) else {
        let _ = std::io::stdout().lock().write_all(bytes);
        return Ok(());
    };
    write_file(path, |file| file.write_all(bytes))
}
