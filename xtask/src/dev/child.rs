//! The programs that `dev` starts: known by number in a file, so that the next run finds what a killed one left behind.
//!
//! Each has a process group of its own: what the terminal sends reaches us alone, and we stop them in order.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::POLL;
use crate::run::output;

/// How long a program may take to finish its work. It drains for 20 seconds at most.
const DRAIN: Duration = Duration::from_secs(40);

/// What runs.
pub(super) struct Children {
    running: Vec<(String, Child)>,
    /// The file of process numbers.
    record: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Children {
    /// Nothing runs yet.
    pub(super) fn new(data: &Path, stop: &Arc<AtomicBool>) -> Self {
        Self { running: Vec::new(), record: data.join("dev-processes"), stop: Arc::clone(stop) }
    }

    pub(super) fn told_to_stop(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Takes the data folder for this run: refuses while another run has it, and ends what one left behind that was killed.
    /// A number counts only if its process still runs the program it had: numbers are given again.
    pub(super) fn claim(&self) -> Result<()> {
        let record = fs::read_to_string(&self.record).unwrap_or_default();
        let runs = |pid: &str, program: &str| program_of(pid).is_some_and(|path| path.starts_with(program));
        let mut lines = record.lines().filter_map(|line| line.split_once(' '));
        // The first line is the run's own.
        if let Some((pid, program)) = lines.next() {
            ensure!(!runs(pid, program), "`cargo xtask dev` runs here already, as process {pid}");
        }
        for (pid, program) in lines {
            if runs(pid, program) {
                eprintln!("stopping what an earlier run left behind: {program} (process {pid})");
                tell(pid, "TERM");
                let asked = Instant::now();
                while asked.elapsed() < DRAIN && program_of(pid).is_some() {
                    std::thread::sleep(POLL);
                }
            }
        }
        let folder = self.record.parent().context("a file in no folder")?;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let me = format!("{} {}\n", std::process::id(), std::env::current_exe()?.display());
        fs::write(&self.record, me).with_context(|| format!("writing {}", self.record.display()))
    }

    /// Starts a program.
    pub(super) fn start(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let child = command.stdin(Stdio::null()).process_group(0).spawn();
        let child = child.with_context(|| format!("the {name} cannot be started"))?;
        let line = format!("{} {}\n", child.id(), command.get_program().display());
        self.running.push((name.to_owned(), child));
        let record = OpenOptions::new().create(true).append(true).open(&self.record);
        let written = record.and_then(|mut file| file.write_all(line.as_bytes()));
        written.with_context(|| format!("writing {}", self.record.display()))
    }

    /// Runs a program to its end, or until we are told to stop.
    pub(super) fn finish(&mut self, name: &str, command: &mut Command) -> Result<()> {
        self.start(name, command)?;
        while !self.told_to_stop() {
            let Some((_, child)) = self.running.last_mut() else { break };
            if let Some(status) = child.try_wait()? {
                self.running.pop();
                ensure!(status.success(), "the {name} failed ({status}); what went wrong is written above");
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Fails when one of them has ended.
    pub(super) fn all_run(&mut self) -> Result<()> {
        for (name, child) in &mut self.running {
            if let Some(status) = child.try_wait()? {
                bail!("the {name} ended by itself ({status}); what went wrong is written above");
            }
        }
        Ok(())
    }

    /// Asks all of them to finish, and waits until they have.
    pub(super) fn end_all(&mut self) {
        for (_, child) in &mut self.running {
            if matches!(child.try_wait(), Ok(None)) {
                tell(&child.id().to_string(), "TERM");
            }
        }
        for (name, child) in &mut self.running {
            let asked = Instant::now();
            while matches!(child.try_wait(), Ok(None)) {
                if asked.elapsed() > DRAIN {
                    eprintln!("the {name} does not stop: it is killed");
                    tell(&child.id().to_string(), "KILL");
                }
                std::thread::sleep(POLL);
            }
        }
        let _nothing_runs = fs::remove_file(&self.record);
    }
}

/// The program that a process runs.
fn program_of(pid: &str) -> Option<String> {
    match fs::read_link(format!("/proc/{pid}/exe")) {
        Ok(path) => Some(path.to_string_lossy().into_owned()),
        Err(_) if Path::new("/proc/self/exe").exists() => None,
        Err(_) => output(Command::new("ps").args(["-o", "command=", "-p", pid])).ok(),
    }
}

/// Sends a signal. The shell's own `kill` is everywhere; the program is not.
fn tell(pid: &str, signal: &str) {
    let told = Command::new("sh").args(["-c", "kill -\"$1\" \"$2\"", "sh", signal, pid]).status();
    if !told.is_ok_and(|status| status.success()) {
        eprintln!("process {pid} could not be told to stop");
    }
}
