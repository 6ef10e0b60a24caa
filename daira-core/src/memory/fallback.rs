//! Limits while the count that all nodes share is out of reach.

use std::sync::Arc;

use async_trait::async_trait;

use super::MemoryLimiter;
use crate::circuit::{Circuit, Passage};
use crate::error::{Error, ErrorKind, Result};
use crate::port::{Bucket, Charge, Clock, RateLimiter};

/// Counts for all nodes together, and for this node alone while that is out of reach: then each node lets through what
/// all may together, but for what is strict, which nobody may.
pub struct FallbackLimiter {
    shared: Arc<dyn RateLimiter>,
    local: MemoryLimiter,
    circuit: Circuit,
}

impl core::fmt::Debug for FallbackLimiter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FallbackLimiter").field("circuit", &self.circuit).finish_non_exhaustive()
    }
}

impl FallbackLimiter {
    /// Over a count that is shared.
    pub fn new(shared: Arc<dyn RateLimiter>, clock: Arc<dyn Clock>) -> Self {
        Self { shared, local: MemoryLimiter::new(Arc::clone(&clock)), circuit: Circuit::new(clock) }
    }
}

#[async_trait]
impl RateLimiter for FallbackLimiter {
    async fn charge(&self, charges: &[Charge]) -> Result<Vec<Bucket>> {
        if charges.is_empty() {
            return Ok(Vec::new());
        }
        if self.circuit.ask() != Passage::Open {
            match self.shared.charge(charges).await {
                Ok(buckets) => {
                    if self.circuit.answered() {
                        tracing::info!("limits are counted for all nodes again");
                    }
                    return Ok(buckets);
                }
                Err(error) => {
                    if self.circuit.failed() {
                        tracing::warn!(?error, "limits are counted by this node alone for now");
                    }
                }
            }
        }
        if charges.iter().any(|charge| charge.strict) {
            return Err(Error::new(ErrorKind::Unavailable, "limiter.shared"));
        }
        self.local.charge(charges).await
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use core::time::Duration;

    use super::*;
    use crate::id::{AccountId, Id};
    use crate::memory::ManualClock;
    use crate::port::{Quota, Subject};

    /// A count that can be cut off.
    struct Far {
        inner: MemoryLimiter,
        cut: AtomicBool,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl RateLimiter for Far {
        async fn charge(&self, charges: &[Charge]) -> Result<Vec<Bucket>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.cut.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Unavailable, "test.cut"));
            }
            self.inner.charge(charges).await
        }
    }

    #[tokio::test]
    async fn security_78_each_node_counts_for_itself_and_what_is_strict_is_refused() {
        let clock = Arc::new(ManualClock::default());
        let inner = MemoryLimiter::new(clock.clone());
        let far = Arc::new(Far { inner, cut: AtomicBool::new(false), asked: AtomicUsize::new(0) });
        let limiter = FallbackLimiter::new(far.clone(), clock.clone());
        let subject = Subject::Account(AccountId::from_raw(1));
        let ask = Charge { limit: "x", subject, quota: Quota::an_hour(3), cost: 1, strict: false };
        let refused = async |charge| limiter.charge(&[charge]).await.map(|buckets| buckets[0].is_refused());

        for expected in [false, false, false, true] {
            assert_eq!(refused(ask).await.unwrap(), expected);
        }
        far.cut.store(true, Ordering::Relaxed);
        for expected in [false, false, false, true] {
            assert_eq!(refused(ask).await.unwrap(), expected, "as many again, on this node");
        }
        assert_eq!(refused(Charge { strict: true, ..ask }).await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(far.asked.load(Ordering::Relaxed), 5, "it is left in peace once it failed");

        far.cut.store(false, Ordering::Relaxed);
        clock.advance(Duration::from_secs(1));
        clock.set(clock.now() - Duration::from_hours(1));
        let strict = Charge { strict: true, limit: "y", ..ask };
        assert!(!refused(strict).await.unwrap() && !refused(strict).await.unwrap());
        assert_eq!(far.asked.load(Ordering::Relaxed), 7, "one tried, and from then on all may");
    }
}
