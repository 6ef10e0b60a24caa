//! Running other programs: where we are, where builds go, and steps with a label and the time they took.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

/// The repository's folder. Cargo says it at run time; what was compiled in may be another clone's, if they share a
/// build folder.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), Path::to_owned)
}

/// Where downloads, builds and throw-away servers live, outside the repository: `DAIRA_CACHE`, or `daira` in the user's
/// cache folder.
pub(crate) fn cache() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("DAIRA_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|folder| folder.join("daira")))
        .or_else(|| from("HOME").map(|folder| folder.join(".cache/daira")))
        .context("set DAIRA_CACHE to a folder for builds and downloads: there is no HOME")
}

/// A cargo command in the repository. Builds go to the cache, unless `CARGO_TARGET_DIR` says otherwise.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command.env("CARGO_TARGET_DIR", target()?);
    Ok(command)
}

/// Builds our programs as the tests build them, so that nothing is compiled twice, and tells their folder.
pub(crate) fn programs() -> Result<PathBuf> {
    // The example is there for its tests' dependencies: with any, cargo chooses the features that it chooses for tests.
    let wanted = ["--bin", "daira-server", "--bin", "daira-worker", "--example", "embed"];
    let status = cargo(&["build", "--workspace", "--all-features"])?.args(wanted).status()?;
    ensure!(status.success(), "the build failed");
    Ok(target()?.join("debug"))
}

/// The folder of builds.
pub(crate) fn target() -> Result<PathBuf> {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Ok(cache()?.join("target")), |folder| Ok(folder.into()))
}

/// What a command prints; an error shows what it complained about.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("cannot run {shown}"))?;
    if !output.status.success() {
        // Some programs complain on the one, some on the other.
        let said = [output.stdout, output.stderr].concat();
        bail!("{shown} failed ({}):\n{}", output.status, tail(&String::from_utf8_lossy(&said), 30));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.trim_end().lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

/// Whether a program is on the search path.
pub(crate) fn have(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A sequence of steps that goes on after a failure, so that one run shows everything that is wrong.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

/// A step that was taken.
struct Step {
    label: String,
    /// By the clock on the wall.
    time: Duration,
    /// Of processors, by programs that ended; unknown where there is no `/proc`.
    work: Option<Duration>,
    outcome: Result<()>,
}

impl Steps {
    /// Runs a command as a step; its output is shown as it comes.
    pub(crate) fn command(&mut self, label: &str, command: &mut Command) {
        self.step(label, || {
            let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
            if status.success() { Ok(()) } else { bail!("{command:?} failed ({status})") }
        });
    }

    /// Runs anything as a step.
    pub(crate) fn step(&mut self, label: &str, work: impl FnOnce() -> Result<()>) {
        eprintln!("── {label}");
        let (began, worked) = (Instant::now(), processor_time());
        let outcome = work();
        if let Err(error) = &outcome {
            eprintln!("{error:#}");
        }
        let work = worked.zip(processor_time()).map(|(before, after)| after.saturating_sub(before));
        self.done.push(Step { label: label.to_owned(), time: began.elapsed(), work, outcome });
    }

    /// Prints each step with its time, and fails if one did.
    pub(crate) fn finish(self) -> Result<()> {
        let failed = self.done.iter().filter(|step| step.outcome.is_err()).count();
        eprintln!();
        for step in &self.done {
            let verdict = if step.outcome.is_ok() { "ok    " } else { "FAILED" };
            let work = step.work.map_or_else(String::new, |work| format!(" ({:.0} s of work)", work.as_secs_f64()));
            eprintln!("{verdict} {:>7.1} s  {}{work}", step.time.as_secs_f64(), step.label);
        }
        ensure!(failed == 0, "{failed} of {} steps failed", self.done.len());
        Ok(())
    }
}

/// The processor time of all programs that we ran and that have ended.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold anything; the state after it is field 3, the times are 16 and 17.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?;
    // Linux counts in hundredths of a second, everywhere.
    Some(Duration::from_millis(ticks * 10))
}
