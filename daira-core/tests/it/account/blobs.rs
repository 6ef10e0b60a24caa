//! Blobs that fail as they are told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::memory::MemoryBlobs;
use daira_core::port::{BlobMeta, BlobStore};

use super::{World, world_with};

#[derive(Debug)]
pub(super) struct Faulty {
    inner: MemoryBlobs,
    /// Whether nothing is taken.
    pub(super) refuses: AtomicBool,
    /// How many more are taken whole; of the next one half is there, and no answer comes: the worker was killed.
    pub(super) puts: AtomicUsize,
    /// How often removing fails.
    pub(super) stuck: AtomicUsize,
    /// The largest piece of an export that was taken.
    pub(super) largest: AtomicUsize,
}

/// A world that keeps its blobs there; nothing fails yet.
pub(super) fn world_with_faulty_blobs() -> (World, Arc<Faulty>) {
    let blobs = Arc::new(Faulty {
        inner: MemoryBlobs::default(),
        refuses: AtomicBool::default(),
        puts: AtomicUsize::new(usize::MAX),
        stuck: AtomicUsize::default(),
        largest: AtomicUsize::default(),
    });
    let given = blobs.clone();
    (world_with(move |ports| ports.blobs = given), blobs)
}

#[async_trait]
impl BlobStore for Faulty {
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()> {
        if self.refuses.load(SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "test.put"));
        }
        if self.puts.load(SeqCst) == 0 {
            self.inner.put(key, content_type, bytes.slice(..bytes.len() / 2)).await?;
            std::future::pending::<()>().await;
        }
        self.puts.fetch_sub(1, SeqCst);
        if key.starts_with("export/") {
            self.largest.fetch_max(bytes.len(), SeqCst);
        }
        self.inner.put(key, content_type, bytes).await
    }

    async fn get(&self, key: &str, range: Option<core::ops::Range<u64>>) -> Result<Option<Bytes>> {
        self.inner.get(key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<BlobMeta>> {
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        if self.stuck.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(Error::new(ErrorKind::Unavailable, "blob.delete"));
        }
        self.inner.delete(key).await
    }
}
