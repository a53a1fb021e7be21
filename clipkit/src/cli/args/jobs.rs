//! `clipkit jobs` and `clipkit worker`: arguments.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use clipkit::jobs::{JobId, Rate, TaskId};

use super::values::{at_least_one, duration};
use super::{ClipArgs, Operations};

/// The job database.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The job database, a SQLite file. Documents and rendered clips lie beside it in FILE.files
    #[arg(long, value_name = "FILE", default_value = "jobs.db", global = true)]
    pub(crate) db: PathBuf,
    /// How often a step is tried; a worker that dies counts, a wait that a server asked for does
    /// not. Give `jobs submit` and `worker` the same
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub(crate) attempts: u32,
    #[command(flatten)]
    pub(crate) redis: RedisArgs,
}

/// Where the queue is, if not in a file.
#[derive(Args)]
pub(crate) struct RedisArgs {
    /// A Redis or Valkey with the queue, for workers on many machines:
    /// redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS. All of them reach FILE.files
    /// under the same path [default: the variable CLIPKIT_REDIS_URL, which hides the password]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) redis: Option<String>,
    /// The beginning of all keys in Redis
    #[arg(long, value_name = "PREFIX", default_value = "clipkit", global = true)]
    pub(crate) redis_prefix: String,
}

impl std::fmt::Debug for RedisArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may have a password.
        f.debug_struct("RedisArgs").field("redis_prefix", &self.redis_prefix).finish_non_exhaustive()
    }
}

#[derive(Debug, Args)]
pub(crate) struct JobsArgs {
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(subcommand)]
    pub(crate) command: JobsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Submit jobs, one for each video; print their ids
    Submit(Box<SubmitArgs>),
    /// List jobs, the newest first
    List(ListArgs),
    /// Print a job
    Show(ShowArgs),
    /// Print the events of a job until it ends
    Watch(WatchArgs),
    /// List the clips of a job: file, score, title
    Clips(ClipsArgs),
    /// Change the plan of a clip by operations; workers render and publish it again
    Edit(EditClipArgs),
    /// Print a signed link to a clip in the object store that the job publishes to
    Link(LinkArgs),
    /// Cancel jobs; running steps stop within a second
    Cancel(Ids),
    /// Run the failed or cancelled steps of jobs again
    Retry(Ids),
    /// Remove jobs that have ended. Published clips stay
    Remove(Ids),
    /// List the dead letters: steps that failed on all their attempts
    Dead(DeadArgs),
    /// Stop a queue: its steps wait
    Pause(Queue),
    /// Let a paused queue go on
    Resume(Queue),
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub(crate) clip: ClipArgs,
    /// The priority; higher runs first
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true)]
    pub(crate) priority: i32,
    /// The earliest start: a time such as 2026-12-01T08:00:00Z, or from now, such as 30m
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) not_before: Option<SystemTime>,
    /// An idempotency key: the same key again returns the same job
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// The user; workers serve users in turn
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) user: String,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only jobs of this user
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Only jobs that have not ended
    #[arg(long)]
    pub(crate) open: bool,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The job's id
    pub(crate) id: JobId,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The job's id
    pub(crate) id: JobId,
    /// Print only events with higher numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) since: u64,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClipsArgs {
    /// The job's id
    pub(crate) id: JobId,
    /// Print one JSON object per line, with the plan and the receipts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EditClipArgs {
    /// The job's id
    pub(crate) id: JobId,
    /// The clip's rank, from 1
    pub(crate) rank: usize,
    #[command(flatten)]
    pub(crate) ops: Operations,
    /// Change nothing; print what would change (length, words, joins) as JSON
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// The job's id
    pub(crate) id: JobId,
    /// The clip's rank, from 1
    pub(crate) rank: usize,
    /// How long the link works, such as 20m [default, and at most: what `jobs submit --link` said]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) valid: Option<Duration>,
    /// Print JSON, with the time when the link stops working
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ids {
    /// The jobs' ids
    #[arg(required = true)]
    pub(crate) ids: Vec<JobId>,
}

#[derive(Debug, Args)]
pub(crate) struct DeadArgs {
    /// Run this dead letter again
    #[arg(long, value_name = "TASK")]
    pub(crate) replay: Vec<TaskId>,
    /// Remove this dead letter
    #[arg(long, value_name = "TASK")]
    pub(crate) discard: Vec<TaskId>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Queue {
    /// The queue: fetch, transcribe, score, track, render, publish
    pub(crate) queue: String,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) database: Database,
    /// The steps to do: fetch, transcribe, score, track, render, publish [default: all]
    #[arg(long, value_name = "STAGE", value_delimiter = ',')]
    pub(crate) stages: Vec<String>,
    /// How many steps of a kind this worker does at a time: render=2. Can be repeated [default:
    /// fetch 8, transcribe 4, score 3, track 1, render half the number of processor cores]
    #[arg(long, value_name = "STAGE=N", value_parser = limit)]
    pub(crate) limit: Vec<(String, usize)>,
    /// How many steps of a kind start per minute, over all workers; 0 means no rate: transcribe=20.
    /// Can be repeated [default: transcribe 5]
    #[arg(long, value_name = "STAGE=N", value_parser = rate)]
    pub(crate) rate: Vec<(String, Option<Rate>)>,
    /// The time after which the steps of a dead worker are done by another one
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) lease: Duration,
    /// Stop when no job is open
    #[arg(long)]
    pub(crate) until_idle: bool,
}

/// Parses `render=2`.
pub(crate) fn limit(text: &str) -> Result<(String, usize), String> {
    let (stage, number) = text.split_once('=').ok_or("give a stage and a number, such as render=2")?;
    Ok((stage.to_owned(), at_least_one(number)?))
}

/// Parses `transcribe=20`.
pub(crate) fn rate(text: &str) -> Result<(String, Option<Rate>), String> {
    let parsed = text.split_once('=').and_then(|(stage, number)| Some((stage.to_owned(), number.parse::<u32>().ok()?)));
    let (stage, starts) = parsed.ok_or("give a stage and a number per minute, such as transcribe=20")?;
    Ok((stage, (starts > 0).then_some(Rate { starts, per: Duration::from_secs(60) })))
}

/// Parses a time in RFC 3339, or a duration from now.
fn moment(text: &str) -> Result<SystemTime, String> {
    if let Ok(at) = humantime::parse_rfc3339_weak(text) {
        return Ok(at);
    }
    let later = duration(text).ok().and_then(|wait| SystemTime::now().checked_add(wait));
    later.ok_or_else(|| "give a time such as 2026-12-01T08:00:00Z, or from now, such as 30m".to_owned())
}
