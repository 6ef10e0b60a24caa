//! The servers behind the programs: PostgreSQL and Redis.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SecretText;

/// PostgreSQL.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Database {
    /// Address for the role that serves people, `postgres://daira_app:…@host/daira`. It may name several servers,
    /// `…@one:5432,two:5432/daira`: the one that takes writes is used, and when another one is promoted, that. When absent, a
    /// private PostgreSQL is set up in the data folder and started.
    pub url: Option<SecretText>,
    /// Address for the role that runs consumers and jobs; wanted when `url` is given.
    pub worker_url: Option<SecretText>,
    /// Address for the role that runs consumers and jobs, past any pooler: for what must keep a connection, which is the ticks
    /// of the event log and listening for them. When absent, `worker_url` is such an address.
    pub direct_url: Option<SecretText>,
    /// Address of one streaming replica, for the role that serves people: for reads that may lag behind. When absent, the
    /// primary answers them.
    pub replica_url: Option<SecretText>,
    /// How far the replica may lag behind and still be read, in milliseconds.
    pub replica_lag_ms: u64,
    /// How long a read waits for the replica, when its reader wrote just now and when it does not answer, before the primary is
    /// asked, in milliseconds.
    pub replica_wait_ms: u64,
    /// Address for the role that migrates, past any pooler; only `migrate` uses it.
    pub owner_url: Option<SecretText>,
    /// Most connections for serving people in transactions; a quarter as many more answer what is one statement.
    pub connections: u32,
    /// Most connections for consumers and jobs.
    pub worker_connections: u32,
    /// How many prepared statements a connection keeps; 0 behind a pooler in transaction mode, and `direct_url` is wanted then.
    pub statement_cache: usize,
    /// The folder of PostgreSQL's programs for the private one; found by itself when absent.
    pub binaries: Option<PathBuf>,
    /// Whether the private PostgreSQL writes every commit to the disk before it answers.
    pub durable: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            worker_url: None,
            direct_url: None,
            replica_url: None,
            replica_lag_ms: 5_000,
            replica_wait_ms: 100,
            owner_url: None,
            connections: 16,
            worker_connections: 4,
            statement_cache: 200,
            binaries: None,
            durable: true,
        }
    }
}

/// Redis.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Redis {
    /// Address of the Redis in which all nodes count their limits together, keep what is asked often, and say who is active:
    /// `redis://host:port`, `redis+sentinel://host:port,host:port/master` or `redis+cluster://host:port,host:port`. When
    /// absent, each node does so for itself.
    pub url: Option<SecretText>,
    /// What all keys begin with.
    pub prefix: String,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, prefix: "daira:".to_owned() }
    }
}
