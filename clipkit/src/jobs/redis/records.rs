//! The records and events of jobs.

use async_trait::async_trait;

use super::address::field;
use super::{Redis, millis, script, time};
use crate::error::Result;
use crate::jobs::{JobEnd, JobEvent, JobFilter, JobId, JobRecord, NewEvent, OpenJobs, Records};

/// How many records are read at a time.
const PAGE: usize = 200;

/// The fields of a record: created, job, end.
type Row = (Option<i64>, Option<String>, Option<String>);

#[async_trait]
impl Records for Redis {
    async fn create(&self, record: &JobRecord) -> Result<bool> {
        // The file comes last: until then nobody was told that the job is there.
        if !self.keep(record).await? {
            return Ok(false);
        }
        match self.shared.folder.put(record).await {
            Ok(()) => Ok(true),
            Err(error) => {
                let _: Result<bool> = self.run("remove a job", &script::RECORDS, &["remove".into(), record.id.to_string()]).await;
                Err(error)
            }
        }
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>> {
        if let Some(record) = self.records(std::slice::from_ref(id)).await?.pop() {
            return Ok(Some(record));
        }
        // Redis may have lost it.
        let Some(record) = self.shared.folder.get(id).await? else { return Ok(None) };
        self.keep(&record).await?;
        Ok(Some(record))
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>> {
        let name = match filter.open {
            Some(true) => "open",
            Some(false) => "ended",
            None => "records",
        };
        let mut below = match &filter.before {
            Some(before) => {
                let place: Option<u64> = self.ask("list jobs", redis::cmd("ZSCORE").arg(self.key("records")).arg(before.as_str())).await?;
                let Some(place) = place else { return Ok(Vec::new()) };
                format!("({place}")
            }
            None => "+inf".to_owned(),
        };
        let (mut found, most) = (Vec::new(), filter.most.unwrap_or(usize::MAX));
        while found.len() < most {
            let mut asked = redis::cmd("ZREVRANGEBYSCORE");
            asked.arg(self.key(name)).arg(&below).arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(0).arg(PAGE);
            let page: Vec<(String, u64)> = self.ask("list jobs", &asked).await?;
            let Some((_, last)) = page.last() else { break };
            below = format!("({last}");
            let ids: Vec<JobId> = page.iter().filter_map(|(id, _)| id.parse().ok()).collect();
            let of_user = |record: &JobRecord| filter.user.as_ref().is_none_or(|user| record.job.user == *user);
            found.extend(self.records(&ids).await?.into_iter().filter(of_user));
        }
        found.truncate(most);
        Ok(found)
    }

    async fn open_jobs(&self, user: &str) -> Result<OpenJobs> {
        let mut asked = redis::pipe();
        asked.zcard(self.key("open")).hget(self.key("openby"), user);
        let (all, of_user): (usize, Option<usize>) = self.ask_all("count jobs", &asked).await?;
        Ok(OpenJobs::new(all, of_user.unwrap_or(0)))
    }

    async fn end(&self, id: &JobId, end: Option<&JobEnd>) -> Result<bool> {
        let text = end.map(serde_json::to_string).transpose().map_err(|error| self.damaged(error))?.unwrap_or_default();
        let set: bool = self.run("keep how a job ended", &script::RECORDS, &["end".into(), id.to_string(), text]).await?;
        if set && let Some(record) = self.records(std::slice::from_ref(id)).await?.pop() {
            self.shared.folder.put(&record).await?;
        }
        Ok(set)
    }

    async fn remove(&self, id: &JobId) -> Result<bool> {
        // The file goes first, so that the record does not come back.
        self.shared.folder.remove(id).await?;
        self.run("remove a job", &script::RECORDS, &["remove".into(), id.to_string()]).await
    }

    async fn append(&self, id: &JobId, events: &[NewEvent]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let mut arguments = vec!["append".to_owned(), id.to_string()];
        for event in events {
            arguments.push(serde_json::to_string(event).map_err(|error| self.damaged(error))?);
        }
        self.run::<i64>("keep events", &script::RECORDS, &arguments).await.map(drop)
    }

    async fn events(&self, id: &JobId, since: u64, most: usize) -> Result<Vec<JobEvent>> {
        let mut asked = redis::cmd("XRANGE");
        asked.arg(self.key(&format!("events:{id}"))).arg(format!("{}-0", since.saturating_add(1))).arg("+");
        if most < usize::MAX {
            asked.arg("COUNT").arg(most);
        }
        let rows: Vec<(String, Vec<(String, String)>)> = self.ask("read events", &asked).await?;
        let event = |(number, fields): (String, Vec<(String, String)>)| {
            let value = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default();
            Ok(JobEvent {
                number: number.split('-').next().and_then(|number| number.parse().ok()).unwrap_or_default(),
                at: value("at").parse().ok().and_then(time),
                event: serde_json::from_str(value("event")).map_err(|error| self.damaged(error))?,
            })
        };
        rows.into_iter().map(event).collect()
    }

    /// Puts back the records that Redis lost: once for each start of the server, and once after its
    /// data were removed.
    async fn recover(&self) -> Result<usize> {
        let info: String = self.ask("look at the server", redis::cmd("INFO").arg("server")).await?;
        let server = field(&info, "run_id").unwrap_or_default();
        let known: Option<String> = self.ask("look for records", redis::cmd("GET").arg(self.key("recovered"))).await?;
        if known.as_deref() == Some(server) {
            return Ok(0);
        }
        let mut recovered = 0;
        for record in self.shared.folder.all().await? {
            recovered += usize::from(self.keep(&record).await?);
        }
        if recovered > 0 {
            tracing::warn!("{} had lost {recovered} jobs, which were put back", self.shared.address);
        }
        self.ask::<()>("note the records", redis::cmd("SET").arg(self.key("recovered")).arg(server)).await?;
        Ok(recovered)
    }
}

impl Redis {
    /// Writes a record that is not there. `false` means that it is.
    async fn keep(&self, record: &JobRecord) -> Result<bool> {
        let job = serde_json::to_string(&record.job).map_err(|error| self.damaged(error))?;
        let end = record.end.as_ref().map(serde_json::to_string).transpose().map_err(|error| self.damaged(error))?;
        let created = record.created.map(millis).unwrap_or_default().to_string();
        let arguments = ["create".into(), record.id.to_string(), record.job.user.clone(), created, job, end.unwrap_or_default()];
        self.run("keep a job", &script::RECORDS, &arguments).await
    }

    /// The records that are there, in the order of the ids.
    async fn records(&self, ids: &[JobId]) -> Result<Vec<JobRecord>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = redis::pipe();
        for id in ids {
            asked.cmd("HMGET").arg(self.key(&format!("record:{id}"))).arg("created").arg("job").arg("end");
        }
        let rows: Vec<Row> = self.ask_all("read jobs", &asked).await?;
        let mut records = Vec::new();
        for (id, (created, job, end)) in ids.iter().zip(rows) {
            let Some(job) = job else { continue };
            records.push(JobRecord {
                id: id.clone(),
                job: serde_json::from_str(&job).map_err(|error| self.damaged(error))?,
                created: created.and_then(time),
                end: end.map(|end| serde_json::from_str(&end)).transpose().map_err(|error| self.damaged(error))?,
            });
        }
        Ok(records)
    }
}
