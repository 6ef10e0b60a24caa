//! The PostgreSQL adapters under the kits of their ports, and the law of the two guards, on every supported server.

use core::time::Duration;
use std::sync::Arc;

use daira_core::memory::{RandomIds, WallClock};
use daira_core::port::Ports;
use daira_core::testkit::law;
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_store::postgres::{PgMaintenance, PgStore};

/// Ports on a database of their own: the store, the bus over its log, and the upkeep, by the wall's clock.
pub(crate) async fn ports(server: Server) -> (Ports, TestDatabase) {
    let database = server.database().await.unwrap();
    // Counters are to be seen as they are stored; how late they may be otherwise has a test of its own.
    let mut config = database.config();
    config.shared_age = Duration::ZERO;
    let store = PgStore::connect(&config).await.unwrap();
    (ports_over(&store), database)
}

pub(crate) fn ports_over(store: &PgStore) -> Ports {
    Ports {
        store: Arc::new(store.clone()),
        maintenance: Arc::new(PgMaintenance::new(store)),
        clock: Arc::new(WallClock),
        ids: Arc::new(RandomIds),
        ..Ports::in_memory()
    }
}

daira_core::store_kit!(pg15_store, ports(Server::Pg15).await);
daira_core::store_kit!(pg18_store, ports(Server::Pg18).await);

async fn the_law_holds(server: Server) {
    let (ports, _database) = ports(server).await;
    let tally = law::check(&ports, 2_026, 100_000).await;
    println!("law {server:?} {tally:?}");
    assert!(tally.pairs >= 100_000 && tally.towns > 5);
}

on_each_server!(the_law_holds);
