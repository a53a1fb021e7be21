use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{LimitLayer, Limiter, Permit};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// Limits how many calls run at a time; further calls wait in order of arrival. Default 1.
///
/// This is configuration. `stage.layer(Concurrency::of(2))` builds the places for that stage, and
/// all runs that share the stage share them. Stages that use one scarce resource (a model that
/// needs all of the memory, an account that takes two requests at once) share one built layer:
///
/// ```
/// use clipkit::prelude::*;
///
/// let places = Concurrency::of(2).build();
/// let scorer = Heuristic::default().layer(places.clone());
/// let tracker = MotionTracker::default().layer(places);
/// # fn stages(_: impl Scorer, _: impl FaceTracker) {}
/// # stages(scorer, tracker);
/// ```
///
/// [`ClipOptions::at_once`](crate::ClipOptions::at_once) limits how many clips one run works on.
///
/// Put this layer inside [`Retry`](crate::layer::Retry): no place is held while a retry waits. In
/// JSON, `{"concurrency": {"at_once": 2}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Concurrency {
    at_once: u32,
}

impl Default for Concurrency {
    fn default() -> Self {
        Concurrency::of(1)
    }
}

impl Concurrency {
    /// At most `at_once` calls at a time.
    pub fn of(at_once: u32) -> Self {
        Concurrency { at_once }
    }

    /// Builds a layer with its own places. Clones of the layer share them.
    pub fn build(&self) -> LimitLayer {
        LimitLayer::over(self.limiter())
    }

    /// Builds a limiter with its own places, for a layer of your own.
    pub fn limiter(&self) -> Arc<dyn Limiter> {
        let places = usize::try_from(self.at_once).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Arc::new(Places { config: *self, places: Arc::new(Semaphore::new(places)) })
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.at_once == 0 {
            return Err(Error::new(ErrorKind::Config, "a concurrency of 0 lets no call through: give at least 1"));
        }
        Ok(())
    }
}

struct Places {
    config: Concurrency,
    places: Arc<Semaphore>,
}

#[async_trait]
impl Limiter for Places {
    async fn acquire(&self, cx: &Context) -> Result<Permit> {
        self.config.check()?;
        tokio::select! {
            biased;
            () = cx.cancelled() => Err(Error::cancelled()),
            // The semaphore is never closed, so this always yields a place.
            place = self.places.clone().acquire_owned() => Ok(place.map_or_else(|_| Permit::new(), Permit::holding)),
        }
    }
}
