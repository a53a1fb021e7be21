//! Jobs and their workers. Documents are JSON.

use std::path::PathBuf;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use serde::Serialize;

use clipkit::jobs::{self, JobId, TaskId, WorkerOptions};
use clipkit::plan::edit::EditOp;
use clipkit::stage::AnyStage;
use clipkit::{ErrorKind, Result};

use crate::context::Context;
use crate::document::{Document, Text, read};
use crate::error::exception;
use crate::stage::Stage;

type Answer<'env> = napi::Result<PromiseRaw<'env, Document>>;

/// Jobs in a queue.
#[napi]
pub struct Jobs {
    jobs: jobs::Jobs,
}

#[napi]
impl Jobs {
    /// Opens the jobs in a file. `options` are `JobsOptions` as JSON.
    #[napi]
    pub fn open<'env>(env: &'env Env, db: String, options: String) -> napi::Result<PromiseRaw<'env, Jobs>> {
        let options = read(ErrorKind::Config, "the options of jobs", &options).map_err(exception)?;
        env.spawn_future(
            async move { jobs::Jobs::open_with(PathBuf::from(db), options).await.map(|jobs| Jobs { jobs }).map_err(exception) },
        )
    }

    /// Opens the jobs in a Redis. `options` are `JobsOptions` as JSON.
    #[napi]
    pub fn redis<'env>(
        env: &'env Env,
        url: String,
        folder: String,
        prefix: Option<String>,
        options: String,
    ) -> napi::Result<PromiseRaw<'env, Jobs>> {
        let mut with = jobs::RedisOptions::default();
        with.jobs = read(ErrorKind::Config, "the options of jobs", &options).map_err(exception)?;
        with.prefix = prefix.unwrap_or(with.prefix);
        env.spawn_future(async move {
            jobs::Jobs::redis_with(&url, PathBuf::from(folder), with).await.map(|jobs| Jobs { jobs }).map_err(exception)
        })
    }

    /// Takes a job, returns its id.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn submit<'env>(&self, env: &'env Env, job: &mut Text) -> Answer<'env> {
        let job = job.take();
        self.call(env, |jobs| async move { jobs.submit(read(ErrorKind::Config, "a job", &job)?).await })
    }

    /// Returns a job, or null.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn get<'env>(&self, env: &'env Env, id: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.get(&id.parse::<JobId>()?).await })
    }

    /// Takes a filter as JSON, returns the jobs, the newest first.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn list<'env>(&self, env: &'env Env, filter: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.list(&read(ErrorKind::Config, "a filter of jobs", &filter)?).await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn cancel<'env>(&self, env: &'env Env, id: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.cancel(&id.parse::<JobId>()?).await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn retry<'env>(&self, env: &'env Env, id: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.retry(&id.parse::<JobId>()?).await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn remove<'env>(&self, env: &'env Env, id: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.remove(&id.parse::<JobId>()?).await })
    }

    /// The events of a job with numbers above `since`.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn events<'env>(&self, env: &'env Env, id: String, since: f64) -> Answer<'env> {
        // A number of JavaScript; events are counted from 1.
        let since = since.max(0.0) as u64;
        self.call(env, move |jobs| async move { jobs.events(&id.parse::<JobId>()?, since).await })
    }

    /// The clips of a job.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn clips<'env>(&self, env: &'env Env, id: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.clips(&id.parse::<JobId>()?).await })
    }

    /// Takes operations, returns the plan and what changed.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn edit_clip<'env>(&self, env: &'env Env, id: String, rank: u32, ops: &mut Text, dry_run: bool) -> Answer<'env> {
        let ops = ops.take();
        self.call(env, move |jobs| async move {
            let (id, rank) = (id.parse::<JobId>()?, rank as usize);
            let ops: Vec<EditOp> = read(ErrorKind::InvalidInput, "a list of operations", &ops)?;
            if dry_run { jobs.preview_edit(&id, rank, &ops).await } else { jobs.edit_clip(&id, rank, &ops).await }
        })
    }

    /// A signed link to a clip in an object store. `valid` is in seconds.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn link<'env>(&self, env: &'env Env, cx: &Context, id: String, rank: u32, valid: Option<f64>) -> Answer<'env> {
        let cx = cx.cx.clone();
        let valid = valid.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
        self.call(env, move |jobs| async move { jobs.link(&cx, &id.parse::<JobId>()?, rank as usize, valid).await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn dead_letters<'env>(&self, env: &'env Env) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.dead_letters().await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn replay<'env>(&self, env: &'env Env, task: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.replay(&task.parse::<TaskId>()?).await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn discard<'env>(&self, env: &'env Env, task: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.discard(&task.parse::<TaskId>()?).await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn pause<'env>(&self, env: &'env Env, queue: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.pause(&queue).await })
    }

    #[napi(ts_return_type = "Promise<Document>")]
    pub fn resume<'env>(&self, env: &'env Env, queue: String) -> Answer<'env> {
        self.call(env, |jobs| async move { jobs.resume(&queue).await })
    }
}

impl Jobs {
    /// Makes a call and converts its answer.
    fn call<'env, T, F>(&self, env: &'env Env, call: impl FnOnce(jobs::Jobs) -> F) -> Answer<'env>
    where
        T: Serialize + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let answer = call(self.jobs.clone());
        env.spawn_future(async move { answer.await.and_then(|answer| Document::of(&answer)).map_err(exception) })
    }
}

/// Does the steps of jobs.
#[napi]
pub struct Worker {
    jobs: jobs::Jobs,
    options: WorkerOptions,
    stages: Vec<(String, AnyStage)>,
}

#[napi]
impl Worker {
    /// `options` are `WorkerOptions` as JSON.
    #[napi(constructor)]
    pub fn new(jobs: &Jobs, options: String) -> napi::Result<Self> {
        let options = read(ErrorKind::Config, "the options of a worker", &options).map_err(exception)?;
        Ok(Worker { jobs: jobs.jobs.clone(), options, stages: Vec::new() })
    }

    /// Registers a custom stage under a name.
    #[napi]
    pub fn stage(&mut self, name: String, stage: &Stage) {
        self.stages.push((name, stage.any.clone()));
    }

    /// Works until the context is cancelled.
    #[napi]
    pub fn run<'env>(&self, env: &'env Env, cx: &Context) -> napi::Result<PromiseRaw<'env, ()>> {
        let worker = jobs::Worker::new(self.jobs.clone()).options(self.options.clone());
        let worker = self.stages.iter().cloned().fold(worker, |worker, (name, stage)| worker.stage(name, stage));
        let cx = cx.cx.clone();
        env.spawn_future(async move { worker.run(&cx).await.map_err(exception) })
    }
}
