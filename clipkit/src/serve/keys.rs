//! API keys in a file: random, stored as hashes, compared in constant time.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// How a key starts, so that it is recognised in leaks.
const PREFIX: &str = "clipkit_";
const LONGEST_NAME: usize = 100;
const LONGEST_FILE: u64 = 1 << 20;

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// Requests that change nothing.
    Read,
    /// All requests.
    Write,
}

/// Reads `read` and `write`.
impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "read" => Ok(Scope::Read),
            "write" => Ok(Scope::Write),
            _ => Err(Error::new(ErrorKind::Config, format!("{text:?} is no scope")).with_advice("give read or write")),
        }
    }
}

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Key {
    /// The id, a part of the key that is no secret.
    pub id: String,
    /// The name: the user of the jobs that are submitted with the key.
    pub name: String,
    /// What it allows. `write` includes `read`.
    pub scope: Scope,
    /// When it was made, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub created: Option<SystemTime>,
}

/// A new key. The secret is not stored: this is the only time that it is seen.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewKey {
    /// The key.
    pub key: Key,
    /// What clients send: `Authorization: Bearer <secret>`.
    pub secret: String,
}

/// Does not print the secret.
impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The API keys of a service, in a JSON file that only its owner can read. The file has a BLAKE3
/// hash of each key; keys have 256 random bits, so no slow hash is needed.
///
/// A running service sees a changed file at its next request.
#[derive(Clone, Debug)]
pub struct Keys {
    path: PathBuf,
    known: Arc<Mutex<Option<Known>>>,
}

/// The keys of the file, as it was.
type Known = (Version, Arc<Vec<Stored>>);
/// When the file was changed, and its size.
type Version = (Option<SystemTime>, u64);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    key: Key,
    hash: String,
}

impl Keys {
    /// The keys in a file, which need not exist.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Keys { path: path.into(), known: Arc::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a key. Blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the name is empty, too long, or has control characters;
    /// [`ErrorKind::Io`] if the file cannot be written.
    pub fn add(&self, name: &str, scope: Scope) -> Result<NewKey> {
        if name.trim().is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Error::new(ErrorKind::InvalidInput, "the name of a key is empty, too long, or has control characters"));
        }
        let _lock = self.lock()?;
        let (id, random) = (hex(&random::<4>()?), hex(&random::<32>()?));
        let secret = format!("{PREFIX}{id}_{random}");
        let key = Key { id, name: name.to_owned(), scope, created: Some(crate::model::moment::now()) };
        let mut all = self.read()?;
        all.push(Stored { key: key.clone(), hash: blake3::hash(secret.as_bytes()).to_hex().to_string() });
        self.write(&all)?;
        Ok(NewKey { key, secret })
    }

    /// The keys, without their secrets. Blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the file is damaged, [`ErrorKind::Io`] if it cannot be read.
    pub fn list(&self) -> Result<Vec<Key>> {
        Ok(self.read()?.into_iter().map(|stored| stored.key).collect())
    }

    /// Removes a key by its id. `false` means that there is none. Blocks.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Keys::list), and [`ErrorKind::Io`] if the file cannot be written.
    pub fn remove(&self, id: &str) -> Result<bool> {
        let _lock = self.lock()?;
        let mut all = self.read()?;
        let before = all.len();
        all.retain(|stored| stored.key.id != id);
        if all.len() == before {
            return Ok(false);
        }
        self.write(&all).map(|()| true)
    }

    /// Whether there is a key. A file that cannot be read is an error, so that a service does not
    /// open up.
    pub(super) fn any(&self) -> Result<bool> {
        Ok(!self.current()?.is_empty())
    }

    /// The key with this secret.
    pub(super) fn check(&self, secret: &str) -> Result<Option<Key>> {
        let hash = blake3::hash(secret.as_bytes());
        // All are compared, each in constant time.
        let mut found = None;
        for stored in self.current()?.iter() {
            if blake3::Hash::from_hex(&stored.hash).is_ok_and(|known| known == hash) {
                found = Some(stored.key.clone());
            }
        }
        Ok(found)
    }

    /// Whether the key with this id still exists.
    pub(super) fn by_id(&self, id: &str) -> Result<Option<Key>> {
        Ok(self.current()?.iter().find(|stored| stored.key.id == id).map(|stored| stored.key.clone()))
    }

    fn current(&self) -> Result<Arc<Vec<Stored>>> {
        let version = match fs::metadata(&self.path) {
            Ok(metadata) => (metadata.modified().ok(), metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (None, 0),
            Err(error) => return Err(self.unreadable(error)),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, keys)) = &*known
            && *seen == version
        {
            return Ok(keys.clone());
        }
        let keys = Arc::new(self.read()?);
        *known = Some((version, keys.clone()));
        Ok(keys)
    }

    fn read(&self) -> Result<Vec<Stored>> {
        let text = match fs::metadata(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Ok(metadata) if metadata.len() > LONGEST_FILE => {
                return Err(Error::new(ErrorKind::InvalidInput, "this file of API keys is too large").with_path(&self.path));
            }
            _ => fs::read_to_string(&self.path).map_err(|error| self.unreadable(error))?,
        };
        serde_json::from_str(&text)
            .map_err(|error| Error::new(ErrorKind::InvalidInput, format!("this is not a file of API keys: {error}")).with_path(&self.path))
    }

    fn write(&self, keys: &[Stored]) -> Result<()> {
        let failed = |error| Error::io(&self.path, "write the API keys", error);
        let text = serde_json::to_vec_pretty(keys).map_err(|error| failed(error.into()))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Temporary files are for their owner alone.
        let mut file = tempfile::Builder::new().prefix(".clipkit-").tempfile_in(folder).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// One change at a time, over all processes.
    fn lock(&self) -> Result<fs::File> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let locked = || {
            let file = fs::File::options().create(true).append(true).open(&path)?;
            file.lock().map(|()| file)
        };
        locked().map_err(|error| Error::io(&path, "lock the API keys", error))
    }

    fn unreadable(&self, error: std::io::Error) -> Error {
        Error::io(&self.path, "read the API keys", error)
    }
}

/// Bytes from the system's random number generator.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_found_and_removed_and_no_secret_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::in_file(folder.path().join("keys.json"));
        assert!(!keys.any().unwrap() && keys.check("clipkit_x").unwrap().is_none());
        let ann = keys.add("ann", Scope::Write).unwrap();
        let bob = keys.add("bob", Scope::Read).unwrap();
        assert!(keys.any().unwrap());
        assert_eq!(keys.check(&ann.secret).unwrap(), Some(ann.key.clone()));
        assert_eq!(keys.check(&bob.secret).unwrap().map(|key| key.scope), Some(Scope::Read));
        for wrong in ["", "clipkit_", &ann.secret[..ann.secret.len() - 1], &ann.secret.to_uppercase()] {
            assert_eq!(keys.check(wrong).unwrap(), None, "{wrong}");
        }
        let text = fs::read_to_string(keys.path()).unwrap();
        assert!(!text.contains(&ann.secret) && !text.contains(ann.secret.rsplit('_').next().unwrap()));
        assert!(!format!("{ann:?}").contains(&ann.secret));
        assert!(keys.remove(&ann.key.id).unwrap() && !keys.remove(&ann.key.id).unwrap());
        assert_eq!(keys.check(&ann.secret).unwrap(), None);
        assert_eq!(keys.list().unwrap(), [bob.key]);
        assert_eq!(keys.add(" ", Scope::Read).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file_and_a_damaged_one_opens_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::in_file(folder.path().join("keys.json"));
        keys.add("ann", Scope::Write).unwrap();
        assert_eq!(fs::metadata(keys.path()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(keys.path(), "{").unwrap();
        assert_eq!(keys.any().unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
