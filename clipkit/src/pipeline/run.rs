use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Stage, Timing, Warning};

/// One run of a pipeline: its context, limits and timings. Dropping it stops the work that it
/// started.
pub(super) struct Run {
    cx: Context,
    begun: Instant,
    spent: Mutex<BTreeMap<Stage, f64>>,
    /// Threads per clip. 0 means the thread count of the caller's context.
    threads: usize,
    /// Limits for the number of clips per stage.
    stages: BTreeMap<Stage, Semaphore>,
    /// Limits for the number of clips in analysis and in rendering. They are separate, so that one
    /// clip is analysed while another is rendered.
    analysing: Semaphore,
    rendering: Semaphore,
}

impl Run {
    /// A run that renders `jobs` clips concurrently.
    pub(super) fn new(caller: &Context, staging: Option<&Path>, at_once: &BTreeMap<Stage, NonZero<usize>>, jobs: usize) -> Self {
        let permits = |most: usize| Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS));
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Run {
            cx: caller.for_run(staging),
            begun: Instant::now(),
            spent: Mutex::default(),
            threads: if caller.threads() == 0 { cores.div_ceil(jobs.max(1)) } else { 0 },
            stages: at_once.iter().map(|(stage, most)| (*stage, permits(most.get()))).collect(),
            analysing: permits(jobs),
            rendering: permits(jobs),
        }
    }

    pub(super) fn cx(&self) -> &Context {
        &self.cx
    }

    /// The context of the run, or of one of its clips.
    pub(super) fn context_of(&self, clip: Option<usize>) -> Context {
        match clip {
            Some(rank) if self.threads > 0 => self.cx.for_clip(rank).with_threads(self.threads),
            Some(rank) => self.cx.for_clip(rank),
            None => self.cx.clone(),
        }
    }

    /// The context of the run or of one of its clips, labelled with a stage.
    pub(super) fn speaking_for(&self, stage: Stage, clip: Option<usize>) -> Context {
        self.context_of(clip).for_stage(stage)
    }

    /// Runs a step of the run or of one clip within the limit of the stage, and times it.
    pub(super) async fn step<T, F>(&self, stage: Stage, clip: Option<usize>, step: impl FnOnce(Context) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut cx = self.speaking_for(stage, clip);
        // Clips after the first are analysed while another is rendered, which keeps the cores busy.
        // More decoding threads would only take memory.
        if stage == Stage::Track && clip.is_some_and(|rank| rank > 1) && self.threads > 0 {
            cx = cx.with_threads(1);
        }
        let _permit = match self.stages.get(&stage).filter(|_| clip.is_some()) {
            Some(limit) => Some(self.permit(limit).await?),
            None => None,
        };
        let begun = Instant::now();
        let answer = step(cx).await;
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner).entry(stage).or_default() += begun.elapsed().as_secs_f64();
        answer
    }

    /// Waits until a clip may be analysed.
    pub(super) async fn analyse(&self) -> Result<SemaphorePermit<'_>> {
        self.permit(&self.analysing).await
    }

    /// Waits until a clip may be rendered.
    pub(super) async fn render(&self) -> Result<SemaphorePermit<'_>> {
        self.permit(&self.rendering).await
    }

    async fn permit<'a>(&self, of: &'a Semaphore) -> Result<SemaphorePermit<'a>> {
        tokio::select! {
            permit = of.acquire() => permit.map_err(|_| Error::cancelled()),
            () = self.cx.cancelled() => Err(Error::cancelled()),
        }
    }

    /// The warnings of one clip.
    pub(super) fn warnings_of(&self, rank: usize) -> Vec<Warning> {
        self.cx.warnings().into_iter().filter(|warning| warning.clip == Some(rank)).collect()
    }

    pub(super) fn timing(&self) -> Timing {
        let stages = self.spent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let round = |seconds: f64| (seconds * 1000.0).round() / 1000.0;
        Timing {
            stages: stages.into_iter().map(|(stage, spent)| (stage, round(spent))).collect(),
            total: round(self.begun.elapsed().as_secs_f64()),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.cx.cancel();
        self.cx.clear_scratch();
    }
}
