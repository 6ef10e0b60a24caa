//! The commands of `daira-server`: serving, and what an operator does around it.
//!
//! What a command found goes to standard output, everything else to standard error. A command succeeds with 0, fails with
//! 1, and is misunderstood with 2.

mod admin;
mod backfill;
mod doctor;
mod letters;
mod records;
mod seed;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use daira_server::app;
use daira_worker::backends::Backends;
use daira_worker::config::Config;
use daira_worker::{job, program, telemetry};

/// Serves DAIRA: GraphQL and REST on port 8000, gRPC on port 50051.
///
/// Settings come from the file named by --config and from the environment: the setting `http.listen` is `DAIRA_HTTP__LISTEN`,
/// and `DAIRA_HTTP__LISTEN_FILE` names a file that holds it. With none, a private PostgreSQL is set up in ./data and started,
/// and consumers and jobs run in this process.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  daira-server\n  daira-server seed --people 1000 --posts 20000\n  daira-server doctor\n  DAIRA_HTTP__LISTEN=0.0.0.0:80 daira-server serve"
)]
pub(crate) struct Arguments {
    /// A TOML file with settings.
    #[arg(long, global = true, env = "DAIRA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default).
    #[command(after_help = "Examples:\n  daira-server serve\n  DAIRA_WORKERS__IN_SERVER=false daira-server serve")]
    Serve,
    /// Bring the database up to this program's schema.
    ///
    /// The private PostgreSQL is brought there by every start; with a database of your own, `database.owner_url` names the
    /// role that may. Migrations only go forward, one transaction each, and wait at most two seconds for a lock.
    #[command(
        after_help = "Examples:\n  daira-server migrate --dry-run\n  daira-server migrate --to 4\n  DAIRA_DATABASE__OWNER_URL=postgres://daira_owner@db/daira daira-server migrate"
    )]
    Migrate {
        /// Only say which migrations would run.
        #[arg(long)]
        dry_run: bool,
        /// Run no migration after this one; for a database of your own that is upgraded in steps.
        #[arg(long, value_name = "NUMBER")]
        to: Option<i64>,
    },
    /// Fill in what a newer schema asks of rows that were there before.
    ///
    /// The job `backfills` does it by itself, in portions, with half of the time left to others.
    #[command(
        after_help = "Examples:\n  daira-server backfill list\n  daira-server backfill pause strikes-of-takedowns\n  daira-server backfill run"
    )]
    Backfill {
        #[command(subcommand)]
        what: backfill::Backfills,
    },
    /// Fill an empty platform with a demo world: people, follows, posts, comments, reactions.
    #[command(after_help = "Examples:\n  daira-server seed\n  daira-server seed --people 50 --posts 500 --seed 7")]
    Seed(seed::Seed),
    /// Look at everything this installation rests on, and say what is wrong with it.
    #[command(
        after_help = "Examples:\n  daira-server doctor\n  daira-server doctor --json | jq '.[] | select(.level != \"ok\")'\n\nFails with 1 when anything fails; warnings alone succeed."
    )]
    Doctor {
        /// Print the findings as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look after events that could not be processed.
    ///
    /// An event that failed too often becomes a dead letter of its consumer. Later events of the same key are parked behind
    /// it, until it is replayed (once the cause is mended) or dropped.
    #[command(
        after_help = "Examples:\n  daira-server dlq list\n  daira-server dlq show fan-out 4711\n  daira-server dlq replay fan-out --all\n  daira-server dlq drop fan-out 4711 --yes"
    )]
    Dlq {
        #[command(subcommand)]
        what: letters::Letters,
    },
    /// Say who is staff (the first admin is made here), have erased who cannot come in, check the audit trail, keep the log of breaches.
    #[command(
        after_help = "Examples:\n  daira-server admin grant mona@example.com admin --reason OPS-1 --yes\n  daira-server admin list\n  daira-server admin revoke mona@example.com --reason OPS-2 --yes\n  daira-server admin permissions"
    )]
    Admin {
        #[command(subcommand)]
        what: admin::Admin,
    },
    /// Look after counters.
    Counters {
        #[command(subcommand)]
        what: Counters,
    },
    /// Print the GraphQL schema.
    Schema,
    /// Look at the settings in force.
    #[command(after_help = "Examples:\n  daira-server config check\n  daira-server --config daira.toml config dump")]
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
enum Counters {
    /// Count everything again and correct what is off; the server may go on serving meanwhile.
    #[command(after_help = "Examples:\n  daira-server counters rebuild")]
    Rebuild,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the settings are right.
    Check,
    /// Print the settings in force as JSON; secrets show as dots.
    Dump,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if let Some(Command::Schema) = arguments.command {
        print!("{}", daira_server::graphql::schema::sdl());
        return Ok(());
    }
    let config = Config::load(arguments.config.as_deref());
    if let Some(Command::Doctor { json }) = &arguments.command {
        return blocking(doctor::run(config, *json))?;
    }
    let config = config?;
    if let Some(Command::Config { what }) = &arguments.command {
        match what {
            ConfigCommand::Check => println!("the settings are right"),
            ConfigCommand::Dump => println!("{}", serde_json::to_string_pretty(&config)?),
        }
        return Ok(());
    }
    telemetry::init(&config.log)?;
    blocking(async {
        match &arguments.command {
            None | Some(Command::Serve) => Box::pin(app::serve(config, program::until_told())).await,
            Some(Command::Migrate { dry_run, to }) => migrate(&config, *dry_run, *to).await,
            Some(Command::Backfill { what }) => backfill::run(&config, what).await,
            Some(Command::Seed(wanted)) => seed::run(&config, wanted).await,
            Some(Command::Dlq { what }) => letters::run(&config, what).await,
            Some(Command::Admin { what }) => Box::pin(admin::run(&config, what)).await,
            Some(Command::Counters { what: Counters::Rebuild }) => rebuild(&config).await,
            Some(Command::Doctor { .. } | Command::Schema | Command::Config { .. }) => Ok(()),
        }
    })?
}

fn blocking<T>(work: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work))
}

async fn migrate(config: &Config, dry_run: bool, to: Option<i64>) -> Result<()> {
    let state = Backends::schema(config).await?;
    if let Some(newest) = state.unknown.iter().max() {
        bail!("the database is newer than this program: it has migration {newest}; nothing was changed");
    }
    let wanted = |version: i64| to.is_none_or(|to| version <= to);
    for (version, about) in state.pending.iter().filter(|(version, _)| wanted(*version)) {
        println!("{} {version:04} {about}", if dry_run { "would run" } else { "running" });
    }
    match (state.pending.is_empty(), dry_run) {
        (true, _) => println!("the database has this program's schema"),
        (false, true) => {}
        (false, false) => Backends::migrate(config, to).await?,
    }
    Ok(())
}

async fn rebuild(config: &Config) -> Result<()> {
    let backends = Backends::connect(config).await?;
    let corrected = job::reconcile(&backends.ports).await;
    backends.close().await?;
    println!("{} counters were off and have been corrected", corrected?);
    Ok(())
}
