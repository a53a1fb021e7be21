use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures::StreamExt;
use object_store::path::Path as Location;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::address;
use super::document::{ArtifactKind, Document};
use super::key::ArtifactKey;
use crate::context::Environment;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::WarningKind;

/// The layout of entries. Entries of other layouts are not read and not removed.
const LAYOUT: &str = "v2";
const DEFAULT_AGE_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Limits one operation, so that a store that hangs does not block a run.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// The words of a day of speech take less.
const SIZE_LIMIT: u64 = 256 << 20;
/// How often `put` sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// How many entries one sweep looks at.
const SWEEP_LIMIT: usize = 10_000;

/// A store of the documents that steps answer, found again by an [`ArtifactKey`].
///
/// - Entries are JSON objects named `v2/<kind>/<hash>.json`. Several processes and machines may
///   share a store: an entry appears when it is whole.
/// - An entry that is damaged, or older than the age limit, counts as absent. The limit is 7 days
///   ([`keep`](ArtifactStore::keep)). It applies to documents that can be computed again
///   ([`ArtifactKind::expires`]).
/// - Each operation has 20 s; then it fails with `ErrorKind::TimedOut`. Other failures of the store
///   are `ErrorKind::Io`. Both may be retried.
///
/// Clones share the store.
///
/// ```
/// use clipkit::prelude::*;
/// use clipkit::store::{ArtifactKey, ArtifactStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = ArtifactStore::open("memory:///").await?;
/// let key = ArtifactKey::of::<Transcript>()
///     .text("media", "blake3:9f86d0")
///     .fingerprint("whisper-1");
/// assert_eq!(store.get::<Transcript>(&key).await?, None);
/// store.put(&key, &Transcript::default()).await?;
/// assert_eq!(store.get(&key).await?, Some(Transcript::default()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ArtifactStore {
    shared: Arc<Shared>,
    age_limit: Duration,
}

struct Shared {
    store: Arc<dyn ObjectStore>,
    swept: Mutex<Option<Instant>>,
}

/// A warning that is kept with a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    #[serde(default)]
    pub(crate) kind: WarningKind,
    pub(crate) message: String,
    /// Whether it concerns the whole run, though the work was for one clip.
    #[serde(default)]
    pub(crate) of_the_run: bool,
}

#[derive(Deserialize)]
struct Entry<D> {
    document: D,
    #[serde(default)]
    warnings: Vec<Note>,
}

/// An [`Entry`] to write.
#[derive(Serialize)]
struct EntryOf<'a, D> {
    document: &'a D,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Note],
}

impl ArtifactStore {
    /// Opens the store at an address: a folder's path (the folder is made), `s3://bucket/prefix`
    /// (crate feature `s3`), `gs://` (`gcs`), `az://` (`azure`), or `memory:///` for a store that
    /// ends with its last clone. Credentials come from the environment, as for the provider's own
    /// tools (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...). S3 is tested against a server of the
    /// tests' own; the other two are not tested against any.
    ///
    /// Fails with `ErrorKind::Config` if there can be no store at the address, and as [`Error::io`]
    /// says if the folder cannot be made.
    pub async fn open(address: &str) -> Result<Self> {
        ArtifactStore::open_with(address, &Environment::from_process()).await
    }

    /// The same, with credentials from an environment of the caller's.
    pub async fn open_with(address: &str, environment: &Environment) -> Result<Self> {
        address::open(address, environment).await.map(ArtifactStore::over)
    }

    /// Opens the store in a folder, which is made.
    ///
    /// Fails as [`Error::io`] says if the folder cannot be made.
    pub async fn in_folder(folder: impl AsRef<Path>) -> Result<Self> {
        address::open_folder(folder.as_ref()).await.map(ArtifactStore::over)
    }

    /// A store over an `object_store` that you set up.
    ///
    /// This is the one place where a dependency's type is part of this crate's interface: Rust
    /// programs pass such stores around as this type, and an address cannot express all that a
    /// store can be (other credentials, retries, encryption, a fake for tests). The crate is
    /// re-exported as [`clipkit::store::object_store`](crate::store::object_store), so that the
    /// versions agree.
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        ArtifactStore { shared: Arc::new(Shared { store, swept: Mutex::default() }), age_limit: DEFAULT_AGE_LIMIT }
    }

    /// Sets the age after which entries count as absent and may be removed. Default 7 days. If
    /// handles with different limits share a store, the shortest decides, since each handle removes
    /// what is too old for it.
    #[must_use]
    pub fn keep(mut self, age_limit: Duration) -> Self {
        self.age_limit = age_limit;
        self
    }

    /// The document under `key`; `None` if there is none, or if it is too old or damaged.
    pub async fn get<D: Document>(&self, key: &ArtifactKey) -> Result<Option<D>> {
        Ok(self.read(key).await?.map(|(document, _)| document))
    }

    /// Writes the document under `key`, in place of what is there. Once an hour, entries that are
    /// too old are removed.
    pub async fn put<D: Document>(&self, key: &ArtifactKey, document: &D) -> Result<()> {
        self.write(key, document, &[]).await
    }

    /// Writes the document under `key` if there is no entry. Returns whether it was written;
    /// `false` means that an entry is there already, whatever its age and state. Of several callers
    /// at the same time, on any machine, exactly one gets `true`.
    pub async fn put_new<D: Document>(&self, key: &ArtifactKey, document: &D) -> Result<bool> {
        self.write_new(key, document).await
    }

    /// Writes a value under `key` if there is no entry, as [`put_new`](ArtifactStore::put_new)
    /// does.
    pub(crate) async fn write_new<D: Serialize>(&self, key: &ArtifactKey, value: &D) -> Result<bool> {
        match self.write_as(PutMode::Create, key, value, &[]).await? {
            Ok(()) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(failed("write an artifact", &error)),
        }
    }

    /// Removes the entry under `key`, if there is one.
    pub(crate) async fn remove(&self, key: &ArtifactKey) -> Result<()> {
        let location = location(key);
        match within_limit("remove an artifact", self.shared.store.delete(&location)).await? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("remove an artifact", &error)),
        }
    }

    /// Removes entries that are older than the age limit and can be computed again. Files that are
    /// not named as entries stay. Returns how many entries were removed. `put` does this once an
    /// hour.
    pub async fn sweep(&self) -> Result<usize> {
        within_limit("remove old artifacts", self.remove_old()).await?.map_err(|error| failed("remove old artifacts", &error))
    }

    /// The document under `key` with its warnings.
    pub(crate) async fn read<D: DeserializeOwned>(&self, key: &ArtifactKey) -> Result<Option<(D, Vec<Note>)>> {
        let location = location(key);
        let read = async {
            let found = self.shared.store.get(&location).await?;
            let unusable = found.meta.size > SIZE_LIMIT || (key.kind().expires() && self.is_old(&found.meta));
            if unusable { Ok(None) } else { found.bytes().await.map(Some) }
        };
        let bytes = match within_limit("read an artifact", read).await? {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed("read an artifact", &error)),
        };
        match serde_json::from_slice::<Entry<D>>(&bytes) {
            Ok(Entry { document, warnings }) => Ok(Some((document, warnings))),
            Err(error) => {
                tracing::debug!(%location, %error, "a damaged artifact counts as absent");
                Ok(None)
            }
        }
    }

    /// Writes a document with its warnings.
    pub(crate) async fn write<D: Serialize>(&self, key: &ArtifactKey, document: &D, warnings: &[Note]) -> Result<()> {
        let written = self.write_as(PutMode::Overwrite, key, document, warnings).await?;
        written.map_err(|error| failed("write an artifact", &error))?;
        if self.sweep_is_due()
            && let Err(error) = self.sweep().await
        {
            tracing::debug!(%error, "old artifacts stay");
        }
        Ok(())
    }

    async fn write_as<D: Serialize>(
        &self,
        mode: PutMode,
        key: &ArtifactKey,
        document: &D,
        warnings: &[Note],
    ) -> Result<object_store::Result<()>> {
        let bytes = serde_json::to_vec(&EntryOf { document, warnings })
            .map_err(|error| Error::new(ErrorKind::Contract, format!("an artifact cannot be written as JSON: {error}")))?;
        let (location, options) = (location(key), PutOptions::from(mode));
        let put = self.shared.store.put_opts(&location, PutPayload::from(bytes), options);
        Ok(within_limit("write an artifact", put).await?.map(drop))
    }

    fn sweep_is_due(&self) -> bool {
        let mut swept = self.shared.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|last| last.elapsed() >= SWEEP_INTERVAL);
        if due {
            *swept = Some(Instant::now());
        }
        due
    }

    async fn remove_old(&self) -> object_store::Result<usize> {
        let mut listed = self.shared.store.list(Some(&Location::from(LAYOUT))).take(SWEEP_LIMIT);
        let mut old = Vec::new();
        while let Some(meta) = listed.next().await {
            let meta = meta?;
            if kind_of(&meta.location).is_some_and(ArtifactKind::expires) && self.is_old(&meta) {
                old.push(meta.location);
            }
        }
        for location in &old {
            self.shared.store.delete(location).await?;
        }
        Ok(old.len())
    }

    /// By the store's clock, which several machines share.
    fn is_old(&self, meta: &ObjectMeta) -> bool {
        SystemTime::from(meta.last_modified).elapsed().is_ok_and(|age| age > self.age_limit)
    }
}

impl fmt::Debug for ArtifactStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store's own output may hold credentials.
        f.debug_struct("ArtifactStore").field("age_limit", &self.age_limit).finish_non_exhaustive()
    }
}

fn location(key: &ArtifactKey) -> Location {
    Location::from(format!("{LAYOUT}/{key}.json"))
}

/// The kind of an entry by its location, `v2/<kind>/<64 digits>.json`; `None` for other files.
fn kind_of(location: &Location) -> Option<ArtifactKind> {
    let hash = location.filename()?.strip_suffix(".json")?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut parts = location.parts().skip(1);
    let kind = ArtifactKind::named(parts.next()?.as_ref())?;
    (is_hash && parts.count() == 1).then_some(kind)
}

fn failed(doing: &str, error: &object_store::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {doing}: {error}")).with_recovery(Recovery::Retry { after: None })
}

async fn within_limit<T>(doing: &str, work: impl Future<Output = T>) -> Result<T> {
    let late = |_| {
        Error::new(ErrorKind::TimedOut, format!("cannot {doing}: the store takes longer than {TIME_LIMIT:?}"))
            .with_recovery(Recovery::Retry { after: None })
    };
    tokio::time::timeout(TIME_LIMIT, work).await.map_err(late)
}
