//! The life of one job: ask for its next run, do it while the lease is kept, hand it back.

use core::time::Duration;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use daira_core::Ports;
use daira_core::error::{Error, ErrorKind};
use daira_core::port::JobOutcome;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio_util::sync::CancellationToken;

use super::{Job, RunnerMetrics, sleep};

/// How long after a process died another one may take its run over. The lease of whoever lives is kept for as long as it takes.
const LEASE: Duration = Duration::from_secs(30);

pub(super) async fn run(
    job: Arc<dyn Job>,
    ports: Ports,
    metrics: RunnerMetrics,
    owner: String,
    shutdown: CancellationToken,
) {
    // Looked for ten times an interval, so that a job that another process dropped is not late by a whole one.
    let look_every = (job.every() / 10).clamp(Duration::from_secs(1), Duration::from_mins(1));
    loop {
        match ports.maintenance.begin_job(job.name(), &owner, job.every(), LEASE).await {
            Ok(true) => {
                let run = pin!(once(job.as_ref(), &ports, &metrics));
                match select(run, pin!(lost(job.name(), &ports, &owner))).await {
                    Either::Left((outcome, _)) => {
                        if let Err(error) = ports.maintenance.end_job(job.name(), &owner, outcome).await {
                            tracing::warn!(
                                job = job.name(),
                                ?error,
                                "a job's lease could not be handed back; it will lapse"
                            );
                        }
                    }
                    Either::Right(((), _)) => {
                        tracing::warn!(job = job.name(), "a job's lease was over; whoever looks next goes on with it");
                    }
                }
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(job = job.name(), ?error, "a job could not be looked for"),
        }
        let jitter = f64::from(u32::from_be_bytes(ports.ids.bytes())) / f64::from(u32::MAX);
        if !sleep(&ports, look_every.mul_f64(0.5 + jitter), &shutdown).await {
            return;
        }
    }
}

/// Keeps a run until it is lost.
async fn lost(name: &str, ports: &Ports, owner: &str) {
    let mut pause = LEASE / 3;
    loop {
        ports.clock.sleep(pause).await;
        pause = LEASE / 3;
        match ports.maintenance.keep_job(name, owner, LEASE).await {
            Ok(true) => {}
            Ok(false) => return,
            // Whether it is lost is found out when the store is back; whatever the job does there fails meanwhile, too.
            Err(error) => {
                tracing::warn!(job = name, ?error, "a job's lease could not be kept");
                pause = LEASE / 15;
            }
        }
    }
}

async fn once(job: &dyn Job, ports: &Ports, metrics: &RunnerMetrics) -> JobOutcome {
    let began = Instant::now();
    let ran = AssertUnwindSafe(job.run(ports)).catch_unwind().await;
    let ran = ran.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "job.panicked")));
    metrics.job(job.name(), ran.is_ok(), began.elapsed(), ports.clock.now());
    match ran {
        Ok(()) => JobOutcome::Done,
        Err(error) => {
            tracing::error!(job = job.name(), ?error, "a job failed and will be tried again");
            JobOutcome::Failed
        }
    }
}
