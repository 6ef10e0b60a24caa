//! Jobs of records: sealing the audit trail, building exports, and watching the clock of breaches.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::account::AccountService;
use daira_core::error::Result;
use daira_core::record::{AuditService, BreachService, ExportService};

use crate::runner::Job;

/// How long one run builds exports; the next goes on.
const BUILDING: Duration = Duration::from_secs(10);
/// With less time left than this to report a breach, the log says so each time.
pub const NEAR: Duration = Duration::from_hours(24);

/// Seals the audit trail. The last seal is told to the log: kept elsewhere, it proves later that nothing was cut off.
#[derive(Debug, Clone, Copy)]
pub struct SealAudit;

#[async_trait]
impl Job for SealAudit {
    fn name(&self) -> &'static str {
        "seal-audit"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        if let Some(seal) = AuditService::new(ports.clone()).seal().await? {
            tracing::info!(%seal, "the audit trail is sealed");
        }
        Ok(())
    }
}

/// Builds exports, for a while.
#[derive(Debug, Clone, Copy)]
pub struct BuildExports;

#[async_trait]
impl Job for BuildExports {
    fn name(&self) -> &'static str {
        "build-exports"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(15)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let exports = ExportService::new(ports.clone(), AccountService::new(ports.clone()));
        let end = ports.clock.now() + BUILDING;
        while ports.clock.now() < end && exports.build_next(|| ports.clock.now() >= end).await? {}
        Ok(())
    }
}

/// Says when the time to report a breach is nearly over.
#[derive(Debug, Clone, Copy)]
pub struct WatchBreaches;

#[async_trait]
impl Job for WatchBreaches {
    fn name(&self) -> &'static str {
        "watch-breaches"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(15)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        match BreachService::new(ports.clone()).least_left().await? {
            Some(left) if left < NEAR => {
                let hours = left.as_secs() / 3600;
                tracing::error!(hours, "a breach has to be reported: see `daira-server admin breach list`");
            }
            _ => {}
        }
        Ok(())
    }
}
