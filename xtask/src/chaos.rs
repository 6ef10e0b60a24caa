//! `chaos`: kills server, worker and PostgreSQL under load, round after round, and proves after each that nothing that was
//! acknowledged is lost or doubled. The rounds themselves are a test of the server's, of which the suite runs one.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::run::{cargo, output};
use crate::services;

const TEST: &str = "e2e::chaos::security_83_what_was_acknowledged_survives_kill_9";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let rounds: u32 = match arguments {
        [] => 5,
        [name, value] if name == "--rounds" => value.parse().context("--rounds wants a number")?,
        _ => bail!("usage: cargo xtask chaos [--rounds N]"),
    };
    ensure!(rounds > 0, "no round would prove nothing");
    let binaries = services::postgresql()?;
    let build = [
        "test",
        "--workspace",
        "--all-features",
        "--test",
        "it",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ];
    let built = output(&mut cargo(&build)?)?;
    let program = built.lines().find_map(tests_of_the_server).context("cargo built no tests of the server")?;
    let status = Command::new(program)
        .args([TEST, "--exact", "--nocapture"])
        .env("DAIRA_TEST_CHAOS_ROUNDS", rounds.to_string())
        .envs(binaries.map(|folder| ("DAIRA_TEST_PG15_BIN", folder)))
        .status()?;
    ensure!(status.success(), "something was lost or doubled, or a program did not come back");
    Ok(())
}

/// The program of the server's tests, if a line of cargo's messages is about it.
fn tests_of_the_server(line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).ok()?;
    let package = message.get("manifest_path")?.as_str()?;
    let is_it = message.pointer("/target/name")? == "it" && package.ends_with("daira-server/Cargo.toml");
    is_it.then(|| message.get("executable")?.as_str().map(ToOwned::to_owned)).flatten()
}
