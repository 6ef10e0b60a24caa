//! Throw-away Redis for tests, in each way that it is set up: one server, a master under three sentinels, a cluster of three.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::host::{Host, require};
use crate::run::{output, tail};

/// How long a server, or several together, may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the sentinels call the master.
const MASTER: &str = "daira";

/// One way to set it up.
#[derive(Clone, Copy)]
pub(crate) enum Redis {
    /// One server.
    One,
    /// A master and a replica under three sentinels.
    Sentinel,
    /// Three masters.
    Cluster,
}

pub(crate) const SERVERS: [Redis; 3] = [Redis::One, Redis::Sentinel, Redis::Cluster];

impl Redis {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "Redis",
            Self::Sentinel => "Redis Sentinel",
            Self::Cluster => "Redis Cluster",
        }
    }

    /// The environment variable that tells tests its address.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::One => "DAIRA_TEST_REDIS",
            Self::Sentinel => "DAIRA_TEST_REDIS_SENTINEL",
            Self::Cluster => "DAIRA_TEST_REDIS_CLUSTER",
        }
    }

    fn folder(self, host: &Host) -> PathBuf {
        let name = match self {
            Self::One => "redis",
            Self::Sentinel => "redis-sentinel",
            Self::Cluster => "redis-cluster",
        };
        host.folder.join("run").join(name)
    }

    /// Its address, if all of it runs and answers.
    pub(crate) fn alive(self, host: &Host) -> Option<String> {
        let ports = fs::read_to_string(self.folder(host).join("ports")).ok()?;
        let ports: Vec<u16> = ports.split_whitespace().filter_map(|port| port.parse().ok()).collect();
        let answers = |port: &u16| cli(*port, &["ping"]).is_ok_and(|said| said.trim() == "PONG");
        (!ports.is_empty() && ports.iter().all(answers)).then(|| self.address(&ports))
    }

    /// The address over the ports of its servers, in the order that they were started in.
    fn address(self, ports: &[u16]) -> String {
        let hosts = |ports: &[u16]| ports.iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",");
        match self {
            Self::One => format!("redis://{}", hosts(ports)),
            Self::Cluster => format!("redis+cluster://{}", hosts(ports)),
            Self::Sentinel => format!("redis+sentinel://{}/{MASTER}", hosts(ports.get(2..).unwrap_or_default())),
        }
    }

    /// Starts it on a fresh folder, unless it runs already.
    pub(crate) fn up(self, host: &Host) -> Result<String> {
        if let Some(address) = self.alive(host) {
            return Ok(address);
        }
        require("redis-server", "redis-server")?;
        eprintln!("starting {}", self.name());
        self.down(host)?;
        let folder = self.folder(host);
        host.create(&folder)?;
        let ports = match self {
            Self::One => vec![serve(host, &folder.join("one"), &[])?],
            Self::Sentinel => watched(host, &folder)?,
            Self::Cluster => cluster(host, &folder)?,
        };
        let list: Vec<_> = ports.iter().map(u16::to_string).collect();
        fs::write(folder.join("ports"), list.join(" "))?;
        Ok(self.address(&ports))
    }

    /// Stops what runs of it, and removes its folder.
    pub(crate) fn down(self, host: &Host) -> Result<()> {
        let folder = self.folder(host);
        let Ok(servers) = fs::read_dir(&folder) else { return Ok(()) };
        for server in servers.flatten() {
            let Ok(port) = fs::read_to_string(server.path().join("port")) else { continue };
            // One that is gone already cannot be asked to go.
            if let Ok(port) = port.parse()
                && cli(port, &["ping"]).is_ok()
            {
                drop(cli(port, &["shutdown", "nosave"]));
                until("stopping", || Ok(cli(port, &["ping"]).is_err()))?;
            }
        }
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))
    }
}

/// A master, a replica of it, and three sentinels that move the master within two seconds.
fn watched(host: &Host, folder: &Path) -> Result<Vec<u16>> {
    let master = serve(host, &folder.join("master"), &[])?;
    let replica = serve(host, &folder.join("replica"), &["--replicaof", "127.0.0.1", &master.to_string()])?;
    let mut ports = vec![master, replica];
    for n in 1..=3 {
        let home = folder.join(format!("sentinel-{n}"));
        host.create(&home)?;
        let watch = format!(
            "sentinel monitor {MASTER} 127.0.0.1 {master} 2\nsentinel down-after-milliseconds {MASTER} 1000\n\
             sentinel failover-timeout {MASTER} 5000\n"
        );
        let file = home.join("sentinel.conf");
        fs::write(&file, watch)?;
        // Sentinels write what they learn into their file.
        host.give(&file)?;
        ports.push(serve(host, &home, &["sentinel"])?);
    }
    let first = *ports.get(2).context("no sentinel")?;
    until("the sentinels to know each other", || {
        let said = cli(first, &["sentinel", "master", MASTER])?;
        let lines: Vec<&str> = said.lines().collect();
        let value = |name: &str| lines.iter().position(|line| *line == name).and_then(|at| lines.get(at + 1)).copied();
        Ok(value("num-slaves") == Some("1") && value("num-other-sentinels") == Some("2"))
    })?;
    Ok(ports)
}

fn cluster(host: &Host, folder: &Path) -> Result<Vec<u16>> {
    let mut ports = Vec::new();
    for n in 1..=3 {
        let options =
            ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"];
        ports.push(serve(host, &folder.join(format!("node-{n}")), &options)?);
    }
    let nodes: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let mut create = Command::new("redis-cli");
    create.args(["--cluster", "create"]).args(nodes).args(["--cluster-replicas", "0", "--cluster-yes"]);
    output(&mut create).context("making a cluster of three")?;
    for port in &ports {
        until("the cluster to be whole", || Ok(cli(*port, &["cluster", "info"])?.contains("cluster_state:ok")))?;
    }
    Ok(ports)
}

/// Starts one server in a folder of its own; its port.
fn serve(host: &Host, home: &Path, options: &[&str]) -> Result<u16> {
    host.create(home)?;
    // The port is free when we look, and may be taken when the server does.
    for _ in 0..3 {
        let port = free_port()?;
        let mut command = host.command(Path::new("redis-server"));
        if options == ["sentinel"] {
            command.arg(home.join("sentinel.conf")).arg("--sentinel");
        } else {
            command.args(["--save", "", "--appendonly", "no"]).args(options);
        }
        let log = home.join("log");
        command.args(["--bind", "127.0.0.1", "--daemonize", "yes", "--port", &port.to_string(), "--dir"]).arg(home);
        command.arg("--logfile").arg(&log);
        output(&mut command)?;
        fs::write(home.join("port"), port.to_string())?;
        if until("redis-server", || Ok(cli(port, &["ping"]).is_ok_and(|said| said.trim() == "PONG"))).is_ok() {
            return Ok(port);
        }
        eprintln!("{}", tail(&fs::read_to_string(log).unwrap_or_default(), 10));
    }
    bail!("redis-server could not be started in {}", home.display())
}

/// A free port whose cluster port, 10,000 above it, is one, too.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        if let Some(bus) = port.checked_add(10_000)
            && TcpListener::bind(("127.0.0.1", bus)).is_ok()
        {
            return Ok(port);
        }
    }
    bail!("there is no free port")
}

fn cli(port: u16, words: &[&str]) -> Result<String> {
    output(Command::new("redis-cli").args(["-p", &port.to_string()]).args(words))
}

fn until(what: &str, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !ready().unwrap_or(false) {
        ensure!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(Duration::from_millis(50));
    }
    Ok(())
}
