//! What follows from a task's error.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Recovery, Result};

/// When a failed task runs again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// The most attempts of a task, at least 1. Default: 3.
    pub attempts: u32,
    /// The wait after the first attempt, in seconds. Default: 5 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub first_wait: Duration,
    /// The factor between two waits. Default: 2.
    pub factor: f64,
    /// The longest wait between two attempts, in seconds. Default: 10 minutes.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub longest_wait: Duration,
    /// The fraction of a wait that is random, 0 to 1, so that tasks that failed together do not
    /// return together. Default: 0.2, which gives 80 to 120 % of the wait.
    pub jitter: f64,
    /// The longest wait that a server may ask for, in seconds. A task that has to wait longer is a
    /// dead letter. Default: 7 days.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub longest_ask: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            attempts: 3,
            first_wait: Duration::from_secs(5),
            factor: 2.0,
            longest_wait: Duration::from_secs(600),
            jitter: 0.2,
            longest_ask: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

impl Policy {
    /// Rejects values that give no schedule.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`].
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        if self.attempts == 0 {
            return refuse("attempts is 0: a task needs at least 1".into());
        }
        if !(1.0..=100.0).contains(&self.factor) {
            return refuse(format!("factor is {}: give 1 to 100", self.factor));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return refuse(format!("jitter is {}: give 0 to 1", self.jitter));
        }
        Ok(())
    }

    /// The wait after attempt `attempt`, which counts from 1, without jitter:
    /// `first_wait * factor^(attempt - 1)`, at most `longest_wait`.
    pub fn wait_after(&self, attempt: u32) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.first_wait.as_secs_f64() * self.factor.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.longest_wait).min(self.longest_wait)
    }

    fn jittered(&self, wait: Duration) -> Duration {
        let factor = 1.0 + self.jitter * (2.0 * fastrand::f64() - 1.0);
        Duration::try_from_secs_f64(wait.as_secs_f64() * factor).unwrap_or(wait)
    }
}

/// What happens to a task that returned an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The error is a result: nothing is left to do.
    Done,
    /// The task runs again.
    Later {
        /// The earliest time.
        at: SystemTime,
        /// Whether the attempt that failed counts. A wait that a server asked for does not count.
        counts: bool,
    },
    /// The task does not run again unless somebody replays it.
    Dead,
}

/// Decides what follows from the error of attempt `attempt`, which counts from 1. It depends on the
/// error's kind and [`Recovery`], on no text, and on no state but the jitter.
///
/// | error | decision |
/// |---|---|
/// | [`ErrorKind::Cancelled`], [`ErrorKind::NothingFound`] | done: these are results |
/// | [`Recovery::Retry`] without a time, [`Recovery::RefreshCredentials`] | later, after an exponential wait; dead after the last attempt |
/// | [`Recovery::Retry`] with a time, [`Recovery::WaitUntil`] | later, when the server asked; the attempt does not count |
/// | [`Recovery::Reencode`], [`Recovery::GiveUp`] | dead: the same task fails again |
///
/// A time that lies more than [`Policy::longest_ask`] ahead gives a dead letter. Credentials are
/// read anew by each attempt.
///
/// ```
/// use clipkit::jobs::{Decision, Policy, decide};
/// use clipkit::{Error, ErrorKind, Recovery};
/// use std::time::SystemTime;
///
/// let error = Error::new(ErrorKind::Network, "down").with_recovery(Recovery::Retry { after: None });
/// let now = SystemTime::now();
/// assert!(matches!(decide(&error, 1, &Policy::default(), now), Decision::Later { counts: true, .. }));
/// assert_eq!(decide(&error, 3, &Policy::default(), now), Decision::Dead);
/// ```
pub fn decide(error: &Error, attempt: u32, policy: &Policy, now: SystemTime) -> Decision {
    if matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::NothingFound) {
        return Decision::Done;
    }
    let asked = |at: SystemTime| match at.duration_since(now) {
        Ok(wait) if wait > policy.longest_ask => Decision::Dead,
        _ => Decision::Later { at: at.max(now), counts: false },
    };
    match error.recovery() {
        Recovery::Retry { after: Some(after) } => now.checked_add(*after).map_or(Decision::Dead, asked),
        Recovery::WaitUntil(at) => asked(*at),
        Recovery::Retry { after: None } | Recovery::RefreshCredentials if attempt < policy.attempts => {
            let at = now.checked_add(policy.jittered(policy.wait_after(attempt))).unwrap_or(now);
            Decision::Later { at, counts: true }
        }
        _ => Decision::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn after(seconds: u64) -> SystemTime {
        NOW + Duration::from_secs(seconds)
    }

    fn error(recovery: Recovery) -> Error {
        Error::new(ErrorKind::Network, "down").with_recovery(recovery)
    }

    #[test]
    fn the_recovery_decides() {
        let exact = Policy { jitter: 0.0, ..Policy::default() };
        let retry = || error(Recovery::Retry { after: None });
        let later = |seconds, counts| Decision::Later { at: after(seconds), counts };
        let table = [
            ("cancelled", Error::cancelled(), 1, Decision::Done),
            ("nothing found", Error::new(ErrorKind::NothingFound, "silence"), 3, Decision::Done),
            ("first attempt", retry(), 1, later(5, true)),
            ("second attempt", retry(), 2, later(10, true)),
            ("last attempt", retry(), 3, Decision::Dead),
            ("beyond the last", retry(), 9, Decision::Dead),
            ("a new token", error(Recovery::RefreshCredentials), 1, later(5, true)),
            ("a new token, last", error(Recovery::RefreshCredentials), 3, Decision::Dead),
            ("the server asks", error(Recovery::Retry { after: Some(Duration::from_secs(70)) }), 1, later(70, false)),
            ("the server asks, last", error(Recovery::Retry { after: Some(Duration::from_secs(70)) }), 3, later(70, false)),
            ("asks too much", error(Recovery::Retry { after: Some(Duration::from_secs(8 * 24 * 3600)) }), 1, Decision::Dead),
            ("asks without end", error(Recovery::Retry { after: Some(Duration::MAX) }), 1, Decision::Dead),
            ("quota", error(Recovery::WaitUntil(after(3600))), 3, later(3600, false)),
            ("quota that was reset", error(Recovery::WaitUntil(NOW)), 1, later(0, false)),
            ("another encode", error(Recovery::Reencode), 1, Decision::Dead),
            ("give up", error(Recovery::GiveUp), 1, Decision::Dead),
        ];
        for (name, error, attempt, expected) in table {
            assert_eq!(decide(&error, attempt, &exact, NOW), expected, "{name}");
        }
    }

    #[test]
    fn policies_without_a_schedule_are_refused() {
        Policy::default().check().unwrap();
        let wrong = |change: fn(&mut Policy)| {
            let mut policy = Policy::default();
            change(&mut policy);
            policy.check().unwrap_err().to_string()
        };
        assert!(wrong(|policy| policy.attempts = 0).contains("attempts"));
        assert!(wrong(|policy| policy.factor = f64::NAN).contains("factor"));
        assert!(wrong(|policy| policy.jitter = 1.5).contains("jitter"));
        assert!(serde_json::from_str::<Policy>(r#"{"tries": 3}"#).is_err());
        assert_eq!(serde_json::from_str::<Policy>(r#"{"first_wait": 1.5}"#).unwrap().first_wait, Duration::from_millis(1500));
    }

    proptest! {
        #[test]
        fn waits_are_within_the_jitter_and_the_limit(attempt in 1u32..5000, jitter in 0.0..=1.0f64) {
            let policy = Policy { attempts: u32::MAX, jitter, ..Policy::default() };
            let Decision::Later { at, counts: true } = decide(&error(Recovery::Retry { after: None }), attempt, &policy, NOW) else {
                panic!("attempt {attempt}");
            };
            let (wait, plain) = (at.duration_since(NOW).unwrap().as_secs_f64(), policy.wait_after(attempt).as_secs_f64());
            prop_assert!(plain <= 600.0);
            prop_assert!(wait >= plain * (1.0 - jitter) - 1e-6 && wait <= plain * (1.0 + jitter) + 1e-6);
        }
    }
}
