//! Errors in both directions. A Python exception is the source of an [`Error`] and comes back as
//! the same object.

use std::fmt;

use clipkit::{Error, ErrorKind, ErrorReport};
use pyo3::prelude::*;

use crate::convert;

/// An exception that a Python stage raised.
struct Raised(PyErr);

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Raised {}

/// The exception for an error: the one that a Python stage raised, where that is its source.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(Raised(raised)) = error.downcast_ref() {
            return raised.clone_ref(py);
        }
        source = error.source();
    }
    let made = serde_json::to_string(&error.report())
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
        .and_then(|report| py.import("clipkit._errors")?.getattr("make")?.call1((report, error.to_string())));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(failed) => failed,
    }
}

/// The error for an exception of a Python stage.
pub(crate) fn caught(py: Python<'_>, raised: PyErr) -> Error {
    let error = match report(py, &raised) {
        Ok(report) => report.into_error(),
        Err(_) => Error::new(ErrorKind::Contract, raised.to_string()),
    };
    error.with_source(Raised(raised))
}

fn report(py: Python<'_>, raised: &PyErr) -> PyResult<ErrorReport> {
    let report = py.import("clipkit._errors")?.getattr("report")?.call1((raised.value(py),))?;
    convert::setting(&report, "an error report")
}

/// The exception that a report describes.
#[pyfunction]
pub(crate) fn exception(py: Python<'_>, report: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let report: ErrorReport = convert::document(report, "an ErrorReport")?;
    Ok(raise(py, &report.into_error()).into_value(py).into_any())
}
