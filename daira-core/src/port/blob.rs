//! Blobs: bytes under a key, wherever they lie.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;

/// What is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobMeta {
    /// Size in bytes.
    pub bytes: u64,
    /// Media type, as given when it was put.
    pub content_type: String,
}

/// Keeps blobs. A key is `a-z 0-9 - _ . /`, at most 200 bytes, without empty, `.` or `..` segments; others are refused.
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
