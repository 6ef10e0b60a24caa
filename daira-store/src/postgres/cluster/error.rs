//! Everything that can go wrong with the embedded cluster, each told as what happened, why, and what to do about it.
//!
//! The reader is the person who just typed the command that starts DAIRA, often on their own laptop: the texts name the
//! folder, the user and the command to type. Secrets never enter them.

use std::{fmt::Write as _, io, path::PathBuf};

use super::binaries::MINIMUM_MAJOR;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the embedded cluster could not be set up, started, reached or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No PostgreSQL server of a usable version is installed.
    #[error("{}", missing_text(.looked_in, .too_old))]
    BinariesNotFound {
        /// Folders that were tried.
        looked_in: Vec<PathBuf>,
        /// Installations that exist but are older than what DAIRA needs, with their major version.
        too_old: Vec<(PathBuf, u32)>,
    },

    /// The configured folder of PostgreSQL binaries cannot be used.
    #[error(
        "the configured PostgreSQL folder {} cannot be used: {why}; point the setting at the folder that holds `postgres`, `initdb` and `pg_ctl` of version {MINIMUM_MAJOR} or newer, or remove it to let DAIRA look by itself", folder.display()
    )]
    UnusableBinaries {
        /// The configured folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },

    /// The folder was made by a PostgreSQL major version that is not installed here.
    #[error("{}", wrong_major_text(.folder, *.made_by, .available))]
    WrongMajor {
        /// The cluster's folder.
        folder: PathBuf,
        /// The major version that made it.
        made_by: u32,
        /// The usable major versions that were found.
        available: Vec<u32>,
    },

    /// The folder holds files, but no cluster of ours.
    #[error(
        "the folder {} is not empty and holds no DAIRA cluster (found `{found}`), so nothing in it was touched; choose an empty or a new folder", folder.display()
    )]
    NotOurs {
        /// The configured folder.
        folder: PathBuf,
        /// One entry that does not belong to a cluster.
        found: String,
    },

    /// The folder belongs to somebody else.
    #[error(
        "the data folder {} belongs to the user {owner}, but this process runs as {me}, and the passwords and files in it are its owner's alone; run DAIRA as {owner}, or choose another data folder", folder.display()
    )]
    ForeignOwner {
        /// The cluster's folder.
        folder: PathBuf,
        /// The name of its owner.
        owner: String,
        /// The name of the user this process runs as.
        me: String,
    },

    /// The folder cannot be created or written to.
    #[error(
        "the data folder {} cannot be written ({source}): give the user {user} the right to write there (for example `chown {user} {}`), or choose another data folder", folder.display(), folder.display()
    )]
    NotWritable {
        /// The cluster's folder, or the parent in which it should be created.
        folder: PathBuf,
        /// The name of the user that needs to write.
        user: String,
        /// What the operating system said.
        source: io::Error,
    },

    /// A parent of the folder may not be entered by the user that PostgreSQL runs as.
    #[error(
        "the folder {} may not be entered by the user {user}, as whom PostgreSQL runs (it refuses to run as root), so it cannot reach {}; type `chmod o+x {}`, or choose a data folder elsewhere, for example under /var/lib/daira", parent.display(), folder.display(), parent.display()
    )]
    ClosedParent {
        /// The first folder on the way that is closed.
        parent: PathBuf,
        /// The cluster's folder.
        folder: PathBuf,
        /// The name of the user that PostgreSQL runs as.
        user: String,
    },

    /// We are root, and no unprivileged user exists to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root and none of the users {tried} exists; create one (for example `useradd --system postgres`), or run DAIRA as an ordinary user"
    )]
    NoUnprivilegedUser {
        /// The names that were tried.
        tried: String,
    },

    /// No safe folder could be had for the Unix socket.
    #[error(
        "the path of the data folder is too long for a Unix socket, and the short folder {} that would stand in for it cannot be used: {why}; remove that folder or choose a data folder with a shorter path", folder.display()
    )]
    SocketFolder {
        /// The short folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },

    /// There is no room left on the device.
    #[error(
        "the disk that holds {} is full: free some space there and start again; what was stored before is still there{}", folder.display(), tail(.log)
    )]
    DiskFull {
        /// The cluster's folder.
        folder: PathBuf,
        /// The end of what PostgreSQL said; empty when it did not get as far as saying anything.
        log: String,
    },

    /// The files in the folder are damaged or incomplete.
    #[error(
        "the data folder {} is damaged: {detail}; DAIRA does not delete or repair it: restore it from a backup, or move it away to begin with an empty one{}", folder.display(), tail(.log)
    )]
    Corrupted {
        /// The cluster's folder.
        folder: PathBuf,
        /// What is wrong with it.
        detail: String,
        /// The end of what PostgreSQL said.
        log: String,
    },

    /// The set-up of a new folder failed.
    #[error(
        "a new PostgreSQL folder could not be set up in {}: `initdb` failed; the cause is in its output{}", folder.display(), tail(.log)
    )]
    Setup {
        /// The cluster's folder.
        folder: PathBuf,
        /// The end of the output.
        log: String,
    },

    /// PostgreSQL ended instead of starting.
    #[error(
        "PostgreSQL could not be started on {}: it ended at once; the cause is in its log{}", folder.display(), tail(.log)
    )]
    Start {
        /// The cluster's folder.
        folder: PathBuf,
        /// The end of the log.
        log: String,
    },

    /// PostgreSQL was not ready in time.
    #[error(
        "PostgreSQL on {} was not ready after {seconds} seconds; after a crash it may still be recovering: start again in a while, or raise the start timeout{}", folder.display(), tail(.log)
    )]
    StartTimeout {
        /// The cluster's folder.
        folder: PathBuf,
        /// How long we waited, in seconds.
        seconds: u64,
        /// The end of the log.
        log: String,
    },

    /// Processes of a killed PostgreSQL still work in the folder.
    #[error(
        "PostgreSQL on {} was killed, but its processes {pids} still work in the folder, so a new one cannot start yet; wait until they have ended, or end them (`kill {pids}`)", folder.display()
    )]
    Orphans {
        /// The cluster's folder.
        folder: PathBuf,
        /// Their process ids, separated by spaces.
        pids: String,
    },

    /// PostgreSQL did not stop in time.
    #[error(
        "PostgreSQL (process {pid}) on {} did not stop after {seconds} seconds; nothing is lost, but it still runs: end it with `kill -QUIT {pid}`", folder.display()
    )]
    StopTimeout {
        /// The cluster's folder.
        folder: PathBuf,
        /// The server's process id.
        pid: i32,
        /// How long we waited, in seconds.
        seconds: u64,
    },

    /// Another process holds the folder's set-up lock.
    #[error(
        "another DAIRA process has been setting up, starting or stopping PostgreSQL on {} for more than {seconds} seconds; wait for it, or end it", folder.display()
    )]
    Busy {
        /// The cluster's folder.
        folder: PathBuf,
        /// How long we waited, in seconds.
        seconds: u64,
    },

    /// A durable cluster was asked for, but the running one was started without durability.
    #[error(
        "PostgreSQL on {} was started without durability (fsync is off), so it would lose data in a crash; stop the process that started it and start again", folder.display()
    )]
    NotDurable {
        /// The cluster's folder.
        folder: PathBuf,
    },

    /// A setting for `postgresql.conf` is malformed.
    #[error("the PostgreSQL setting `{name}` is not usable: {why}")]
    BadSetting {
        /// The setting's name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },

    /// PostgreSQL runs, but our own superuser cannot use it.
    #[error(
        "PostgreSQL runs on {} but refuses our own connection; if somebody changed the superuser's password, put the old one back or write the new one into {}: {source}", folder.display(), password_file.display()
    )]
    Connect {
        /// The cluster's folder.
        folder: PathBuf,
        /// Where the superuser's password is kept.
        password_file: PathBuf,
        /// What the connection said.
        source: Source,
    },

    /// The operating system refused something that has no clearer name.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb phrase: `read`, `run`.
        action: &'static str,
        /// On which file or program.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ClusterError {
    /// Files an operating-system error under the clearest heading there is for it.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { folder: path, log: String::new() }
            }
            _ => Self::Io { action, path, source },
        }
    }
}

fn tail(log: &str) -> String {
    if log.trim().is_empty() { String::new() } else { format!("\n--- last lines ---\n{}", log.trim_end()) }
}

fn missing_text(looked_in: &[PathBuf], too_old: &[(PathBuf, u32)]) -> String {
    let mut text = String::from("no PostgreSQL server was found");
    if let Some(oldest) = too_old.iter().max_by_key(|(_, major)| *major) {
        text = format!("the PostgreSQL {} in {} is too old", oldest.1, oldest.0.display());
    }
    let _ = write!(
        text,
        ": DAIRA keeps its data in PostgreSQL {MINIMUM_MAJOR} or newer. Install it, then start again:\n  \
         Debian, Ubuntu   sudo apt-get install postgresql\n  \
         Fedora, RHEL     sudo dnf install postgresql-server\n  \
         macOS            brew install postgresql@18\n\
         or name its folder in the PG_BIN setting, or use a server of your own with DATABASE_URL"
    );
    if !looked_in.is_empty() {
        let places: Vec<_> = looked_in.iter().map(|place| place.display().to_string()).collect();
        let _ = write!(text, "\n(looked in {})", places.join(", "));
    }
    text
}

fn wrong_major_text(folder: &std::path::Path, made_by: u32, available: &[u32]) -> String {
    let folder = folder.display();
    let newest = available.iter().max().copied().unwrap_or_default();
    let relation = if made_by > newest { "newer" } else { "different" };
    let found: Vec<_> = available.iter().map(u32::to_string).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    format!(
        "the data folder {folder} was made by PostgreSQL {made_by}, a {relation} version than what is installed here \
         ({found}), and PostgreSQL only opens a folder of its own major version: install PostgreSQL {made_by} \
         (Debian, Ubuntu: `sudo apt-get install postgresql-{made_by}`; Fedora: `sudo dnf install postgresql{made_by}-server`; \
         macOS: `brew install postgresql@{made_by}`), or move the data over with `pg_upgrade`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_names_the_command_for_each_system() {
        let text = ClusterError::BinariesNotFound { looked_in: vec!["/usr/bin".into()], too_old: vec![] }.to_string();
        for part in
            ["15 or newer", "apt-get install postgresql", "dnf install", "brew install", "DATABASE_URL", "/usr/bin"]
        {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
    }

    #[test]
    fn an_old_server_is_named_with_its_version() {
        let error = ClusterError::BinariesNotFound { looked_in: vec![], too_old: vec![("/opt/pg13/bin".into(), 13)] };
        assert!(error.to_string().starts_with("the PostgreSQL 13 in /opt/pg13/bin is too old"), "{error}");
    }

    #[test]
    fn a_foreign_version_says_which_package_to_install() {
        let newer = ClusterError::WrongMajor { folder: "/data/pg".into(), made_by: 99, available: vec![15, 18] };
        let text = newer.to_string();
        assert!(text.contains("made by PostgreSQL 99, a newer version"), "{text}");
        assert!(text.contains("(15, 18)") && text.contains("postgresql-99"), "{text}");
        let older = ClusterError::WrongMajor { folder: "/data/pg".into(), made_by: 15, available: vec![18] };
        assert!(older.to_string().contains("a different version"), "{older}");
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_failures() {
        let full = ClusterError::io("write", "/data/pg/x", io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, ClusterError::DiskFull { .. }), "{full:?}");
        let other = ClusterError::io("write", "/data/pg/x", io::Error::from(io::ErrorKind::NotFound));
        assert!(matches!(other, ClusterError::Io { .. }), "{other:?}");
    }
}
