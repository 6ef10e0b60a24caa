//! Upkeep with one fault.

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;

use crate::actor::Actor;
use crate::error::Result;
use crate::id::{Id, PostId};
use crate::port::{Backfill, Delivered, Group, JobOutcome, Maintenance, UnitOfWork};
use crate::time::Timestamp;

/// What the upkeep gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MaintenanceFault {
    /// Says that partitions are there, one day fewer than asked for.
    MakesTooFew,
    /// A snapshot forgets the events whose effects are still to come.
    ForgetsOutstanding,
    /// A portion of pushed posts begins with the last of the one before.
    RepeatsPosts,
    /// Whoever asks for a job gets it.
    GivesToAll,
    /// Whoever lost a run believes to have it.
    KeepsForAll,
    /// Anybody can end a run.
    EndsForAll,
}

impl MaintenanceFault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::MakesTooFew,
        Self::ForgetsOutstanding,
        Self::RepeatsPosts,
        Self::GivesToAll,
        Self::KeepsForAll,
        Self::EndsForAll,
    ];
}

/// Upkeep with a fault.
pub struct MutantMaintenance {
    inner: Arc<dyn Maintenance>,
    fault: MaintenanceFault,
}

impl core::fmt::Debug for MutantMaintenance {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantMaintenance").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantMaintenance {
    /// Breaks the upkeep.
    pub fn new(inner: Arc<dyn Maintenance>, fault: MaintenanceFault) -> Self {
        Self { inner, fault }
    }
}

#[async_trait]
impl Maintenance for MutantMaintenance {
    async fn ensure_partitions(&self, now: Timestamp, days: u16) -> Result<u16> {
        let made = self.inner.ensure_partitions(now, days).await?;
        Ok(if self.fault == MaintenanceFault::MakesTooFew { made.min(days.saturating_sub(1)) } else { made })
    }

    async fn expire(&self, now: Timestamp) -> Result<u32> {
        self.inner.expire(now).await
    }

    async fn snapshot(&self, actor: &Actor, group: Group, most: u32) -> Result<(Box<dyn UnitOfWork>, Vec<Delivered>)> {
        let (unit, outstanding) = self.inner.snapshot(actor, group, most).await?;
        Ok((unit, if self.fault == MaintenanceFault::ForgetsOutstanding { Vec::new() } else { outstanding }))
    }

    async fn pushed_posts(&self, after: PostId, limit: u32) -> Result<Vec<PostId>> {
        let again = i64::from(self.fault == MaintenanceFault::RepeatsPosts);
        self.inner.pushed_posts(PostId::from_raw(after.raw() - again), limit).await
    }

    async fn backfills(&self) -> Result<Vec<Backfill>> {
        self.inner.backfills().await
    }

    async fn fill(&self, rows: u32) -> Result<Option<Backfill>> {
        self.inner.fill(rows).await
    }

    async fn pause_backfill(&self, name: &str, paused: bool) -> Result<bool> {
        self.inner.pause_backfill(name, paused).await
    }

    async fn begin_job(&self, name: &str, owner: &str, every: Duration, lease: Duration) -> Result<bool> {
        let begun = self.inner.begin_job(name, owner, every, lease).await?;
        Ok(begun || self.fault == MaintenanceFault::GivesToAll)
    }

    async fn keep_job(&self, name: &str, owner: &str, lease: Duration) -> Result<bool> {
        let kept = self.inner.keep_job(name, owner, lease).await?;
        Ok(kept || self.fault == MaintenanceFault::KeepsForAll)
    }

    async fn end_job(&self, name: &str, owner: &str, outcome: JobOutcome) -> Result<()> {
        if self.fault == MaintenanceFault::EndsForAll {
            for other in ["a", "b"] {
                self.inner.end_job(name, other, outcome).await?;
            }
        }
        self.inner.end_job(name, owner, outcome).await
    }
}
