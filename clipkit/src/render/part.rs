//! Parts of a rendering that are done side by side, a thread each.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// Starts a part of the work. Where it fails, the others are stopped.
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
        .map_err(|error| stop(Error::new(ErrorKind::Io, format!("the system gives no thread to render with: {error}"))))
}

/// What a part of the work answers. Where it panicked, so does this thread, and the run answers for it.
pub(super) fn join<T>(part: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
