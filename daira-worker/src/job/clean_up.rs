//! Jobs that make room: partitions ahead of time, whole days that are past theirs, posts whose time to be restored is
//! over, registrations that lapsed, pictures that hang on nothing, accounts whose owners left; and suspensions that are over.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::account::AccountService;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::staff::StaffService;
use daira_core::{Actor, Ports};

use crate::runner::Job;

/// How many days ahead partitions are made.
const DAYS_AHEAD: u16 = 7;
/// How many rows one unit removes.
const CHUNK: u32 = 200;
/// How long a code of an app stays, so that a copy of it is noticed.
const NOTICED: Duration = Duration::from_hours(24);
/// How long an upload may hang on nothing.
const UNUSED: Duration = Duration::from_hours(24);

/// Makes partitions ahead of time.
#[derive(Debug, Clone, Copy)]
pub struct PartitionsAhead;

#[async_trait]
impl Job for PartitionsAhead {
    fn name(&self) -> &'static str {
        "partitions-ahead"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let ahead = ports.maintenance.ensure_partitions(ports.clock.now(), DAYS_AHEAD).await?;
        if ahead < DAYS_AHEAD {
            return Err(
                Error::new(ErrorKind::Internal, "job.partitions_ahead").with_source(format!("only {ahead} days ahead"))
            );
        }
        Ok(())
    }
}

/// Drops whole days that are past their time.
#[derive(Debug, Clone, Copy)]
pub struct Expiry;

#[async_trait]
impl Job for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let dropped = ports.maintenance.expire(ports.clock.now()).await?;
        tracing::info!(dropped, "partitions dropped");
        Ok(())
    }
}

/// Removes deleted posts for good once they can no longer be restored.
#[derive(Debug, Clone, Copy)]
pub struct PurgePosts;

#[async_trait]
impl Job for PurgePosts {
    fn name(&self) -> &'static str {
        "purge-posts"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let before = ports.clock.now() - ports.settings.restore_window;
        loop {
            let purged = ports
                .transact(&Actor::System("purge-posts"), |mut unit| {
                    Box::pin(async move { unit.posts().purge(before, CHUNK).await })
                })
                .await?;
            if purged.len() < CHUNK as usize {
                return Ok(());
            }
        }
    }
}

/// Removes registrations, mailings, ceremonies and codes of apps that lapsed.
#[derive(Debug, Clone, Copy)]
pub struct PurgeLapsed;

#[async_trait]
impl Job for PurgeLapsed {
    fn name(&self) -> &'static str {
        "purge-lapsed"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(10)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let now = ports.clock.now();
        loop {
            let purged = ports
                .transact(&Actor::System("purge-lapsed"), |mut unit| {
                    Box::pin(async move {
                        let registrations = unit.accounts().purge_registrations(now, CHUNK).await?;
                        let mailings = unit.accounts().purge_mailings(now, CHUNK).await?;
                        let ceremonies = unit.factors().purge_ceremonies(now, CHUNK).await?;
                        let codes = unit.apps().purge_codes(now - NOTICED, CHUNK).await?;
                        Ok(registrations.max(mailings).max(ceremonies).max(codes))
                    })
                })
                .await?;
            if purged < u64::from(CHUNK) {
                return Ok(());
            }
        }
    }
}

/// Lets others see again whose suspension is over. Its owner gets in without it, to the second.
#[derive(Debug, Clone, Copy)]
pub struct LiftSuspensions;

#[async_trait]
impl Job for LiftSuspensions {
    fn name(&self) -> &'static str {
        "lift-suspensions"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let staff = StaffService::new(ports.clone(), AccountService::new(ports.clone()));
        while staff.lift_what_is_over(CHUNK).await? == CHUNK as usize {}
        Ok(())
    }
}

/// Erases accounts whose owners asked for it, once they can no longer stay.
#[derive(Debug, Clone, Copy)]
pub struct EraseAccounts;

#[async_trait]
impl Job for EraseAccounts {
    fn name(&self) -> &'static str {
        "erase-accounts"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(10)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let accounts = AccountService::new(ports.clone());
        while accounts.erase_due(CHUNK).await? > 0 {}
        Ok(())
    }
}

/// Removes pictures that hang on nothing, the blobs while their rows are locked: nobody can take such a picture meanwhile,
/// and whatever is killed when, a blob without a row is never left behind.
#[derive(Debug, Clone, Copy)]
pub struct SweepMedia;

#[async_trait]
impl Job for SweepMedia {
    fn name(&self) -> &'static str {
        "sweep-media"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let before = ports.clock.now() - UNUSED;
        loop {
            let swept = ports
                .transact(&Actor::System("sweep-media"), |mut unit| {
                    Box::pin(async move {
                        let swept = unit.media().sweep(before, CHUNK).await?;
                        for variant in swept.iter().flat_map(|media| &media.variants) {
                            ports.blobs.delete(&variant.key).await?;
                        }
                        Ok(swept.len())
                    })
                })
                .await?;
            if swept < CHUNK as usize {
                return Ok(());
            }
        }
    }
}
