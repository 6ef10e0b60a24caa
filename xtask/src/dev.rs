//! `dev`: everything on this machine with one command. Installs PostgreSQL where it is missing and may, builds, loads the
//! demo world the first time, starts server and worker on the private PostgreSQL in a data folder, and prints where things
//! are, a ready log-in, and one `curl` whose answer is that person's feed. Ctrl-C stops everything that it started.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::run::{cache, cargo, root};
use crate::services;

const HTTP: &str = "127.0.0.1:8000";
const GRPC: &str = "127.0.0.1:50051";
/// How long the server may take to be ready.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), "usage: cargo xtask dev");
    for address in [HTTP, GRPC] {
        ensure!(TcpStream::connect(address).is_err(), "something listens on {address} already: stop it first");
    }
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::SeqCst)).context("listening for Ctrl-C")?;
    let data = data_folder()?;
    let binaries = services::postgresql()?;
    eprintln!("building (the first time takes some minutes)");
    let built =
        cargo(&["build", "--package", "daira-server", "--package", "daira-worker", "--features", "daira-worker/bin"])?
            .status()?;
    ensure!(built.success(), "the build failed");
    let programs = programs()?;
    let configured = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command
            .current_dir(root())
            .env("DAIRA_ENVIRONMENT", "development")
            .env("DAIRA_DATA", &data)
            .env("DAIRA_DATABASE__BINARIES", &binaries)
            .env("DAIRA_HTTP__LISTEN", HTTP)
            .env("DAIRA_GRPC__LISTEN", GRPC)
            .env("DAIRA_WORKERS__IN_SERVER", "false")
            .env("DAIRA_PRODUCT__PULL_THRESHOLD", "200")
            .env("DAIRA_PRODUCT__ACCESS_TOKEN_SECONDS", "3600")
            .env("DAIRA_LOG__FORMAT", "pretty")
            .env("DAIRA_LOG__FILTER", "warn,daira_server=info,daira_worker=info");
        command
    };
    let mut seed = configured("daira-server");
    seed.args(["seed", "--people", "1000", "--posts", "20000", "--seed", "1", "--if-empty"]);
    eprintln!("looking after the demo world in {}", data.display());
    ensure!(seed.status()?.success(), "the demo world could not be loaded");

    let mut running = vec![("server", configured("daira-server").arg("serve").spawn()?)];
    running.push(("worker", configured("daira-worker").spawn()?));
    let outcome = ready(&stop, &mut running).and_then(|()| {
        greet(&data)?;
        watch(&stop, &mut running)
    });
    for (name, child) in &mut running {
        end(name, child);
    }
    outcome
}

/// Where the programs keep everything: in the repository's own `data`, unless that lies below a folder that only its owner
/// may enter while root runs us: the private PostgreSQL runs as another user then.
fn data_folder() -> Result<PathBuf> {
    let folder = root().join("data");
    let closed = |folder: &Path| {
        use std::os::unix::fs::PermissionsExt as _;
        folder.ancestors().skip(1).any(|f| std::fs::metadata(f).is_ok_and(|m| m.permissions().mode() & 0o001 == 0))
    };
    let is_root = crate::run::output(Command::new("id").arg("-u"))?.trim() == "0";
    if !is_root || !closed(&folder) {
        return Ok(folder);
    }
    let name = root().display().to_string().replace('/', "-");
    Ok(PathBuf::from("/var/lib/daira").join(name.trim_matches('-')))
}

fn programs() -> Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache().map(|c| c.join("target")), |t| Ok(t.into()))?;
    Ok(target.join("debug"))
}

fn ready(stop: &AtomicBool, running: &mut [(&str, Child)]) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE && !stop.load(Ordering::SeqCst) {
        if let Ok((200, _)) = request("GET", "/readyz", None) {
            return Ok(());
        }
        alive(running)?;
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("the server is not ready")
}

fn watch(stop: &AtomicBool, running: &mut [(&str, Child)]) -> Result<()> {
    while !stop.load(Ordering::SeqCst) {
        alive(running)?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn alive(running: &mut [(&str, Child)]) -> Result<()> {
    for (name, child) in running {
        if let Some(status) = child.try_wait()? {
            bail!("the {name} ended by itself ({status})");
        }
    }
    Ok(())
}

/// Asks a program to finish and waits until it has. Ctrl-C reached it already; being asked twice would hurry it.
fn end(name: &str, child: &mut Child) {
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_secs(2) {
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // It may not have been reached, when we were told by another signal than Ctrl-C.
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    if !told.is_ok_and(|s| s.success()) || child.wait().is_err() {
        eprintln!("the {name} could not be stopped");
    }
}

/// Prints where things are, and a log-in that works.
fn greet(data: &Path) -> Result<()> {
    let (email, password) = somebody(data)?;
    let log_in = json!({
        "query": "mutation($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } userErrors { message } } }",
        "variables": { "input": { "email": email, "password": password, "device": "cargo xtask dev" } },
    });
    let (_, answer) = request("POST", "/graphql", Some(&log_in))?;
    let token = answer.pointer("/data/logIn/tokens/accessToken").and_then(Value::as_str);
    let token = token.with_context(|| format!("the demo log-in failed: {answer}"))?;
    println!(
        "\nDAIRA is running.\n\n  GraphQL and GraphiQL  http://{HTTP}/graphql\n  gRPC                  {GRPC}\n  health, metrics       http://{HTTP}/health  http://{HTTP}/metrics\n  mails                 {mails}\n\n  log in as             {email}\n  with the password     {password}\n\nRead their feed:\n\ncurl -s http://{HTTP}/graphql -H 'content-type: application/json' -H 'authorization: Bearer {token}' \\\n  -d '{{\"query\":\"{{ homeFeed(first: 5) {{ edges {{ node {{ text author {{ name handle }} }} }} }} }}\"}}'\n\nCtrl-C stops everything.\n",
        mails = data.join("mail").display(),
    );
    Ok(())
}

/// The log-in that loading the world told us of, kept beside it for later starts.
fn somebody(data: &Path) -> Result<(String, String)> {
    let kept = data.join("demo-login.json");
    let text = std::fs::read_to_string(&kept).with_context(|| format!("reading {}", kept.display()))?;
    let kept: Value = serde_json::from_str(&text)?;
    let field = |name: &str| {
        kept.get(name).and_then(Value::as_str).map(ToOwned::to_owned).context("the kept log-in is damaged")
    };
    Ok((field("email")?, field("password")?))
}

/// One request to the server, over a connection of its own.
fn request(method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(HTTP)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {HTTP}\r\nconnection: close\r\ncontent-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no status")?;
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}
