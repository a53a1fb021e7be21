//! The queues: how deep they are, how long tasks wait and take, what failed; dead letters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::jobs::hide_error;
use super::openapi::{DeadListBody, ProblemBody, QueueListBody};
use super::problem::{Answer, Problem};
use super::request::Names;
use super::state::App;
use crate::error::{ErrorKind, Result};
use crate::jobs::{Jobs, Step, Task, TaskFilter, TaskId, TaskState};

/// How old an overview may be: it reads all tasks.
const FRESH: Duration = Duration::from_secs(1);

/// A queue as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(super) struct QueueView {
    /// The queue's name: a stage.
    pub(super) name: String,
    /// Tasks that can start.
    pub(super) waiting: usize,
    /// Tasks that wait for their time.
    pub(super) delayed: usize,
    /// Tasks that run.
    pub(super) active: usize,
    /// Tasks that failed on all their attempts.
    pub(super) dead: usize,
    /// How long the oldest task has waited, in seconds.
    pub(super) waited: f64,
    /// Whether the queue is stopped.
    pub(super) paused: bool,
    /// The time of a task that succeeded, in seconds: half took less. Of the jobs that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p50: Option<f64>,
    /// The same: 95 % took less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p95: Option<f64>,
    /// The fraction of tasks that failed, of those that are over. Of the jobs that are kept.
    pub(super) failure_rate: f64,
    /// The failures of dead letters, by kind.
    pub(super) failures: BTreeMap<String, usize>,
}

/// The queues and what the service has.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct QueueList {
    pub(super) queues: Vec<QueueView>,
    /// The free bytes of the disk with the jobs. `null` if that is not known.
    free_bytes: Option<u64>,
    /// Below this, jobs are refused.
    min_free_bytes: u64,
    /// Whether this request was made without an API key, since the service has none.
    open_access: bool,
    /// The version of clipkit.
    version: &'static str,
}

/// The queues, read at most once a second.
pub(super) struct Overview {
    jobs: Jobs,
    last: tokio::sync::Mutex<Option<(Instant, Vec<QueueView>)>>,
}

impl Overview {
    pub(super) fn new(jobs: Jobs) -> Self {
        Overview { jobs, last: tokio::sync::Mutex::default() }
    }

    pub(super) async fn queues(&self) -> Result<Vec<QueueView>> {
        let mut last = self.last.lock().await;
        if let Some((at, queues)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(queues.clone());
        }
        let engine = self.jobs.engine();
        let (tasks, paused) = (engine.list(&TaskFilter::default()).await?, engine.paused().await?);
        let queues = overview(&tasks, &paused, SystemTime::now());
        *last = Some((Instant::now(), queues.clone()));
        Ok(queues)
    }
}

/// Counts tasks by queue.
fn overview(tasks: &[Task], paused: &[String], now: SystemTime) -> Vec<QueueView> {
    let of = |name: &str| {
        let mut queue = QueueView { name: name.to_owned(), paused: paused.iter().any(|paused| paused == name), ..QueueView::default() };
        let (mut took, mut over) = (Vec::new(), 0usize);
        for task in tasks.iter().filter(|task| task.queue == name) {
            match task.state {
                TaskState::Waiting => {
                    queue.waiting += 1;
                    let waited = task.due.and_then(|due| now.duration_since(due).ok()).unwrap_or_default();
                    queue.waited = queue.waited.max(waited.as_secs_f64());
                }
                TaskState::Delayed => queue.delayed += 1,
                TaskState::Active => queue.active += 1,
                TaskState::Dead => {
                    queue.dead += 1;
                    let kind = task.error.as_ref().map(|error| kind_name(error.kind)).unwrap_or_default();
                    *queue.failures.entry(kind).or_insert(0) += 1;
                }
                TaskState::Done => {
                    let time = task.started.zip(task.ended).and_then(|(started, ended)| ended.duration_since(started).ok());
                    took.extend(time.map(|time| time.as_secs_f64()));
                }
                TaskState::Cancelled => {}
            }
            over += usize::from(matches!(task.state, TaskState::Done | TaskState::Dead));
        }
        took.sort_by(f64::total_cmp);
        (queue.p50, queue.p95) = (quantile(&took, 0.5), quantile(&took, 0.95));
        queue.failure_rate = if over == 0 { 0.0 } else { rounded(queue.dead as f64 / over as f64) };
        queue.waited = rounded(queue.waited);
        queue
    };
    Step::QUEUES.into_iter().map(of).collect()
}

/// The name of a kind, as documents have it.
pub(super) fn kind_name(kind: ErrorKind) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The nearest-rank quantile of sorted values.
fn quantile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let rank = (fraction * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).map(|value| rounded(*value))
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Shows the queues.
#[utoipa::path(
    get, path = "/v1/queues", tag = "queues",
    responses(
        (status = 200, description = "The queues in the order of a job.", body = inline(QueueListBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn list(State(app): State<App>) -> Answer<Json<QueueList>> {
    let (queues, open_access) = (app.overview.queues().await?, !app.is_locked()?);
    let (free_bytes, min_free_bytes) = app.jobs.space();
    Ok(Json(QueueList { queues, free_bytes, min_free_bytes, open_access, version: env!("CARGO_PKG_VERSION") }))
}

/// Stops a queue: its tasks wait. Running tasks go on.
#[utoipa::path(
    post, path = "/v1/queues/{queue}/pause", tag = "queues", params(("queue" = String, Path, description = "The queue's name.")),
    responses(
        (status = 204, description = "The queue is stopped."),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn pause(State(app): State<App>, Names(queue): Names<String>) -> Answer<StatusCode> {
    app.jobs.pause(known(&queue)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a stopped queue go on.
#[utoipa::path(
    post, path = "/v1/queues/{queue}/resume", tag = "queues", params(("queue" = String, Path, description = "The queue's name.")),
    responses(
        (status = 204, description = "The queue goes on."),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn resume(State(app): State<App>, Names(queue): Names<String>) -> Answer<StatusCode> {
    app.jobs.resume(known(&queue)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn known(queue: &str) -> Answer<&str> {
    if Step::QUEUES.contains(&queue) { Ok(queue) } else { Err(Problem::not_found("there is no such queue")) }
}

/// The dead letters.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DeadList {
    tasks: Vec<Task>,
}

/// Lists the dead letters: tasks that failed on all their attempts, each with its last error.
#[utoipa::path(
    get, path = "/v1/dead", tag = "queues",
    responses(
        (status = 200, description = "The dead letters, the oldest first.", body = inline(DeadListBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn dead(State(app): State<App>) -> Answer<Json<DeadList>> {
    let mut tasks = app.jobs.dead_letters().await?;
    for task in &mut tasks {
        hide_error(&mut task.error);
    }
    Ok(Json(DeadList { tasks }))
}

/// Runs a dead letter again.
#[utoipa::path(
    post, path = "/v1/dead/{task}/replay", tag = "queues", params(("task" = String, Path, description = "The task's id.")),
    responses(
        (status = 202, description = "The task runs again."),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn replay(State(app): State<App>, Names(task): Names<String>) -> Answer<StatusCode> {
    if app.jobs.replay(&letter(&task)?).await? { Ok(StatusCode::ACCEPTED) } else { Err(no_letter()) }
}

/// Drops a dead letter. Its job stays as it is; it must have ended.
#[utoipa::path(
    delete, path = "/v1/dead/{task}", tag = "queues", params(("task" = String, Path, description = "The task's id.")),
    responses(
        (status = 204, description = "The dead letter is gone."),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn discard(State(app): State<App>, Names(task): Names<String>) -> Answer<StatusCode> {
    if app.jobs.discard(&letter(&task)?).await.map_err(Problem::conflict)? { Ok(StatusCode::NO_CONTENT) } else { Err(no_letter()) }
}

fn letter(task: &str) -> Answer<TaskId> {
    task.parse().map_err(|_| no_letter())
}

fn no_letter() -> Problem {
    Problem::not_found("there is no such dead letter")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tasks_are_counted_by_queue() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let task = |id: &str, state: &str, more: serde_json::Value| {
            let mut value = json!({"id": id, "queue": id.split(':').nth(1), "user": "", "state": state, "attempts": 1, "starts": 1});
            value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Task>(value).unwrap()
        };
        let at = |seconds: u64| format!("1970-01-01T00:01:{:02}Z", seconds - 60);
        let tasks = [
            task("a:render:1", "waiting", json!({"due": at(70)})),
            task("a:render:2", "active", json!({})),
            task("a:render:3", "done", json!({"started": at(60), "ended": at(64)})),
            task("a:render:4", "done", json!({"started": at(60), "ended": at(62)})),
            task("a:render:5", "dead", json!({"error": {"kind": "encode", "message": "x"}})),
            task("a:fetch", "delayed", json!({})),
        ];
        let queues = overview(&tasks, &["fetch".to_owned()], now);
        let of = |name: &str| queues.iter().find(|queue| queue.name == name).unwrap();
        let render = of("render");
        assert_eq!((render.waiting, render.active, render.dead, render.waited), (1, 1, 1, 30.0));
        assert_eq!((render.p50, render.p95, render.failure_rate), (Some(2.0), Some(4.0), 0.333));
        assert_eq!(render.failures, BTreeMap::from([("encode".to_owned(), 1)]));
        assert!(of("fetch").paused && of("fetch").delayed == 1 && of("score").p50.is_none());
        assert_eq!(queues.len(), Step::QUEUES.len());
    }
}
