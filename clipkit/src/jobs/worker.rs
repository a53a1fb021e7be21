use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Claim, JobFilter, JobRecord, Jobs, Serving, Step, WorkerOptions};
use crate::config::AnyStage;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::pipeline::{Degrade, Pipeline};

/// The wait between two claims when there is nothing to do.
const IDLE: Duration = Duration::from_millis(100);
/// How often what is missing in the queue is looked for.
const RECONCILE: Duration = Duration::from_secs(60);
/// How long handed back tasks have to stop at the end.
const STOP: Duration = Duration::from_millis(1500);
/// Pipelines that are kept for the next task.
const PIPELINES: usize = 16;

/// Does the tasks of jobs, in this process. Any number of workers, in any processes of the machine,
/// can serve the same jobs.
///
/// - A worker serves all queues or some ([`stages`](Worker::stages)), each with a limit
///   ([`WorkerOptions`]).
/// - A stage whose result is stored does not run again, also if the worker was killed.
/// - A task whose stage shows no progress for a time (`stall` of [`WorkerOptions`]) is stopped and
///   counted as failed. If it does not stop, [`run`](Worker::run) returns an error, since a thread
///   hangs: the process should end then.
/// - A failing stage is retried. Only when no attempt is left may a stand-in replace it
///   ([`Degrade`]).
pub struct Worker {
    jobs: Jobs,
    options: WorkerOptions,
    stages: BTreeMap<String, AnyStage>,
}

impl Worker {
    /// A worker with default options that serves all queues.
    pub fn new(jobs: Jobs) -> Self {
        Worker { jobs, options: WorkerOptions::default(), stages: BTreeMap::new() }
    }

    /// Sets the options.
    #[must_use]
    pub fn options(mut self, options: WorkerOptions) -> Self {
        self.options = options;
        self
    }

    /// Serves only these queues: `fetch`, `transcribe`, `score`, `track`, `render`, `publish`.
    #[must_use]
    pub fn stages(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.stages = names.into_iter().map(Into::into).collect();
        self
    }

    /// Registers a custom stage. Jobs name it in [`Job::stages`](super::Job::stages).
    #[must_use]
    pub fn stage(mut self, name: impl Into<String>, stage: AnyStage) -> Self {
        self.stages.insert(name.into(), stage);
        self
    }

    /// Works until `cx` is cancelled or, with [`WorkerOptions::until_idle`], until no job is open.
    /// When it is cancelled, it stops within 10 s: tasks that end in time are completed, others are
    /// handed back, which counts as no attempt.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for impossible options, errors of the queue that no retry helps
    /// against, and [`ErrorKind::TimedOut`] if a stage hangs.
    pub async fn run(self, cx: &Context) -> Result<()> {
        self.options.check()?;
        let name = format!("{}-{:04x}", std::process::id(), fastrand::u16(..));
        let Worker { jobs, options, stages } = self;
        let crew = Crew { jobs, options, stages, name, cx: cx.clone(), hung: AtomicBool::new(false), pipelines: Mutex::default() };
        Arc::new(crew).run().await
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("options", &self.options).field("stages", &self.stages.keys()).finish_non_exhaustive()
    }
}

/// What the tasks of a worker share.
pub(super) struct Crew {
    pub(super) jobs: Jobs,
    pub(super) options: WorkerOptions,
    stages: BTreeMap<String, AnyStage>,
    name: String,
    pub(super) cx: Context,
    /// Whether a task did not stop.
    pub(super) hung: AtomicBool,
    pipelines: Mutex<HashMap<String, Pipeline>>,
}

impl Crew {
    async fn run(self: Arc<Self>) -> Result<()> {
        // Cancelled when running tasks must be handed back.
        let hand_back = Context::new();
        let mut running: JoinSet<&'static str> = JoinSet::new();
        let mut slots: HashMap<&'static str, usize> = HashMap::new();
        let mut reconciled: Option<Instant> = None;
        let ended = loop {
            if self.cx.is_cancelled() {
                break Ok(());
            }
            if self.hung.load(Ordering::Relaxed) {
                break Err(Error::new(ErrorKind::TimedOut, "a stage hangs and cannot be stopped in this process")
                    .with_recovery(Recovery::Retry { after: None })
                    .with_advice("end this process and start a worker again"));
            }
            while let Some(done) = running.try_join_next() {
                release(&mut slots, done);
            }
            if reconciled.is_none_or(|last| last.elapsed() > RECONCILE) {
                match self.reconcile().await {
                    Err(error) if is_passing(&error) => tracing::warn!("the queue could not be checked: {error}"),
                    Err(error) => break Err(error),
                    Ok(()) => {}
                }
                reconciled = Some(Instant::now());
            }
            match self.claim(&slots).await {
                Ok(Some(claimed)) => {
                    let queue = claimed.held.id.step().queue();
                    *slots.entry(queue).or_insert(0) += 1;
                    let (crew, hand_back) = (self.clone(), hand_back.clone());
                    running.spawn(async move {
                        crew.serve(claimed, &hand_back).await;
                        queue
                    });
                }
                Ok(None) => {
                    if running.is_empty() && self.options.until_idle && self.is_idle().await.unwrap_or(false) {
                        break Ok(());
                    }
                    tokio::select! {
                        () = self.cx.cancelled() => {}
                        Some(done) = running.join_next() => release(&mut slots, done),
                        () = tokio::time::sleep(IDLE) => {}
                    }
                }
                Err(error) if is_passing(&error) => {
                    tracing::warn!("no task could be claimed: {error}");
                    let _ = self.cx.sleep(IDLE * 10).await;
                }
                Err(error) => break Err(error),
            }
        };
        if ended.is_err() || !drained(&mut running, self.options.grace).await {
            hand_back.cancel();
            drained(&mut running, STOP).await;
        }
        ended
    }

    async fn claim(&self, slots: &HashMap<&'static str, usize>) -> Result<Option<super::Claimed>> {
        let options = &self.options;
        let has_slot = |queue: &&str| slots.get(queue).copied().unwrap_or(0) < options.limit(queue);
        let serving = options.queues().into_iter().filter(has_slot).map(|queue| {
            let mut serving = Serving::new(queue);
            serving.rate = options.rate(queue);
            serving.per_lane = (queue == "publish").then_some(options.per_target);
            serving
        });
        self.jobs.shared.engine.claim(&Claim::new(&self.name, serving.collect(), options.lease)).await
    }

    async fn is_idle(&self) -> Result<bool> {
        self.jobs.shared.records.recover().await?;
        let mut open = JobFilter { open: Some(true), ..JobFilter::default() };
        open.most = Some(1);
        Ok(self.jobs.shared.records.list(&open).await?.is_empty())
    }

    /// The pipeline of a job. Pipelines are kept, since their stages may hold models.
    pub(super) async fn pipeline(&self, cx: &Context, record: &JobRecord, degrade: Degrade) -> Result<Pipeline> {
        let job = &record.job;
        let mut config = job.config.clone();
        if !job.publish.is_empty() {
            config.publishers = job.publish.clone();
        }
        config.options.degrade = Some(degrade);
        let key = serde_json::to_string(&(&config, &job.stages))
            .map_err(|error| Error::new(ErrorKind::Config, format!("the configuration of this job cannot be written: {error}")))?;
        let kept = || self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = kept().get(&key) {
            return Ok(pipeline.clone());
        }
        let mut builder = Pipeline::builder();
        for name in &job.stages {
            let Some(stage) = self.stages.get(name) else {
                return Err(Error::new(ErrorKind::Unavailable, format!("this worker does not have the stage {name:?}"))
                    .with_recovery(Recovery::Retry { after: Some(Duration::from_secs(5)) })
                    .with_advice("start a worker that registers it"));
            };
            builder = stage.clone().give(builder);
        }
        let pipeline = builder.complete(cx, &config).await?;
        let mut kept = kept();
        if kept.len() >= PIPELINES {
            kept.clear();
        }
        kept.insert(key, pipeline.clone());
        Ok(pipeline)
    }

    /// The stand-ins that a job allows when no attempt is left.
    pub(super) fn last_resort(record: &JobRecord, step: Step) -> Option<Degrade> {
        let allowed = record.job.config.options.degrade.unwrap_or_default();
        let has_stand_in = matches!(step, Step::Transcribe | Step::Score | Step::Track(_) | Step::Render(_));
        (has_stand_in && allowed != Degrade::NEVER).then_some(allowed)
    }
}

/// Whether the tasks end within `time`.
async fn drained(running: &mut JoinSet<&'static str>, time: Duration) -> bool {
    let all = async { while running.join_next().await.is_some() {} };
    tokio::time::timeout(time, all).await.is_ok()
}

fn release(slots: &mut HashMap<&'static str, usize>, done: std::result::Result<&'static str, tokio::task::JoinError>) {
    // A task that panics is counted when its lease runs out; its slot stays taken, so that a worker
    // with a defect slows down.
    if let Ok(queue) = done {
        slots.entry(queue).and_modify(|taken| *taken = taken.saturating_sub(1));
    }
}

/// Whether a call on the queue can be made again.
pub(super) fn is_passing(error: &Error) -> bool {
    matches!(error.recovery(), Recovery::Retry { .. })
}

/// Makes a call on the queue again while another process locks it or the disk is full.
pub(super) async fn insist<T, F: Future<Output = Result<T>>>(call: impl Fn() -> F) -> Result<T> {
    let mut wait = Duration::from_millis(50);
    loop {
        match call().await {
            Err(error) if is_passing(&error) && wait < Duration::from_secs(2) => {
                tracing::warn!("the queue could not be written: {error}");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            answer => return answer,
        }
    }
}
