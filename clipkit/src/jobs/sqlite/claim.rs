//! Which task runs next.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{begin, damaged, now, span};
use crate::error::{ErrorKind, ErrorReport};
use crate::jobs::{Claim, Claimed, Held, Serving};

/// The most claims of a task, whether its attempts count or not. It ends a task that a server
/// defers for ever.
const MOST_STARTS: u32 = 1000;

/// Claims a task.
pub(super) fn claim(connection: &mut Connection, claim: &Claim) -> rusqlite::Result<Option<Claimed>> {
    let now = now();
    // Workers that find nothing to do must not take the write lock.
    if !is_worthwhile(connection, claim, now)? {
        return Ok(None);
    }
    let transaction = begin(connection)?;
    expire(&transaction, now)?;
    transaction.prepare_cached("UPDATE tasks SET state = 'waiting' WHERE state = 'delayed' AND due <= ?1")?.execute([now])?;
    let mut claimed = None;
    for serving in &claim.serving {
        if let Some(seq) = next(&transaction, serving, now)? {
            claimed = Some(take(&transaction, claim, serving, seq, now)?);
            break;
        }
    }
    transaction.commit()?;
    Ok(claimed)
}

fn is_worthwhile(connection: &Connection, claim: &Claim, now: i64) -> rusqlite::Result<bool> {
    let passed = "SELECT EXISTS (SELECT 1 FROM tasks WHERE state = 'delayed' AND due <= ?1)
        OR EXISTS (SELECT 1 FROM tasks WHERE state = 'active' AND lease < ?1)";
    if connection.prepare_cached(passed)?.query_row([now], |row| row.get(0))? {
        return Ok(true);
    }
    let mut waiting = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM tasks WHERE state = 'waiting' AND queue = ?1)")?;
    for serving in &claim.serving {
        if waiting.query_row([&serving.queue], |row| row.get(0))? && next(connection, serving, now)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends the leases that ran out: the task waits again, or it is dead, or its job was cancelled.
fn expire(transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<()> {
    let report = ErrorReport::new(ErrorKind::TimedOut, "the worker ended or stopped during each attempt of this task");
    let report = serde_json::to_string(&report).map_err(damaged)?;
    let expired = "UPDATE tasks SET
            state = CASE WHEN cancelled = 1 THEN 'cancelled' WHEN attempts >= most_attempts OR starts >= ?3 THEN 'dead' ELSE 'waiting' END,
            error = CASE WHEN cancelled = 0 AND (attempts >= most_attempts OR starts >= ?3) THEN ?2 ELSE error END,
            fence = fence + 1, worker = NULL, lease = NULL, ended = ?1, due = ?1
        WHERE state = 'active' AND lease < ?1";
    transaction.prepare_cached(expired)?.execute(params![now, report, MOST_STARTS])?;
    Ok(())
}

/// The task of a queue that runs next, within the queue's limits.
fn next(connection: &Connection, serving: &Serving, now: i64) -> rusqlite::Result<Option<i64>> {
    let queue = &serving.queue;
    if connection.prepare_cached("SELECT 1 FROM paused WHERE queue = ?1")?.exists([queue])? {
        return Ok(None);
    }
    if let Some(most) = serving.running {
        let count = "SELECT COUNT(*) FROM tasks WHERE state = 'active' AND queue = ?1";
        let running: i64 = connection.prepare_cached(count)?.query_row([queue], |row| row.get(0))?;
        if running >= limit(most) {
            return Ok(None);
        }
    }
    if let Some(rate) = serving.rate {
        let count = "SELECT COUNT(*) FROM starts WHERE queue = ?1 AND at > ?2";
        let since = now.saturating_sub(span(rate.per));
        let started: i64 = connection.prepare_cached(count)?.query_row(params![queue, since], |row| row.get(0))?;
        if started >= i64::from(rate.starts) {
            return Ok(None);
        }
    }
    let mut below = i64::MAX;
    let highest = "SELECT MAX(priority) FROM tasks WHERE state = 'waiting' AND queue = ?1 AND priority < ?2";
    let mut highest = connection.prepare_cached(highest)?;
    while let Some(priority) = highest.query_row(params![queue, below], |row| row.get::<_, Option<i64>>(0))? {
        for user in users(connection, queue, priority)? {
            let oldest = "SELECT t.seq FROM tasks t
                WHERE t.state = 'waiting' AND t.queue = ?1 AND t.priority = ?2 AND t.user = ?3
                  AND (t.exclusive IS NULL OR NOT EXISTS (SELECT 1 FROM tasks a WHERE a.state = 'active' AND a.exclusive = t.exclusive))
                  AND (SELECT COUNT(*) FROM tasks a WHERE a.state = 'active' AND a.queue = ?1 AND a.lane = t.lane) < ?4
                ORDER BY t.seq LIMIT 1";
            let per_lane = serving.per_lane.map_or(i64::MAX, limit);
            let found = connection.prepare_cached(oldest)?.query_row(params![queue, priority, user, per_lane], |row| row.get(0));
            if let Some(seq) = found.optional()? {
                return Ok(Some(seq));
            }
        }
        below = priority;
    }
    Ok(None)
}

/// The users with waiting tasks of a priority: the one with the fewest running tasks first, of
/// equals the one who waits longest for a turn.
fn users(connection: &Connection, queue: &str, priority: i64) -> rusqlite::Result<Vec<String>> {
    // The recursion jumps from user to user in the index, however many tasks each has.
    let sql = "WITH RECURSIVE waiting(user) AS (
            SELECT MIN(user) FROM tasks WHERE state = 'waiting' AND queue = ?1 AND priority = ?2
            UNION ALL
            SELECT (SELECT MIN(t.user) FROM tasks t
                WHERE t.state = 'waiting' AND t.queue = ?1 AND t.priority = ?2 AND t.user > waiting.user)
            FROM waiting WHERE waiting.user IS NOT NULL)
        SELECT waiting.user FROM waiting
        LEFT JOIN turns ON turns.queue = ?1 AND turns.user = waiting.user
        WHERE waiting.user IS NOT NULL
        ORDER BY (SELECT COUNT(*) FROM tasks a WHERE a.state = 'active' AND a.queue = ?1 AND a.user = waiting.user),
            COALESCE(turns.turn, 0)";
    connection.prepare_cached(sql)?.query_map(params![queue, priority], |row| row.get(0))?.collect()
}

/// Marks the task as claimed: state, attempt count and fence change in one statement.
fn take(transaction: &Transaction<'_>, claim: &Claim, serving: &Serving, seq: i64, now: i64) -> rusqlite::Result<Claimed> {
    let sql = "UPDATE tasks SET state = 'active', attempts = attempts + 1, starts = starts + 1, fence = fence + 1,
            worker = ?2, lease = ?3, started = ?4, ended = NULL
        WHERE seq = ?1 RETURNING id, user, attempts, fence";
    let lease = now.saturating_add(span(claim.lease));
    let (claimed, user) = transaction.prepare_cached(sql)?.query_row(params![seq, claim.worker, lease, now], |row| {
        let id = row.get::<_, String>(0)?.parse().map_err(damaged)?;
        let fence = u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default();
        Ok((Claimed::new(Held::new(id, fence), row.get(2)?), row.get::<_, String>(1)?))
    })?;
    let turn = "INSERT INTO turns (queue, user, turn) VALUES (?1, ?2, (SELECT COALESCE(MAX(turn), 0) + 1 FROM turns WHERE queue = ?1))
        ON CONFLICT DO UPDATE SET turn = excluded.turn";
    transaction.prepare_cached(turn)?.execute(params![serving.queue, user])?;
    if let Some(rate) = serving.rate {
        transaction.prepare_cached("INSERT INTO starts (queue, at) VALUES (?1, ?2)")?.execute(params![serving.queue, now])?;
        let old = now.saturating_sub(span(rate.per));
        transaction.prepare_cached("DELETE FROM starts WHERE queue = ?1 AND at <= ?2")?.execute(params![serving.queue, old])?;
    }
    Ok(claimed)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
