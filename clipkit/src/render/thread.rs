//! Concurrent parts of a rendering, each on its own thread.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// Starts a thread for one part of the work. If it fails, it cancels `cx`, which stops the other
/// parts.
pub(super) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    cx: &'scope Context,
    work: impl FnOnce() -> Result<T> + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, Result<T>>> {
    let stop = |error| {
        cx.cancel();
        error
    };
    Builder::new()
        .name(name.into())
        .spawn_scoped(scope, move || work().map_err(stop))
        .map_err(|error| stop(Error::new(ErrorKind::Io, format!("cannot start a render thread: {error}"))))
}

/// Waits for a part and returns its result. A panic of the part continues on this thread.
pub(super) fn join<T>(part: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The results of two parts, each of which stops the other if it fails. A part that was stopped
/// fails as a consequence; the error of the other one is the cause.
pub(super) fn cause<A, B>(first: Result<A>, second: Result<B>) -> Result<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(stopped), Err(error)) if stopped.is_cancelled() => Err(error),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
