use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{LimitLayer, Limiter, Permit};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Shorter waits are not reported.
const REPORTED: Duration = Duration::from_secs(1);

/// Limits how many calls begin in any minute, and in any day. Callers wait in order of arrival, and
/// waits are reported ([`Event::Waiting`](crate::Event)). When the calls of a day are used up, the
/// call fails with the time at which the next one is possible ([`Recovery::WaitUntil`]).
///
/// The windows slide: the last 60 s and the last 24 h count, not the clock's minutes and days. That
/// never exceeds what a server allows, and sometimes stays below it. Calls of this process count,
/// since the layer was built.
///
/// This is configuration. `stage.layer(RateLimit::per_minute(5))` builds a rate for that stage
/// alone. Stages that share an account share one built layer:
///
/// ```
/// use clipkit::prelude::*;
///
/// let rate = RateLimit::per_minute(5).build();
/// let transcriber = OpenAiTranscriber::default().layer(rate.clone());
/// let scorer = OpenAiScorer::default().layer(rate);
/// # fn stages(_: impl Transcriber, _: impl Scorer) {}
/// # stages(transcriber, scorer);
/// ```
///
/// Processes that share an account share a [`Limiter`] of their own: [`LimitLayer::over`].
///
/// Put this layer inside [`Retry`](crate::layer::Retry), so that each attempt counts. In JSON,
/// `{"rate_limit": {"per_minute": 5, "per_day": 100}}`; `{"rate_limit": {}}` is the default, 5 a
/// minute, and `"per_minute": null` limits days alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimit {
    per_minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<u32>,
}

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit::per_minute(5)
    }
}

impl RateLimit {
    /// At most `calls` calls in any minute.
    pub fn per_minute(calls: u32) -> Self {
        RateLimit { per_minute: Some(calls), per_day: None }
    }

    /// At most `calls` calls in any 24 hours.
    pub fn per_day(calls: u32) -> Self {
        RateLimit { per_minute: None, per_day: Some(calls) }
    }

    /// Also at most `calls` calls in any 24 hours.
    #[must_use]
    pub fn and_per_day(mut self, calls: u32) -> Self {
        self.per_day = Some(calls);
        self
    }

    /// Builds a layer with its own history of calls. Clones of the layer share it.
    pub fn build(&self) -> LimitLayer {
        LimitLayer::over(self.limiter())
    }

    /// Builds a limiter with its own history of calls, for a layer of your own.
    pub fn limiter(&self) -> Arc<dyn Limiter> {
        Arc::new(Rate { limit: *self, calls: Arc::default() })
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.per_minute == Some(0) || self.per_day == Some(0) {
            return Err(Error::new(ErrorKind::Config, "a rate limit of 0 lets no call through: give at least 1"));
        }
        Ok(())
    }

    fn used_up(&self, wait: Duration) -> Error {
        let message = format!("all {} calls of the last 24 hours are used up", self.per_day.unwrap_or_default());
        let until = SystemTime::now().checked_add(wait);
        Error::new(ErrorKind::RateLimited, message)
            .with_recovery(until.map_or(Recovery::Retry { after: Some(wait) }, Recovery::WaitUntil))
            .with_advice("wait, or raise the limit (RateLimit) if the server allows more")
    }
}

/// The times at which calls began or will begin, earliest first: those of the last day, or of the
/// last minute if there is no limit per day.
#[derive(Default)]
struct Calls(Mutex<VecDeque<Instant>>);

/// A limit with its history of calls.
struct Rate {
    limit: RateLimit,
    calls: Arc<Calls>,
}

impl Rate {
    /// Books the next free moment.
    fn book(&self) -> Result<Booking> {
        let RateLimit { per_minute, per_day } = self.limit;
        let mut calls = self.calls.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let counted = if per_day.is_some() { DAY } else { MINUTE };
        while calls.front().is_some_and(|call| *call + counted <= now) {
            calls.pop_front();
        }
        if let Some(used_up) = nth_last(&calls, per_day) {
            // Calls older than a day were removed above, so the wait is not negative.
            let wait = (used_up + DAY).saturating_duration_since(now);
            return Err(self.limit.used_up(wait));
        }
        let free = nth_last(&calls, per_minute).map_or(now, |call| now.max(call + MINUTE));
        // Calls begin in the order in which they were booked.
        let at = calls.back().map_or(free, |last| free.max(*last));
        calls.push_back(at);
        Ok(Booking { calls: self.calls.clone(), at, taken: false })
    }
}

/// The `limit`-th call from the end: a new call must begin one window after it.
fn nth_last(calls: &VecDeque<Instant>, limit: Option<u32>) -> Option<Instant> {
    let limit = usize::try_from(limit?).ok()?;
    calls.get(calls.len().checked_sub(limit)?).copied()
}

/// A booked moment. It is given back if the caller goes away before that moment.
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
impl Limiter for Rate {
    async fn acquire(&self, cx: &Context) -> Result<Permit> {
        self.limit.check()?;
        let mut booking = self.book()?;
        let wait = booking.at.saturating_duration_since(Instant::now());
        if wait >= REPORTED {
            cx.waiting(wait, format!("only {} calls a minute are allowed", self.limit.per_minute.unwrap_or_default()));
        }
        if !wait.is_zero() {
            cx.sleep(wait).await?;
        }
        booking.taken = true;
        Ok(Permit::new())
    }
}
