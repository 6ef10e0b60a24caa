//! One connection for everything that a node asks of Redis; commands of all tasks go down it together.

use core::time::Duration;
use std::sync::Arc;

use daira_core::error::Result;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, ProtocolVersion, RedisError, RedisResult, ScriptInvocation};
use tokio::sync::Mutex;

use super::address::{Address, Login};
use super::fault;
use super::hearing::Hearing;

/// How long an answer may take. Whoever waits has other work, and can do without.
const ANSWER: Duration = Duration::from_millis(500);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long all of it may take, waiting for another task to connect included.
const ALL: Duration = Duration::from_millis(1_500);

/// A connection to Redis. Cloning is cheap; clones share it. It is made when it is first used and anew when it breaks or
/// falls silent, and follows a master that moves.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Mutex<Shared>>,
    is_cluster: bool,
    prefix: Arc<str>,
    hearing: Hearing,
}

/// Where to connect to, and the connection.
struct Shared {
    place: Place,
    /// The living connection, and which one it is.
    current: Option<(Wire, u64)>,
    made: u64,
    hearing: Hearing,
}

enum Place {
    One(redis::Client),
    Sentinel(SentinelClient),
    Cluster(ClusterClient),
}

#[derive(Clone)]
pub(super) enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Wire {
    /// Runs one command.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::One(one) => command.query_async(&mut one.clone()).await,
            Self::Cluster(cluster) => command.query_async(&mut cluster.clone()).await,
        }
    }
}

impl core::fmt::Debug for Redis {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Redis {
    /// What is at an address (see the [module](super)); nothing is connected yet. All keys begin with the prefix, so that
    /// others can live there, too.
    ///
    /// # Errors
    /// For an address that is none.
    pub fn at(address: &str, prefix: &str) -> Result<Self> {
        let hearing = Hearing::below(prefix);
        let place = match Address::read(address)? {
            Address::One(info) => {
                // The protocol in which messages come in between the answers.
                let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
                let client = redis::Client::open(info.set_redis_settings(settings));
                Place::One(client.map_err(fault("redis.address"))?)
            }
            Address::Sentinel { sentinels, master, login: Login { user, password } } => {
                let sentinels = sentinels.iter().map(|info| info.addr().clone());
                let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)
                    .map_err(fault("redis.address"))?
                    .set_client_to_redis_protocol(ProtocolVersion::RESP3);
                if let Some(user) = user {
                    builder = builder.set_client_to_redis_username(user);
                }
                if let Some(password) = password {
                    builder = builder.set_client_to_redis_password(password);
                }
                Place::Sentinel(builder.build().map_err(fault("redis.address"))?)
            }
            Address::Cluster { nodes, login: Login { user, password } } => {
                let mut builder = ClusterClient::builder(nodes)
                    .use_protocol(ProtocolVersion::RESP3)
                    .push_sender(hearing.clone())
                    .connection_timeout(CONNECT)
                    .response_timeout(ANSWER)
                    .overall_response_timeout(Some(ANSWER * 2))
                    .retries(3);
                if let Some(user) = user {
                    builder = builder.username(user);
                }
                if let Some(password) = password {
                    builder = builder.password(password);
                }
                Place::Cluster(builder.build().map_err(fault("redis.address"))?)
            }
        };
        let is_cluster = matches!(place, Place::Cluster(_));
        let shared = Shared { place, current: None, made: 0, hearing: hearing.clone() };
        Ok(Self { shared: Arc::new(Mutex::new(shared)), is_cluster, prefix: prefix.into(), hearing })
    }

    /// Connects, unless it is connected.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn ready(&self) -> Result<()> {
        let connected = async { self.shared.lock().await.wire().await.map(drop) };
        soon(connected).await.map_err(fault("redis.connect"))
    }

    /// Whether keys of different slots are on different servers.
    pub(super) fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// What all keys begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What comes in besides answers.
    pub(super) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// Runs a script. Its keys are in one slot.
    pub(super) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> RedisResult<T> {
        let run = async |wire, _| match wire {
            Wire::One(mut one) => script.invoke_async(&mut one).await,
            Wire::Cluster(mut cluster) => script.invoke_async(&mut cluster).await,
        };
        self.with(run).await
    }

    /// Does something with the living connection, which is told by its number as well.
    pub(super) async fn with<T>(&self, work: impl AsyncFnOnce(Wire, u64) -> RedisResult<T>) -> RedisResult<T> {
        let run = async {
            let (wire, which) = self.shared.lock().await.wire().await?;
            let outcome = work(wire, which).await;
            if outcome.as_ref().is_err_and(is_over) {
                self.shared.lock().await.leave(which);
            }
            outcome
        };
        soon(run).await
    }
}

/// Gives up what takes too long.
async fn soon<T>(work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = || RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    tokio::time::timeout(ALL, work).await.unwrap_or_else(|_| Err(late()))
}

/// Whether a connection has seen its last: it broke, nobody answers on it, or whoever does is the master no more.
fn is_over(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_timeout() || error.code() == Some("READONLY")
}

impl Shared {
    async fn wire(&mut self) -> RedisResult<(Wire, u64)> {
        if let Some(current) = &self.current {
            return Ok(current.clone());
        }
        let config =
            AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER)).set_connection_timeout(Some(CONNECT));
        let config = config.set_push_sender(self.hearing.clone());
        let wire = match &mut self.place {
            Place::One(client) => Wire::One(client.get_multiplexed_async_connection_with_config(&config).await?),
            Place::Sentinel(sentinels) => Wire::One(sentinels.get_async_connection_with_config(&config).await?),
            Place::Cluster(client) => Wire::Cluster(client.get_async_connection().await?),
        };
        self.made += 1;
        Ok(self.current.insert((wire, self.made)).clone())
    }

    /// Gives a connection up, unless somebody did before.
    fn leave(&mut self, which: u64) {
        self.current.take_if(|(_, current)| *current == which);
    }
}
