//! The records of jobs, and the seam to where they are kept.

use std::time::SystemTime;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JobId;
use crate::config::{PipelineConfig, PublisherConfig};
use crate::context::Event;
use crate::error::{ErrorReport, Result};
use crate::model::{Manifest, Usage};

/// A job to submit: a video, and what is made of it.
///
/// ```
/// use clipkit::jobs::Job;
///
/// let mut job = Job::new("talk.mp4");
/// job.priority = 5;
/// job.user = "ann".into();
/// job.idempotency_key = Some("talk of 2026-11-02".into());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Job {
    /// The path or address of the video.
    pub uri: String,
    /// The stages and their options. Default: [`PipelineConfig::default`].
    #[serde(default)]
    pub config: PipelineConfig,
    /// The publishers. Empty, the default, means those of `config`.
    #[serde(default)]
    pub publish: Vec<PublisherConfig>,
    /// Custom stages that replace those of `config`, by the names under which workers know them
    /// ([`Worker::stage`](super::Worker::stage)).
    #[serde(default)]
    pub stages: Vec<String>,
    /// Higher runs first. Default: 0.
    #[serde(default)]
    pub priority: i32,
    /// The earliest start, in RFC 3339. `None` means now.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub not_before: Option<SystemTime>,
    /// Submitting a job with the key of an earlier one of the same user returns the earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The user. Workers serve users in turn. Default: empty.
    #[serde(default)]
    pub user: String,
}

impl Job {
    /// A job for the video at `uri`, with defaults for everything else.
    pub fn new(uri: impl Into<String>) -> Self {
        Job {
            uri: uri.into(),
            config: PipelineConfig::default(),
            publish: Vec::new(),
            stages: Vec::new(),
            priority: 0,
            not_before: None,
            idempotency_key: None,
            user: String::new(),
        }
    }
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobState {
    /// It waits for its time.
    Delayed,
    /// It waits for a worker.
    Waiting,
    /// A worker has one of its tasks.
    Active,
    /// It ended, with clips or without ([`JobStatus::error`] says why nothing was found).
    Done,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl JobState {
    /// Whether the job has ended.
    pub fn is_over(self) -> bool {
        matches!(self, JobState::Done | JobState::Failed | JobState::Cancelled)
    }
}

/// The record of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobRecord {
    /// The id.
    pub id: JobId,
    /// What was submitted.
    pub job: Job,
    /// When it was submitted.
    #[serde(with = "crate::model::moment::option")]
    pub created: Option<SystemTime>,
    /// How it ended. `None` means that it has not ended.
    pub end: Option<JobEnd>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobEnd {
    /// [`JobState::Done`], [`JobState::Failed`] or [`JobState::Cancelled`].
    pub state: JobState,
    /// When it ended.
    #[serde(with = "crate::model::moment::option")]
    pub at: Option<SystemTime>,
    /// The error, if it failed or found nothing.
    pub error: Option<ErrorReport>,
    /// The manifest, if it has clips.
    pub manifest: Option<Box<Manifest>>,
}

impl JobEnd {
    /// An end at this moment.
    pub fn new(state: JobState, error: Option<ErrorReport>, manifest: Option<Manifest>) -> Self {
        JobEnd { state, at: Some(crate::model::moment::now()), error, manifest: manifest.map(Box::new) }
    }
}

/// A job as [`Jobs::get`](super::Jobs::get) returns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct JobStatus {
    /// The id.
    pub id: JobId,
    /// The path or address of the video.
    pub uri: String,
    /// The user.
    pub user: String,
    /// The priority.
    pub priority: i32,
    /// The state.
    pub state: JobState,
    /// The tasks that have ended.
    pub tasks_done: usize,
    /// The tasks that are known so far.
    pub tasks: usize,
    /// When it was submitted, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub created: Option<SystemTime>,
    /// When it ended, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<SystemTime>,
    /// The error, if it failed or found nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// The manifest, if it ended with clips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
}

/// An event of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct JobEvent {
    /// The event's number in its job, from 1. Later events have higher numbers.
    pub number: u64,
    /// The time, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub at: Option<SystemTime>,
    /// The event, with its kind in the field `event`: those of [`Event`], and `usage`, `failed`,
    /// `ended`.
    #[serde(flatten)]
    pub event: serde_json::Value,
}

/// An event to append: one of a run, or one of the job itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum NewEvent {
    /// An event of a stage.
    Stage(Event),
    /// An event of the job.
    Job(JobMilestone),
}

/// An event of the job itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobMilestone {
    /// A paid service was used.
    Usage {
        /// What was used.
        usage: Usage,
    },
    /// A task failed. `attempt` counts from 1.
    Failed {
        /// The task's queue.
        task: String,
        /// The clip's rank.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
        /// The attempt.
        attempt: u32,
        /// Whether the task runs again.
        again: bool,
        /// The error.
        error: ErrorReport,
    },
    /// The job ended.
    Ended {
        /// How.
        state: JobState,
        /// The number of clips.
        clips: usize,
    },
}

/// How many jobs have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenJobs {
    /// Of all users.
    pub all: usize,
    /// Of the user asked about.
    pub of_user: usize,
}

impl OpenJobs {
    /// Counts.
    pub fn new(all: usize, of_user: usize) -> Self {
        OpenJobs { all, of_user }
    }
}

/// Which jobs [`Records::list`] and [`Jobs::list`](super::Jobs::list) return. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct JobFilter {
    /// Those of one user.
    pub user: Option<String>,
    /// Only those that have not ended (`true`) or that have (`false`). `None` means both.
    pub open: Option<bool>,
    /// Those in one state. [`Records`] need not look at it: it follows from the tasks.
    pub state: Option<JobState>,
    /// Only those that were submitted before this job, for the next page of a list.
    pub before: Option<JobId>,
    /// The most jobs to return. `None` means all.
    pub most: Option<usize>,
}

/// Where the records and events of jobs are kept.
#[async_trait]
pub trait Records: Send + Sync {
    /// Keeps a new record durably: it survives a loss of power from then on. `false` means that
    /// there is a record with this id; then nothing changed.
    async fn create(&self, record: &JobRecord) -> Result<bool>;

    /// The record of a job.
    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>>;

    /// The records that match, the newest first.
    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>>;

    /// How many jobs have not ended.
    async fn open_jobs(&self, user: &str) -> Result<OpenJobs>;

    /// Sets how a job ended, or that it goes on (`None`). `false` means that there is no such job,
    /// or that it already ended.
    async fn end(&self, id: &JobId, end: Option<&JobEnd>) -> Result<bool>;

    /// Removes the record and the events of a job.
    async fn remove(&self, id: &JobId) -> Result<bool>;

    /// Appends events of a job. Events of a job without a record are dropped.
    async fn append(&self, id: &JobId, events: &[NewEvent]) -> Result<()>;

    /// The events of a job with numbers above `since`, in order, at most `most`.
    async fn events(&self, id: &JobId, since: u64, most: usize) -> Result<Vec<JobEvent>>;

    /// Puts back records that were lost, where they are kept in a second place, and returns how
    /// many. Workers call it when they start and every minute.
    async fn recover(&self) -> Result<usize> {
        Ok(0)
    }
}
