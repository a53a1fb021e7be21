use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::event::{Event, Listener, ProgressThrottle};
use super::{Context, Environment, Shared};
use crate::model::Limits;
use crate::store::MediaStore;

/// A builder for a [`Context`].
#[derive(Default)]
pub struct ContextBuilder {
    shared: Shared,
    pace: Option<Duration>,
    max_cost: Option<f64>,
    environment: OnceLock<Environment>,
    limits: Limits,
}

impl ContextBuilder {
    /// Sets the listener, which is called for every event. It is called from worker threads and
    /// must return quickly.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.shared.listener = Some(Arc::new(listener));
        self
    }

    /// Sets the minimum interval between two progress events of the same stage and clip. Other
    /// events are never dropped. Default: no progress event is dropped.
    #[must_use]
    pub fn pace(mut self, interval: Duration) -> Self {
        self.pace = Some(interval);
        self
    }

    /// Puts the scratch space in `folder`, which is made at first use. Finished files are renamed
    /// from there to the output folder. Use a folder on the output's file system, since files must
    /// be copied otherwise.
    #[must_use]
    pub fn scratch_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.shared.scratch_parent = Some(folder.into());
        self
    }

    /// Sets the media store. Default: see [`Context::media_store`].
    #[must_use]
    pub fn media_store(self, store: MediaStore) -> Self {
        // The cell is still empty, unless this method was called before.
        let _ = self.shared.media.set(store);
        self
    }

    /// Sets the maximum cost of all work under this context, in US dollars. Built-in stages stop
    /// before they exceed it. Default: no maximum.
    #[must_use]
    pub fn max_cost(mut self, usd: f64) -> Self {
        self.max_cost = Some(usd);
        self
    }

    /// Sets how large inputs may be. Default: [`Limits::default`]. For a service, use
    /// [`Limits::strict`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Uses `environment` instead of the process's variables. Default:
    /// [`Environment::from_process`].
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = OnceLock::from(environment);
        self
    }

    /// Builds the context.
    pub fn build(mut self) -> Context {
        if let Some(interval) = self.pace {
            let throttle = ProgressThrottle::new(interval);
            self.shared.listener = self.shared.listener.map(|listener| {
                Arc::new(move |event: &Event| {
                    if throttle.allows(event) {
                        listener(event);
                    }
                }) as Listener
            });
        }
        let (shared, environment) = (Arc::new(self.shared), Arc::new(self.environment));
        let cx = Context { shared, environment, limits: self.limits, ..Context::default() };
        cx.limit(self.max_cost);
        cx
    }
}

impl fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextBuilder").finish_non_exhaustive()
    }
}
