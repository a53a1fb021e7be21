use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{ManifestClip, Stage, Warning};

/// An event of a run, for progress bars and logs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A stage started, for the run or for one clip.
    Started {
        /// The stage.
        stage: Stage,
        /// The clip's rank, from 1. `None` means the whole run.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
    },
    /// A stage made progress.
    Progress {
        /// The stage.
        stage: Stage,
        /// The clip's rank, from 1. `None` means the whole run.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
        /// The completed fraction of the stage's work, 0 to 1.
        fraction: f32,
    },
    /// A stage succeeded.
    Finished {
        /// The stage.
        stage: Stage,
        /// The clip's rank, from 1. `None` means the whole run.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
    },
    /// The number of clips is known.
    Planned {
        /// The number of clips that will be made.
        clips: usize,
    },
    /// A stage waits, for example for a concurrency limit or for its next attempt.
    Waiting {
        /// The stage.
        stage: Stage,
        /// The clip's rank, from 1. `None` means the whole run.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
        /// The waiting time in seconds.
        seconds: f64,
        /// The reason, as one line for a person.
        reason: String,
    },
    /// The run had a problem and continued.
    Warning(Warning),
    /// A clip is complete and in its final place.
    Clip(Box<ManifestClip>),
}

pub(super) type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Drops progress events that follow the previous one of the same stage and clip too closely.
pub(super) struct ProgressThrottle {
    interval: Duration,
    last_emitted: Mutex<HashMap<(Stage, Option<usize>), Instant>>,
}

impl ProgressThrottle {
    pub(super) fn new(interval: Duration) -> Self {
        ProgressThrottle { interval, last_emitted: Mutex::default() }
    }

    pub(super) fn allows(&self, event: &Event) -> bool {
        let Event::Progress { stage, clip, .. } = event else { return true };
        let mut last_emitted = self.last_emitted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let due = last_emitted.get(&(*stage, *clip)).is_none_or(|last| now.duration_since(*last) >= self.interval);
        if due {
            last_emitted.insert((*stage, *clip), now);
        }
        due
    }
}
