//! Jobs that survive crashes.

pub mod contract;
mod engine;
mod id;
mod policy;
mod records;
mod sqlite;

pub use engine::{Claim, Claimed, Engine, Held, NewTask, Rate, Serving, Standing, Task, TaskFilter, TaskState};
pub use id::{JobId, Step, TaskId};
pub use policy::{Decision, Policy, decide};
pub use records::{Job, JobEnd, JobEvent, JobFilter, JobMilestone, JobRecord, JobState, JobStatus, NewEvent, OpenJobs, Records};
pub use sqlite::Sqlite;
