//! Blobs: bytes under a key, wherever they lie.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{CommonRefusal, Result};

/// What is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobMeta {
    /// Size in bytes.
    pub bytes: u64,
    /// Media type, as given when it was put.
    pub content_type: String,
}

/// Checks a key as every blob store does first.
///
/// # Errors
/// [`CommonRefusal::Id`] for a key that breaks the rule of [`BlobStore`].
pub fn check_blob_key(key: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_./".contains(&b);
    let whole = |segment: &str| !matches!(segment, "" | "." | "..");
    let holds = key.len() <= 200 && key.bytes().all(allowed) && key.split('/').all(whole);
    if holds { Ok(()) } else { Err(CommonRefusal::Id.into()) }
}

/// Keeps blobs. A key is `a-z 0-9 - _ . /`, at most 200 bytes, without empty, `.` or `..` segments; others are refused
/// (see [`check_blob_key`]).
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores a blob, durable when it returns; a reader sees the old or the new blob, never a part.
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()>;
    /// Reads a blob, or a range of it (`start..end`, in bytes, cut to its size).
    async fn get(&self, key: &str, range: Option<core::ops::Range<u64>>) -> Result<Option<Bytes>>;
    /// What is known of a blob.
    async fn head(&self, key: &str) -> Result<Option<BlobMeta>>;
    /// Removes a blob; says whether there was one.
    async fn delete(&self, key: &str) -> Result<bool>;
}

/// Conveniences over any blob store.
#[async_trait]
pub trait BlobStoreExt: BlobStore {
    /// Whether there is a blob under the key.
    async fn exists(&self, key: &str) -> Result<bool> {
        Ok(self.head(key).await?.is_some())
    }
}

impl<B: BlobStore + ?Sized> BlobStoreExt for B {}
