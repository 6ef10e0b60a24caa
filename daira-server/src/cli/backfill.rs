//! `backfill`: what changes of the schema ask of rows that were there before: listed, paused, let go on, run to its end.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Subcommand;
use daira_core::port::{Backfill, BackfillState};
use daira_worker::backends::Backends;
use daira_worker::config::Config;
use indicatif::ProgressBar;

/// How many rows are gone over at once.
const PORTION: u32 = 1_000;

/// What to do with back-fills.
#[derive(Debug, Subcommand)]
pub(super) enum Backfills {
    /// List them, with how far they are.
    List,
    /// Let one wait; it stops between two portions.
    Pause {
        /// Its name.
        name: String,
    },
    /// Let one that was paused go on where it was.
    Resume {
        /// Its name.
        name: String,
    },
    /// Run all that are not paused to their end now, instead of leaving them to the job `backfills`.
    ///
    /// It may be stopped at any time and run beside servers and workers: what was filled in stays, and whoever comes next goes on.
    Run,
}

pub(super) async fn run(config: &Config, what: &Backfills) -> Result<()> {
    let backends = Backends::connect(config).await?;
    let done = match what {
        Backfills::List => list(&backends).await,
        Backfills::Pause { name } => pause(&backends, name, true).await,
        Backfills::Resume { name } => pause(&backends, name, false).await,
        Backfills::Run => fill(&backends).await,
    };
    backends.close().await?;
    done
}

async fn list(backends: &Backends) -> Result<()> {
    for Backfill { name, about, rows, state } in backends.ports.maintenance.backfills().await? {
        let state = match state {
            BackfillState::Running => "running",
            BackfillState::Paused => "paused",
            BackfillState::Done => "done",
        };
        println!("{name}  {state}  {rows} rows  {about}");
    }
    Ok(())
}

async fn pause(backends: &Backends, name: &str, paused: bool) -> Result<()> {
    if !backends.ports.maintenance.pause_backfill(name, paused).await? {
        bail!("there is no back-fill {name}; `daira-server backfill list` names them");
    }
    println!("{name} {}", if paused { "waits" } else { "goes on" });
    Ok(())
}

async fn fill(backends: &Backends) -> Result<()> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    while let Some(moved) = backends.ports.maintenance.fill(PORTION).await? {
        bar.set_message(format!("{} went over {} rows", moved.name, moved.rows));
        if moved.state == BackfillState::Done {
            bar.suspend(|| println!("{} is done: {} rows", moved.name, moved.rows));
        }
    }
    bar.finish_and_clear();
    let left = backends.ports.maintenance.backfills().await?;
    let left: Vec<String> =
        left.into_iter().filter(|fill| fill.state != BackfillState::Done).map(|fill| fill.name).collect();
    match left.as_slice() {
        [] => println!("nothing is left to be filled in"),
        _ => println!("not done, because they are paused or somebody else is at them: {}", left.join(", ")),
    }
    Ok(())
}
