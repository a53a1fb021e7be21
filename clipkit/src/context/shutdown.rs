//! The end of the process: work is cancelled and awaited before static objects are destroyed.

use std::ops::Deref;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The parent of each context's cancellation.
static PROCESS: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

/// The threads that are in [`Context::blocking`](super::Context::blocking).
static WORK: Mutex<Work> = Mutex::new(Work { threads: 0, is_over: false });
static ONE_ENDED: Condvar = Condvar::new();

struct Work {
    threads: usize,
    /// Whether [`shut_down`] has waited: nothing may begin any more.
    is_over: bool,
}

/// Cancels all work in this process and waits until it has ended, at most for `timeout`. Returns
/// whether it has ended.
///
/// Call it before [`std::process::exit`] while work may run, also work of a run that failed: its
/// other tasks end within a second. `exit` destroys the static objects of the ONNX Runtime, and a
/// thread that opens or runs a model then ends the process by a signal. A program whose `main`
/// drops its tokio runtime need not call it, because that waits for all work. The Python and Node
/// packages call it when the interpreter ends.
///
/// It cannot be undone: contexts that are made later are cancelled too. It blocks the thread, so
/// do not call it from asynchronous code.
///
/// ```
/// let ended = clipkit::shut_down(std::time::Duration::from_secs(1));
/// assert!(ended && clipkit::Context::new().is_cancelled());
/// ```
#[must_use = "false means that threads still work"]
pub fn shut_down(timeout: Duration) -> bool {
    PROCESS.cancel();
    let waited = ONE_ENDED.wait_timeout_while(work(), timeout, |work| work.threads > 0);
    let (mut work, _) = waited.unwrap_or_else(PoisonError::into_inner);
    work.is_over = true;
    work.threads == 0
}

/// Whether no thread does blocking work.
#[cfg(feature = "cli")]
pub(crate) fn is_idle() -> bool {
    work().threads == 0
}

fn work() -> MutexGuard<'static, Work> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Marks a thread that does blocking work, until it is dropped.
pub(super) struct Working(());

impl Working {
    /// `None` if the process ends.
    pub(super) fn begin() -> Option<Self> {
        let mut work = work();
        if work.is_over {
            return None;
        }
        work.threads += 1;
        Some(Working(()))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        work().threads -= 1;
        ONE_ENDED.notify_all();
    }
}

/// The cancellation of a context. By default it is cancelled with the process's work only.
#[derive(Clone)]
pub(super) struct Cancellation(CancellationToken);

impl Cancellation {
    /// A child: it can be cancelled by itself, and is cancelled with this one.
    pub(super) fn child(&self) -> Self {
        Cancellation(self.0.child_token())
    }
}

impl Default for Cancellation {
    fn default() -> Self {
        Cancellation(PROCESS.child_token())
    }
}

impl Deref for Cancellation {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.0
    }
}
