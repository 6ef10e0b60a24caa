//! Jobs that clean up: partitions ahead of time, whole days that are past theirs, accounts whose owners left, suspensions that are
//! over, apps that were deleted, and rows that are older than their columns.

use core::time::Duration;
use std::time::Instant;

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::account::AccountService;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::oauth::close_dead_apps;
use daira_core::port::BackfillState;
use daira_core::staff::StaffService;

use crate::runner::Job;

/// How many days ahead partitions are made.
const DAYS_AHEAD: u16 = 7;
/// How many rows a back-fill goes over at once.
const PORTION: u32 = 1_000;
/// How long one run fills in; the next goes on.
const FILLING: Duration = Duration::from_secs(10);
/// How many suspensions are lifted at once.
const CHUNK: u32 = 200;

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

/// Fills in what changes of the schema ask of rows that were there before.
#[derive(Debug, Clone, Copy)]
pub struct Backfills;

#[async_trait]
impl Job for Backfills {
    fn name(&self) -> &'static str {
        "backfills"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(15)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let end = Instant::now() + FILLING;
        while Instant::now() < end {
            let begun = Instant::now();
            let Some(moved) = ports.maintenance.fill(PORTION).await? else { return Ok(()) };
            if moved.state == BackfillState::Done {
                tracing::info!(name = moved.name, rows = moved.rows, "a back-fill is done");
            }
            // Half of the time belongs to everybody else.
            tokio::time::sleep(begun.elapsed()).await;
        }
        Ok(())
    }
}

/// Shuts apps that were deleted out of every profile that let them in.
#[derive(Debug, Clone, Copy)]
pub struct CloseApps;

#[async_trait]
impl Job for CloseApps {
    fn name(&self) -> &'static str {
        "close-apps"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        close_dead_apps(&AccountService::new(ports.clone()), None).await.map(drop)
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
        AccountService::new(ports.clone()).erase_due().await.map(drop)
    }
}
