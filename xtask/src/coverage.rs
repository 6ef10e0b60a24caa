//! `coverage`: which lines of the libraries and the runner the tests reach, closing with a `TOTAL … NN.NN%` line.
//!
//! The compiler's own instrumentation and the tools of the toolchain; they are added to it when they are missing.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::run::{cache, cargo, output, root};
use crate::services;

/// The crates whose lines are counted.
const COUNTED: [&str; 6] = ["daira-core", "daira-store", "daira-media", "daira-feed", "daira-search", "daira-worker"];
/// What is in them but is not written by hand, or exists to test others.
const UNCOUNTED: &str = "/generated/|/testkit/|/src/main\\.rs|/tests/";

pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let tools = tools()?;
    let folder = cache()?.join("coverage");
    let profiles = folder.join("profiles");
    if profiles.exists() {
        std::fs::remove_dir_all(&profiles)?;
    }
    std::fs::create_dir_all(&profiles)?;
    let mut command = cargo(&[
        "test",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
        "--message-format=json-render-diagnostics",
        "--no-run",
    ])?;
    let instrumented = |command: &mut Command| {
        command
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env("RUSTFLAGS", "-C instrument-coverage")
            .env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"));
    };
    instrumented(&mut command);
    let built = output(&mut command)?;
    let objects: Vec<String> = built.lines().filter_map(executable).collect();
    ensure!(!objects.is_empty(), "cargo built no tests");

    let mut tests = cargo(&["test", "--workspace", "--all-features", "--no-fail-fast", "--lib", "--bins", "--tests"])?;
    instrumented(&mut tests);
    for (name, value) in services::up()? {
        tests.env(name, value);
    }
    ensure!(tests.status()?.success(), "tests failed");

    let merged = folder.join("merged.profdata");
    let raw: Vec<PathBuf> = std::fs::read_dir(&profiles)?.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    let list = folder.join("profiles.txt");
    std::fs::write(&list, raw.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join("\n"))?;
    output(
        Command::new(tools.join("llvm-profdata"))
            .args(["merge", "--sparse", "--failure-mode=all", "-f"])
            .arg(&list)
            .arg("-o")
            .arg(&merged),
    )?;
    let mut report = Command::new(tools.join("llvm-cov"));
    report.args(["report", "--summary-only", "--show-region-summary=false", "--show-branch-summary=false"]);
    report.arg(format!("--ignore-filename-regex={UNCOUNTED}")).arg(format!("--instr-profile={}", merged.display()));
    for (nth, object) in objects.iter().enumerate() {
        if nth > 0 {
            report.arg("--object");
        }
        report.arg(object);
    }
    report.args(COUNTED.map(|c| root().join(c).join("src")));
    print!("{}", output(&mut report)?);
    Ok(())
}

fn executable(line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).ok()?;
    message.get("executable")?.as_str().map(ToOwned::to_owned)
}

/// The folder of the toolchain's own LLVM tools.
fn tools() -> Result<PathBuf> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()))?;
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|l| l.strip_prefix("host: ")).context("rustc does not say its host")?;
    let folder = PathBuf::from(sysroot.trim()).join("lib/rustlib").join(host).join("bin");
    if !folder.join("llvm-cov").exists() {
        let added = Command::new("rustup").args(["component", "add", "llvm-tools"]).current_dir(root()).status();
        if !added.is_ok_and(|s| s.success()) || !folder.join("llvm-cov").exists() {
            bail!("coverage needs the toolchain's LLVM tools: run `rustup component add llvm-tools`");
        }
    }
    Ok(folder)
}
