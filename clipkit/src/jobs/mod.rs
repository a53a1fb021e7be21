//! Jobs that survive crashes: a queue of steps in one file, and workers that do them.
//!
//! A job makes clips of one video, as a [`Pipeline`](crate::Pipeline) does, one step at a time:
//! each step is a task of a queue, and its result is stored before the next step starts. Nothing
//! has to be installed or run beside the program.
//!
//! ```
//! use clipkit::jobs::{Job, JobState, Jobs, Worker, WorkerOptions};
//!
//! # #[tokio::main] async fn main() -> clipkit::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let db = folder.path().join("jobs.db");
//! let jobs = Jobs::open(&db).await?; // "jobs.db"
//! let mut job = Job::new("missing.mp4");
//! job.user = "ann".into();
//! let id = jobs.submit(job).await?;
//!
//! // In this process or another, now or after a crash:
//! let mut options = WorkerOptions::default();
//! options.until_idle = true;
//! Worker::new(jobs.clone()).options(options).run(&clipkit::Context::new()).await?;
//!
//! let status = jobs.get(&id).await?.unwrap();
//! assert_eq!(status.state, JobState::Failed);
//! println!("{}", status.error.unwrap().message); // there is no such file
//! # Ok(()) }
//! ```
//!
//! - The stored results are the truth: a step whose result is stored does not run again, whatever
//!   happened to the worker or the queue. Jobs that ask for the same share results.
//! - A claim is a lease with a number, the fence. A worker that lost its lease writes nothing.
//! - [`decide`] says what follows from an error. Stand-ins ([`Degrade`](crate::Degrade)) are used
//!   when no attempt is left.
//! - A clip that fails does not affect the others. A task that fails on all attempts is a dead
//!   letter ([`Jobs::dead_letters`]).
//! - With the feature `jobs-bullmq`, `Jobs::redis` has the queue in Redis or Valkey, for workers on
//!   many machines.
//! - [`Engine`] and [`Records`] are the seams to other queues. [`contract`] tests an engine.

mod client;
mod clips;
mod conclude;
pub mod contract;
mod engine;
mod id;
mod options;
mod policy;
mod reconcile;
mod records;
#[cfg(test)]
mod records_tests;
#[cfg(feature = "jobs-bullmq")]
mod redis;
mod serve_task;
mod sqlite;
mod steps;
mod submit;
mod worker;
mod workspace;

pub use client::Jobs;
pub use clips::{ClipLink, JobClip};
pub use engine::{Claim, Claimed, Engine, Held, NewTask, Rate, Serving, Standing, Task, TaskFilter, TaskState};
pub use id::{JobId, Step, TaskId};
pub use options::{JobsOptions, WorkerOptions};
pub use policy::{Decision, Policy, decide};
pub use records::{Job, JobEnd, JobEvent, JobFilter, JobMilestone, JobRecord, JobState, JobStatus, NewEvent, OpenJobs, Records};
#[cfg(feature = "jobs-bullmq")]
pub use redis::{Redis, RedisOptions};
pub use sqlite::Sqlite;
pub use worker::Worker;
