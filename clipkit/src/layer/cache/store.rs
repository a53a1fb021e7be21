use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy;
use futures::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;

use super::single_flight::Outcome;
use crate::error::{Error, ErrorKind, Result};

/// The format of entries. Those of other formats are not looked at.
const FORMAT: &str = "v1";
/// A store that takes longer for one entry is as good as none.
const LONGEST: Duration = Duration::from_secs(20);
/// Larger than the words of a day; what is larger still was not written by a cache.
const LARGEST: u64 = 256 << 20;
/// How often old entries are looked for.
const SWEEP: Duration = Duration::from_secs(3600);
/// How many entries are looked at then.
const SWEPT: usize = 10_000;

/// A warning that belongs to an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) message: String,
    /// Whether it concerns the whole run, though the work was for one clip.
    #[serde(default)]
    pub(super) of_the_run: bool,
}

#[derive(Deserialize)]
struct Entry<O> {
    answer: O,
    #[serde(default)]
    warnings: Vec<Note>,
}

/// An [`Entry`] to write.
#[derive(Serialize)]
struct EntryOf<'a, O> {
    answer: &'a O,
    warnings: &'a [Note],
}

/// Where entries are: a folder or a store in the net, with names `v1/track/5f0c....json`.
pub(super) struct Shelf {
    store: Arc<dyn ObjectStore>,
    swept: Mutex<Option<Instant>>,
}

/// `clipkit/artifacts` in `XDG_CACHE_HOME` or the platform's cache folder; none on a machine without a home folder.
pub(super) fn folder_of_the_user() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|base| base.cache_dir().join("clipkit").join("artifacts"))
}

/// Refuses a place that no store can have.
pub(super) fn check(place: &str) -> Result<()> {
    match folder(place)? {
        Some(_) => Ok(()),
        None => connect(place).map(drop),
    }
}

pub(super) async fn open(place: &str) -> Result<Shelf> {
    match folder(place)? {
        Some(folder) => open_folder(folder).await,
        None => connect(place).map(Shelf::over),
    }
}

/// The folder, where a path was meant and not an address.
fn folder(place: &str) -> Result<Option<&Path>> {
    if place.is_empty() {
        return Err(Error::new(ErrorKind::Config, "a cache's folder has no name"));
    }
    Ok((!place.contains("://")).then(|| Path::new(place)))
}

pub(super) async fn open_folder(folder: &Path) -> Result<Shelf> {
    let unusable = |error| Error::io(folder, "make the cache's folder", error);
    tokio::fs::create_dir_all(folder).await.map_err(unusable)?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| failed("open the cache", error).with_path(folder))?;
    Ok(Shelf::over(Arc::new(store)))
}

fn connect(address: &str) -> Result<Arc<dyn ObjectStore>> {
    let refuse = |what: String| {
        Error::new(ErrorKind::Config, format!("a cache cannot be kept there: {what}")).with_url(address).with_advice(
            "give a folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; each kind of store is a crate feature",
        )
    };
    let url = Url::parse(address).map_err(|error| refuse(error.to_string()))?;
    // Only what is meant for the stores: the environment holds other secrets too.
    let ours = |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
    let settings = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings = settings.filter(|(name, _)| ours(name));
    let (store, prefix) = object_store::parse_url_opts(&url, settings).map_err(|error| refuse(plain(&error, address)))?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

/// What the store says, without the address, which may hold a password.
fn plain(error: &object_store::Error, address: &str) -> String {
    error.to_string().replace(address, "the address")
}

fn failed(doing: &str, error: object_store::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {doing}: {error}"))
}

impl Shelf {
    pub(super) fn over(store: Arc<dyn ObjectStore>) -> Self {
        Shelf { store, swept: Mutex::default() }
    }

    /// The entry, if there is one that is younger than `keep` and whole.
    pub(super) async fn load<O: DeserializeOwned>(&self, key: &str, keep: Duration) -> Result<Option<Outcome<O>>> {
        let place = place(key);
        let read = async {
            let found = self.store.get(&place).await?;
            if found.meta.size > LARGEST || is_old(&found.meta, keep) { Ok(None) } else { found.bytes().await.map(Some) }
        };
        let bytes = match in_time("look an answer up", read).await? {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed("look an answer up", error)),
        };
        let entry = serde_json::from_slice::<Entry<O>>(&bytes);
        if let Err(error) = &entry {
            tracing::debug!(%place, %error, "a damaged entry is not used");
        }
        Ok(entry.ok().map(|Entry { answer, warnings }| Outcome { result: Ok(answer), notes: warnings, stepped_down: false }))
    }

    /// Keeps an answer, and now and then removes those that are too old. A failure is not kept.
    pub(super) async fn save<O: Serialize>(&self, key: &str, keep: Duration, flown: &Outcome<O>) -> Result<()> {
        let Ok(answer) = &flown.result else { return Ok(()) };
        let entry = EntryOf { answer, warnings: &flown.notes };
        let bytes = serde_json::to_vec(&entry)
            .map_err(|error| Error::new(ErrorKind::Contract, format!("an answer cannot be written as JSON: {error}")))?;
        let place = place(key);
        let put = self.store.put(&place, PutPayload::from(bytes));
        in_time("keep an answer", put).await?.map_err(|error| failed("keep an answer", error))?;
        if self.is_due() {
            match in_time("remove old answers", self.sweep(keep)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "old answers stay"),
                Err(error) => tracing::debug!(%error, "old answers stay"),
            }
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|last| last.elapsed() >= SWEEP);
        if due {
            *swept = Some(Instant::now());
        }
        due
    }

    /// Removes old entries of all stages. What is not named as an entry is someone else's.
    async fn sweep(&self, keep: Duration) -> object_store::Result<()> {
        let mut listed = self.store.list(Some(&Key::from(FORMAT))).take(SWEPT);
        let mut old = Vec::new();
        while let Some(meta) = listed.next().await {
            let meta = meta?;
            if is_entry(&meta.location) && is_old(&meta, keep) {
                old.push(meta.location);
            }
        }
        for place in old {
            self.store.delete(&place).await?;
        }
        Ok(())
    }
}

fn place(key: &str) -> Key {
    Key::from(format!("{FORMAT}/{key}.json"))
}

/// `v1/track/<64 digits>.json`
fn is_entry(place: &Key) -> bool {
    let name = place.filename().and_then(|name| name.strip_suffix(".json"));
    place.parts().count() == 3 && name.is_some_and(|name| name.len() == 64 && name.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// By the store's clock, which several machines share.
fn is_old(meta: &object_store::ObjectMeta, keep: Duration) -> bool {
    SystemTime::from(meta.last_modified).elapsed().is_ok_and(|age| age > keep)
}

async fn in_time<T>(doing: &str, work: impl Future<Output = T>) -> Result<T> {
    let late = |_| Error::new(ErrorKind::TimedOut, format!("cannot {doing}: the store takes longer than {LONGEST:?}"));
    tokio::time::timeout(LONGEST, work).await.map_err(late)
}
