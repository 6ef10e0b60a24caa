//! `dev`: everything on this machine with one command. Installs PostgreSQL where it is missing and may, builds, loads the
//! demo world the first time, starts server and worker on the private PostgreSQL in a data folder, and prints where things
//! are, a ready log-in, and one `curl` whose answer is that person's feed. Ctrl-C stops everything that it started; what a
//! killed run left behind is stopped by the next one.

mod child;
mod greet;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::run::{self, root};
use crate::services;
use child::Children;

/// How long the server may take to be ready.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often anything is looked at again.
const POLL: Duration = Duration::from_millis(50);

/// Where things are.
struct Place {
    http: String,
    grpc: String,
    data: PathBuf,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), "usage: cargo xtask dev");
    let place = Place::find()?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::SeqCst)).context("listening for Ctrl-C")?;
    let mut children = Children::new(&place.data, &stop);
    children.claim()?;
    place.ports_are_free()?;
    let postgresql = services::postgresql()?;
    eprintln!("building (the first time takes some minutes)");
    let built = run::programs();
    if stop.load(Ordering::SeqCst) {
        return Ok(());
    }
    let programs = built?;
    let configured = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command
            .current_dir(root())
            .env("DAIRA_ENVIRONMENT", "development")
            .env("DAIRA_DATA", &place.data)
            .env("DAIRA_HTTP__LISTEN", &place.http)
            .env("DAIRA_GRPC__LISTEN", &place.grpc)
            .env("DAIRA_WORKERS__IN_SERVER", "false")
            .env("DAIRA_PRODUCT__PULL_THRESHOLD", "200")
            .env("DAIRA_PRODUCT__ACCESS_TOKEN_SECONDS", "3600")
            .env("DAIRA_LOG__FORMAT", "pretty")
            // A slow statement is no news on a machine that builds.
            .env("DAIRA_LOG__FILTER", "warn,sqlx::query=error")
            // Another project's database is none of ours.
            .env_remove("DATABASE_URL");
        if let Some(folder) = &postgresql {
            command.env("DAIRA_DATABASE__BINARIES", folder);
        }
        command
    };
    let outcome = world(&place, &mut children, &configured).and_then(|()| {
        if children.told_to_stop() {
            return Ok(());
        }
        children.start("server", configured("daira-server").arg("serve"))?;
        children.start("worker", &mut configured("daira-worker"))?;
        if ready(&place, &mut children)? {
            greet::print(&place)?;
        }
        while !children.told_to_stop() {
            children.all_run()?;
            std::thread::sleep(POLL);
        }
        Ok(())
    });
    if children.told_to_stop() {
        eprintln!("\nstopping");
    }
    children.end_all();
    outcome
}

impl Place {
    /// The usual addresses and folder, or those that the environment names.
    fn find() -> Result<Self> {
        let from = |name: &str| {
            std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
        };
        let data = from("DAIRA_DATA").map_or_else(data_folder, |folder| Ok(std::path::absolute(folder)?));
        Ok(Self {
            http: from("DAIRA_HTTP__LISTEN").unwrap_or_else(|| "127.0.0.1:8000".to_owned()),
            grpc: from("DAIRA_GRPC__LISTEN").unwrap_or_else(|| "127.0.0.1:50051".to_owned()),
            data: data?,
        })
    }

    fn ports_are_free(&self) -> Result<()> {
        for (address, variable) in [(&self.http, "DAIRA_HTTP__LISTEN"), (&self.grpc, "DAIRA_GRPC__LISTEN")] {
            ensure!(
                TcpStream::connect(address).is_err(),
                "something else listens on {address}: stop it, or choose another address, for instance\n       {variable}=127.0.0.1:{} cargo xtask dev",
                address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).map_or(8010, |port| port + 10)
            );
        }
        Ok(())
    }
}

/// The repository's own `data`, unless that lies below a folder that only its owner may enter while root runs us: the
/// private PostgreSQL runs as another user then.
fn data_folder() -> Result<PathBuf> {
    let folder = root().join("data");
    let closed = |folder: &Path| {
        use std::os::unix::fs::PermissionsExt as _;
        folder.ancestors().skip(1).any(|f| std::fs::metadata(f).is_ok_and(|m| m.permissions().mode() & 0o001 == 0))
    };
    let is_root = run::output(Command::new("id").arg("-u"))?.trim() == "0";
    if !is_root || !closed(&folder) {
        return Ok(folder);
    }
    let name = root().display().to_string().replace('/', "-");
    Ok(PathBuf::from("/var/lib/daira").join(name.trim_matches('-')))
}

/// Loads the demo world, the first time. A world whose loading was cut short is removed and loaded again, if it was us
/// who made its folder.
fn world(place: &Place, children: &mut Children, configured: &impl Fn(&str) -> Command) -> Result<()> {
    let half = place.data.join("half-loaded");
    if half.exists() {
        eprintln!("an earlier load of the demo world was cut short: starting over");
        // Whoever leaves the private PostgreSQL last stops it.
        children.finish("set-up", configured("daira-server").arg("migrate").stdout(Stdio::null()))?;
        std::fs::remove_dir_all(&place.data).with_context(|| format!("removing {}", place.data.display()))?;
        children.claim()?;
    }
    if children.told_to_stop() || place.data.join(greet::LOGIN).exists() {
        return Ok(());
    }
    let ours = !place.data.join("postgres").exists();
    if ours {
        std::fs::write(&half, "")?;
    }
    eprintln!("loading the demo world of 1,000 people and 20,000 posts into {}, once", place.data.display());
    let mut seed = configured("daira-server");
    // Counters are made by correcting what is not there yet; that, and the log-in, is told in better words.
    seed.env("DAIRA_LOG__FILTER", "error").stdout(Stdio::null());
    children.finish("demo world", seed.args(["seed", "--people", "1000", "--posts", "20000", "--if-empty"]))?;
    if ours && !children.told_to_stop() {
        std::fs::remove_file(&half)?;
    }
    Ok(())
}

/// Waits until the server is ready; `false` when we were told to stop meanwhile.
fn ready(place: &Place, children: &mut Children) -> Result<bool> {
    let began = Instant::now();
    while !children.told_to_stop() {
        if let Ok((200, _)) = greet::request(&place.http, "GET", "/readyz", None) {
            return Ok(true);
        }
        children.all_run()?;
        if began.elapsed() > PATIENCE {
            bail!("the server is not ready after {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(POLL);
    }
    Ok(false)
}
