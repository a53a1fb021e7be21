use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::eviction::Entry;
use crate::error::{Error, Result};
use crate::model::ContentId;

/// What a crashed process left behind is removed after this time.
const ABANDONED_AFTER: Duration = Duration::from_secs(30 * 60);
/// A download that can be continued is removed after this time.
const PARTIAL_LIFE: Duration = Duration::from_secs(3 * 24 * 3600);
/// A URI's content is looked up again after this time.
const BINDING_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
const LONGEST_EXTENSION: usize = 8;

/// The files of a media store:
///
/// ```text
/// lock                  held while any of the others is created, found or removed
/// files/<hash>.<ext>    media, named by the BLAKE3 hash of its bytes
/// files/<hash>.<x>.<y>  what belongs to the media, such as captions (en.vtt); removed with it
/// leases/<hash>.lock    a shared lock while the file is in use; its time of change is the last use
/// incoming/<n>.part     being written, with an exclusive lock; its length is what is reserved
/// partial/<hash>/       a download that can be continued, named by the hash of its key
/// partial/<hash>.lock   an exclusive lock while a process works on it
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

/// A media file in the store with what belongs to it, or a download that can be continued.
#[derive(Debug)]
pub(super) struct StoredFile {
    /// `None` for a download.
    pub(super) hash: Option<String>,
    pub(super) path: PathBuf,
    pub(super) entry: Entry,
    attached: Vec<PathBuf>,
}

impl MediaFiles {
    pub(super) fn open(root: &Path) -> Result<Self> {
        let files = MediaFiles { root: root.to_owned() };
        for folder in ["files", "leases", "incoming", "partial", "uris"].map(|name| files.folder(name)) {
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

    /// Renames `file`, which has `bytes` bytes, to the name of its content, unless the store has
    /// that content.
    pub(super) fn put(&self, lock: &StoreLock, file: &Path, hash: &str, bytes: u64, extension: &str) -> Result<PathBuf> {
        match self.find(lock, hash)? {
            Some((known, known_bytes)) if known_bytes == bytes => Ok(known),
            damaged => {
                let path = self.path_of(hash, extension);
                fs::rename(file, &path).map_err(|error| Error::io(&path, "put the file in its place", error))?;
                if let Some((old, _)) = damaged
                    && old != path
                {
                    let _ = fs::remove_file(old);
                }
                Ok(path)
            }
        }
    }

    /// The folder of a download and its lock. `None` if another process has it.
    pub(super) fn partial(&self, _lock: &StoreLock, key: &str) -> Result<Option<(PathBuf, File)>> {
        let folder = self.folder("partial").join(blake3::hash(key.as_bytes()).to_hex().as_str());
        let file = open_lock(&lock_of(&folder))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Error::io(&folder, "lock the download", error)),
        }
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, "make the folder", error))?;
        Ok(Some((folder, file)))
    }

    /// Removes a download. Nobody waits for its lock: it is taken while the store is locked.
    pub(super) fn remove_partial(&self, _lock: &StoreLock, folder: &Path) {
        let _ = fs::remove_dir_all(folder);
        let _ = fs::remove_file(lock_of(folder));
    }

    /// All media files and downloads.
    pub(super) fn all(&self, lock: &StoreLock) -> Result<Vec<StoredFile>> {
        let mut all = self.partials(lock)?;
        let mut attachments = Vec::new();
        for (path, metadata) in list(&self.folder("files"))? {
            let Some(hash) = hash_of(&path).map(str::to_owned) else {
                attachments.push((path, metadata.len()));
                continue;
            };
            let (leased, used) = self.state(lock, &hash);
            let used = used.or_else(|| metadata.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
            let entry = Entry { bytes: metadata.len(), used, leased };
            all.push(StoredFile { hash: Some(hash), path, entry, attached: Vec::new() });
        }
        for (path, bytes) in attachments {
            let hash = attached_to(&path);
            if let Some(owner) = hash.and_then(|hash| all.iter_mut().find(|file| file.hash.as_deref() == Some(hash))) {
                owner.entry.bytes = owner.entry.bytes.saturating_add(bytes);
                owner.attached.push(path);
            }
        }
        Ok(all)
    }

    fn partials(&self, _lock: &StoreLock) -> Result<Vec<StoredFile>> {
        let folder = self.folder("partial");
        let unreadable = |error| Error::io(&folder, "read the media store", error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if !path.is_dir() {
                continue;
            }
            let files = list(&path)?;
            let bytes = files.iter().fold(0u64, |sum, (_, metadata)| sum.saturating_add(metadata.len()));
            let used = files.iter().filter_map(|(_, metadata)| metadata.modified().ok()).max();
            let used = used.or_else(|| fs::metadata(&path).and_then(|metadata| metadata.modified()).ok());
            let leased = !is_unlocked(&lock_of(&path)) && lock_of(&path).exists();
            let entry = Entry { bytes, used: used.unwrap_or(SystemTime::UNIX_EPOCH), leased };
            found.push(StoredFile { hash: None, path, entry, attached: Vec::new() });
        }
        Ok(found)
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

    /// Removes a media file or a download that is not in use.
    pub(super) fn remove(&self, lock: &StoreLock, file: &StoredFile) -> Result<()> {
        let Some(hash) = &file.hash else {
            self.remove_partial(lock, &file.path);
            return Ok(());
        };
        fs::remove_file(&file.path).map_err(|error| Error::io(&file.path, "remove the file", error))?;
        for attached in &file.attached {
            let _ = fs::remove_file(attached);
        }
        // Nobody waits for this lock: leases are taken while the store is locked.
        let _ = fs::remove_file(self.lease_path(hash));
        Ok(())
    }

    /// Where a file that belongs to the media with this hash is. `None` if the name is not two
    /// words of ASCII letters, digits and `-`, with a dot between them.
    pub(super) fn attachment(&self, hash: &str, name: &str) -> Option<(PathBuf, PathBuf)> {
        let is_word = |word: &str| (1..=35).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let (word, ending) = name.split_once('.')?;
        let folder = self.folder("files");
        (is_word(word) && is_word(ending)).then(|| (folder.clone(), folder.join(format!("{hash}.{name}"))))
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

    /// Removes what crashed processes left behind, and downloads and bindings that are too old.
    pub(super) fn reap(&self, lock: &StoreLock) -> Result<()> {
        for partial in self.partials(lock)? {
            if !partial.entry.leased && partial.entry.used.elapsed().is_ok_and(|age| age > PARTIAL_LIFE) {
                self.remove_partial(lock, &partial.path);
            }
        }
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

/// The hash in the name of a file that belongs to a media file.
fn attached_to(path: &Path) -> Option<&str> {
    let (hash, _) = path.file_name()?.to_str()?.split_once('.')?;
    is_hash(hash).then_some(hash)
}

/// The lock of a download.
fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

/// The letters and digits of an extension, in lower case, as many as an extension has.
pub(crate) fn safe_extension(extension: &str) -> String {
    let safe = extension.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    safe.take(LONGEST_EXTENSION).collect()
}

/// The regular files in a folder. Links are not followed.
pub(super) fn list(folder: &Path) -> Result<Vec<(PathBuf, fs::Metadata)>> {
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
