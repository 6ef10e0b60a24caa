//! What the database says of every checked query: columns, types, what can be null. With it a build needs no database.
//!
//! A fresh database gets the migrations, as their owner would run them; then the store is compiled against it, and its
//! macros write down what they learnt. No program of ours takes part: none compiles while a query is out of date.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::run::{cargo, output, root};
use crate::services;

/// The lock under which roles are made on the servers of tests.
const LOCK: i64 = 0x0074_656d_706c;

pub(super) fn generate(out: &Path) -> Result<()> {
    let servers = services::servers()?;
    let (_, server) = servers.iter().find(|(name, _)| name == "DAIRA_TEST_PG15").context("no PostgreSQL 15")?;
    services::psql()?;
    let name = format!("daira_codegen_{}", std::process::id());
    let store = root().join("daira-store");
    // Tests make the roles too, under this lock.
    let lock = format!("select from pg_advisory_lock({LOCK})");
    psql(server, None, &["-c", &lock, "-f", path(&store.join("src/postgres/roles.sql"))?])?;
    psql(server, None, &["-c", &format!("create database {name} owner daira_owner")])?;
    let address = format!("{}/{name}", server.rsplit_once('/').context("an address without a database")?.0);
    let made = migrate(&address, &store.join("migrations")).and_then(|()| compile(&address, out));
    psql(server, None, &["-c", &format!("drop database if exists {name} with (force)")])?;
    made
}

fn migrate(address: &str, migrations: &Path) -> Result<()> {
    let mut files: Vec<_> = fs::read_dir(migrations)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    files.iter().try_for_each(|file| {
        // Some statements go by themselves only.
        let whole: &[&str] = if fs::read_to_string(file)?.starts_with("-- no-transaction") { &[] } else { &["-1"] };
        psql(address, Some("-c role=daira_owner"), &[whole, &["-f", path(file)?]].concat())
    })
}

fn compile(address: &str, out: &Path) -> Result<()> {
    fs::create_dir_all(out)?;
    // A word that is new each time has the crate compiled even if nothing in it changed; the macros must run.
    let anew = format!("codegen=\"{}\"", std::process::id());
    let mut command = cargo(&["rustc", "--quiet", "--package", "daira-store", "--all-features", "--lib"])?;
    command.args(["--profile", "check", "--", "--cfg", &anew]);
    let status = command.env("DATABASE_URL", address).env("SQLX_OFFLINE_DIR", out).status()?;
    ensure!(status.success(), "the store does not compile against its own schema");
    ensure!(fs::read_dir(out)?.next().is_some(), "no query was written down");
    Ok(())
}

fn psql(address: &str, options: Option<&str>, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]).arg(address).args(arguments);
    if let Some(options) = options {
        command.env("PGOPTIONS", options);
    }
    output(&mut command).map(|_| ())
}

fn path(path: &Path) -> Result<&str> {
    match path.to_str() {
        Some(text) => Ok(text),
        None => bail!("{} is no text", path.display()),
    }
}
