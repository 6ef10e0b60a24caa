//! Buses with one fault.

use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;

use crate::actor::Actor;
use crate::error::Result;
use crate::port::{DeadLetter, Delivered, EventBatch, EventBus, Group, Lag, Savepoint, Store, UnitOfWork};

/// What a bus gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BusFault {
    /// A batch that was committed comes once more.
    RepeatsDelivery,
    /// The first event of a batch is never shown.
    LosesEvents,
    /// A batch that was dropped counts as done.
    LosesPosition,
    /// Within a batch the order is turned around.
    ReversesOrder,
    /// What is buried is gone.
    LosesLetters,
    /// Rolling back to a savepoint does nothing.
    KeepsFailedEffects,
}

impl BusFault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::RepeatsDelivery,
        Self::LosesEvents,
        Self::LosesPosition,
        Self::ReversesOrder,
        Self::LosesLetters,
        Self::KeepsFailedEffects,
    ];
}

/// A bus with a fault.
pub struct MutantBus {
    inner: Arc<dyn EventBus>,
    store: Arc<dyn Store>,
    fault: BusFault,
    again: Arc<Mutex<Option<Vec<Delivered>>>>,
}

impl core::fmt::Debug for MutantBus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantBus").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantBus {
    /// Breaks a bus over the log of a store.
    pub fn new(inner: Arc<dyn EventBus>, store: Arc<dyn Store>, fault: BusFault) -> Self {
        Self { inner, store, fault, again: Arc::default() }
    }
}

#[async_trait]
impl EventBus for MutantBus {
    async fn next(&self, group: Group, owner: &str, max: usize) -> Result<Option<Box<dyn EventBatch>>> {
        let again = self.again.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(events) = again {
            let unit = self.store.begin(&Actor::System("mutant")).await?;
            return Ok(Some(Box::new(Repeated { events, unit })));
        }
        let Some(inner) = self.inner.next(group, owner, max).await? else { return Ok(None) };
        let mut events = inner.events().to_vec();
        match self.fault {
            BusFault::LosesEvents => drop(events.remove(0)),
            BusFault::ReversesOrder => events.reverse(),
            _ => {}
        }
        Ok(Some(Box::new(Batch { inner: Some(inner), events, fault: self.fault, again: Arc::clone(&self.again) })))
    }

    async fn release(&self, group: Group, owner: &str) -> Result<()> {
        self.inner.release(group, owner).await
    }
    async fn wait(&self, patience: Duration) {
        self.inner.wait(patience).await;
    }
    async fn lag(&self, group: Group) -> Result<Lag> {
        self.inner.lag(group).await
    }
    async fn dead_letters(&self, group: &str, after: Option<i64>, limit: u32) -> Result<Vec<DeadLetter>> {
        self.inner.dead_letters(group, after, limit).await
    }
    async fn replay(&self, group: &str, event: i64) -> Result<bool> {
        self.inner.replay(group, event).await
    }
    async fn drop_letter(&self, group: &str, event: i64) -> Result<bool> {
        self.inner.drop_letter(group, event).await
    }
}

struct Batch {
    /// There until it is committed.
    inner: Option<Box<dyn EventBatch>>,
    events: Vec<Delivered>,
    fault: BusFault,
    again: Arc<Mutex<Option<Vec<Delivered>>>>,
}

impl Batch {
    fn inner(&mut self) -> &mut dyn EventBatch {
        self.inner.as_mut().unwrap().as_mut()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let (BusFault::LosesPosition, Some(batch)) = (self.fault, self.inner.take()) {
            // The adapter in memory, which the tests break, never waits.
            let _ = batch.commit().now_or_never();
        }
    }
}

#[async_trait]
impl EventBatch for Batch {
    fn events(&self) -> &[Delivered] {
        &self.events
    }
    fn unit(&mut self) -> &mut dyn UnitOfWork {
        self.inner().unit()
    }
    async fn savepoint(&mut self) -> Result<Savepoint> {
        self.inner().savepoint().await
    }
    async fn rollback_to(&mut self, point: Savepoint) -> Result<()> {
        if self.fault == BusFault::KeepsFailedEffects { Ok(()) } else { self.inner().rollback_to(point).await }
    }
    async fn bury(&mut self, event: i64, attempts: u16, reason: &str, parked: bool) -> Result<()> {
        if self.fault == BusFault::LosesLetters {
            Ok(())
        } else {
            self.inner().bury(event, attempts, reason, parked).await
        }
    }
    async fn parked_keys(&mut self) -> Result<Vec<i64>> {
        self.inner().parked_keys().await
    }
    async fn commit(mut self: Box<Self>) -> Result<()> {
        let outcome = self.inner.take().unwrap().commit().await;
        if self.fault == BusFault::RepeatsDelivery && outcome.is_ok() {
            let events = core::mem::take(&mut self.events);
            *self.again.lock().unwrap_or_else(PoisonError::into_inner) = Some(events);
        }
        outcome
    }
}

/// Events that were done already, with a unit that knows nothing of positions.
struct Repeated {
    events: Vec<Delivered>,
    unit: Box<dyn UnitOfWork>,
}

#[async_trait]
impl EventBatch for Repeated {
    fn events(&self) -> &[Delivered] {
        &self.events
    }
    fn unit(&mut self) -> &mut dyn UnitOfWork {
        self.unit.as_mut()
    }
    async fn savepoint(&mut self) -> Result<Savepoint> {
        Ok(Savepoint(0))
    }
    async fn rollback_to(&mut self, _: Savepoint) -> Result<()> {
        Ok(())
    }
    async fn bury(&mut self, _: i64, _: u16, _: &str, _: bool) -> Result<()> {
        Ok(())
    }
    async fn parked_keys(&mut self) -> Result<Vec<i64>> {
        Ok(Vec::new())
    }
    async fn commit(self: Box<Self>) -> Result<()> {
        self.unit.commit().await
    }
}
