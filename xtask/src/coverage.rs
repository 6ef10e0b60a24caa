//! `coverage`: which lines of the libraries and the runner the tests reach: the least covered files, a line a crate, and in
//! the end `TOTAL … NN.NN%`.
//!
//! The compiler's own instrumentation and the tools of the toolchain, which are added to it when they are missing. Only our
//! own crates are instrumented, by a wrapper around their compiler, so that what the tests built of others serves here too.
//! Programs that tests start write profiles as well, unless they are killed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::features::LIBRARIES;
use crate::run::{cache, cargo, output, root};
use crate::services;

/// What is in them but is not written by hand, or exists to test others.
const UNCOUNTED: &str = "/generated/|/testkit/|/src/main\\.rs|/tests/|/postgres/testing\\.rs";
/// Files below this share of lines are listed.
const LOW: f64 = 90.0;

const SELECTION: [&str; 5] = ["test", "--all-features", "--no-fail-fast", "--lib", "--tests"];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    // Whatever `cargo test` chooses by, as `--package daira-feed`.
    let everything = ["--workspace".to_owned()];
    let chosen = if arguments.is_empty() { &everything[..] } else { arguments };
    let tools = tools()?;
    let folder = cache()?.join("coverage");
    let profiles = folder.join("profiles");
    if profiles.exists() {
        fs::remove_dir_all(&profiles)?;
    }
    fs::create_dir_all(&profiles)?;
    let wrapper = folder.join("rustc.sh");
    // Not `sh`, some of which drop variables that cargo sets: `CARGO_BIN_EXE_daira-server` is no name to them.
    fs::write(&wrapper, "#!/usr/bin/env bash\nexec \"$@\" -C instrument-coverage\n")?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    let instrumented = |more: &[&str]| -> Result<Command> {
        let mut command = cargo(&SELECTION)?;
        command.args(chosen).args(more).env("RUSTC_WORKSPACE_WRAPPER", &wrapper);
        // A file for each process: some are killed, and would leave a shared one damaged.
        command.env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"));
        Ok(command)
    };
    let built = output(&mut instrumented(&["--no-run", "--message-format=json-render-diagnostics"])?)?;
    let programs: Vec<String> = built.lines().filter_map(executable).collect();
    ensure!(!programs.is_empty(), "cargo built no tests");

    let mut tests = instrumented(&[])?;
    tests.envs(services::up()?);
    // What is not reached counts as much when a test fails, so the figures are told first.
    let passed = tests.status()?.success();
    let files = report(&tools, &profiles, &folder.join("merged.profdata"), &programs)?;
    print(&files);
    ensure!(passed, "tests failed, so the figures are too low");
    Ok(())
}

/// A file of ours: its path, its lines, and how many of them are reached.
struct Covered {
    path: String,
    lines: u64,
    reached: u64,
}

fn report(tools: &Path, profiles: &Path, merged: &Path, programs: &[String]) -> Result<Vec<Covered>> {
    let raw: Vec<String> =
        fs::read_dir(profiles)?.map(|entry| Ok(entry?.path().display().to_string())).collect::<Result<_>>()?;
    let list = merged.with_extension("txt");
    fs::write(&list, raw.join("\n"))?;
    let mut merge = Command::new(tools.join("llvm-profdata"));
    // A program that was killed while it wrote leaves a file that cannot be read.
    merge.args(["merge", "--sparse", "--failure-mode=all", "-o"]).arg(merged).arg("-f").arg(&list);
    output(&mut merge)?;
    let mut export = Command::new(tools.join("llvm-cov"));
    export.args(["export", "--summary-only", "--format=text", "--ignore-filename-regex", UNCOUNTED]);
    export.arg("--instr-profile").arg(merged);
    let objects = programs.iter().flat_map(|program| ["--object", program]);
    export.args(objects.skip(1)).args(LIBRARIES.map(|name| root().join(name).join("src")));
    let report: Value = serde_json::from_str(&output(&mut export)?)?;
    let files = report.pointer("/data/0/files").and_then(Value::as_array).context("llvm-cov lists no files")?;
    let mut covered = files.iter().map(file).collect::<Result<Vec<_>>>()?;
    covered.sort_by_key(|file| std::cmp::Reverse(file.lines - file.reached));
    Ok(covered)
}

fn file(file: &Value) -> Result<Covered> {
    let path = file.get("filename").and_then(Value::as_str).context("a file without a name")?;
    let count = |name: &str| file.pointer(&format!("/summary/lines/{name}")).and_then(Value::as_u64);
    Ok(Covered {
        path: Path::new(path).strip_prefix(root()).unwrap_or(Path::new(path)).display().to_string(),
        lines: count("count").context("a file without lines")?,
        reached: count("covered").context("a file without lines")?,
    })
}

fn print(files: &[Covered]) {
    println!("\nfiles below {LOW}%, those with the most lines missed first:");
    for file in files.iter().filter(|file| share(file.lines, file.reached) < LOW) {
        println!("{}", row(&file.path, file.lines, file.reached));
    }
    println!();
    let sum = |prefix: &str| {
        let of = files.iter().filter(|file| file.path.starts_with(prefix));
        of.fold((0, 0), |(lines, reached), file| (lines + file.lines, reached + file.reached))
    };
    for name in LIBRARIES {
        let (lines, reached) = sum(&format!("{name}/"));
        println!("{}", row(name, lines, reached));
    }
    let (lines, reached) = sum("");
    println!("{}", row("TOTAL", lines, reached));
}

fn row(name: &str, lines: u64, reached: u64) -> String {
    format!("{name:<56} {lines:>6} lines {:>6} missed {:>7.2}%", lines - reached, share(lines, reached))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of lines are small")]
fn share(lines: u64, reached: u64) -> f64 {
    if lines == 0 { 100.0 } else { reached as f64 * 100.0 / lines as f64 }
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
