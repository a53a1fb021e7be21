use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ContentId, FileStamp};

/// Whether a file still has the content that it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Size and time of change are the same.
    Same,
    /// The size is the same and the time of change is not, or one of them is not known. Only a hash
    /// can tell.
    Unknown,
    /// The size differs, so the content does.
    Changed,
}

/// The stamp of the file at `path`.
///
/// Fails as [`Error::io`] says if there is no such file or it cannot be looked at.
pub fn stamp(path: &Path) -> Result<FileStamp> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, "look at the file", error))?;
    Ok(FileStamp::of(&metadata))
}

/// Whether a file that had the stamp `then` and has the stamp `now` is still the same. A time of 0
/// is not known.
fn compare(then: &FileStamp, now: &FileStamp) -> Identity {
    match then.size == now.size {
        false => Identity::Changed,
        true if then.modified == now.modified && then.modified != 0 => Identity::Same,
        true => Identity::Unknown,
    }
}

/// Compares the file at `path` with the stamp that it had. Does not read it. Without a stamp, the
/// answer is [`Identity::Unknown`].
///
/// Fails as [`Error::io`] says if there is no such file or it cannot be looked at.
pub fn verify(path: &Path, stamp: Option<&FileStamp>) -> Result<Identity> {
    let now = self::stamp(path)?;
    Ok(stamp.map_or(Identity::Unknown, |then| compare(then, &now)))
}

/// Whether the file at `path` has the content `id`. It is read only if its stamp does not tell
/// ([`verify`] answers [`Identity::Unknown`]).
///
/// Fails as [`identify`] does.
pub fn verify_content(cx: &Context, path: &Path, id: &ContentId, stamp: Option<&FileStamp>) -> Result<bool> {
    match verify(path, stamp)? {
        Identity::Same => Ok(true),
        Identity::Changed => Ok(false),
        Identity::Unknown => Ok(identify(cx, path)?.0 == *id),
    }
}

/// Reads the file at `path` and returns the BLAKE3 hash of its bytes with its stamp. Reports
/// progress and stops when `cx` is cancelled.
///
/// Fails with `ErrorKind::InvalidInput` for a folder, a pipe and an empty file, with
/// `ErrorKind::Cancelled`, or as [`Error::io`] says.
pub fn identify(cx: &Context, path: &Path) -> Result<(ContentId, FileStamp)> {
    let unreadable = |error| Error::io(path, "read the file", error);
    let refused = |what: &str, advice: &str| Error::new(ErrorKind::InvalidInput, what).with_path(path).with_advice(advice);
    let mut file = File::open(path).map_err(unreadable)?;
    // Before the bytes: a change while they are read is then seen as one.
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(refused("this is a folder", "give a video file"));
    }
    if !metadata.is_file() {
        // A pipe can be read only once, and may never end.
        return Err(refused("this is not a regular file", "save it to disk first"));
    }
    if metadata.len() == 0 {
        return Err(refused("the file is empty", "get it again"));
    }
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0u64;
    loop {
        cx.check()?;
        let count = file.read(&mut buffer).map_err(unreadable)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        done += count as u64;
        cx.progress(done as f64 / metadata.len() as f64);
    }
    Ok((content_id(&hasher), FileStamp::of(&metadata)))
}

/// The identity of the bytes that were hashed.
pub(super) fn content_id(hasher: &blake3::Hasher) -> ContentId {
    ContentId::new("blake3", &hasher.finalize().to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn size_and_time_decide_and_a_hash_does_in_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talk.mp4");
        std::fs::write(&path, b"one").unwrap();
        let cx = Context::new();
        let (id, stamp) = identify(&cx, &path).unwrap();
        assert_eq!(id.as_str(), format!("blake3:{}", blake3::hash(b"one").to_hex()));
        assert_eq!(verify(&path, Some(&stamp)).unwrap(), Identity::Same);
        assert_eq!(verify(&path, None).unwrap(), Identity::Unknown);
        assert!(verify_content(&cx, &path, &id, None).unwrap());

        let set_time = |seconds| {
            let file = File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        set_time(1_000_000);
        assert_eq!(verify(&path, Some(&stamp)).unwrap(), Identity::Unknown);
        assert!(verify_content(&cx, &path, &id, Some(&stamp)).unwrap());
        std::fs::write(&path, b"two").unwrap();
        set_time(2_000_000);
        assert!(!verify_content(&cx, &path, &id, Some(&stamp)).unwrap());
        std::fs::write(&path, b"three").unwrap();
        assert_eq!(verify(&path, Some(&stamp)).unwrap(), Identity::Changed);
        assert!(!verify_content(&cx, &path, &id, Some(&stamp)).unwrap());
    }

    /// What is not read cannot be refused as cancelled.
    #[test]
    fn a_file_with_a_known_stamp_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talk.mp4");
        std::fs::write(&path, b"one").unwrap();
        let cx = Context::new();
        let (id, stamp) = identify(&cx, &path).unwrap();
        cx.cancel();
        assert!(verify_content(&cx, &path, &id, Some(&stamp)).unwrap());
        assert!(verify_content(&cx, &path, &id, None).unwrap_err().is_cancelled());
    }
}
