//! Errors on their way between the two languages.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use napi_derive::napi;
use serde::{Deserialize, Serialize};

use clipkit::model::{Stage, Timestamp};
use clipkit::{Error, ErrorKind, Recovery};

use crate::document::read;

/// The numbers of what JavaScript threw and nothing here holds any more.
type Forgotten = Arc<Mutex<Vec<u32>>>;

/// What JavaScript threw, kept there under numbers while it travels here.
#[napi]
#[derive(Clone)]
pub struct HostErrors {
    forgotten: Forgotten,
}

#[napi]
impl HostErrors {
    #[napi(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        HostErrors { forgotten: Forgotten::default() }
    }

    /// The numbers that need not be kept any longer.
    #[napi]
    pub fn forgotten(&self) -> Vec<u32> {
        std::mem::take(&mut *self.forgotten.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Something that JavaScript threw, by its number.
#[derive(Debug)]
struct HostError {
    id: u32,
    message: String,
    forgotten: Forgotten,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

impl Drop for HostError {
    fn drop(&mut self) {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}

/// What JavaScript says of something that it threw.
#[derive(Deserialize)]
struct Thrown {
    id: u32,
    message: String,
    code: Option<ErrorKind>,
    stage: Option<Stage>,
    recovery: Option<Advice>,
}

/// A [`Recovery`] as it stands in JSON.
#[derive(Deserialize)]
struct Advice {
    action: String,
    after: Option<f64>,
    until: Option<f64>,
}

impl Advice {
    fn recovery(self) -> Recovery {
        let seconds = |secs: f64| Duration::try_from_secs_f64(secs).ok();
        match (self.action.as_str(), self.until) {
            ("retry", _) => Recovery::Retry { after: self.after.and_then(seconds) },
            ("refresh_credentials", _) => Recovery::RefreshCredentials,
            ("reencode", _) => Recovery::Reencode,
            ("wait_until", Some(until)) => {
                seconds(until).and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)).map_or(Recovery::GiveUp, Recovery::WaitUntil)
            }
            _ => Recovery::GiveUp,
        }
    }
}

/// The error for what a stage in JavaScript threw. Without a code of ours it broke its contract.
pub(crate) fn thrown(text: &str, errors: &HostErrors) -> Error {
    let Thrown { id, message, code, stage, recovery } = match read(ErrorKind::Contract, "what was thrown", text) {
        Ok(thrown) => thrown,
        Err(error) => return error,
    };
    let error = Error::new(code.unwrap_or(ErrorKind::Contract), message.clone())
        .with_recovery(recovery.map_or(Recovery::GiveUp, Advice::recovery))
        .with_source(HostError { id, message, forgotten: errors.forgotten.clone() });
    match stage {
        Some(stage) => error.with_stage(stage),
        None => error,
    }
}

/// An error as JavaScript is told of it.
#[derive(Serialize)]
struct Described<'a> {
    /// The number of what was thrown there: then that is the error, and the rest only for where it is not known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    thrown: Option<u32>,
    code: ErrorKind,
    message: String,
    stage: Option<Stage>,
    recovery: &'a Recovery,
    path: Option<&'a Path>,
    at: Option<Timestamp>,
    url: Option<&'a str>,
    advice: Option<&'a str>,
    cause: Option<Cause<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Cause<'a> {
    Ours(Box<Described<'a>>),
    Other { message: String },
}

fn describe(error: &Error) -> Described<'_> {
    let source = std::error::Error::source(error);
    let thrown = source.and_then(|source| source.downcast_ref::<HostError>()).map(|host| host.id);
    let cause = source.filter(|_| thrown.is_none()).map(|source| match source.downcast_ref::<Error>() {
        Some(ours) => Cause::Ours(Box::new(describe(ours))),
        None => Cause::Other { message: source.to_string() },
    });
    Described {
        thrown,
        code: error.kind(),
        message: error.to_string(),
        stage: error.stage(),
        recovery: error.recovery(),
        path: error.path(),
        at: error.at(),
        url: error.url(),
        advice: error.advice(),
        cause,
    }
}

/// The exception for an error. Its message is the JSON that `lib/errors.ts` makes a `ClipkitError` of.
pub(crate) fn exception(error: Error) -> napi::Error {
    let text = serde_json::to_string(&describe(&error)).unwrap_or_else(|_| error.to_string());
    napi::Error::from_reason(text)
}
