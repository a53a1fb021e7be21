//! The records and events of jobs.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Durability, Sqlite, begin, damaged, millis, now, time};
use crate::error::Result;
use crate::jobs::{JobEnd, JobEvent, JobFilter, JobId, JobRecord, NewEvent, OpenJobs, Records};

const COLUMNS: &str = "id, created, job, end";

#[async_trait]
impl Records for Sqlite {
    async fn create(&self, record: &JobRecord) -> Result<bool> {
        let record = record.clone();
        self.run(Durability::Power, "keep a job", move |connection| {
            let job = serde_json::to_string(&record.job).map_err(damaged)?;
            let sql = "INSERT OR IGNORE INTO jobs (id, user, created, job) VALUES (?1, ?2, ?3, ?4)";
            let created = record.created.map_or_else(now, millis);
            Ok(connection.prepare_cached(sql)?.execute(params![record.id.as_str(), record.job.user, created, job])? == 1)
        })
        .await
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>> {
        let id = id.to_string();
        self.run(Durability::Process, "read a job", move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1");
            connection.prepare_cached(&sql)?.query_row([id], record).optional()
        })
        .await
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>> {
        let filter = filter.clone();
        self.run(Durability::Process, "list jobs", move |connection| {
            let open = match filter.open {
                Some(true) => " AND end IS NULL",
                Some(false) => " AND end IS NOT NULL",
                None => "",
            };
            let most = filter.most.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
            let sql = format!(
                "SELECT {COLUMNS} FROM jobs WHERE (?1 IS NULL OR user = ?1){open}
                    AND (?3 IS NULL OR seq < (SELECT seq FROM jobs WHERE id = ?3)) ORDER BY seq DESC LIMIT ?2"
            );
            let before = filter.before.as_ref().map(JobId::as_str);
            connection.prepare_cached(&sql)?.query_map(params![filter.user, most, before], record)?.collect()
        })
        .await
    }

    async fn open_jobs(&self, user: &str) -> Result<OpenJobs> {
        let user = user.to_owned();
        self.run(Durability::Process, "count jobs", move |connection| {
            let sql = "SELECT COUNT(*), COUNT(*) FILTER (WHERE user = ?1) FROM jobs WHERE end IS NULL";
            connection.prepare_cached(sql)?.query_row([user], |row| {
                let count = |column| Ok::<_, rusqlite::Error>(usize::try_from(row.get::<_, i64>(column)?).unwrap_or_default());
                Ok(OpenJobs::new(count(0)?, count(1)?))
            })
        })
        .await
    }

    async fn end(&self, id: &JobId, end: Option<&JobEnd>) -> Result<bool> {
        let (id, end) = (id.to_string(), end.cloned());
        self.run(Durability::Process, "keep how a job ended", move |connection| {
            let text = end.as_ref().map(serde_json::to_string).transpose().map_err(damaged)?;
            let sql = "UPDATE jobs SET end = ?2 WHERE id = ?1 AND (end IS NULL OR ?2 IS NULL)";
            Ok(connection.prepare_cached(sql)?.execute(params![id, text])? == 1)
        })
        .await
    }

    async fn remove(&self, id: &JobId) -> Result<bool> {
        let id = id.to_string();
        self.run(Durability::Process, "remove a job", move |connection| {
            let transaction = begin(connection)?;
            transaction.execute("DELETE FROM events WHERE job = ?1", [&id])?;
            let removed = transaction.execute("DELETE FROM jobs WHERE id = ?1", [&id])?;
            transaction.commit()?;
            Ok(removed == 1)
        })
        .await
    }

    async fn append(&self, id: &JobId, events: &[NewEvent]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let (id, events) = (id.to_string(), events.to_vec());
        self.run(Durability::Process, "keep events", move |connection| append(connection, &id, &events)).await
    }

    async fn events(&self, id: &JobId, since: u64, most: usize) -> Result<Vec<JobEvent>> {
        let (id, since) = (id.to_string(), i64::try_from(since).unwrap_or(i64::MAX));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.run(Durability::Process, "read events", move |connection| {
            let sql = "SELECT number, at, event FROM events WHERE job = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
            let event = |row: &Row<'_>| {
                Ok(JobEvent {
                    number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default(),
                    at: time(row.get(1)?),
                    event: serde_json::from_str(&row.get::<_, String>(2)?).map_err(damaged)?,
                })
            };
            connection.prepare_cached(sql)?.query_map(params![id, since, most], event)?.collect()
        })
        .await
    }
}

fn append(connection: &mut Connection, id: &str, events: &[NewEvent]) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    // A job that was removed meanwhile gets no events again.
    if !transaction.prepare_cached("SELECT 1 FROM jobs WHERE id = ?1")?.exists([id])? {
        return Ok(());
    }
    let sql = "INSERT INTO events (job, number, at, event)
        VALUES (?1, (SELECT COALESCE(MAX(number), 0) + 1 FROM events WHERE job = ?1), ?2, ?3)";
    for event in events {
        let text = serde_json::to_string(event).map_err(damaged)?;
        transaction.prepare_cached(sql)?.execute(params![id, now(), text])?;
    }
    transaction.commit()
}

fn record(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    let end = row.get::<_, Option<String>>(3)?;
    Ok(JobRecord {
        id: row.get::<_, String>(0)?.parse().map_err(damaged)?,
        created: time(row.get(1)?),
        job: serde_json::from_str(&row.get::<_, String>(2)?).map_err(damaged)?,
        end: end.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?,
    })
}
