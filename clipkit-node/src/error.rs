//! Conversion of errors between Rust and JavaScript.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use napi_derive::napi;
use serde::{Deserialize, Serialize};

use clipkit::{Error, ErrorKind, ErrorReport};

use crate::document::read;

/// The ids of thrown values that no error refers to any more.
type Released = Arc<Mutex<Vec<u32>>>;

/// The values that stages in JavaScript threw. JavaScript keeps each under an id while an error
/// that refers to it exists.
#[napi]
#[derive(Clone)]
pub struct HostErrors {
    released: Released,
}

#[napi]
impl HostErrors {
    #[napi(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        HostErrors { released: Released::default() }
    }

    /// The ids that were released since the last call.
    #[napi]
    pub fn released(&self) -> Vec<u32> {
        std::mem::take(&mut *self.released.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The source of an error whose cause is a value that JavaScript threw.
#[derive(Debug)]
struct HostError {
    id: u32,
    message: String,
    released: Released,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

impl Drop for HostError {
    fn drop(&mut self) {
        self.released.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}

/// A thrown value as `lib/errors.ts` describes it.
#[derive(Deserialize)]
struct Thrown {
    id: u32,
    message: String,
    /// An [`ErrorReport`].
    report: serde_json::Value,
}

/// The error for a value that a stage in JavaScript threw. Its kind is `Contract` where the value
/// has no valid report.
pub(crate) fn thrown(text: &str, errors: &HostErrors) -> Error {
    let Thrown { id, message, report } = match read(ErrorKind::Contract, "a thrown value", text) {
        Ok(thrown) => thrown,
        Err(error) => return error,
    };
    let report = serde_json::from_value(report).unwrap_or_else(|_| ErrorReport::new(ErrorKind::Contract, &message));
    report.into_error().with_source(HostError { id, message, released: errors.released.clone() })
}

/// An error as JavaScript reads it.
#[derive(Serialize)]
struct Exception {
    /// The id of the thrown value that JavaScript throws again in place of this error.
    #[serde(skip_serializing_if = "Option::is_none")]
    thrown: Option<u32>,
    /// The error as one line.
    message: String,
    report: ErrorReport,
    cause: Option<Cause>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Cause {
    Clipkit(Box<Exception>),
    Other { message: String },
}

fn describe(error: &Error) -> Exception {
    let source = std::error::Error::source(error);
    let thrown = source.and_then(|source| source.downcast_ref::<HostError>()).map(|host| host.id);
    let cause = source.filter(|_| thrown.is_none()).map(|source| match source.downcast_ref::<Error>() {
        Some(error) => Cause::Clipkit(Box::new(describe(error))),
        None => Cause::Other { message: source.to_string() },
    });
    Exception { thrown, message: error.to_string(), report: error.report(), cause }
}

/// The exception for an error. Its message is JSON that `lib/errors.ts` turns into a
/// `ClipkitError`.
pub(crate) fn exception(error: Error) -> napi::Error {
    let text = serde_json::to_string(&describe(&error)).unwrap_or_else(|_| error.to_string());
    napi::Error::from_reason(text)
}
