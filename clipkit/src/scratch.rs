use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::error::{Error, Result};

const PREFIX: &str = ".clipkit-";
const LEASE: &str = "lease";
/// Leftovers of crashed runs are taken after this long.
const ABANDONED_AFTER: Duration = Duration::from_secs(30 * 60);

/// A run's folder for temporary files. It goes when the run ends; a lock on a file in it (the lease) tells other runs that it is in use.
pub(crate) struct Scratch {
    folder: Option<TempDir>,
    _lease: File,
    /// The parent, if this run made it: removed again if nothing was put there.
    made_parent: Option<PathBuf>,
}

impl Scratch {
    /// Makes scratch space in `parent`, or in the system's folder for temporary files.
    pub(crate) fn create(parent: Option<&Path>) -> Result<Self> {
        let system = std::env::temp_dir();
        let folder_of = parent.unwrap_or(&system);
        let made_parent = (!folder_of.exists()).then(|| folder_of.to_owned());
        fs::create_dir_all(folder_of).map_err(|error| Error::io(folder_of, "make the folder", error))?;
        reap(folder_of);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(folder_of)
            .map_err(|error| Error::io(folder_of, "make a temporary folder here", error))?;
        let lease_path = folder.path().join(LEASE);
        let lease = File::create(&lease_path).map_err(|error| Error::io(&lease_path, "create", error))?;
        // Where the file system knows no locks, the folder's age alone protects it.
        let _ = lease.try_lock();
        Ok(Scratch { folder: Some(folder), _lease: lease, made_parent })
    }

    pub(crate) fn path(&self) -> &Path {
        // `folder` is only taken in `drop`.
        self.folder.as_ref().map_or(Path::new("."), TempDir::path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take() {
            let path = folder.path().to_owned();
            if let Err(error) = folder.close() {
                tracing::warn!(path = %path.display(), %error, "scratch space could not be removed");
            }
        }
        if let Some(parent) = &self.made_parent {
            // Fails, as it should, where something was put there.
            let _ = fs::remove_dir(parent);
        }
    }
}

/// Removes scratch folders in `parent` that a crash left behind: old, and with a lease that nobody holds.
fn reap(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let folder = entry.path();
        let lease = folder.join(LEASE);
        let old = fs::metadata(&lease)
            .and_then(|meta| meta.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > ABANDONED_AFTER));
        let free = File::open(&lease).is_ok_and(|file| file.try_lock().is_ok());
        if old && free && fs::remove_dir_all(&folder).is_ok() {
            tracing::info!(path = %folder.display(), "removed what an earlier run left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn scratch_goes_with_its_owner_and_takes_an_empty_parent_along() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("out");
        let scratch = Scratch::create(Some(&parent)).unwrap();
        fs::write(scratch.path().join("half.mp4"), b"x").unwrap();
        drop(scratch);
        assert!(!parent.exists());
    }

    #[test]
    fn only_old_unleased_folders_are_reaped() {
        let root = tempfile::tempdir().unwrap();
        let age = |name: &str, minutes: u64| {
            let folder = root.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&folder).unwrap();
            let lease = File::create(folder.join(LEASE)).unwrap();
            lease.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
            (folder, lease)
        };
        let (old, _) = age("old", 31);
        let (young, _) = age("young", 29);
        let (leased, lease) = age("leased", 31);
        lease.lock().unwrap();
        drop(Scratch::create(Some(root.path())).unwrap());
        assert!(!old.exists() && young.exists() && leased.exists());
    }
}
