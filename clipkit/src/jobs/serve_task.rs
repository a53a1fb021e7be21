//! One claimed task, from its claim to its write-back.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tracing::Instrument;

use super::steps::{StepRun, successors};
use super::worker::{Crew, insist};
use super::{Claimed, Decision, Held, JobMilestone, JobRecord, NewEvent, Standing, Step, conclude, decide};
use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::Stage;
use crate::pipeline::Degrade;

/// How often a running task is looked after: its standing, its progress, its events.
const TICK: Duration = Duration::from_millis(200);
/// The least time between two progress events of a stage and clip.
const PACE: Duration = Duration::from_millis(500);
/// Stages that are cancelled and return later than this were abandoned by the pipeline.
const ABANDONED: Duration = Duration::from_millis(650);

/// Why a task was stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// Its job was cancelled.
    Cancelled,
    /// Another worker has it.
    Lost,
    /// It showed no progress.
    Stalled,
    /// The worker ends.
    HandBack,
}

/// What a running task tells: events to keep, and the time of the last one.
#[derive(Clone)]
pub(super) struct Signs {
    events: Arc<Mutex<Vec<NewEvent>>>,
    last: Arc<Mutex<Instant>>,
}

impl Signs {
    fn new() -> Self {
        Signs { events: Arc::default(), last: Arc::new(Mutex::new(Instant::now())) }
    }

    fn listener(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let signs = self.clone();
        let told: Mutex<HashMap<(Stage, Option<usize>), Instant>> = Mutex::default();
        move |event: &Event| {
            *signs.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            if let Event::Progress { stage, clip, .. } = event {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let key = (*stage, *clip);
                if told.get(&key).is_some_and(|last| last.elapsed() < PACE) {
                    return;
                }
                told.insert(key, Instant::now());
            }
            signs.keep(NewEvent::Stage(event.clone()));
        }
    }

    fn keep(&self, event: NewEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// The events that are not written down yet.
    pub(super) fn take(&self) -> Vec<NewEvent> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn silence(&self) -> Duration {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Crew {
    /// Does a claimed task and writes back what came of it.
    pub(super) async fn serve(self: &Arc<Self>, claimed: Claimed, hand_back: &Context) {
        let id = claimed.held.id.clone();
        let span =
            tracing::info_span!("task", job = %id.job(), step = id.step().queue(), clip = id.step().rank(), attempt = claimed.attempt);
        let served = self.served(&claimed, hand_back).instrument(span).await;
        if let Err(error) = served {
            // The lease runs out, and the task is tried again.
            tracing::error!(task = %id, "the result of a task could not be written back: {error}");
        }
    }

    async fn served(self: &Arc<Self>, claimed: &Claimed, hand_back: &Context) -> Result<()> {
        let shared = &self.jobs.shared;
        let (held, step, none) = (&claimed.held, claimed.held.id.step(), Error::cancelled().report());
        let record = insist(|| shared.records.get(held.id.job())).await?;
        let Some(record) = record.filter(|record| record.end.is_none()) else {
            // The job ended or was removed meanwhile.
            return insist(|| shared.engine.fail(held, &none, Decision::Done)).await.map(drop);
        };
        let record = Arc::new(record);
        let signs = Signs::new();
        let (mut answer, mut stopped) = self.attempt(&record, held, Degrade::NEVER, &signs, hand_back).await;
        let mut decision = Decision::Done;
        if let Err(error) = &answer {
            decision = self.decision(error, claimed.attempt);
            let resort = Crew::last_resort(&record, step).filter(|_| decision == Decision::Dead && stopped.is_none());
            if let Some(degrade) = resort {
                tracing::warn!("no attempt is left: {error}; a stand-in is tried");
                (answer, stopped) = self.attempt(&record, held, degrade, &signs, hand_back).await;
                if let Err(error) = &answer {
                    decision = self.decision(error, claimed.attempt);
                }
            }
        }
        match (answer, stopped) {
            (_, Some(Stopped::Lost)) => Ok(()),
            (Ok(()), _) => {
                self.flush(&record, &signs).await;
                let pipeline = self.pipeline(&self.cx, &record, Degrade::NEVER).await?;
                let next = insist(|| successors(&self.jobs, &record, &pipeline, step)).await?;
                if insist(|| shared.engine.complete(held, &next)).await? && next.is_empty() && step != Step::Conclude {
                    insist(|| self.advance(&record)).await?;
                }
                Ok(())
            }
            (Err(_), Some(Stopped::Cancelled)) => insist(|| shared.engine.fail(held, &none, Decision::Done)).await.map(drop),
            (Err(_), Some(Stopped::HandBack)) => {
                let again = Decision::Later { at: SystemTime::now(), counts: false };
                insist(|| shared.engine.fail(held, &none, again)).await.map(drop)
            }
            (Err(error), _) => {
                tracing::warn!("a task failed: {error}; {decision:?}");
                let again = matches!(decision, Decision::Later { .. });
                let (task, clip, attempt, report) = (step.queue().to_owned(), step.rank(), claimed.attempt, error.report());
                signs.keep(NewEvent::Job(JobMilestone::Failed { task, clip, attempt, again, error: report.clone() }));
                self.flush(&record, &signs).await;
                if insist(|| shared.engine.fail(held, &report, decision)).await? && !again {
                    insist(|| self.advance(&record)).await?;
                }
                Ok(())
            }
        }
    }

    fn decision(&self, error: &Error, attempt: u32) -> Decision {
        decide(error, attempt, &self.jobs.shared.options.policy, SystemTime::now())
    }

    /// One run of a step under a context of its own, watched.
    async fn attempt(
        self: &Arc<Self>,
        record: &Arc<JobRecord>,
        held: &Held,
        degrade: Degrade,
        signs: &Signs,
        hand_back: &Context,
    ) -> (Result<()>, Option<Stopped>) {
        let (step, began) = (held.id.step(), Instant::now());
        let cx = self.context(record, step, signs).await;
        let (crew, job, task, under, told) = (self.clone(), record.clone(), held.clone(), cx.clone(), signs.clone());
        let work = async move {
            let pipeline = crew.pipeline(&under, &job, degrade).await?;
            let lease = crew.options.lease;
            StepRun { jobs: &crew.jobs, record: &job, held: &task, lease, pipeline: &pipeline, cx: &under, signs: &told }.work(step).await
        };
        let mut work = tokio::spawn(work.instrument(tracing::Span::current()));
        let stall = self.options.stall(step.queue());
        let mut stopped: Option<(Stopped, Instant)> = None;
        let answer = loop {
            let stop = tokio::select! {
                biased;
                answer = &mut work => {
                    break answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, "the step panicked")));
                }
                () = hand_back.cancelled(), if stopped.is_none() => Some(Stopped::HandBack),
                () = tokio::time::sleep(TICK) => {
                    self.flush(record, signs).await;
                    match self.standing(held).await {
                        Some(stop) => Some(stop),
                        None => (signs.silence() > stall).then_some(Stopped::Stalled),
                    }
                }
            };
            if let (Some(stop), None) = (stop, stopped) {
                stopped = Some((stop, Instant::now()));
                cx.cancel();
            }
        };
        for usage in cx.usage() {
            signs.keep(NewEvent::Job(JobMilestone::Usage { usage }));
        }
        cx.cancel();
        cx.clear_scratch();
        let cost = cx.usage().iter().filter_map(|usage| usage.cost_usd).sum::<f64>();
        let answer = match (answer, stopped) {
            (Err(_), Some((Stopped::Stalled, since))) => {
                if since.elapsed() >= ABANDONED {
                    self.hung.store(true, Ordering::Relaxed);
                }
                let message = format!("the step showed no progress for {} s and was stopped", stall.as_secs());
                Err(Error::new(ErrorKind::TimedOut, message).with_recovery(Recovery::Retry { after: None }))
            }
            (answer, _) => answer,
        };
        measure(step, began.elapsed(), &answer, cost);
        // A cancellation of the job concerns a result, too: the engine adds no successors.
        (answer, stopped.map(|(stop, _)| stop))
    }

    async fn standing(&self, held: &Held) -> Option<Stopped> {
        let answer = self.jobs.shared.engine.heartbeat(std::slice::from_ref(held), self.options.lease).await;
        match answer.as_deref() {
            Ok([Standing::Cancelled]) => Some(Stopped::Cancelled),
            Ok([Standing::Lost]) => Some(Stopped::Lost),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!("a lease could not be extended: {error}");
                None
            }
        }
    }

    /// The context of one attempt: its events are kept, its cost is limited by what the job has
    /// left, and its files lie in the workspace.
    async fn context(&self, record: &JobRecord, step: Step, signs: &Signs) -> Context {
        let scratch = self.jobs.shared.workspace.scratch();
        let mut cx = self.cx.apart(signs.listener()).for_run(Some(&scratch));
        if let Some(budget) = record.job.config.options.max_cost {
            let events = self.jobs.shared.records.events(&record.id, 0, usize::MAX).await.unwrap_or_default();
            let spent: f64 = conclude::usage(&events).iter().filter_map(|usage| usage.cost_usd).sum();
            cx.limit(Some((budget - spent).max(0.0)));
        }
        if let Some(rank) = step.rank() {
            cx = cx.for_clip(rank);
            if cx.threads() == 0 {
                let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                cx = cx.with_threads(cores.div_ceil(self.options.limit("render")));
            }
        }
        cx
    }

    /// Writes down the events so far. Events that cannot be written are lost, with a warning.
    async fn flush(&self, record: &JobRecord, signs: &Signs) {
        let events = signs.take();
        if let Err(error) = self.jobs.shared.records.append(&record.id, &events).await {
            tracing::warn!("{} events could not be kept: {error}", events.len());
        }
    }
}

/// Records an attempt for whoever collects the metrics of this process.
fn measure(step: Step, took: Duration, answer: &Result<()>, cost: f64) {
    let queue = step.queue();
    let outcome = match answer {
        Ok(()) => "done",
        Err(error) if error.is_cancelled() => "stopped",
        Err(_) => "failed",
    };
    metrics::histogram!("clipkit_task_seconds", "queue" => queue, "outcome" => outcome).record(took.as_secs_f64());
    if let Err(error) = answer
        && !error.is_cancelled()
    {
        let kind = serde_json::to_value(error.kind()).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        metrics::counter!("clipkit_task_failures_total", "queue" => queue, "kind" => kind).increment(1);
    }
    if cost > 0.0 {
        // Counters of the facade are integers.
        metrics::gauge!("clipkit_cost_usd", "queue" => queue).increment(cost);
    }
}
