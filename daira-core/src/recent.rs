//! A bounded map of what was used recently, shared between threads: for answers that may be forgotten at any time.

use core::fmt;
use core::hash::{BuildHasher, Hash};
use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Independent parts, so that threads rarely wait for each other.
const SHARDS: usize = 16;

/// Keeps at least the `capacity / 2` entries used last and never more than about `capacity`. Each part has a young and an
/// old half: what is used moves to the young one; when that is full it becomes the old one and the old one is dropped.
pub(crate) struct Recent<K, V> {
    shards: Vec<Mutex<Halves<K, V>>>,
    half: usize,
    hasher: RandomState,
}

struct Halves<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Copy> Recent<K, V> {
    /// For about this many entries; nothing is allocated before it is needed.
    pub(crate) fn new(capacity: usize) -> Self {
        let halves = || Mutex::new(Halves { young: HashMap::new(), old: HashMap::new() });
        Self {
            shards: (0..SHARDS).map(|_| halves()).collect(),
            half: (capacity / SHARDS / 2).max(1),
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut shard = self.shard(key)?;
        if let Some(value) = shard.young.get(key) {
            return Some(*value);
        }
        let (key, value) = shard.old.remove_entry(key)?;
        shard.put(key, value, self.half);
        Some(value)
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        if let Some(mut shard) = self.shard(&key) {
            shard.old.remove(&key);
            shard.put(key, value, self.half);
        }
    }

    pub(crate) fn remove(&self, key: &K) {
        if let Some(mut shard) = self.shard(key) {
            shard.young.remove(key);
            shard.old.remove(key);
        }
    }

    /// The part that a key belongs to; there always is one. A panic while a part was held cannot have left it half
    /// changed in a way that matters: every entry may be forgotten.
    fn shard(&self, key: &K) -> Option<MutexGuard<'_, Halves<K, V>>> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        self.shards.get(at).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<K: Hash + Eq, V> Halves<K, V> {
    fn put(&mut self, key: K, value: V, half: usize) {
        if self.young.len() >= half && !self.young.contains_key(&key) {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

impl<K, V> fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recent(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let recent = Recent::new(3_200);
        recent.insert(0, 0);
        for n in 1..100_000_u32 {
            recent.insert(n, n);
            assert_eq!(recent.get(&0), Some(0), "used all the time");
        }
        let held = (0..100_000).filter(|n| recent.get(n).is_some()).count();
        assert!((1_600..=3_200).contains(&held), "{held}");
    }

    #[test]
    fn what_is_removed_or_replaced_is_gone() {
        let recent = Recent::new(SHARDS * 2);
        for n in 0..100 {
            recent.insert(n, n);
            recent.insert(n, n + 1);
            assert_eq!(recent.get(&n), Some(n + 1));
            recent.remove(&n);
            assert_eq!(recent.get(&n), None);
        }
    }
}
