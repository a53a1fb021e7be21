use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Layer, Next};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Shorter waits are not worth a word.
const TOLD: Duration = Duration::from_secs(1);

/// Lets only so many calls begin in any minute, and in any day. Callers wait in order of arrival, and are told for how long
/// ([`Event::Waiting`](crate::Event)); where the day's calls are used up the error says when there are more ([`Recovery::WaitUntil`]).
///
/// It counts over the last 60 s and 24 h, not over the clock's minutes and days: that is never more than a server allows, and at times less.
/// Clones count together, so stages that share an account get clones of one limit. It counts what this process does, since it started.
///
/// It belongs inside [`Retry`](crate::layer::Retry), so that each attempt counts. In JSON, `{"rate_limit": {"per_minute": 5, "per_day": 100}}`;
/// `{"rate_limit": {}}` is the default, 5 a minute, and `"per_minute": null` counts days alone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimit {
    per_minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<u32>,
    #[serde(skip)]
    calls: Arc<Calls>,
}

/// When calls began or will begin, earliest first: those of the last day, or of the last minute where no day is counted.
#[derive(Debug, Default)]
struct Calls(Mutex<VecDeque<Instant>>);

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit::per_minute(5)
    }
}

impl PartialEq for RateLimit {
    fn eq(&self, other: &Self) -> bool {
        (self.per_minute, self.per_day) == (other.per_minute, other.per_day)
    }
}

impl RateLimit {
    /// At most so many calls in any minute.
    pub fn per_minute(calls: u32) -> Self {
        RateLimit { per_minute: Some(calls), per_day: None, calls: Arc::default() }
    }

    /// At most so many calls in any 24 hours.
    pub fn per_day(calls: u32) -> Self {
        RateLimit { per_minute: None, per_day: Some(calls), calls: Arc::default() }
    }

    /// And at most so many in any 24 hours.
    #[must_use]
    pub fn and_per_day(mut self, calls: u32) -> Self {
        self.per_day = Some(calls);
        self
    }

    /// The same limit, counting anew.
    pub(super) fn anew(&self) -> Self {
        RateLimit { calls: Arc::default(), ..self.clone() }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.per_minute == Some(0) || self.per_day == Some(0) {
            return Err(Error::new(ErrorKind::Config, "a rate limit of 0 lets no call through: give at least 1"));
        }
        Ok(())
    }

    /// Takes the next free moment.
    fn book(&self) -> Result<Booking> {
        let mut calls = self.calls.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let counted = if self.per_day.is_some() { DAY } else { MINUTE };
        while calls.front().is_some_and(|call| *call + counted <= now) {
            calls.pop_front();
        }
        if let Some(used_up) = nth_last(&calls, self.per_day) {
            // At least one of the day's calls is still ahead of its day's end, since older ones are gone.
            let wait = (used_up + DAY).saturating_duration_since(now);
            return Err(self.used_up(wait));
        }
        let free = nth_last(&calls, self.per_minute).map_or(now, |call| now.max(call + MINUTE));
        // Nobody overtakes.
        let at = calls.back().map_or(free, |last| free.max(*last));
        calls.push_back(at);
        Ok(Booking { calls: self.calls.clone(), at, taken: false })
    }

    fn used_up(&self, wait: Duration) -> Error {
        let message = format!("all {} calls of the last 24 hours are used up", self.per_day.unwrap_or_default());
        let until = SystemTime::now().checked_add(wait);
        Error::new(ErrorKind::RateLimited, message)
            .with_recovery(until.map_or(Recovery::Retry { after: Some(wait) }, Recovery::WaitUntil))
            .with_advice("wait, or raise the limit (RateLimit) if the server allows more")
    }
}

/// The call after which `limit` more have been counted, the last included.
fn nth_last(calls: &VecDeque<Instant>, limit: Option<u32>) -> Option<Instant> {
    let limit = usize::try_from(limit?).ok()?;
    calls.get(calls.len().checked_sub(limit)?).copied()
}

/// A moment to begin at. One that nobody waited for is given back.
struct Booking {
    calls: Arc<Calls>,
    at: Instant,
    taken: bool,
}

impl Drop for Booking {
    fn drop(&mut self) {
        if !self.taken {
            let mut calls = self.calls.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = calls.iter().rposition(|call| *call == self.at) {
                calls.remove(place);
            }
        }
    }
}

#[async_trait]
impl<I: ?Sized + Sync, O: Send> Layer<I, O> for RateLimit {
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        self.check()?;
        cx.check()?;
        let mut booking = self.book().map_err(|error| cx.label(error))?;
        let wait = booking.at.saturating_duration_since(Instant::now());
        if wait >= TOLD {
            cx.waiting(wait, format!("only {} calls a minute are allowed", self.per_minute.unwrap_or_default()));
        }
        if !wait.is_zero() {
            cx.sleep(wait).await?;
        }
        booking.taken = true;
        drop(booking);
        next.call(cx, input).await
    }
}
