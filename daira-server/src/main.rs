//! `daira-server`: serves the platform, and the operator's commands around it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use daira_server::app;
use daira_server::seed::{self, Stage, World, WorldOptions};
use daira_worker::backends::Backends;
use daira_worker::config::Config;
use daira_worker::{program, telemetry};
use indicatif::{ProgressBar, ProgressStyle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves DAIRA: GraphQL and REST on port 8000, gRPC on port 50051.
///
/// Settings come from the file named by --config and from the environment (DAIRA_…). With none, a private PostgreSQL is
/// set up in ./data and started, and consumers and jobs run in this process.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  daira-server\n  daira-server seed --people 1000 --posts 20000\n  DAIRA_HTTP__LISTEN=0.0.0.0:80 daira-server serve"
)]
struct Arguments {
    /// A TOML file with settings.
    #[arg(long, global = true, env = "DAIRA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default).
    Serve,
    /// Bring the database up to this program's schema.
    Migrate,
    /// Fill an empty platform with a demo world: people, follows, posts, comments, reactions.
    Seed(Seed),
    /// Look at the settings in force.
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the settings are right.
    Check,
    /// Print the settings in force as JSON; secrets show as dots.
    Dump,
}

#[derive(Debug, Args)]
struct Seed {
    /// How many people.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    people: u32,
    /// How many posts.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    posts: u32,
    /// The same number gives the same world.
    #[arg(long = "seed", value_name = "NUMBER", default_value_t = 1)]
    number: u64,
    /// Do nothing when the world is there already.
    #[arg(long)]
    if_empty: bool,
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

fn run(arguments: &Arguments) -> Result<()> {
    let config = Config::load(arguments.config.as_deref())?;
    if let Some(Command::Config { what }) = &arguments.command {
        match what {
            ConfigCommand::Check => println!("the settings are right"),
            ConfigCommand::Dump => println!("{}", serde_json::to_string_pretty(&config)?),
        }
        return Ok(());
    }
    telemetry::init(&config.log)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        match &arguments.command {
            None | Some(Command::Serve) => app::serve(config, program::until_told()).await,
            Some(Command::Migrate) => Backends::migrate(&config).await,
            Some(Command::Seed(wanted)) => fill(&config, wanted).await,
            Some(Command::Config { .. }) => Ok(()),
        }
    })
}

async fn fill(config: &Config, wanted: &Seed) -> Result<()> {
    let backends = Backends::connect(config).await?;
    let outcome = fill_with(&backends, wanted, &config.data).await;
    backends.close().await?;
    outcome
}

async fn fill_with(backends: &Backends, wanted: &Seed, data: &Path) -> Result<()> {
    let world = World::plan(&WorldOptions { people: wanted.people, posts: wanted.posts, seed: wanted.number });
    if seed::is_loaded(&backends.ports, &world).await? {
        if wanted.if_empty {
            return Ok(());
        }
        bail!("this world is there already; another --seed gives another world");
    }
    // Drawn only where somebody can see it.
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{msg:12} {wide_bar} {pos}/{len} {elapsed}").context("the progress bar")?,
    );
    seed::load(&backends.ports, &world, |stage, done, of| {
        bar.set_message(match stage {
            Stage::People => "people",
            Stage::Follows => "follows",
            Stage::Posts => "posts",
            Stage::Comments => "comments",
            Stage::Reactions => "reactions",
            Stage::Affinities => "affinities",
            Stage::Derived => "inboxes",
        });
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })
    .await?;
    bar.finish_and_clear();
    // Somebody with a lively feed.
    let liveliest = world.people().iter().max_by_key(|p| world.graph().following(p.index).len());
    let email = seed::email(&liveliest.context("a world without people")?.handle);
    let login = serde_json::json!({ "email": email, "password": seed::PASSWORD });
    std::fs::write(data.join("demo-login.json"), login.to_string()).context("keeping the log-in beside the data")?;
    println!("log in as {email} with the password {:?}", seed::PASSWORD);
    Ok(())
}
