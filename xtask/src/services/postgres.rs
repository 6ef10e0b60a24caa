//! Throw-away PostgreSQL servers for tests: quick instead of durable, open to this machine without a password.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::host::Host;
use crate::run::{output, tail};

/// The versions that everything is tested on: the oldest that we support, and the newest there is.
pub(crate) const SERVERS: [Postgres; 2] = [Postgres::alone(15), Postgres::alone(18)];

/// A primary of each version, and a streaming replica of it. How far the replica lags is set on it by whoever tests that:
/// `alter system set recovery_min_apply_delay`, or `pg_wal_replay_pause()`.
pub(crate) const PAIRS: [[Postgres; 2]; 2] = [Postgres::pair(15), Postgres::pair(18)];

/// One server.
pub(crate) struct Postgres {
    pub(crate) major: u32,
    part: Part,
}

/// What a server is to others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Alone,
    Primary,
    Replica,
}

impl Postgres {
    const fn alone(major: u32) -> Self {
        Self { major, part: Part::Alone }
    }

    const fn pair(major: u32) -> [Self; 2] {
        [Self { major, part: Part::Primary }, Self { major, part: Part::Replica }]
    }

    fn part(&self) -> &'static str {
        match self.part {
            Part::Alone => "",
            Part::Primary => "primary",
            Part::Replica => "replica",
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("PostgreSQL {} {}", self.major, self.part()).trim_end().to_owned()
    }

    /// The environment variable that tells tests its URL.
    pub(crate) fn variable(&self) -> String {
        format!("DAIRA_TEST_PG{}_{}", self.major, self.part().to_uppercase()).trim_end_matches('_').to_owned()
    }

    fn folder(&self, host: &Host) -> PathBuf {
        host.folder.join(format!("run/pg{}-{}", self.major, self.part()).trim_end_matches('-'))
    }

    /// Its URL, if it runs and answers.
    pub(crate) fn alive(&self, host: &Host) -> Option<String> {
        let folder = self.folder(host);
        // Lines: process id, folder, start time, port, …; the file outlives a killed server, and then neither counts.
        let recorded = fs::read_to_string(folder.join("data/postmaster.pid")).ok()?;
        let port: u16 = recorded.lines().nth(3)?.trim().parse().ok()?;
        output(self.pg_ctl(host)?.arg("status")).ok()?;
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(2)).ok()?;
        Some(url(port))
    }

    /// The program that asks and stops the server; `None` when there is no server to ask.
    fn pg_ctl(&self, host: &Host) -> Option<Command> {
        let folder = self.folder(host);
        let bin = fs::read_to_string(folder.join("bin")).ok()?;
        let mut command = host.command(&Path::new(&bin).join("pg_ctl"));
        command.arg("-D").arg(folder.join("data"));
        Some(command)
    }

    /// Starts it on a fresh folder, unless it runs already.
    pub(crate) fn up(&self, host: &Host, bin: &Path) -> Result<String> {
        if let Some(url) = self.alive(host) {
            return Ok(url);
        }
        eprintln!("starting {}", self.name());
        self.lay(host, bin)?;
        self.start(host, bin)
    }

    /// Makes a fresh folder with nothing in its database.
    fn lay(&self, host: &Host, bin: &Path) -> Result<()> {
        // Without fsync, what a crash left behind cannot be trusted.
        self.down(host)?;
        let folder = self.folder(host);
        host.create(&folder)?;
        fs::write(folder.join("bin"), bin.display().to_string())?;
        let mut initdb = host.command(&bin.join("initdb"));
        initdb.arg("-D").arg(folder.join("data")).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        initdb.arg(if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--locale=C" });
        output(&mut initdb).with_context(|| format!("setting up {}", self.name())).map(drop)
    }

    fn start(&self, host: &Host, bin: &Path) -> Result<String> {
        let folder = self.folder(host);
        // The port is free when we look, and may be taken when the server does.
        let mut log = String::new();
        for _ in 0..3 {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            match start(host, bin, &folder, port) {
                Ok(()) => return Ok(url(port)),
                Err(said) => log = said.to_string(),
            }
        }
        bail!("{} could not be started:\n{log}", self.name())
    }

    /// Stops it, if it runs, and removes its folder.
    pub(crate) fn down(&self, host: &Host) -> Result<()> {
        let folder = self.folder(host);
        if let Some(mut pg_ctl) = self.pg_ctl(host)
            && folder.join("data/postmaster.pid").exists()
        {
            let stopped = output(pg_ctl.args(["stop", "-s", "-w", "-m", "immediate"]));
            // A killed one cannot be stopped, and need not be.
            if let Err(error) = stopped
                && self.alive(host).is_some()
            {
                return Err(error.context(format!("stopping {}", self.name())));
            }
            eprintln!("stopped {}", self.name());
        }
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", folder.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Starts a primary and its replica on fresh folders, unless both run already; their URLs.
pub(crate) fn pair_up(pair: &[Postgres; 2], host: &Host, bin: &Path) -> Result<[String; 2]> {
    let [primary, replica] = pair;
    if let (Some(primary), Some(replica)) = (primary.alive(host), replica.alive(host)) {
        return Ok([primary, replica]);
    }
    eprintln!("starting {} and its replica", primary.name());
    primary.lay(host, bin)?;
    replica.down(host)?;
    let (from, to) = (primary.folder(host), replica.folder(host));
    host.create(&to)?;
    fs::write(to.join("bin"), bin.display().to_string())?;
    // A copy of what was never started is as good as a backup, and not every build brings the program that makes those.
    output(host.command(Path::new("cp")).arg("-a").arg(from.join("data")).arg(to.join("data")))?;
    let leader = primary.start(host, bin)?;
    let port =
        leader.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).context("a server without a port")?;
    let settings = format!(
        "primary_conninfo = 'host=127.0.0.1 port={port} user=postgres'\nhot_standby_feedback = on\nwal_retrieve_retry_interval = '200ms'\n"
    );
    OpenOptions::new().append(true).open(to.join("data/postgresql.conf"))?.write_all(settings.as_bytes())?;
    let signal = to.join("data/standby.signal");
    fs::write(&signal, "")?;
    host.give(&signal)?;
    Ok([leader, replica.start(host, bin)?])
}

fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

fn start(host: &Host, bin: &Path, folder: &Path, port: u16) -> Result<()> {
    let data = folder.join("data");
    // Later lines win over earlier ones, so a second attempt may append again.
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '..'\nmax_connections = 300\n\
         shared_buffers = '128MB'\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n\
         max_wal_size = '2GB'\nmax_locks_per_transaction = 256\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n"
    );
    OpenOptions::new().append(true).open(data.join("postgresql.conf"))?.write_all(settings.as_bytes())?;
    let log = folder.join("log");
    let mut command = host.command(&bin.join("pg_ctl"));
    command.args(["start", "-s", "-w", "-t", "60", "-D"]).arg(&data).arg("-l").arg(&log);
    // The server goes on after us; pipes of ours that it inherits would never end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    if command.status()?.success() {
        return Ok(());
    }
    bail!("{}", tail(&fs::read_to_string(log).unwrap_or_default(), 20))
}
