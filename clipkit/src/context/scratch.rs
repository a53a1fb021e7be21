use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

const PREFIX: &str = ".clipkit-";
const LEASE: &str = "lease";
/// Leftovers of crashed runs are taken after this long.
const ABANDONED_AFTER: Duration = Duration::from_secs(30 * 60);

/// A run's folder for temporary files. It goes when the run ends; a lock on a file in it (the lease) tells other runs that it is in use.
pub(crate) struct Scratch {
    folder: PathBuf,
    _lease: File,
    /// The folders above that this run made, innermost first: removed again if nothing was put there.
    made_parents: Vec<PathBuf>,
}

impl Scratch {
    /// Makes scratch space in `parent`.
    pub(crate) fn create(parent: &Path) -> Result<Self> {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made_parents = parent.ancestors().take_while(missing).map(Path::to_owned).collect();
        fs::create_dir_all(parent).map_err(|error| Error::io(parent, "make the folder", error))?;
        reap(parent);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(parent)
            .map_err(|error| Error::io(parent, "make a temporary folder here", error))?
            .keep();
        let lease_path = folder.join(LEASE);
        let lease = File::create(&lease_path).map_err(|error| Error::io(&lease_path, "create", error))?;
        // Where the file system knows no locks, the folder's age alone protects it.
        let _ = lease.try_lock();
        Ok(Scratch { folder, _lease: lease, made_parents })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Removes everything now, though someone may still hold this: a stage that does not end when it is asked to. What such a one
    /// writes later goes with the last holder.
    pub(crate) fn clear(&self) {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.folder.display(), %error, "scratch space could not be removed");
            }
            _ => {}
        }
        for parent in &self.made_parents {
            // Fails, as it should, where something was put there.
            let _ = fs::remove_dir(parent);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A temporary file in `folder`, to be renamed to its neighbour's name when it is complete.
pub(crate) fn beside(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As the process's umask would have it, not private as temporary files are.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.prefix(PREFIX).tempfile_in(folder)
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
    fn scratch_goes_with_its_owner_and_takes_empty_parents_along() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("out/talk");
        let scratch = Scratch::create(&parent).unwrap();
        fs::write(scratch.path().join("half.mp4"), b"x").unwrap();
        drop(scratch);
        assert!(!root.path().join("out").exists());
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
        drop(Scratch::create(root.path()).unwrap());
        assert!(!old.exists() && young.exists() && leased.exists());
    }
}
