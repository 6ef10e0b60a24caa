//! Reads what a running server says about itself: its `postmaster.pid` and the process table.
//!
//! The file alone proves nothing: it outlives a killed server, and its process id may belong to somebody else by now, or
//! to a corpse whose parent has not collected it. So a server counts as running only while a living `postgres` of the
//! right user works in the very folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::account::Account;

/// What `postmaster.pid` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Postmaster {
    pub(super) pid: i32,
    pub(super) port: u16,
    pub(super) socket_dir: PathBuf,
    pub(super) ready: bool,
}

impl Postmaster {
    /// The file's contents, living or stale; `None` when there is no file, or only its beginning.
    pub(super) fn read(pgdata: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(file(pgdata)).ok()?, pgdata)
    }

    fn parse(text: &str, pgdata: &Path) -> Option<Self> {
        // Lines: process id, folder, start time, port, socket folder, address, shared memory, state.
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let line = |n: usize| lines.get(n).copied().unwrap_or_default();
        Some(Self {
            pid: line(0).parse().ok().filter(|pid| *pid > 1)?,
            port: line(3).parse().unwrap_or_default(),
            // A relative folder is meant from the server's own.
            socket_dir: pgdata.join(line(4)).canonicalize().unwrap_or_else(|_| pgdata.join(line(4))),
            ready: line(7) == "ready",
        })
    }

    /// The server of this folder, if it is alive, whether or not it is ready.
    pub(super) fn running(pgdata: &Path, account: &Account) -> Option<Self> {
        Self::read(pgdata).filter(|found| is_server_process(found.pid, pgdata, account))
    }
}

/// Where the server of a folder writes its process id.
pub(super) fn file(pgdata: &Path) -> PathBuf {
    pgdata.join("postmaster.pid")
}

/// Whether the process is a living `postgres` of this user, at work in this folder.
fn is_server_process(pid: i32, pgdata: &Path, account: &Account) -> bool {
    if !has_proc() {
        return listed_by_ps(pid, account);
    }
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return false };
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default();
    // `Z` is a corpse, `X` one that is just being collected; the second of the user ids is the effective one.
    let alive = !field("State:").starts_with(['Z', 'X']);
    let theirs = field("Uid:").split_whitespace().nth(1) == Some(&account.uid.to_string());
    let here = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == pgdata);
    alive && theirs && here && field("Name:") == "postgres"
}

/// The process id in a lock file of PostgreSQL's, whether or not such a process lives.
pub(super) fn recorded_pid(lock: &Path) -> Option<i32> {
    let text = fs::read_to_string(lock).ok()?;
    text.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1)
}

/// Whether anything at all, living or dead, answers to this process id; PostgreSQL asks no more than that.
pub(super) fn pid_is_taken(pid: i32) -> bool {
    has_proc() && Path::new(&format!("/proc/{pid}")).exists()
}

/// Server processes that still work in the folder; only Linux can tell.
pub(super) fn processes_in(pgdata: &Path, account: &Account) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| has_proc() && is_server_process(*pid, pgdata, account))
        .collect()
}

fn has_proc() -> bool {
    Path::new("/proc/self/status").exists()
}

fn listed_by_ps(pid: i32, account: &Account) -> bool {
    let pid = pid.to_string();
    let Ok(output) = std::process::Command::new("ps").args(["-o", "stat=,uid=,comm=", "-p", &pid]).output() else {
        return false;
    };
    let line = String::from_utf8_lossy(&output.stdout);
    let mut fields = line.split_whitespace();
    fields.next().is_some_and(|state| !state.starts_with('Z'))
        && fields.next() == Some(&account.uid.to_string())
        && fields.next().is_some_and(|program| program.ends_with("postgres"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "4242\n/data/pgdata\n1763900000\n5432\n../run\n\n  1703954         3\nready   \n";

    #[test]
    fn the_file_is_read_line_by_line() {
        let found = Postmaster::parse(FILE, Path::new("/data/pgdata")).unwrap();
        assert_eq!((found.pid, found.port, found.ready), (4242, 5432, true));
        assert_eq!(found.socket_dir, Path::new("/data/pgdata/../run"));
    }

    #[test]
    fn a_half_written_file_is_a_server_that_is_not_ready() {
        let found = Postmaster::parse("4242\n/data/pgdata\n", Path::new("/data/pgdata")).unwrap();
        assert!(!found.ready);
        assert_eq!(Postmaster::parse("", Path::new("/data")), None);
        // Process ids 0, 1 and below would address groups of processes or the whole system.
        assert_eq!(Postmaster::parse("-1\n", Path::new("/data")), None);
        assert_eq!(Postmaster::parse("1\n", Path::new("/data")), None);
    }

    #[test]
    fn a_process_that_is_not_postgres_is_not_the_server() {
        let me = i32::try_from(std::process::id()).unwrap();
        let here = std::env::current_dir().unwrap();
        let account = Account::choose(None).unwrap();
        assert!(!is_server_process(me, &here, &account));
        assert!(!listed_by_ps(me, &account));
    }
}
