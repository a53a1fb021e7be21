//! Answers that are kept and found again by what they were made from.

mod key;
mod single_flight;

pub use key::Input;

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use self::single_flight::{Outcome, SingleFlight};
use super::{Layer, Next};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::model::WarningKind;
use crate::store::{ArtifactKey, ArtifactStore, Document, check_address};

/// Does the same work once: answers are kept in an [`ArtifactStore`], and found again by what they
/// were made from.
///
/// - The [key](ArtifactKey) is a hash of the kind and version of the answer, the content of the
///   video (never its name), the rest of the input (span, transcript, options) and the stage's
///   fingerprint ([`Transcriber::fingerprint`](crate::stage::Transcriber::fingerprint) and its kin,
///   or [`about`](Cache::about)). Nothing of it is written in the clear.
/// - An answer is kept for 7 days. An old or damaged one counts as absent. A store that cannot be
///   used leaves a warning, and the work is done.
/// - Callers of the same work at the same time share one computation, if they use clones of one
///   layer, or layers with the same `store` in one process (ten jobs, each with a pipeline of its
///   own from one document). If one of them is cancelled, the others are not. The work stops when
///   nobody waits for it any more.
/// - Failures are not kept, and neither are answers of the second stage of a
///   [`Fallback`](crate::layer::Fallback). Warnings are kept with the answer and repeated each
///   time.
///
/// This is configuration. `stage.layer(Cache::at("artifacts"))` builds the layer for that stage. To
/// share a store that you set up, use [`over`](Cache::over):
///
/// ```
/// use clipkit::prelude::*;
/// use clipkit::store::ArtifactStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = ArtifactStore::open("memory:///").await?;
/// let cache = Cache::default().over(store);
/// let transcriber = OpenAiTranscriber::default().layer(cache.clone());
/// let scorer = OpenAiScorer::default().layer(cache);
/// # fn stages(_: impl Transcriber, _: impl Scorer) {}
/// # stages(transcriber, scorer);
/// # Ok(())
/// # }
/// ```
///
/// Transcribers, scorers and trackers can be cached. Sources, renderers and publishers answer with
/// files or change the world: a cache around one of them does not compile, and is refused in JSON.
///
/// ```compile_fail,E0277
/// use clipkit::prelude::*;
/// let cached = FfmpegRenderer::default().layer(Cache::default());
/// ```
///
/// Put this layer outside all others: a cached answer needs no place, no rate and no second
/// attempt. In JSON, `{"cache": {"store": "s3://bucket/clipkit", "keep": 604800}}`; without a
/// `store`, the user's cache folder.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    keep: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
}

/// A [`Cache`] with its store and the work that is under way. Clones share both.
#[derive(Clone)]
pub struct CacheLayer {
    config: Cache,
    /// The store that was handed in, where one was.
    given: Option<Arc<Shared>>,
    /// The stores at the addresses that calls had, by address: contexts differ in their
    /// environments.
    opened: Arc<Mutex<HashMap<Address, Arc<Shared>>>>,
}

/// Where a store is: its address, and the settings that it is reached with.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Address {
    /// `None` on a machine without a cache folder: nothing is kept there.
    address: Option<String>,
    settings: Vec<(String, String)>,
}

/// What clones of a layer share, and all layers of this process at one address.
#[derive(Default)]
struct Shared {
    /// Opened when first needed.
    store: OnceCell<Option<ArtifactStore>>,
    flights: SingleFlight,
}

/// What layers share, by address.
static IN_USE: Mutex<Option<HashMap<Address, Weak<Shared>>>> = Mutex::new(None);

impl Shared {
    fn at(address: &Address) -> Arc<Self> {
        // Each store in memory is one of its own.
        if address.address.as_ref().is_some_and(|address| address.starts_with("memory:")) {
            return Arc::default();
        }
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = in_use.get_or_insert_default();
        in_use.retain(|_, shared| shared.strong_count() > 0);
        if let Some(shared) = in_use.get(address).and_then(Weak::upgrade) {
            return shared;
        }
        let shared = Arc::<Shared>::default();
        in_use.insert(address.clone(), Arc::downgrade(&shared));
        shared
    }

    fn over(store: ArtifactStore) -> Arc<Self> {
        Arc::new(Shared { store: OnceCell::new_with(Some(Some(store))), ..Shared::default() })
    }

    async fn store(&self, cx: &Context, address: Option<&str>) -> Result<Option<&ArtifactStore>> {
        let open = || async {
            match address {
                Some(address) => ArtifactStore::open_with(address, cx.environment()).await.map(Some),
                None => Ok(None),
            }
        };
        Ok(self.store.get_or_try_init(open).await?.as_ref())
    }
}

impl Default for Cache {
    fn default() -> Self {
        Cache { store: None, keep: Duration::from_secs(7 * 24 * 3600), about: None }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a password.
        f.debug_struct("Cache").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl fmt::Debug for CacheLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheLayer").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Cache {
    /// At the address in the environment variable `CLIPKIT_CACHE` (as for [`Cache::at`]), else in
    /// `clipkit` in `XDG_CACHE_HOME` or the platform's cache folder. The same as
    /// [`Cache::default`].
    pub fn of_the_user() -> Self {
        Cache::default()
    }

    /// In the store at an address: a folder's path, `s3://bucket/prefix`, `gs://`, `az://` or
    /// `memory:///`; see [`ArtifactStore::open`].
    pub fn at(address: impl Into<String>) -> Self {
        Cache { store: Some(address.into()), ..Cache::default() }
    }

    /// Sets how long an answer is kept. Default 7 days: long enough for second thoughts about a
    /// video, short enough to benefit from a server's better models. If several caches share a
    /// store, the shortest time decides, since each removes what is too old for it.
    #[must_use]
    pub fn keep(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }

    /// Sets what decides the stage's answers besides its input, for stages without a fingerprint,
    /// or in place of the stage's own. When it changes, everything is computed again.
    #[must_use]
    pub fn about(mut self, fingerprint: impl Into<String>) -> Self {
        self.about = Some(fingerprint.into());
        self
    }

    /// Builds the layer. Layers at the same address in one process share the work that is under
    /// way; each layer at `memory:///` has a store of its own.
    pub fn build(&self) -> CacheLayer {
        CacheLayer { config: self.clone(), given: None, opened: Arc::default() }
    }

    /// Builds the layer over a store that you opened. The `store` of this configuration is not
    /// used.
    pub fn over(&self, store: ArtifactStore) -> CacheLayer {
        CacheLayer { config: self.clone(), given: Some(Shared::over(store)), opened: Arc::default() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if let Some(address) = &self.store {
            check_address(address, &Environment::from_process())?;
        }
        self.check_time()
    }

    fn check_time(&self) -> Result<()> {
        if self.keep.is_zero() {
            return Err(Error::new(ErrorKind::Config, "a cache that keeps for 0 s keeps nothing"));
        }
        Ok(())
    }

    /// Where the store is for calls under this environment.
    fn address(&self, environment: &Environment) -> Address {
        let settings = environment.object_store.iter().map(|(name, value)| (name.clone(), value.clone()));
        Address { address: self.store.clone().or_else(|| environment.artifacts()), settings: settings.collect() }
    }
}

impl CacheLayer {
    /// The store with the configuration's age limit. `None` on a machine without a cache folder.
    pub(crate) async fn store(&self, cx: &Context) -> Result<Option<ArtifactStore>> {
        let address = self.config.address(cx.environment());
        let shared = self.shared(&address);
        let store = shared.store(cx, address.address.as_deref()).await?;
        Ok(store.map(|store| store.clone().keep(self.config.keep)))
    }

    /// What this layer shares with others at the address.
    fn shared(&self, address: &Address) -> Arc<Shared> {
        match &self.given {
            Some(shared) => shared.clone(),
            None => {
                let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
                opened.entry(address.clone()).or_insert_with(|| Shared::at(address)).clone()
            }
        }
    }

    /// The fingerprint in keys, given the stage's own.
    pub(super) fn fingerprint(&self, of_the_stage: Option<String>) -> Result<String> {
        self.config.about.clone().or(of_the_stage).ok_or_else(|| {
            Error::new(ErrorKind::Config, "this stage cannot be cached: it does not say what decides its answers")
                .with_advice("say it with Cache::about (\"about\" in JSON) or the stage's fingerprint method, or leave the cache out")
        })
    }

    /// Looks the answer up, else does the work and keeps its answer. Runs once for all who wait.
    async fn find_or_make<I, O>(self, cx: Context, key: ArtifactKey, input: I, next: Next<I, O>) -> Outcome<O>
    where
        I: Input,
        O: Document,
    {
        let store = match self.store(&cx).await {
            Ok(store) => store,
            Err(error) if error.kind() == ErrorKind::Config => return Outcome::new(Err(error), &cx, 0, false),
            Err(error) => {
                cx.warn_once_of(WarningKind::Store, unusable(&error));
                None
            }
        };
        if let Some(store) = &store {
            match store.read::<O>(&key).await {
                Ok(Some((answer, notes))) => {
                    cx.progress(1.0);
                    return Outcome { result: Ok(answer), notes, stepped_down: false };
                }
                Ok(None) => {}
                Err(error) => cx.warn_once_of(WarningKind::Store, unusable(&error)),
            }
        }
        let before = cx.warnings().len();
        let panicked = |_| Err(Error::new(ErrorKind::Contract, "the stage panicked"));
        let result = AssertUnwindSafe(next.call(&cx, &input)).catch_unwind().await.unwrap_or_else(panicked);
        let stepped_down = cx.stepped_down();
        let outcome = Outcome::new(result, &cx, before, stepped_down);
        if let (Some(store), Ok(answer), false) = (&store, &outcome.result, stepped_down)
            && let Err(error) = store.write(&key, answer, &outcome.notes).await
        {
            cx.warn_once_of(WarningKind::Store, unusable(&error));
        }
        // With the warnings about the store, which are not kept with the answer.
        Outcome::new(outcome.result, &cx, 0, stepped_down)
    }
}

fn unusable(error: &Error) -> String {
    format!("answers cannot be kept or found again: {error}")
}

#[async_trait]
impl<I, O> Layer<I, O> for CacheLayer
where
    I: Input,
    O: Document + Clone,
{
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        self.config.check_time()?;
        cx.check()?;
        let key = key::key::<I, O>(input, &self.fingerprint(next.identity(cx.environment()))?)?;
        let name = key.to_string();
        // A cache with the same store around this one, as around a fallback whose first stage is
        // cached, waits for this call.
        let shared = self.shared(&self.config.address(cx.environment()));
        let flight = format!("{:p} {name}", Arc::as_ptr(&shared));
        if cx.is_within(&flight) {
            return next.call(cx, input).await;
        }
        let work = |apart: Context| {
            let (cache, key, input, next) = (self.clone(), key.clone(), input.clone(), next.clone());
            let apart = apart.within(&flight);
            async move { cache.find_or_make(apart, key, input, next).await }
        };
        shared.flights.join(cx, &name, work).await
    }
}
