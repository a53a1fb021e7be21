mod environment;
pub(crate) mod ledger;
pub(crate) mod scratch;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{ContentId, ManifestClip, MediaRef, Stage, Usage, Warning, WarningKind, local_path};
use crate::store::{Lease, MediaLimits, MediaStore};
pub use environment::Environment;
use ledger::{Held, Ledger};

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

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Drops progress events that follow the previous one of the same stage and clip too closely.
struct ProgressThrottle {
    interval: Duration,
    last_emitted: Mutex<HashMap<(Stage, Option<usize>), Instant>>,
}

impl ProgressThrottle {
    fn allows(&self, event: &Event) -> bool {
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

/// What a stage gets besides its input: cancellation, progress, warnings, budget, scratch space,
/// environment variables.
///
/// A clone is cheap. Clones share everything except the stage and the clip that they belong to.
#[derive(Clone, Default)]
pub struct Context {
    shared: Arc<Shared>,
    cancellation: CancellationToken,
    ledger: Arc<Ledger>,
    stage: Option<Stage>,
    clip: Option<usize>,
    threads: usize,
    /// The keys of the shared work that this context belongs to, the innermost last.
    within: Arc<[String]>,
    extension: Option<Arc<dyn Any + Send + Sync>>,
    /// What a pipeline shares with clipkit's own stages.
    shared_value: Option<Arc<dyn Any + Send + Sync>>,
    /// The idempotency key of a publication. A publisher publishes a post with the same key once.
    idempotency_key: Option<Arc<str>>,
    /// Whether a part of a stage may replace another part that fails.
    stand_in: bool,
    /// The environment of the builder, else that of the process, read at first use.
    environment: Arc<OnceLock<Environment>>,
}

#[derive(Default)]
struct Shared {
    listener: Option<Listener>,
    warnings: Mutex<Vec<Warning>>,
    /// Whether a stand-in replaced a stage or a part of one.
    stepped_down: AtomicBool,
    scratch_parent: Option<PathBuf>,
    scratch: OnceLock<crate::context::scratch::Scratch>,
    /// The paths of media on this machine, by content.
    files: Mutex<HashMap<ContentId, PathBuf>>,
    /// The media store, opened at first use.
    media: OnceLock<MediaStore>,
    /// The leases of the files in the media store that are in use.
    leases: Mutex<Vec<Lease>>,
    /// The context that this run's context was derived from. It also receives the run's warnings.
    parent: Option<Arc<Shared>>,
}

impl Shared {
    fn keep(&self, warning: &Warning) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning.clone());
        if let Some(parent) = &self.parent {
            parent.keep(warning);
        }
    }
}

impl Context {
    /// Makes a context without a listener. Its scratch space lies in the system's folder for
    /// temporary files.
    pub fn new() -> Self {
        Context::default()
    }

    /// A builder, to set for example a listener or the folder of the scratch space.
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// The same context with a cancellation of its own. Cancelling the child does not cancel this
    /// context. Cancelling this context cancels both.
    #[must_use]
    pub fn child(&self) -> Self {
        Context { cancellation: self.cancellation.child_token(), ..self.clone() }
    }

    /// Cancels all work under this context. Work stops within a second and removes its incomplete
    /// files.
    pub fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// Whether this context is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    /// Returns an error of the kind [`ErrorKind::Cancelled`] if this context is cancelled. Long
    /// loops call it in each iteration.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(self.label(Error::cancelled())) } else { Ok(()) }
    }

    /// Waits until this context is cancelled.
    pub async fn cancelled(&self) {
        self.cancellation.cancelled().await;
    }

    /// Waits for `time`. If this context is cancelled meanwhile, it returns an error of the kind
    /// [`ErrorKind::Cancelled`] at once.
    pub async fn sleep(&self, time: Duration) -> Result<()> {
        tokio::select! {
            biased;
            () = self.cancelled() => self.check(),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// The stage that this context belongs to. `None` means that it belongs to no stage.
    pub fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// The rank of the clip that this context belongs to, from 1. `None` means the whole run.
    pub fn clip(&self) -> Option<usize> {
        self.clip
    }

    /// The same context for `stage`.
    #[must_use]
    pub fn for_stage(&self, stage: Stage) -> Self {
        Context { stage: Some(stage), ..self.clone() }
    }

    /// The same context for the clip with the rank `rank`, from 1.
    #[must_use]
    pub fn for_clip(&self, rank: usize) -> Self {
        Context { clip: Some(rank), ..self.clone() }
    }

    /// The same context for work that may use `threads` threads. 0 lets each library choose.
    #[must_use]
    pub fn with_threads(&self, threads: usize) -> Self {
        Context { threads, ..self.clone() }
    }

    /// The same context with a value for the caller's own stages, for example a request or a
    /// handle. It replaces the previous value.
    #[must_use]
    pub fn with_extension<T: Any + Send + Sync>(&self, extension: Arc<T>) -> Self {
        Context { extension: Some(extension), ..self.clone() }
    }

    /// The value of [`Context::with_extension`]. `None` means that there is no value or that it is
    /// not a `T`.
    pub fn extension<T: Any>(&self) -> Option<&T> {
        self.extension.as_deref()?.downcast_ref()
    }

    /// The same context with a value that a pipeline shares with clipkit's own stages.
    #[must_use]
    pub(crate) fn sharing<T: Any + Send + Sync>(&self, value: Arc<T>) -> Self {
        Context { shared_value: Some(value), ..self.clone() }
    }

    /// The value of [`Context::sharing`].
    pub(crate) fn shared_value<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.shared_value.clone()?.downcast().ok()
    }

    /// The same context with the idempotency key of a publication.
    #[must_use]
    pub(crate) fn with_idempotency_key(&self, key: &str) -> Self {
        Context { idempotency_key: Some(key.into()), ..self.clone() }
    }

    /// The idempotency key of a publication: a hash of the clip, the target and the account. A
    /// publisher that gets the same key twice publishes once. `None` outside of
    /// [`Publisher::publish`](crate::stage::Publisher::publish).
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// The same context for a stage whose parts may replace each other.
    #[must_use]
    pub(crate) fn with_stand_in(&self, allowed: bool) -> Self {
        Context { stand_in: allowed, ..self.clone() }
    }

    /// Whether a part of a stage may replace another part that fails.
    pub(crate) fn may_stand_in(&self) -> bool {
        self.stand_in
    }

    /// Stores the path of a media file on this machine, for [`Context::locate`].
    pub(crate) fn bind(&self, id: &ContentId, path: &Path) {
        self.shared.files.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), path.to_owned());
    }

    /// The path at which a step of this run found a media file.
    pub(crate) fn bound(&self, id: &ContentId) -> Option<PathBuf> {
        let mut shared = Some(&self.shared);
        while let Some(part) = shared {
            let known = part.files.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
            if known.is_some() {
                return known;
            }
            shared = part.parent.as_ref();
        }
        None
    }

    /// The media store, in which sources put the files that they fetch. It is the store of
    /// [`ContextBuilder::media_store`], else the one in the folder `CLIPKIT_MEDIA`, else the one in
    /// `clipkit/media` in the user's cache folder. A store that this method opens has
    /// [`MediaLimits::default`].
    ///
    /// The call blocks while it opens the store for the first time. It returns an error of the kind
    /// [`ErrorKind::Unavailable`] if the machine has no cache folder and `CLIPKIT_MEDIA` is not
    /// set.
    pub fn media_store(&self) -> Result<&MediaStore> {
        if let Some(store) = self.shared.media.get() {
            return Ok(store);
        }
        let parent = self.shared.parent.as_ref().and_then(|parent| parent.media.get());
        let store = match parent {
            Some(store) => store.clone(),
            None => {
                let folder = self.environment().media_folder().ok_or_else(|| {
                    self.label(
                        Error::new(ErrorKind::Unavailable, "there is no folder for fetched media").with_advice("name one in CLIPKIT_MEDIA"),
                    )
                })?;
                MediaStore::open(folder, MediaLimits::default()).map_err(|error| self.label(error))?
            }
        };
        Ok(self.shared.media.get_or_init(|| store))
    }

    /// The path of the file with this content in the media store. The file is kept until this
    /// context's run ends. `None` means that there is no store or that it does not have the file.
    pub(crate) fn stored(&self, id: &ContentId) -> Result<Option<PathBuf>> {
        let is_open = self.shared.media.get().is_some();
        let exists = || self.environment().media_folder().is_some_and(|folder| folder.is_dir());
        if !is_open && self.shared.parent.as_ref().is_none_or(|parent| parent.media.get().is_none()) && !exists() {
            return Ok(None);
        }
        Ok(self.media_store()?.find(id)?.map(|lease| self.keep(lease)))
    }

    /// Keeps a lease until this context's run ends, so that the media store does not delete the
    /// file. Returns the file's path.
    pub fn keep(&self, lease: Lease) -> PathBuf {
        let path = lease.path().to_owned();
        self.shared.leases.lock().unwrap_or_else(PoisonError::into_inner).push(lease);
        path
    }

    /// The path of a media file on this machine. A file that a step of this run found comes first,
    /// then a file in the media store, then the file at the URI, if the URI is a path. Custom
    /// renderers and trackers open this path.
    ///
    /// It returns an error of the kind [`ErrorKind::NotFound`] if there is no such file.
    pub fn locate(&self, media: &MediaRef) -> Result<PathBuf> {
        if let Some(path) = self.bound(&media.id) {
            return Ok(path);
        }
        if let Some(path) = self.stored(&media.id)? {
            return Ok(path);
        }
        let path = local_path(&media.uri);
        if path.exists() {
            return Ok(path.to_owned());
        }
        Err(self
            .label(Error::new(ErrorKind::NotFound, "the source is not on this machine").with_url(&media.uri).with_advice("fetch it again")))
    }

    /// The environment variables for the work under this context. They are those of
    /// [`ContextBuilder::environment`], else those of the process. The latter are read at the first
    /// call and kept for all clones of this context and all runs under it.
    pub fn environment(&self) -> &Environment {
        self.environment.get_or_init(Environment::from_process)
    }

    /// The number of threads that one task should use, so that concurrent tasks share the machine.
    /// 0 lets each library choose.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Sends an event to the listener.
    pub fn emit(&self, event: &Event) {
        if let Some(listener) = &self.shared.listener {
            listener(event);
        }
    }

    /// Sends the progress of this context's stage to the listener. `fraction` is 0 to 1.
    pub fn progress(&self, fraction: f64) {
        if let Some(stage) = self.stage {
            self.emit(&Event::Progress { stage, clip: self.clip, fraction: fraction.clamp(0.0, 1.0) as f32 });
        }
    }

    /// Reports to the log and to the listener that this context's stage waits for `time`, and why.
    pub fn waiting(&self, time: Duration, reason: impl Into<String>) {
        let reason = reason.into();
        tracing::info!(stage = self.stage.map(Stage::name), clip = self.clip, seconds = time.as_secs_f64(), "waits: {reason}");
        if let Some(stage) = self.stage {
            self.emit(&Event::Waiting { stage, clip: self.clip, seconds: time.as_secs_f64(), reason });
        }
    }

    /// Adds a warning of the kind [`WarningKind::Other`] to the result, the log and the events.
    pub fn warn(&self, message: impl Into<String>) {
        self.warn_of(WarningKind::Other, message);
    }

    /// Adds a warning of a kind to the result, the log and the events.
    pub fn warn_of(&self, kind: WarningKind, message: impl Into<String>) {
        let (stage, message) = (self.stage.unwrap_or(Stage::Plan), message.into());
        let warning = Warning { kind, stage, clip: self.clip, message };
        tracing::warn!(stage = %warning.stage, clip = warning.clip, "{}", warning.message);
        self.emit(&Event::Warning(warning.clone()));
        self.shared.keep(&warning);
    }

    /// Adds a warning of a kind for the whole run, unless it already has one with the same message.
    pub(crate) fn warn_once_of(&self, kind: WarningKind, message: String) {
        if !self.warnings().iter().any(|warning| warning.message == message) {
            Context { clip: None, ..self.clone() }.warn_of(kind, message);
        }
    }

    /// The warnings of all stages and clips so far.
    pub fn warnings(&self) -> Vec<Warning> {
        self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records the use of a paid service for the manifest. If `usage` has no stage, it gets this
    /// context's stage.
    pub fn spend(&self, usage: Usage) {
        self.ledger.spend(&self.attributed(usage));
    }

    /// Records the use of a paid service and releases the budget that was reserved for it.
    pub(crate) fn settle(&self, held: Held, usage: Usage) {
        held.spend(&self.attributed(usage));
    }

    fn attributed(&self, usage: Usage) -> Usage {
        let usage = Usage { stage: usage.stage.or(self.stage), ..usage };
        tracing::debug!(stage = ?usage.stage, model = %usage.model, tokens = usage.prompt_tokens + usage.completion_tokens, "spent");
        usage
    }

    /// The recorded use of paid services, one entry for each stage and model.
    pub fn usage(&self) -> Vec<Usage> {
        self.ledger.usage()
    }

    /// The remaining budget in US dollars. Reserved amounts count as spent. `None` means that there
    /// is no budget.
    pub fn budget_left(&self) -> Option<f64> {
        self.ledger.left()
    }

    /// Reserves `usd` of the budget for a request until the returned value is dropped. `None` means
    /// that the amount exceeds the remaining budget.
    pub(crate) fn hold(&self, usd: f64) -> Option<Held> {
        self.ledger.hold(usd)
    }

    /// Sets this context's budget in US dollars. `None` means no budget.
    pub(crate) fn limit(&self, usd: Option<f64>) {
        self.ledger.limit(usd);
    }

    /// The folder for this run's temporary files. It is removed when the last clone of this context
    /// is dropped.
    ///
    /// It returns an error if the folder cannot be made.
    pub fn scratch(&self) -> Result<&Path> {
        if let Some(scratch) = self.shared.scratch.get() {
            return Ok(scratch.path());
        }
        let parent = self.shared.scratch_parent.clone().unwrap_or_else(|| self.environment().folder_for_scratch());
        let made = crate::context::scratch::Scratch::create(&parent).map_err(|error| self.label(error))?;
        // Two threads can get here at once. The second folder is dropped, which removes it.
        Ok(self.shared.scratch.get_or_init(|| made).path())
    }

    /// Whether a file lies in scratch space of this context, which is removed when the run ends.
    pub(crate) fn owns(&self, file: &Path) -> bool {
        let mut shared = Some(&self.shared);
        while let Some(part) = shared {
            if part.scratch.get().is_some_and(|scratch| file.starts_with(scratch.path())) {
                return true;
            }
            shared = part.parent.as_ref();
        }
        false
    }

    /// Runs CPU-bound or blocking work on a thread for blocking tasks.
    ///
    /// It returns the work's error, or an error of the kind [`ErrorKind::Contract`] if the work
    /// panics.
    pub async fn blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Context) -> Result<T> + Send + 'static,
    {
        let context = self.clone();
        let worker = tokio::task::spawn_blocking(move || work(&context));
        match worker.await {
            Ok(result) => result.map_err(|error| self.label(error)),
            Err(join) => Err(self.label(Error::new(ErrorKind::Contract, "a worker thread ended unexpectedly").with_source(join))),
        }
    }

    /// Sets this context's stage in an error that has no stage.
    pub(crate) fn label(&self, error: Error) -> Error {
        match self.stage {
            Some(stage) => error.with_stage(stage),
            None => error,
        }
    }

    /// A context for one run under this one. Cancelling this context cancels it, and both have the
    /// same listener. It has warnings and scratch space of its own. The scratch space lies in this
    /// context's scratch folder, if the builder set one, else in `staging`.
    pub(crate) fn for_run(&self, staging: Option<&Path>) -> Self {
        let shared = Shared {
            listener: self.shared.listener.clone(),
            scratch_parent: self.shared.scratch_parent.clone().or_else(|| staging.map(Path::to_owned)),
            parent: Some(self.shared.clone()),
            ..Shared::default()
        };
        let cancellation = self.cancellation.child_token();
        let ledger = Arc::new(Ledger::below(&self.ledger));
        Context { shared: Arc::new(shared), ledger, cancellation, stage: None, clip: None, ..self.clone() }
    }

    /// A handle for the run that this context belongs to.
    pub(crate) fn run(&self) -> Run {
        Run(Arc::downgrade(&self.shared))
    }

    /// A context for work that can outlive the caller of this one. It keeps the stage, the clip and
    /// the ledger of this context. Cancellation, warnings and scratch space are its own. `listener`
    /// receives its events.
    pub(crate) fn apart(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let shared = Shared { listener: Some(Arc::new(listener)), scratch_parent: self.shared.scratch_parent.clone(), ..Shared::default() };
        Context { shared: Arc::new(shared), cancellation: CancellationToken::new(), ..self.clone() }
    }

    /// The same context as a part of the shared work with the key `work`. Waiting for `work` in
    /// this context would be a deadlock.
    pub(crate) fn within(&self, work: &str) -> Self {
        Context { within: self.within.iter().cloned().chain([work.to_owned()]).collect(), ..self.clone() }
    }

    /// Whether this context is a part of the shared work with the key `work`.
    pub(crate) fn is_within(&self, work: &str) -> bool {
        self.within.iter().any(|outer| outer == work)
    }

    /// Records that a stand-in produced the result, so that no cache stores it.
    pub(crate) fn step_down(&self) {
        self.shared.stepped_down.store(true, Ordering::Relaxed);
    }

    /// Whether a stand-in produced a result under this context.
    pub(crate) fn stepped_down(&self) -> bool {
        self.shared.stepped_down.load(Ordering::Relaxed)
    }

    /// Removes the scratch space now, even if other clones of this context exist.
    pub(crate) fn clear_scratch(&self) {
        if let Some(scratch) = self.shared.scratch.get() {
            scratch.clear();
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("stage", &self.stage).field("clip", &self.clip).finish_non_exhaustive()
    }
}

/// A handle for a run that does not keep the run's state alive.
pub(crate) struct Run(Weak<Shared>);

impl Run {
    /// Whether no context of the run is left.
    pub(crate) fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

/// A builder for a [`Context`].
#[derive(Default)]
pub struct ContextBuilder {
    shared: Shared,
    pace: Option<Duration>,
    max_cost: Option<f64>,
    environment: OnceLock<Environment>,
}

impl ContextBuilder {
    /// Sets the listener, which is called for every event. It is called from worker threads and
    /// must return quickly.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.shared.listener = Some(Arc::new(listener));
        self
    }

    /// Sets the minimum interval between two progress events of the same stage and clip. Other
    /// events are never dropped. Default: no progress event is dropped.
    #[must_use]
    pub fn pace(mut self, interval: Duration) -> Self {
        self.pace = Some(interval);
        self
    }

    /// Puts the scratch space in `folder`, which is made at first use. Finished files are renamed
    /// from there to the output folder. Use a folder on the output's file system, since files must
    /// be copied otherwise.
    #[must_use]
    pub fn scratch_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.shared.scratch_parent = Some(folder.into());
        self
    }

    /// Sets the media store. Default: see [`Context::media_store`].
    #[must_use]
    pub fn media_store(self, store: MediaStore) -> Self {
        // The cell is still empty, unless this method was called before.
        let _ = self.shared.media.set(store);
        self
    }

    /// Sets the maximum cost of all work under this context, in US dollars. Built-in stages stop
    /// before they exceed it. Default: no maximum.
    #[must_use]
    pub fn max_cost(mut self, usd: f64) -> Self {
        self.max_cost = Some(usd);
        self
    }

    /// Uses `environment` instead of the process's variables. Default:
    /// [`Environment::from_process`].
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = OnceLock::from(environment);
        self
    }

    /// Builds the context.
    pub fn build(mut self) -> Context {
        if let Some(interval) = self.pace {
            let throttle = ProgressThrottle { interval, last_emitted: Mutex::default() };
            self.shared.listener = self.shared.listener.map(|listener| {
                Arc::new(move |event: &Event| {
                    if throttle.allows(event) {
                        listener(event);
                    }
                }) as Listener
            });
        }
        let cx = Context { shared: Arc::new(self.shared), environment: Arc::new(self.environment), ..Context::default() };
        cx.limit(self.max_cost);
        cx
    }
}

impl fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextBuilder").finish_non_exhaustive()
    }
}
