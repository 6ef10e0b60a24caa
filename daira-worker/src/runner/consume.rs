//! The life of one consumer: take a batch, apply it, commit; and what to do when that fails.

use core::time::Duration;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use daira_core::Ports;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{Delivered, EventBatch, Group};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{Consumer, RunnerMetrics, RunnerSettings, pause, sleep};

/// How often lag is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// One consumer with all that it runs on.
pub(super) struct Consuming {
    pub(super) consumer: Arc<dyn Consumer>,
    pub(super) ports: Ports,
    pub(super) settings: RunnerSettings,
    pub(super) metrics: RunnerMetrics,
    pub(super) owner: String,
}

impl Consuming {
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let group = self.consumer.group();
        let mut failures: u16 = 0;
        while !shutdown.is_cancelled() {
            match self.step(failures).await {
                Ok(true) => failures = 0,
                Ok(false) => {
                    failures = 0;
                    tokio::select! {
                        () = shutdown.cancelled() => break,
                        () = self.ports.bus.wait(self.settings.patience) => {}
                    }
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    self.metrics.failed(group.name);
                    tracing::warn!(group = group.name, failures, ?error, "a batch failed and will be tried again");
                    if !sleep(&self.ports, pause(&self.ports, &self.settings, failures), &shutdown).await {
                        break;
                    }
                }
            }
        }
        if let Err(error) = self.ports.bus.release(group, &self.owner).await {
            tracing::warn!(group = group.name, ?error, "lanes could not be given up; their leases will lapse");
        }
    }

    /// Processes one batch, without patience for failures; says whether there was one.
    pub(super) async fn once(&self) -> Result<bool> {
        self.step(self.settings.tries).await
    }

    async fn step(&self, failures: u16) -> Result<bool> {
        let group = self.consumer.group();
        while group.rebuilds && self.ports.bus.is_parked(group).await? {
            tracing::warn!(
                group = group.name,
                "the group fell behind the kept log: its effects are made anew from the rows"
            );
            self.ports.bus.skip(group).await?;
            self.consumer.rebuild(&self.ports).await?;
            self.ports.bus.unpark(group).await?;
        }
        let Some(mut batch) = self.ports.bus.next(group, &self.owner, self.settings.batch).await? else {
            return Ok(false);
        };
        let began = Instant::now();
        let events = self.park(batch.as_mut()).await?;
        let applied = if failures < self.settings.tries {
            self.apply(&events, batch.as_mut()).await?;
            events
        } else {
            self.one_by_one(events, batch.as_mut(), failures).await?
        };
        let count = batch.events().len();
        batch.commit().await?;
        if AssertUnwindSafe(self.consumer.committed(&applied, &self.ports)).catch_unwind().await.is_err() {
            tracing::error!(group = group.name, "a consumer panicked after its commit");
        }
        self.metrics.processed(group.name, count, began.elapsed());
        Ok(true)
    }

    /// Parks the events whose aggregate has a dead letter; answers the others.
    async fn park(&self, batch: &mut dyn EventBatch) -> Result<Vec<Delivered>> {
        let parked: HashSet<i64> = batch.parked_keys().await?.into_iter().collect();
        let (waiting, live): (Vec<_>, Vec<_>) =
            batch.events().to_vec().into_iter().partition(|e| parked.contains(&e.envelope.key));
        for event in waiting {
            batch.bury(event.envelope.id, event.attempts, "waits behind a dead letter of its aggregate", true).await?;
        }
        Ok(live)
    }

    async fn apply(&self, events: &[Delivered], batch: &mut dyn EventBatch) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let applied = AssertUnwindSafe(self.consumer.apply(events, batch.unit())).catch_unwind().await;
        applied.unwrap_or_else(|panic| {
            let told = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Error::new(ErrorKind::Internal, "consumer.panicked").with_source(told.unwrap_or_default()))
        })
    }

    /// Applies each event alone, so that a bad one harms only those behind it; answers those that were applied.
    async fn one_by_one(
        &self,
        events: Vec<Delivered>,
        batch: &mut dyn EventBatch,
        failures: u16,
    ) -> Result<Vec<Delivered>> {
        let mut applied = Vec::with_capacity(events.len());
        let mut dead: HashSet<i64> = HashSet::new();
        for event in events {
            let (id, key) = (event.envelope.id, event.envelope.key);
            if dead.contains(&key) {
                batch.bury(id, event.attempts, "waits behind a dead letter of its aggregate", true).await?;
                continue;
            }
            let point = batch.savepoint().await?;
            let attempts = event.attempts.saturating_add(failures).saturating_add(1);
            match self.apply(core::slice::from_ref(&event), batch).await {
                Ok(()) => applied.push(event),
                Err(error) if is_away(&error) => return Err(error),
                Err(error) => {
                    batch.rollback_to(point).await?;
                    tracing::error!(
                        group = self.consumer.group().name,
                        event = id,
                        ?error,
                        "an event goes to the dead letters"
                    );
                    batch.bury(id, attempts, &reason(&error), false).await?;
                    self.metrics.buried(self.consumer.group().name);
                    dead.insert(key);
                }
            }
        }
        Ok(applied)
    }
}

/// Failures that say nothing of the event: whatever is away comes back.
fn is_away(error: &Error) -> bool {
    error.is_retryable() || matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unknown)
}

/// An error with its causes, for the operator; at most 500 characters.
fn reason(error: &Error) -> String {
    let mut told = error.to_string();
    let mut cause = core::error::Error::source(error);
    while let Some(next) = cause {
        told.push_str(": ");
        told.push_str(&next.to_string());
        cause = next.source();
    }
    told.chars().take(500).collect()
}

/// Measures how far groups are behind, until it is time to stop.
pub(super) async fn measure(ports: Ports, metrics: RunnerMetrics, groups: Vec<Group>, shutdown: CancellationToken) {
    while sleep(&ports, MEASURE_EVERY, &shutdown).await {
        for group in &groups {
            match ports.bus.lag(*group).await {
                Ok(lag) => metrics.lag(group.name, lag),
                Err(error) => tracing::warn!(group = group.name, ?error, "lag could not be measured"),
            }
        }
    }
}
