//! Toxiproxy for tests: wires that can be slowed down and cut, made and changed over its HTTP.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::clients::go_install;
use super::host::Host;
use crate::run::output;

/// The environment variable that tells tests its address.
pub(crate) const VARIABLE: &str = "DAIRA_TEST_TOXIPROXY";

const VERSION: &str = "v2.5.0";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

fn folder(host: &Host) -> PathBuf {
    host.folder.join("run/toxiproxy")
}

/// Its address, if it runs and answers.
pub(crate) fn alive(host: &Host) -> Option<String> {
    let port: u16 = fs::read_to_string(folder(host).join("port")).ok()?.parse().ok()?;
    answers(port).then(|| address(port))
}

/// Starts it, unless it runs already.
pub(crate) fn up(host: &Host) -> Result<String> {
    if let Some(address) = alive(host) {
        return Ok(address);
    }
    let program = host.folder.join(format!("toxiproxy-{VERSION}/server"));
    go_install(&program, &format!("github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION}"))?;
    eprintln!("starting Toxiproxy");
    down(host)?;
    let folder = folder(host);
    host.create(&folder)?;
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut command = host.command(&program);
    command.args(["-host", "127.0.0.1", "-port", &port.to_string()]);
    let log = fs::File::create(folder.join("log"))?;
    let server = command.stdout(log.try_clone()?).stderr(log).stdin(Stdio::null()).spawn()?;
    fs::write(folder.join("pid"), server.id().to_string())?;
    let begun = Instant::now();
    while !answers(port) {
        ensure!(begun.elapsed() < PATIENCE, "Toxiproxy did not start: see {}", folder.join("log").display());
        sleep(Duration::from_millis(50));
    }
    fs::write(folder.join("port"), port.to_string())?;
    Ok(address(port))
}

/// Stops it, if it runs, and removes its folder.
pub(crate) fn down(host: &Host) -> Result<()> {
    let folder = folder(host);
    if let (Some(_), Ok(pid)) = (alive(host), fs::read_to_string(folder.join("pid"))) {
        output(Command::new("kill").arg(pid))?;
    }
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Whether it is Toxiproxy that answers there.
fn answers(port: u16) -> bool {
    get(port, "/version").is_ok_and(|said| said.starts_with("HTTP/1.0 200") && said.contains("X-Toxiproxy"))
}

/// What a server on this machine says to a request.
pub(super) fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut wire = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(2))?;
    wire.set_read_timeout(Some(Duration::from_secs(2)))?;
    wire.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    let mut said = String::new();
    wire.read_to_string(&mut said)?;
    Ok(said)
}
