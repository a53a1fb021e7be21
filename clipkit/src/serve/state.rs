use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;

use super::events::Hub;
use super::keys::Keys;
use super::options::ServeOptions;
use super::queues::Overview;
use super::rate::Buckets;
use super::sessions::Sessions;
use super::uploads::Uploads;
use crate::error::Result;
use crate::jobs::Jobs;

/// Event streams that may be open at a time.
const STREAMS: usize = 1024;

/// What all handlers share.
#[derive(Clone)]
pub(super) struct App(Arc<Shared>);

pub(super) struct Shared {
    pub(super) jobs: Jobs,
    pub(super) options: ServeOptions,
    pub(super) keys: Option<Keys>,
    pub(super) sessions: Sessions,
    pub(super) rate: Buckets,
    pub(super) hub: Hub,
    pub(super) uploads: Uploads,
    pub(super) overview: Overview,
    /// The OpenAPI document.
    pub(super) described: OnceLock<String>,
    pub(super) streams: Arc<Semaphore>,
    /// Contact sheets are drawn one at a time: a sheet decodes a video.
    pub(super) sheets: Semaphore,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub(super) async fn open(jobs: Jobs, options: ServeOptions) -> Result<App> {
        let options = options.checked()?;
        let uploads = Uploads::open(&options).await?;
        let shared = Shared {
            keys: options.keys.clone().map(Keys::in_file),
            sessions: Sessions::default(),
            rate: Buckets::new(options.requests_per_minute, options.burst),
            hub: Hub::new(jobs.clone(), options.cx.clone()),
            overview: Overview::new(jobs.clone()),
            uploads,
            described: OnceLock::new(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            sheets: Semaphore::new(1),
            jobs,
            options,
        };
        if let Some(keys) = &shared.keys {
            keys.any()?;
        }
        Ok(App(Arc::new(shared)))
    }

    /// Whether requests need a key.
    pub(super) fn is_locked(&self) -> Result<bool> {
        self.keys.as_ref().map_or(Ok(false), Keys::any)
    }
}
