//! `services`: the real servers that tests run against, set up on this machine, shared by all test runs, and thrown away
//! by `services down`; and the clients of others that tests drive our server with.
//!
//! Each says by environment variables where it is: `up` prints them (for `eval`), and [`up`] hands them to the
//! commands that run tests. A server that cannot be had is an error, never a reason to skip what needs it.

mod clients;
mod host;
mod mailpit;
mod obtain;
mod pgbouncer;
mod postgres;
mod redis;
mod toxiproxy;

use std::{
    fs::{self, File},
    path::PathBuf,
};

use anyhow::{Context as _, Result, bail};

use host::Host;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["up"] => up()?.iter().for_each(|(name, value)| println!("export {name}='{value}'")),
        ["down"] => down()?,
        ["status"] => status()?,
        _ => bail!("usage: cargo xtask services up | down | status"),
    }
    Ok(())
}

/// Starts what does not run yet, and gets the clients; the names and values of the variables that tests find them by.
pub(crate) fn up() -> Result<Vec<(String, String)>> {
    let mut variables = servers()?;
    let (host, _lock) = prepare()?;
    variables.extend(clients::variables(&host)?);
    Ok(variables)
}

/// The servers alone.
pub(crate) fn servers() -> Result<Vec<(String, String)>> {
    let (host, _lock) = prepare()?;
    let mut variables = Vec::new();
    for server in postgres::SERVERS {
        let bin = obtain::postgres(&host, server.major)?;
        let url = server.up(&host, &bin)?;
        variables.push((server.variable(), url));
        variables.push((format!("{}_BIN", server.variable()), bin.display().to_string()));
    }
    for pair in postgres::PAIRS {
        let [primary, _] = &pair;
        let urls = postgres::pair_up(&pair, &host, &obtain::postgres(&host, primary.major)?)?;
        variables.extend(pair.iter().map(postgres::Postgres::variable).zip(urls));
    }
    let [oldest, _] = postgres::SERVERS;
    let behind = oldest.alive(&host).context("the server behind PgBouncer does not run")?;
    variables.push((pgbouncer::VARIABLE.to_owned(), pgbouncer::up(&host, &behind)?));
    for server in redis::SERVERS {
        variables.push((server.variable().to_owned(), server.up(&host)?));
    }
    variables.push((toxiproxy::VARIABLE.to_owned(), toxiproxy::up(&host)?));
    variables.push((mailpit::VARIABLE.to_owned(), mailpit::up(&host)?));
    Ok(variables)
}

/// A PostgreSQL that the programs can run privately; the folder of its binaries, when they would not find it themselves.
pub(crate) fn postgresql() -> Result<Option<PathBuf>> {
    let (host, _lock) = prepare()?;
    obtain::any_postgres(&host)
}

/// The client that comes with PostgreSQL's package, and not with a build that was fetched.
pub(crate) fn psql() -> Result<()> {
    host::require("psql", "postgresql-client")
}

/// The folder that servers and their data can be in.
pub(crate) fn folder() -> Result<PathBuf> {
    Ok(Host::find()?.folder)
}

fn down() -> Result<()> {
    let (host, _lock) = prepare()?;
    pgbouncer::down(&host)?;
    postgres::SERVERS.iter().chain(postgres::PAIRS.iter().flatten()).try_for_each(|server| server.down(&host))?;
    redis::SERVERS.iter().try_for_each(|server| server.down(&host))?;
    toxiproxy::down(&host)?;
    mailpit::down(&host)
}

fn status() -> Result<()> {
    let (host, _lock) = prepare()?;
    let postgres = postgres::SERVERS.iter().chain(postgres::PAIRS.iter().flatten());
    let postgres = postgres.map(|server| (server.name(), server.alive(&host)));
    let pgbouncer = [("PgBouncer".to_owned(), pgbouncer::alive(&host))];
    let redis = redis::SERVERS.iter().map(|server| (server.name().to_owned(), server.alive(&host)));
    let toxiproxy = [("Toxiproxy".to_owned(), toxiproxy::alive(&host))];
    let mailpit = [("Mailpit".to_owned(), mailpit::alive(&host))];
    for (name, address) in postgres.chain(pgbouncer).chain(redis).chain(toxiproxy).chain(mailpit) {
        println!("{name:<21} {}", address.as_deref().unwrap_or("down"));
    }
    Ok(())
}

/// The folder that everything is in, and a lock on it: two test runs may begin at once.
fn prepare() -> Result<(Host, File)> {
    let host = Host::find()?;
    let run: PathBuf = host.folder.join("run");
    fs::create_dir_all(&run).with_context(|| format!("creating {}", run.display()))?;
    let lock = File::create(run.join("lock"))?;
    lock.lock().context("waiting for the lock on the test servers")?;
    Ok((host, lock))
}
