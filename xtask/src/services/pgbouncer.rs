//! `PgBouncer` for tests, in transaction mode, in front of the oldest PostgreSQL: few connections to the server, which those of
//! many clients take turns on. It asks for passwords, those that the test databases' roles have.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::host::{Host, install};
use crate::run::{output, tail};

/// The environment variable that tells tests its address.
pub(crate) const VARIABLE: &str = "DAIRA_TEST_PGBOUNCER";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);
/// Roles and their passwords, as the template of the test databases gives them.
const USERS: &str = "\"postgres\" \"postgres\"\n\"daira_app\" \"app\"\n\"daira_worker\" \"worker\"\n";

fn folder(host: &Host) -> PathBuf {
    host.folder.join("run/pgbouncer")
}

/// Its address, if it runs and answers.
pub(crate) fn alive(host: &Host) -> Option<String> {
    let port: u16 = fs::read_to_string(folder(host).join("port")).ok()?.parse().ok()?;
    TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(2)).ok()?;
    Some(address(port))
}

/// Starts it in front of a server, unless it runs there already.
pub(crate) fn up(host: &Host, server: &str) -> Result<String> {
    let folder = folder(host);
    if let (Some(address), Ok(before)) = (alive(host), fs::read_to_string(folder.join("server")))
        && before == server
    {
        return Ok(address);
    }
    let program = program()?;
    eprintln!("starting PgBouncer");
    down(host)?;
    host.create(&folder)?;
    let to = server.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).context("a server without a port")?;
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let settings = format!(
        "[databases]\n* = host=127.0.0.1 port={to}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = scram-sha-256\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = 6\nmax_client_conn = 1000\n\
         ignore_startup_parameters = extra_float_digits\nlogfile = {log}\npidfile = {pid}\n",
        users = folder.join("users").display(),
        log = folder.join("log").display(),
        pid = folder.join("pid").display(),
    );
    for (file, text) in [("users", USERS), ("pgbouncer.ini", &settings), ("server", server)] {
        fs::write(folder.join(file), text)?;
        host.give(&folder.join(file))?;
    }
    let mut command = host.command(&program);
    command.args(["-d", "-q"]).arg(folder.join("pgbouncer.ini"));
    // It goes on after us; pipes of ours that it inherits would never end.
    let started = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success();
    fs::write(folder.join("port"), port.to_string())?;
    let begun = Instant::now();
    while alive(host).is_none() {
        if !started || begun.elapsed() > PATIENCE {
            bail!(
                "PgBouncer did not start:\n{}",
                tail(&fs::read_to_string(folder.join("log")).unwrap_or_default(), 10)
            );
        }
        sleep(Duration::from_millis(50));
    }
    Ok(address(port))
}

/// Stops it, if it runs, and removes its folder.
pub(crate) fn down(host: &Host) -> Result<()> {
    let folder = folder(host);
    if let (Some(_), Ok(pid)) = (alive(host), fs::read_to_string(folder.join("pid"))) {
        output(Command::new("kill").arg(pid.trim()))?;
        let begun = Instant::now();
        while alive(host).is_some() {
            ensure!(begun.elapsed() < PATIENCE, "PgBouncer does not stop");
            sleep(Duration::from_millis(50));
        }
    }
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The program; systems keep it where only root looks.
fn program() -> Result<PathBuf> {
    let find = || {
        let places =
            ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
        places.into_iter().map(Path::new).find(|place| place.is_file()).map(Path::to_path_buf)
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    install(&["pgbouncer"])?;
    find().context("`pgbouncer` is installed, but it is not in any usual place")
}

fn address(port: u16) -> String {
    format!("postgres://postgres:postgres@127.0.0.1:{port}/postgres")
}
