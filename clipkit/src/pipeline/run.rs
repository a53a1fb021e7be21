use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Stage, Timing, Warning};

/// How long a stage may take to tidy up after a cancel; then it is abandoned, so that a run ends within a second.
const GRACE: Duration = Duration::from_millis(700);

/// One run of a pipeline: its context and where its time went. Dropped before its end, it stops the work that it started.
pub(super) struct Run {
    cx: Context,
    begun: Instant,
    spent: Mutex<BTreeMap<Stage, f64>>,
    /// Threads for one clip; 0 where the caller says, or before the clips are known.
    threads: AtomicUsize,
    /// Places for clips in the stages that take only so many at once.
    places: BTreeMap<Stage, Semaphore>,
}

impl Run {
    pub(super) fn new(caller: &Context, staging: Option<&Path>, at_once: &BTreeMap<Stage, NonZero<usize>>) -> Self {
        let places = at_once.iter().map(|(stage, most)| (*stage, Semaphore::new(most.get().min(Semaphore::MAX_PERMITS)))).collect();
        Run { cx: caller.for_run(staging), begun: Instant::now(), spent: Mutex::default(), threads: AtomicUsize::new(0), places }
    }

    pub(super) fn cx(&self) -> &Context {
        &self.cx
    }

    /// The context that speaks for a stage, of the run or of one clip.
    pub(super) fn speaking_for(&self, stage: Stage, clip: Option<usize>) -> Context {
        let cx = self.cx.for_stage(stage);
        match clip {
            Some(rank) if self.cx.threads() == 0 => cx.for_clip(rank).with_threads(self.threads.load(Ordering::Relaxed)),
            Some(rank) => cx.for_clip(rank),
            None => cx,
        }
    }

    /// From here on the machine's cores are shared by so many clips at a time.
    pub(super) fn share_cores(&self, side_by_side: usize) {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.store(cores.div_ceil(side_by_side.max(1)), Ordering::Relaxed);
    }

    /// Runs one stage on a task of its own and waits for it. Whatever it does (hang, panic, ignore a cancel), this answers.
    pub(super) async fn stage<T, F>(&self, stage: Stage, clip: Option<usize>, work: impl FnOnce(Context) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let cx = self.speaking_for(stage, clip);
        cx.check()?;
        let _place = match self.places.get(&stage).filter(|_| clip.is_some()) {
            Some(places) => tokio::select! {
                // It is never closed, so it only answers with a place.
                place = places.acquire() => place.ok(),
                () = cx.cancelled() => return Err(cx.label(Error::cancelled())),
            },
            None => None,
        };
        cx.emit(&Event::Started { stage, clip });
        let begun = Instant::now();
        let mut task = AbortOnDrop(tokio::spawn(work(cx.clone())));
        let too_long = async {
            cx.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let answer = tokio::select! {
            biased;
            answer = &mut task.0 => answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, format!("the {stage} stage panicked")))),
            () = too_long => Err(Error::cancelled()),
        };
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner).entry(stage).or_default() += begun.elapsed().as_secs_f64();
        match answer {
            // What failed because the run was cancelled is no failure of its own.
            Err(error) if cx.is_cancelled() && !error.is_cancelled() => Err(cx.label(Error::cancelled().with_source(error))),
            Err(error) => Err(cx.label(error)),
            Ok(answer) => {
                cx.emit(&Event::Finished { stage, clip });
                Ok(answer)
            }
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

/// A task that ends with whoever waits for it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
