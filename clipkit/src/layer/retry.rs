use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Layer, Next};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};

/// Calls again what failed, where the error's [`Recovery`] says that this may help. Each wait is told ([`Event::Waiting`](crate::Event)).
///
/// The wait grows from attempt to attempt, with up to half as much again at random, so that many callers do not come back together. Where
/// the other side says how long to wait (`Retry-After`), that is how long. Three attempts with the defaults take 15 to 22 s of waiting.
/// Wrong settings, unusable input and cancelled work are never tried again.
///
/// Attempts do not multiply: what a retry further inside has tried counts, so of two around the same work the one with more attempts decides.
/// Stages that ask a server have one around each request ([`OpenAiServer::layers`](crate::stage::OpenAiServer::layers)), where one request that fails
/// is made again alone; one around such a stage is for a fallback or a server that is down for longer.
///
/// It belongs outside [`RateLimit`](crate::layer::RateLimit) and [`Timeout`](crate::layer::Timeout), so that they hold for each attempt: see
/// [`StageExt`](crate::stage::StageExt). In JSON, `{"retry": {"attempts": 3, "first": 5, "factor": 2, "longest": 600}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    attempts: u32,
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    first: Duration,
    factor: f64,
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { attempts: 3, first: Duration::from_secs(5), factor: 2.0, longest: Duration::from_secs(600) }
    }
}

impl Retry {
    /// At most so many attempts, the first included. Default 3: more wait longer for a server that may be down for good.
    pub fn times(attempts: u32) -> Self {
        Retry { attempts, ..Retry::default() }
    }

    /// The wait after the first attempt. Default 5 s.
    #[must_use]
    pub fn first(mut self, wait: Duration) -> Self {
        self.first = wait;
        self
    }

    /// How many times longer each wait is than the one before, from 1. Default 2.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// The longest wait. Where the other side asks for a longer one, the error is passed on at once, for a caller with more time.
    /// Default 10 minutes.
    #[must_use]
    pub fn longest(mut self, wait: Duration) -> Self {
        self.longest = wait;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.attempts == 0 {
            return Err(Error::new(ErrorKind::Config, "a retry of 0 attempts never does the work: give at least 1"));
        }
        if !self.factor.is_finite() || self.factor < 1.0 {
            return Err(Error::new(ErrorKind::Config, format!("a retry's factor is at least 1, not {}", self.factor)));
        }
        Ok(())
    }

    /// How long to wait after `attempt`, counted from 1, failed; none where trying again is no use.
    fn wait(&self, error: &Error, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts || matches!(error.kind(), ErrorKind::Config | ErrorKind::InvalidInput | ErrorKind::Cancelled) {
            return None;
        }
        match error.recovery() {
            Recovery::Retry { after: Some(after) } => Some(*after).filter(|wait| *wait <= self.longest),
            Recovery::Retry { after: None } => {
                let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
                let seconds = self.first.as_secs_f64() * self.factor.powi(exponent) * (1.0 + fastrand::f64() / 2.0);
                Some(Duration::try_from_secs_f64(seconds).unwrap_or(self.longest).min(self.longest))
            }
            Recovery::WaitUntil(moment) => {
                let wait = moment.duration_since(SystemTime::now()).unwrap_or_default();
                Some(wait).filter(|wait| *wait <= self.longest)
            }
            _ => None,
        }
    }
}

#[async_trait]
impl<I: ?Sized + Sync, O: Send> Layer<I, O> for Retry {
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        self.check()?;
        let mut attempts = 0;
        loop {
            cx.check()?;
            let error = match next.call(cx, input).await {
                Err(error) => error,
                answer => return answer,
            };
            attempts += error.attempts();
            let Some(wait) = self.wait(&error, attempts) else { return Err(error.with_attempts(attempts)) };
            cx.waiting(wait, format!("attempt {attempts} of {} failed: {error}", self.attempts));
            cx.sleep(wait).await?;
        }
    }
}
