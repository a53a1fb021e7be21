use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Layer, Next};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};

/// Calls again what failed, if the error's [`Recovery`] says that this may help. Each wait is
/// reported ([`Event::Waiting`](crate::Event)).
///
/// The wait grows from attempt to attempt, plus up to half of it at random, so that many callers do
/// not come back at the same moment. If the other side says how long to wait (`Retry-After`), the
/// wait is that long. With the defaults, three attempts wait 15 to 22 s in total. Wrong settings,
/// unusable input and cancelled work are never retried.
///
/// Attempts do not multiply: a retry counts the attempts that a retry further inside has made, so
/// of two around the same work the one with more attempts decides. Stages that ask a server have a
/// retry around each request ([`OpenAiServer::layers`](crate::stage::OpenAiServer::layers)), which
/// repeats only the request that failed. A retry around such a stage is for a fallback, or for a
/// server that is down for longer.
///
/// Put this layer outside [`RateLimit`](crate::layer::RateLimit) and
/// [`Timeout`](crate::layer::Timeout), so that they apply to each attempt: see
/// [`StageExt`](crate::stage::StageExt). In JSON, `{"retry": {"attempts": 3, "first": 5, "factor":
/// 2, "longest": 600}}`.
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
    /// At most `attempts` attempts, the first included. Default 3; more attempts wait longer for a
    /// server that may not come back.
    pub fn times(attempts: u32) -> Self {
        Retry { attempts, ..Retry::default() }
    }

    /// Sets the wait after the first attempt. Default 5 s.
    #[must_use]
    pub fn first(mut self, wait: Duration) -> Self {
        self.first = wait;
        self
    }

    /// Sets how many times longer each wait is than the one before; at least 1. Default 2.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets the longest wait. If the other side asks for a longer one, the error is returned at
    /// once, for a caller that has more time. Default 10 minutes.
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

    /// The wait after attempt number `attempt`, counted from 1, failed; `None` if another attempt
    /// is useless.
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
