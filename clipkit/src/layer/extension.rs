use super::cache::{Cache, CacheLayer, Input};
use super::{Concurrency, Fallback, Layer, Layered, LimitLayer, RateLimit};
use crate::store::Document;

/// Layers and fallbacks, for every stage: built-in, yours, or behind an [`Arc`](std::sync::Arc).
///
/// `K` is the kind of stage: `dyn Source`, `dyn Transcriber`, `dyn Scorer`, `dyn FaceTracker`, `dyn
/// Renderer` or `dyn Publisher`. It is inferred, also for a type that implements several stage
/// traits. What implements none of them has no layers:
///
/// ```compile_fail,E0599
/// use clipkit::prelude::*;
/// let five = 5_u32.layer(Retry::times(3));
/// ```
///
/// A layer goes around what precedes it, so the last one is the outermost and sees a call first.
/// **The order matters:**
///
/// ```
/// # use clipkit::prelude::*;
/// # use std::sync::atomic::{AtomicUsize, Ordering};
/// # use std::time::Duration;
/// # struct Busy(AtomicUsize);
/// # #[async_trait::async_trait]
/// # impl Transcriber for Busy {
/// #     async fn transcribe(&self, _: &Context, _: &Media) -> Result<Transcript> {
/// #         match self.0.fetch_add(1, Ordering::SeqCst) {
/// #             0 | 1 => Err(Error::new(ErrorKind::Network, "busy")
/// #                 .with_recovery(Recovery::Retry { after: None })),
/// #             _ => Ok(Transcript::default()),
/// #         }
/// #     }
/// #     fn fingerprint(&self, _environment: &Environment) -> Option<String> {
/// #         Some("busy 1".into())
/// #     }
/// # }
/// # fn whisper() -> Busy {
/// #     Busy(AtomicUsize::new(0))
/// # }
/// # fn media(name: &str) -> Media {
/// #     Media::new(name, ContentId::new("none", name))
/// # }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<()> {
/// # let cx = Context::new();
/// # let begun = tokio::time::Instant::now();
/// // Right. Each attempt has ten minutes and counts against the rate. A cached answer counts
/// // against nothing.
/// let right = whisper()
///     .layer(Timeout::after(Duration::from_secs(600)))
///     .layer(RateLimit::per_minute(2))
///     .layer(Retry::times(3))
///     .layer(Cache::at("memory:///"));
/// # right.transcribe(&cx, &media("talk.mp4")).await?;
/// // Two attempts fail. The third has to wait for the rate's next minute.
/// # let waited = begun.elapsed();
/// assert!(waited >= Duration::from_secs(60));
/// # right.transcribe(&cx, &media("talk.mp4")).await?;
/// # assert_eq!(begun.elapsed(), waited);
///
/// // Wrong. The rate is asked once for all attempts, so the server sees three requests in a minute
/// // where two are allowed.
/// # let begun = tokio::time::Instant::now();
/// let wrong = whisper().layer(Retry::times(3)).layer(RateLimit::per_minute(2));
/// # wrong.transcribe(&cx, &media("talk.mp4")).await?;
/// assert!(begun.elapsed() < Duration::from_secs(60));
///
/// // Wrong. The timeout covers all attempts and the waits between them: the second attempt comes
/// // too late.
/// let wrong = whisper().layer(Retry::times(3)).layer(Timeout::after(Duration::from_secs(4)));
/// # let wrong = wrong.transcribe(&cx, &media("talk.mp4")).await;
/// assert_eq!(wrong.unwrap_err().kind(), ErrorKind::TimedOut);
/// # Ok(())
/// # }
/// ```
///
/// A layer around a stage covers a whole call: a transcript of two hours, all verdicts on a talk.
/// Servers limit requests, and one call makes many of them, so those limits are layers of the
/// server: [`OpenAiServer::layers`](crate::stage::OpenAiServer::layers). A server has a retry by
/// default. Attempts do not multiply: a [`Retry`](crate::layer::Retry) outside counts those of a
/// retry inside.
///
/// From the stage outwards: [`Timeout`](crate::layer::Timeout), [`Concurrency`], [`RateLimit`],
/// [`Retry`](crate::layer::Retry), [`Cache`], and around it all [`or`](StageExt::or). A fallback
/// further inside hides the failures that a retry outside could repair.
///
/// Layers go around a stage's one required method. Its other methods
/// ([`Renderer::size`](crate::stage::Renderer::size),
/// [`Publisher::conclude`](crate::stage::Publisher::conclude),
/// [`Publisher::staging`](crate::stage::Publisher::staging)) are passed through.
pub trait StageExt<K: StageKind + ?Sized>: Sized {
    /// Puts a layer around this stage.
    ///
    /// A configuration ([`RateLimit`], [`Concurrency`], [`Cache`]) is built for this stage alone.
    /// To share what it counts or keeps with other stages, build it first and give each stage a
    /// clone: `let rate = RateLimit::per_minute(5).build();`.
    fn layer<L, F>(self, layer: L) -> Layered<Self, L::Layer, K>
    where
        L: IntoLayer<K, F>,
    {
        Layered::new(self, layer.into_layer())
    }

    /// Adds a second stage that takes over if this one fails. Taking over leaves a warning.
    fn or<B: StageExt<K>>(self, other: B) -> Fallback<Self, B, K> {
        Fallback::new(self, other)
    }
}

/// A kind of stage, named by its trait object type: `dyn Scorer`. Implemented for the six stage
/// traits only.
pub trait StageKind: sealed::Kind {
    /// The input of the stage's required method.
    type Input: ?Sized + Sync;
    /// The output of the stage's required method.
    type Output: Send;
}

/// What [`StageExt::layer`] takes: every [`Layer`], and the configurations of those layers that
/// have state to share between calls. `F` says which of the two it is, and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer for the stage `{K}`",
    note = "a `Cache` goes around transcribers, scorers and trackers"
)]
pub trait IntoLayer<K: StageKind + ?Sized, F> {
    /// The layer.
    type Layer: Layer<K::Input, K::Output>;

    /// Builds the layer, with state of its own.
    fn into_layer(self) -> Self::Layer;
}

/// The two forms of a layer, for the second parameter of [`IntoLayer`].
pub mod form {
    /// A layer as it is called.
    #[derive(Debug)]
    pub enum Built {}

    /// A configuration from which a layer is built.
    #[derive(Debug)]
    pub enum Config {}
}

pub(super) mod sealed {
    pub trait Kind {}
}

impl<K: StageKind + ?Sized, L: Layer<K::Input, K::Output>> IntoLayer<K, form::Built> for L {
    type Layer = L;

    fn into_layer(self) -> L {
        self
    }
}

impl<K: StageKind + ?Sized> IntoLayer<K, form::Config> for RateLimit {
    type Layer = LimitLayer;

    fn into_layer(self) -> LimitLayer {
        self.build()
    }
}

impl<K: StageKind + ?Sized> IntoLayer<K, form::Config> for Concurrency {
    type Layer = LimitLayer;

    fn into_layer(self) -> LimitLayer {
        self.build()
    }
}

impl<K> IntoLayer<K, form::Config> for Cache
where
    K: StageKind<Input: Input, Output: Document + Clone> + ?Sized,
{
    type Layer = CacheLayer;

    fn into_layer(self) -> CacheLayer {
        self.build()
    }
}
