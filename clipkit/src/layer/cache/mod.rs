//! Answers kept and found again by what they were made from.

mod input;
mod single_flight;
mod store;

pub use input::Input;

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use object_store::ObjectStore;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::OnceCell;

use self::single_flight::{Outcome, SingleFlight};
use self::store::Shelf;
use super::{Layer, Next};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// Does the same work once: answers are kept, and found again by what they were made from.
///
/// - The key is a hash of the stage's kind, the video's content (never its name), the rest of the input (span, transcript, options), the stage's
///   fingerprint ([`Transcriber::fingerprint`](crate::stage::Transcriber::fingerprint) and its kin, or [`about`](Cache::about)) and this crate's version.
///   Nothing of it is written in the clear.
/// - An answer is kept for 7 days. An old or damaged one is as good as none, and losing one costs time and nothing else; a store that cannot be
///   used leaves a warning.
/// - Callers of the same work at the same time share one computation, if their caches are clones, or are in the same place and process (ten jobs,
///   each with a pipeline of its own from one document). One that is cancelled leaves the others alone; the work stops when nobody waits for
///   it any more.
/// - Failures are not kept, nor is what a [`Fallback`](crate::layer::Fallback) stepped down to. Warnings are kept with the answer and said each time.
/// - Several processes may share a store: an entry appears when it is whole.
///
/// Transcribers, scorers and trackers can be cached. Sources, renderers and publishers answer with files, or change the world: a cache around
/// one does not compile, and in JSON it is refused.
///
/// ```compile_fail
/// use clipkit::prelude::*;
/// fn is_a_renderer(_: impl Renderer) {}
/// is_a_renderer(FfmpegRenderer::default().layer(Cache::default()));
/// ```
///
/// It belongs outside all other layers: what is kept needs no place, no rate and no second attempt. In JSON,
/// `{"cache": {"store": "s3://bucket/clipkit", "keep": 604800}}`; without a `store`, the user's cache folder.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    keep: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[schemars(skip)]
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none", serialize_with = "has_no_name")]
    given: Option<Arc<dyn ObjectStore>>,
    #[serde(skip)]
    shared: Arc<OnceLock<Arc<Shared>>>,
}

/// What clones have in common, and all caches of this process in one place.
#[derive(Default)]
struct Shared {
    /// Opened when first needed; none on a machine without a cache folder, where nothing is kept.
    shelf: OnceCell<Option<Shelf>>,
    flights: SingleFlight,
}

/// The variable that names the place of the user's cache.
const VARIABLE: &str = "CLIPKIT_CACHE";

/// What is in use, by place; none is the user's cache folder.
static IN_USE: Mutex<Option<HashMap<Option<String>, Weak<Shared>>>> = Mutex::new(None);

impl Shared {
    fn of(place: Option<&str>) -> Arc<Self> {
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = in_use.get_or_insert_default();
        in_use.retain(|_, shared| shared.strong_count() > 0);
        if let Some(shared) = in_use.get(&place.map(str::to_owned)).and_then(Weak::upgrade) {
            return shared;
        }
        let shared = Arc::<Shared>::default();
        in_use.insert(place.map(str::to_owned), Arc::downgrade(&shared));
        shared
    }
}

impl Default for Cache {
    fn default() -> Self {
        Cache { store: None, keep: Duration::from_secs(7 * 24 * 3600), about: None, given: None, shared: Arc::default() }
    }
}

impl PartialEq for Cache {
    fn eq(&self, other: &Self) -> bool {
        let same_store = match (&self.given, &other.given) {
            (Some(one), Some(another)) => Arc::ptr_eq(one, another),
            (None, None) => self.store == other.store,
            _ => false,
        };
        same_store && (self.keep, &self.about) == (other.keep, &other.about)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a password.
        f.debug_struct("Cache").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl Cache {
    /// Where the environment variable `CLIPKIT_CACHE` says (a folder or an address, as for [`Cache::at`]), else in `clipkit` in `XDG_CACHE_HOME` or
    /// the platform's cache folder. The same as [`Cache::default`].
    pub fn of_the_user() -> Self {
        Cache::default()
    }

    /// In a folder, by its path, or in a store, by its address: `s3://bucket/prefix` (crate feature `s3`), `gs://` (`gcs`), `az://` (`azure`),
    /// `memory:///` for as long as the cache lives. Credentials come from the environment, as for the provider's own tools (`AWS_ACCESS_KEY_ID`,
    /// `AWS_ENDPOINT_URL`, ...). S3's protocol is tested against a server of the tests' own; the other two were not tried on any.
    pub fn at(place: impl Into<String>) -> Self {
        Cache { store: Some(place.into()), ..Cache::default() }
    }

    /// In a store that you set up.
    ///
    /// This is the one place where a dependency's type stands in this crate's interface: `object_store` is what Rust programs hand such stores
    /// around as, and an address cannot say all that a store can be (other credentials, retries, encryption, one for tests). It is
    /// re-exported as [`clipkit::store::object_store`](crate::store::object_store), so that the versions are the same.
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Cache { given: Some(store), ..Cache::default() }
    }

    /// How long an answer is kept. Default 7 days: long enough for second thoughts about a video, short enough that a server's better models
    /// are noticed. Of caches over one store, the shortest decides, since each removes what is too old for it.
    #[must_use]
    pub fn keep(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }

    /// What decides the stage's answers besides its input, for stages that do not say so themselves, or in place of what they say: change it, and
    /// everything is computed anew.
    #[must_use]
    pub fn about(mut self, fingerprint: impl Into<String>) -> Self {
        self.about = Some(fingerprint.into());
        self
    }

    /// The same cache, opened anew.
    pub(super) fn anew(&self) -> Self {
        Cache { shared: Arc::default(), ..self.clone() }
    }

    pub(super) fn check(&self) -> Result<()> {
        match self.place() {
            Some(place) if self.given.is_none() => store::check(&place)?,
            _ => {}
        }
        self.check_time()
    }

    fn check_time(&self) -> Result<()> {
        if self.keep.is_zero() {
            return Err(Error::new(ErrorKind::Config, "a cache that keeps for 0 s keeps nothing"));
        }
        Ok(())
    }

    /// What answers are kept under, given what the stage says of itself.
    pub(super) fn fingerprint(&self, of_the_stage: Option<String>) -> Result<String> {
        self.about.clone().or(of_the_stage).ok_or_else(|| {
            Error::new(ErrorKind::Config, "this stage cannot be cached: it does not say what decides its answers")
                .with_advice("say it with Cache::about (\"about\" in JSON) or the stage's fingerprint method, or leave the cache out")
        })
    }

    /// The folder or the address; none is the user's cache folder.
    fn place(&self) -> Option<String> {
        self.store.clone().or_else(|| std::env::var(VARIABLE).ok().filter(|place| !place.trim().is_empty()))
    }

    /// What this cache shares with others. One over a store that was handed in, or in memory, has its clones alone.
    fn shared(&self) -> &Arc<Shared> {
        self.shared.get_or_init(|| match self.place() {
            _ if self.given.is_some() => Arc::default(),
            Some(place) if place.starts_with("memory:") => Arc::default(),
            place => Shared::of(place.as_deref()),
        })
    }

    async fn shelf(&self) -> Result<Option<&Shelf>> {
        let open = || async {
            match (&self.given, self.place()) {
                (Some(store), _) => Ok(Some(Shelf::over(store.clone()))),
                (None, Some(place)) => store::open(&place).await.map(Some),
                (None, None) => match store::folder_of_the_user() {
                    Some(folder) => store::open_folder(&folder).await.map(Some),
                    None => Ok(None),
                },
            }
        };
        Ok(self.shared().shelf.get_or_try_init(open).await?.as_ref())
    }

    /// Looks the answer up, else does the work and keeps what it answers. Runs once for all who wait.
    async fn find_or_make<I, O>(self, cx: Context, key: String, input: I, next: Next<I, O>) -> Outcome<O>
    where
        I: Input,
        O: Serialize + DeserializeOwned + Send + Sync,
    {
        let shelf = match self.shelf().await {
            Ok(shelf) => shelf,
            Err(error) if error.kind() == ErrorKind::Config => return Outcome::new(Err(error), &cx, 0, false),
            Err(error) => {
                cx.warn_once(unusable(&error));
                None
            }
        };
        if let Some(shelf) = shelf {
            match shelf.load(&key, self.keep).await {
                Ok(Some(found)) => {
                    cx.progress(1.0);
                    return found;
                }
                Ok(None) => {}
                Err(error) => cx.warn_once(unusable(&error)),
            }
        }
        let before = cx.warnings().len();
        let panicked = |_| Err(Error::new(ErrorKind::Contract, "the stage panicked"));
        let result = AssertUnwindSafe(next.call(&cx, &input)).catch_unwind().await.unwrap_or_else(panicked);
        let stepped_down = cx.stepped_down();
        let kept = Outcome::new(result, &cx, before, stepped_down);
        if let (Some(shelf), false) = (shelf, stepped_down)
            && let Err(error) = shelf.save(&key, self.keep, &kept).await
        {
            cx.warn_once(unusable(&error));
        }
        // With what is said of the store, which is no part of the answer.
        Outcome::new(kept.result, &cx, 0, stepped_down)
    }
}

fn unusable(error: &Error) -> String {
    format!("answers cannot be kept or found again: {error}")
}

fn has_no_name<S: Serializer>(_: &Option<Arc<dyn ObjectStore>>, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("a cache over a store that was handed in cannot be written down: give the store's address (Cache::at)"))
}

#[async_trait]
impl<I, O> Layer<I, O> for Cache
where
    I: Input,
    O: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        self.check_time()?;
        cx.check()?;
        let key = input::key(input, &self.fingerprint(next.identity())?);
        // A cache in the same place around this one, as around a fallback whose first stage is cached, waits for this call.
        let flight = format!("{:p} {key}", Arc::as_ptr(self.shared()));
        if cx.is_within(&flight) {
            return next.call(cx, input).await;
        }
        let work = |apart: Context| {
            let (cache, key, input, next) = (self.clone(), key.clone(), input.clone(), next.clone());
            let apart = apart.within(&flight);
            async move { cache.find_or_make(apart, key, input, next).await }
        };
        self.shared().flights.join(cx, &key, work).await
    }
}
