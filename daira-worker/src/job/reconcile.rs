//! Proves counters against the rows that they count, and corrects those that are off.
//!
//! Each step sees one snapshot: the rows, the counters, and the events in that snapshot that the counting consumer has not
//! applied. Expected is rows − pending. A correction that meets a concurrent change is not made: the step runs again.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::port::store::{CounterField, Recount};
use daira_core::{Actor, Ports};

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

/// Proves and corrects counters.
#[derive(Debug, Clone, Copy)]
pub struct ReconcileCounters;

#[async_trait]
impl Job for ReconcileCounters {
    fn name(&self) -> &'static str {
        "reconcile-counters"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(6)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        reconcile(ports).await.map(drop)
    }
}

/// Goes through all counters once; answers how many were off.
///
/// # Errors
/// The store's; what was corrected before stays corrected.
pub async fn reconcile(ports: &Ports) -> Result<usize> {
    let mut corrected = 0;
    for field in FIELDS {
        let mut from = None;
        loop {
            let found = step(ports, field, from).await?;
            corrected += found.drift.len();
            from = found.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(corrected)
}

async fn step(ports: &Ports, field: CounterField, from: Option<i64>) -> Result<Recount> {
    let mut tries = 1;
    loop {
        match attempt(ports, field, from).await {
            Err(error) if error.is_retryable() && tries < TRIES => {
                ports.clock.sleep(Duration::from_millis(50) * tries).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn attempt(ports: &Ports, field: CounterField, from: Option<i64>) -> Result<Recount> {
    let actor = Actor::System("reconcile-counters");
    let (mut unit, pending) = ports.maintenance.snapshot(&actor, Counters::GROUP, MOST_PENDING).await?;
    let pending: Vec<_> = deltas(&pending).into_iter().filter(|d| d.field == field).collect();
    let found = unit.counters().recount(field, from, CHUNK, &pending).await?;
    unit.commit().await?;
    if !found.drift.is_empty() {
        tracing::warn!(?field, counters = found.drift.len(), "counters were off and have been corrected");
    }
    Ok(found)
}
