use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::media::{Lease, MediaStore};
use super::media_files::digits;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ContentId;

/// A download into a [`MediaStore`] that a later run can continue: a folder whose files stay when
/// this value is dropped. One process at a time has it.
///
/// Its files count as a part of the store. Without a holder they are evicted like media, and
/// removed after three days.
///
/// Clones share the download.
#[derive(Clone, Debug)]
pub(crate) struct Partial {
    store: MediaStore,
    folder: PathBuf,
    /// An exclusive lock, until the last clone is dropped.
    _lock: Arc<File>,
}

impl MediaStore {
    /// The download with this key, new or begun before. `None` if somebody else has it now.
    ///
    /// Fails as [`Error::io`] says if the folder cannot be made or locked.
    pub(crate) fn partial(&self, key: &str) -> Result<Option<Partial>> {
        let lock = self.files().lock()?;
        let taken = self.files().partial(&lock, key)?;
        Ok(taken.map(|(folder, file)| Partial { store: self.clone(), folder, _lock: Arc::new(file) }))
    }
}

impl Partial {
    /// The folder for the files of the download.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of bytes of all its files.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let files = super::media_files::list(&self.folder)?;
        Ok(files.iter().fold(0, |sum, (_, metadata)| sum.saturating_add(metadata.len())))
    }

    /// Makes room for `bytes` more bytes.
    ///
    /// Fails as [`MediaStore::reserve`] does.
    pub(crate) fn make_room(&self, bytes: u64) -> Result<()> {
        let lock = self.store.files().lock()?;
        self.store.make_room(&lock, bytes)
    }

    /// Removes all files, to start anew.
    pub(crate) fn clear(&self) -> Result<()> {
        for (path, _) in super::media_files::list(&self.folder)? {
            fs::remove_file(&path).map_err(|error| Error::io(&path, "remove the incomplete file", error))?;
        }
        Ok(())
    }

    /// Removes the download and all its files.
    #[cfg(feature = "serve")]
    pub(crate) fn discard(&self) -> Result<()> {
        let lock = self.store.files().lock()?;
        self.store.files().remove_partial(&lock, &self.folder);
        Ok(())
    }

    /// Moves the complete file `file` into the store and removes the rest of the download. `id` is
    /// the hash of the file.
    ///
    /// Fails as [`Error::io`] says if the file cannot be put in its place.
    pub(crate) fn commit(&self, file: &Path, id: &ContentId, extension: &str) -> Result<Lease> {
        let hash = digits(id).ok_or_else(|| Error::new(ErrorKind::Contract, "this content id is not a BLAKE3 hash"))?;
        let unwritable = |error| Error::io(file, "put the file into the media store", error);
        // The name must not appear before the bytes, even if the power fails.
        let bytes = File::options().write(true).open(file).and_then(|opened| {
            opened.sync_all()?;
            opened.metadata().map(|metadata| metadata.len())
        });
        let bytes = bytes.map_err(unwritable)?;
        let files = self.store.files();
        let lock = files.lock()?;
        let path = files.put(&lock, file, hash, bytes, extension)?;
        let lease = self.store.lease(&lock, path, id)?;
        files.remove_partial(&lock, &self.folder);
        Ok(lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MediaLimits;

    fn store(folder: &Path, max: u64) -> MediaStore {
        MediaStore::open(folder, MediaLimits::new(max).min_free(0)).unwrap()
    }

    fn id(bytes: &[u8]) -> ContentId {
        ContentId::new("blake3", &blake3::hash(bytes).to_hex())
    }

    #[test]
    fn a_download_continues_and_is_one_processs() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path(), 100);
        let begun = store.partial("https://host/a?key=secret").unwrap().unwrap();
        assert!(!begun.folder().to_string_lossy().contains("secret"));
        fs::write(begun.folder().join("media"), b"by").unwrap();
        assert!(store.partial("https://host/a?key=secret").unwrap().is_none(), "it is in use");
        drop(begun);
        let again = store.partial("https://host/a?key=secret").unwrap().unwrap();
        assert_eq!(again.bytes().unwrap(), 2);
        let file = again.folder().join("media");
        fs::write(&file, b"bytes").unwrap();
        let folder = again.folder().to_owned();
        let lease = again.commit(&file, &id(b"bytes"), "MP4").unwrap();
        assert!(lease.path().ends_with(format!("{}.mp4", digits(&id(b"bytes")).unwrap())));
        assert_eq!(fs::read(lease.path()).unwrap(), b"bytes");
        drop(again);
        assert!(!folder.exists() && store.partial("https://host/a?key=secret").unwrap().unwrap().bytes().unwrap() == 0);
    }

    #[test]
    fn partial_files_count_and_go_first_when_nobody_has_them() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path(), 100);
        let held = store.partial("held").unwrap().unwrap();
        fs::write(held.folder().join("media"), [0; 40]).unwrap();
        let left = store.partial("left").unwrap().unwrap();
        fs::write(left.folder().join("media"), [0; 40]).unwrap();
        let folder = left.folder().to_owned();
        let error = held.make_room(30).unwrap_err();
        assert!(error.to_string().contains("in use"), "{error}");
        drop(left);
        held.make_room(30).unwrap();
        assert!(!folder.exists() && held.bytes().unwrap() == 40);
    }
}
