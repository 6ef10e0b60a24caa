//! The platform's scheduled jobs; [`all`] is the visible list.

mod clean_up;
mod deliver;
mod reconcile;
mod records;
mod retention;

pub use clean_up::{Backfills, CloseApps, EraseAccounts, Expiry, LiftSuspensions, PartitionsAhead};
pub use deliver::Deliver;
pub use reconcile::{ReconcileCounters, reconcile};
pub use records::{BuildExports, NEAR, SealAudit, WatchBreaches};
pub use retention::Retention;

use crate::runner::Runner;

/// Adds all of them to a runner.
#[must_use]
pub fn all(runner: Runner) -> Runner {
    runner
        .job(PartitionsAhead)
        .job(Expiry)
        .job(Retention::default())
        .job(SealAudit)
        .job(BuildExports)
        .job(WatchBreaches)
        .job(Deliver)
        .job(LiftSuspensions)
        .job(Backfills)
        .job(CloseApps)
        .job(EraseAccounts)
        .job(ReconcileCounters::default())
}
