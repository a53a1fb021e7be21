//! All operations on tasks except the claim.

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

use super::{Durability, Sqlite, begin, claim, damaged, millis, now, span, time};
use crate::error::{ErrorReport, Result};
use crate::jobs::{Claim, Claimed, Decision, Engine, Held, JobId, NewTask, Standing, Task, TaskFilter, TaskId, TaskState};

#[async_trait]
impl Engine for Sqlite {
    async fn add(&self, tasks: &[NewTask]) -> Result<usize> {
        let tasks = tasks.to_vec();
        self.run(Durability::Power, "add tasks", move |connection| {
            let transaction = begin(connection)?;
            let added = insert(&transaction, &tasks, now())?;
            transaction.commit()?;
            Ok(added)
        })
        .await
    }

    async fn claim(&self, claim: &Claim) -> Result<Option<Claimed>> {
        let claim = claim.clone();
        self.run(Durability::Process, "claim a task", move |connection| claim::claim(connection, &claim)).await
    }

    async fn heartbeat(&self, held: &[Held], lease: Duration) -> Result<Vec<Standing>> {
        let held = held.to_vec();
        self.run(Durability::Process, "extend leases", move |connection| heartbeat(connection, &held, lease)).await
    }

    async fn complete(&self, held: &Held, successors: &[NewTask]) -> Result<bool> {
        let (held, successors) = (held.clone(), successors.to_vec());
        self.run(Durability::Process, "complete a task", move |connection| complete(connection, &held, &successors)).await
    }

    async fn fail(&self, held: &Held, error: &ErrorReport, decision: Decision) -> Result<bool> {
        let (held, error) = (held.clone(), error.clone());
        self.run(Durability::Process, "write back an error", move |connection| {
            let (state, due, counts) = match decision {
                Decision::Later { at, counts } => ("delayed", millis(at), counts),
                Decision::Done => ("done", now(), true),
                Decision::Dead => ("dead", now(), true),
            };
            let text = serde_json::to_string(&error).map_err(damaged)?;
            let sql = "UPDATE tasks SET state = CASE WHEN cancelled = 1 THEN 'cancelled' ELSE ?3 END, due = ?4,
                    attempts = attempts - ?5, error = ?6, worker = NULL, lease = NULL, ended = ?7
                WHERE id = ?1 AND fence = ?2 AND state = 'active'";
            let back = i64::from(!counts);
            let changed = params![held.id.to_string(), fence(&held), state, due, back, text, now()];
            Ok(connection.prepare_cached(sql)?.execute(changed)? == 1)
        })
        .await
    }

    async fn cancel(&self, job: &JobId) -> Result<usize> {
        let job = job.to_string();
        self.run(Durability::Power, "cancel tasks", move |connection| {
            let transaction = begin(connection)?;
            let waiting = "UPDATE tasks SET state = 'cancelled', ended = ?2 WHERE job = ?1 AND state IN ('waiting', 'delayed')";
            let waiting = transaction.prepare_cached(waiting)?.execute(params![job, now()])?;
            let running = "UPDATE tasks SET cancelled = 1 WHERE job = ?1 AND state = 'active'";
            let running = transaction.prepare_cached(running)?.execute([job])?;
            transaction.commit()?;
            Ok(waiting + running)
        })
        .await
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        let filter = filter.clone();
        self.run(Durability::Process, "list tasks", move |connection| list(connection, &filter)).await
    }

    async fn replay(&self, task: &TaskId) -> Result<bool> {
        let task = task.to_string();
        self.run(Durability::Power, "replay a task", move |connection| {
            let sql = "UPDATE tasks SET state = 'waiting', due = ?2, attempts = 0, starts = 0, cancelled = 0, ended = NULL
                WHERE id = ?1 AND state IN ('dead', 'cancelled')";
            Ok(connection.prepare_cached(sql)?.execute(params![task, now()])? == 1)
        })
        .await
    }

    async fn remove(&self, task: &TaskId) -> Result<bool> {
        let task = task.to_string();
        self.run(Durability::Process, "remove a task", move |connection| {
            let sql = "DELETE FROM tasks WHERE id = ?1 AND state IN ('done', 'dead', 'cancelled')";
            Ok(connection.prepare_cached(sql)?.execute([task])? == 1)
        })
        .await
    }

    async fn pause(&self, queue: &str) -> Result<()> {
        let queue = queue.to_owned();
        self.run(Durability::Power, "pause a queue", move |connection| {
            connection.execute("INSERT OR IGNORE INTO paused (queue) VALUES (?1)", [queue]).map(drop)
        })
        .await
    }

    async fn resume(&self, queue: &str) -> Result<()> {
        let queue = queue.to_owned();
        self.run(Durability::Power, "resume a queue", move |connection| {
            connection.execute("DELETE FROM paused WHERE queue = ?1", [queue]).map(drop)
        })
        .await
    }

    async fn paused(&self) -> Result<Vec<String>> {
        self.run(Durability::Process, "list paused queues", |connection| {
            connection.prepare_cached("SELECT queue FROM paused ORDER BY queue")?.query_map([], |row| row.get(0))?.collect()
        })
        .await
    }
}

fn fence(held: &Held) -> i64 {
    i64::try_from(held.fence).unwrap_or(-1)
}

fn insert(transaction: &Transaction<'_>, tasks: &[NewTask], now: i64) -> rusqlite::Result<usize> {
    let sql = "INSERT OR IGNORE INTO tasks (id, job, queue, lane, user, priority, exclusive, state, due, most_attempts)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let mut insert = transaction.prepare_cached(sql)?;
    let mut added = 0;
    for task in tasks {
        let due = task.not_before.map_or(now, millis);
        let state = if due > now { "delayed" } else { "waiting" };
        let (id, job, queue) = (task.id.to_string(), task.id.job().as_str(), task.id.step().queue());
        added += insert.execute(params![
            id,
            job,
            queue,
            task.lane,
            task.user,
            task.priority,
            task.exclusive,
            state,
            due,
            task.attempts.max(1)
        ])?;
    }
    Ok(added)
}

fn heartbeat(connection: &mut Connection, held: &[Held], lease: Duration) -> rusqlite::Result<Vec<Standing>> {
    let now = now();
    let sql = "SELECT cancelled, lease FROM tasks WHERE id = ?1 AND fence = ?2 AND state = 'active'";
    let mut known: Vec<Option<(bool, i64)>> = Vec::new();
    for one in held {
        let found =
            connection.prepare_cached(sql)?.query_row(params![one.id.to_string(), fence(one)], |row| Ok((row.get(0)?, row.get(1)?)));
        known.push(found.optional()?);
    }
    // Leases with more than two thirds left are not written again.
    let enough = now.saturating_add(span(lease) * 2 / 3);
    if known.iter().flatten().any(|(_, until)| *until < enough) {
        let transaction = begin(connection)?;
        let extend = "UPDATE tasks SET lease = ?3 WHERE id = ?1 AND fence = ?2 AND state = 'active'";
        for (one, known) in held.iter().zip(&mut known).filter(|(_, known)| known.is_some()) {
            let until = now.saturating_add(span(lease));
            if transaction.prepare_cached(extend)?.execute(params![one.id.to_string(), fence(one), until])? == 0 {
                *known = None;
            }
        }
        transaction.commit()?;
    }
    let standing = |known: Option<(bool, i64)>| match known {
        Some((false, _)) => Standing::Held,
        Some((true, _)) => Standing::Cancelled,
        None => Standing::Lost,
    };
    Ok(known.into_iter().map(standing).collect())
}

pub(super) fn complete(connection: &mut Connection, held: &Held, successors: &[NewTask]) -> rusqlite::Result<bool> {
    let now = now();
    let transaction = begin(connection)?;
    let sql = "UPDATE tasks SET state = CASE WHEN cancelled = 1 THEN 'cancelled' ELSE 'done' END,
            worker = NULL, lease = NULL, ended = ?3, error = NULL
        WHERE id = ?1 AND fence = ?2 AND state = 'active' RETURNING cancelled";
    let done = transaction
        .prepare_cached(sql)?
        .query_row(params![held.id.to_string(), fence(held), now], |row| row.get::<_, bool>(0))
        .optional()?;
    let Some(cancelled) = done else { return Ok(false) };
    if !cancelled {
        insert(&transaction, successors, now)?;
    }
    transaction.commit()?;
    Ok(true)
}

fn list(connection: &Connection, filter: &TaskFilter) -> rusqlite::Result<Vec<Task>> {
    let mut sql = "SELECT id, queue, user, state, attempts, starts, due, started, ended, error FROM tasks WHERE 1".to_owned();
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    if let Some(job) = &filter.job {
        sql.push_str(" AND job = ?");
        values.push(Box::new(job.to_string()));
    }
    if !filter.states.is_empty() {
        // Literals, which the partial indexes need.
        let states: Vec<String> = filter.states.iter().map(|state| format!("'{}'", name(*state))).collect();
        sql.push_str(&format!(" AND state IN ({})", states.join(", ")));
    }
    sql.push_str(" ORDER BY seq");
    if let Some(most) = filter.most {
        sql.push_str(&format!(" LIMIT {most}"));
    }
    connection.prepare(&sql)?.query_map(params_from_iter(values), task)?.collect()
}

fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let report = row.get::<_, Option<String>>(9)?;
    Ok(Task {
        id: TaskId::from_str(&row.get::<_, String>(0)?).map_err(damaged)?,
        queue: row.get(1)?,
        user: row.get(2)?,
        state: state(&row.get::<_, String>(3)?)?,
        attempts: row.get(4)?,
        starts: row.get(5)?,
        due: time(row.get(6)?),
        started: row.get::<_, Option<i64>>(7)?.and_then(time),
        ended: row.get::<_, Option<i64>>(8)?.and_then(time),
        error: report.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?,
    })
}

const STATES: [(TaskState, &str); 6] = [
    (TaskState::Waiting, "waiting"),
    (TaskState::Delayed, "delayed"),
    (TaskState::Active, "active"),
    (TaskState::Done, "done"),
    (TaskState::Dead, "dead"),
    (TaskState::Cancelled, "cancelled"),
];

fn name(state: TaskState) -> &'static str {
    STATES.iter().find(|(known, _)| *known == state).map_or("", |(_, name)| name)
}

fn state(name: &str) -> rusqlite::Result<TaskState> {
    let known = STATES.iter().find(|(_, known)| *known == name).map(|(state, _)| *state);
    known.ok_or_else(|| damaged(std::io::Error::other(format!("{name:?} is no state of a task"))))
}
