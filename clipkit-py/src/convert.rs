//! Between Python's objects and the crate's, by way of JSON: `clipkit._data` makes its typed objects of it and takes them, plain dicts,
//! paths and numpy's numbers apart.

use clipkit::model::ClipPlan;
use clipkit::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as a Python object of the class `class` of `clipkit._data`; a list of them for a list.
pub(crate) fn to_python<T: Serialize + ?Sized>(py: Python<'_>, class: &str, value: &T) -> PyResult<Py<PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
    Ok(py.import("clipkit._data")?.getattr("load")?.call1((class, text))?.unbind())
}

/// A Python object as a value; what it is meant as is said where it is no such thing.
pub(crate) fn from_python<T: DeserializeOwned>(object: &Bound<'_, PyAny>, meant: &str) -> PyResult<Result<T>> {
    let text = object.py().import("clipkit._data")?.getattr("dump")?.call1((object,))?;
    let text: String = text.extract()?;
    // By way of a value: the place in a text that nobody wrote says nothing.
    let value: std::result::Result<T, _> = serde_json::from_str::<serde_json::Value>(&text).and_then(serde_json::from_value);
    Ok(value.map_err(|error| Error::new(ErrorKind::Contract, format!("this is not {meant}: {error}"))))
}

/// A plan, as carefully read as one from a file.
pub(crate) fn plan(object: &Bound<'_, PyAny>) -> PyResult<ClipPlan> {
    let value: serde_json::Value = setting(object, "a clip plan")?;
    ClipPlan::from_json(&value.to_string()).map_err(|error| crate::error::raise(object.py(), &error))
}

/// The same for what a user sets.
pub(crate) fn setting<T: DeserializeOwned>(object: &Bound<'_, PyAny>, meant: &str) -> PyResult<T> {
    from_python(object, meant)?.map_err(|error| {
        let error = Error::new(ErrorKind::Config, error.message());
        crate::error::raise(object.py(), &error)
    })
}
