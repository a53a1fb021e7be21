//! How many requests a key may make: a token bucket for each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets that are full again are forgotten when there are more than this.
const MOST: usize = 4096;

#[derive(Debug)]
pub(super) struct Buckets {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    pub(super) fn new(per_minute: u32, burst: u32) -> Self {
        Buckets { per_second: f64::from(per_minute) / 60.0, burst: f64::from(burst), buckets: Mutex::default() }
    }

    /// Takes a token. If there is none, returns the time until there is one.
    pub(super) fn take(&self, who: &str, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > MOST {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.burst);
        }
        let bucket = buckets.entry(who.to_owned()).or_insert(Bucket { tokens: self.burst, at: now });
        *bucket = Bucket { tokens: self.filled(*bucket, now), at: now };
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + since * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds_for_each_key_alone() {
        let (buckets, start) = (Buckets::new(60, 3), Instant::now());
        for _ in 0..3 {
            buckets.take("ann", start).unwrap();
        }
        let wait = buckets.take("ann", start).unwrap_err();
        assert!((0.99..=1.01).contains(&wait.as_secs_f64()), "{wait:?}");
        buckets.take("bob", start).unwrap();
        buckets.take("ann", start + Duration::from_millis(1001)).unwrap();
        buckets.take("ann", start + Duration::from_millis(1002)).unwrap_err();
    }

    proptest! {
        #[test]
        fn no_more_than_burst_and_rate_pass(per_minute in 1u32..600, burst in 1u32..50, gaps in prop::collection::vec(0u64..3000, 1..200)) {
            let (buckets, start) = (Buckets::new(per_minute, burst), Instant::now());
            let (mut at, mut passed) = (start, 0u32);
            for gap in gaps {
                at += Duration::from_millis(gap);
                passed += u32::from(buckets.take("ann", at).is_ok());
            }
            let most = f64::from(burst) + at.duration_since(start).as_secs_f64() * f64::from(per_minute) / 60.0;
            prop_assert!(f64::from(passed) <= most + 1e-6);
        }
    }
}
