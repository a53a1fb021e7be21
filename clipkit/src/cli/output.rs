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
    write_bytes(to, &text)
}

/// Writes bytes to stdout, or atomically to a file.
pub(crate) fn write_bytes(to: Option<&Path>, bytes: &[u8]) -> Result<()> {
    let Some(path) = to.filter(|path| *path != Path::new("-")) else {
        let _ = std::io::stdout().lock().write_all(bytes);
        return Ok(());
    };
    whole(path, |file| file.write_all(bytes))
}

/// Moves a file, or copies it if the destination is on another file system.
pub(crate) fn place(from: &Path, to: &Path) -> Result<()> {
    if replaceable(to) && std::fs::rename(from, to).is_ok() {
        return Ok(());
    }
    let mut source = std::fs::File::open(from).map_err(|error| Error::io(from, "read", error))?;
    whole(to, |file| std::io::copy(&mut source, file).map(|_| ()))
}

/// Writes a file atomically. What is no regular file (`/dev/null`, `/dev/stdout`, a named pipe) is
/// written to, never replaced: root would remove the device from the machine.
fn whole(path: &Path, fill: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>) -> Result<()> {
    let write = || {
        if !replaceable(path) {
            return fill(&mut std::fs::OpenOptions::new().write(true).open(path)?);
        }
        // A symbolic link stays: the file that it names is replaced.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The permissions follow the umask, unlike those of temporary files.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.prefix(".clipkit-").tempfile_in(folder)?;
        fill(file.as_file_mut())?;
        file.persist(path).map(|_| ()).map_err(|error| error.error)
    };
    write().map_err(|error| Error::io(path, "write", error))
}

/// Whether a rename may put a file at this path: nothing is there, or a regular file. A folder is
/// refused by the rename itself.
fn replaceable(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |meta| meta.is_file() || meta.is_dir())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, symlink};

    #[test]
    fn a_named_pipe_is_written_to_and_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut text = String::new();
                std::fs::File::open(pipe).unwrap().read_to_string(&mut text).map(|_| text)
            }
        });
        write_json(Some(&pipe), &[1]).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), "[\n  1\n]\n");
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_file_is_replaced_and_a_link_to_it_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.json"), folder.path().join("link.json"));
        std::fs::write(&file, "old and longer than what replaces it").unwrap();
        symlink(&file, &link).unwrap();
        write_json(Some(&link), &[1]).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[\n  1\n]\n");
        let from = folder.path().join("b.json");
        std::fs::write(&from, "moved").unwrap();
        place(&from, &file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "moved");
        assert!(!from.exists());
    }
}
