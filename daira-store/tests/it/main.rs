//! The store's tests against real servers, in one program.

/// Turns each `async fn name(server: Server)` of a module into a test on every supported server.
macro_rules! on_each_server {
    ($($name:ident),+ $(,)?) => {
        mod pg15 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(daira_store::postgres::testing::Server::Pg15).await;
            })+
        }
        mod pg18 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(daira_store::postgres::testing::Server::Pg18).await;
            })+
        }
    };
}

#[cfg(test)]
mod audit;
#[cfg(test)]
mod backfill;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod data_map;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod event_log;
#[cfg(test)]
mod failover;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod law;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod race;
#[cfg(test)]
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
mod replica;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod shards;
#[cfg(test)]
mod wire;
