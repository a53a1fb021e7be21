use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

const PREFIX: &str = ".clipkit-";
const LEASE: &str = "lease";
/// The age from which an unlocked scratch folder counts as abandoned by a crashed run.
const ABANDONED_AFTER: Duration = Duration::from_secs(30 * 60);

/// A run's folder for temporary files, removed when the run ends. A lock on a file in it (the
/// lease) tells other runs that the folder is in use.
pub(crate) struct Scratch {
    folder: PathBuf,
    _lease: File,
    /// The ancestor folders that this run made, the innermost first. Those that are empty are
    /// removed with the scratch folder.
    made_parents: Vec<PathBuf>,
}

impl Scratch {
    /// Makes a scratch folder in `parent` and removes abandoned ones.
    pub(crate) fn create(parent: &Path) -> Result<Self> {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made_parents = parent.ancestors().take_while(missing).map(Path::to_owned).collect();
        fs::create_dir_all(parent).map_err(|error| Error::io(parent, "make the folder", error))?;
        remove_abandoned(parent);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(parent)
            .map_err(|error| Error::io(parent, "make a temporary folder here", error))?
            .keep();
        let lease_path = folder.join(LEASE);
        let lease = File::create(&lease_path).map_err(|error| Error::io(&lease_path, "create", error))?;
        // On a file system without locks, only the folder's age protects it.
        let _ = lease.try_lock();
        Ok(Scratch { folder, _lease: lease, made_parents })
    }

    /// The path of the scratch folder.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Removes the folder now, even if a stage that ignores its cancellation still uses it. Files
    /// that such a stage writes later are removed when this value is dropped.
    pub(crate) fn clear(&self) {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.folder.display(), %error, "scratch space could not be removed");
            }
            _ => {}
        }
        for parent in &self.made_parents {
            // This fails for a folder that is not empty, as intended.
            let _ = fs::remove_dir(parent);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Makes a temporary file in `folder`. Rename it to its final name in the same folder when it is
/// complete.
pub(crate) fn beside(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask decides the permissions, as for other files. Temporary files are
        // private by default.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.prefix(PREFIX).tempfile_in(folder)
}

/// Writes a file that appears complete or not at all. Its folder exists.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    replace(path, |file| file.write_all(bytes))
}

/// As [`write`]; `fill` gets a temporary file in the same folder, which then gets the path's name.
pub(crate) fn replace(path: &Path, fill: impl FnOnce(&mut File) -> std::io::Result<()>) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = beside(folder)?;
    fill(file.as_file_mut())?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// Removes scratch folders in `parent` that crashed runs left behind: old ones whose lease is not
/// locked.
pub(crate) fn remove_abandoned(parent: &Path) {
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
    fn dropping_scratch_removes_it_and_its_empty_parents() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("out/talk");
        let scratch = Scratch::create(&parent).unwrap();
        fs::write(scratch.path().join("half.mp4"), b"x").unwrap();
        drop(scratch);
        assert!(!root.path().join("out").exists());
    }

    #[test]
    fn only_old_folders_without_a_lock_are_removed() {
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
