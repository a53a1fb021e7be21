//! Converts between Python objects and the crate's types through JSON. `clipkit._data` makes typed
//! objects of JSON, and JSON of typed objects, dicts, paths and NumPy numbers.

use clipkit::model::ClipPlan;
use clipkit::stage::Target;
use clipkit::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::raise;

/// A value as an object of the class `class` of `clipkit._types`, a list as a list of them.
pub(crate) fn to_python<T: Serialize + ?Sized>(py: Python<'_>, class: &str, value: &T) -> PyResult<Py<PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
    load(py, class, &text)
}

/// The same from JSON.
pub(crate) fn load(py: Python<'_>, class: &str, text: &str) -> PyResult<Py<PyAny>> {
    Ok(py.import("clipkit._data")?.getattr("load")?.call1((class, text))?.unbind())
}

/// A Python object as JSON.
pub(crate) fn dump(object: &Bound<'_, PyAny>) -> PyResult<String> {
    object.py().import("clipkit._data")?.getattr("dump")?.call1((object,))?.extract()
}

/// A Python object as a value. `meant` names the expected type in the error.
pub(crate) fn from_python<T: DeserializeOwned>(object: &Bound<'_, PyAny>, meant: &str) -> PyResult<Result<T>> {
    parsed(object, meant, ErrorKind::Contract)
}

/// A clip plan, validated like one that is read from a file.
pub(crate) fn plan(object: &Bound<'_, PyAny>) -> PyResult<ClipPlan> {
    ClipPlan::from_json(&dump(object)?).map_err(|error| raise(object.py(), &error))
}

/// A setting. Anything else raises `ConfigError`.
pub(crate) fn setting<T: DeserializeOwned>(object: &Bound<'_, PyAny>, meant: &str) -> PyResult<T> {
    parsed(object, meant, ErrorKind::Config)?.map_err(|error| raise(object.py(), &error))
}

/// The input of a step. Anything else raises `InvalidInputError`.
pub(crate) fn document<T: DeserializeOwned>(object: &Bound<'_, PyAny>, meant: &str) -> PyResult<T> {
    parsed(object, meant, ErrorKind::InvalidInput)?.map_err(|error| raise(object.py(), &error))
}

/// The path or address of a video.
pub(crate) fn uri(object: &Bound<'_, PyAny>) -> PyResult<String> {
    document(object, "a path or an address")
}

/// A publishing target: its name alone, or an object with `name` and `account`.
pub(crate) fn target(object: &Bound<'_, PyAny>) -> PyResult<Target> {
    match object.extract::<String>() {
        Ok(name) => Ok(Target::new(name)),
        Err(_) => setting(object, "a target"),
    }
}

fn parsed<T: DeserializeOwned>(object: &Bound<'_, PyAny>, meant: &str, kind: ErrorKind) -> PyResult<Result<T>> {
    let text = dump(object)?;
    // Through a value: the user did not write the text, so a place in it would say nothing.
    let value: std::result::Result<T, _> = serde_json::from_str::<serde_json::Value>(&text).and_then(serde_json::from_value);
    Ok(value.map_err(|error| Error::new(kind, format!("this is not {meant}: {error}"))))
}
