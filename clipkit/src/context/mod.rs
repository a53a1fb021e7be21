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
use crate::model::{ContentId, ManifestClip, MediaRef, Stage, Usage, Warning, WarningKind};
use crate::store::{Lease, MediaLimits, MediaStore};
pub use environment::Environment;
use ledger::{Held, Ledger};

/// Something that happened in a run, for progress bars and logs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A stage began, for the run or for one clip.
    Started {
        /// The stage.
        stage: Stage,
        /// The clip, from 1 in order of rank.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
    },
    /// A stage got further.
    Progress {
        /// The stage.
        stage: Stage,
        /// The clip, from 1 in order of rank.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
        /// The part done, 0 to 1.
        fraction: f32,
    },
    /// A stage ended well.
    Finished {
        /// The stage.
        stage: Stage,
        /// The clip, from 1 in order of rank.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
    },
    /// The number of clips is known.
    Planned {
        /// How many clips will be made.
        clips: usize,
    },
    /// A stage waits: for a place, for its next attempt.
    Waiting {
        /// The stage.
        stage: Stage,
        /// The clip, from 1 in order of rank.
        #[serde(skip_serializing_if = "Option::is_none")]
        clip: Option<usize>,
        /// For how long.
        seconds: f64,
        /// Why, in one line for a person.
        reason: String,
    },
    /// Something went less well than asked.
    Warning(Warning),
    /// A clip is in its place.
    Clip(ManifestClip),
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Holds progress back that nobody could read.
struct Pace {
    least: Duration,
    told: Mutex<HashMap<(Stage, Option<usize>), Instant>>,
}

impl Pace {
    fn allows(&self, event: &Event) -> bool {
        let Event::Progress { stage, clip, .. } = event else { return true };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let due = told.get(&(*stage, *clip)).is_none_or(|last| now.duration_since(*last) >= self.least);
        if due {
            told.insert((*stage, *clip), now);
        }
        due
    }
}

/// What a stage is given besides its input: cancellation, progress, warnings, scratch space, accounts.
///
/// Cheap to clone; clones share everything but the stage and clip they speak for.
#[derive(Clone, Default)]
pub struct Context {
    shared: Arc<Shared>,
    cancellation: CancellationToken,
    ledger: Arc<Ledger>,
    stage: Option<Stage>,
    clip: Option<usize>,
    threads: usize,
    /// The shared work that this is part of, the innermost last.
    within: Arc<[String]>,
    extension: Option<Arc<dyn Any + Send + Sync>>,
    /// Names one publication, so that the same post is published once.
    idempotency_key: Option<Arc<str>>,
    /// Whether a part of a stage may stand in for another part that fails.
    stand_in: bool,
    /// Read from the process when first used, unless the builder set it.
    environment: Arc<OnceLock<Environment>>,
}

#[derive(Default)]
struct Shared {
    listener: Option<Listener>,
    warnings: Mutex<Vec<Warning>>,
    /// Whether something stood in for what was asked.
    stepped_down: AtomicBool,
    scratch_parent: Option<PathBuf>,
    scratch: OnceLock<crate::context::scratch::Scratch>,
    /// Where media are on this machine, by content.
    files: Mutex<HashMap<ContentId, PathBuf>>,
    /// The media store, opened when first needed.
    media: OnceLock<MediaStore>,
    /// Files of the media store that are in use.
    leases: Mutex<Vec<Lease>>,
    /// The context this one was made for a run from: it hears of the run's warnings.
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
    /// A context that nobody listens to, with scratch space in the system's folder for temporary files.
    pub fn new() -> Self {
        Context::default()
    }

    /// A builder, to set a listener or the scratch space's place.
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// The same context, for work that can be stopped by itself: cancelling it leaves this one alone; cancelling this one cancels both.
    #[must_use]
    pub fn child(&self) -> Self {
        Context { cancellation: self.cancellation.child_token(), ..self.clone() }
    }

    /// Asks everything that runs under this context to stop. Work stops within a second and removes what it had half written.
    pub fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// Whether someone asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    /// An error if someone asked to stop. Long loops call it once a turn.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(self.label(Error::cancelled())) } else { Ok(()) }
    }

    /// Waits until someone asks to stop.
    pub async fn cancelled(&self) {
        self.cancellation.cancelled().await;
    }

    /// Waits for `time`, unless someone asks to stop before it is over: that is an error at once.
    pub async fn sleep(&self, time: Duration) -> Result<()> {
        tokio::select! {
            biased;
            () = self.cancelled() => self.check(),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// The stage this context speaks for.
    pub fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// The clip this context speaks for, from 1 in order of rank.
    pub fn clip(&self) -> Option<usize> {
        self.clip
    }

    /// The same context, speaking for `stage`.
    #[must_use]
    pub fn for_stage(&self, stage: Stage) -> Self {
        Context { stage: Some(stage), ..self.clone() }
    }

    /// The same context, speaking for a clip.
    #[must_use]
    pub fn for_clip(&self, rank: usize) -> Self {
        Context { clip: Some(rank), ..self.clone() }
    }

    /// The same context, for work that may use `threads` threads. 0 leaves it to each library.
    #[must_use]
    pub fn with_threads(&self, threads: usize) -> Self {
        Context { threads, ..self.clone() }
    }

    /// The same context, with something of the caller's that its own stages find again: a request, a handle. It takes the place of
    /// what was there.
    #[must_use]
    pub fn with_extension<T: Any + Send + Sync>(&self, extension: Arc<T>) -> Self {
        Context { extension: Some(extension), ..self.clone() }
    }

    /// What the caller gave for its stages, where it is a `T`.
    pub fn extension<T: Any>(&self) -> Option<&T> {
        self.extension.as_deref()?.downcast_ref()
    }

    /// The same context, for one publication.
    #[must_use]
    pub(crate) fn with_idempotency_key(&self, key: &str) -> Self {
        Context { idempotency_key: Some(key.into()), ..self.clone() }
    }

    /// Names the publication that this context is for: a hash of the clip, the target and the
    /// account. A publisher that gets the same key twice publishes once. `None` outside of
    /// [`Publisher::publish`](crate::stage::Publisher::publish).
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// The same context, for a stage whose parts may stand in for each other.
    #[must_use]
    pub(crate) fn with_stand_in(&self, allowed: bool) -> Self {
        Context { stand_in: allowed, ..self.clone() }
    }

    /// Whether a part of a stage may stand in for another part that fails.
    pub(crate) fn may_stand_in(&self) -> bool {
        self.stand_in
    }

    /// Remembers where a medium is on this machine, for [`Context::locate`].
    pub(crate) fn bind(&self, id: &ContentId, path: &Path) {
        self.shared.files.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), path.to_owned());
    }

    /// Where a step of this run found a medium.
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

    /// The media store: what [`ContextBuilder::media_store`] was given, else the folder that
    /// `CLIPKIT_MEDIA` names, else `clipkit/media` in the user's cache folder, with
    /// [`MediaLimits::default`]. A source puts what it fetches there.
    ///
    /// It blocks while the store is opened for the first time. `ErrorKind::Unavailable` where the
    /// machine has no cache folder and none is named.
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

    /// The file of the media store with this content. It stays there until this context's run ends.
    /// `None` where there is no store yet, or it does not have the file.
    pub(crate) fn stored(&self, id: &ContentId) -> Result<Option<PathBuf>> {
        let is_open = self.shared.media.get().is_some();
        let exists = || self.environment().media_folder().is_some_and(|folder| folder.is_dir());
        if !is_open && self.shared.parent.as_ref().is_none_or(|parent| parent.media.get().is_none()) && !exists() {
            return Ok(None);
        }
        Ok(self.media_store()?.find(id)?.map(|lease| self.hold(lease)))
    }

    /// Keeps a file in the media store until this context's run ends. Answers its path.
    pub fn hold(&self, lease: Lease) -> PathBuf {
        let path = lease.path().to_owned();
        self.shared.leases.lock().unwrap_or_else(PoisonError::into_inner).push(lease);
        path
    }

    /// Where a medium is on this machine: where a step of this run found it, else at its URI,
    /// where that is a path.
    ///
    /// `ErrorKind::NotFound` where it is neither. A renderer or tracker of your own opens what this
    /// answers.
    pub fn locate(&self, media: &MediaRef) -> Result<PathBuf> {
        if let Some(path) = self.bound(&media.id) {
            return Ok(path);
        }
        if let Some(path) = self.stored(&media.id)? {
            return Ok(path);
        }
        let path = Path::new(media.uri.strip_prefix("file://").unwrap_or(&media.uri));
        if path.exists() {
            return Ok(path.to_owned());
        }
        Err(self
            .label(Error::new(ErrorKind::NotFound, "the source is not on this machine").with_url(&media.uri).with_advice("fetch it again")))
    }

    /// The environment variables for the work under this context: what
    /// [`ContextBuilder::environment`] was given, else the process's, read when this is first
    /// called and kept for all clones of this context and all runs under it.
    pub fn environment(&self) -> &Environment {
        self.environment.get_or_init(Environment::from_process)
    }

    /// How many threads one piece of work should use, so that what runs side by side shares the machine. 0 leaves it to each library.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Tells the listener.
    pub fn emit(&self, event: &Event) {
        if let Some(listener) = &self.shared.listener {
            listener(event);
        }
    }

    /// Tells the listener how far this context's stage is, 0 to 1.
    pub fn progress(&self, fraction: f64) {
        if let Some(stage) = self.stage {
            self.emit(&Event::Progress { stage, clip: self.clip, fraction: fraction.clamp(0.0, 1.0) as f32 });
        }
    }

    /// Tells the log and the listener that this context's stage waits for `time`, and why.
    pub fn waiting(&self, time: Duration, reason: impl Into<String>) {
        let reason = reason.into();
        tracing::info!(stage = self.stage.map(Stage::name), clip = self.clip, seconds = time.as_secs_f64(), "waits: {reason}");
        if let Some(stage) = self.stage {
            self.emit(&Event::Waiting { stage, clip: self.clip, seconds: time.as_secs_f64(), reason });
        }
    }

    /// Leaves a warning of the kind [`WarningKind::Other`] in the result, the log and the progress
    /// stream.
    pub fn warn(&self, message: impl Into<String>) {
        self.warn_of(WarningKind::Other, message);
    }

    /// Leaves a warning of a kind in the result, the log and the progress stream.
    pub fn warn_of(&self, kind: WarningKind, message: impl Into<String>) {
        let (stage, message) = (self.stage.unwrap_or(Stage::Plan), message.into());
        let warning = Warning { kind, stage, clip: self.clip, message };
        tracing::warn!(stage = %warning.stage, clip = warning.clip, "{}", warning.message);
        self.emit(&Event::Warning(warning.clone()));
        self.shared.keep(&warning);
    }

    /// Warns for the run as a whole, unless the same was said in it before.
    pub(crate) fn warn_once(&self, message: String) {
        self.warn_once_of(WarningKind::Other, message);
    }

    /// Warns of a kind for the run as a whole, unless the same was said in it before.
    pub(crate) fn warn_once_of(&self, kind: WarningKind, message: String) {
        if !self.warnings().iter().any(|warning| warning.message == message) {
            Context { clip: None, ..self.clone() }.warn_of(kind, message);
        }
    }

    /// The warnings left so far, of all stages and clips.
    pub fn warnings(&self) -> Vec<Warning> {
        self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Enters what was asked of a paid service, under this context's stage where `usage` names none. It ends up in the manifest.
    pub fn spend(&self, usage: Usage) {
        self.ledger.spend(&self.entered(usage));
    }

    /// The same, in place of the money that was put aside for it.
    pub(crate) fn settle(&self, held: Held, usage: Usage) {
        held.spend(&self.entered(usage));
    }

    fn entered(&self, usage: Usage) -> Usage {
        let usage = Usage { stage: usage.stage.or(self.stage), ..usage };
        tracing::debug!(stage = ?usage.stage, model = %usage.model, tokens = usage.prompt_tokens + usage.completion_tokens, "spent");
        usage
    }

    /// What was spent so far, one entry for each stage and model.
    pub fn usage(&self) -> Vec<Usage> {
        self.ledger.usage()
    }

    /// What may still be spent, in US dollars; none where there is no budget. What is on its way counts as spent.
    pub fn budget_left(&self) -> Option<f64> {
        self.ledger.left()
    }

    /// Puts money aside for a request until what is answered is dropped; none where that would pass the budget.
    pub(crate) fn hold(&self, usd: f64) -> Option<Held> {
        self.ledger.hold(usd)
    }

    /// Sets this context's budget, in US dollars.
    pub(crate) fn limit(&self, usd: Option<f64>) {
        self.ledger.limit(usd);
    }

    /// A folder for this run's temporary files, removed when the last clone of this context is dropped.
    pub fn scratch(&self) -> Result<&Path> {
        if let Some(scratch) = self.shared.scratch.get() {
            return Ok(scratch.path());
        }
        let parent = self.shared.scratch_parent.clone().unwrap_or_else(|| self.environment().folder_for_scratch());
        let made = crate::context::scratch::Scratch::create(&parent).map_err(|error| self.label(error))?;
        // Two threads may come here at once: one scratch folder stays, the other is removed as it is dropped.
        Ok(self.shared.scratch.get_or_init(|| made).path())
    }

    /// Whether a file lies in scratch space of this context, which goes when the run ends.
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

    /// Runs CPU-bound or blocking work off the async threads.
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

    /// Names this context's stage in an error that does not name one yet.
    pub(crate) fn label(&self, error: Error) -> Error {
        match self.stage {
            Some(stage) => error.with_stage(stage),
            None => error,
        }
    }

    /// A context for one run under this one: cancelled with it, heard by the same listener, with warnings and scratch space of its own.
    /// Scratch space goes where this context was told to put it, else into `staging`.
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

    /// Names the run that this context belongs to.
    pub(crate) fn run(&self) -> Run {
        Run(Arc::downgrade(&self.shared))
    }

    /// A context for work that outlives this one's caller: it speaks for the same stage and clip, and what it spends
    /// counts where this one's does. Cancellation, warnings and scratch space are its own. `listener` hears it.
    pub(crate) fn apart(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let shared = Shared { listener: Some(Arc::new(listener)), scratch_parent: self.shared.scratch_parent.clone(), ..Shared::default() };
        Context { shared: Arc::new(shared), cancellation: CancellationToken::new(), ..self.clone() }
    }

    /// The same context, for a part of shared work: whoever waits for `work` within it would wait for ever.
    pub(crate) fn within(&self, work: &str) -> Self {
        Context { within: self.within.iter().cloned().chain([work.to_owned()]).collect(), ..self.clone() }
    }

    /// Whether this is a part of `work`.
    pub(crate) fn is_within(&self, work: &str) -> bool {
        self.within.iter().any(|outer| outer == work)
    }

    /// Remembers that what is answered stands in for what was asked, so that no cache keeps it.
    pub(crate) fn step_down(&self) {
        self.shared.stepped_down.store(true, Ordering::Relaxed);
    }

    /// Whether something that ran under this context stepped down.
    pub(crate) fn stepped_down(&self) -> bool {
        self.shared.stepped_down.load(Ordering::Relaxed)
    }

    /// Removes the scratch space now, whoever still holds this context.
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

/// Names a run, and does not keep its state alive.
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

/// Makes a [`Context`].
#[derive(Default)]
pub struct ContextBuilder {
    shared: Shared,
    pace: Option<Duration>,
    max_cost: Option<f64>,
    environment: OnceLock<Environment>,
}

impl ContextBuilder {
    /// Calls `listener` for every event. It is called from worker threads and must return quickly.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.shared.listener = Some(Arc::new(listener));
        self
    }

    /// Tells the listener of one stage's progress on one clip at most this often; of everything else always. Default: always.
    #[must_use]
    pub fn pace(mut self, least: Duration) -> Self {
        self.pace = Some(least);
        self
    }

    /// Puts scratch space inside `folder`, which is made when first needed. Renaming finished files into place is only free on one file system,
    /// so give the output's folder.
    #[must_use]
    pub fn scratch_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.shared.scratch_parent = Some(folder.into());
        self
    }

    /// Uses this media store. Default: see [`Context::media_store`].
    #[must_use]
    pub fn media_store(self, store: MediaStore) -> Self {
        // A fresh cell: there is nothing in it.
        let _ = self.shared.media.set(store);
        self
    }

    /// The most that all work under this context may cost together, in US dollars: built-in stages stop before they pass it.
    #[must_use]
    pub fn max_cost(mut self, usd: f64) -> Self {
        self.max_cost = Some(usd);
        self
    }

    /// Uses `environment` instead of the process's variables. Default: [`Environment::from_process`].
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = OnceLock::from(environment);
        self
    }

    /// The context.
    pub fn build(mut self) -> Context {
        if let Some(least) = self.pace {
            let pace = Pace { least, told: Mutex::default() };
            self.shared.listener = self.shared.listener.map(|listener| {
                Arc::new(move |event: &Event| {
                    if pace.allows(event) {
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
