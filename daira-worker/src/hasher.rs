//! Password hashing off the request's threads: a password and a stored hash in, an answer out, by a bounded pool.
//!
//! One Argon2id hash keeps a core busy for about 20 ms and needs 19 MiB, so only a few run at once; some more requests may
//! wait in line, and whoever comes on top is told to try again instead of piling up.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use daira_core::credential::Argon2id;
use daira_core::error::{CommonRefusal, Error, ErrorKind, Result};
use daira_core::port::{IdSource, PasswordHasher};
use daira_core::secret::Secret;
use tokio::sync::Semaphore;

/// How many requests may wait for each one that runs: about a second's worth.
const WAITING_PER_THREAD: usize = 48;

/// [`Argon2id`] as the kernel's [`PasswordHasher`]: on tokio's blocking threads, at most so many at once.
pub struct Argon2Hasher {
    scheme: Arc<Argon2id>,
    ids: Arc<dyn IdSource>,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl fmt::Debug for Argon2Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Hasher")
            .field("scheme", &self.scheme)
            .field("idle", &self.running.available_permits())
            .finish_non_exhaustive()
    }
}

impl Argon2Hasher {
    /// Hashes with this scheme, salts from `ids`, on at most `threads` threads (at least one). It must be called on a tokio
    /// runtime.
    pub fn new(scheme: Argon2id, ids: Arc<dyn IdSource>, threads: usize) -> Self {
        let threads = threads.max(1);
        let admitted = threads.saturating_mul(1 + WAITING_PER_THREAD).min(Semaphore::MAX_PERMITS);
        Self {
            scheme: Arc::new(scheme),
            ids,
            running: Arc::new(Semaphore::new(threads.min(Semaphore::MAX_PERMITS))),
            admitted: Arc::new(Semaphore::new(admitted)),
        }
    }

    /// Runs one piece of work in the pool. The permits go with the work, not with the caller: a request that is given up
    /// leaves a thread that is still busy, and it has to be counted.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Argon2id) -> Result<T> + Send + 'static) -> Result<T> {
        let Ok(admitted) = Arc::clone(&self.admitted).try_acquire_owned() else {
            return Err(Error::from(CommonRefusal::Unavailable).with_retry_after(Duration::from_secs(2)));
        };
        let fail = || Error::new(ErrorKind::Internal, "hasher.run");
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|e| fail().with_source(e))?;
        let scheme = Arc::clone(&self.scheme);
        let answer = tokio::task::spawn_blocking(move || {
            let outcome = work(&scheme);
            drop((running, admitted));
            outcome
        });
        answer.await.map_err(|e| fail().with_source(e))?
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Secret) -> Result<String> {
        let (password, mut salt) = (password.clone(), [0; 16]);
        self.ids.fill(&mut salt);
        self.run(move |scheme| scheme.hash(&password, salt)).await
    }

    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        let (password, hash) = (password.clone(), hash.map(str::to_owned));
        self.run(move |scheme| scheme.verify(&password, hash.as_deref())).await
    }

    fn is_outdated(&self, hash: &str) -> bool {
        self.scheme.is_outdated(hash)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use daira_core::credential::Argon2idCost;
    use futures_util::FutureExt as _;
    use futures_util::stream::{FuturesUnordered, StreamExt as _};

    use super::*;

    /// Counts upwards: every salt differs.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl IdSource for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            for (slot, byte) in buffer.iter_mut().zip(n.iter().cycle()) {
                *slot = *byte;
            }
        }
    }

    fn hasher(threads: usize, memory_kib: u32) -> Argon2Hasher {
        let scheme = Argon2id::new(Argon2idCost { memory_kib, passes: 1, lanes: 1 }).unwrap();
        Argon2Hasher::new(scheme, Arc::new(Counting::default()), threads)
    }

    #[tokio::test]
    async fn it_hashes_with_fresh_salts_and_verifies() {
        let hasher = hasher(2, 64);
        let password = Secret::new("kahwa sada 3al nil");
        let (one, other) = (hasher.hash(&password).await.unwrap(), hasher.hash(&password).await.unwrap());
        assert_ne!(one, other);
        assert!(hasher.verify(&password, Some(&one)).await.unwrap() && !hasher.is_outdated(&one));
        assert!(!hasher.verify(&Secret::new("shai bel na3na3"), Some(&one)).await.unwrap());
        assert!(!hasher.verify(&password, None).await.unwrap());
    }

    #[tokio::test]
    async fn what_does_not_fit_in_line_is_told_to_come_back() {
        let hasher = hasher(1, 64);
        let password = Secret::new("kahwa sada 3al nil");
        // The only thread is taken until all have asked, so nobody makes room for another meanwhile.
        let taken = Arc::clone(&hasher.running).acquire_owned().await.unwrap();
        let mut asking: FuturesUnordered<_> =
            (0..=2 * WAITING_PER_THREAD).map(|_| hasher.verify(&password, None)).collect();
        for _ in 0..WAITING_PER_THREAD {
            let refused = asking.next().await.unwrap().unwrap_err();
            assert_eq!(refused.refusal(), Some(CommonRefusal::Unavailable));
            assert!(refused.retry_after().is_some());
        }
        assert!(asking.next().now_or_never().is_none(), "the others wait in line");
        drop(taken);
        let answers: Vec<_> = asking.map(Result::unwrap).collect().await;
        assert_eq!(answers, [false; WAITING_PER_THREAD + 1]);
        assert!(!hasher.verify(&password, None).await.unwrap(), "and then there is room again");
    }

    #[tokio::test]
    async fn work_that_was_given_up_still_counts_until_it_ends() {
        let hasher = hasher(1, 64);
        let (finish, wait) = channel::<()>();
        let given_up = hasher.run(move |_| Ok(wait.recv().is_ok())).now_or_never();
        assert!(given_up.is_none() && hasher.running.available_permits() == 0);
        finish.send(()).unwrap();
        assert!(!hasher.verify(&Secret::new("kahwa sada 3al nil"), None).await.unwrap());
        assert_eq!(
            (hasher.running.available_permits(), hasher.admitted.available_permits()),
            (1, 1 + WAITING_PER_THREAD)
        );
    }
}
