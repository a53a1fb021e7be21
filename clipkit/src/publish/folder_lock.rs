use std::fs::File;
use std::path::Path;

use crate::context::Environment;
use crate::error::{Error, Result};

/// An exclusive lock on a folder, also between processes. It is released on drop.
///
/// If a folder can be opened as a file (Linux, macOS), the folder itself is locked, so no lock file
/// remains in it. On other systems, a file in the temporary folder is locked. If the file system
/// does not support locks, there is no lock, and only one process may publish.
pub(super) struct FolderLock(File);

impl FolderLock {
    /// Blocks until the lock is free.
    pub(super) fn acquire(environment: &Environment, folder: &Path) -> Result<Self> {
        let file = open(environment, folder).map_err(|error| Error::io(folder, "lock the folder", error))?;
        match file.lock() {
            Err(error) if error.kind() != std::io::ErrorKind::Unsupported => Err(Error::io(folder, "lock the folder", error)),
            _ => Ok(FolderLock(file)),
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing the file also releases the lock.
        let _ = self.0.unlock();
    }
}

#[cfg(unix)]
fn open(_environment: &Environment, folder: &Path) -> std::io::Result<File> {
    File::open(folder)
}

#[cfg(not(unix))]
fn open(environment: &Environment, folder: &Path) -> std::io::Result<File> {
    let name = blake3::hash(folder.canonicalize()?.as_os_str().as_encoded_bytes()).to_hex();
    File::create(environment.folder_for_scratch().join(format!(".clipkit-{}.lock", &name.as_str()[..32])))
}
