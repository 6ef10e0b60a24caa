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

#[cfg(test)]
mod damage {
    use daira_core::error::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn a_folder_that_cannot_be_had_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        assert_eq!(FsBlobs::open(file.join("blobs")).unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn what_cannot_be_written_leaves_nothing_behind_and_what_is_damaged_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = FsBlobs::open(folder.path()).unwrap();
        // A folder stands where the blob should go.
        std::fs::create_dir_all(folder.path().join("a@/b/c")).unwrap();
        let refused = blobs.put("a/b", "image/webp", bytes::Bytes::from_static(b"x")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert_eq!(std::fs::read_dir(folder.path().join("a@")).unwrap().count(), 1, "no half-written file");
        assert!(blobs.put("a/x", &"t".repeat(300), bytes::Bytes::new()).await.is_err(), "no such long type");
        for damaged in [&b""[..], b"\x05ab", b"\x02\xff\xfe"] {
            std::fs::write(folder.path().join("d"), damaged).unwrap();
            assert!(blobs.get("d", None).await.is_err() && blobs.head("d").await.is_err());
        }
        assert!(blobs.delete("a/b").await.is_err());
    }
}
