//! The runner: consumers read the event log, jobs run by schedule, both until they are told to stop.
//!
//! * A **consumer** gets batches with an open unit of work. Its effects and the group's position commit together, so an
//!   effect happens once whatever is killed when.
//! * When a batch fails it is rolled back and tried again after a pause that doubles. When the pauses are used up it is
//!   replayed event by event: what fails alone goes to the dead letters, later events of its aggregate park behind it, all
//!   others go on. What is merely away (a database that restarts) is waited for, however long.
//! * A **job** runs once over all processes: its lease is taken in the store.
//! * A panic counts as a failure; the process lives.
//! * At shutdown running batches and jobs are finished, lanes are given up at once, and the runner returns.

mod consume;
mod metrics;
mod schedule;

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::error::Result;
use daira_core::port::{Delivered, Group, UnitOfWork};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use metrics::RunnerMetrics;

/// Reads one group's events and writes their effects.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Its group.
    fn group(&self) -> Group;

    /// Writes the effects of some events into the unit that their position commits with. It may be called again with the
    /// same events: nothing of the earlier call was kept then.
    async fn apply(&self, events: &[Delivered], unit: &mut dyn UnitOfWork) -> Result<()>;

    /// Called when the effects of these events are committed, with hints to whoever waits for them. It may be left out when
    /// the process dies, so nothing that matters is done here.
    async fn committed(&self, _events: &[Delivered], _ports: &Ports) {}

    /// Makes all effects anew from the rows, for a group that rebuilds and fell behind the kept log.
    async fn rebuild(&self, _ports: &Ports) -> Result<()> {
        Ok(())
    }
}

/// Work that is done by schedule, once over all processes.
#[async_trait]
pub trait Job: Send + Sync {
    /// Its stable name.
    fn name(&self) -> &'static str;
    /// How far apart runs begin.
    fn every(&self) -> Duration;
    /// Makes what it measures known to a registry.
    fn register(&self, _registry: &mut prometheus_client::registry::Registry) {}
    /// Does it.
    async fn run(&self, ports: &Ports) -> Result<()>;
}

/// How patient the runner is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunnerSettings {
    /// The most events in a batch.
    pub batch: usize,
    /// How long an idle consumer waits before it looks again unasked.
    pub patience: Duration,
    /// How often a batch is tried as a whole before it is replayed event by event.
    pub tries: u16,
    /// The first pause after a failure; doubled at each further one.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long running work may take to finish at shutdown.
    pub drain: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            batch: 500,
            patience: Duration::from_millis(250),
            tries: 4,
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

/// Runs consumers and jobs. See the [module](self).
pub struct Runner {
    ports: Ports,
    settings: RunnerSettings,
    metrics: RunnerMetrics,
    consumers: Vec<Arc<dyn Consumer>>,
    jobs: Vec<Arc<dyn Job>>,
}

impl core::fmt::Debug for Runner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let groups: Vec<_> = self.consumers.iter().map(|c| c.group().name).collect();
        let jobs: Vec<_> = self.jobs.iter().map(|j| j.name()).collect();
        f.debug_struct("Runner").field("groups", &groups).field("jobs", &jobs).finish_non_exhaustive()
    }
}

impl Runner {
    /// With nothing to do yet.
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            settings: RunnerSettings::default(),
            metrics: RunnerMetrics::default(),
            consumers: Vec::new(),
            jobs: Vec::new(),
        }
    }

    /// Adds a consumer.
    #[must_use]
    pub fn consumer(mut self, consumer: impl Consumer + 'static) -> Self {
        self.consumers.push(Arc::new(consumer));
        self
    }

    /// Adds a job.
    #[must_use]
    pub fn job(mut self, job: impl Job + 'static) -> Self {
        self.jobs.push(Arc::new(job));
        self
    }

    /// Sets how patient it is.
    #[must_use]
    pub fn settings(mut self, settings: RunnerSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Makes what it and its jobs measure known to a registry.
    #[must_use]
    pub fn measured_by(self, registry: &mut prometheus_client::registry::Registry) -> Self {
        self.metrics.register(registry);
        self.jobs.iter().for_each(|job| job.register(registry));
        self
    }

    /// Runs until `shutdown`, then drains. Nothing is left running when it returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let owner = data_encoding::HEXLOWER.encode(&self.ports.ids.bytes::<8>());
        let mut tasks = JoinSet::new();
        for consumer in &self.consumers {
            tasks.spawn(self.consuming(consumer.clone(), &owner).run(shutdown.clone()));
        }
        for job in &self.jobs {
            tasks.spawn(schedule::run(
                job.clone(),
                self.ports.clone(),
                self.metrics.clone(),
                owner.clone(),
                shutdown.clone(),
            ));
        }
        tasks.spawn(consume::measure(self.ports.clone(), self.metrics.clone(), self.groups(), shutdown.clone()));
        shutdown.cancelled().await;
        let drained =
            tokio::time::timeout(self.settings.drain, async { while tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!(
                left = tasks.len(),
                "work did not finish in time and is cut off; its effects roll back and come again"
            );
        }
        tasks.shutdown().await;
    }

    /// Processes everything there is now and returns: for tests, examples and one-off runs.
    ///
    /// # Errors
    /// The first failure, after which the rest is left as it was.
    pub async fn run_until_idle(&self) -> Result<()> {
        let owner = data_encoding::HEXLOWER.encode(&self.ports.ids.bytes::<8>());
        loop {
            let mut moved = false;
            for consumer in &self.consumers {
                moved |= self.consuming(consumer.clone(), &owner).once().await?;
            }
            if !moved {
                break;
            }
        }
        for consumer in &self.consumers {
            self.ports.bus.release(consumer.group(), &owner).await?;
        }
        Ok(())
    }

    fn consuming(&self, consumer: Arc<dyn Consumer>, owner: &str) -> consume::Consuming {
        consume::Consuming {
            consumer,
            ports: self.ports.clone(),
            settings: self.settings.clone(),
            metrics: self.metrics.clone(),
            owner: owner.to_owned(),
        }
    }

    fn groups(&self) -> Vec<Group> {
        self.consumers.iter().map(|c| c.group()).collect()
    }
}

/// A pause after the `nth` failure in a row: doubled each time, bounded, half of it random.
fn pause(ports: &Ports, settings: &RunnerSettings, nth: u16) -> Duration {
    let full = settings.pause.saturating_mul(1 << nth.min(12)).min(settings.longest_pause);
    let share = f64::from(u32::from_be_bytes(ports.ids.bytes())) / f64::from(u32::MAX);
    full / 2 + (full / 2).mul_f64(share)
}

/// Sleeps, unless it is time to stop; says whether to go on.
async fn sleep(ports: &Ports, duration: Duration, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => false,
        () = ports.clock.sleep(duration) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_91_pauses_double_end_at_a_bound_and_are_never_quite_the_same() {
        let (ports, settings) = (Ports::in_memory(), RunnerSettings::default());
        let mut full = settings.pause;
        for nth in 1..40 {
            full = (full * 2).min(settings.longest_pause);
            let pauses = [(); 8].map(|()| pause(&ports, &settings, nth));
            assert!(pauses.iter().all(|pause| (full / 2..=full).contains(pause)), "{nth}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{nth}: {pauses:?}");
        }
        assert_eq!(full, settings.longest_pause);
    }
}
