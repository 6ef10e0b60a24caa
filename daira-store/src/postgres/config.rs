//! How to reach the store: two roles, their pools, and the time limits.

use core::fmt;
use core::time::Duration;

/// What [`PgStore::connect`](super::PgStore::connect) needs to know. Begin with [`PgStoreConfig::new`] and change what
/// differs. `Debug` shows no address: they hold passwords.
#[derive(Clone)]
#[non_exhaustive]
pub struct PgStoreConfig {
    /// Connection address of the role that serves people (`daira_app`). It may name several servers, `…@one:5432,two:5432/…`: the
    /// one that takes writes is used, and with a [`Watch`](super::Watch) that runs, the next one that does.
    pub app_url: String,
    /// Connection address of the role that consumers and jobs use (`daira_worker`).
    pub worker_url: String,
    /// Address of a replica for reads that may lag behind, as the role that serves people; without one, and without a
    /// [`Watch`](super::Watch) that runs, the primary answers them. It names one server: what one says of itself is not true of
    /// another.
    pub replica_url: Option<String>,
    /// How far a replica may be behind and still be read.
    pub replica_lag: Duration,
    /// How long a read waits for a replica to have what its reader wrote just now, or to answer at all, before it goes to the
    /// primary.
    pub replica_patience: Duration,
    /// The most connections that serve people in transactions. For reads that are one statement each, as the first page of a
    /// feed, there are a quarter as many more.
    pub app_connections: u32,
    /// The most connections for consumers and jobs.
    pub worker_connections: u32,
    /// How long a request waits for a free connection before it is [`Unavailable`](daira_core::error::ErrorKind::Unavailable).
    pub acquire_timeout: Duration,
    /// How long one statement may run; nothing leaves it to the role's own setting, five seconds.
    pub statement_timeout: Option<Duration>,
    /// How many prepared statements a connection keeps. Zero behind a pooler in transaction mode (`PgBouncer`): then nothing
    /// is prepared under a name, and no statement is outside of a transaction.
    pub statement_cache: usize,
    /// How many days an inbox reaches back.
    pub inbox_days: u16,
    /// How old the list of popular posts may be, which is the same for all. Zero makes it anew each time.
    pub popular_age: Duration,
    /// How many bytes of readers' ties (whom they follow, mute and block, and their affinities) are kept in memory, to be
    /// used while Postgres says that they are still those. Some 5 KB are a usual reader's.
    pub ties_bytes: u64,
    /// How many bytes of posts and authors that everybody may see are kept in memory, to be shown while Postgres says that they
    /// are still those.
    pub cards_bytes: u64,
    /// Of how many of the newest posts the counters are kept in memory, and followed as they change; up to twice as many before older
    /// ones go. Each takes some 80 bytes. Zero keeps none.
    pub counters_kept: usize,
}

impl PgStoreConfig {
    /// With the two addresses and usual numbers.
    pub fn new(app_url: impl Into<String>, worker_url: impl Into<String>) -> Self {
        Self {
            app_url: app_url.into(),
            worker_url: worker_url.into(),
            replica_url: None,
            replica_lag: Duration::from_secs(5),
            replica_patience: Duration::from_millis(100),
            app_connections: 16,
            worker_connections: 4,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: None,
            statement_cache: 256,
            inbox_days: 8,
            popular_age: Duration::from_secs(2),
            ties_bytes: 32 << 20,
            cards_bytes: 16 << 20,
            counters_kept: 1 << 16,
        }
    }
}

impl fmt::Debug for PgStoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStoreConfig")
            .field("replica_lag", &self.replica_lag)
            .field("replica_patience", &self.replica_patience)
            .field("app_connections", &self.app_connections)
            .field("worker_connections", &self.worker_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("statement_cache", &self.statement_cache)
            .field("inbox_days", &self.inbox_days)
            .field("popular_age", &self.popular_age)
            .field("ties_bytes", &self.ties_bytes)
            .field("cards_bytes", &self.cards_bytes)
            .field("counters_kept", &self.counters_kept)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        let config = PgStoreConfig::new("postgres://app:hunter2@db/daira", "postgres://worker:hunter3@db/daira");
        assert!(!format!("{config:?}").contains("hunter"));
    }
}
