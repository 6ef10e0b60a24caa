//! Running a unit of work to its end: begin, do, commit, and again when the database asks for it.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

use futures_util::future::BoxFuture;

use super::{Ports, UnitOfWork};
use crate::actor::Actor;
use crate::error::{CommonRefusal, Error, ErrorKind, Result};
use crate::idempotency::{Claim, Keyed, MAX_RESULT};

/// How a keyed request came by its result.
enum Done<T> {
    /// Its unit waits for the commit.
    Now(T),
    /// It was done before.
    Before(T),
}

/// Does what a key was not used for yet, and remembers the result.
async fn under_key<'env, T, F>(work: &mut (dyn UnitOfWork + 'static), keyed: &Keyed, body: &mut F) -> Result<Done<T>>
where
    F: for<'u> FnMut(Unit<'u, 'env>) -> BoxFuture<'u, Result<T>> + Send,
    T: Remembered + Send,
{
    match work.journal().claim(keyed).await? {
        Claim::Fresh => {}
        Claim::InFlight => return Err(CommonRefusal::KeyInFlight.into()),
        Claim::Reused => return Err(CommonRefusal::KeyReused.into()),
        Claim::Replay(bytes) => {
            let value = T::from_bytes(&bytes).ok_or_else(|| Error::new(ErrorKind::Corrupt, "idempotency.replay"));
            return value.map(Done::Before);
        }
    }
    let value = body(Unit { work: &mut *work, env: PhantomData }).await?;
    let stored = value.to_bytes();
    if stored.len() > MAX_RESULT {
        return Err(Error::new(ErrorKind::Internal, "idempotency.result_too_large"));
    }
    work.journal().remember(keyed, &stored).await?;
    Ok(Done::Now(value))
}

/// How often a unit is tried before its error is passed on.
const ATTEMPTS: u32 = 8;

/// The open unit that a body works in; it derefs to [`UnitOfWork`]. `'env` is what the body borrows from outside.
pub struct Unit<'u, 'env: 'u> {
    work: &'u mut (dyn UnitOfWork + 'static),
    env: PhantomData<&'env ()>,
}

impl fmt::Debug for Unit<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unit")
    }
}

impl Deref for Unit<'_, '_> {
    type Target = dyn UnitOfWork;
    fn deref(&self) -> &Self::Target {
        self.work
    }
}

impl DerefMut for Unit<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.work
    }
}

/// A use case's result that an idempotency key can remember: small, made of ids and codes.
pub trait Remembered: Sized {
    /// The stored form, at most [`MAX_RESULT`] bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads the stored form.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Remembered for () {
    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(())
    }
}

impl Remembered for bool {
    fn to_bytes(&self) -> Vec<u8> {
        vec![u8::from(*self)]
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl Remembered for u32 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_be_bytes(bytes.try_into().ok()?))
    }
}

impl Remembered for crate::time::Timestamp {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_micros().to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_micros(i64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl<I: crate::id::Id> Remembered for I {
    fn to_bytes(&self) -> Vec<u8> {
        self.raw().to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(I::from_raw(i64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl<I: crate::id::Id> Remembered for Option<I> {
    fn to_bytes(&self) -> Vec<u8> {
        self.map(|id| id.to_bytes()).unwrap_or_default()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() { Some(None) } else { I::from_bytes(bytes).map(Some) }
    }
}

impl Ports {
    /// Runs a unit of work for an actor and commits it. When the database could not serialise it, or an id was taken,
    /// the body runs again, after a pause that doubles and is jittered; so a body must draw its ids itself.
    ///
    /// ```
    /// # use daira_core::{actor::Actor, port::Ports, Result};
    /// # async fn example(ports: &Ports, actor: &Actor, id: daira_core::id::PostId) -> Result<bool> {
    /// ports.transact(actor, |mut unit| Box::pin(async move {
    ///     Ok(unit.posts().post(id, daira_core::port::store::Lock::Share).await?.is_some())
    /// })).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever the body refuses with, or the store's fault.
    pub async fn transact<'env, T, F>(&self, actor: &Actor, mut body: F) -> Result<T>
    where
        F: for<'u> FnMut(Unit<'u, 'env>) -> BoxFuture<'u, Result<T>> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            match self.once(actor, &mut body).await {
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    self.clock.sleep(self.back_off(attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// The same under an idempotency key: a repeated request gets the stored result and has no second effect. Without a
    /// key it is [`transact`](Self::transact). A commit whose answer was lost is retried here, because the key makes that
    /// safe.
    ///
    /// # Errors
    /// [`CommonRefusal::KeyInFlight`] and [`CommonRefusal::KeyReused`] besides those of the body.
    pub async fn transact_once<'env, T, F>(&self, actor: &Actor, keyed: Option<&'env Keyed>, mut body: F) -> Result<T>
    where
        F: for<'u> FnMut(Unit<'u, 'env>) -> BoxFuture<'u, Result<T>> + Send,
        T: Remembered + Send,
    {
        let Some(keyed) = keyed else { return self.transact(actor, body).await };
        let mut attempt = 1;
        loop {
            match self.once_keyed(actor, keyed, &mut body).await {
                Err(error) if (error.is_retryable() || error.kind() == ErrorKind::Unknown) && attempt < ATTEMPTS => {
                    self.clock.sleep(self.back_off(attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn once<'env, T, F>(&self, actor: &Actor, body: &mut F) -> Result<T>
    where
        F: for<'u> FnMut(Unit<'u, 'env>) -> BoxFuture<'u, Result<T>> + Send,
        T: Send,
    {
        let mut work = self.store.begin(actor).await?;
        let value = body(Unit { work: work.as_mut(), env: PhantomData }).await?;
        work.commit().await?;
        Ok(value)
    }

    async fn once_keyed<'env, T, F>(&self, actor: &Actor, keyed: &Keyed, body: &mut F) -> Result<T>
    where
        F: for<'u> FnMut(Unit<'u, 'env>) -> BoxFuture<'u, Result<T>> + Send,
        T: Remembered + Send,
    {
        let mut work = self.store.begin(actor).await?;
        match under_key(work.as_mut(), keyed, body).await {
            Ok(Done::Now(value)) => {
                work.commit().await?;
                Ok(value)
            }
            // Nothing was done. The key is given back before the answer goes out, so that whoever asks again at once is not
            // told that this request is still running.
            Ok(Done::Before(value)) => {
                work.rollback().await?;
                Ok(value)
            }
            Err(error) => {
                // Where this fails too, the connection is gone, and the key with it.
                let _ = work.rollback().await;
                Err(error)
            }
        }
    }

    /// 5 ms doubled per attempt, half of it fixed and half random, so that rivals do not meet again.
    fn back_off(&self, attempt: u32) -> Duration {
        let full = 5_000 << attempt.min(8);
        let jitter = u64::from(u32::from_be_bytes(self.ids.bytes())) % (full / 2);
        Duration::from_micros(full / 2 + jitter)
    }
}
