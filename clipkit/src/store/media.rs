use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::eviction::{self, Entry};
use super::identity::content_id;
use super::media_files::{MediaFiles, StoreLock, digits};
use crate::context::scratch::beside;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::ContentId;

const GIB: u64 = 1 << 30;
/// A writer that needs more space than it has reserved reserves this much at a time.
const STEP: u64 = 64 << 20;
/// A binding is one line.
const LONGEST_BINDING: u64 = 4096;

/// How much space a [`MediaStore`] may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MediaLimits {
    /// The most bytes that all files together may have. Default 20 GiB.
    pub max_bytes: u64,
    /// How many bytes the store leaves free on its file system. Default 1 GiB.
    pub min_free: u64,
}

impl Default for MediaLimits {
    fn default() -> Self {
        MediaLimits { max_bytes: 20 * GIB, min_free: GIB }
    }
}

impl MediaLimits {
    /// At most `max_bytes` bytes for all files together.
    pub fn new(max_bytes: u64) -> Self {
        MediaLimits { max_bytes, ..MediaLimits::default() }
    }

    /// Sets how many bytes the store leaves free on its file system.
    #[must_use]
    pub fn min_free(mut self, bytes: u64) -> Self {
        self.min_free = bytes;
        self
    }
}

/// A folder of fetched media files, each named by the hash of its content. Local files do not go
/// through it: they are used where they are.
///
/// - Several processes may use one folder. A file appears when it is whole, and the same content is
///   kept once.
/// - The store keeps to its [`MediaLimits`]. When space is needed, the least recently used files
///   are removed.
/// - A file that is in use is never removed: its [`Lease`] is a lock that the system frees when the
///   process ends, however it ends. The folder must be on a file system with file locks.
/// - The folder may be moved or copied. Files are found by their content, and paths are not written
///   down.
///
/// All calls block; call them from [`Context::blocking`](crate::Context::blocking).
///
/// ```
/// use clipkit::store::{MediaLimits, MediaStore};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let store = MediaStore::open(folder, MediaLimits::new(100 << 20).min_free(0))?;
/// let mut writer = store.reserve(5)?;
/// writer.append(b"bytes")?;
/// let (id, lease) = writer.commit("mp4")?;
/// store.bind("https://example.com/talk", &id)?;
/// assert_eq!(std::fs::read(lease.path()).unwrap(), b"bytes");
///
/// // Later, or in another process:
/// let id = store.lookup("https://example.com/talk")?.unwrap();
/// let lease = store.find(&id)?.unwrap();
/// assert_eq!(lease.id(), &id);
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MediaStore {
    files: MediaFiles,
    limits: MediaLimits,
}

#[derive(Serialize, Deserialize)]
struct Binding {
    id: ContentId,
    /// What a server tells by that the content has not changed.
    #[serde(default)]
    validator: Option<String>,
}

impl MediaStore {
    /// Opens the store in a folder, which is made if it does not exist. Removes what crashed
    /// processes left there.
    ///
    /// Fails as [`Error::io`] says if the folder cannot be made or locked.
    pub fn open(folder: impl AsRef<Path>, limits: MediaLimits) -> Result<Self> {
        let files = MediaFiles::open(folder.as_ref())?;
        files.reap(&files.lock()?)?;
        Ok(MediaStore { files, limits })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.files.root()
    }

    /// Starts a file whose size is not known. It makes room as it grows.
    ///
    /// Fails as [`reserve`](MediaStore::reserve) does.
    pub fn writer(&self) -> Result<MediaWriter> {
        self.reserve(0)
    }

    /// Makes room for `bytes` bytes and starts a file that may have so many; it may also grow
    /// further, if there is room.
    ///
    /// Fails with `ErrorKind::Config` if the file is larger than the store may be, and with
    /// `ErrorKind::Io` if there is no room: if files that are in use take it, the recovery is
    /// [`Recovery::Retry`]; if the disk is nearly full, it is [`Recovery::GiveUp`].
    pub fn reserve(&self, bytes: u64) -> Result<MediaWriter> {
        let lock = self.files.lock()?;
        self.make_room(&lock, bytes)?;
        let (path, file) = self.files.create_part(&lock)?;
        let mut writer =
            MediaWriter { store: self.clone(), part: Part(path), file, hasher: blake3::Hasher::new(), written: 0, reserved: 0 };
        writer.set_reserved(bytes)?;
        Ok(writer)
    }

    /// The file with this content, leased; `None` if the store does not have it. An id that is not
    /// a hash, such as a platform's name and a video's id, is looked up like a URI.
    ///
    /// Fails as [`Error::io`] says if the folder cannot be used.
    pub fn find(&self, id: &ContentId) -> Result<Option<Lease>> {
        let bound = if digits(id).is_none() { self.lookup(id.as_str())? } else { None };
        let id = bound.as_ref().unwrap_or(id);
        let Some(hash) = digits(id) else { return Ok(None) };
        let lock = self.files.lock()?;
        let Some((path, _)) = self.files.find(&lock, hash)? else { return Ok(None) };
        self.lease(&lock, path, id).map(Some)
    }

    /// Remembers which content a URI has. The URI itself is not written down, since it may hold a
    /// token.
    ///
    /// Fails as [`Error::io`] says if the folder cannot be written to.
    pub fn bind(&self, uri: &str, id: &ContentId) -> Result<()> {
        self.bind_valid(uri, id, None)
    }

    /// The same, with what a server tells by that the content has not changed: a document of the
    /// caller, at most 2048 bytes.
    pub(crate) fn bind_valid(&self, uri: &str, id: &ContentId, validator: Option<String>) -> Result<()> {
        let validator = validator.filter(|text| text.len() <= 2048);
        let (folder, path) = self.files.binding(uri);
        let unwritable = |error| Error::io(&path, "remember the content of an address", error);
        let text = serde_json::to_vec(&Binding { id: id.clone(), validator }).map_err(|error| unwritable(error.into()))?;
        let mut file = beside(&folder).map_err(unwritable)?;
        file.write_all(&text).map_err(unwritable)?;
        file.persist(&path).map_err(|error| unwritable(error.error))?;
        Ok(())
    }

    /// The content that a URI had when it was fetched last, at most 90 days ago. The file itself
    /// may be gone: [`find`](MediaStore::find) tells.
    ///
    /// Fails as [`Error::io`] says if the folder cannot be read.
    pub fn lookup(&self, uri: &str) -> Result<Option<ContentId>> {
        Ok(self.lookup_valid(uri)?.map(|(id, _)| id))
    }

    /// The same, with what [`bind_valid`](MediaStore::bind_valid) was given.
    pub(crate) fn lookup_valid(&self, uri: &str) -> Result<Option<(ContentId, Option<String>)>> {
        let (_, path) = self.files.binding(uri);
        let unreadable = |error| Error::io(&path, "look up the content of an address", error);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(unreadable)?,
        };
        let mut text = Vec::new();
        file.take(LONGEST_BINDING).read_to_end(&mut text).map_err(unreadable)?;
        // A damaged binding counts as absent.
        Ok(serde_json::from_slice::<Binding>(&text).ok().map(|binding| (binding.id, binding.validator)))
    }

    /// Writes a small file that belongs to a media file and is removed with it: captions, such as
    /// `en.vtt`, that [`Captions`](crate::stage::Captions) then finds beside the media. `name` is
    /// two words with a dot between them. Returns its path.
    ///
    /// Fails with `ErrorKind::Contract` if the name is not such a name, and as [`Error::io`] says
    /// if the file cannot be written.
    pub fn attach(&self, lease: &Lease, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let refused = || Error::new(ErrorKind::Contract, format!("{name:?} is no name for a file that belongs to media"));
        let (folder, path) = digits(&lease.id).and_then(|hash| self.files.attachment(hash, name)).ok_or_else(refused)?;
        let unwritable = |error| Error::io(&path, "write the file", error);
        let mut file = beside(&folder).map_err(unwritable)?;
        file.write_all(bytes).map_err(unwritable)?;
        file.persist(&path).map_err(|error| unwritable(error.error))?;
        Ok(path)
    }

    /// The content of a small file that [`attach`](MediaStore::attach) wrote. `None` if there is
    /// none, or if it has more than 64 MiB.
    pub(crate) fn attached(&self, lease: &Lease, name: &str) -> Option<Vec<u8>> {
        let (_, path) = self.files.attachment(digits(&lease.id)?, name)?;
        let file = File::open(path).ok()?;
        let mut bytes = Vec::new();
        file.take(64 << 20).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    pub(super) fn files(&self) -> &MediaFiles {
        &self.files
    }

    /// Removes files until the store is within its limits, as far as they are not leased, and what
    /// crashed processes left. Returns the number of bytes that were freed.
    ///
    /// Fails as [`Error::io`] says if a file cannot be removed.
    pub fn evict(&self) -> Result<u64> {
        let lock = self.files.lock()?;
        self.files.reap(&lock)?;
        self.free(&lock, 0, true).map(|freed| freed.bytes)
    }

    pub(super) fn lease(&self, lock: &StoreLock, path: PathBuf, id: &ContentId) -> Result<Lease> {
        let hash = digits(id).ok_or_else(|| Error::new(ErrorKind::Contract, "this content id is not a BLAKE3 hash"))?;
        let file = self.files.lease(lock, hash)?;
        Ok(Lease { path, id: id.clone(), _held: Arc::new(Held(file)) })
    }

    /// Evicts files until there is room for `bytes` more, or says why there is none.
    pub(super) fn make_room(&self, lock: &StoreLock, bytes: u64) -> Result<()> {
        if bytes > self.limits.max_bytes {
            let message = format!("a file of {bytes} bytes is larger than the media store may be ({} bytes)", self.limits.max_bytes);
            return Err(Error::new(ErrorKind::Config, message).with_path(self.folder()).with_advice("raise the store's size limit"));
        }
        let freed = self.free(lock, bytes, false)?;
        if freed.enough {
            return Ok(());
        }
        let refused = |message: String| Error::new(ErrorKind::Io, message).with_path(self.folder());
        Err(match freed.disk_is_full {
            true => refused(format!("there is no room for {bytes} more bytes: the disk is nearly full"))
                .with_advice("free some space and run again"),
            false => refused(format!("there is no room for {bytes} more bytes: the files in the media store are in use"))
                .with_recovery(Recovery::Retry { after: None })
                .with_advice("wait until other jobs end, or raise the store's size limit"),
        })
    }

    /// Evicts what has to go so that there is room for `bytes` more. If that is not enough, nothing
    /// is evicted, unless `all_the_same`.
    fn free(&self, lock: &StoreLock, bytes: u64, all_the_same: bool) -> Result<Freed> {
        let all = self.files.all(lock)?;
        let (reserved, unwritten) = self.files.reserved(lock)?;
        let taken = all.iter().fold(reserved, |sum, file| sum.saturating_add(file.entry.bytes));
        let over_limit = taken.saturating_add(bytes).saturating_sub(self.limits.max_bytes);
        let wanted_free = self.limits.min_free.saturating_add(bytes).saturating_add(unwritten);
        let short_on_disk = self.files.free_bytes().map_or(0, |free| wanted_free.saturating_sub(free));
        let entries: Vec<Entry> = all.iter().map(|file| file.entry).collect();
        let chosen = eviction::choose(&entries, over_limit.max(short_on_disk));
        let mut freed = Freed { bytes: 0, enough: chosen.enough, disk_is_full: !eviction::choose(&entries, short_on_disk).enough };
        if chosen.enough || all_the_same {
            for file in chosen.evicted.iter().filter_map(|index| all.get(*index)) {
                self.files.remove(lock, file)?;
                freed.bytes += file.entry.bytes;
            }
        }
        Ok(freed)
    }
}

struct Freed {
    bytes: u64,
    enough: bool,
    disk_is_full: bool,
}

/// Keeps a file in a [`MediaStore`]. Clones share the lease, and it ends with the last of them.
#[derive(Clone, Debug)]
pub struct Lease {
    path: PathBuf,
    id: ContentId,
    _held: Arc<Held>,
}

/// The lock of a lease.
#[derive(Debug)]
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // The file was in use until now.
        let _ = self.0.set_modified(SystemTime::now());
    }
}

impl Lease {
    /// Where the file is, while this lease lives.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's content.
    pub fn id(&self) -> &ContentId {
        &self.id
    }
}

/// A file that is being written into a [`MediaStore`]. If it is dropped without
/// [`commit`](MediaWriter::commit), nothing remains of it.
#[derive(Debug)]
pub struct MediaWriter {
    store: MediaStore,
    part: Part,
    file: File,
    hasher: blake3::Hasher,
    written: u64,
    reserved: u64,
}

impl MediaWriter {
    /// Appends bytes.
    ///
    /// Fails as [`MediaStore::reserve`] does if the file grows beyond what is reserved and there is
    /// no room, and as [`Error::io`] says if it cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let length = self.written.saturating_add(bytes.len() as u64);
        if length > self.reserved {
            self.grow(length)?;
        }
        self.file.write_all(bytes).map_err(|error| Error::io(&self.part.0, "write the file", error))?;
        self.hasher.update(bytes);
        self.written = length;
        Ok(())
    }

    /// The number of bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Puts the file into the store. `extension` is the end of its name; anything but ASCII letters
    /// and digits is left out.
    ///
    /// Fails with `ErrorKind::InvalidInput` if nothing was written, and as [`Error::io`] says if
    /// the file cannot be put in its place.
    pub fn commit(mut self, extension: &str) -> Result<(ContentId, Lease)> {
        if self.written == 0 {
            return Err(Error::new(ErrorKind::InvalidInput, "the file is empty").with_advice("get it again"));
        }
        // The name must not appear before the bytes, even if the power fails.
        let unwritable = |error| Error::io(&self.part.0, "write the file", error);
        self.file.flush().and_then(|()| self.file.set_len(self.written)).and_then(|()| self.file.sync_all()).map_err(unwritable)?;
        let id = content_id(&self.hasher);
        let hash = digits(&id).unwrap_or_default();
        let files = &self.store.files;
        let lock = files.lock()?;
        let path = files.put(&lock, &self.part.0, hash, self.written, extension)?;
        let lease = self.store.lease(&lock, path, &id)?;
        Ok((id, lease))
    }

    fn grow(&mut self, length: u64) -> Result<()> {
        let needed = length - self.reserved;
        let store = self.store.clone();
        let lock = store.files.lock()?;
        // In large steps, since each looks at the whole store; in a small one if there is no room
        // for a large one.
        let more = match store.make_room(&lock, needed.max(STEP)) {
            Ok(()) => needed.max(STEP),
            Err(_) => store.make_room(&lock, needed).map(|()| needed)?,
        };
        self.set_reserved(self.reserved.saturating_add(more))
    }

    /// Makes the file as long as what is reserved, so that other writers count it. The bytes take
    /// no space before they are written.
    fn set_reserved(&mut self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes).map_err(|error| Error::io(&self.part.0, "reserve space for the file", error))?;
        self.reserved = bytes;
        Ok(())
    }
}

/// As [`append`](MediaWriter::append); its error is the source of the `io::Error`.
impl Write for MediaWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A part's path. The part is removed when this is dropped, unless it was renamed.
#[derive(Debug)]
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
