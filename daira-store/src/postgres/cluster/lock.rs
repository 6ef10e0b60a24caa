//! File locks between DAIRA processes on one cluster.
//!
//! Two files: the set-up lock is held exclusively while the folder is prepared and the server started or stopped; the
//! attachment lock is held shared for as long as a process uses the cluster. The kernel lets go of both when a process
//! dies, however it dies, so there is no stale state to clean up.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// How often a lock that somebody else holds is tried again.
const POLL: Duration = Duration::from_millis(20);

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub(super) struct FileLock(File);

impl FileLock {
    /// Waits at most `patience` for the exclusive lock; `None` when somebody held it all that time.
    pub(super) async fn exclusive(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(lock) = Self::try_exclusive(path)? {
                return Ok(Some(lock));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            sleep(POLL).await;
        }
    }

    /// The exclusive lock, if nobody holds the file in any way.
    pub(super) fn try_exclusive(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path)?;
        held(file.try_lock(), file)
    }

    /// The shared lock, if nobody holds the file exclusively.
    pub(super) fn try_shared(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path)?;
        held(file.try_lock_shared(), file)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Said aloud rather than left to the close: a child that is being spawned right now still shares the descriptor
        // until it executes its program, and would keep the lock alive that long. Closing lets go in any other case.
        let _ = self.0.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn held(outcome: Result<(), TryLockError>, file: File) -> io::Result<Option<FileLock>> {
    match outcome {
        Ok(()) => Ok(Some(FileLock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shared_holders_keep_the_exclusive_one_out_until_the_last_leaves() {
        let path = std::env::temp_dir().join(format!("daira-lock-{}", std::process::id()));
        let first = FileLock::try_shared(&path).unwrap().unwrap();
        let second = FileLock::try_shared(&path).unwrap().unwrap();
        assert!(FileLock::try_exclusive(&path).unwrap().is_none());
        drop(first);
        assert!(FileLock::exclusive(&path, Duration::from_millis(50)).await.unwrap().is_none());
        drop(second);
        let alone = FileLock::exclusive(&path, Duration::ZERO).await.unwrap().unwrap();
        assert!(FileLock::try_shared(&path).unwrap().is_none());
        drop(alone);
        std::fs::remove_file(&path).unwrap();
    }
}
