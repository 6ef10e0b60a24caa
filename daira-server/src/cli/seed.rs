//! `seed`: fills an empty platform with the demo world.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use daira_server::seed::{self, Stage, World, WorldOptions};
use daira_worker::backends::Backends;
use daira_worker::config::Config;
use daira_worker::program;
use indicatif::{ProgressBar, ProgressStyle};

/// Which world.
#[derive(Debug, Args)]
pub(super) struct Seed {
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

/// Plans and loads it.
pub(super) async fn run(config: &Config, wanted: &Seed) -> Result<()> {
    let told = program::until_told();
    let backends = Backends::connect(config).await?;
    let outcome = tokio::select! {
        outcome = load(&backends, wanted, &config.data) => outcome,
        () = told.cancelled() => Err(anyhow::anyhow!("told to stop before the world was whole")),
    };
    backends.close().await?;
    outcome
}

async fn load(backends: &Backends, wanted: &Seed, data: &Path) -> Result<()> {
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
        let what = match stage {
            Stage::People => "people",
            Stage::Follows => "follows",
            Stage::Posts => "posts",
            Stage::Comments => "comments",
            Stage::Reactions => "reactions",
        };
        bar.set_length(of as u64);
        bar.set_message(what);
        bar.set_position(done as u64);
        if bar.is_hidden() && done == of {
            eprintln!("{what}: {of}");
        }
    })
    .await?;
    bar.finish_and_clear();
    // Somebody with a lively feed.
    let liveliest = world.people().iter().max_by_key(|p| world.graph().following(p.index).len());
    let email = seed::email(&liveliest.context("a world without people")?.handle);
    let login = serde_json::json!({ "email": email, "password": seed::PASSWORD });
    std::fs::write(data.join("demo-login.json"), login.to_string()).context("keeping the log-in beside the data")?;
    // Everybody has the same password; whoever measures needs many of them.
    let people: String = world.people().iter().map(|p| seed::email(&p.handle) + "\n").collect();
    std::fs::write(data.join("demo-people.txt"), people).context("keeping the people beside the data")?;
    println!("log in as {email} with the password {:?}", seed::PASSWORD);
    Ok(())
}
