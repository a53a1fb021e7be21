//! Files at paths that a user named.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::context::scratch;
use crate::error::{Error, Result};

/// Writes a file at a path that the user named: it appears complete or not at all.
///
/// `fill` gets a temporary file in the same folder, which then replaces the old file. A symbolic
/// link stays, and the file that it names is replaced. What is no regular file (`/dev/null`,
/// `/dev/stdout`, a named pipe) is written to and never replaced: root would remove the device from
/// the machine.
///
/// Fails with [`ErrorKind::Io`](crate::ErrorKind::Io), naming the path.
pub fn write_file(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let write = || {
        if !replaceable(path) {
            return fill(&mut OpenOptions::new().write(true).open(path)?);
        }
        scratch::replace(&target(path), fill)
    };
    write().map_err(|error| Error::io(path, "write", error))
}

/// Moves a file to a path that the user named, under the rules of [`write_file`]. It is copied
/// where it cannot be renamed, as between file systems.
///
/// Fails with [`ErrorKind::Io`](crate::ErrorKind::Io), naming the path.
pub fn move_file(from: &Path, to: &Path) -> Result<()> {
    if replaceable(to) && fs::rename(from, target(to)).is_ok() {
        return Ok(());
    }
    let mut source = File::open(from).map_err(|error| Error::io(from, "read", error))?;
    write_file(to, |file| io::copy(&mut source, file).map(|_| ()))?;
    // The content is in its place; a source that cannot be removed is no failure of that.
    let _ = fs::remove_file(from);
    Ok(())
}

/// Whether a rename may put a file at this path: nothing is there, or a regular file. A folder is
/// refused by the rename itself.
fn replaceable(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |meta| meta.is_file() || meta.is_dir())
}

/// The file that a symbolic link names, also one that does not exist yet. Otherwise the path.
fn target(path: &Path) -> PathBuf {
    fs::canonicalize(path)
        .or_else(|_| fs::read_link(path).map(|to| path.parent().unwrap_or(Path::new("")).join(to)))
        .unwrap_or(path.to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::fs::{FileTypeExt, symlink};

    #[track_caller]
    fn holds(path: &Path, text: &str) {
        assert!(fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes()), "{}", path.display());
    }

    #[test]
    fn a_named_pipe_is_written_to_and_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, made) = (folder.path().join("pipe"), folder.path().join("made"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::write(&made, "moved").unwrap();
        for (expected, write) in [
            ("written", Box::new(|| write_file(&pipe, |file| file.write_all(b"written"))) as Box<dyn Fn() -> Result<()>>),
            ("moved", Box::new(|| move_file(&made, &pipe))),
        ] {
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || {
                    let mut text = String::new();
                    File::open(pipe).unwrap().read_to_string(&mut text).map(|_| text)
                }
            });
            write().unwrap();
            assert_eq!(reader.join().unwrap().unwrap(), expected);
            assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        }
        assert!(!made.exists());
    }

    #[test]
    fn a_file_is_replaced_and_a_link_to_it_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "old and longer than what replaces it").unwrap();
        symlink(at("file"), at("link")).unwrap();
        // A relative link to a file that does not exist yet.
        symlink("later", at("dangling")).unwrap();
        write_file(&at("link"), |file| file.write_all(b"new")).unwrap();
        holds(&at("file"), "new");
        write_file(&at("dangling"), |file| file.write_all(b"first")).unwrap();
        holds(&at("later"), "first");
        for (link, file) in [("link", "file"), ("dangling", "later")] {
            fs::write(at("made"), "moved").unwrap();
            move_file(&at("made"), &at(link)).unwrap();
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
            holds(&at(file), "moved");
            assert!(!at("made").exists());
        }
    }

    #[test]
    fn what_cannot_be_filled_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "old").unwrap();
        let error = write_file(&file, |to| {
            to.write_all(b"half")?;
            Err(io::Error::other("full"))
        })
        .unwrap_err();
        holds(&file, "old");
        assert_eq!(error.path(), Some(file.as_path()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
