//! What the runner measures. Labels are names of groups and jobs only, so their number is bounded.

use core::time::Duration;
use std::sync::atomic::AtomicU64;

use daira_core::port::Lag;
use daira_core::time::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    group: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfJob {
    job: &'static str,
}

/// Counters, gauges and histograms of a runner. Cloning shares them.
#[derive(Debug, Clone)]
pub struct RunnerMetrics {
    events: Family<Of, Counter>,
    failures: Family<Of, Counter>,
    buried: Family<Of, Counter>,
    seconds: Family<Of, Histogram>,
    behind: Family<Of, Gauge>,
    oldest: Family<Of, Gauge<f64, AtomicU64>>,
    dead: Family<Of, Gauge>,
    runs: Family<OfJob, Counter>,
    failed_runs: Family<OfJob, Counter>,
    job_seconds: Family<OfJob, Histogram>,
    last_success: Family<OfJob, Gauge>,
}

fn durations() -> Histogram {
    // From a millisecond to about half a minute.
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

impl Default for RunnerMetrics {
    fn default() -> Self {
        Self {
            events: Family::default(),
            failures: Family::default(),
            buried: Family::default(),
            seconds: Family::new_with_constructor(durations),
            behind: Family::default(),
            oldest: Family::default(),
            dead: Family::default(),
            runs: Family::default(),
            failed_runs: Family::default(),
            job_seconds: Family::new_with_constructor(durations),
            last_success: Family::default(),
        }
    }
}

impl RunnerMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("daira_worker");
        registry.register("events", "Events processed", self.events.clone());
        registry.register("batch_failures", "Batches that failed and were tried again", self.failures.clone());
        registry.register("dead_letters_made", "Events that went to the dead letters", self.buried.clone());
        registry.register_with_unit(
            "batch",
            "Time from taking a batch to its commit",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register("lag_events", "Events not yet delivered to a group", self.behind.clone());
        registry.register_with_unit(
            "lag",
            "Age of the oldest event not yet delivered",
            Unit::Seconds,
            self.oldest.clone(),
        );
        registry.register("dead_letters", "Dead letters of a group, parked ones included", self.dead.clone());
        registry.register("job_runs", "Runs of a job", self.runs.clone());
        registry.register("job_failures", "Runs of a job that failed", self.failed_runs.clone());
        registry.register_with_unit("job", "Time that a run of a job took", Unit::Seconds, self.job_seconds.clone());
        registry.register(
            "job_last_success_timestamp",
            "When a job last succeeded, as Unix time",
            self.last_success.clone(),
        );
    }

    pub(super) fn processed(&self, group: &'static str, events: usize, took: Duration) {
        self.events.get_or_create(&Of { group }).inc_by(events as u64);
        self.seconds.get_or_create(&Of { group }).observe(took.as_secs_f64());
    }

    pub(super) fn failed(&self, group: &'static str) {
        self.failures.get_or_create(&Of { group }).inc();
    }

    pub(super) fn buried(&self, group: &'static str) {
        self.buried.get_or_create(&Of { group }).inc();
    }

    pub(super) fn lag(&self, group: &'static str, lag: Lag) {
        self.behind.get_or_create(&Of { group }).set(lag.events);
        self.oldest.get_or_create(&Of { group }).set(lag.oldest.as_secs_f64());
        self.dead.get_or_create(&Of { group }).set(lag.dead);
    }

    pub(super) fn job(&self, job: &'static str, succeeded: bool, took: Duration, now: Timestamp) {
        self.runs.get_or_create(&OfJob { job }).inc();
        self.job_seconds.get_or_create(&OfJob { job }).observe(took.as_secs_f64());
        if succeeded {
            self.last_success.get_or_create(&OfJob { job }).set(now.as_seconds());
        } else {
            self.failed_runs.get_or_create(&OfJob { job }).inc();
        }
    }
}
