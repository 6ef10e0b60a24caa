//! What an operator should know of an installation before trouble tells it: a list of findings, each with a sentence and,
//! where something is wrong, with what to do. Nothing is changed but that partitions of today are made when they are
//! missing; a private PostgreSQL that was not running is stopped again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use daira_core::Ports;
use daira_core::record::{AuditService, BreachService};
use daira_store::postgres::cluster::{Binaries, Cluster};
use daira_store::postgres::{PgStoreConfig, gate, schema_state};

use super::{Backends, DATABASE, addresses, check_schema, is_set_up, keys, plan, redis_at, wishes};
use crate::config::{Config, SecretText};
use crate::consume;
use crate::job::NEAR;

/// Below this share of free space, in percent, there is trouble ahead; and below this many bytes.
const TIGHT: (u64, u64) = (10, 2 << 30);
/// With less than this, PostgreSQL soon cannot write.
const FULL: u64 = 256 << 20;
/// Events that wait for longer, in seconds, are late.
const LATE: u64 = 60;
/// Partitions are made seven days ahead, once an hour; with fewer days than this the job does not run.
const DAYS: u16 = 3;

/// The audit trail is sealed once a minute; with a line that waits for this long, in minutes, the job does not run.
const UNSEALED: u64 = 15;

const HINT: &str = ": does a worker run?";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but somebody should look.
    Warn,
    /// It does not work, or is not safe.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What was looked at, for instance `disk space`.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found, and what to do about it.
    pub told: String,
}

/// The findings so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, check: &'static str, level: Level, told: impl Into<String>) {
        self.0.push(Finding { check, level, told: told.into() });
    }

    /// What was asked for, or a failure that says why it is not to be had.
    fn take<T>(&mut self, check: &'static str, outcome: Result<T>) -> Option<T> {
        outcome.map_err(|error| self.add(check, Level::Fail, format!("{error:#}"))).ok()
    }
}

/// Looks at everything that an installation with these settings rests on.
pub async fn diagnose(config: &Config) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.add("settings", Level::Ok, format!("understood, for {:?}", config.environment).to_lowercase());
    data_folder(&mut findings, &config.data);
    disk(&mut findings, &config.data);
    if let Some(url) = &config.redis.url {
        redis(&mut findings, config, url).await;
    }
    if config.database.url.is_some() {
        let outcome = addresses(&config.database);
        if let Some(database) = findings.take("database", outcome) {
            database_at(&mut findings, config, database).await;
        }
    } else {
        private(&mut findings, config).await;
    }
    findings.0
}

fn data_folder(findings: &mut Findings, data: &Path) {
    const CHECK: &str = "data folder";
    let shown = data.display();
    if !data.exists() {
        return findings.add(CHECK, Level::Warn, format!("{shown} is not there yet; the first start makes it"));
    }
    let probe = data.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"?").and_then(|()| std::fs::remove_file(&probe));
    if let Err(error) = written {
        return findings.add(CHECK, Level::Fail, format!("{shown} cannot be written: {error}"));
    }
    match std::fs::metadata(data.join("secret")) {
        Ok(secret) if open_to_others(&secret) => {
            let told =
                format!("others may read {shown}/secret, from which all keys are made: chmod 600 {shown}/secret");
            findings.add(CHECK, Level::Fail, told);
        }
        _ => findings.add(CHECK, Level::Ok, format!("{shown} can be written")),
    }
}

fn open_to_others(file: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(file) & 0o077 != 0
}

fn disk(findings: &mut Findings, data: &Path) {
    const CHECK: &str = "disk space";
    // A folder that is to be made will lie where its first existing parent lies.
    let Some(there) =
        data.ancestors().map(|a| if a.as_os_str().is_empty() { Path::new(".") } else { a }).find(|a| a.exists())
    else {
        return findings.add(CHECK, Level::Fail, format!("no parent of {} exists", data.display()));
    };
    match nix::sys::statvfs::statvfs(there) {
        Err(error) => findings.add(CHECK, Level::Fail, format!("cannot be asked for {}: {error}", there.display())),
        Ok(disk) => {
            let (level, told) =
                room(disk.blocks() * disk.fragment_size(), disk.blocks_available() * disk.fragment_size());
            findings.add(CHECK, level, told);
        }
    }
}

/// What to think of so much room in all, and so much of it free.
fn room(all: u64, free: u64) -> (Level, String) {
    let (percent, megabytes) = (free.saturating_mul(100).checked_div(all).unwrap_or(0), free >> 20);
    let told = format!("{megabytes} MiB are free, {percent} %");
    match free {
        free if free < FULL => (Level::Fail, format!("{told}: free some, or writing stops")),
        free if percent < TIGHT.0 && free < TIGHT.1 => (Level::Warn, format!("{told}: free some soon")),
        _ => (Level::Ok, told),
    }
}

async fn redis(findings: &mut Findings, config: &Config, url: &SecretText) {
    const CHECK: &str = "Redis";
    let Some(redis) = findings.take(CHECK, redis_at(config, url)) else { return };
    if findings.take(CHECK, redis.ready().await.context("cannot be reached at redis.url")).is_some() {
        findings.add(CHECK, Level::Ok, "counts limits for all nodes");
    }
}

/// The private PostgreSQL.
async fn private(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "PostgreSQL";
    if !is_set_up(config) {
        let found = Binaries::find(config.database.binaries.as_deref(), None, &config.data).await;
        if let Some(found) = findings.take(CHECK, found.map_err(Into::into)) {
            let told = format!("version {} in {}; the first start sets it up", found.major(), found.folder().display());
            findings.add(CHECK, Level::Ok, told);
        }
        return;
    }
    let Some(cluster) = findings.take(CHECK, Cluster::ensure(wishes(config)).await.map_err(Into::into)) else { return };
    findings.add(CHECK, Level::Ok, format!("version {} in {}", cluster.facts().major(), cluster.folder().display()));
    let addresses =
        keys::master(config).and_then(|master| Ok(plan(&master).addresses(&cluster.facts().superuser_url(DATABASE))?));
    if let Some(database) = findings.take("database", addresses) {
        database_at(findings, config, database).await;
    }
    findings.take(CHECK, cluster.shutdown().await.map_err(Into::into));
}

/// The database itself, asked by the roles that serve.
async fn database_at(findings: &mut Findings, config: &Config, database: PgStoreConfig) {
    let state = schema_state(&database.worker_url).await.map_err(Into::into);
    let Some(state) = findings.take("database", state) else { return };
    if findings.take("schema", check_schema(&state)).is_none() {
        return;
    }
    findings.add("schema", Level::Ok, "is this program's");
    if let (Some(server), true) = (state.server, config.database.url.is_some()) {
        findings.add("PostgreSQL", Level::Ok, format!("version {server}, a server of your own"));
    }
    if let Some(url) = &database.replica_url {
        match schema_state(url).await {
            Ok(_) => findings.add("replica", Level::Ok, "answers; it is read while it is new enough"),
            Err(error) => {
                let told =
                    format!("cannot be read at database.replica_url: the primary answers everything ({error:#})");
                findings.add("replica", Level::Warn, told);
            }
        }
    }
    for (check, url) in [("role of the server", &database.app_url), ("role of the worker", &database.worker_url)] {
        let holes = gate::inspect(url).await.map_err(Into::into);
        match findings.take(check, holes).as_deref() {
            None => {}
            Some([]) => findings.add(check, Level::Ok, "bypasses no guard, and every guard is up"),
            Some(holes) => {
                for hole in holes {
                    findings.add(check, Level::Fail, hole.to_string());
                }
            }
        }
    }
    let backends = match keys::master(config) {
        Ok(master) => Backends::over(config, &master, database, None, None).await,
        Err(error) => Err(error),
    };
    let Some(backends) = findings.take("database", backends) else { return };
    running(findings, &backends).await;
    findings.take("database", backends.close().await);
}

/// What the worker keeps in shape.
async fn running(findings: &mut Findings, backends: &Backends) {
    let ports = &backends.ports;
    let ahead = ports.maintenance.ensure_partitions(ports.clock.now(), 0).await.map_err(Into::into);
    if let Some(ahead) = findings.take("partitions", ahead) {
        let (level, hint) = if ahead < DAYS { (Level::Warn, HINT) } else { (Level::Ok, "") };
        findings.add("partitions", level, format!("reach {ahead} days ahead{hint}"));
    }
    for group in consume::GROUPS {
        let lag = ports.bus.lag(group).await.map_err(Into::into);
        let Some(lag) = findings.take("event log", lag) else { continue };
        let seconds = lag.oldest.as_secs();
        let (level, hint) = if seconds > LATE { (Level::Warn, HINT) } else { (Level::Ok, "") };
        let told = format!("{}: {} events wait, the oldest for {seconds} s{hint}", group.name, lag.events);
        findings.add("event log", level, told);
        if lag.dead > 0 {
            let told = format!("{}: {} (see `daira-server dlq list`)", group.name, lag.dead);
            findings.add("dead letters", Level::Warn, told);
        }
    }
    records(findings, ports).await;
    if findings.0.iter().all(|finding| finding.check != "dead letters") {
        findings.add("dead letters", Level::Ok, "none");
    }
}

/// What is to be proved later, and what is to be reported soon.
async fn records(findings: &mut Findings, ports: &Ports) {
    let waiting = AuditService::new(ports.clone()).oldest_waiting().await.map_err(Into::into);
    if let Some(waiting) = findings.take("audit trail", waiting) {
        let minutes = waiting.as_secs() / 60;
        let (level, hint) = if minutes >= UNSEALED { (Level::Warn, HINT) } else { (Level::Ok, "") };
        let told = format!(
            "its newest seal leaves {minutes} min uncovered{hint} (`daira-server admin audit verify` checks all)"
        );
        findings.add("audit trail", level, told);
    }
    let left = BreachService::new(ports.clone()).least_left().await.map_err(Into::into);
    if let Some(left) = findings.take("breaches", left) {
        let (level, told) = clock(left);
        findings.add("breaches", level, told);
    }
}

/// What to think of the time left to report a breach.
fn clock(left: Option<Duration>) -> (Level, String) {
    const SEE: &str = "see `daira-server admin breach list`";
    match left {
        None => (Level::Ok, "none is to be reported".to_owned()),
        Some(left) if left.is_zero() => {
            (Level::Fail, format!("one was to be reported within 72 hours and was not: {SEE}"))
        }
        Some(left) if left < NEAR => {
            (Level::Warn, format!("one has to be reported within {} h: {SEE}", left.as_secs() / 3600))
        }
        Some(left) => (Level::Ok, format!("one is to be reported within {} h", left.as_secs() / 3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_judged_by_what_is_left() {
        const GIB: u64 = 1 << 30;
        for (all, free, level) in [
            (100 * GIB, 50 * GIB, Level::Ok),
            (1_000 * GIB, 5 * GIB, Level::Ok),
            (4 * GIB, GIB, Level::Ok),
            (20 * GIB, GIB, Level::Warn),
            (20 * GIB, GIB / 8, Level::Fail),
            (0, 0, Level::Fail),
        ] {
            assert_eq!(room(all, free).0, level, "{free} of {all}");
        }
    }

    #[test]
    fn the_clock_of_a_breach_is_told() {
        let hours = |hours| Some(Duration::from_hours(hours));
        for (left, level) in
            [(None, Level::Ok), (hours(60), Level::Ok), (hours(23), Level::Warn), (hours(0), Level::Fail)]
        {
            assert_eq!(clock(left).0, level, "{left:?}");
        }
    }

    #[test]
    fn a_readable_secret_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "x").unwrap();
        for (mode, level) in [(0o600, Level::Ok), (0o640, Level::Fail)] {
            std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            let mut findings = Findings::default();
            data_folder(&mut findings, folder.path());
            assert_eq!(findings.0[0].level, level, "{:?}", findings.0);
        }
    }
}
