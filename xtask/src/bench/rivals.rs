//! Rivals, measured in the same run: scripts in a folder of their own, which answer the same question from the same amount
//! of data.
//!
//! Rivals of the same kind are measured after each of our runs, so that what the machine does meanwhile meets both.
//!
//! Each script takes `C` (connections), `D` (seconds of a run) and `R` (runs) from its environment, and prints one line for
//! what it measured: a JSON object with `name`, `cpu_ms`, `srv_ms`, `pg_ms`, `p50`, `p99`, `rps`, `bytes_per` and
//! `others_cores`, or, for pgbench, `NAME tps=… p50=…ms p99=…ms pg_cpu_ms_per_tx=…`. Whatever they need to be set up and
//! seeded is theirs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Options;
use super::report::{Line, Report};

/// The rivals of the same kind, which take turns with us.
const PEERS: (&str, &[&str]) = ("30_graphql_peers.sh", &["yoga1"]);
/// What a page cannot be cheaper than.
const LIMITS: [(&str, &[&str]); 2] = [("50_hello.sh", &[]), ("40_pgbench.sh", &[])];
/// Takes part when it was started before.
const BLUESKY: (&str, &[&str]) = ("20_bluesky_measure.sh", &[]);

/// Measures the rivals that take turns.
pub(super) fn turn(folder: &Path, options: &Options, report: &mut Report) -> Result<()> {
    script(folder, PEERS, options, report)
}

/// Measures the others.
pub(super) fn rest(folder: &Path, options: &Options, report: &mut Report) -> Result<()> {
    let bluesky = std::env::var_os("RIVALS_BLUESKY").is_some().then_some(BLUESKY);
    bluesky.into_iter().chain(LIMITS).try_for_each(|one| script(folder, one, options, report))
}

fn script(folder: &Path, (name, arguments): (&str, &[&str]), options: &Options, report: &mut Report) -> Result<()> {
    eprintln!("rivals: {name} {}", arguments.join(" "));
    let mut child = Command::new(folder.join(name))
        .args(arguments)
        .env("C", options.connections.to_string())
        .env("D", options.time.as_secs().to_string())
        .env("R", options.runs.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {name} in {}", folder.display()))?;
    let told = child.stdout.take().context("no output")?;
    let mut lines: Vec<Line> = Vec::new();
    for line in BufReader::new(told).lines() {
        let line = line?;
        eprintln!("  {line}");
        lines.extend(from_json(&line).or_else(|| from_pgbench(&line)));
    }
    ensure!(child.wait()?.success(), "{name} failed");
    ensure!(!lines.is_empty(), "{name} measured nothing");
    for line in lines {
        report.rival(line);
    }
    Ok(())
}

fn from_json(line: &str) -> Option<Line> {
    let value: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| value.get(name).and_then(Value::as_f64);
    Some(Line {
        name: value.get("name")?.as_str()?.to_owned(),
        server: number("srv_ms")?,
        database: number("pg_ms").unwrap_or_default(),
        worker: 0.0,
        p50: number("p50")?,
        p99: number("p99")?,
        rate: number("rps")?,
        bytes: number("bytes_per").unwrap_or_default(),
        others: number("others_cores").unwrap_or_default(),
    })
}

/// pgbench tells every run.
fn from_pgbench(line: &str) -> Option<Line> {
    let name = line.split(' ').nth(1)?;
    let number = |name: &str| {
        let value = line.split(' ').find_map(|word| word.strip_prefix(name))?;
        value.trim_end_matches("ms").parse().ok()
    };
    Some(Line {
        name: format!("pgbench.{name}"),
        server: 0.0,
        database: number("pg_cpu_ms_per_tx=")?,
        worker: 0.0,
        p50: number("p50=")?,
        p99: number("p99=")?,
        rate: number("tps=")?,
        bytes: 0.0,
        others: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_lines_are_read() {
        let json = r#"{"name": "x.home", "srv_ms": 0.9, "pg_ms": 0.25, "p50": 12.5, "p99": 30, "rps": 1000.5}"#;
        let line = from_json(json).unwrap();
        assert!(line.name == "x.home" && (line.cost() - 1.15).abs() < 1e-9);
        let line = "12:00:00 home_unix tps=9000.1 lat_avg=1.7 ms p50=1.20ms p99=4.00ms max=9.00ms n=9 pg_cpu_ms_per_tx=.1312 load=2";
        let line = from_pgbench(line).unwrap();
        assert!(line.name == "pgbench.home_unix" && (line.cost() - 0.1312).abs() < 1e-9);
        assert!(from_json("up").is_none() && from_pgbench("up and away").is_none());
    }
}
