//! A blob store of one's own: it writes everything to two stores and reads from whichever has it. The conformance kit
//! proves that it keeps the port's promises: `cargo test -p daira-examples --example custom_blob_store`.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::Ports;
use daira_core::error::Result;
use daira_core::memory::MemoryBlobs;
use daira_core::port::{BlobMeta, BlobStore};

/// Keeps every blob twice.
struct MirroredBlobs {
    near: Arc<dyn BlobStore>,
    far: Arc<dyn BlobStore>,
}

#[async_trait]
impl BlobStore for MirroredBlobs {
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()> {
        // The far copy first: what the near one has is then safe.
        self.far.put(key, content_type, bytes.clone()).await?;
        self.near.put(key, content_type, bytes).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Bytes>> {
        match self.near.get(key, range.clone()).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.far.get(key, range).await,
        }
    }

    async fn head(&self, key: &str) -> Result<Option<BlobMeta>> {
        match self.near.head(key).await? {
            Some(meta) => Ok(Some(meta)),
            None => self.far.head(key).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let near = self.near.delete(key).await?;
        Ok(self.far.delete(key).await? || near)
    }
}

fn mirrored() -> MirroredBlobs {
    MirroredBlobs { near: Arc::new(MemoryBlobs::default()), far: Arc::new(MemoryBlobs::default()) }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mine = mirrored();
    let (near, far) = (mine.near.clone(), mine.far.clone());
    let ports = Ports { blobs: Arc::new(mine), ..Ports::in_memory() };
    ports.blobs.put("hello.txt", "text/plain", Bytes::from_static("ازيك".as_bytes())).await?;
    near.delete("hello.txt").await?;
    assert!(ports.blobs.get("hello.txt", None).await?.is_some(), "the far copy serves");
    assert!(far.head("hello.txt").await?.is_some());
    println!("kept twice");
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}

#[cfg(test)]
daira_core::blob_kit!(mirrored, Arc::new(mirrored()) as Arc<dyn BlobStore>);
