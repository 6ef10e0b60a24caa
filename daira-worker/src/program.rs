//! What both programs share: when to stop, and the runner with all consumers and jobs.

use core::time::Duration;

use daira_core::Ports;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::runner::{Runner, RunnerSettings};
use crate::{consume, job};

/// The runner with everything the platform does in the background.
pub fn runner(ports: &Ports, config: &Config) -> Runner {
    let settings =
        RunnerSettings { drain: Duration::from_secs(config.workers.drain_seconds), ..RunnerSettings::default() };
    job::all(consume::all(Runner::new(ports.clone()).settings(settings), ports))
}

/// A token that is cancelled by the first interrupt or termination signal; a second one ends the process at once.
pub fn until_told() -> CancellationToken {
    let token = CancellationToken::new();
    let told = token.clone();
    // From this moment on no signal ends the process by itself.
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    #[expect(
        clippy::disallowed_methods,
        reason = "it lives as long as the process and holds nothing that could be drained"
    )]
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            tracing::error!("signals cannot be received: stop the process by force");
            return;
        };
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        tracing::info!("stopping: running work is finished first");
        told.cancel();
        next().await;
        tracing::warn!("stopping at once");
        std::process::exit(130);
    });
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn security_92_a_sigterm_asks_to_stop() {
        let told = until_told();
        assert!(!told.is_cancelled());
        let pid = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        told.cancelled().await;
    }
}
