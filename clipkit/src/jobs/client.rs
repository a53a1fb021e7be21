use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::workspace::Workspace;
use super::{
    Engine, JobEnd, JobEvent, JobFilter, JobId, JobMilestone, JobRecord, JobState, JobStatus, JobsOptions, NewEvent, Records, Sqlite, Step,
    Task, TaskFilter, TaskId, TaskState,
};
use crate::error::{Error, ErrorKind, Result};

/// The most events of one answer.
const MOST_EVENTS: usize = 10_000;
/// How many records are read at a time when jobs in one state are looked for.
const LIST_PAGE: usize = 200;

/// Jobs in a queue: submits, shows and changes them. A [`Worker`](super::Worker) does the work, in
/// the same process or another.
///
/// A handle is cheap to clone. See [the module](super) for an example.
#[derive(Clone)]
pub struct Jobs {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) records: Arc<dyn Records>,
    pub(super) workspace: Workspace,
    pub(super) options: JobsOptions,
}

impl Jobs {
    /// Opens the jobs in a SQLite file, which is made if it does not exist. Documents and rendered
    /// clips lie in the folder with the same name and `.files` at its end.
    ///
    /// # Errors
    ///
    /// Those of [`Sqlite::open`], and [`Error::io`] for the folder.
    pub async fn open(path: impl AsRef<Path>) -> Result<Jobs> {
        Jobs::open_with(path, JobsOptions::default()).await
    }

    /// [`open`](Jobs::open) with options.
    pub async fn open_with(path: impl AsRef<Path>, options: JobsOptions) -> Result<Jobs> {
        let path = path.as_ref().to_owned();
        let file = path.clone();
        let opened = tokio::task::spawn_blocking(move || Sqlite::open(file)).await;
        let sqlite = Arc::new(opened.map_err(|join| Error::new(ErrorKind::Contract, "cannot open the jobs").with_source(join))??);
        let mut folder = path.into_os_string();
        folder.push(".files");
        Jobs::over(sqlite.clone(), sqlite, PathBuf::from(folder), options).await
    }

    /// Jobs in Redis or Valkey, for workers on many machines. `url` is
    /// `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or begins with `rediss://` for TLS. `folder` is
    /// where workers leave documents and rendered clips for each other: all of them must reach it
    /// under this path.
    ///
    /// # Errors
    ///
    /// Those of [`Redis::connect`](super::Redis::connect), and [`Error::io`] for the folder.
    #[cfg(feature = "jobs-bullmq")]
    pub async fn redis(url: &str, folder: impl Into<PathBuf>) -> Result<Jobs> {
        Jobs::redis_with(url, folder, super::RedisOptions::default()).await
    }

    /// [`redis`](Jobs::redis) with options.
    #[cfg(feature = "jobs-bullmq")]
    pub async fn redis_with(url: &str, folder: impl Into<PathBuf>, options: super::RedisOptions) -> Result<Jobs> {
        let folder = folder.into();
        let redis = Arc::new(super::Redis::connect(url, folder.join("jobs"), &options.prefix).await?);
        Jobs::over(redis.clone(), redis, folder, options.jobs).await
    }

    /// Jobs over an engine and records of another kind. `folder` is where workers leave documents
    /// and rendered clips for each other; all of them must reach it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the options are impossible, and [`Error::io`] for the folder.
    pub async fn over(
        engine: Arc<dyn Engine>,
        records: Arc<dyn Records>,
        folder: impl Into<PathBuf>,
        options: JobsOptions,
    ) -> Result<Jobs> {
        options.policy.check()?;
        let workspace = Workspace::open(folder.into()).await?;
        Ok(Jobs { shared: Arc::new(Shared { engine, records, workspace, options }) })
    }

    /// The queue.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.shared.engine
    }

    /// The folder beside the jobs.
    pub(crate) fn folder(&self) -> &Path {
        self.shared.workspace.folder()
    }

    /// The free bytes of the disk, if they are known, and the bytes below which work is refused.
    pub(crate) fn space(&self) -> (Option<u64>, u64) {
        (self.shared.workspace.free_bytes(), self.shared.options.min_free)
    }

    /// A job. `None` if there is none with this id.
    pub async fn get(&self, id: &JobId) -> Result<Option<JobStatus>> {
        match self.shared.records.get(id).await? {
            Some(record) => self.status(record).await.map(Some),
            None => Ok(None),
        }
    }

    /// The jobs that match, the newest first.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<JobStatus>> {
        let most = filter.most.unwrap_or(usize::MAX);
        let mut page = filter.clone();
        if let Some(state) = filter.state {
            // The state of a job follows from its tasks, so records are looked at until there are
            // enough.
            page.open = Some(!state.is_over());
            page.most = Some(LIST_PAGE);
        }
        let mut all = Vec::new();
        loop {
            let records = self.shared.records.list(&page).await?;
            let (count, last) = (records.len(), records.last().map(|record| record.id.clone()));
            for record in records {
                let status = self.status(record).await?;
                if filter.state.is_none_or(|state| status.state == state) {
                    all.push(status);
                }
                if all.len() >= most {
                    return Ok(all);
                }
            }
            if filter.state.is_none() || count < LIST_PAGE {
                return Ok(all);
            }
            page.before = last;
        }
    }

    async fn status(&self, record: JobRecord) -> Result<JobStatus> {
        let tasks = self.shared.engine.list(&TaskFilter::of_job(&record.id)).await?;
        let over = tasks.iter().filter(|task| task.state.is_over()).count();
        let state = match &record.end {
            Some(end) => end.state,
            None if tasks.iter().any(|task| task.state == TaskState::Active || task.starts > 0) => JobState::Active,
            None if tasks.iter().any(|task| task.state == TaskState::Delayed) => JobState::Delayed,
            None => JobState::Waiting,
        };
        let JobRecord { id, job, created, end } = record;
        let (ended, error, manifest) = end.map_or((None, None, None), |end| (end.at, end.error, end.manifest));
        Ok(JobStatus {
            id,
            uri: job.uri,
            user: job.user,
            priority: job.priority,
            state,
            tasks_done: over,
            tasks: tasks.len(),
            created,
            ended,
            error,
            manifest: manifest.map(|manifest| *manifest),
        })
    }

    /// Cancels a job. Its running tasks stop within a second and leave no partial file; published
    /// clips stay. `false` means that it has already ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such job.
    pub async fn cancel(&self, id: &JobId) -> Result<bool> {
        self.known(id).await?;
        let Shared { records, engine, .. } = &*self.shared;
        let ended = records.end(id, Some(&JobEnd::new(JobState::Cancelled, None, None))).await?;
        engine.cancel(id).await?;
        if ended {
            let event = JobMilestone::Ended { state: JobState::Cancelled, clips: 0 };
            records.append(id, &[NewEvent::Job(event)]).await?;
        }
        Ok(ended)
    }

    /// Runs the dead and cancelled tasks of a job again. What is stored is not made again. `false`
    /// means that there was nothing to run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such job.
    pub async fn retry(&self, id: &JobId) -> Result<bool> {
        let record = self.known(id).await?;
        let tasks = self.shared.engine.list(&TaskFilter::of_job(id)).await?;
        let mut again = false;
        for task in tasks.iter().filter(|task| matches!(task.state, TaskState::Dead | TaskState::Cancelled)) {
            again |= task.id.step() != Step::Conclude && self.replay(&task.id).await?;
        }
        let stopped = record.end.is_some_and(|end| end.state != JobState::Done);
        if !again && stopped {
            // It ended before a task was added, or its last task is to be done again.
            self.reopen(id).await?;
            again = true;
        }
        Ok(again)
    }

    /// Removes a job that has ended: record, events, tasks, documents. Published clips stay.
    /// `false` means that there is no such job.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the job has not ended.
    pub async fn remove(&self, id: &JobId) -> Result<bool> {
        let Shared { records, engine, workspace, .. } = &*self.shared;
        let Some(record) = records.get(id).await? else { return Ok(false) };
        let tasks = engine.list(&TaskFilter::of_job(id)).await?;
        if record.end.is_none() || tasks.iter().any(|task| !task.state.is_over()) {
            return Err(Error::new(ErrorKind::Config, format!("the job {id} has not ended")).with_advice("cancel it first"));
        }
        let clips = tasks.iter().filter_map(|task| task.id.step().rank()).max().unwrap_or(0);
        let target = |task: &Task| if let Step::Publish(_, target) = task.id.step() { target + 1 } else { 0 };
        workspace.forget(id, clips, tasks.iter().map(target).max().unwrap_or(0)).await?;
        for task in &tasks {
            engine.remove(&task.id).await?;
        }
        records.remove(id).await
    }

    /// The events of a job with numbers above `since`, in order. 0 gives all, at most 10 000 at a
    /// time.
    pub async fn events(&self, id: &JobId, since: u64) -> Result<Vec<JobEvent>> {
        self.shared.records.events(id, since, MOST_EVENTS).await
    }

    /// The dead letters: tasks that failed on all their attempts, each with its last error.
    pub async fn dead_letters(&self) -> Result<Vec<Task>> {
        self.shared.engine.list(&TaskFilter::in_state(TaskState::Dead)).await
    }

    /// Runs a dead letter again. `false` means that there is no such dead letter.
    pub async fn replay(&self, task: &TaskId) -> Result<bool> {
        let replayed = self.shared.engine.replay(task).await?;
        if replayed {
            self.reopen(task.job()).await?;
        }
        Ok(replayed)
    }

    /// Removes a dead letter. Its job stays as it is. `false` means that there is no such dead
    /// letter.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the job has not ended, since it needs the task's error for its
    /// manifest.
    pub async fn discard(&self, task: &TaskId) -> Result<bool> {
        if self.shared.records.get(task.job()).await?.is_some_and(|record| record.end.is_none()) {
            return Err(Error::new(ErrorKind::Config, format!("the job {} has not ended", task.job())).with_advice("wait, or cancel it"));
        }
        let of_job = self.shared.engine.list(&TaskFilter::of_job(task.job())).await?;
        let is_dead = of_job.iter().any(|known| known.id == *task && known.state == TaskState::Dead);
        if is_dead { self.shared.engine.remove(task).await } else { Ok(false) }
    }

    /// Stops a queue: its tasks wait. Running tasks go on.
    pub async fn pause(&self, queue: &str) -> Result<()> {
        self.shared.engine.pause(queue_name(queue)?).await
    }

    /// Lets a paused queue go on.
    pub async fn resume(&self, queue: &str) -> Result<()> {
        self.shared.engine.resume(queue_name(queue)?).await
    }

    /// Marks a job as not ended. The task that ends it is to be done again.
    pub(super) async fn reopen(&self, id: &JobId) -> Result<()> {
        self.shared.engine.remove(&TaskId::new(id.clone(), Step::Conclude)).await?;
        self.shared.records.end(id, None).await.map(drop)
    }

    pub(super) async fn known(&self, id: &JobId) -> Result<JobRecord> {
        let found = self.shared.records.get(id).await?;
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no job {id}")).with_advice("list the jobs"))
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").field("workspace", &self.shared.workspace).finish_non_exhaustive()
    }
}

fn queue_name(name: &str) -> Result<&str> {
    match Step::QUEUES.contains(&name) {
        true => Ok(name),
        false => Err(Error::new(ErrorKind::Config, format!("there is no queue {name:?}"))
            .with_advice(format!("give one of {}", Step::QUEUES.join(", ")))),
    }
}
