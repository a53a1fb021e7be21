use std::fs::File;
use std::time::Duration;

use crate::context::{Context, Environment};
use crate::error::{Error, Result};

/// The wait before a lock that another process holds is tried again.
const POLL: Duration = Duration::from_millis(100);

/// An exclusive lock with a name, between the processes of a user on this machine. It is released
/// on drop, and when its process dies.
///
/// The locked file is empty and stays. If the file system does not support locks, there is none,
/// and only one process may work with the name.
pub(super) struct NamedLock(File);

impl NamedLock {
    /// Waits until the lock is free. `reason` says what is waited for.
    pub(super) async fn acquire(cx: &Context, name: &str, reason: &str) -> Result<Self> {
        let file = open(cx.environment(), name)?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(NamedLock(file)),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => return Ok(NamedLock(file)),
                Err(std::fs::TryLockError::Error(error)) => return Err(Error::io(folder(cx.environment()), "lock a file in", error)),
            }
            if !told {
                cx.waiting(POLL, reason);
                told = true;
            }
            cx.sleep(POLL).await?;
        }
    }
}

impl Drop for NamedLock {
    fn drop(&mut self) {
        // Closing the file also releases the lock.
        let _ = self.0.unlock();
    }
}

/// The folder of the locked files.
fn folder(environment: &Environment) -> std::path::PathBuf {
    environment.cache_folder.clone().unwrap_or_else(|| environment.folder_for_scratch()).join("clipkit").join("locks")
}

fn open(environment: &Environment, name: &str) -> Result<File> {
    let folder = folder(environment);
    std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, "make the folder", error))?;
    let digest = blake3::hash(name.as_bytes()).to_hex();
    let path = folder.join(format!("{}.lock", &digest.as_str()[..32]));
    File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| Error::io(&path, "open the lock", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[tokio::test]
    async fn a_lock_is_one_holders_until_it_is_dropped_and_a_wait_for_it_can_be_cancelled() {
        let root = tempfile::tempdir().unwrap();
        let mut environment = Environment::default();
        environment.cache_folder = Some(root.path().to_owned());
        let cx = Context::builder().environment(environment).build();
        let held = NamedLock::acquire(&cx, "a", "").await.unwrap();
        let other = NamedLock::acquire(&cx, "b", "").await.unwrap();
        let waiting = cx.child();
        let waits = tokio::spawn({
            let waiting = waiting.clone();
            async move { NamedLock::acquire(&waiting, "a", "").await.map(drop) }
        });
        tokio::time::sleep(2 * POLL).await;
        assert!(!waits.is_finished());
        waiting.cancel();
        assert_eq!(waits.await.unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        drop(held);
        NamedLock::acquire(&cx, "a", "").await.unwrap();
        drop(other);
    }
}
