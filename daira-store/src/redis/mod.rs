//! What many nodes count together, keep together and tell each other, in Redis 7: on one server, under Sentinel, or in a Cluster.
//!
//! In: an address. Out: adapters of the kernel's ports. Without TLS. Nothing here is the truth of anything: a Redis that is emptied costs
//! patience or latency, never data.
//!
//! | address | what it is |
//! |---|---|
//! | `redis://[user:password@]host:port[/database]` | one server |
//! | `redis+sentinel://[user:password@]host:port,host:port/master-name` | what the sentinels call the master now |
//! | `redis+cluster://[user:password@]host:port,host:port` | the cluster that these nodes belong to |

mod address;
mod cache;
mod connection;
mod hearing;
mod limiter;
mod optional;
mod presence;
mod pubsub;

pub use cache::RedisCache;
pub use connection::Redis;
pub use limiter::RedisLimiter;
pub use presence::RedisPresence;
pub use pubsub::RedisPubSub;

use daira_core::error::{Error, ErrorKind};

/// A failure of Redis as the ports tell it. What it says goes to the log only.
fn fault(operation: &'static str) -> impl FnOnce(redis::RedisError) -> Error {
    move |error| Error::new(ErrorKind::Unavailable, operation).with_source(error)
}
