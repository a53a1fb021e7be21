use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Policy, Rate, Step};
use crate::error::{Error, ErrorKind, Result};

const GIB: u64 = 1 << 30;

/// Options of [`Jobs`](super::Jobs). Every process that opens the same jobs should give the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct JobsOptions {
    /// When failed tasks run again.
    pub policy: Policy,
    /// The most jobs that have not ended. A further one is refused. Default: 10 000.
    pub most_open: usize,
    /// The same for one user. Default: 1000.
    pub most_open_per_user: usize,
    /// The free space, in bytes, below which jobs are refused, and videos are neither fetched nor
    /// rendered. Default: 1 GiB.
    pub min_free: u64,
    /// How many jobs that are done or cancelled are kept. Older ones are removed. Default: 100.
    pub keep_done: usize,
    /// How many failed jobs are kept, with their dead letters. Default: 50.
    pub keep_failed: usize,
}

impl Default for JobsOptions {
    fn default() -> Self {
        JobsOptions {
            policy: Policy::default(),
            most_open: 10_000,
            most_open_per_user: 1000,
            min_free: GIB,
            keep_done: 100,
            keep_failed: 50,
        }
    }
}

/// Options of a [`Worker`](super::Worker).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// The queues to serve: `fetch`, `transcribe`, `score`, `track`, `render`, `publish`,
    /// `conclude`. Empty, the default, means all.
    pub stages: Vec<String>,
    /// The most tasks of a queue that this worker runs at a time. Default: fetch 8, transcribe 4,
    /// score 3, track 1, render half the number of processor cores, publish 16, conclude 4.
    pub limits: BTreeMap<String, usize>,
    /// The most tasks of a queue that start in a period, over all workers. Default: transcribe 5 in
    /// 60 s. `null` for a queue means no rate.
    pub rates: BTreeMap<String, Option<Rate>>,
    /// The most tasks of one publishing target at a time, over all workers. Default: 2.
    pub per_target: usize,
    /// How long a queue's task may show no progress, in seconds, before it is stopped. Default:
    /// transcribe 30 minutes, all others 10 minutes.
    pub stall: BTreeMap<String, f64>,
    /// How long a task is held without a heartbeat, in seconds. When a worker dies, its tasks run
    /// again after this time. Default: 30 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub lease: Duration,
    /// How long running tasks may go on when the worker is asked to stop, in seconds. Then they are
    /// handed back. Default: 8 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub grace: Duration,
    /// Whether the worker stops when no job is open. Default: false.
    pub until_idle: bool,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        WorkerOptions {
            stages: Vec::new(),
            limits: BTreeMap::new(),
            rates: BTreeMap::new(),
            per_target: 2,
            stall: BTreeMap::new(),
            lease: Duration::from_secs(30),
            grace: Duration::from_secs(8),
            until_idle: false,
        }
    }
}

impl WorkerOptions {
    /// Rejects unknown queues and impossible values.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        let named = self.stages.iter().chain(self.limits.keys()).chain(self.rates.keys()).chain(self.stall.keys());
        if let Some(unknown) = named.into_iter().find(|name| !Step::QUEUES.contains(&name.as_str())) {
            return Err(Error::new(ErrorKind::Config, format!("there is no stage {unknown:?}"))
                .with_advice(format!("give one of {}", Step::QUEUES.join(", "))));
        }
        if self.limits.values().any(|most| *most == 0) || self.per_target == 0 {
            return refuse("a limit is 0: leave the stage out instead".into());
        }
        if let Some(seconds) = self.stall.values().find(|seconds| !(0.1..1e9).contains(*seconds)) {
            return refuse(format!("a stall time is {seconds} s: give at least 0.1 s"));
        }
        if self.lease < Duration::from_secs(2) {
            return refuse("the lease is shorter than 2 s: a busy machine would lose its tasks".into());
        }
        Ok(())
    }

    /// The queues to serve, those that finish jobs first.
    pub(super) fn queues(&self) -> Vec<&'static str> {
        let serves = |queue: &&str| {
            // Whoever publishes also makes the manifest.
            let with = |name: &str| self.stages.iter().any(|stage| stage == name);
            self.stages.is_empty() || with(queue) || (*queue == "conclude" && with("publish"))
        };
        Step::QUEUES.into_iter().rev().filter(serves).collect()
    }

    pub(super) fn limit(&self, queue: &str) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.limits.get(queue).copied().unwrap_or_else(|| match queue {
            "fetch" => 8,
            "transcribe" | "conclude" => 4,
            "score" => 3,
            "track" => 1,
            "render" => (cores() / 2).max(1),
            _ => 16,
        })
    }

    pub(super) fn rate(&self, queue: &str) -> Option<Rate> {
        let default = (queue == "transcribe").then_some(Rate { starts: 5, per: Duration::from_secs(60) });
        self.rates.get(queue).copied().unwrap_or(default)
    }

    pub(super) fn stall(&self, queue: &str) -> Duration {
        let default = Duration::from_secs(if queue == "transcribe" { 1800 } else { 600 });
        self.stall.get(queue).and_then(|seconds| Duration::try_from_secs_f64(*seconds).ok()).unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_the_documented_defaults_and_unknown_stages_are_refused() {
        let options = WorkerOptions::default();
        options.check().unwrap();
        assert_eq!(["fetch", "transcribe", "score", "track"].map(|queue| options.limit(queue)), [8, 4, 3, 1]);
        assert_eq!(options.rate("transcribe"), Some(Rate { starts: 5, per: Duration::from_secs(60) }));
        assert_eq!((options.rate("fetch"), options.queues()[0]), (None, "conclude"));
        let some: WorkerOptions =
            serde_json::from_str(r#"{"stages": ["fetch", "publish"], "rates": {"transcribe": null, "score": {"starts": 2, "per": 1}}}"#)
                .unwrap();
        assert_eq!((some.queues(), some.rate("transcribe")), (vec!["conclude", "publish", "fetch"], None));
        for wrong in [r#"{"stages": ["dance"]}"#, r#"{"limits": {"render": 0}}"#, r#"{"lease": 0.1}"#, r#"{"stall": {"render": 0}}"#] {
            let options: WorkerOptions = serde_json::from_str(wrong).unwrap();
            assert_eq!(options.check().unwrap_err().kind(), ErrorKind::Config, "{wrong}");
        }
    }
}
