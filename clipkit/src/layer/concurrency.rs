use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{Layer, Next};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// Lets only so many calls run at a time; the others wait in order of arrival. Default 1.
///
/// Clones share the places, and so do all runs that share the stage: a model that needs all of the memory, an account that takes two requests
/// at once. What one run may do at once is rather [`ClipOptions::at_once`](crate::ClipOptions::at_once).
///
/// It belongs inside [`Retry`](crate::layer::Retry): no place is held while a retry waits. In JSON, `{"concurrency": {"at_once": 2}}`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Concurrency {
    at_once: u32,
    #[serde(skip)]
    places: Arc<OnceLock<Semaphore>>,
}

impl Default for Concurrency {
    fn default() -> Self {
        Concurrency::of(1)
    }
}

impl PartialEq for Concurrency {
    fn eq(&self, other: &Self) -> bool {
        self.at_once == other.at_once
    }
}

impl Concurrency {
    /// At most so many calls at a time.
    pub fn of(at_once: u32) -> Self {
        Concurrency { at_once, places: Arc::default() }
    }

    /// The same limit, with places of its own.
    pub(super) fn anew(&self) -> Self {
        Concurrency::of(self.at_once)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.at_once == 0 {
            return Err(Error::new(ErrorKind::Config, "a concurrency of 0 lets no call through: give at least 1"));
        }
        Ok(())
    }
}

#[async_trait]
impl<I: ?Sized + Sync, O: Send> Layer<I, O> for Concurrency {
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        self.check()?;
        let most = usize::try_from(self.at_once).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let places = self.places.get_or_init(|| Semaphore::new(most));
        let _place = tokio::select! {
            biased;
            () = cx.cancelled() => return Err(cx.label(Error::cancelled())),
            // It is never closed, so it only answers with a place.
            place = places.acquire() => place.ok(),
        };
        next.call(cx, input).await
    }
}
