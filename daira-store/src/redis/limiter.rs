//! Limits that all nodes count together: the kernel's GCRA in one script, by Redis's own clock.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::port::{Bucket, Charge, RateLimiter};
use redis::Script;

use super::{Redis, fault};

/// Takes from each bucket in order until one has too little: `Quota::take` of the kernel, in microseconds, which a Lua number
/// holds exactly. A key is when its bucket is full again, and goes when it is. Answers the wait and the time to full of
/// every bucket that was looked at.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answers = {}
for at, key in ipairs(KEYS) do
  local capacity, refill = tonumber(ARGV[2 * at - 1]), tonumber(ARGV[2 * at])
  local full_at = tonumber(redis.call('GET', key)) or now
  full_at = math.min(math.max(full_at, now), now + capacity)
  local after = full_at + refill
  local early = after - capacity - now
  if early > 0 then
    answers[#answers + 1] = early
    answers[#answers + 1] = full_at - now
    break
  end
  if after > now then
    redis.call('SET', key, string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
  end
  answers[#answers + 1] = 0
  answers[#answers + 1] = after - now
end
return answers
";

/// Limits of all nodes on one Redis. What one subject is charged with takes one round trip, and without a cluster everything
/// does.
#[derive(Debug, Clone)]
pub struct RedisLimiter {
    redis: Redis,
    take: Script,
}

impl RedisLimiter {
    /// Over this connection.
    pub fn new(redis: Redis) -> Self {
        Self { redis, take: Script::new(TAKE) }
    }

    /// Charges what is in one slot.
    async fn take(&self, charges: &[Charge]) -> Result<Vec<Bucket>> {
        let mut call = self.take.prepare_invoke();
        for Charge { limit, subject, quota, cost, .. } in charges {
            // In braces is what decides the slot.
            call.key(format!("{}limit:{{{subject}}}:{limit}", self.redis.prefix()));
            call.arg(micros(quota.capacity())).arg(micros(quota.refill(*cost)));
        }
        let answers: Vec<u64> = self.redis.run(&call).await.map_err(fault("redis.limit"))?;
        let pairs = answers.as_chunks::<2>().0;
        let bucket = |(charge, [wait, full_in]): (&Charge, &[u64; 2])| Bucket {
            quota: charge.quota,
            wait: Duration::from_micros(*wait),
            full_in: Duration::from_micros(*full_in),
        };
        Ok(charges.iter().zip(pairs).map(bucket).collect())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[async_trait]
impl RateLimiter for RedisLimiter {
    async fn charge(&self, charges: &[Charge]) -> Result<Vec<Bucket>> {
        let mut buckets = Vec::with_capacity(charges.len());
        let together = |one: &Charge, next: &Charge| !self.redis.is_cluster() || one.subject == next.subject;
        for slot in charges.chunk_by(together) {
            buckets.extend(self.take(slot).await?);
            if buckets.last().is_some_and(Bucket::is_refused) {
                break;
            }
        }
        Ok(buckets)
    }
}
