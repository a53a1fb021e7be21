//! Jobs and their workers. Documents are plain dicts.

use std::path::PathBuf;
use std::time::Duration;

use clipkit::jobs::{self, Job, JobFilter, JobId, JobsOptions, TaskId, WorkerOptions};
use clipkit::plan::edit::EditOp;
use clipkit::stage::AnyStage;
use pyo3::prelude::*;
use serde::Serialize;

use crate::context::{self, Context};
use crate::convert;
use crate::runtime::{self, Work};
use crate::stage::Stage;

/// Documents of this module have no class of their own: they are dicts.
const PLAIN: &str = "";

/// Jobs in a queue.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Jobs {
    jobs: jobs::Jobs,
}

impl Jobs {
    /// Starts one call on the jobs.
    fn start<T, F>(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, work: impl FnOnce(jobs::Jobs) -> F) -> PyResult<Work>
    where
        T: Serialize + Send + 'static,
        F: Future<Output = clipkit::Result<T>> + Send + 'static,
    {
        self.start_within(py, call, cx, |jobs, _| work(jobs), |py, answer| convert::to_python(py, PLAIN, &answer))
    }

    /// Starts one call that needs the context, or whose answer is more than one document.
    fn start_within<T, F>(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        work: impl FnOnce(jobs::Jobs, clipkit::Context) -> F,
        convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Work>
    where
        T: Send + 'static,
        F: Future<Output = clipkit::Result<T>> + Send + 'static,
    {
        let cx = context::of_call(cx, &call, py);
        let work = work(self.jobs.clone(), cx.clone());
        runtime::start(py, call, cx, work, convert)
    }
}

fn job_id(id: &Bound<'_, PyAny>) -> PyResult<JobId> {
    convert::document(id, "the id of a job")
}

fn task_id(id: &Bound<'_, PyAny>) -> PyResult<TaskId> {
    convert::document(id, "the id of a task")
}

#[pymethods]
impl Jobs {
    /// Opens the jobs in a file.
    #[staticmethod]
    fn start_open(py: Python<'_>, call: Py<PyAny>, cx: &Context, db: PathBuf, options: &Bound<'_, PyAny>) -> PyResult<Work> {
        let options: JobsOptions = convert::setting(options, "the options of jobs")?;
        let cx = context::of_call(cx, &call, py);
        let work = async move { jobs::Jobs::open_with(db, options).await };
        runtime::start(py, call, cx, work, |py, jobs| Ok(Py::new(py, Jobs { jobs })?.into_any()))
    }

    /// Opens the jobs in a Redis.
    #[staticmethod]
    fn start_redis(
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        url: String,
        folder: PathBuf,
        prefix: Option<String>,
        options: &Bound<'_, PyAny>,
    ) -> PyResult<Work> {
        let mut with = jobs::RedisOptions::default();
        with.jobs = convert::setting(options, "the options of jobs")?;
        with.prefix = prefix.unwrap_or(with.prefix);
        let cx = context::of_call(cx, &call, py);
        let work = async move { jobs::Jobs::redis_with(&url, folder, with).await };
        runtime::start(py, call, cx, work, |py, jobs| Ok(Py::new(py, Jobs { jobs })?.into_any()))
    }

    /// Submits a job; the answer is its id.
    fn start_submit(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, job: &Bound<'_, PyAny>) -> PyResult<Work> {
        let job: Job = convert::setting(job, "a job")?;
        self.start(py, call, cx, |jobs| async move { jobs.submit(job).await })
    }

    /// A job, or `None`.
    fn start_get(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, id: &Bound<'_, PyAny>) -> PyResult<Work> {
        let id = job_id(id)?;
        self.start(py, call, cx, |jobs| async move { jobs.get(&id).await })
    }

    /// The jobs that match, the newest first.
    fn start_list(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, filter: &Bound<'_, PyAny>) -> PyResult<Work> {
        let filter: JobFilter = convert::setting(filter, "a filter of jobs")?;
        self.start(py, call, cx, |jobs| async move { jobs.list(&filter).await })
    }

    /// Cancels a job.
    fn start_cancel(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, id: &Bound<'_, PyAny>) -> PyResult<Work> {
        let id = job_id(id)?;
        self.start(py, call, cx, |jobs| async move { jobs.cancel(&id).await })
    }

    /// Runs the failed and cancelled steps of a job again.
    fn start_retry(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, id: &Bound<'_, PyAny>) -> PyResult<Work> {
        let id = job_id(id)?;
        self.start(py, call, cx, |jobs| async move { jobs.retry(&id).await })
    }

    /// Removes a job that has ended.
    fn start_remove(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, id: &Bound<'_, PyAny>) -> PyResult<Work> {
        let id = job_id(id)?;
        self.start(py, call, cx, |jobs| async move { jobs.remove(&id).await })
    }

    /// The events of a job after a number.
    fn start_events(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, id: &Bound<'_, PyAny>, since: u64) -> PyResult<Work> {
        let id = job_id(id)?;
        self.start(py, call, cx, move |jobs| async move { jobs.events(&id, since).await })
    }

    /// The clips of a job.
    fn start_clips(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, id: &Bound<'_, PyAny>) -> PyResult<Work> {
        let id = job_id(id)?;
        self.start(py, call, cx, |jobs| async move { jobs.clips(&id).await })
    }

    /// Changes the plan of a clip, or says what would change. The answer is the plan and the
    /// changes.
    #[allow(clippy::too_many_arguments)] // What Python passes.
    fn start_edit_clip(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        id: &Bound<'_, PyAny>,
        rank: usize,
        ops: &Bound<'_, PyAny>,
        dry_run: bool,
    ) -> PyResult<Work> {
        let (id, ops): (_, Vec<EditOp>) = (job_id(id)?, convert::document(ops, "a list of operations")?);
        let work = move |jobs: jobs::Jobs, _| async move {
            if dry_run { jobs.preview_edit(&id, rank, &ops).await } else { jobs.edit_clip(&id, rank, &ops).await }
        };
        self.start_within(py, call, cx, work, |py, edited| {
            let parts = (convert::to_python(py, "ClipPlan", &edited.plan)?, convert::to_python(py, "EditChanges", &edited.changes)?);
            Ok(parts.into_pyobject(py)?.into_any().unbind())
        })
    }

    /// A signed link to a clip in an object store. `valid` is in seconds.
    fn start_link(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        id: &Bound<'_, PyAny>,
        rank: usize,
        valid: Option<f64>,
    ) -> PyResult<Work> {
        let (id, valid) = (job_id(id)?, valid.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()));
        let work = move |jobs: jobs::Jobs, cx| async move { jobs.link(&cx, &id, rank, valid).await };
        self.start_within(py, call, cx, work, |py, link| convert::to_python(py, PLAIN, &link))
    }

    /// The dead letters.
    fn start_dead_letters(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context) -> PyResult<Work> {
        self.start(py, call, cx, |jobs| async move { jobs.dead_letters().await })
    }

    /// Runs a dead letter again.
    fn start_replay(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, task: &Bound<'_, PyAny>) -> PyResult<Work> {
        let task = task_id(task)?;
        self.start(py, call, cx, |jobs| async move { jobs.replay(&task).await })
    }

    /// Removes a dead letter.
    fn start_discard(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, task: &Bound<'_, PyAny>) -> PyResult<Work> {
        let task = task_id(task)?;
        self.start(py, call, cx, |jobs| async move { jobs.discard(&task).await })
    }

    /// Stops a queue.
    fn start_pause(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, queue: String) -> PyResult<Work> {
        self.start(py, call, cx, |jobs| async move { jobs.pause(&queue).await })
    }

    /// Lets a paused queue go on.
    fn start_resume(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, queue: String) -> PyResult<Work> {
        self.start(py, call, cx, |jobs| async move { jobs.resume(&queue).await })
    }

    /// Works until it is cancelled, in order: running steps end or are handed back. `stages` are
    /// custom stages with their names.
    fn start_work(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        options: &Bound<'_, PyAny>,
        stages: Vec<(String, Py<Stage>)>,
    ) -> PyResult<Work> {
        let options: WorkerOptions = convert::setting(options, "the options of a worker")?;
        let named = stages.iter().map(|(name, stage)| (name.clone(), stage.get().any.clone()));
        let worker = named.fold(jobs::Worker::new(self.jobs.clone()).options(options), |worker, (name, stage): (String, AnyStage)| {
            worker.stage(name, stage)
        });
        let cx = context::of_call(cx, &call, py);
        let under = cx.clone();
        let work = async move { worker.run(&under).await };
        runtime::start(py, call, cx, work, |py, ()| Ok(py.None()))
    }
}
