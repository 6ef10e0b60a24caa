//! What the caller asks of the cluster, and the `postgresql.conf` that comes of it.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{error::ClusterError, layout::PORT};

/// Settings that the cluster's own working depends on.
const RESERVED: [&str; 12] = [
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "log_directory",
    "log_filename",
    "logging_collector",
    "port",
    "unix_socket_directories",
    "unix_socket_permissions",
];

/// How the embedded cluster is to be set up and run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// The folder that holds the cluster and nothing else, for example `<data>/postgres`. Created when absent.
    pub data_dir: PathBuf,
    /// The folder of PostgreSQL's programs; `None` looks in the usual places.
    pub bin_dir: Option<PathBuf>,
    /// Whether a commit survives a power cut. Only tests say `false`.
    pub durable: bool,
    /// How long to wait for the server to be ready. Generous by default: after a crash it replays its log first.
    pub start_timeout: Duration,
    /// How long to wait for an orderly stop before an immediate one, which loses nothing but must recover at the next start.
    pub stop_timeout: Duration,
    /// Further lines for `postgresql.conf`, name and value; they win over ours.
    pub settings: Vec<(String, String)>,
}

impl ClusterConfig {
    /// A durable cluster in this folder, with everything else as it is by default.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            durable: true,
            start_timeout: Duration::from_mins(1),
            stop_timeout: Duration::from_secs(30),
            settings: Vec::new(),
        }
    }

    /// The whole `postgresql.conf`. Sized for a machine that PostgreSQL shares with the server; anything else is set up through
    /// `settings`.
    pub(super) fn render(&self, socket_dir: &Path, in_folder: bool) -> Result<String, ClusterError> {
        // Inside the folder the socket is named relative to `pgdata`: no character of the path can then break the file.
        let socket_dir = if in_folder { "../run".to_owned() } else { socket_dir.display().to_string() };
        let shared = shared_buffers(machine_memory());
        let mut conf = format!(
            "# Written by DAIRA at each start. Change it through DAIRA's settings, or with ALTER SYSTEM.\n\
             listen_addresses = ''\n\
             port = {PORT}\n\
             unix_socket_directories = '{socket_dir}'\n\
             unix_socket_permissions = 0700\n\
             max_connections = 100\n\
             password_encryption = 'scram-sha-256'\n\
             shared_buffers = '{shared}MB'\n\
             effective_cache_size = '{}MB'\n\
             maintenance_work_mem = '64MB'\n\
             random_page_cost = 1.1\n\
             jit = off\n\
             max_parallel_workers_per_gather = 0\n\
             max_wal_size = '1GB'\n\
             timezone = 'UTC'\n\
             log_timezone = 'UTC'\n\
             logging_collector = on\n\
             log_directory = '../log'\n\
             log_filename = 'postgresql-%Y%m%d-%H%M%S.log'\n\
             log_rotation_size = '10MB'\n\
             log_rotation_age = '1d'\n\
             log_min_duration_statement = '1s'\n\
             log_line_prefix = '%m [%p] %u@%d '\n",
            4 * shared
        );
        if !self.durable {
            conf.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
        }
        for (name, value) in &self.settings {
            let refused = |why| ClusterError::BadSetting { name: name.clone(), why };
            if name.is_empty()
                || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c))
            {
                return Err(refused("a name consists of lower-case letters, digits, `_` and `.`"));
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(refused("DAIRA sets it itself, because finding its own cluster depends on it"));
            }
            if value.chars().any(char::is_control) {
                return Err(refused("a value is one line of text"));
            }
            let value = value.replace('\\', "\\\\").replace('\'', "''");
            let _ = writeln!(conf, "{name} = '{value}'");
        }
        Ok(conf)
    }
}

/// Mebibytes of the cluster's own cache on a machine with so many of memory: a sixteenth, so that a server, a browser and
/// whatever else a developer runs keep theirs, and no more than a gibibyte.
fn shared_buffers(memory: u64) -> u64 {
    (memory / 16).clamp(128, 1_024)
}

/// Mebibytes of memory of this machine; zero where that cannot be read, as outside Linux.
fn machine_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    total.map_or(0, |kibibytes: u64| kibibytes / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<String, ClusterError> {
        let mut config = ClusterConfig::new("/data");
        config.settings.push((name.to_owned(), value.to_owned()));
        config.render(Path::new("/data/run"), true)
    }

    #[test]
    fn values_cannot_leave_their_quotes() {
        let conf = with("application_name", r"a' \ b").unwrap();
        assert!(conf.ends_with("application_name = 'a'' \\\\ b'\n"), "{conf}");
        assert!(matches!(with("work_mem", "1MB'\nfsync = 'off"), Err(ClusterError::BadSetting { .. })));
    }

    #[test]
    fn names_are_checked_and_ours_are_kept() {
        for name in ["", "fsync = off #", "listen_addresses", "Work_Mem"] {
            assert!(matches!(with(name, "x"), Err(ClusterError::BadSetting { .. })), "{name}");
        }
        assert!(with("pg_stat_statements.max", "100").is_ok());
    }

    #[test]
    fn the_cache_follows_the_memory_within_bounds() {
        assert_eq!([0, 1_000, 8_000, 24_000].map(shared_buffers), [128, 128, 500, 1_024]);
        assert!(machine_memory() > 0, "the memory of this machine can be read");
    }

    #[test]
    fn durability_is_the_default() {
        let mut config = ClusterConfig::new("/data");
        assert!(!config.render(Path::new("/data/run"), true).unwrap().contains("fsync"));
        config.durable = false;
        assert!(config.render(Path::new("/data/run"), true).unwrap().contains("fsync = off"));
    }
}
