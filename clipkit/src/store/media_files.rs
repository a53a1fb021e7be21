use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::eviction::Entry;
use crate::error::{Error, Result};
use crate::model::ContentId;

/// What a crashed process left behind is removed after this time.
const ABANDONED_AFTER: Duration = Duration::from_secs(30 * 60);
/// A URI's content is looked up again after this time.
const BINDING_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
const LONGEST_EXTENSION: usize = 8;

/// The files of a media store:
///
/// ```text
/// lock                  held while any of the others is created, found or removed
/// files/<hash>.<ext>    media, named by the BLAKE3 hash of its bytes
/// leases/<hash>.lock    a shared lock while the file is in use; its time of change is the last use
/// incoming/<n>.part     being written, with an exclusive lock; its length is what is reserved
/// uris/<hash>.json      the content that a URI had, named by the hash of the URI
/// ```
#[derive(Clone, Debug)]
pub(super) struct MediaFiles {
    root: PathBuf,
}

/// The right to create, find and remove files of the store. Held for moments only.
pub(super) struct StoreLock {
    _file: File,
}

/// A media file in the store.
#[derive(Debug)]
pub(super) struct StoredFile {
    pub(super) hash: String,
    pub(super) path: PathBuf,
    pub(super) entry: Entry,
}

impl MediaFiles {
    pub(super) fn open(root: &Path) -> Result<Self> {
        let files = MediaFiles { root: root.to_owned() };
        for folder in [files.folder("files"), files.folder("leases"), files.folder("incoming"), files.folder("uris")] {
            fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, "make the media store's folder", error))?;
        }
        Ok(files)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Waits for other threads and processes that change the store.
    pub(super) fn lock(&self) -> Result<StoreLock> {
        let path = self.folder("lock");
        let file = open_lock(&path)?;
        file.lock().map_err(|error| Error::io(&path, "lock the media store", error))?;
        Ok(StoreLock { _file: file })
    }

    /// Where a file of this content and kind belongs.
    pub(super) fn path_of(&self, hash: &str, extension: &str) -> PathBuf {
        let extension = safe_extension(extension);
        let dot = if extension.is_empty() { "" } else { "." };
        self.folder("files").join(format!("{hash}{dot}{extension}"))
    }

    /// A new file to write to, locked for this process.
    pub(super) fn create_part(&self, _lock: &StoreLock) -> Result<(PathBuf, File)> {
        let folder = self.folder("incoming");
        let (file, path) = tempfile::Builder::new()
            .suffix(".part")
            .make_in(&folder, |path| File::options().write(true).create_new(true).open(path))
            .and_then(|made| made.keep().map_err(|error| error.error))
            .map_err(|error| Error::io(&folder, "make a file in the media store", error))?;
        file.lock().map_err(|error| Error::io(&path, "lock the file", error))?;
        Ok((path, file))
    }

    /// The bytes that parts have reserved, and how many of them are not on the disk yet.
    pub(super) fn reserved(&self, _lock: &StoreLock) -> Result<(u64, u64)> {
        let parts = list(&self.folder("incoming"))?;
        let sum = parts.iter().fold((0u64, 0u64), |(reserved, unwritten), (_, metadata)| {
            let rest = metadata.len().saturating_sub(allocated(metadata));
            (reserved.saturating_add(metadata.len()), unwritten.saturating_add(rest))
        });
        Ok(sum)
    }

    /// The file of this content.
    pub(super) fn find(&self, _lock: &StoreLock, hash: &str) -> Result<Option<(PathBuf, u64)>> {
        let found = list(&self.folder("files"))?.into_iter().find(|(path, _)| hash_of(path) == Some(hash));
        Ok(found.map(|(path, metadata)| (path, metadata.len())))
    }

    /// All media files.
    pub(super) fn all(&self, lock: &StoreLock) -> Result<Vec<StoredFile>> {
        let mut all = Vec::new();
        for (path, metadata) in list(&self.folder("files"))? {
            let Some(hash) = hash_of(&path).map(str::to_owned) else { continue };
            let (leased, used) = self.state(lock, &hash);
            let used = used.or_else(|| metadata.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
            all.push(StoredFile { hash, path, entry: Entry { bytes: metadata.len(), used, leased } });
        }
        Ok(all)
    }

    /// Whether the file is leased, and when it was used last. What cannot be found out counts as
    /// leased.
    fn state(&self, _lock: &StoreLock, hash: &str) -> (bool, Option<SystemTime>) {
        match File::open(self.lease_path(hash)) {
            Ok(file) => {
                let leased = file.try_lock().is_err();
                (leased, file.metadata().and_then(|metadata| metadata.modified()).ok())
            }
            Err(error) => (error.kind() != std::io::ErrorKind::NotFound, None),
        }
    }

    /// Marks the file as used now and takes a lease: the file that is returned holds it.
    pub(super) fn lease(&self, _lock: &StoreLock, hash: &str) -> Result<File> {
        let path = self.lease_path(hash);
        let file = open_lock(&path)?;
        let unusable = |error| Error::io(&path, "lease the file", error);
        file.set_modified(SystemTime::now()).map_err(unusable)?;
        // Others that lease the file share the lock, and nobody evicts while the store is locked.
        file.lock_shared().map_err(unusable)?;
        Ok(file)
    }

    /// Removes a media file that is not leased.
    pub(super) fn remove(&self, _lock: &StoreLock, file: &StoredFile) -> Result<()> {
        fs::remove_file(&file.path).map_err(|error| Error::io(&file.path, "remove the file", error))?;
        // Nobody waits for this lock: leases are taken while the store is locked.
        let _ = fs::remove_file(self.lease_path(&file.hash));
        Ok(())
    }

    fn lease_path(&self, hash: &str) -> PathBuf {
        self.folder("leases").join(format!("{hash}.lock"))
    }

    /// The folder and the file that hold the content of a URI.
    pub(super) fn binding(&self, uri: &str) -> (PathBuf, PathBuf) {
        let folder = self.folder("uris");
        // A URI may hold a token, so its hash is the name.
        let path = folder.join(format!("{}.json", blake3::hash(uri.as_bytes()).to_hex()));
        (folder, path)
    }

    /// Removes what crashed processes left behind, and bindings that are too old.
    pub(super) fn reap(&self, _lock: &StoreLock) -> Result<()> {
        for (path, metadata) in list(&self.folder("incoming"))? {
            if is_older(&metadata, ABANDONED_AFTER) && is_unlocked(&path) && fs::remove_file(&path).is_ok() {
                tracing::info!(path = %path.display(), "removed a download that an earlier run left behind");
            }
        }
        for (path, metadata) in list(&self.folder("uris"))? {
            let is_binding = path.extension().is_some_and(|extension| extension == "json");
            if is_older(&metadata, if is_binding { BINDING_LIFE } else { ABANDONED_AFTER }) {
                let _ = fs::remove_file(&path);
            }
        }
        Ok(())
    }

    /// The free space of the file system, where it can be found out.
    #[cfg(unix)]
    pub(super) fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.root).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// The free space of the file system, where it can be found out.
    #[cfg(not(unix))]
    pub(super) fn free_bytes(&self) -> Option<u64> {
        None
    }
}

/// The digits of a content id, if it is a hash that this store uses.
pub(super) fn digits(id: &ContentId) -> Option<&str> {
    id.as_str().strip_prefix("blake3:").filter(|hash| is_hash(hash))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The hash in the name of a media file.
fn hash_of(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let (hash, extension) = name.split_once('.').unwrap_or((name, ""));
    (is_hash(hash) && safe_extension(extension) == extension).then_some(hash)
}

/// The letters and digits of an extension, in lower case, as many as an extension has.
fn safe_extension(extension: &str) -> String {
    let safe = extension.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    safe.take(LONGEST_EXTENSION).collect()
}

/// The regular files in a folder. Links are not followed.
fn list(folder: &Path) -> Result<Vec<(PathBuf, fs::Metadata)>> {
    let unreadable = |error| Error::io(folder, "read the media store", error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // A file that has gone in the meantime is not an error.
        if let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            found.push((entry.path(), metadata));
        }
    }
    Ok(found)
}

fn open_lock(path: &Path) -> Result<File> {
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(path);
    opened.map_err(|error| Error::io(path, "open the media store's lock", error))
}

fn is_unlocked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| !matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn is_older(metadata: &fs::Metadata, than: Duration) -> bool {
    metadata.modified().is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > than))
}

/// The bytes that a file takes on the disk. A part that reserves space is longer than that.
#[cfg(unix)]
fn allocated(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata).saturating_mul(512)
}

#[cfg(not(unix))]
fn allocated(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        for (given, safe) in
            [("mp4", "mp4"), ("MP4", "mp4"), ("../../etc/passwd", "etcpassw"), ("", ""), ("..", ""), ("\u{202e}4pm\0", "4pm")]
        {
            assert_eq!(safe_extension(given), safe, "{given:?}");
        }
        let hash = "0".repeat(64);
        assert!(digits(&ContentId::new("blake3", &hash)).is_some());
        for hostile in ["../../x", "", &hash[1..], &format!("{hash}/"), &"G".repeat(64)] {
            assert_eq!(digits(&ContentId::new("blake3", hostile)), None, "{hostile}");
        }
        assert_eq!(digits(&ContentId::new("md5", &hash)), None);
        assert_eq!(hash_of(Path::new(&format!("{hash}.mp4"))), Some(hash.as_str()));
        assert_eq!(hash_of(Path::new(&format!("{hash}.mp4.part"))), None);
    }

    #[test]
    fn only_old_unlocked_parts_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let files = MediaFiles::open(root.path()).unwrap();
        let lock = files.lock().unwrap();
        let part = |minutes: u64| {
            let (path, file) = files.create_part(&lock).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
            (path, file)
        };
        let (old, _) = part(31);
        let (young, _) = part(29);
        let (locked, _writer) = part(31);
        files.reap(&lock).unwrap();
        assert!(!old.exists() && young.exists() && locked.exists());
    }
}
