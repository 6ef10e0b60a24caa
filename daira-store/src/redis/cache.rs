//! What nodes keep together of the truth.

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::error::Result;
use daira_core::port::{Cache, CacheKey, Cached, Clock, IdSource, STAMP_LIFE, Stamp, check_cached};
use futures_util::future::try_join_all;
use redis::{RedisResult, Script};

use super::Redis;
use super::connection::Wire;
use super::optional::{Optional, PATIENCE};

/// Replaces what has the stamp that is expected.
const PUT: &str = r"
if redis.call('GETRANGE', KEYS[1], 0, 15) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
";

/// A cache on Redis. A key holds its stamp, whether there is a value, and the value. One command looks, and leaves a stamp where nothing
/// is found; a Redis that is away is left alone, but for one who tries it each second.
#[derive(Clone)]
pub struct RedisCache {
    redis: Optional,
    put: Script,
    ids: Arc<dyn IdSource>,
}

impl core::fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RedisCache").field("redis", &self.redis).finish_non_exhaustive()
    }
}

impl RedisCache {
    /// Over this connection; stamps are drawn from `ids`.
    pub fn new(redis: Redis, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self { redis: Optional::new(redis, clock, "cache"), put: Script::new(PUT), ids }
    }

    fn name(&self, key: &CacheKey) -> String {
        format!("{}cache:{}", self.redis.redis.prefix(), key.name())
    }

    /// An entry as it is stored.
    fn entry(&self, value: Option<&Bytes>) -> (Stamp, Vec<u8>) {
        let stamp = Stamp(self.ids.bytes());
        let mut entry = stamp.0.to_vec();
        entry.push(value.is_some().into());
        entry.extend_from_slice(value.map(Bytes::as_ref).unwrap_or_default());
        (stamp, entry)
    }

    /// What is kept under a key, else the stamp that is left there.
    async fn look(&self, wire: &Wire, key: &CacheKey) -> RedisResult<Cached> {
        let (stamp, entry) = self.entry(None);
        let mut look = redis::cmd("SET");
        look.arg(self.name(key)).arg(entry).arg("NX").arg("GET").arg("PX").arg(millis(STAMP_LIFE));
        let found: Option<Vec<u8>> = wire.ask(&look).await?;
        Ok(found.map_or(Cached { value: None, stamp: Some(stamp) }, |entry| read(&entry)))
    }
}

/// What is no entry of ours is as good as nothing, and is not replaced.
fn read(entry: &[u8]) -> Cached {
    let Some((stamp, [is_value, value @ ..])) = entry.split_first_chunk() else { return Cached::default() };
    let value = (*is_value == 1).then(|| Bytes::copy_from_slice(value));
    Cached { value, stamp: Some(Stamp(*stamp)) }
}

fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, keys: &[CacheKey]) -> Vec<Cached> {
        if keys.is_empty() {
            return Vec::new();
        }
        // All are written before the first answer is waited for.
        let look = async |wire: Wire, _| try_join_all(keys.iter().map(|key| self.look(&wire, key))).await;
        self.redis.ask(look).await.unwrap_or_else(|| vec![Cached::default(); keys.len()])
    }

    async fn put(&self, key: &CacheKey, stamp: Stamp, value: Bytes, life: Duration) -> Result<bool> {
        check_cached(&value)?;
        if life < Duration::from_millis(1) {
            return Ok(false);
        }
        let mut call = self.put.prepare_invoke();
        call.key(self.name(key)).arg(&stamp.0).arg(self.entry(Some(&value)).1).arg(millis(life));
        let put = async |wire: Wire, _| match wire {
            Wire::One(mut one) => call.invoke_async(&mut one).await,
            Wire::Cluster(mut cluster) => call.invoke_async(&mut cluster).await,
        };
        Ok(self.redis.ask(put).await.unwrap_or(false))
    }

    async fn forget(&self, keys: &[CacheKey]) {
        if keys.is_empty() {
            return;
        }
        let forget = async |wire: Wire, _| {
            let one = |key| {
                let wire = wire.clone();
                async move { wire.ask::<i64>(redis::cmd("UNLINK").arg(self.name(key))).await }
            };
            try_join_all(keys.iter().map(one)).await.map(drop)
        };
        // Tried even while it is left alone: what is not forgotten is kept until its life is over.
        if !matches!(tokio::time::timeout(PATIENCE, self.redis.redis.with(forget)).await, Ok(Ok(()))) {
            tracing::warn!(
                keys = keys.len(),
                "what changed could not be forgotten on Redis, and goes when its life is over"
            );
        }
    }
}
