//! `daira-worker`: runs the platform's consumers and jobs beside the server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use daira_worker::backends::Backends;
use daira_worker::config::Config;
use daira_worker::{program, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs DAIRA's consumers and jobs: fan-out, counters, notifications, mail, and the upkeep of the store.
///
/// Settings come from the file named by --config and from the environment (DAIRA_…); without any, the private PostgreSQL in
/// ./data is shared with a server that runs in the same folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file with settings.
    #[arg(long, env = "DAIRA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Config::load(arguments.config.as_deref())?;
    telemetry::init(&config.log)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let shutdown = program::until_told();
        let backends = Backends::connect(&config).await?;
        let runner = program::runner(&backends.ports, &config);
        tracing::info!(?runner, "the worker is running");
        let attending = backends.attend(shutdown.clone());
        let (attended, ()) = tokio::join!(attending, runner.run(shutdown.clone()));
        attended?;
        backends.close().await
    })
}
