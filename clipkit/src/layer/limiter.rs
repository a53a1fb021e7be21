use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Layer, Next};
use crate::context::Context;
use crate::error::Result;

/// Decides when a call may begin, and how many calls may run.
///
/// [`RateLimit`](crate::layer::RateLimit) and [`Concurrency`](crate::layer::Concurrency) build
/// limiters that count inside this process. Implement this trait to let several processes or
/// machines count together, and put the limiter around a stage with [`LimitLayer::over`].
///
/// For implementers:
/// - Return when the call may begin. Wait with [`Context::sleep`], which ends early with an error
///   when the work is cancelled, and report waits that a person would notice with
///   [`Context::waiting`].
/// - A caller may go away while it waits: the future is dropped. Give its turn to the next caller.
/// - If the limit cannot be met in reasonable time, return
///   [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) with
///   [`Recovery::WaitUntil`](crate::Recovery::WaitUntil), so that a retry or a queue knows when to
///   come back.
/// - If the call takes a place that becomes free when it ends, return a [`Permit::holding`] a guard
///   whose `Drop` frees the place.
///
/// A limiter on a Redis server follows the same contract:
/// - **A rate**: one sorted set per account, with a random member per call and the time of the call
///   as its score. `acquire` runs one Lua script, so that it is atomic: `ZREMRANGEBYSCORE` removes
///   calls that are older than the window; if `ZCARD` is below the limit, `ZADD` books a call and
///   the script returns 0; otherwise it returns the milliseconds until the oldest call leaves the
///   window. `acquire` sleeps for that long and tries again. Use the time of the server (`TIME`),
///   not of the client.
/// - **Places**: the same set with the expiry time of a lease as score. `acquire` removes expired
///   leases, adds its own if there is room and returns a permit that holds a guard. The guard
///   renews the lease from a task and removes it in `Drop`; after a crash the lease expires.
///
/// ```
/// use std::sync::Arc;
/// use clipkit::layer::{LimitLayer, Limiter, Permit};
/// use clipkit::prelude::*;
///
/// /// Never makes a caller wait. A shared limiter asks its server here.
/// struct Unlimited;
///
/// #[async_trait::async_trait]
/// impl Limiter for Unlimited {
///     async fn acquire(&self, cx: &Context) -> Result<Permit> {
///         cx.check()?;
///         Ok(Permit::new())
///     }
/// }
///
/// let limit = LimitLayer::over(Arc::new(Unlimited));
/// let scorer = Heuristic::default().layer(limit.clone());
/// let tracker = MotionTracker::default().layer(limit);
/// # fn stages(_: impl Scorer, _: impl FaceTracker) {}
/// # stages(scorer, tracker);
/// ```
#[async_trait]
pub trait Limiter: Send + Sync {
    /// Waits until one more call may begin.
    async fn acquire(&self, cx: &Context) -> Result<Permit>;
}

/// The right to make one call, from a [`Limiter`]. It is dropped when the call has ended.
#[derive(Default)]
pub struct Permit {
    guard: Option<Box<dyn Any + Send>>,
}

impl Permit {
    /// A permit that holds nothing: for limits on when calls begin.
    pub fn new() -> Self {
        Permit::default()
    }

    /// A permit that drops `guard` when the call has ended: for limits on how many calls run.
    pub fn holding(guard: impl Send + 'static) -> Self {
        Permit { guard: Some(Box::new(guard)) }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("holds_a_place", &self.guard.is_some()).finish()
    }
}

/// A layer that asks a [`Limiter`] before each call. Clones share the limiter.
///
/// [`RateLimit::build`](crate::layer::RateLimit::build) and
/// [`Concurrency::build`](crate::layer::Concurrency::build) return one that counts in this process.
/// [`LimitLayer::over`] takes any limiter.
#[derive(Clone)]
pub struct LimitLayer {
    limiter: Arc<dyn Limiter>,
}

impl LimitLayer {
    /// A layer over `limiter`.
    pub fn over(limiter: Arc<dyn Limiter>) -> Self {
        LimitLayer { limiter }
    }
}

impl fmt::Debug for LimitLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitLayer").finish_non_exhaustive()
    }
}

#[async_trait]
impl<I: ?Sized + Sync, O: Send> Layer<I, O> for LimitLayer {
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        cx.check()?;
        let _permit = self.limiter.acquire(cx).await.map_err(|error| cx.label(error))?;
        next.call(cx, input).await
    }
}
