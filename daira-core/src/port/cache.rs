//! Bytes that are kept for a while so that the truth is asked less often.
//!
//! A cache is a view and nothing else: what is in it may be lost at any moment, and a cache that cannot be reached answers as one
//! that is empty. So looking and forgetting cannot fail; both wait for a moment at most.
//!
//! What was read before a change must not be kept after it. Therefore each look at a key answers a [`Stamp`], for a key that
//! nothing is kept under, too; [`put`](Cache::put) takes the stamp that was answered *before the truth was asked*, and keeps the value only
//! where it is still the key's. [`forget`](Cache::forget) takes the stamp away, so that whoever asked the truth before it
//! keeps nothing.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};

/// The largest value, in bytes.
pub const MAX_CACHED: usize = 64 << 10;
/// The longest name of a key, in bytes.
const MAX_NAME: usize = 200;
/// How long the stamp of a key that nothing is kept under is remembered at least: who takes longer to ask the truth keeps nothing.
pub const STAMP_LIFE: Duration = Duration::from_secs(10);

/// What a value is kept under: what kind of thing, in which layout its bytes are, and which one. A layout that changes takes another
/// version, so that nobody reads bytes of the old one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(Arc<str>);

impl CacheKey {
    /// For the thing with this id, which is printable ASCII without blanks and braces.
    ///
    /// # Errors
    /// For an id that is none, or too long with all that comes before it: 200 bytes.
    pub fn new(namespace: &'static str, version: u16, id: &str) -> Result<Self> {
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}".contains(&byte));
        // In braces is what decides the slot where keys are on several servers.
        let name = format!("{namespace}:{version}:{{{id}}}");
        if !is_plain(id) || id.is_empty() || !is_plain(namespace) || name.len() > MAX_NAME {
            return Err(Error::new(ErrorKind::Internal, "cache.key"));
        }
        Ok(Self(name.into()))
    }

    /// The name, as adapters and other nodes know it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The key that another node named.
    pub(crate) fn named(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ids may be of people.
        f.write_str("CacheKey(…)")
    }
}

/// The state that a key was found in; no two states have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(pub [u8; 16]);

/// What is found under a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cached {
    /// The value, if one is kept.
    pub value: Option<Bytes>,
    /// The key's stamp; none while the cache cannot be reached, and then nothing can be put.
    pub stamp: Option<Stamp>,
}

/// Keeps bytes for a while.
#[async_trait]
pub trait Cache: Send + Sync {
    /// What is kept under each of these keys, in their order.
    async fn get(&self, keys: &[CacheKey]) -> Vec<Cached>;
    /// Keeps a value, unless its key has another stamp by now; the stamp is spent by it. Says whether the value is kept.
    ///
    /// # Errors
    /// For a value of more than [`MAX_CACHED`] bytes, and nothing else.
    async fn put(&self, key: &CacheKey, stamp: Stamp, value: Bytes, life: Duration) -> Result<bool>;
    /// Forgets what is kept under these keys, and their stamps. What cannot be forgotten because the cache cannot be reached is kept
    /// until its life is over.
    async fn forget(&self, keys: &[CacheKey]);
}

/// Refuses what is too large for any adapter.
///
/// # Errors
/// For a value of more than [`MAX_CACHED`] bytes.
pub fn check_cached(value: &Bytes) -> Result<()> {
    if value.len() > MAX_CACHED {
        return Err(Error::new(ErrorKind::Internal, "cache.too_large"));
    }
    Ok(())
}

/// A cache that keeps nothing: for a node that shares none with others.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

#[async_trait]
impl Cache for NoCache {
    async fn get(&self, keys: &[CacheKey]) -> Vec<Cached> {
        vec![Cached::default(); keys.len()]
    }
    async fn put(&self, _: &CacheKey, _: Stamp, value: Bytes, _: Duration) -> Result<bool> {
        check_cached(&value).map(|()| false)
    }
    async fn forget(&self, _: &[CacheKey]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_kind_a_layout_and_a_thing() {
        assert_eq!(CacheKey::new("handle", 1, "mona").unwrap().name(), "handle:1:{mona}");
        let long = "x".repeat(MAX_NAME);
        for wrong in ["", "a b", "a\nb", "{a}", "منى", &long] {
            assert!(CacheKey::new("handle", 1, wrong).is_err(), "{wrong}");
        }
    }
}
