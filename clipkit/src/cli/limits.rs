//! How large inputs may be (`--limits`). One process is one command, so there is one value.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clipkit::model::Limits;
use clipkit::{Context, ContextBuilder, Result};

static GIVEN: Mutex<Option<Limits>> = Mutex::new(None);

/// Sets the limits of the command. `None`: the default ones.
pub(crate) fn set(limits: Option<Limits>) {
    *GIVEN.lock().unwrap_or_else(PoisonError::into_inner) = limits;
}

/// The limits of the command.
pub(crate) fn limits() -> Limits {
    limits_or(Limits::default())
}

/// The limits of the command, or others if it has none.
pub(crate) fn limits_or(others: Limits) -> Limits {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(others)
}

/// A builder of contexts with the limits of the command.
pub(crate) fn builder() -> ContextBuilder {
    Context::builder().limits(limits())
}

/// Reads a document.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    builder().build().read_document(path)
}
