//! Behaviour that wraps any stage, written once for all of them.
//!
//! Configurations ([`RateLimit`], [`Concurrency`], [`Cache`], [`Retry`], [`Timeout`], and
//! [`LayerConfig`] for each of them) are plain data. What the calls of a stage share (the history
//! of a rate, places, a store) is built from them once, by [`StageExt::layer`],
//! [`WithLayers::with_layers`] or a configuration's `build`, and clones of the built layer share
//! it.

mod cache;
mod call;
mod concurrency;
mod config;
mod extension;
mod fallback;
mod limiter;
mod rate_limit;
mod retry;
mod timeout;

pub use cache::{Cache, CacheLayer, Input};
pub(crate) use call::RequestLayers;
pub use concurrency::Concurrency;
pub use config::{BuiltLayer, LayerConfig, WithLayers};
pub use extension::{IntoLayer, StageExt, StageKind, form};
pub use fallback::Fallback;
pub use limiter::{LimitLayer, Limiter, Permit};
pub use rate_limit::RateLimit;
pub use retry::Retry;
pub use timeout::Timeout;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::{Candidate, ClipPlan, Manifest, Media, Post, Receipt, RenderedClip, Tracks, Transcript};
use crate::publish::Publisher;
use crate::render::Renderer;
use crate::score::{Scorer, Scoring};
use crate::source::Source;
use crate::track::{FaceTracker, Tracking};
use crate::transcribe::Transcriber;

/// How long cancelled work may take to clean up; then it is abandoned.
const GRACE: Duration = Duration::from_millis(700);

/// A layer: it answers a call with the help of what is inside it. `I` is the input of the stage,
/// `O` its output.
///
/// A layer of your own goes around every stage if it has no bounds on the two:
///
/// ```
/// use clipkit::prelude::*;
///
/// /// Prints how long each call took.
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
/// - Call `next` with `cx` or a [`child`](Context::child) of it, as often as needed. Stop waiting
///   when `cx` is cancelled ([`Context::sleep`]).
/// - Return answers and errors unchanged unless the layer is there to change them.
/// - One layer serves many calls at once: keep what they share behind a lock.
#[async_trait]
pub trait Layer<I: ?Sized + Sync, O>: Send + Sync {
    /// Answers a call, with the help of what is inside.
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O>;
}

#[async_trait]
impl<I: ?Sized + Sync, O: Send> Layer<I, O> for Arc<dyn Layer<I, O>> {
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        (**self).call(cx, input, next).await
    }
}

/// What is inside a [`Layer`]: the stage, or the next layer.
pub struct Next<I: ?Sized, O>(Arc<dyn Service<I, O>>);

impl<I: ?Sized + Sync, O> Next<I, O> {
    /// Calls it.
    pub async fn call(&self, cx: &Context, input: &I) -> Result<O> {
        self.0.call(cx, input).await
    }

    fn identity(&self, environment: &Environment) -> Option<String> {
        self.0.identity(environment)
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

/// A stage inside a layer: again a stage of the same kind `K`. Made by [`StageExt::layer`]; clones
/// share the stage.
pub struct Layered<T, L, K: ?Sized> {
    stage: Arc<T>,
    layer: L,
    kind: PhantomData<fn(Box<K>)>,
}

impl<T, L, K: ?Sized> Layered<T, L, K> {
    fn new(stage: T, layer: L) -> Self {
        Layered { stage: Arc::new(stage), layer, kind: PhantomData }
    }
}

impl<T, L: Clone, K: ?Sized> Clone for Layered<T, L, K> {
    fn clone(&self) -> Self {
        Layered { stage: self.stage.clone(), layer: self.layer.clone(), kind: PhantomData }
    }
}

impl<T: fmt::Debug, L: fmt::Debug, K: ?Sized> fmt::Debug for Layered<T, L, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layered").field("stage", &self.stage).field("layer", &self.layer).finish()
    }
}

/// Any of the six stage traits as one function, for layers.
#[async_trait]
pub(crate) trait Service<I: ?Sized, O>: Send + Sync {
    async fn call(&self, cx: &Context, input: &I) -> Result<O>;

    /// The stage's fingerprint, if its kind has one.
    fn identity(&self, _environment: &Environment) -> Option<String> {
        None
    }
}

/// A wrapper of a stage. Methods that do not concern the wrapper go to the stage, of two to the
/// first.
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

impl<T, L, K: ?Sized> Wraps for Layered<T, L, K> {
    type Inner = T;

    fn first(&self) -> &T {
        &self.stage
    }
}

impl<A, B, K: StageKind + ?Sized> Wraps for Fallback<A, B, K> {
    type Inner = A;

    fn first(&self) -> &A {
        Fallback::first(self)
    }
}

/// For each stage trait: every implementer is a [`Service`] and has layers, and every wrapper and
/// every shared stage is an implementer. `cached by` names the method that makes a stage's output
/// fit for a cache. The braces hold the trait's other methods: those of all wrappers, those of
/// wrappers of one stage, those of a [`Fallback`].
macro_rules! stages {
    ($($trait:ident :: $method:ident ($input:ty) -> $output:ty $(, cached by $about:ident)?
        { $($all:tt)* } { $($one:tt)* } { $($two:tt)* }
    )*) => {$(
        impl extension::sealed::Kind for dyn $trait {}

        impl StageKind for dyn $trait {
            type Input = $input;
            type Output = $output;
        }

        impl<T: $trait> StageExt<dyn $trait> for T {}

        #[async_trait]
        impl<T: $trait + ?Sized> Service<$input, $output> for T {
            async fn call(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.$method(cx, input).await
            }
            $(
                fn identity(&self, environment: &Environment) -> Option<String> {
                    $trait::$about(self, environment)
                }
            )?
        }

        #[async_trait]
        impl<A: $trait, B: $trait> $trait for Fallback<A, B, dyn $trait> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.first_that_works::<$input, $output>(cx, input).await
            }
            $($all)*
            $($two)*
            $(stages! { @fingerprint $about })?
        }

        #[async_trait]
        impl<T: $trait + 'static, L: Layer<$input, $output>> $trait for Layered<T, L, dyn $trait> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.layer.call(cx, input, &Next(self.stage.clone())).await
            }
            $($all)*
            $($one)*
            $(stages! { @fingerprint $about })?
        }

        #[async_trait]
        impl<T: $trait + ?Sized> $trait for Arc<T> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.first().$method(cx, input).await
            }
            $($all)*
            $($one)*
            $(stages! { @fingerprint $about })?
        }

        impl WithLayers for Arc<dyn $trait> {
            fn with_layer(self, layer: &BuiltLayer) -> Result<Self> {
                let layer: Arc<dyn Layer<$input, $output>> = stages! { @around layer, self $($about)? };
                Ok(Arc::new(self.layer(layer)))
            }
        }
    )*};
    (@fingerprint $about:ident) => {
        // A cache never keeps an answer of a fallback's second stage, so the first decides.
        fn $about(&self, environment: &Environment) -> Option<String> {
            self.first().$about(environment)
        }
    };
    (@around $layer:ident, $stage:ident) => { $layer.around_anything()? };
    (@around $layer:ident, $stage:ident $about:ident) => { $layer.around_documents($stage.$about(&Environment::default()))? };
}

stages! {
    Source::fetch(str) -> Media {} {} {}
    Transcriber::transcribe(Media) -> Transcript, cached by fingerprint {
        fn reads_captions(&self) -> bool {
            self.first().reads_captions()
        }
    } {} {}
    Scorer::score(Scoring) -> Vec<Candidate>, cached by fingerprint {
        fn is_builtin(&self) -> bool {
            self.first().is_builtin()
        }
    } {} {}
    FaceTracker::track(Tracking) -> Tracks, cached by fingerprint {
        fn is_builtin(&self) -> bool {
            self.first().is_builtin()
        }
    } {} {}
    Renderer::render(ClipPlan) -> RenderedClip {
        fn size(&self) -> Option<(u32, u32)> {
            self.first().size()
        }
        fn is_builtin(&self) -> bool {
            self.first().is_builtin()
        }
    } {} {}
    Publisher::publish(Post) -> Receipt {
        fn target(&self) -> crate::publish::Target {
            self.first().target()
        }
        fn staging(&self) -> Option<&std::path::Path> {
            self.first().staging()
        }
        fn strict_output(&self, output: &crate::model::Output) -> Option<crate::model::Output> {
            self.first().strict_output(output)
        }
    } {
        async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
            self.first().conclude(cx, manifest).await
        }
    } {
        async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
            let (first, second) = self.to_conclude(cx);
            let first = if first { Fallback::first(self).conclude(cx, manifest).await } else { Ok(()) };
            // The failure of one does not keep the other from its end of the run.
            let second = if second { self.second().conclude(cx, manifest).await } else { Ok(()) };
            first.and(second)?;
            self.forget(cx);
            Ok(())
        }
    }
}
