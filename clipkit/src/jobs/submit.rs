//! Submission of jobs: checks, limits, absolute paths, and the tasks of a job.

use std::path::Path;
use std::time::Duration;

use super::client::Shared;
use super::{Job, JobId, JobRecord, Jobs, JobsOptions, NewTask, Step, TaskId};
use crate::config::PublisherConfig;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{Stage, local_path, moment};

/// The longest address, in bytes.
const LONGEST_URI: usize = 8192;
/// The longest user name or idempotency key, in bytes.
const LONGEST_NAME: usize = 256;
/// When a refused submission can be tried again.
const TRY_AGAIN: Duration = Duration::from_secs(60);

impl Jobs {
    /// Submits a job and returns its id. From then on, the job survives a loss of power.
    ///
    /// Relative paths in [`Job::uri`] and of folders to publish to are made absolute, since workers
    /// may run in another folder.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`] or [`ErrorKind::InvalidInput`] if the job cannot be done, or if its
    ///   idempotency key was used for another job.
    /// - [`ErrorKind::RateLimited`] with a time to try again, if too many jobs are open.
    /// - [`ErrorKind::Io`] with a time to try again, if the disk is nearly full.
    pub async fn submit(&self, job: Job) -> Result<JobId> {
        let job = checked(job)?;
        let Shared { records, engine, .. } = &*self.shared;
        let id = job.idempotency_key.as_deref().map_or_else(JobId::random, |key| JobId::of_key(&job.user, key));
        if job.idempotency_key.is_some()
            && let Some(known) = records.get(&id).await?
        {
            return same(&known, &job).map(|()| id);
        }
        self.accepts(&job).await?;
        let record = JobRecord { id: id.clone(), job, created: Some(moment::now()), end: None };
        if !records.create(&record).await? {
            // Submitted at the same time with the same key.
            let known = records.get(&id).await?;
            return known.map_or(Ok(()), |known| same(&known, &record.job)).map(|()| id);
        }
        // If this fails or the process ends here, the reconciler adds the task.
        engine.add(&[self.task(&record, Step::Fetch, String::new())]).await?;
        Ok(id)
    }

    /// Refuses a job if there are too many, or too little space.
    async fn accepts(&self, job: &Job) -> Result<()> {
        let JobsOptions { most_open, most_open_per_user, .. } = self.shared.options;
        let open = self.shared.records.open_jobs(&job.user).await?;
        let refused = |message: String| {
            Err(Error::new(ErrorKind::RateLimited, message)
                .with_recovery(Recovery::Retry { after: Some(TRY_AGAIN) })
                .with_advice("submit again when jobs have ended"))
        };
        if open.all >= most_open {
            return refused(format!("the queue is full: {} jobs have not ended", open.all));
        }
        if open.of_user >= most_open_per_user {
            return refused(format!("this user has {} jobs that have not ended, which is the most", open.of_user));
        }
        self.has_space()
    }

    /// Refuses work if the disk is nearly full.
    pub(crate) fn has_space(&self) -> Result<()> {
        let Shared { workspace, options, .. } = &*self.shared;
        match workspace.free_bytes() {
            Some(free) if free < options.min_free => {
                Err(Error::new(ErrorKind::Io, format!("the disk is nearly full: {free} bytes are free, {} are needed", options.min_free))
                    .with_path(workspace.folder())
                    .with_recovery(Recovery::Retry { after: Some(TRY_AGAIN) })
                    .with_advice("free some space"))
            }
            _ => Ok(()),
        }
    }

    /// The task of a job's step. `lane` is the target of a publication.
    pub(super) fn task(&self, record: &JobRecord, step: Step, lane: String) -> NewTask {
        let job = &record.job;
        let mut task = NewTask::new(TaskId::new(record.id.clone(), step));
        task.user = job.user.clone();
        task.priority = job.priority;
        task.not_before = job.not_before.filter(|_| step == Step::Fetch);
        task.attempts = self.shared.options.policy.attempts;
        // Two jobs that do the same take turns, so that the second finds what the first made.
        task.exclusive = match step {
            Step::Publish(..) | Step::Conclude => None,
            _ => Some(same_work(job, step)),
        };
        task.lane = lane;
        task
    }
}

/// Rejects jobs that cannot be done, and makes paths absolute.
fn checked(mut job: Job) -> Result<Job> {
    let refuse = |what: &str| Err(Error::new(ErrorKind::InvalidInput, what).with_stage(Stage::Source));
    if job.uri.trim().is_empty() || job.uri.len() > LONGEST_URI || job.uri.contains('\0') {
        return refuse("this is not the path or address of a video");
    }
    let names = [&job.user].into_iter().chain(&job.idempotency_key).chain(&job.stages);
    if names.into_iter().any(|name| name.len() > LONGEST_NAME || name.chars().any(char::is_control)) {
        return refuse("a name or key is too long or has control characters");
    }
    job.config.options.check(None)?;
    if job.config.publishers.is_empty() && job.publish.is_empty() && job.stages.is_empty() {
        return Err(Error::new(ErrorKind::Config, "the job has no publisher").with_advice("name one in `publish`"));
    }
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| Error::io(path, "find the folder of", error));
    if !job.uri.contains("://") && local_path(&job.uri).is_relative() {
        job.uri = absolute(Path::new(&job.uri))?.to_string_lossy().into_owned();
    }
    for publisher in job.config.publishers.iter_mut().chain(&mut job.publish) {
        match publisher {
            PublisherConfig::Folder(folder) => folder.path = absolute(&folder.path)?,
            PublisherConfig::Webhook(webhook) if webhook.secret.is_some() => {
                return Err(Error::new(ErrorKind::Config, "a job keeps no secrets, and this one has a webhook's")
                    .with_url(&webhook.url)
                    .with_advice("set it in the workers' environment: secret_variable"));
            }
            PublisherConfig::ObjectStore(_)
            | PublisherConfig::Webhook(_)
            | PublisherConfig::YouTube(_)
            | PublisherConfig::TikTok(_)
            | PublisherConfig::Instagram(_) => {}
        }
    }
    Ok(job)
}

/// Refuses a key that was used for another job.
fn same(known: &JobRecord, job: &Job) -> Result<()> {
    if known.job == *job {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, format!("the idempotency key of the job {} was used for another job", known.id))
        .with_advice("give each job a key of its own"))
}

/// A hash of all that decides the work of a step. Jobs that differ only in where they publish have
/// the same.
fn same_work(job: &Job, step: Step) -> String {
    let config = |job: &Job| serde_json::to_string(&(&job.config.source, &job.config.transcriber, &job.config.options)).unwrap_or_default();
    let what = if step == Step::Fetch { String::new() } else { config(job) };
    let mut hasher = blake3::Hasher::new();
    for part in [job.uri.as_str(), step.queue(), &step.rank().unwrap_or(0).to_string(), &what] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
