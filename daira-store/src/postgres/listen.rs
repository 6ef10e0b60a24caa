//! A connection that listens, to the server that takes writes, past any pooler.

use core::time::Duration;

use daira_core::error::Result;
use daira_core::secret::Secret;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::error::fault;
use super::hosts::Hosts;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens to a channel.
///
/// # Errors
/// When nobody answers there.
pub(super) async fn listen(url: &Secret, channel: &str, operation: &'static str) -> Result<PgListener> {
    let failed = |e| fault(operation, e);
    let (options, _) = Hosts::parse(url.expose(), operation)?.primary().await.map_err(failed)?;
    // The one connection; when it breaks, the listener makes it again, or gives up soon: the primary may be elsewhere.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = pool.acquire_timeout(PATIENCE).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await.map_err(failed)?;
    listener.ignore_pool_close_event(true);
    listener.listen(channel).await.map_err(failed)?;
    Ok(listener)
}
