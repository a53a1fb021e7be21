//! Metrics: what the facade `metrics` records, in the text format of Prometheus.
//!
//! Workers record what tasks take and how they fail, in the process that does them. What the queue
//! holds is recorded when it is asked for.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::queues::QueueView;
use crate::error::{Error, ErrorKind, Result};

/// Bounds in seconds: requests take milliseconds, stages up to hours.
const BUCKETS: [f64; 16] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];
/// How often old samples are folded into the buckets.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
/// The queues and kinds that had dead letters: a series that is gone is 0.
static DEAD: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// Records the metrics of this process for `GET /metrics`. A program with a recorder of its own for
/// the facade `metrics` does not call this: its recorder gets the same metrics. Calling it twice is
/// calling it once.
///
/// # Errors
///
/// [`ErrorKind::Config`] if the program has another recorder.
pub fn record_metrics() -> Result<()> {
    if RECORDER.get().is_some() {
        return Ok(());
    }
    let refused = |error: String| Error::new(ErrorKind::Config, format!("metrics cannot be recorded: {error}"));
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .map_err(|error| refused(error.to_string()))?;
    let handle = builder.install_recorder().map_err(|error| refused(error.to_string()))?;
    describe();
    if RECORDER.set(handle.clone()).is_ok()
        && let Ok(runtime) = tokio::runtime::Handle::try_current()
    {
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                handle.run_upkeep();
            }
        });
    }
    Ok(())
}

fn describe() {
    describe_gauge!("clipkit_queue_tasks", "Tasks of a queue by state");
    describe_gauge!("clipkit_queue_waiting_age_seconds", Unit::Seconds, "How long the oldest task of a queue has waited");
    describe_gauge!("clipkit_queue_paused", "Whether a queue is stopped");
    describe_gauge!("clipkit_dead_letters", "Tasks that failed on all their attempts, by queue and kind");
    describe_gauge!("clipkit_disk_free_bytes", Unit::Bytes, "Free bytes of the disk with the jobs");
    describe_histogram!("clipkit_task_seconds", Unit::Seconds, "The time of an attempt of a task, by queue and outcome");
    describe_counter!("clipkit_task_failures_total", "Attempts that failed, by queue and kind");
    describe_gauge!("clipkit_cost_usd", "The cost of paid models in US dollars since the process started, by queue");
    describe_histogram!("clipkit_http_request_seconds", Unit::Seconds, "The time of a request until its answer starts");
}

/// The metrics as text. `None` without [`record_metrics`].
pub(super) fn rendered() -> Option<String> {
    RECORDER.get().map(PrometheusHandle::render)
}

/// Records what the queues hold now.
pub(super) fn queues(queues: &[QueueView], free_bytes: Option<u64>) {
    for queue in queues {
        let name = queue.name.clone();
        for (state, count) in [("waiting", queue.waiting), ("delayed", queue.delayed), ("active", queue.active), ("dead", queue.dead)] {
            gauge!("clipkit_queue_tasks", "queue" => name.clone(), "state" => state).set(count as f64);
        }
        gauge!("clipkit_queue_waiting_age_seconds", "queue" => name.clone()).set(queue.waited);
        gauge!("clipkit_queue_paused", "queue" => name.clone()).set(f64::from(u8::from(queue.paused)));
    }
    let mut dead = DEAD.lock().unwrap_or_else(PoisonError::into_inner);
    dead.extend(queues.iter().flat_map(|queue| queue.failures.keys().map(|kind| (queue.name.clone(), kind.clone()))));
    for (name, kind) in dead.iter() {
        let count = queues.iter().find(|queue| queue.name == *name).and_then(|queue| queue.failures.get(kind)).copied().unwrap_or(0);
        gauge!("clipkit_dead_letters", "queue" => name.clone(), "kind" => kind.clone()).set(count as f64);
    }
    if let Some(free) = free_bytes {
        gauge!("clipkit_disk_free_bytes").set(free as f64);
    }
}

/// Records a request. `route` is the template of its path, so that ids make no series.
pub(super) fn request(method: &str, route: &str, status: u16, took: Duration) {
    let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
    metrics::histogram!("clipkit_http_request_seconds", &labels).record(took.as_secs_f64());
}
