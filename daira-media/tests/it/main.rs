//! The folder of blobs under the conformance kit, and the way of a picture from upload to reader.

use std::sync::Arc;

use daira_core::port::BlobStore;
use daira_media::FsBlobs;

#[cfg(test)]
mod service;

#[cfg(test)]
daira_core::blob_kit!(folder, {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(FsBlobs::open(folder.path()).unwrap()) as Arc<dyn BlobStore>, folder)
});
