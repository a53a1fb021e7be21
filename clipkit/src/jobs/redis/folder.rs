//! The records of jobs as files, which outlast the data of Redis.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::jobs::{JobId, JobRecord};

/// A folder with a file for each job.
pub(super) struct RecordFolder(PathBuf);

impl RecordFolder {
    pub(super) async fn open(folder: PathBuf) -> Result<Self> {
        blocking(move || {
            std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, "make the folder", error))?;
            Ok(RecordFolder(folder))
        })
        .await
    }

    fn path(&self, id: &JobId) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }

    /// Writes a record, so that it survives a loss of power.
    pub(super) async fn put(&self, record: &JobRecord) -> Result<()> {
        let (path, folder) = (self.path(&record.id), self.0.clone());
        let text = serde_json::to_vec(record)
            .map_err(|error| Error::new(ErrorKind::Config, format!("the job cannot be written: {error}")).with_source(error))?;
        blocking(move || {
            let failed = |error| Error::io(&path, "keep the job", error);
            let mut file = tempfile::Builder::new().prefix(".clipkit-").tempfile_in(&folder).map_err(failed)?;
            file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
            file.persist(&path).map_err(|error| failed(error.error))?;
            sync(&folder).map_err(failed)
        })
        .await
    }

    pub(super) async fn get(&self, id: &JobId) -> Result<Option<JobRecord>> {
        let path = self.path(id);
        blocking(move || read(&path)).await
    }

    pub(super) async fn remove(&self, id: &JobId) -> Result<()> {
        let path = self.path(id);
        blocking(move || match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, "remove the job", error)),
            _ => Ok(()),
        })
        .await
    }

    /// All records, the oldest first. Files that are none are left out, with a warning.
    pub(super) async fn all(&self) -> Result<Vec<JobRecord>> {
        let folder = self.0.clone();
        blocking(move || {
            let entries = std::fs::read_dir(&folder).map_err(|error| Error::io(&folder, "list the jobs in", error))?;
            let mut records = Vec::new();
            for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "json")) {
                match read(&path) {
                    Ok(record) => records.extend(record),
                    Err(error) => tracing::warn!("a job cannot be read: {error}"),
                }
            }
            records.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
            Ok(records)
        })
        .await
    }
}

fn read(path: &Path) -> Result<Option<JobRecord>> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, format!("the job cannot be read: {error}")).with_path(path).with_source(error)
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path, "read the job", error)),
    }
}

/// Makes the name of a new file durable, where folders can be opened.
fn sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|join| Err(Error::new(ErrorKind::Contract, "a job's file could not be used").with_source(join)))
}
