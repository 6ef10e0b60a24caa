//! Logs: JSON lines for machines or pretty ones for the eye, always in UTC, to standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::config::{ConfigError, Log, LogFormat};

/// Starts logging for the process; call it once, first thing.
///
/// # Errors
/// When the filter cannot be understood.
pub fn init(log: &Log) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|e| ConfigError::new(format!("setting log.filter: {e}")))?;
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(SystemTime);
    // A second call, as in tests that start two servers in one process, keeps the first subscriber.
    let _first_wins = match log.format {
        LogFormat::Json => base.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Pretty => base.with_target(false).try_init(),
    };
    Ok(())
}
