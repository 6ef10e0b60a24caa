//! Asking the truth once instead of often: what is kept in the process first, then what nodes share, then the truth itself, once for all
//! who ask at that moment.
//!
//! In: a key, and how to ask the truth. Out: its answer, at most as old as its life. Nothing is found out
//! for one actor and told to another here: what is kept is the same for everybody, and whoever uses it asks the policies
//! afterwards.
//!
//! - **One flight.** Of all who miss at once in this process one asks; the others wait for the same answer, and share its failure,
//!   which is not kept. Whoever asks may go away: the others go on.
//! - **Early refresh.** An answer is asked for anew shortly before its life is over, by one who is drawn, so that not everybody misses
//!   when it ends: when *now* − Δ·ln *u* ≥ *end*, for *u* evenly from (0, 1] and Δ how long the truth took last time (`XFetch`
//!   with β = 1: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
//! - **Nothing there** is kept, too, for a shorter life.
//! - **Changes.** Who changed something calls [`forget`](ReadThrough::forget) after the commit. The stamps of [`Cache`] are taken
//!   before the truth is asked, near and far, so that an answer from before the change is not kept after it; those who come
//!   after it do not join a flight from before it.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::error::{Error, ErrorKind, Result};
use crate::memory::MemoryCache;
use crate::port::{Cache, CacheKey, Cached, Clock, Heard, IdSource, MAX_SIGNAL, PubSub, Stamp, Topic, hint};
use crate::time::Timestamp;

/// How long somebody who listens is silent before they listen again.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lives {
    /// What was found.
    pub found: Duration,
    /// That there is nothing.
    pub missing: Duration,
}

impl Lives {
    fn of(self, value: Option<&Bytes>) -> Duration {
        if value.is_some() { self.found } else { self.missing }
    }
}

/// Keeps answers of the truth. Cloning is cheap: clones are one.
#[derive(Clone)]
pub struct ReadThrough(Arc<Inner>);

struct Inner {
    /// In this process; only while somebody attends, for nobody else would hear of changes.
    near: MemoryCache,
    is_attended: AtomicBool,
    /// Shared by nodes.
    far: Arc<dyn Cache>,
    flights: Mutex<HashMap<CacheKey, (u64, WeakShared<Flight>)>>,
    flown: AtomicU64,
    pubsub: Arc<dyn PubSub>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

type Flight = BoxFuture<'static, Result<Kept, Arc<Error>>>;

/// An answer, and what decides when it is asked for anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    until: Timestamp,
    /// How long the truth took, in microseconds.
    took: u32,
    value: Option<Bytes>,
}

/// A flight that is over when this is dropped, whoever drops it.
struct Landing {
    of: ReadThrough,
    key: CacheKey,
    number: u64,
}

/// Attended until dropped.
struct Attended<'a>(&'a Inner);

impl core::fmt::Debug for ReadThrough {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReadThrough").field("attended", &self.0.is_attended).finish_non_exhaustive()
    }
}

impl ReadThrough {
    /// Over what nodes share, with so many MiB in this process. Until somebody [attends](Self::attend), nothing is kept there.
    pub fn new(
        far: Arc<dyn Cache>,
        pubsub: Arc<dyn PubSub>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        near_mib: u32,
    ) -> Self {
        Self(Arc::new(Inner {
            near: MemoryCache::new(Arc::clone(&clock), u64::from(near_mib) << 20),
            is_attended: AtomicBool::new(false),
            far,
            flights: Mutex::default(),
            flown: AtomicU64::new(0),
            pubsub,
            clock,
            ids,
        }))
    }

    /// What is kept in this process, unless it is to be looked up anew; nothing waits. The inner `None` says that there is nothing.
    pub fn near(&self, key: &CacheKey) -> Option<Option<Bytes>> {
        let kept = self.look(key).1?;
        (kept.until > self.0.clock.now() && !self.is_early(&kept)).then_some(kept.value)
    }

    /// The answer of the truth, or one that is kept. `load` asks the truth; it sees every commit that was acknowledged before.
    ///
    /// # Errors
    /// Those of `load`, for all who waited for it.
    pub async fn get<F>(&self, key: &CacheKey, lives: Lives, load: F) -> Result<Option<Bytes>>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send + 'static,
    {
        let (stamp, kept) = self.look(key);
        let kept = kept.filter(|kept| kept.until > self.0.clock.now());
        if let Some(kept) = &kept
            && !self.is_early(kept)
        {
            return Ok(kept.value.clone());
        }
        let flight = match self.join(key) {
            Some(_) if kept.is_some() => return Ok(kept.and_then(|kept| kept.value)),
            Some(flight) => flight,
            None => self.depart(key, stamp, kept.as_ref().map(|kept| kept.until), lives, load),
        };
        match (flight.await, kept) {
            (Ok(answer), _) => Ok(answer.value),
            // It was too early to need it.
            (Err(_), Some(kept)) => Ok(kept.value),
            (Err(error), None) => Err(Error::new(error.kind(), error.operation()).with_source(error)),
        }
    }

    /// Makes everybody ask the truth anew, on all nodes: to be called after the commit that changed it, and before its caller is
    /// told. Whoever cannot be reached keeps what they have until its life is over.
    pub async fn forget(&self, keys: &[CacheKey]) {
        if keys.is_empty() {
            return;
        }
        self.0.far.forget(keys).await;
        // After the far one, of which something might come back meanwhile.
        self.drop_near(keys);
        let mut lines = vec![BytesMut::new()];
        for key in keys {
            if lines.last().is_some_and(|line| line.len() + key.name().len() >= MAX_SIGNAL) {
                lines.push(BytesMut::new());
            }
            if let Some(line) = lines.last_mut() {
                if !line.is_empty() {
                    line.put_u8(b'\n');
                }
                line.put_slice(key.name().as_bytes());
            }
        }
        let messages: Vec<_> = lines.into_iter().map(|line| (Topic::Cache, line.freeze())).collect();
        if let Err(error) = hint(&*self.0.pubsub, &messages).await {
            tracing::warn!(?error, "other nodes were not told what to forget, and keep it until its time is over");
        }
    }

    /// Hears what other nodes changed, until dropped, and keeps answers in this process meanwhile. What may not have been heard empties
    /// it.
    pub async fn attend(&self) {
        let mut told = self.0.pubsub.subscribe(Topic::Cache).await;
        // What was kept just when an earlier attendance ended.
        self.clear_near();
        self.0.is_attended.store(true, Ordering::Release);
        let _attended = Attended(&self.0);
        loop {
            match told.next(PATIENCE).await {
                Heard::Message(names) => match core::str::from_utf8(&names) {
                    Ok(names) => self.drop_near(&names.lines().map(CacheKey::named).collect::<Vec<_>>()),
                    Err(_) => self.clear_near(),
                },
                Heard::Gap => self.clear_near(),
                Heard::Silence => {}
            }
        }
    }

    /// What is near, and the stamp to keep something there with.
    fn look(&self, key: &CacheKey) -> (Option<Stamp>, Option<Kept>) {
        if !self.0.is_attended.load(Ordering::Acquire) {
            return (None, None);
        }
        let Cached { stamp, value } = self.0.near.look(key);
        (stamp, value.and_then(Kept::read))
    }

    fn is_early(&self, kept: &Kept) -> bool {
        // From (0, 1], in steps that a double holds exactly.
        let drawn = u64::from_be_bytes(self.0.ids.bytes()) >> 11;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let u = (drawn + 1) as f64 / (1_u64 << 53) as f64;
        #[expect(clippy::cast_possible_truncation, reason = "at most 37 times what a u32 holds")]
        let ahead = (f64::from(kept.took) * -u.ln()) as i64;
        self.0.clock.now().as_micros().saturating_add(ahead) >= kept.until.as_micros()
    }

    /// The flight that is on its way for a key.
    fn join(&self, key: &CacheKey) -> Option<Shared<Flight>> {
        self.flights().get(key).and_then(|(_, flight)| flight.upgrade())
    }

    fn depart<F>(
        &self,
        key: &CacheKey,
        near: Option<Stamp>,
        ends: Option<Timestamp>,
        lives: Lives,
        load: F,
    ) -> Shared<Flight>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send + 'static,
    {
        let number = self.0.flown.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { of: self.clone(), key: key.clone(), number };
        let flight = async move {
            let Landing { of, key, .. } = &landing;
            // Whoever waits for a look-up that panics is told, and does not wait for ever.
            let fetched = AssertUnwindSafe(of.fetch(key, near, ends, lives, load)).catch_unwind().await;
            fetched.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "cache.panicked"))).map_err(Arc::new)
        };
        let flight = flight.boxed().shared();
        if let Some(flight) = flight.downgrade() {
            let mut flights = self.flights();
            // Somebody may have departed since we looked.
            if let Some(first) = flights.get(key).and_then(|(_, flight)| flight.upgrade()) {
                return first;
            }
            flights.insert(key.clone(), (number, flight));
        }
        flight
    }

    /// What nodes share, else the truth. `ends` is when what is near ends, which shall not be found again.
    async fn fetch<F>(
        &self,
        key: &CacheKey,
        near: Option<Stamp>,
        ends: Option<Timestamp>,
        lives: Lives,
        load: F,
    ) -> Result<Kept>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send,
    {
        let clock = &self.0.clock;
        let Cached { stamp, value } = self.0.far.get(core::slice::from_ref(key)).await.pop().unwrap_or_default();
        if let Some(mut kept) = value.and_then(Kept::read)
            && Some(kept.until) > ends
            && !self.is_early(&kept)
        {
            // A node whose clock is ahead gives nothing a longer life here.
            kept.until = kept.until.min(clock.now() + lives.of(kept.value.as_ref()));
            self.keep_near(key, near, &kept);
            return Ok(kept);
        }
        let began = clock.now();
        let value = load.await?;
        let now = clock.now();
        let took = u32::try_from(now.as_micros().saturating_sub(began.as_micros()).max(0)).unwrap_or(u32::MAX);
        let life = lives.of(value.as_ref());
        let kept = Kept { until: now + life, took, value };
        if let Some(stamp) = stamp
            && let Err(error) = self.0.far.put(key, stamp, kept.write(), life).await
        {
            tracing::error!(?error, "an answer is too large to be kept");
        }
        self.keep_near(key, near, &kept);
        Ok(kept)
    }

    fn keep_near(&self, key: &CacheKey, near: Option<Stamp>, kept: &Kept) {
        let left = kept.until.as_micros().saturating_sub(self.0.clock.now().as_micros());
        if let (Some(stamp), Ok(left)) = (near, u64::try_from(left)) {
            // What is too large was told when it was put where nodes share it, and is not kept here either.
            drop(self.0.near.keep(key, stamp, kept.write(), Duration::from_micros(left)));
        }
    }

    fn drop_near(&self, keys: &[CacheKey]) {
        self.0.near.drop_all(keys);
        let mut flights = self.flights();
        for key in keys {
            flights.remove(key);
        }
    }

    fn clear_near(&self) {
        self.0.near.clear();
        self.flights().clear();
    }

    /// Whoever panicked while holding it left at worst a flight that nobody joins.
    fn flights(&self) -> MutexGuard<'_, HashMap<CacheKey, (u64, WeakShared<Flight>)>> {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.of.flights();
        // Another one may be on its way already.
        if flights.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            flights.remove(&self.key);
        }
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.0.is_attended.store(false, Ordering::Release);
        self.0.near.clear();
    }
}

impl Kept {
    fn write(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(13 + self.value.as_ref().map_or(0, Bytes::len));
        bytes.put_i64(self.until.as_micros());
        bytes.put_u32(self.took);
        bytes.put_u8(self.value.is_some().into());
        bytes.extend_from_slice(self.value.as_deref().unwrap_or_default());
        bytes.freeze()
    }

    /// What is no answer is as good as nothing.
    fn read(mut bytes: Bytes) -> Option<Self> {
        if bytes.len() < 13 {
            return None;
        }
        let (until, took) = (Timestamp::from_micros(bytes.get_i64()), bytes.get_u32());
        let value = (bytes.get_u8() == 1).then_some(bytes);
        Some(Self { until, took, value })
    }
}

#[cfg(test)]
mod tests;
