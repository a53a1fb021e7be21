//! Queue and records in one SQLite file.

mod claim;
mod records;
mod schema;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::error::{Error, ErrorKind, Recovery, Result};

/// How long a statement waits while another process writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An [`Engine`](super::Engine) and [`Records`](super::Records) in one SQLite file. Nothing needs
/// to be installed: SQLite is compiled in.
///
/// - All processes of one machine may use the file at the same time. It must not be on a network
///   file system, since SQLite's write-ahead log needs shared memory.
/// - Submitted jobs are durable (`synchronous = FULL`). Other writes survive a crash of the
///   process, and may be lost when the power fails (`NORMAL`); then the tasks concerned run again.
/// - Every write is one `BEGIN IMMEDIATE` transaction and waits up to 10 s for other writers.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    work: Mutex<Connection>,
    /// For writes that must survive a loss of power. Its `synchronous` setting differs.
    durable: Mutex<Connection>,
}

/// Which connection an operation uses.
#[derive(Clone, Copy)]
enum Durability {
    Process,
    Power,
}

impl Sqlite {
    /// Opens the file, which is made if it does not exist. Blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the file is no database of this crate, or one of a later
    /// version; [`ErrorKind::TimedOut`] if another program locks it; else [`ErrorKind::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let open = |synchronous| connect(path, synchronous).map_err(|error| failed(path, "open the job database", error));
        let mut work = open("NORMAL")?;
        schema::prepare(&mut work, path)?;
        let durable = open("FULL")?;
        Ok(Sqlite { shared: Arc::new(Shared { path: path.to_owned(), work: Mutex::new(work), durable: Mutex::new(durable) }) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Runs an operation off the async threads. It runs to its end even if the future is dropped.
    async fn run<T: Send + 'static>(
        &self,
        on: Durability,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || {
            let connection = match on {
                Durability::Process => &shared.work,
                Durability::Power => &shared.durable,
            };
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection).map_err(|error| failed(&shared.path, doing, error))
        });
        done.await.unwrap_or_else(|join| Err(Error::new(ErrorKind::Contract, format!("cannot {doing}")).with_source(join)))
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

fn connect(path: &Path, synchronous: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A transaction that takes the write lock at once, since the busy timeout does not cover the step
/// from reading to writing.
fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Milliseconds since 1970, which is how times are kept.
fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn now() -> i64 {
    millis(SystemTime::now())
}

fn time(millis: i64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
}

fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// A stored text that is not what it should be.
fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

/// The error of a failed operation.
fn failed(path: &Path, doing: &str, error: rusqlite::Error) -> Error {
    let made = |kind| Error::new(kind, format!("cannot {doing}: {error}")).with_path(path);
    let retry = Recovery::Retry { after: None };
    let described = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            made(ErrorKind::TimedOut).with_recovery(retry).with_advice("another program locks the job database: end it")
        }
        Some(ErrorCode::DiskFull) => made(ErrorKind::Io).with_recovery(retry).with_advice("free some space and run again"),
        Some(ErrorCode::SystemIoFailure) => made(ErrorKind::Io).with_recovery(retry),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            made(ErrorKind::Io).with_advice("check that the folder exists and that this program may write there")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            made(ErrorKind::InvalidInput).with_advice("give another file, or restore this one from a backup")
        }
        _ if matches!(error, rusqlite::Error::FromSqlConversionFailure(..)) => {
            made(ErrorKind::InvalidInput).with_advice("another version of clipkit wrote this")
        }
        _ => made(ErrorKind::Io),
    };
    described.with_source(error)
}
