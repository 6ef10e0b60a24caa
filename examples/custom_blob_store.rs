//! A blob store of one's own: every tenant's blobs live below a prefix of a shared store. The conformance kit proves that it
//! keeps the port's promises: `cargo test -p daira-examples --example custom_blob_store`.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::Ports;
use daira_core::error::Result;
use daira_core::memory::MemoryBlobs;
use daira_core::port::{BlobMeta, BlobStore};

/// Keeps one tenant's blobs in a store shared by many.
struct TenantBlobs {
    tenant: String,
    shared: Arc<dyn BlobStore>,
}

impl TenantBlobs {
    fn below(&self, key: &str) -> String {
        format!("{}/{key}", self.tenant)
    }
}

#[async_trait]
impl BlobStore for TenantBlobs {
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()> {
        self.shared.put(&self.below(key), content_type, bytes).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Bytes>> {
        self.shared.get(&self.below(key), range).await
    }

    async fn head(&self, key: &str) -> Result<Option<BlobMeta>> {
        self.shared.head(&self.below(key)).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.shared.delete(&self.below(key)).await
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let shared: Arc<dyn BlobStore> = Arc::new(MemoryBlobs::default());
    let mine = TenantBlobs { tenant: "cairo".to_owned(), shared: shared.clone() };
    let ports = Ports { blobs: Arc::new(mine), ..Ports::in_memory() };
    ports.blobs.put("hello.txt", "text/plain", Bytes::from_static("ازيك".as_bytes())).await?;
    assert!(shared.head("cairo/hello.txt").await?.is_some());
    println!("the blob lies below the tenant's prefix");
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}

#[cfg(test)]
daira_core::blob_kit!(
    tenant,
    Arc::new(TenantBlobs { tenant: "t".to_owned(), shared: Arc::new(MemoryBlobs::default()) }) as Arc<dyn BlobStore>
);
