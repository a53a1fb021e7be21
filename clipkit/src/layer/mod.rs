//! Behaviour that wraps any stage, written once for all of them.

mod cache;
mod call;
mod concurrency;
mod config;
mod fallback;
mod rate_limit;
mod retry;
mod timeout;

pub use cache::{Cache, Input};
pub(crate) use call::inside;
pub use concurrency::Concurrency;
pub use config::{LayerConfig, WithLayers};
pub use fallback::Fallback;
pub use rate_limit::RateLimit;
pub use retry::Retry;
pub use timeout::Timeout;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{Candidate, ClipPlan, Manifest, Media, Post, Receipt, RenderedClip, Tracks, Transcript};
use crate::publish::Publisher;
use crate::render::Renderer;
use crate::score::{Scorer, Scoring};
use crate::source::Source;
use crate::track::{FaceTracker, Tracking};
use crate::transcribe::Transcriber;

/// How long work that was told to stop may take to tidy up; then it is abandoned.
const GRACE: Duration = Duration::from_millis(700);

/// Layers and fallbacks, for every stage: built-in, yours, or behind an [`Arc`].
///
/// A layer goes around what stands before it, so the last one is the outermost and sees a call first. **The order matters:**
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
/// #             0 | 1 => Err(Error::new(ErrorKind::Network, "busy").with_recovery(Recovery::Retry { after: None })),
/// #             _ => Ok(Transcript::default()),
/// #         }
/// #     }
/// #     fn fingerprint(&self) -> Option<String> {
/// #         Some("busy 1".into())
/// #     }
/// # }
/// # fn whisper() -> Busy {
/// #     Busy(AtomicUsize::new(0))
/// # }
/// # fn media(name: &str) -> Media {
/// #     Media {
/// #         path: name.into(), id: ContentId::new("none", name), container: String::new(), duration: Timestamp::ZERO,
/// #         video: None, audio: Vec::new(), subtitles: Vec::new(),
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<()> {
/// # let cx = Context::new();
/// # let begun = tokio::time::Instant::now();
/// // Right. Each attempt has its own ten minutes and counts against the rate; what is kept counts against nothing.
/// let right = whisper()
///     .layer(Timeout::after(Duration::from_secs(600)))
///     .layer(RateLimit::per_minute(2))
///     .layer(Retry::times(3))
///     .layer(Cache::at("memory:///"));
/// # right.transcribe(&cx, &media("talk.mp4")).await?;
/// // It fails twice, so three attempts were made, and the third had to wait for the rate's next minute.
/// # let waited = begun.elapsed();
/// assert!(waited >= Duration::from_secs(60));
/// # right.transcribe(&cx, &media("talk.mp4")).await?;
/// # assert_eq!(begun.elapsed(), waited);
///
/// // Wrong. The rate is asked once for all attempts, so the server sees three requests in a minute where two are allowed.
/// # let begun = tokio::time::Instant::now();
/// let wrong = whisper().layer(Retry::times(3)).layer(RateLimit::per_minute(2));
/// # wrong.transcribe(&cx, &media("talk.mp4")).await?;
/// assert!(begun.elapsed() < Duration::from_secs(60));
///
/// // Wrong. The time is for all attempts and the waits between them: the second attempt comes too late.
/// let wrong = whisper().layer(Retry::times(3)).layer(Timeout::after(Duration::from_secs(4)));
/// # let wrong = wrong.transcribe(&cx, &media("talk.mp4")).await;
/// assert_eq!(wrong.unwrap_err().kind(), ErrorKind::TimedOut);
/// # Ok(())
/// # }
/// ```
///
/// A layer around a stage goes around a whole call: a transcript of two hours, all verdicts on a talk. What a server limits is requests, and a
/// call makes many of them, so those limits are layers of the server: [`OpenAiServer::layers`](crate::stage::OpenAiServer::layers). A retry is there by
/// default, and attempts do not multiply: a [`Retry`] outside counts those that one further inside has made.
///
/// From the stage outwards: [`Timeout`], [`Concurrency`], [`RateLimit`], [`Retry`], [`Cache`], and around it all [`or`](StageExt::or).
/// A fallback further inside hides the failures that a retry outside it is there for.
///
/// Layers go around a stage's one required method. What else it answers ([`Renderer::size`], [`Publisher::conclude`],
/// [`Publisher::staging`]) is passed through.
pub trait StageExt: Sized {
    /// This stage inside a layer.
    fn layer<L>(self, layer: L) -> Layered<Self, L> {
        Layered { stage: Arc::new(self), layer }
    }

    /// This stage, and `other` where this one fails; the step down leaves a warning.
    fn or<B>(self, other: B) -> Fallback<Self, B> {
        Fallback::new(self, other)
    }
}

impl<T> StageExt for T {}

/// What a layer does around a call. `I` is what the stage is given, `O` what it answers.
///
/// A layer of your own goes around every stage if it asks nothing of the two:
///
/// ```
/// use clipkit::prelude::*;
///
/// /// Says on stderr how long each call took.
/// struct Stopwatch;
///
/// #[async_trait::async_trait]
/// impl<I: ?Sized + Sync, O: Send> Layer<I, O> for Stopwatch {
///     async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
///         let begun = std::time::Instant::now();
///         let answer = next.call(cx, input).await;
///         eprintln!("{:?}: {:.1} s", cx.stage(), begun.elapsed().as_secs_f64());
///         answer
///     }
/// }
///
/// let timed = Heuristic::default().layer(Stopwatch);
/// # fn is_a_scorer(_: impl Scorer) {}
/// # is_a_scorer(timed);
/// ```
///
/// For implementers:
/// - Call `next` with `cx` or a [`child`](Context::child) of it, as often as you like; give up a wait when `cx` is cancelled
///   ([`Context::sleep`]).
/// - Pass on what you have nothing to say about, errors included.
/// - One layer serves many calls at once: keep what they share behind an [`Arc`] or a lock.
#[async_trait]
pub trait Layer<I: ?Sized + Sync, O>: Send + Sync {
    /// Answers a call, with the help of what stands inside.
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O>;
}

#[async_trait]
impl<I: ?Sized + Sync, O: Send> Layer<I, O> for Arc<dyn Layer<I, O>> {
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        (**self).call(cx, input, next).await
    }
}

/// What stands inside a [`Layer`]: the stage, or the next layer.
pub struct Next<I: ?Sized, O>(Arc<dyn Service<I, O>>);

impl<I: ?Sized + Sync, O> Next<I, O> {
    /// Does the work.
    pub async fn call(&self, cx: &Context, input: &I) -> Result<O> {
        self.0.call(cx, input).await
    }

    fn identity(&self) -> Option<String> {
        self.0.identity()
    }
}

impl<I: ?Sized, O> Clone for Next<I, O> {
    fn clone(&self) -> Self {
        Next(self.0.clone())
    }
}

impl<I: ?Sized, O> fmt::Debug for Next<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

/// A stage inside a layer: again a stage of the same kind. Made by [`StageExt::layer`]; clones share the stage.
#[derive(Debug)]
pub struct Layered<T, L> {
    stage: Arc<T>,
    layer: L,
}

impl<T, L: Clone> Clone for Layered<T, L> {
    fn clone(&self) -> Self {
        Layered { stage: self.stage.clone(), layer: self.layer.clone() }
    }
}

/// Any of the six stage traits, seen as a function. A layer is written over this.
#[async_trait]
pub(crate) trait Service<I: ?Sized, O>: Send + Sync {
    async fn call(&self, cx: &Context, input: &I) -> Result<O>;

    /// The stage's fingerprint, where its kind has one.
    fn identity(&self) -> Option<String> {
        None
    }
}

/// What stands around a stage and answers for it where a method is not the layer's business.
trait Wraps {
    type Inner: ?Sized;
    fn first(&self) -> &Self::Inner;
}

impl<T: ?Sized> Wraps for Arc<T> {
    type Inner = T;

    fn first(&self) -> &T {
        self
    }
}

impl<T, L> Wraps for Layered<T, L> {
    type Inner = T;

    fn first(&self) -> &T {
        &self.stage
    }
}

impl<A, B> Wraps for Fallback<A, B> {
    type Inner = A;

    fn first(&self) -> &A {
        Fallback::first(self)
    }
}

/// For each stage trait: every implementer is a [`Service`], and every layer over stages and every shared stage is an implementer.
/// `cached by` names the method that makes the stage's answers fit for a cache.
macro_rules! stages {
    ($($trait:ident :: $method:ident ($input:ty) -> $output:ty $(, cached by $about:ident)? { $($forward:tt)* })*) => {$(
        #[async_trait]
        impl<T: $trait + ?Sized> Service<$input, $output> for T {
            async fn call(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.$method(cx, input).await
            }
            $(
                fn identity(&self) -> Option<String> {
                    $trait::$about(self)
                }
            )?
        }

        #[async_trait]
        impl<A: $trait, B: $trait> $trait for Fallback<A, B> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.first_that_works::<$input, $output>(cx, input).await
            }
            $($forward)*
            $(stages! { @fingerprint $about })?
        }

        #[async_trait]
        impl<T: $trait + 'static, L: Layer<$input, $output>> $trait for Layered<T, L> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.layer.call(cx, input, &Next(self.stage.clone())).await
            }
            $($forward)*
            $(stages! { @fingerprint $about })?
        }

        #[async_trait]
        impl<T: $trait + ?Sized> $trait for Arc<T> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.first().$method(cx, input).await
            }
            $($forward)*
            $(stages! { @fingerprint $about })?
        }

        impl WithLayers for Arc<dyn $trait> {
            fn with_layers(self, layers: &[LayerConfig]) -> Result<Self> {
                layers.iter().try_fold(self, |stage, layer| {
                    let layer: Arc<dyn Layer<$input, $output>> = stages! { @build layer, stage $($about)? };
                    Ok(Arc::new(stage.layer(layer)) as Self)
                })
            }
        }
    )*};
    (@fingerprint $about:ident) => {
        // What stood in for it is never kept, so the first of two decides.
        fn $about(&self) -> Option<String> {
            self.first().$about()
        }
    };
    (@build $layer:ident, $stage:ident) => { $layer.around_files()? };
    (@build $layer:ident, $stage:ident $about:ident) => { $layer.around_answers($stage.$about())? };
}

stages! {
    Source::fetch(str) -> Media {}
    Transcriber::transcribe(Media) -> Transcript, cached by fingerprint {}
    Scorer::score(Scoring) -> Vec<Candidate>, cached by fingerprint {
        fn is_builtin(&self) -> bool {
            self.first().is_builtin()
        }
    }
    FaceTracker::track(Tracking) -> Tracks, cached by fingerprint {
        fn is_builtin(&self) -> bool {
            self.first().is_builtin()
        }
    }
    Renderer::render(ClipPlan) -> RenderedClip {
        fn size(&self) -> Option<(u32, u32)> {
            self.first().size()
        }
        fn is_builtin(&self) -> bool {
            self.first().is_builtin()
        }
    }
    Publisher::publish(Post) -> Receipt {
        async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
            self.first().conclude(cx, manifest).await
        }
        fn target(&self) -> crate::publish::Target {
            self.first().target()
        }
        fn staging(&self) -> Option<&std::path::Path> {
            self.first().staging()
        }
    }
}
