//! Blobs in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::port::{BlobMeta, BlobStore, check_blob_key};

/// Keeps blobs in a map.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    blobs: Mutex<BTreeMap<String, (String, Bytes)>>,
}

impl MemoryBlobs {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (String, Bytes)>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()> {
        check_blob_key(key)?;
        self.lock().insert(key.to_owned(), (content_type.to_owned(), bytes));
        Ok(())
    }

    async fn get(&self, key: &str, range: Option<core::ops::Range<u64>>) -> Result<Option<Bytes>> {
        check_blob_key(key)?;
        let blob = self.lock().get(key).map(|(_, bytes)| bytes.clone());
        Ok(blob.map(|bytes| match range {
            None => bytes,
            Some(range) => {
                let cut = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                let (start, end) = (cut(range.start), cut(range.end));
                bytes.slice(start..end.max(start))
            }
        }))
    }

    async fn head(&self, key: &str) -> Result<Option<BlobMeta>> {
        check_blob_key(key)?;
        let meta = |(content_type, bytes): &(String, Bytes)| BlobMeta {
            bytes: bytes.len() as u64,
            content_type: content_type.clone(),
        };
        Ok(self.lock().get(key).map(meta))
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        check_blob_key(key)?;
        Ok(self.lock().remove(key).is_some())
    }
}
