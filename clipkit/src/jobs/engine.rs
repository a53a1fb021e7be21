//! The seam between jobs and their queue.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decision, JobId, TaskId};
use crate::error::{ErrorReport, Result};

/// A queue of tasks that survives crashes of all who use it.
///
/// For implementers:
/// - A claim raises the attempt count and the fence of the task in the same atomic step, so that a
///   task that kills its process is counted.
/// - A write-back ([`complete`](Engine::complete), [`fail`](Engine::fail)) has an effect only with
///   the task's current fence. Otherwise it changes nothing and returns `false`.
/// - A claim is a lease. A task whose lease ran out is waiting again, or dead if its attempts are
///   used up.
/// - Completing a task and adding its successors is one atomic step.
/// - Adding a task whose id is known changes nothing.
/// - Due times are wall-clock times and survive restarts.
/// - Errors of the kinds `Io` and `TimedOut` with the recovery `Retry` mean that the call can be
///   made again. A call whose future is dropped has had its whole effect or none.
///
/// A library that pushes tasks to its workers fits, too: it hands a pushed task to a waiting claim,
/// and waits for the write-back.
///
/// [`contract`](super::contract) tests all this for any engine.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Adds tasks. Returns how many were new.
    async fn add(&self, tasks: &[NewTask]) -> Result<usize>;

    /// Claims a task of the first queue in [`Claim::serving`] that has one and whose limits allow
    /// it. Within a queue: the highest priority first; then the user with the fewest running
    /// tasks, and of these the one who was served least recently; then the oldest task.
    async fn claim(&self, claim: &Claim) -> Result<Option<Claimed>>;

    /// Extends the leases of tasks, and tells for each whether its worker may go on. The answers
    /// are in the order of `held`.
    async fn heartbeat(&self, held: &[Held], lease: Duration) -> Result<Vec<Standing>>;

    /// Marks a task as done and adds its successors. `false` means that the task was no longer
    /// held; then nothing changed. The successors of a cancelled task are not added.
    async fn complete(&self, held: &Held, successors: &[NewTask]) -> Result<bool>;

    /// Writes back that a task returned an error, and what was decided. `false` means that the task
    /// was no longer held; then nothing changed.
    async fn fail(&self, held: &Held, error: &ErrorReport, decision: Decision) -> Result<bool>;

    /// Cancels the tasks of a job: those that wait at once, those that run at their next
    /// heartbeat. Returns how many tasks it concerned.
    async fn cancel(&self, job: &JobId) -> Result<usize>;

    /// The tasks that match, the oldest first.
    async fn list(&self, filter: &TaskFilter) -> Result<Vec<Task>>;

    /// Lets a dead or cancelled task run again, with all its attempts. `false` means that there is
    /// no such task.
    async fn replay(&self, task: &TaskId) -> Result<bool>;

    /// Removes a task that neither waits nor runs. `false` means that there is no such task.
    async fn remove(&self, task: &TaskId) -> Result<bool>;

    /// Stops claims of a queue. Running tasks go on.
    async fn pause(&self, queue: &str) -> Result<()>;

    /// Allows claims of a queue again.
    async fn resume(&self, queue: &str) -> Result<()>;

    /// The names of the queues that are paused.
    async fn paused(&self) -> Result<Vec<String>>;
}

/// A task to add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewTask {
    /// The id, which names the queue and the work.
    pub id: TaskId,
    /// The user, for fairness. Empty is a user, too.
    pub user: String,
    /// Higher runs first. Default: 0.
    pub priority: i32,
    /// The earliest start. `None` means now.
    pub not_before: Option<SystemTime>,
    /// A part of the queue with a limit of its own ([`Serving::per_lane`]), for example a
    /// publishing target.
    pub lane: String,
    /// Of the tasks with the same value, one runs at a time.
    pub exclusive: Option<String>,
    /// The most attempts, at least 1. Default: 3.
    pub attempts: u32,
}

impl NewTask {
    /// Makes a task without a user that may start now.
    pub fn new(id: TaskId) -> Self {
        NewTask { id, user: String::new(), priority: 0, not_before: None, lane: String::new(), exclusive: None, attempts: 3 }
    }
}

/// A rate: so many starts in any period of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The most starts.
    pub starts: u32,
    /// The period, in seconds.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub per: Duration,
}

/// A queue that a worker serves, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Serving {
    /// The queue.
    pub queue: String,
    /// The most running tasks over all workers. `None` means no limit.
    pub running: Option<usize>,
    /// The most running tasks of one lane over all workers. `None` means no limit.
    pub per_lane: Option<usize>,
    /// The most starts over all workers. `None` means no limit.
    pub rate: Option<Rate>,
}

impl Serving {
    /// A queue without limits.
    pub fn new(queue: impl Into<String>) -> Self {
        Serving { queue: queue.into(), running: None, per_lane: None, rate: None }
    }
}

/// What a worker asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The worker's name, for people.
    pub worker: String,
    /// The queues, in order of preference.
    pub serving: Vec<Serving>,
    /// How long the task is held without a heartbeat.
    pub lease: Duration,
}

impl Claim {
    /// Asks for a task of one of these queues.
    pub fn new(worker: impl Into<String>, serving: Vec<Serving>, lease: Duration) -> Self {
        Claim { worker: worker.into(), serving, lease }
    }
}

/// The right to write back the result of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The task.
    pub id: TaskId,
    /// The number of the claim. A later claim of the task has a higher one.
    pub fence: u64,
}

impl Held {
    /// A claim of a task, by its number.
    pub fn new(id: TaskId, fence: u64) -> Self {
        Held { id, fence }
    }
}

/// A claimed task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claimed {
    /// The right to write back its result.
    pub held: Held,
    /// The attempt, from 1.
    pub attempt: u32,
}

impl Claimed {
    /// A claimed task and its attempt, which counts from 1.
    pub fn new(held: Held, attempt: u32) -> Self {
        Claimed { held, attempt }
    }
}

/// Whether the worker of a claimed task may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The task is held, and the lease was extended.
    Held,
    /// The task is held, and its job was cancelled: stop and write back.
    Cancelled,
    /// Another worker has the task, or it is removed: stop, and write nothing.
    Lost,
}

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskState {
    /// It can start.
    Waiting,
    /// It waits for its time.
    Delayed,
    /// A worker has it.
    Active,
    /// It succeeded.
    Done,
    /// It failed and does not run again unless it is replayed: a dead letter.
    Dead,
    /// Its job was cancelled.
    Cancelled,
}

impl TaskState {
    /// Whether the task neither waits nor runs.
    pub fn is_over(self) -> bool {
        matches!(self, TaskState::Done | TaskState::Dead | TaskState::Cancelled)
    }
}

/// A task as [`Engine::list`] returns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Task {
    /// The id.
    pub id: TaskId,
    /// The queue.
    pub queue: String,
    /// The user.
    pub user: String,
    /// The state.
    pub state: TaskState,
    /// The attempts so far. Waits that a server asked for do not count.
    pub attempts: u32,
    /// The number of claims, counted or not.
    pub starts: u32,
    /// The earliest start, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub due: Option<SystemTime>,
    /// When the last attempt started, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub started: Option<SystemTime>,
    /// When the last attempt ended, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<SystemTime>,
    /// The error of the last attempt that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// Which tasks [`Engine::list`] returns. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskFilter {
    /// Those of one job.
    pub job: Option<JobId>,
    /// Those in one of these states. Empty means any.
    pub states: Vec<TaskState>,
    /// The most tasks to return. `None` means all.
    pub most: Option<usize>,
}

impl TaskFilter {
    /// The tasks of one job.
    pub fn of_job(job: &JobId) -> Self {
        TaskFilter { job: Some(job.clone()), ..TaskFilter::default() }
    }

    /// The tasks in a state.
    pub fn in_state(state: TaskState) -> Self {
        TaskFilter { states: vec![state], ..TaskFilter::default() }
    }
}
