use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GRACE, Layer, Next};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};

/// Limits how long a call may take. A call that takes longer is cancelled, and its error
/// ([`ErrorKind::TimedOut`]) may be retried. Default 10 minutes.
///
/// The work is asked to stop through its context, as when a caller cancels, and has a moment to
/// clean up; then it is abandoned. An answer that arrives in that moment is used.
///
/// Put this layer next to the stage, inside [`Retry`](crate::layer::Retry) and
/// [`RateLimit`](crate::layer::RateLimit): further outside, their waits count as well. The limit is
/// for a whole call, for a long video too, so be generous. In JSON, `{"timeout": {"seconds":
/// 600}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timeout {
    #[serde(rename = "seconds", with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    limit: Duration,
}

impl Default for Timeout {
    fn default() -> Self {
        Timeout::after(Duration::from_secs(600))
    }
}

impl Timeout {
    /// At most `limit` for one call.
    pub fn after(limit: Duration) -> Self {
        Timeout { limit }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.limit.is_zero() {
            return Err(Error::new(ErrorKind::Config, "a timeout of 0 s leaves no time for any call"));
        }
        Ok(())
    }
}

#[async_trait]
impl<I: ?Sized + Sync, O: Send> Layer<I, O> for Timeout {
    async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
        self.check()?;
        cx.check()?;
        let child = cx.child();
        // Threads that still work for this call stop when it ends, even if its future is dropped.
        let _stop = CancelOnDrop(&child);
        let mut work = pin!(next.call(&child, input));
        let cancelled = async {
            cx.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            answer = &mut work => return answer,
            () = cancelled => return Err(cx.label(Error::cancelled())),
            () = tokio::time::sleep(self.limit) => child.cancel(),
        }
        match tokio::time::timeout(GRACE, work).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => {
                cx.check()?;
                Err(cx.label(
                    Error::new(ErrorKind::TimedOut, format!("it took longer than {:?}", self.limit))
                        .with_recovery(Recovery::Retry { after: None })
                        .with_advice("give it more time (Timeout), or less to do"),
                ))
            }
        }
    }
}

struct CancelOnDrop<'a>(&'a Context);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
