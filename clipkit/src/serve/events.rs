//! Live events: one reader for each job that is watched, and any number of listeners.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::Stream;
use tokio::sync::{broadcast, watch};

use crate::context::Context;
use crate::error::Result;
use crate::jobs::{JobEvent, JobId, Jobs};

/// How often the events of a watched job are read.
const POLL: Duration = Duration::from_millis(150);
/// After so many polls, the state of a job that is quiet is looked at.
const LOOK: u32 = 10;
/// How far a listener may fall behind before it reads from the records again.
const BEHIND: usize = 1024;
/// How long the last event of a job that has ended is waited for.
const LAST_EVENT: u32 = 8;

/// Follows the events of jobs.
#[derive(Clone)]
pub(super) struct Hub {
    jobs: Jobs,
    cx: Context,
    feeds: Arc<Mutex<HashMap<JobId, Arc<Feed>>>>,
}

/// The events of one job, as they come.
struct Feed {
    /// `None` means that the job has ended or is gone.
    events: broadcast::Sender<Option<JobEvent>>,
    /// Whether the reader has started: what comes later is sent.
    ready: watch::Receiver<bool>,
}

impl Hub {
    pub(super) fn new(jobs: Jobs, cx: Context) -> Self {
        Hub { jobs, cx, feeds: Arc::default() }
    }

    /// The events of a job above `since`, those of the past first, until it has ended or the
    /// service stops.
    pub(super) fn follow(&self, id: JobId, since: u64) -> impl Stream<Item = Result<JobEvent>> + Send + 'static {
        let ready = VecDeque::new();
        let listener = Listener { hub: self.clone(), id, last: since, ready, live: None, caught_up: false, ended: false, over: false };
        futures::stream::unfold(listener, |mut listener| async move {
            let next = listener.next().await.transpose()?;
            if next.is_err() {
                (listener.over, listener.ready) = (true, VecDeque::new());
            }
            Some((next, listener))
        })
    }

    /// Joins the feed of a job, which starts with its first listener.
    fn join(&self, id: &JobId) -> (broadcast::Receiver<Option<JobEvent>>, watch::Receiver<bool>) {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(id) {
            return (feed.events.subscribe(), feed.ready.clone());
        }
        let (events, receiver) = broadcast::channel(BEHIND);
        let (started, ready) = watch::channel(false);
        let feed = Arc::new(Feed { events, ready: ready.clone() });
        feeds.insert(id.clone(), feed.clone());
        tokio::spawn(self.clone().read(id.clone(), feed, started));
        (receiver, ready)
    }

    /// Reads the events of a job for its listeners until there are none.
    async fn read(self, id: JobId, feed: Arc<Feed>, started: watch::Sender<bool>) {
        let mut last = None;
        let mut quiet = 0;
        loop {
            match self.jobs.events(&id, last.unwrap_or(0)).await {
                Ok(events) => {
                    quiet = if events.is_empty() { quiet + 1 } else { 0 };
                    let known = last.is_some();
                    last = events.last().map(|event| event.number).or(last).or(Some(0));
                    // What was there before, listeners read themselves.
                    if known {
                        for event in events {
                            let _ = feed.events.send(Some(event));
                        }
                    }
                    started.send_replace(true);
                }
                Err(error) => tracing::warn!(job = %id, "events could not be read: {error}"),
            }
            if quiet > 0 && quiet % LOOK == 0 && self.is_over(&id).await {
                let _ = feed.events.send(None);
            }
            tokio::select! {
                () = self.cx.cancelled() => break,
                () = tokio::time::sleep(POLL) => {}
            }
            let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
            if feed.events.receiver_count() == 0 {
                feeds.remove(&id);
                return;
            }
        }
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Whether a job has ended or is gone.
    async fn is_over(&self, id: &JobId) -> bool {
        match self.jobs.get(id).await {
            Ok(job) => job.is_none_or(|job| job.state.is_over()),
            Err(_) => false,
        }
    }
}

/// One follower of a job.
struct Listener {
    hub: Hub,
    id: JobId,
    last: u64,
    ready: VecDeque<JobEvent>,
    live: Option<broadcast::Receiver<Option<JobEvent>>>,
    /// Whether all that is in the records was delivered, so that the rest comes live.
    caught_up: bool,
    /// Whether the last event that was delivered was the end of the job.
    ended: bool,
    over: bool,
}

impl Listener {
    async fn next(&mut self) -> Result<Option<JobEvent>> {
        loop {
            while let Some(event) = self.ready.pop_front() {
                if event.number > self.last {
                    self.last = event.number;
                    self.ended = event.event["event"] == "ended";
                    return Ok(Some(event));
                }
            }
            if self.over {
                return Ok(None);
            }
            // A job that has ended may have been opened again meanwhile.
            self.caught_up &= !self.ended;
            let Some(live) = self.live.as_mut().filter(|_| self.caught_up) else {
                self.catch_up().await?;
                continue;
            };
            let got = tokio::select! {
                biased;
                () = self.hub.cx.cancelled() => return Ok(None),
                got = live.recv() => got,
            };
            match got {
                Ok(Some(event)) => self.ready.push_back(event),
                // The job has ended, or events were missed: what is in the records is the truth.
                Ok(None) | Err(broadcast::error::RecvError::Lagged(_)) => self.caught_up = false,
                Err(broadcast::error::RecvError::Closed) => (self.caught_up, self.live) = (false, None),
            }
        }
    }

    /// Reads what is in the records, after joining the feed, so that nothing is missed between.
    async fn catch_up(&mut self) -> Result<()> {
        if self.live.is_none() {
            let (live, mut started) = self.hub.join(&self.id);
            self.live = Some(live);
            tokio::select! {
                _ = started.wait_for(|started| *started) => {}
                () = self.hub.cx.cancelled() => {}
            }
        }
        for attempt in 0..=LAST_EVENT {
            // The state before the events, since the end of a job is recorded before its event.
            let over = self.hub.is_over(&self.id).await || self.hub.cx.is_cancelled();
            self.ready = self.hub.jobs.events(&self.id, self.last).await?.into();
            if !self.ready.is_empty() {
                return Ok(());
            }
            if !over {
                (self.caught_up, self.ended) = (true, false);
                return Ok(());
            }
            if self.ended || attempt == LAST_EVENT || self.hub.cx.is_cancelled() {
                break;
            }
            tokio::time::sleep(POLL / 4).await;
        }
        self.over = true;
        Ok(())
    }
}
