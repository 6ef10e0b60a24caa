//! Limits counted in this process.

use core::hash::BuildHasher;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use foldhash::fast::RandomState;

use crate::error::Result;
use crate::port::{Bucket, Charge, Clock, RateLimiter, Subject};

/// Independent parts, so that threads rarely wait for each other.
const SHARDS: usize = 16;

/// Buckets that a part keeps at most: with all parts about half a million, some 40 MB.
const LARGEST: usize = 32_768;

/// Limits of one process, bounded in memory: a bucket that is full again is forgotten, and where so many are not, any half
/// of them. Whoever has half a million addresses is not kept by a limit per address.
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
    largest: usize,
}

/// When each bucket is full again, in microseconds.
type Shard = HashMap<(&'static str, Subject), i64, RandomState>;

impl core::fmt::Debug for MemoryLimiter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryLimiter").finish_non_exhaustive()
    }
}

impl MemoryLimiter {
    /// With all buckets full.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::holding(clock, LARGEST)
    }

    fn holding(clock: Arc<dyn Clock>, largest: usize) -> Self {
        let hasher = RandomState::default();
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::with_hasher(hasher.clone()))).collect();
        Self { clock, hasher, shards, largest }
    }

    fn take(&self, charge: &Charge, now: i64) -> Bucket {
        let key = (charge.limit, charge.subject);
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        let Some(shard) = self.shards.get(at) else { return charge.quota.take(now, now, charge.cost).1 };
        // A panic inside cannot leave a bucket half changed: it is one number.
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = shard.get(&key).copied().unwrap_or(now);
        let (kept, bucket) = charge.quota.take(full_at, now, charge.cost);
        if shard.len() >= self.largest {
            shard.retain(|_, full_at| *full_at > now);
            if shard.len() > self.largest / 2 {
                let mut seen = 0_usize;
                shard.retain(|_, _| {
                    seen += 1;
                    seen.is_multiple_of(2)
                });
            }
        }
        shard.insert(key, kept);
        bucket
    }
}

#[async_trait]
impl RateLimiter for MemoryLimiter {
    async fn charge(&self, charges: &[Charge]) -> Result<Vec<Bucket>> {
        let now = self.clock.now().as_micros();
        let mut buckets = Vec::with_capacity(charges.len());
        for charge in charges {
            let bucket = self.take(charge, now);
            buckets.push(bucket);
            if bucket.is_refused() {
                break;
            }
        }
        Ok(buckets)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::id::{AccountId, Id};
    use crate::memory::ManualClock;
    use crate::port::Quota;

    fn charge(account: i64) -> Charge {
        Charge {
            limit: "x",
            subject: Subject::Account(AccountId::from_raw(account)),
            quota: Quota::a_minute(1),
            cost: 1,
            strict: true,
        }
    }

    #[test]
    fn memory_is_bounded_and_what_is_full_goes_first() {
        let clock = Arc::new(ManualClock::default());
        let limiter = MemoryLimiter::holding(clock.clone(), 64);
        let held = || limiter.shards.iter().map(|shard| shard.lock().unwrap().len()).sum::<usize>();
        for account in 0..100_000 {
            limiter.take(&charge(account), clock.now().as_micros());
        }
        assert!(held() <= 64 * SHARDS && held() >= 32 * SHARDS, "{}", held());
        clock.advance(Duration::from_mins(2));
        for account in 0..100_000 {
            limiter.take(&charge(account % 100), clock.now().as_micros());
        }
        assert!(held() <= 64 * SHARDS);
        assert!(
            limiter.take(&charge(7), clock.now().as_micros()).is_refused(),
            "there was room for all that are not full"
        );
    }
}
