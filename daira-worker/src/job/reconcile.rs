//! Proves counters against the rows that they count, and corrects those that are off.
//!
//! Each step sees one snapshot: the rows, the counters, and the events in that snapshot that the counting consumer has not
//! applied. Expected is rows − pending. A correction that meets a concurrent change is not made: the step runs again.
//!
//! Drift is a bug somewhere: it is corrected, told and measured, and never hidden by a bound.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::port::store::{CounterField, Recount};
use daira_core::{Actor, Ports};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::consume::{Counters, deltas};
use crate::runner::Job;

/// Counters whose rows can be counted.
const FIELDS: [CounterField; 7] = [
    CounterField::ProfilePosts,
    CounterField::ProfileFollowers,
    CounterField::ProfileFollowing,
    CounterField::PostReactions,
    CounterField::PostComments,
    CounterField::CommentReactions,
    CounterField::CommentReplies,
];
/// Subjects compared in one step.
const CHUNK: u32 = 1_000;
/// With more events pending than this there is no use in comparing.
const MOST_PENDING: u32 = 20_000;
/// How often one step is tried.
const TRIES: u32 = 5;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    field: String,
}

/// Proves and corrects counters.
#[derive(Debug, Clone, Default)]
pub struct ReconcileCounters {
    drift: Family<Of, Counter>,
}

#[async_trait]
impl Job for ReconcileCounters {
    fn name(&self) -> &'static str {
        "reconcile-counters"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(6)
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("daira_counter_drift", "Counters that were off and have been corrected", self.drift.clone());
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        self.reconcile(ports).await.map(drop)
    }
}

impl ReconcileCounters {
    async fn reconcile(&self, ports: &Ports) -> Result<usize> {
        for field in FIELDS.into_iter().chain([CounterField::PostImpressions]) {
            forget(ports, field).await?;
        }
        let mut corrected = 0;
        for field in FIELDS {
            let mut from = None;
            loop {
                let found = self.step(ports, field, from).await?;
                corrected += found.drift.len();
                from = found.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(corrected)
    }

    async fn step(&self, ports: &Ports, field: CounterField, from: Option<i64>) -> Result<Recount> {
        let mut tries = 1;
        loop {
            match self.attempt(ports, field, from).await {
                Err(error) if error.is_retryable() && tries < TRIES => {
                    ports.clock.sleep(Duration::from_millis(50) * tries).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt(&self, ports: &Ports, field: CounterField, from: Option<i64>) -> Result<Recount> {
        let actor = Actor::System("reconcile-counters");
        let (mut unit, pending) = ports.maintenance.snapshot(&actor, Counters::GROUP, MOST_PENDING).await?;
        let pending: Vec<_> = deltas(&pending).into_iter().filter(|d| d.field == field).collect();
        let found = unit.counters().recount(field, from, CHUNK, &pending).await?;
        unit.commit().await?;
        if !found.drift.is_empty() {
            tracing::warn!(?field, counters = found.drift.len(), "counters were off and have been corrected");
            self.drift.get_or_create(&Of { field: format!("{field:?}") }).inc_by(found.drift.len() as u64);
        }
        Ok(found)
    }
}

/// Drops counters of what is gone: events that were applied after it went made them once more.
async fn forget(ports: &Ports, field: CounterField) -> Result<()> {
    let mut from = None;
    loop {
        let step = ports.transact(&Actor::System("reconcile-counters"), |mut unit| {
            Box::pin(async move { unit.counters().forget(field, from, CHUNK).await })
        });
        from = step.await?;
        if from.is_none() {
            return Ok(());
        }
    }
}

/// Goes through all counters once; answers how many were off and have been corrected.
///
/// # Errors
/// The store's; what was corrected before stays corrected.
pub async fn reconcile(ports: &Ports) -> Result<usize> {
    ReconcileCounters::default().reconcile(ports).await
}
