//! Output to the terminal, to pipes, and to files.

use std::io::Write;
use std::path::Path;

use clipkit::model::Warning;
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
    let Some(path) = to.filter(|path| *path != Path::new("-")) else {
        let _ = std::io::stdout().lock().write_all(&text);
        return Ok(());
    };
    whole(path, |file| file.write_all(&text))
}

/// Moves a file, or copies it if the destination is on another file system.
pub(crate) fn place(from: &Path, to: &Path) -> Result<()> {
    if std::fs::rename(from, to).is_ok() {
        return Ok(());
    }
    let mut source = std::fs::File::open(from).map_err(|error| Error::io(from, "read", error))?;
    whole(to, |file| std::io::copy(&mut source, file).map(|_| ()))
}

/// Writes a file atomically.
fn whole(path: &Path, fill: impl FnOnce(&mut tempfile::NamedTempFile) -> std::io::Result<()>) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The permissions follow the umask, unlike those of temporary files.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.prefix(".clipkit-").tempfile_in(folder)?;
        fill(&mut file)?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map(|_| ()).map_err(|error| Error::io(path, "write", error))
}
