//! What a stage is given besides its input.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clipkit::Event;
use clipkit::model::{Limits, MediaRef, Usage};
use pyo3::prelude::*;

use crate::error::raise;
use crate::tell::tell;
use crate::{convert, host};

/// The shortest time between two progress events of one stage: more events would only cost the
/// interpreter's time.
const PACE: Duration = Duration::from_millis(100);

/// What a stage is given besides its input: cancellation, progress, warnings, scratch space.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Context {
    pub(crate) cx: clipkit::Context,
}

#[pymethods]
impl Context {
    /// A context. `on_event` is called with each event, on a thread of clipkit's, and must return
    /// quickly. Temporary files are made in the folder `scratch_in`. Paid services may cost up to
    /// `max_cost` US dollars. `limits` says how large inputs may be: `"strict"` for services, or a
    /// dict such as `{"like": "strict", "media_secs": 7200}`.
    #[new]
    #[pyo3(signature = (on_event: "typing.Callable[[clipkit._types.Event], object] | None" = None, *, scratch_in = None, max_cost = None, limits: "clipkit._types.Limits | None" = None))]
    fn new(
        on_event: Option<Py<PyAny>>,
        scratch_in: Option<PathBuf>,
        max_cost: Option<f64>,
        limits: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut builder = clipkit::Context::builder().pace(PACE);
        if let Some(listener) = on_event {
            let listener = Arc::new(listener);
            builder = builder.on_event(move |event| emit(&listener, event));
        }
        if let Some(folder) = scratch_in {
            builder = builder.scratch_in(folder);
        }
        if let Some(usd) = max_cost {
            builder = builder.max_cost(usd);
        }
        if let Some(limits) = limits {
            builder = builder.limits(convert::setting::<Limits>(limits, "limits")?);
        }
        Ok(Context { cx: builder.build() })
    }

    /// The same context for one call, which can be cancelled on its own.
    fn child(&self) -> Self {
        Context { cx: self.cx.child() }
    }

    /// Asks everything that runs under this context to stop.
    fn cancel(&self) {
        self.cx.cancel();
    }

    /// Whether someone asked to stop.
    #[getter]
    fn cancelled(&self) -> bool {
        self.cx.is_cancelled()
    }

    /// Raises `Cancelled` if someone asked to stop. Call it in each turn of a long loop.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.cx.check().map_err(|error| raise(py, &error))
    }

    /// Reports the stage's progress, 0 to 1.
    fn progress(&self, fraction: f64) {
        self.cx.progress(fraction);
    }

    /// Reports that the stage waits for `seconds`, and why.
    fn waiting(&self, seconds: f64, reason: &str) {
        self.cx.waiting(Duration::try_from_secs_f64(seconds).unwrap_or_default(), reason);
    }

    /// Leaves a warning in the result, the log and the progress stream.
    fn warn(&self, message: &str) {
        self.cx.warn(message);
    }

    /// The warnings left so far.
    #[pyo3(signature = () -> "list[clipkit._types.Warning]")]
    fn warnings(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        convert::to_python(py, "Warning", &self.cx.warnings())
    }

    /// Records the use of a paid service.
    fn spend(&self, usage: &Bound<'_, PyAny>) -> PyResult<()> {
        self.cx.spend(convert::setting::<Usage>(usage, "a usage")?);
        Ok(())
    }

    /// What was spent so far.
    #[pyo3(signature = () -> "list[clipkit._types.Usage]")]
    fn usage(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        convert::to_python(py, "Usage", &self.cx.usage())
    }

    /// The budget that is left, in US dollars. `None` means no limit.
    fn budget_left(&self) -> Option<f64> {
        self.cx.budget_left()
    }

    /// A folder for temporary files. It is removed with the context.
    #[getter]
    fn scratch(&self, py: Python<'_>) -> PyResult<PathBuf> {
        Ok(self.cx.scratch().map_err(|error| raise(py, &error))?.to_owned())
    }

    /// The stage that the context belongs to.
    #[getter]
    fn stage(&self) -> Option<&'static str> {
        self.cx.stage().map(clipkit::model::Stage::name)
    }

    /// The rank of the clip that the context belongs to, from 1.
    #[getter]
    fn clip(&self) -> Option<usize> {
        self.cx.clip()
    }

    /// The same context for the clip of a rank, from 1: its events and warnings name the clip.
    fn for_clip(&self, rank: usize) -> Self {
        Context { cx: self.cx.for_clip(rank) }
    }

    /// Names the publication that a publisher is called for: a hash of the clip, the target and the
    /// account. `None` outside of `publish`.
    #[getter]
    fn idempotency_key(&self) -> Option<&str> {
        self.cx.idempotency_key()
    }

    /// The local file of the media that a plan or a manifest names. Raises `NotFoundError` where it
    /// is not on this machine.
    fn locate(&self, py: Python<'_>, media: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
        let media: MediaRef = convert::document(media, "a MediaRef")?;
        self.cx.locate(&media).map_err(|error| raise(py, &error))
    }

    /// How many threads one call should use. 0 leaves the number to each library.
    #[getter]
    fn threads(&self) -> usize {
        self.cx.threads()
    }
}

fn emit(listener: &Arc<Py<PyAny>>, event: &Event) {
    let (listener, event) = (listener.clone(), event.clone());
    tell(move |py| {
        if let Err(error) = convert::to_python(py, "Event", &event).and_then(|event| listener.call1(py, (event,))) {
            error.write_unraisable(py, None);
        }
    });
}

/// The context of a call. It holds the call, in whose event loop asynchronous Python stages run.
pub(crate) fn of_call(cx: &Context, call: &Py<PyAny>, py: Python<'_>) -> clipkit::Context {
    cx.cx.with_extension(Arc::new(host::Caller(call.clone_ref(py))))
}
