//! The tokio runtime, and calls on it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use clipkit::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use tokio::runtime::Runtime;

use crate::tell::{self, tell};
use crate::{error, log};

static MADE: OnceLock<std::result::Result<Made, String>> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);
/// The contexts of running calls. The end of the interpreter cancels them.
static RUNNING: Mutex<Option<HashMap<u64, clipkit::Context>>> = Mutex::new(None);

struct Made {
    runtime: Runtime,
    process: u32,
}

/// The process's runtime, made at the first use. An error in a fork of the process that made it: a
/// fork has none of its threads.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    let made = MADE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("clipkit").enable_all().build();
        log::to_python();
        Ok(Made { runtime: runtime.map_err(|error| error.to_string())?, process: std::process::id() })
    });
    match made {
        Ok(made) if made.process == std::process::id() => Ok(&made.runtime),
        Ok(_) => {
            Err(Error::new(ErrorKind::Config, "this process was forked from one that had used clipkit, whose threads a fork does not have")
                .with_advice("start workers with multiprocessing.get_context(\"spawn\"), or use clipkit in the children alone"))
        }
        Err(error) => Err(Error::new(ErrorKind::Io, format!("cannot start worker threads: {error}"))),
    }
}

/// Starts work for a Python `call`. When it ends, `call.end(answer, error)` is called.
pub(crate) fn start<T, A>(
    py: Python<'_>,
    call: Py<PyAny>,
    cx: clipkit::Context,
    work: impl Future<Output = Result<T>> + Send + 'static,
    answer: A,
) -> PyResult<Work>
where
    T: Send + 'static,
    A: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
{
    let runtime = runtime().map_err(|error| error::raise(py, &error))?;
    log::set_level(py);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    running(|all| all.insert(number, cx.clone()));
    let task = runtime.spawn(work);
    runtime.spawn(async move {
        // A panic becomes an error.
        let result = task.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, "clipkit panicked; please report this")));
        running(|all| all.remove(&number));
        tell(move |py| {
            let ended = match result.map_err(|error| error::raise(py, &error)).and_then(|value| answer(py, value)) {
                Ok(answer) => call.call_method1(py, "end", (answer, py.None())),
                Err(error) => call.call_method1(py, "end", (py.None(), error.into_value(py))),
            };
            if let Err(error) = ended {
                error.write_unraisable(py, None);
            }
        });
    });
    Ok(Work { cx })
}

fn running<T>(change: impl FnOnce(&mut HashMap<u64, clipkit::Context>) -> T) -> T {
    change(RUNNING.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Work that runs.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Work {
    cx: clipkit::Context,
}

#[pymethods]
impl Work {
    /// Asks it to stop; it ends within a second.
    fn cancel(&self) {
        self.cx.cancel();
    }
}

/// How long work may take to clean up when the interpreter ends. Cancelled work ends within this
/// time.
const GRACE: Duration = Duration::from_secs(1);

/// Cancels running calls and detaches all threads of this module from the interpreter, which ends.
#[pyfunction]
pub(crate) fn shut_down(py: Python<'_>) {
    running(|all| all.values().for_each(clipkit::Context::cancel));
    py.detach(|| {
        let begun = Instant::now();
        while running(|all| !all.is_empty()) && begun.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Threads may still work for a call that failed. If one does not end, the interpreter does.
        let _ = clipkit::shut_down(GRACE.saturating_sub(begun.elapsed()));
        tell::close();
    });
}
