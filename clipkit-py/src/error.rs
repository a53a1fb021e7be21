//! Errors both ways. A Python exception travels as the cause of an [`Error`] and comes out as itself.

use std::fmt;
use std::time::{Duration, SystemTime};

use clipkit::model::Stage;
use clipkit::{Error, ErrorKind, Recovery};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

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

/// What Python is told of an error.
#[derive(Serialize)]
struct Told<'a> {
    kind: ErrorKind,
    message: &'a str,
    text: String,
    stage: Option<Stage>,
    advice: Option<&'a str>,
    path: Option<&'a std::path::Path>,
    at: Option<f64>,
    url: Option<&'a str>,
    recovery: &'a Recovery,
}

/// What Python says of an exception.
#[derive(Deserialize)]
struct TimedWord {
    kind: ErrorKind,
    message: String,
    stage: Option<Stage>,
    advice: Option<String>,
    path: Option<std::path::PathBuf>,
    at: Option<f64>,
    url: Option<String>,
    recovery: SaidRecovery,
}

#[derive(Deserialize)]
struct SaidRecovery {
    action: String,
    after: Option<f64>,
    until: Option<f64>,
}

/// The exception to raise for an error: the one that caused it, where a Python stage did.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(Raised(raised)) = error.downcast_ref() {
            return raised.clone_ref(py);
        }
        cause = error.source();
    }
    let told = Told {
        kind: error.kind(),
        message: error.message(),
        text: error.to_string(),
        stage: error.stage(),
        advice: error.advice(),
        path: error.path(),
        at: error.at().map(|at| at.secs()),
        url: error.url(),
        recovery: error.recovery(),
    };
    let made = serde_json::to_string(&told)
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
        .and_then(|told| py.import("clipkit._errors")?.getattr("make")?.call1((told,)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(failed) => failed,
    }
}

/// The error that stands for an exception of a Python stage.
pub(crate) fn caught(py: Python<'_>, raised: PyErr) -> Error {
    match said(py, &raised) {
        Ok(said) => said.error().with_source(Raised(raised)),
        Err(_) => Error::new(ErrorKind::Contract, raised.to_string()).with_source(Raised(raised)),
    }
}

fn said(py: Python<'_>, raised: &PyErr) -> PyResult<TimedWord> {
    let said = py.import("clipkit._errors")?.getattr("describe")?.call1((raised.value(py),))?;
    convert::from_python(&said, "a description of an exception")?.map_err(|error| raise(py, &error))
}

impl TimedWord {
    fn error(self) -> Error {
        let seconds = |seconds: Option<f64>| seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let mut error = Error::new(self.kind, self.message).with_recovery(match self.recovery.action.as_str() {
            "retry" => Recovery::Retry { after: seconds(self.recovery.after) },
            "refresh_credentials" => Recovery::RefreshCredentials,
            "reencode" => Recovery::Reencode,
            "wait_until" => Recovery::WaitUntil(SystemTime::UNIX_EPOCH + seconds(self.recovery.until).unwrap_or_default()),
            _ => Recovery::GiveUp,
        });
        if let Some(stage) = self.stage {
            error = error.with_stage(stage);
        }
        if let Some(advice) = self.advice {
            error = error.with_advice(advice);
        }
        if let Some(path) = self.path {
            error = error.with_path(path);
        }
        if let Some(at) = self.at {
            error = error.with_time(clipkit::model::Timestamp::from_secs(at));
        }
        match self.url {
            Some(url) => error.with_url(&url),
            None => error,
        }
    }
}
