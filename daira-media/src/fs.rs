//! Blobs in a folder.
//!
//! One file per blob: a small head with the media type, then the bytes. It is written beside its place, brought to the
//! disk and renamed, so that a reader sees the whole blob or none, whatever is killed when.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::error::{CommonRefusal, Error, ErrorKind, Result};
use daira_core::port::{BlobMeta, BlobStore};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// Keeps blobs in a folder.
#[derive(Debug, Clone)]
pub struct FsBlobs {
    root: PathBuf,
}

impl FsBlobs {
    /// In a folder, which is made when absent.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        std::fs::create_dir_all(&root).map_err(|e| fault("blob.open", e))?;
        Ok(Self { root })
    }

    /// Folders get a sign that no key has, so that the keys `a` and `a/b` never want the same place.
    fn path(&self, key: &str) -> Result<PathBuf> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.bytes().all(allowed);
        if key.len() > 200 || !key.split('/').all(segment) {
            return Err(Error::from(CommonRefusal::Id).on_field("key"));
        }
        let mut path = self.root.clone();
        let (folders, name) = key.rsplit_once('/').map_or(("", key), |(folders, name)| (folders, name));
        path.extend(folders.split('/').filter(|f| !f.is_empty()).map(|f| format!("{f}@")));
        path.push(name);
        Ok(path)
    }
}

fn fault(operation: &'static str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, operation).with_source(error)
}

fn missing_is_none<T>(operation: &'static str, outcome: std::io::Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fault(operation, e)),
    }
}

/// Reads the head of an open blob: its media type and where its bytes begin.
async fn head(file: &mut File) -> std::io::Result<(String, u64)> {
    let length = file.read_u8().await?;
    let mut content_type = vec![0; usize::from(length)];
    file.read_exact(&mut content_type).await?;
    let content_type =
        String::from_utf8(content_type).map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e))?;
    Ok((content_type, u64::from(length) + 1))
}

async fn write(temporary: &Path, path: &Path, head: u8, content_type: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(temporary).await?;
    file.write_u8(head).await?;
    file.write_all(content_type.as_bytes()).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(temporary, path).await?;
    if let Some(folder) = path.parent() {
        File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

#[async_trait]
impl BlobStore for FsBlobs {
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()> {
        let path = self.path(key)?;
        let head = u8::try_from(content_type.len())
            .map_err(|e| Error::new(ErrorKind::Internal, "blob.content_type").with_source(e))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).await.map_err(|e| fault("blob.put", e))?;
        }
        // No key has such a name, so a half-written file is never taken for a blob.
        let temporary = path.with_file_name(unique());
        let written = write(&temporary, &path, head, content_type, &bytes).await;
        if written.is_err() {
            // The first error is the one to tell; what is left over has a name of its own and harms nobody.
            let _left_over = fs::remove_file(&temporary).await;
        }
        written.map_err(|e| fault("blob.put", e))
    }

    async fn get(&self, key: &str, range: Option<core::ops::Range<u64>>) -> Result<Option<Bytes>> {
        const OPERATION: &str = "blob.get";
        let Some(mut file) = missing_is_none(OPERATION, File::open(self.path(key)?).await)? else { return Ok(None) };
        let (_, start) = head(&mut file).await.map_err(|e| fault(OPERATION, e))?;
        let size = file.metadata().await.map_err(|e| fault(OPERATION, e))?.len().saturating_sub(start);
        let range = range.unwrap_or(0..size);
        let (from, to) = (range.start.min(size), range.end.min(size));
        file.seek(SeekFrom::Start(start + from)).await.map_err(|e| fault(OPERATION, e))?;
        let mut bytes = Vec::new();
        file.take(to.saturating_sub(from)).read_to_end(&mut bytes).await.map_err(|e| fault(OPERATION, e))?;
        Ok(Some(bytes.into()))
    }

    async fn head(&self, key: &str) -> Result<Option<BlobMeta>> {
        const OPERATION: &str = "blob.head";
        let Some(mut file) = missing_is_none(OPERATION, File::open(self.path(key)?).await)? else { return Ok(None) };
        let (content_type, start) = head(&mut file).await.map_err(|e| fault(OPERATION, e))?;
        let size = file.metadata().await.map_err(|e| fault(OPERATION, e))?.len();
        Ok(Some(BlobMeta { bytes: size.saturating_sub(start), content_type }))
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        Ok(missing_is_none("blob.delete", fs::remove_file(self.path(key)?).await)?.is_some())
    }
}

/// A name that no other write of this machine uses at the same time.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static WRITES: AtomicU64 = AtomicU64::new(0);
    format!("@{}-{}", std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed))
}
