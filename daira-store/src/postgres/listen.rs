//! A connection that listens to one channel of the server that takes writes, past any pooler, and is made again when it breaks
//! or falls silent.

use core::time::Duration;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::secret::Secret;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::error::fault;
use super::hosts::Hosts;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// After how long a silent connection is asked whether it lives, and how long that may take.
const QUIET: Duration = Duration::from_secs(2);
/// How long it waits to connect again.
const RECONNECT: Duration = Duration::from_secs(1);

/// What is heard on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice<'a> {
    /// What somebody notified of.
    Told(&'a str),
    /// It listens from now on; what was told before, nobody heard.
    Gap,
}

/// Listens to a channel until dropped.
pub(super) async fn listen(url: &Secret, channel: &'static str, hear: impl Fn(Notice<'_>)) {
    loop {
        let error = match connect(url, channel).await {
            Ok(listener) => {
                hear(Notice::Gap);
                until_lost(listener, &hear).await
            }
            Err(error) => error,
        };
        tracing::warn!(%error, cause = ?core::error::Error::source(&error), channel, "PostgreSQL cannot be listened to for now");
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn connect(url: &Secret, channel: &str) -> Result<PgListener> {
    let failed = |e| fault("listen.connect", e);
    let (options, _) = Hosts::parse(url.expose(), "listen.address")?.primary().await.map_err(failed)?;
    // The one connection. It is not made again under the listener, so that whatever is lost is told.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = pool.acquire_timeout(PATIENCE).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await.map_err(failed)?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    listener.listen(channel).await.map_err(failed)?;
    Ok(listener)
}

/// Hears until the connection is lost; answers how.
async fn until_lost(mut listener: PgListener, hear: &impl Fn(Notice<'_>)) -> Error {
    let lost = |error| fault("listen.lost", error);
    loop {
        match tokio::time::timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(notice))) => hear(Notice::Told(notice.payload())),
            Ok(Ok(None)) => return Error::new(ErrorKind::Unavailable, "listen.closed"),
            Ok(Err(error)) => return lost(error),
            // A server that is gone without a word would be listened to for good.
            Err(_) => match tokio::time::timeout(QUIET, sqlx::query("select 1").execute(&mut listener)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return lost(error),
                Err(_) => return Error::new(ErrorKind::Unavailable, "listen.silent"),
            },
        }
    }
}
