//! Mailpit for tests: a mail server that takes every mail and keeps it, to be read over its HTTP. It can be told to refuse.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::clients::go_install;
use super::host::Host;
use super::toxiproxy::get;
use crate::run::output;

/// The environment variable that tells tests its two addresses, SMTP's and HTTP's.
pub(crate) const VARIABLE: &str = "DAIRA_TEST_MAILPIT";

const VERSION: &str = "v1.27.11";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

fn folder(host: &Host) -> PathBuf {
    host.folder.join("run/mailpit")
}

/// Its addresses, if it runs and answers.
pub(crate) fn alive(host: &Host) -> Option<String> {
    let ports = fs::read_to_string(folder(host).join("ports")).ok()?;
    let (smtp, http) = ports.split_once(' ')?;
    let (smtp, http) = (smtp.parse().ok()?, http.parse().ok()?);
    answers(http).then(|| addresses(smtp, http))
}

/// Starts it, unless it runs already.
pub(crate) fn up(host: &Host) -> Result<String> {
    if let Some(addresses) = alive(host) {
        return Ok(addresses);
    }
    let program = host.folder.join(format!("mailpit-{VERSION}/mailpit"));
    go_install(&program, &format!("github.com/axllent/mailpit@{VERSION}"))?;
    eprintln!("starting Mailpit");
    down(host)?;
    let folder = folder(host);
    host.create(&folder)?;
    let (smtp, http) = {
        // Held at the same time, so that they differ.
        let (smtp, http) = (TcpListener::bind(("127.0.0.1", 0))?, TcpListener::bind(("127.0.0.1", 0))?);
        (smtp.local_addr()?.port(), http.local_addr()?.port())
    };
    let mut command = host.command(&program);
    command.args(["--smtp", &format!("127.0.0.1:{smtp}"), "--listen", &format!("127.0.0.1:{http}")]);
    command.arg("--database").arg(folder.join("mail.db"));
    command.args(["--disable-version-check", "--smtp-auth-accept-any", "--smtp-auth-allow-insecure", "--enable-chaos"]);
    let log = fs::File::create(folder.join("log"))?;
    let server = command.stdout(log.try_clone()?).stderr(log).stdin(Stdio::null()).spawn()?;
    fs::write(folder.join("pid"), server.id().to_string())?;
    let begun = Instant::now();
    while !answers(http) {
        ensure!(begun.elapsed() < PATIENCE, "Mailpit did not start: see {}", folder.join("log").display());
        sleep(Duration::from_millis(50));
    }
    fs::write(folder.join("ports"), format!("{smtp} {http}"))?;
    Ok(addresses(smtp, http))
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

fn addresses(smtp: u16, http: u16) -> String {
    format!("smtp://127.0.0.1:{smtp} http://127.0.0.1:{http}")
}

/// Whether it is Mailpit that answers there.
fn answers(http: u16) -> bool {
    get(http, "/api/v1/info").is_ok_and(|said| said.starts_with("HTTP/1.0 200") && said.contains("SMTPAccepted"))
}
