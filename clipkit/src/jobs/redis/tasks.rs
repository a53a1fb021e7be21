//! The operations on tasks.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::{Redis, millis, script, span, time};
use crate::error::{Error, ErrorReport, Result};
use crate::jobs::{Claim, Claimed, Decision, Engine, Held, JobId, NewTask, Standing, Step, Task, TaskFilter, TaskId, TaskState};

/// How many tasks a script looks at, since Redis does nothing else meanwhile.
const PAGE: usize = 200;

#[async_trait]
impl Engine for Redis {
    async fn add(&self, tasks: &[NewTask]) -> Result<usize> {
        let mut added = 0;
        for page in tasks.chunks(PAGE) {
            added += self.run::<usize>("add tasks", &script::ADD, &[documents(page)]).await?;
        }
        Ok(added)
    }

    async fn claim(&self, claim: &Claim) -> Result<Option<Claimed>> {
        let limit = |most: Option<usize>| most.and_then(|most| i64::try_from(most).ok()).unwrap_or(-1).to_string();
        let mut arguments = vec![claim.worker.clone(), span(claim.lease).max(1).to_string()];
        for serving in &claim.serving {
            arguments.extend([serving.queue.clone(), limit(serving.running), limit(serving.per_lane)]);
            arguments.extend(match serving.rate {
                Some(rate) => [rate.starts.to_string(), span(rate.per).to_string()],
                None => ["-1".to_owned(), "0".to_owned()],
            });
        }
        let found: Option<(String, u64, u32)> = self.run("claim a task", &script::CLAIM, &arguments).await?;
        found.map(|(id, fence, attempt)| Ok(Claimed::new(Held::new(task_id(&id)?, fence), attempt))).transpose()
    }

    async fn heartbeat(&self, held: &[Held], lease: Duration) -> Result<Vec<Standing>> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let mut arguments = vec![span(lease).max(1).to_string()];
        for one in held {
            arguments.extend([job_id(&one.id), one.fence.to_string()]);
        }
        let standings: Vec<String> = self.run("extend leases", &script::HEARTBEAT, &arguments).await?;
        let standing = |answer: &String| match answer.as_str() {
            "h" => Standing::Held,
            "c" => Standing::Cancelled,
            _ => Standing::Lost,
        };
        Ok(standings.iter().map(standing).collect())
    }

    async fn complete(&self, held: &Held, successors: &[NewTask]) -> Result<bool> {
        let next = if successors.is_empty() { String::new() } else { documents(successors) };
        self.run("complete a task", &script::COMPLETE, &[job_id(&held.id), held.fence.to_string(), next]).await
    }

    async fn fail(&self, held: &Held, error: &ErrorReport, decision: Decision) -> Result<bool> {
        let (state, at, counts) = match decision {
            Decision::Later { at, counts } => ("d", millis(at), counts),
            Decision::Done => ("o", 0, true),
            Decision::Dead => ("x", 0, true),
        };
        let report = serde_json::to_string(error).map_err(|error| self.damaged(error))?;
        let arguments = [
            job_id(&held.id),
            held.fence.to_string(),
            state.to_owned(),
            report,
            error.message.clone(),
            at.to_string(),
            i32::from(counts).to_string(),
        ];
        self.run("write back an error", &script::FAIL, &arguments).await
    }

    async fn cancel(&self, job: &JobId) -> Result<usize> {
        self.run("cancel tasks", &script::CANCEL, &[job.to_string()]).await
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        let most = filter.most.unwrap_or(usize::MAX);
        let mut tasks = Vec::new();
        for page in self.candidates(filter).await?.chunks(PAGE) {
            let rows: Vec<Vec<String>> = self.run("list tasks", &script::LIST, page).await?;
            for row in rows {
                let task = self.task(&row)?;
                if filter.states.is_empty() || filter.states.contains(&task.state) {
                    tasks.push(task);
                }
            }
            if tasks.len() >= most {
                break;
            }
        }
        tasks.truncate(most);
        Ok(tasks)
    }

    async fn replay(&self, task: &TaskId) -> Result<bool> {
        self.run("replay a task", &script::REPLAY, &[job_id(task)]).await
    }

    async fn remove(&self, task: &TaskId) -> Result<bool> {
        self.run("remove a task", &script::REMOVE, &[job_id(task)]).await
    }

    async fn pause(&self, queue: &str) -> Result<()> {
        self.queue(queue).await?.pause().await.map_err(|error| self.queue_failed("pause a queue", error))
    }

    async fn resume(&self, queue: &str) -> Result<()> {
        self.queue(queue).await?.resume().await.map_err(|error| self.queue_failed("resume a queue", error))
    }

    async fn paused(&self) -> Result<Vec<String>> {
        let mut asked = redis::pipe();
        for queue in Step::QUEUES {
            asked.hexists(self.queue_key(queue, "meta"), "paused");
        }
        let paused: Vec<bool> = self.ask_all("list paused queues", &asked).await?;
        let named = Step::QUEUES.into_iter().zip(paused).filter(|(_, paused)| *paused);
        let names: BTreeSet<String> = named.map(|(queue, _)| queue.to_owned()).collect();
        Ok(names.into_iter().collect())
    }
}

impl Redis {
    /// The ids of the tasks that may match, the oldest first.
    async fn candidates(&self, filter: &TaskFilter) -> Result<Vec<String>> {
        let all = match &filter.job {
            Some(job) => self.key(&format!("job:{job}")),
            None if filter.states == [TaskState::Dead] => {
                // Few of many.
                let mut asked = redis::pipe();
                for queue in Step::QUEUES {
                    asked.zrange(self.queue_key(queue, "failed"), 0, -1);
                }
                let failed: Vec<Vec<String>> = self.ask_all("list tasks", &asked).await?;
                return Ok(failed.into_iter().flatten().filter(|id| task_id(id).is_ok()).collect());
            }
            None => self.key("tasks"),
        };
        self.ask("list tasks", redis::cmd("ZRANGE").arg(all).arg(0).arg(-1)).await
    }

    fn task(&self, row: &[String]) -> Result<Task> {
        let field = |n: usize| row.get(n).map(String::as_str).unwrap_or_default();
        let at = |n: usize| field(n).parse().ok().and_then(time);
        let count = |n: usize| field(n).parse().unwrap_or_default();
        let id = task_id(field(0))?;
        let state = match field(1) {
            "w" => TaskState::Waiting,
            "d" => TaskState::Delayed,
            "a" => TaskState::Active,
            "o" => TaskState::Done,
            "c" => TaskState::Cancelled,
            _ => TaskState::Dead,
        };
        let mut error = match field(8) {
            "" => None,
            report => Some(serde_json::from_str::<ErrorReport>(report).map_err(|error| self.damaged(error))?),
        };
        if state == TaskState::Dead && error.is_none() {
            // A worker of another language.
            error = Some(ErrorReport::new(crate::error::ErrorKind::Contract, field(9)));
        }
        Ok(Task {
            queue: id.step().queue().to_owned(),
            id,
            user: field(2).to_owned(),
            state,
            attempts: count(3),
            starts: count(4),
            due: at(5),
            started: at(6),
            ended: at(7),
            error,
        })
    }
}

/// BullMQ's id of a task: it allows no colons.
pub(super) fn job_id(task: &TaskId) -> String {
    task.to_string().replace(':', ".")
}

fn task_id(job_id: &str) -> Result<TaskId, Error> {
    job_id.replace('.', ":").parse()
}

fn documents(tasks: &[NewTask]) -> String {
    let document = |task: &NewTask| {
        json!({
            "id": job_id(&task.id),
            "task": task.id.to_string(),
            "user": task.user,
            "priority": task.priority,
            "due": task.not_before.map_or(0, millis),
            "lane": task.lane,
            "exclusive": task.exclusive.as_deref().unwrap_or_default(),
            "attempts": task.attempts.max(1),
        })
    };
    serde_json::Value::Array(tasks.iter().map(document).collect()).to_string()
}
