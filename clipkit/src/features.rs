//! The error of a stage that needs a Cargo feature which this build lacks.

use crate::error::{Error, ErrorKind};

/// `what` needs `feature`, and the crate was built without it.
pub(crate) fn missing(what: &str, feature: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("clipkit was built without {what}"))
        .with_advice(format!("build it with the Cargo feature `{feature}`"))
}
