//! A cache in the process, bounded by bytes.

use core::hash::BuildHasher;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use foldhash::fast::RandomState;
use quick_cache::Weighter;
use quick_cache::unsync::Cache as Shelf;

use crate::error::Result;
use crate::port::{Cache, CacheKey, Cached, Clock, STAMP_LIFE, Stamp, check_cached};
use crate::time::Timestamp;

/// Independent parts, so that threads rarely wait for each other.
const SHARDS: usize = 16;
/// What an entry takes beside its key and its value, roughly.
const OVERHEAD: usize = 160;
/// How many bytes an entry is, usually.
const USUAL: u64 = 256;

/// What is kept in this process. When it is full, what was not used for longest goes, more or less.
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    shards: Vec<Mutex<Shelf<CacheKey, Entry, Weight>>>,
    stamps: AtomicU64,
}

/// What is kept under a key, or that nothing is and somebody went to ask.
#[derive(Clone)]
struct Entry {
    cached: Cached,
    since: Timestamp,
    until: Timestamp,
}

#[derive(Clone)]
struct Weight;

impl Weighter<CacheKey, Entry> for Weight {
    fn weight(&self, key: &CacheKey, entry: &Entry) -> u64 {
        let value = entry.cached.value.as_ref().map_or(0, Bytes::len);
        u64::try_from(OVERHEAD + key.name().len() + value).unwrap_or(u64::MAX)
    }
}

impl core::fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryCache").finish_non_exhaustive()
    }
}

impl MemoryCache {
    /// For about this many bytes; 0 keeps nothing.
    pub fn new(clock: Arc<dyn Clock>, bytes: u64) -> Self {
        let part = bytes / SHARDS as u64;
        let items = usize::try_from(part / USUAL).unwrap_or(usize::MAX).max(1);
        let shelf = || Mutex::new(Shelf::with_weighter(items, part, Weight));
        let shards = (0..SHARDS).map(|_| shelf()).collect();
        Self { clock, hasher: RandomState::default(), shards, stamps: AtomicU64::new(0) }
    }

    /// Forgets everything, and all stamps.
    pub fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// What [`get`](Cache::get) answers of one key; nothing waits.
    pub fn look(&self, key: &CacheKey) -> Cached {
        let Some(mut shard) = self.shard(key) else { return Cached::default() };
        let now = self.clock.now();
        if let Some(entry) = shard.get(key).filter(|entry| entry.holds(now)) {
            return entry.cached.clone();
        }
        let cached = Cached { value: None, stamp: Some(self.stamp()) };
        shard.insert(key.clone(), Entry { cached: cached.clone(), since: now, until: now + STAMP_LIFE });
        cached
    }

    /// What [`put`](Cache::put) does.
    ///
    /// # Errors
    /// The same.
    pub fn keep(&self, key: &CacheKey, stamp: Stamp, value: Bytes, life: Duration) -> Result<bool> {
        check_cached(&value)?;
        let Some(mut shard) = self.shard(key) else { return Ok(false) };
        let now = self.clock.now();
        let is_same = shard.peek(key).is_some_and(|entry| entry.holds(now) && entry.cached.stamp == Some(stamp));
        if is_same {
            let cached = Cached { value: Some(value), stamp: Some(self.stamp()) };
            shard.insert(key.clone(), Entry { cached, since: now, until: now + life });
        }
        Ok(is_same)
    }

    /// What [`forget`](Cache::forget) does.
    pub fn drop_all(&self, keys: &[CacheKey]) {
        for key in keys {
            if let Some(mut shard) = self.shard(key) {
                shard.remove(key);
            }
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp(u128::from(self.stamps.fetch_add(1, Ordering::Relaxed)).to_be_bytes())
    }

    /// The part that a key belongs to; there always is one. Whoever panicked while holding it left it whole or without an entry.
    fn shard(&self, key: &CacheKey) -> Option<MutexGuard<'_, Shelf<CacheKey, Entry, Weight>>> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        self.shards.get(at).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entry {
    /// A clock that was set back ends it, too, or it might outlive its time by as much.
    fn holds(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, keys: &[CacheKey]) -> Vec<Cached> {
        keys.iter().map(|key| self.look(key)).collect()
    }
    async fn put(&self, key: &CacheKey, stamp: Stamp, value: Bytes, life: Duration) -> Result<bool> {
        self.keep(key, stamp, value, life)
    }
    async fn forget(&self, keys: &[CacheKey]) {
        self.drop_all(keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::ManualClock;

    #[test]
    fn memory_is_bounded_by_bytes() {
        let cache = MemoryCache::new(Arc::new(ManualClock::default()), 1 << 20);
        let held = || cache.shards.iter().map(|shard| shard.lock().unwrap().weight()).sum::<u64>();
        for n in 0..20_000 {
            let key = CacheKey::new("test", 1, &n.to_string()).unwrap();
            let stamp = cache.look(&key).stamp.unwrap();
            cache.keep(&key, stamp, vec![0; 1_000].into(), Duration::from_hours(1)).unwrap();
        }
        assert!((1 << 19..=1 << 20).contains(&held()), "{}", held());
        cache.clear();
        assert_eq!(held(), 0);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let cache = MemoryCache::new(Arc::new(ManualClock::default()), 0);
        let key = CacheKey::new("test", 1, "x").unwrap();
        let stamp = cache.look(&key).stamp.unwrap();
        assert!(!cache.keep(&key, stamp, Bytes::new(), Duration::from_hours(1)).unwrap());
        assert_eq!(cache.look(&key).value, None);
    }

    #[test]
    fn nothing_outlives_its_time_when_the_clock_is_set_back() {
        let clock = Arc::new(ManualClock::default());
        let cache = MemoryCache::new(clock.clone(), 1 << 20);
        let key = CacheKey::new("test", 1, "x").unwrap();
        let stamp = cache.look(&key).stamp.unwrap();
        assert!(cache.keep(&key, stamp, Bytes::new(), Duration::from_secs(5)).unwrap());
        clock.set(clock.now() - Duration::from_hours(1));
        assert_eq!(cache.look(&key).value, None);
    }
}
