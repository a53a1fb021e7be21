use std::path::Path;

use rusqlite::Connection;

use super::{begin, failed};
use crate::error::{Error, ErrorKind, Result};

/// Marks the file as one of this crate: "clip" in ASCII.
const APPLICATION: i32 = 0x636c_6970;
/// The version of the tables.
const VERSION: i32 = 1;

/// The indexes of `tasks` are partial, so that what is over costs a claim nothing. A query uses one
/// only if it names the state as a literal.
const TABLES: &str = "
CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,
    queue TEXT NOT NULL,
    lane TEXT NOT NULL,
    user TEXT NOT NULL,
    priority INTEGER NOT NULL,
    exclusive TEXT,
    state TEXT NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    most_attempts INTEGER NOT NULL,
    starts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    lease INTEGER,
    cancelled INTEGER NOT NULL DEFAULT 0,
    started INTEGER,
    ended INTEGER,
    error TEXT
) STRICT;
CREATE INDEX tasks_waiting ON tasks (queue, priority, user, seq) WHERE state = 'waiting';
CREATE INDEX tasks_delayed ON tasks (due) WHERE state = 'delayed';
CREATE INDEX tasks_active ON tasks (queue, user, lane) WHERE state = 'active';
CREATE INDEX tasks_leased ON tasks (lease) WHERE state = 'active';
CREATE INDEX tasks_exclusive ON tasks (exclusive) WHERE state = 'active';
CREATE INDEX tasks_dead ON tasks (seq) WHERE state = 'dead';
CREATE INDEX tasks_job ON tasks (job);
CREATE TABLE starts (queue TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX starts_at ON starts (queue, at);
CREATE TABLE turns (queue TEXT NOT NULL, user TEXT NOT NULL, turn INTEGER NOT NULL, PRIMARY KEY (queue, user)) STRICT, WITHOUT ROWID;
CREATE TABLE paused (queue TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    created INTEGER NOT NULL,
    job TEXT NOT NULL,
    end TEXT
) STRICT;
CREATE INDEX jobs_open ON jobs (user) WHERE end IS NULL;
CREATE TABLE events (job TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (job, number)) STRICT, WITHOUT ROWID;
";

/// Makes the tables in a new file, and refuses files of others.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<()> {
    let sql = |error| failed(path, "open the job database", error);
    let transaction = begin(connection).map_err(sql)?;
    let pragma = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(sql);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = transaction.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sql)?;
    if tables == 0 {
        transaction.execute_batch(TABLES).map_err(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(sql)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(sql)?;
        return transaction.commit().map_err(sql);
    }
    let refused = |message: String| Err(Error::new(ErrorKind::InvalidInput, message).with_path(path));
    match (application, version) {
        (APPLICATION, VERSION) => Ok(()),
        (APPLICATION, later) => refused(format!("this job database has version {later}, and this program reads version {VERSION}")),
        _ => refused("this is the database of another program".into()),
    }
}
