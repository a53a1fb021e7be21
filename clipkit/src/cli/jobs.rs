//! `clipkit jobs`: submits, shows and changes jobs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clipkit::config::TranscriberConfig;
use clipkit::jobs::{Job, JobEvent, JobFilter, JobId, JobState, JobStatus, Jobs, JobsOptions, RedisOptions, Task};
use clipkit::{Error, ErrorKind, Result};
use serde_json::Value;

use super::args::{Database, DeadArgs, JobsArgs, JobsCommand, RedisArgs, SubmitArgs, WatchArgs};
use super::exit::{self, Code};
use super::interrupt::Interrupt;
use super::output::{say, say_json};
use super::{clip, job_clips, job_times, uri, usage};

/// The variable with the address of a Redis.
const REDIS: &str = "CLIPKIT_REDIS_URL";
/// How often a job that is watched is looked at.
const WATCH: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: JobsArgs, interrupt: &Interrupt) -> Code {
    let JobsArgs { database, command } = args;
    let done = async {
        let jobs = open(database, matches!(command, JobsCommand::Submit(_))).await?;
        match command {
            JobsCommand::Submit(args) => submit(&jobs, *args).await?,
            JobsCommand::List(args) => {
                let mut filter = JobFilter::default();
                (filter.user, filter.open) = (args.user, args.open.then_some(true));
                let all = jobs.list(&filter).await?;
                all.iter().for_each(|job| if args.json { say_json(job) } else { say(&line(job)) });
            }
            JobsCommand::Show(args) => {
                let job = jobs.get(&args.id).await?.ok_or_else(|| unknown(&args.id))?;
                if args.json {
                    say_json(&job);
                } else {
                    show(&job);
                    job_times::lines(&all_events(&jobs, &args.id).await?).iter().for_each(|line| say(&format!("  {line}")));
                }
            }
            JobsCommand::Clips(args) => job_clips::clips(&jobs, args).await?,
            JobsCommand::Edit(args) => job_clips::edit(&jobs, args).await?,
            JobsCommand::Link(args) => job_clips::link(&jobs, args, interrupt).await?,
            JobsCommand::Watch(args) => return watch(&jobs, args, interrupt).await,
            JobsCommand::Cancel(args) => {
                for id in &args.ids {
                    say(&format!("{id} {}", if jobs.cancel(id).await? { "cancelled" } else { "had ended" }));
                }
            }
            JobsCommand::Retry(args) => {
                for id in &args.ids {
                    say(&format!("{id} {}", if jobs.retry(id).await? { "runs again" } else { "has nothing to run again" }));
                }
            }
            JobsCommand::Remove(args) => {
                for id in &args.ids {
                    say(&format!("{id} {}", if jobs.remove(id).await? { "removed" } else { "does not exist" }));
                }
            }
            JobsCommand::Dead(args) => dead(&jobs, args).await?,
            JobsCommand::Pause(args) => jobs.pause(&args.queue).await?,
            JobsCommand::Resume(args) => jobs.resume(&args.queue).await?,
        }
        Ok(Code::Success)
    };
    done.await.unwrap_or_else(|error| exit::failed(&error))
}

/// Opens the jobs. A file that does not exist is an error unless it may be made.
pub(crate) async fn open(Database { db, attempts, redis }: Database, may_create: bool) -> Result<Jobs> {
    if !may_create && redis.redis.is_none() && std::env::var_os(REDIS).is_none() && !db.exists() {
        return Err(Error::new(ErrorKind::NotFound, "there is no job database").with_path(db).with_advice("submit a job, or give --db"));
    }
    let mut options = JobsOptions::default();
    options.policy.attempts = attempts;
    opened(&db, redis, options).await
}

/// Opens the jobs in a file, or in Redis where there is one.
pub(crate) async fn opened(db: &Path, RedisArgs { redis, redis_prefix }: RedisArgs, jobs: JobsOptions) -> Result<Jobs> {
    let Some(url) = redis.or_else(|| std::env::var(REDIS).ok()).filter(|url| !url.is_empty()) else {
        return Jobs::open_with(db, jobs).await;
    };
    let mut folder = absolute(db)?.into_os_string();
    folder.push(".files");
    let mut options = RedisOptions::default();
    (options.prefix, options.jobs) = (redis_prefix, jobs);
    Jobs::redis_with(&url, PathBuf::from(folder), options).await
}

async fn submit(jobs: &Jobs, args: SubmitArgs) -> Result<()> {
    clip::check(&args.clip)?;
    if args.clip.plan_only {
        return Err(usage("a job renders its clips").with_advice("leave out --plan-only"));
    }
    if args.key.is_some() && args.clip.input.len() > 1 {
        return Err(usage("--key is for one video, and several are given"));
    }
    for (input, out) in clip::folders(&args.clip.input, args.clip.out.as_deref()) {
        let mut job = Job::new(uri(&input)?);
        job.config = clip::config(&args.clip, out.as_deref());
        if let TranscriberConfig::Captions(captions) = &mut job.config.transcriber
            && let Some(file) = &args.clip.transcriber.transcript
        {
            // Workers may run in another folder.
            *captions = clipkit::stage::Captions::file(absolute(file)?);
        }
        (job.priority, job.not_before, job.user) = (args.priority, args.not_before, args.user.clone());
        job.idempotency_key = args.key.clone();
        let id = jobs.submit(job).await?;
        if args.clip.reporting.json {
            say_json(&serde_json::json!({"id": id, "input": input}));
        } else {
            say(id.as_str());
        }
    }
    Ok(())
}

fn absolute(file: &Path) -> Result<PathBuf> {
    std::path::absolute(file).map_err(|error| Error::io(file, "find", error))
}

fn unknown(id: &JobId) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no job {id}")).with_advice("see `clipkit jobs list`")
}

fn state(state: JobState) -> String {
    serde_json::to_value(state).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn line(job: &JobStatus) -> String {
    let user = if job.user.is_empty() { String::new() } else { format!("  {}", job.user) };
    format!("{}  {:9}  {:>3}/{:<3} {}{user}", job.id, state(job.state), job.tasks_done, job.tasks, job.uri)
}

fn show(job: &JobStatus) {
    say(&line(job));
    if let Some(error) = &job.error {
        say(&format!("  {}", error.clone().into_error()));
    }
    let Some(manifest) = &job.manifest else { return };
    for clip in &manifest.clips {
        say(&format!("  {}  {}  {:.0}  {}", clip.file, clip.span, clip.score.total, clip.title));
    }
    for clip in &manifest.failed {
        say(&format!("  clip {} failed: {}", clip.rank, clip.error.clone().into_error()));
    }
}

async fn all_events(jobs: &Jobs, id: &JobId) -> Result<Vec<JobEvent>> {
    let mut all: Vec<JobEvent> = Vec::new();
    loop {
        let more = jobs.events(id, all.last().map_or(0, |event| event.number)).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

/// Prints events until the job ends; its end decides the exit code.
async fn watch(jobs: &Jobs, args: WatchArgs, interrupt: &Interrupt) -> Result<Code> {
    let mut since = args.since;
    loop {
        // Read before the events, so that none is missed.
        let job = jobs.get(&args.id).await?.ok_or_else(|| unknown(&args.id))?;
        for event in jobs.events(&args.id, since).await? {
            since = event.number;
            if args.json {
                say_json(&event);
            } else if let Some(line) = event_line(&event) {
                say(&line);
            }
        }
        if job.state.is_over() {
            if !args.json {
                show(&job);
            }
            return Ok(match (job.state, job.error) {
                (JobState::Done, None) => Code::Success,
                (_, Some(error)) => exit::failed(&error.into_error()),
                _ => Code::Other,
            });
        }
        if interrupt.is_asked() {
            return Ok(Code::Interrupted);
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// An event as a line for a person. Starts of stages are left out.
fn event_line(event: &JobEvent) -> Option<String> {
    let field = |name: &str| event.event.get(name);
    let text = |name: &str| field(name).and_then(Value::as_str).unwrap_or_default();
    let clip = field("clip").and_then(Value::as_u64).map_or(String::new(), |rank| format!("clip {rank} "));
    match text("event") {
        "progress" => {
            let percent = field("fraction").and_then(Value::as_f64).unwrap_or_default() * 100.0;
            Some(format!("{clip}{} {percent:.0} %", text("stage")))
        }
        "finished" => Some(format!("{clip}{} done", text("stage"))),
        "warning" => Some(format!("warning: {clip}{}", text("message"))),
        "failed" => {
            let message = field("error").and_then(|error| error.get("message")).and_then(Value::as_str).unwrap_or_default();
            Some(format!("{clip}{} failed: {message}", text("task")))
        }
        "clip" => Some(format!("ready: {}", text("file"))),
        _ => None,
    }
}

async fn dead(jobs: &Jobs, args: DeadArgs) -> Result<()> {
    for task in &args.replay {
        say(&format!("{task} {}", if jobs.replay(task).await? { "runs again" } else { "is no dead letter" }));
    }
    for task in &args.discard {
        say(&format!("{task} {}", if jobs.discard(task).await? { "removed" } else { "is no dead letter" }));
    }
    if !args.replay.is_empty() || !args.discard.is_empty() {
        return Ok(());
    }
    let shown = |task: &Task| {
        let error = task.error.clone().map(|error| error.into_error().to_string()).unwrap_or_default();
        format!("{}  {} attempts  {error}", task.id, task.attempts)
    };
    jobs.dead_letters().await?.iter().for_each(|task| if args.json { say_json(task) } else { say(&shown(task)) });
    Ok(())
}
