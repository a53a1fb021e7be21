//! Queue and records in Redis or Valkey, as BullMQ keeps them, for many machines.

mod address;
mod folder;
mod records;
mod script;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bullmq::options::RedisConnectionOptions;
use bullmq::{Queue, QueueOptions};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::sync::OnceCell;

use self::address::Address;
use self::folder::RecordFolder;
use super::JobsOptions;
use crate::error::{Error, ErrorKind, Result};

/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How often a lost connection is made anew before the call fails.
const RECONNECTS: usize = 2;

/// Options of [`Jobs::redis_with`](super::Jobs::redis_with).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RedisOptions {
    /// The beginning of all keys. Everybody who shares the queues gives the same. Default:
    /// `clipkit`.
    pub prefix: String,
    /// The options of the jobs.
    pub jobs: JobsOptions,
}

impl Default for RedisOptions {
    fn default() -> Self {
        RedisOptions { prefix: "clipkit".into(), jobs: JobsOptions::default() }
    }
}

/// An [`Engine`](super::Engine) and [`Records`](super::Records) in Redis or Valkey, for workers on
/// any number of machines.
///
/// - Each queue is one of BullMQ: its Node and Python libraries, `QueueEvents` and Bull Board see
///   the same jobs. The data of a job is the task's id, as a JSON string, and its `jobId` is the
///   task's id with dots for its colons. A producer of another language adds a task in this way.
/// - Limits, rates and turns of users hold for clipkit's workers. A BullMQ worker that serves a
///   queue takes what is next by priority.
/// - Every operation is one script, which Redis runs as a whole. The time is that of the server.
/// - Records of jobs are files of a folder, too. When Redis lost its data, workers put back what is
///   missing within a minute; events so far are lost then.
/// - Redis needs `appendonly yes` and `maxmemory-policy noeviction`. Tasks whose end was not yet on
///   disk when Redis died run again, and find the results that are stored.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    /// With the password: it is for BullMQ's connection only.
    url: String,
    prefix: String,
    connection: ConnectionManager,
    bullmq: OnceCell<bullmq::redis_connection::RedisConnection>,
    folder: RecordFolder,
}

impl Redis {
    /// Connects to `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` for TLS. Records are
    /// kept in `folder`, too, which is made if it does not exist. `prefix` is the beginning of all
    /// keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an impossible address or prefix, [`ErrorKind::Denied`] for a wrong
    /// password, [`ErrorKind::Unavailable`] for a Redis before 6.2, [`ErrorKind::Io`] or
    /// [`ErrorKind::TimedOut`] with the recovery `Retry` if it cannot be reached, and [`Error::io`]
    /// for the folder. None of them has the password.
    pub async fn connect(url: &str, folder: impl Into<PathBuf>, prefix: &str) -> Result<Self> {
        let address = Address::of(url)?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.{}".contains(letter);
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(plain) {
            return Err(Error::new(ErrorKind::Config, format!("{prefix:?} is no prefix of keys"))
                .with_advice("give up to 64 letters, digits, and - _ . { }"));
        }
        let folder = RecordFolder::open(folder.into()).await?;
        let connect = |error| address.failed("connect", error);
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(RECONNECTS);
        let client = redis::Client::open(url).map_err(connect)?;
        let mut connection = ConnectionManager::new_with_config(client, config).await.map_err(connect)?;
        let info: String = redis::cmd("INFO").query_async(&mut connection).await.map_err(connect)?;
        address.check(&info)?;
        let (url, prefix) = (url.to_owned(), prefix.to_owned());
        Ok(Redis { shared: Arc::new(Shared { address, url, prefix, connection, bullmq: OnceCell::new(), folder }) })
    }

    /// The beginning of all keys.
    pub fn prefix(&self) -> &str {
        &self.shared.prefix
    }

    /// A key of what no queue has.
    fn key(&self, name: &str) -> String {
        format!("{}:ck:{name}", self.shared.prefix)
    }

    /// A key of a queue, as BullMQ calls it.
    fn queue_key(&self, queue: &str, name: &str) -> String {
        bullmq::QueueKeys::new(queue, Some(&self.shared.prefix)).get(name)
    }

    async fn ask<T: redis::FromRedisValue>(&self, doing: &str, command: &redis::Cmd) -> Result<T> {
        let mut connection = self.shared.connection.clone();
        command.query_async(&mut connection).await.map_err(|error| self.shared.address.failed(doing, error))
    }

    async fn ask_all<T: redis::FromRedisValue>(&self, doing: &str, commands: &redis::Pipeline) -> Result<T> {
        let mut connection = self.shared.connection.clone();
        commands.query_async(&mut connection).await.map_err(|error| self.shared.address.failed(doing, error))
    }

    /// A queue as BullMQ's library has it.
    async fn queue(&self, name: &str) -> Result<Queue> {
        let mut options = RedisConnectionOptions::default();
        options.url = self.shared.url.clone();
        let connect = || bullmq::redis_connection::RedisConnection::new_managed_only(&options);
        let connection = self.shared.bullmq.get_or_try_init(connect).await.map_err(|error| self.queue_failed("connect", error))?;
        let mut options = QueueOptions::default();
        options.prefix = self.shared.prefix.clone();
        Queue::with_connection(name, connection.clone(), options).await.map_err(|error| self.queue_failed("open a queue", error))
    }

    fn queue_failed(&self, doing: &str, error: bullmq::Error) -> Error {
        match error {
            bullmq::Error::Redis(error) => self.shared.address.failed(doing, error),
            error => Error::new(ErrorKind::Contract, format!("cannot {doing} in {}: {error}", self.shared.address)),
        }
    }

    /// What was stored is not what it should be.
    fn damaged(&self, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::new(ErrorKind::InvalidInput, format!("a value in {} cannot be read: {error}", self.shared.address))
            .with_advice("another version of clipkit wrote this")
            .with_source(error)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("address", &self.shared.address).field("prefix", &self.shared.prefix).finish_non_exhaustive()
    }
}

/// Milliseconds since 1970, which is how times are kept.
fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn time(millis: i64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
}

fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
