mod builder;
mod environment;
mod event;
mod files;
pub(crate) mod ledger;
mod report;
pub(crate) mod scratch;
mod shutdown;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{ContentId, Limits, Stage, Warning};
use crate::store::{Lease, MediaStore};
pub use builder::ContextBuilder;
pub use environment::Environment;
pub use event::Event;
use event::Listener;
use ledger::Ledger;
use scratch::Scratch;
#[cfg(feature = "cli")]
pub(crate) use shutdown::is_idle;
pub use shutdown::shut_down;
use shutdown::{Cancellation, Working};

/// What a stage gets besides its input: cancellation, progress, warnings, budget, limits, scratch
/// space, environment variables.
///
/// A clone is cheap. Clones share everything except the stage and the clip that they belong to.
#[derive(Clone, Default)]
pub struct Context {
    shared: Arc<Shared>,
    cancellation: Cancellation,
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
    /// Whether warnings are dropped, as another part of the same work gives them.
    silenced: bool,
    /// The environment of the builder, else that of the process, read at first use.
    environment: Arc<OnceLock<Environment>>,
    limits: Limits,
}

#[derive(Default)]
struct Shared {
    listener: Option<Listener>,
    warnings: Mutex<Vec<Warning>>,
    /// Whether a stand-in replaced a stage or a part of one.
    stepped_down: AtomicBool,
    scratch_parent: Option<PathBuf>,
    scratch: OnceLock<Scratch>,
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
        Context { cancellation: self.cancellation.child(), ..self.clone() }
    }

    /// The same context without warnings, for work that is divided into parts of which another one
    /// gives them.
    #[cfg(feature = "ffmpeg")]
    pub(crate) fn without_warnings(&self) -> Self {
        Context { silenced: true, ..self.clone() }
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

    /// The result of `work`. If this context is cancelled meanwhile, it returns an error of the
    /// kind [`ErrorKind::Cancelled`] at once and drops the work.
    pub(crate) async fn or_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancelled() => Err(self.label(Error::cancelled())),
            result = work => result,
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

    /// The environment variables for the work under this context. They are those of
    /// [`ContextBuilder::environment`], else those of the process. The latter are read at the first
    /// call and kept for all clones of this context and all runs under it.
    pub fn environment(&self) -> &Environment {
        self.environment.get_or_init(Environment::from_process)
    }

    /// How large the inputs of the work under this context may be.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The number of threads that one task should use, so that concurrent tasks share the machine.
    /// 0 lets each library choose.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs CPU-bound or blocking work on a thread for blocking tasks.
    ///
    /// It returns the work's error, or an error of the kind [`ErrorKind::Contract`] if the work
    /// panics. After [`shut_down`](crate::shut_down) no work begins, and the error has the kind
    /// [`ErrorKind::Cancelled`].
    pub async fn blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Context) -> Result<T> + Send + 'static,
    {
        let context = self.clone();
        let worker = tokio::task::spawn_blocking(move || {
            let Some(_working) = Working::begin() else { return Err(Error::cancelled()) };
            work(&context)
        });
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
        let cancellation = self.cancellation.child();
        let ledger = Arc::new(Ledger::below(&self.ledger));
        Context { shared: Arc::new(shared), ledger, cancellation, stage: None, clip: None, ..self.clone() }
    }

    /// A handle for the run that this context belongs to.
    pub(crate) fn run(&self) -> Run {
        Run(Arc::downgrade(&self.shared))
    }

    /// A context for work that can outlive the caller of this one. It keeps the stage, the clip and
    /// the ledger of this context, and its media store. Cancellation, warnings and scratch space
    /// are its own. `listener` receives its events.
    pub(crate) fn apart(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let shared = Shared {
            listener: Some(Arc::new(listener)),
            scratch_parent: self.shared.scratch_parent.clone(),
            media: self.opened_media_store().cloned().map(OnceLock::from).unwrap_or_default(),
            ..Shared::default()
        };
        Context { shared: Arc::new(shared), cancellation: Cancellation::default(), ..self.clone() }
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
