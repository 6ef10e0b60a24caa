//! The platform's scheduled jobs; [`all`] is the visible list.

mod clean_up;
mod deliver;
mod reconcile;

pub use clean_up::{EraseAccounts, Expiry, LiftSuspensions, PartitionsAhead, PurgeLapsed, PurgePosts, SweepMedia};
pub use deliver::Deliver;
pub use reconcile::{ReconcileCounters, reconcile};

use crate::runner::Runner;

/// Adds all of them to a runner.
#[must_use]
pub fn all(runner: Runner) -> Runner {
    runner
        .job(PartitionsAhead)
        .job(Expiry)
        .job(PurgePosts)
        .job(PurgeLapsed)
        .job(SweepMedia)
        .job(Deliver)
        .job(LiftSuspensions)
        .job(EraseAccounts)
        .job(ReconcileCounters::default())
}
