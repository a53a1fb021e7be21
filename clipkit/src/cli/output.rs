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

/// Prints the warnings of a run to stderr: one that several clips have is one line.
pub(crate) fn warn_all<'a>(warnings: impl IntoIterator<Item = &'a Warning>) {
    let mut lines: Vec<(&str, Vec<usize>)> = Vec::new();
    for Warning { message, clip, .. } in warnings {
        match lines.iter_mut().find(|(known, _)| *known == message.as_str()) {
            Some((_, clips)) => clips.extend(clip),
            None => lines.push((message, clip.iter().copied().collect())),
        }
    }
    for (message, clips) in lines {
        complain("warning", &format!("{}{message}", about(&clips)));
    }
}

/// The clips that a warning is about, in front of its message.
fn about(clips: &[usize]) -> String {
    let ranks: Vec<String> = clips.iter().map(usize::to_string).collect();
    match &ranks[..] {
        [] => String::new(),
        [only] => format!("clip {only}: "),
        several => format!("clips {}: ", several.join(", ")),
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
