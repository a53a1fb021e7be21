use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::context::{Context, Environment};
use crate::error::{Error, Result};

/// The wait before a lock that another publisher holds is tried again.
const POLL: Duration = Duration::from_millis(50);

/// An exclusive lock on a folder, also between processes. It is released on drop.
///
/// If a folder can be opened as a file (Linux, macOS), the folder itself is locked, so no lock file
/// remains in it. On other systems, a file in the temporary folder is locked. If the file system
/// does not support locks, there is no lock, and only one process may publish.
pub(super) struct FolderLock(File);

impl FolderLock {
    /// Blocks until the lock is free or `cx` is cancelled. The holder may be a process that is
    /// suspended, so the wait is reported.
    pub(super) fn acquire(cx: &Context, folder: &Path) -> Result<Self> {
        let failed = |error| Error::io(folder, "lock the folder", error);
        let file = open(cx.environment(), folder).map_err(failed)?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() != std::io::ErrorKind::Unsupported => return Err(failed(error)),
                _ => return Ok(FolderLock(file)),
            }
            if !told {
                cx.waiting(POLL, format!("another process publishes into {}", folder.display()));
                told = true;
            }
            cx.check()?;
            std::thread::sleep(POLL);
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::model::Stage;

    #[test]
    fn a_wait_for_a_folder_is_reported_and_can_be_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let held = FolderLock::acquire(&Context::new(), folder.path()).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let cx = Context::builder().on_event(move |event| tell.send(format!("{event:?}")).unwrap()).build();
        let cx = cx.for_stage(Stage::Publish);
        let waits = std::thread::spawn({
            let (cx, folder) = (cx.clone(), folder.path().to_owned());
            move || FolderLock::acquire(&cx, &folder).map(drop)
        });
        let event = told.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(event.contains(folder.path().to_str().unwrap()), "{event}");
        cx.cancel();
        assert_eq!(waits.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        drop(held);
        FolderLock::acquire(&Context::new(), folder.path()).unwrap();
    }
}
