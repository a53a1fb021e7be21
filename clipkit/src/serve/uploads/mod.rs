//! Uploads into the media store: streamed, and resumable by the tus protocol 1.0.
//!
//! An upload that is not complete is a download of the media store that can be continued
//! ([`Partial`]): it counts as a part of the store and stays there for three days. The bytes on the
//! disk are the truth: the offset is the file's length.

mod metadata;
pub(super) mod routes;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::keys::{hex, random};
use super::options::ServeOptions;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::jobs::{JobId, Jobs};
use crate::model::ContentId;
use crate::source::upload_key;
use crate::store::{Lease, MediaStore, Partial};

/// How long an upload keeps its place in memory after its last request.
const IDLE: Duration = Duration::from_secs(3600);
/// How long a complete file is kept for a job.
const UNUSED: Duration = Duration::from_secs(24 * 3600);
/// Uploads that may be open at a time.
const MOST_OPEN: usize = 200;
const FILE: &str = "media";
const INFO: &str = "upload.json";

/// The uploads of a service.
pub(super) struct Uploads {
    store: MediaStore,
    max_bytes: u64,
    cx: Context,
    open: Mutex<HashMap<String, Arc<Upload>>>,
    /// Leases of complete files: until a job takes them, and while that job is open.
    unused: Mutex<HashMap<String, (Lease, Instant)>>,
    used: Mutex<HashMap<JobId, Lease>>,
}

/// What a client says about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Info {
    length: u64,
    name: String,
}

/// An upload that is not complete.
struct Upload {
    info: Info,
    partial: Partial,
    touched: Mutex<Instant>,
    /// One request writes at a time.
    writer: Arc<tokio::sync::Mutex<()>>,
}

impl Upload {
    fn file(&self) -> PathBuf {
        self.partial.folder().join(FILE)
    }

    fn offset(&self) -> u64 {
        fs::metadata(self.file()).map_or(0, |metadata| metadata.len())
    }

    fn touch(&self) {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_idle(&self) -> bool {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > IDLE
    }
}

/// An upload as it stands.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    offset: u64,
    length: u64,
    name: String,
    complete: bool,
}

impl Uploads {
    pub(super) async fn open(options: &ServeOptions) -> Result<Uploads> {
        let mut builder = Context::builder();
        if let Some(store) = &options.media {
            builder = builder.media_store(store.clone());
        }
        let cx = builder.build();
        let store = cx.blocking(|cx| cx.media_store().cloned()).await?;
        let max_bytes = options.max_upload;
        Ok(Uploads { store, max_bytes, cx, open: Mutex::default(), unused: Mutex::default(), used: Mutex::default() })
    }

    /// A context with the media store, for reading sources.
    pub(super) fn context(&self) -> Context {
        self.cx.child()
    }

    /// The file of an address, kept from eviction. `None` if the address is none of an upload.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no complete upload with this address.
    pub(super) async fn lease(&self, uri: &str) -> Result<Option<Lease>> {
        let Some(key) = upload_key(uri) else { return Ok(None) };
        let store = self.store.clone();
        let found = self.cx.blocking(move |_| match store.lookup(&key)? {
            Some(id) => store.find(&id),
            None => Ok(None),
        });
        let gone = || {
            Error::new(ErrorKind::NotFound, "there is no such upload, or it is not complete")
                .with_advice("finish the upload, or upload again")
        };
        found.await?.ok_or_else(gone).map(Some)
    }

    /// Keeps the file of a job until the job has ended.
    pub(super) fn keep_for(&self, job: &JobId, lease: Lease) {
        lock(&self.used).insert(job.clone(), lease);
    }

    /// Forgets what is not needed any more, and takes the leases of open jobs after a restart.
    pub(super) async fn tidy(&self, jobs: &Jobs) -> Result<()> {
        lock(&self.open).retain(|_, upload| !upload.is_idle());
        lock(&self.unused).retain(|_, (_, since)| since.elapsed() < UNUSED);
        let mut filter = crate::jobs::JobFilter::default();
        filter.open = Some(true);
        let open: HashMap<JobId, String> = jobs.list(&filter).await?.into_iter().map(|job| (job.id, job.uri)).collect();
        lock(&self.used).retain(|job, _| open.contains_key(job));
        for (job, uri) in open.iter().filter(|(_, uri)| uri.starts_with("upload://")) {
            let known = lock(&self.used).contains_key(job);
            if !known && let Ok(Some(lease)) = self.lease(uri).await {
                self.keep_for(job, lease);
            }
        }
        Ok(())
    }

    /// Starts an upload and returns its id.
    fn create(&self, info: Info) -> Result<String> {
        let mut open = lock(&self.open);
        if open.len() >= MOST_OPEN {
            return Err(Error::new(ErrorKind::RateLimited, "too many uploads are open")
                .with_recovery(Recovery::Retry { after: Some(Duration::from_secs(60)) }));
        }
        // Room for all that was promised.
        let promised: u64 = open.values().map(|upload| upload.info.length.saturating_sub(upload.offset())).sum();
        let id = hex(&random::<16>()?);
        let taken = Error::new(ErrorKind::Contract, "a new upload is in use");
        let partial = self.store.partial(&key(&id))?.ok_or(taken)?;
        if let Err(error) = room(&partial, promised, info.length) {
            partial.discard()?;
            return Err(error);
        }
        let failed = |error| Error::io(partial.folder(), "start the upload", error);
        let text = serde_json::to_vec(&info).map_err(|error| failed(error.into()))?;
        fs::write(partial.folder().join(INFO), text).and_then(|()| File::create(partial.folder().join(FILE)).map(drop)).map_err(failed)?;
        open.insert(id.clone(), Arc::new(Upload { info, partial, touched: Mutex::new(Instant::now()), writer: Arc::default() }));
        Ok(id)
    }

    /// The upload with this id, if it is not complete: open, or left by an earlier process.
    fn begun(&self, id: &str) -> Result<Option<Arc<Upload>>> {
        let mut open = lock(&self.open);
        if let Some(upload) = open.get(id) {
            upload.touch();
            return Ok(Some(upload.clone()));
        }
        let Some(partial) = self.store.partial(&key(id))? else { return Ok(None) };
        let info = fs::read(partial.folder().join(INFO)).ok().and_then(|text| serde_json::from_slice::<Info>(&text).ok());
        let Some(info) = info else {
            // Asking made the folder.
            partial.discard()?;
            return Ok(None);
        };
        let upload = Arc::new(Upload { info, partial, touched: Mutex::new(Instant::now()), writer: Arc::default() });
        open.insert(id.to_owned(), upload.clone());
        Ok(Some(upload))
    }

    /// How far an upload is. `None` if there is none with this id.
    fn standing(&self, id: &str) -> Result<Option<Standing>> {
        if let Some(content) = self.store.lookup(&key(id))? {
            let Some(lease) = self.store.find(&content)? else { return Ok(None) };
            let length = fs::metadata(lease.path()).map_err(|error| Error::io(lease.path(), "look at the upload", error))?.len();
            return Ok(Some(Standing { offset: length, length, name: String::new(), complete: true }));
        }
        Ok(self.begun(id)?.map(|upload| {
            let Info { length, name } = upload.info.clone();
            Standing { offset: upload.offset(), length, name, complete: false }
        }))
    }

    /// Moves a complete upload into the media store.
    fn finish(&self, id: &str, upload: &Upload) -> Result<()> {
        let path = upload.file();
        let content = hashed(&path)?;
        let extension = upload.info.name.rsplit_once('.').map_or("", |(_, extension)| extension).to_owned();
        let lease = upload.partial.commit(&path, &content, &extension)?;
        self.store.bind(&key(id), &content)?;
        lock(&self.unused).insert(id.to_owned(), (lease, Instant::now()));
        lock(&self.open).remove(id);
        Ok(())
    }

    /// Drops an upload that is not complete. `false` if there is none.
    fn abandon(&self, id: &str) -> Result<bool> {
        let Some(upload) = self.begun(id)? else { return Ok(false) };
        lock(&self.open).remove(id);
        upload.partial.discard().map(|()| true)
    }
}

/// Makes room for a file beside what is promised to others.
fn room(partial: &Partial, promised: u64, length: u64) -> Result<()> {
    partial.make_room(length)?;
    partial.make_room(promised.saturating_add(length)).map_err(|error| match error.kind() {
        // One file of that size would be too large; these are several.
        ErrorKind::Config => Error::new(ErrorKind::Io, "there is no room for this file beside the uploads that are open"),
        _ => error,
    })
}

/// The address of an upload in the media store.
fn key(id: &str) -> String {
    format!("upload://{id}")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hashed(path: &std::path::Path) -> Result<ContentId> {
    let failed = |error| Error::io(path, "read the upload", error);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hasher, mut buffer) = (blake3::Hasher::new(), vec![0; 1 << 20]);
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok(ContentId::new("blake3", &hasher.finalize().to_hex()));
        }
        hasher.update(&buffer[..count]);
    }
}

/// Appends bytes to an upload's file.
fn append(file: &mut File, path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    file.write_all(bytes).map_err(|error| {
        let failed = Error::io(path, "write the upload", error);
        if failed.advice().is_some() { failed.with_recovery(Recovery::Retry { after: Some(Duration::from_secs(60)) }) } else { failed }
    })
}
